//! Files in every state that they are met in. There are real traces of some of them, which the corpus tests read; all of
//! these are made from the format's description.

use etweir::buffer::{BufferFlags, BufferType};
use etweir::codec::Format;
use etweir::file::DamageKind;
use etweir::trace::{ClockType, LogFileMode};
use etweir::write::{
    BufferSpec, Damage as Harm, EventSpec, FileSpec, LogFileSpec, SystemSpec, TraceSpec, Width,
};
use etweir::{Error, EtlFile, EtlReader, FileTime, ReadOptions, Ticks};

use crate::support::{
    SIZE, Seen, T0, assert_complete, buffer, event, events, file, log_file, open, read, time,
};

/// Four buffers of two processors: times 10, 20, 30 and so on up to 120.
fn four_buffers() -> FileSpec {
    file([
        buffer(0, 1, [10, 30, 50]),
        buffer(1, 2, [20, 40, 60]),
        buffer(0, 3, [70, 90, 110]),
        buffer(1, 4, [80, 100, 120]),
    ])
}

fn twelve() -> Vec<Seen> {
    (1..=12).map(|number| ((number as u16 + 1) % 2, number * 10)).collect()
}

/// What a file with damage delivers, and where what damage is.
fn read_damaged(bytes: &[u8]) -> (Vec<Seen>, Vec<(DamageKind, u64, u64)>) {
    let mut file = open(bytes);
    let found = events(&mut file);
    assert_complete(&file);
    let mut damage: Vec<_> =
        file.damage().entries().iter().map(|damage| (damage.kind, damage.at.get(), damage.len)).collect();
    damage.sort_by_key(|damage| damage.1);
    (found, damage)
}

fn without(buffers: &[usize]) -> Vec<Seen> {
    // Buffers 1 and 2 share the first six events, 3 and 4 the others.
    let of = |event: &Seen| usize::from(event.0) + if event.1 <= 60 { 1 } else { 3 };
    twelve().into_iter().filter(|event| !buffers.contains(&of(event))).collect()
}

#[test]
fn a_file_that_was_never_closed_is_read_to_its_end() {
    let header = LogFileSpec { buffers_written: Some(0), end_time: FileTime(0), ..log_file() };
    let bytes = FileSpec::new(header)
        .buffers([buffer(1, 2, [20, 40]), buffer(0, 1, [10, 30]), buffer(0, 3, [50])])
        .to_bytes();
    assert_eq!(read(&bytes), [(0, 10), (1, 20), (0, 30), (1, 40), (0, 50)]);
}

#[test]
fn every_cut_of_a_file_delivers_the_records_before_it_in_the_order_of_time() {
    let whole = four_buffers().to_bytes();
    let header_end = 72 + usize::from(u16::from_le_bytes([whole[0x4C], whole[0x4D]]));
    for cut in header_end..whole.len() {
        let is_before = |event: &Seen| {
            let of_buffer = (event.1 - 1) / 60 * 2 + i64::from(event.0);
            let in_buffer = (event.1 - 1) % 60 / 20;
            let end = 1024 * (of_buffer + 1) + 72 + 80 * (in_buffer + 1);
            end <= cut as i64
        };
        let expected: Vec<_> = twelve().into_iter().filter(is_before).collect();
        let (found, damage) = read_damaged(&whole[..cut]);
        assert_eq!(found, expected, "cut at {cut}: {damage:?}");
    }
}

#[test]
fn a_cut_of_a_compressed_file_costs_the_buffer_that_it_is_in() {
    let whole = four_buffers().compressed(Format::Xpress).to_bytes();
    let mut starts = Vec::new();
    let mut reader = EtlReader::new(&whole[..]).expect("a trace");
    while let Some(buffer) = reader.next_buffer().expect("readable") {
        starts.push(buffer.offset().get() as usize);
    }
    starts.push(whole.len());
    assert_eq!(starts.len(), 6);
    for cut in starts[1]..=whole.len() {
        let cut_off: Vec<_> = (1..=4).filter(|number| starts[number + 1] > cut).collect();
        let (found, damage) = read_damaged(&whole[..cut]);
        assert_eq!(found, without(&cut_off), "cut at {cut}");
        // A few zeros at the end cannot be told from reserved space.
        let start = starts.iter().rfind(|start| **start <= cut).expect("one");
        let is_missed = whole[*start..cut].iter().any(|byte| *byte != 0);
        assert_eq!(damage.len(), usize::from(is_missed), "cut at {cut}: {damage:?}");
    }
}

#[test]
fn a_circular_file_that_has_wrapped_begins_with_its_oldest_event() {
    // Made by the writer: no real one that had wrapped was at hand.
    let header = LogFileSpec { log_file_mode: LogFileMode(0x0000_0002), maximum_file_size: 1, ..log_file() };
    let data = |number: i64| {
        let processor = number as u16 % 2;
        buffer(processor, number, [number * 20, number * 20 + 15, number * 20 + 30])
    };
    let bytes = FileSpec::new(header).buffers([11, 12, 7, 8, 9, 10].map(data)).to_bytes();
    let mut expected: Vec<_> = (7..=12)
        .flat_map(|number: i64| [0, 15, 30].map(|time| (number as u16 % 2, number * 20 + time)))
        .collect();
    expected.sort_by_key(|event| event.1);
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    assert_eq!(events(&mut file), expected);
    assert_eq!((file.stats().sequence_gaps, file.stats().events_late), (0, 0));
    assert_complete(&file);
    // One buffer of each processor is enough, although the file is not in the order of their numbers.
    assert!(file.stats().buffers_retired == 7 && file.damage().is_empty());
}

#[test]
fn the_second_header_of_an_appended_file_is_data() {
    // Made by the writer: no real one was at hand.
    let first = four_buffers().to_bytes();
    let header = LogFileSpec {
        time_stamp: Ticks(T0 + 500),
        clock_type: ClockType::SYSTEM_TIME,
        perf_freq: 1,
        ..log_file()
    };
    let second = FileSpec::new(header).buffers([buffer(0, 1, [600, 610]), buffer(1, 2, [605])]).to_bytes();
    let bytes = [first, second].concat();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let mut found = Vec::new();
    while let Some(event) = file.next_event().expect("readable") {
        let stamp = event.time_stamp().expect("stamped");
        // The clock is that of the first header.
        assert_eq!(event.time(), Some(time(stamp.get() - T0)));
        found.push((event.hook_id(), stamp.get() - T0));
    }
    let times = (1..=12).map(|number| number * 10).chain([600, 605, 610]);
    let mut expected: Vec<_> = times.map(|time| (None, time)).collect();
    expected.insert(0, (Some(0), 0));
    expected.insert(13, (Some(0), 500));
    assert_eq!(found, expected);
    assert!(file.damage().is_empty());
    assert_complete(&file);
}

#[test]
fn space_that_was_reserved_and_never_written_is_one_tail() {
    for zeros in [1, 72, 1024, 100 * 1024, 100 * 1024 + 7] {
        let bytes = four_buffers().damage(Harm::AppendZeros(zeros)).to_bytes();
        let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
        assert_eq!(events(&mut file), twelve());
        assert!(file.damage().is_empty());
        assert_eq!(assert_complete(&file).unwritten_tail, zeros as u64);
    }
}

#[test]
fn buffers_in_any_order_come_out_in_that_of_time() {
    let orders = [[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3], [3, 4, 1, 2], [1, 4, 2, 3]];
    for order in orders {
        let buffers = [
            buffer(0, 1, [10, 30, 50]),
            buffer(1, 2, [20, 40, 60]),
            buffer(0, 3, [70, 90, 110]),
            buffer(1, 4, [80, 100, 120]),
        ];
        let bytes = file(order.map(|number| buffers[number - 1].clone())).to_bytes();
        assert_eq!(read(&bytes), twelve(), "{order:?}");
    }
}

#[test]
fn a_buffer_that_is_there_twice_is_delivered_twice() {
    let whole = four_buffers();
    let twice = whole.to_bytes()[1024..2048].to_vec();
    let bytes = whole.damage(Harm::Append(twice)).to_bytes();
    let mut expected = twelve();
    expected.extend([(0, 10), (0, 30), (0, 50)]);
    expected.sort_by_key(|event| event.1);
    assert_eq!(read(&bytes), expected);
}

#[test]
fn a_buffer_of_zeros_costs_itself() {
    for number in 1..=3 {
        let bytes = four_buffers().damage(Harm::ZeroBuffer(number)).to_bytes();
        let (found, damage) = read_damaged(&bytes);
        assert_eq!(found, without(&[number]));
        assert_eq!(damage, [(DamageKind::Zeroed, number as u64 * 1024, 1024)]);
    }
    // At the end it is space that was never written.
    let bytes = four_buffers().damage(Harm::ZeroBuffer(4)).to_bytes();
    assert_eq!(read_damaged(&bytes), (without(&[4]), vec![]));
}

#[test]
fn without_its_header_buffer_a_file_is_read_by_raw_time_if_asked_for() {
    let missing = four_buffers().damage(Harm::RemoveBuffer(0)).to_bytes();
    let garbage = [vec![0xA5; 1024], missing.clone()].concat();
    let zeros = four_buffers().damage(Harm::ZeroBuffer(0)).to_bytes();
    for (bytes, skipped) in [(missing, 0), (garbage, 1024), (zeros, 1024)] {
        assert!(matches!(EtlFile::from_bytes(&bytes), Err(Error::MissingHeader { .. })));
        let mut file = open(&bytes);
        assert!(file.header().is_none());
        assert_eq!(events(&mut file), twelve());
        assert_eq!(assert_complete(&file).skipped, skipped);
        file.restart(None, None);
        let event = file.next_event().expect("readable").expect("an event");
        assert_eq!((event.time_stamp(), event.time()), (Some(Ticks(T0 + 10)), None));
    }
}

#[test]
fn a_compressed_file_without_its_header_buffer_is_read_by_raw_time_if_asked_for() {
    for format in Format::ALL {
        let bytes = four_buffers().compressed(format).damage(Harm::RemoveBuffer(0)).to_bytes();
        assert_eq!(read_damaged(&bytes), (twelve(), vec![]), "{format}");
    }
}

#[test]
fn the_flush_times_of_a_relogged_file_are_those_of_the_relogging() {
    let header = LogFileSpec { log_file_mode: LogFileMode(0x0001_0001), ..log_file() };
    let relogged = |buffer: BufferSpec| buffer.time_stamp(time(1 << 40).get());
    let bytes = FileSpec::new(header)
        .buffers([
            relogged(buffer(0, 1, [10, 30, 50])),
            relogged(buffer(1, 2, [20, 40, 60])),
            relogged(buffer(0, 3, [70, 90, 110])),
            relogged(buffer(1, 4, [80, 100, 120])),
        ])
        .to_bytes();
    assert_eq!(read(&bytes), twelve());
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    file.restart(Some(time(85)), Some(time(95)));
    assert_eq!(events(&mut file), [(0, 90)]);
    assert_eq!(file.stats().buffers_received, 3, "a buffer ends before the next one of its processor begins");
}

/// Forty records of four processors, of a kind that all versions have.
fn forty(header: LogFileSpec) -> (Vec<u8>, Vec<i64>) {
    let Ticks(start) = header.time_stamp;
    let version = if header.major_version < 6 { 1 } else { 2 };
    let width = header.width;
    let trace = (1..=40_i64).fold(TraceSpec::new(header), |trace, number| {
        let record = SystemSpec {
            width,
            version,
            hook_id: 0x0501,
            thread_id: number as u32,
            time_stamp: start + number * 10_000,
            payload: vec![0x33; 100],
            ..SystemSpec::default()
        };
        trace.record((number * 7 % 4) as u16, record)
    });
    (trace.to_bytes(), (1..=40).map(|number| start + number * 10_000).collect())
}

#[test]
fn every_version_of_windows_is_read_in_the_order_of_time() {
    // There are real traces from Vista on; those before are made from the format's description.
    let versions = [
        LogFileSpec::windows_2000(),
        LogFileSpec::windows_xp(),
        LogFileSpec::server_2003(),
        LogFileSpec::windows_vista(),
        LogFileSpec::windows_7(),
        LogFileSpec::default(),
    ];
    let wide = versions.map(|version| LogFileSpec { buffer_size: SIZE, ..version });
    let narrow = wide.clone().map(|version| LogFileSpec { width: Width::Bits32, ..version });
    for header in wide.into_iter().chain(narrow) {
        let (bytes, expected) = forty(header.clone());
        let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
        let mut stamps = Vec::new();
        while let Some(event) = file.next_event().expect("readable") {
            if event.hook_id() == Some(0x0501) {
                stamps.push(event.time_stamp().expect("stamped").get());
            }
        }
        let name = format!("{}.{} {:?}", header.major_version, header.minor_version, header.width);
        assert_eq!(stamps, expected, "{name}");
        assert!(file.damage().is_empty(), "{name}: {:?}", file.damage());
        assert_complete(&file);
    }
}

#[test]
fn limits_of_time_hold_in_every_clock() {
    let qpc = LogFileSpec { perf_freq: 1_000_000, ..log_file() };
    let system_time = LogFileSpec {
        clock_type: ClockType::SYSTEM_TIME,
        time_stamp: Ticks(LogFileSpec::default().start_time.get()),
        ..log_file()
    };
    let cycles = LogFileSpec { clock_type: ClockType::CPU_CYCLES, cpu_speed_in_mhz: 1000, ..log_file() };
    // How many ticks 10 microseconds, or 100 units of a FILETIME, have.
    for (header, ticks) in [(qpc, 10), (system_time, 100), (cycles, 10_000)] {
        let Ticks(start) = header.time_stamp;
        let at = |number: i64| start + number * ticks;
        let data = |number: i64| {
            (0..5).fold(BufferSpec::new(SIZE).sequence_number(number + 1), |buffer, more| {
                let number = number * 5 + more;
                buffer
                    .event(&EventSpec { id: number as u16, time_stamp: at(number), ..EventSpec::default() })
                    .time_stamp(at(number))
            })
        };
        let bytes = FileSpec::new(header.clone()).buffers((0..20).map(data)).to_bytes();
        let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
        file.restart(Some(time(32 * 100)), Some(time(38 * 100)));
        let mut ids = Vec::new();
        while let Some(event) = file.next_event().expect("readable") {
            if event.hook_id().is_none() {
                assert_eq!(event.time(), Some(time(i64::from(event.id()) * 100)), "{:?}", header.clock_type);
                ids.push(event.id());
            }
        }
        assert_eq!(ids, [32, 33, 34, 35, 36, 37, 38], "{:?}", header.clock_type);
        assert_eq!(file.stats().buffers_received, 3, "{:?}", header.clock_type);
    }
}

#[test]
fn a_session_without_buffers_for_each_processor_has_one_stream_that_overlaps() {
    let header =
        LogFileSpec { log_file_mode: LogFileMode(0x1000_0001), number_of_processors: 1, ..log_file() };
    // Threads reserve their place and take the time afterwards, so neighbours are out of order, across buffers too.
    let bytes = FileSpec::new(header)
        .buffers([buffer(0, 1, [10, 20, 45]), buffer(0, 2, [40, 50, 95]), buffer(0, 3, [90, 100])])
        .to_bytes();
    let expected = [10, 20, 40, 45, 50, 90, 95, 100].map(|time| (0, time));
    assert_eq!(read(&bytes), expected);
}

#[test]
fn more_processors_than_a_mask_has_bits_are_told_apart() {
    // Real traces have up to 64; Windows allows for 2,048.
    let buffers =
        (0..2048_u16).map(|processor| buffer(processor, processor.into(), [i64::from(processor) ^ 0x2AA]));
    let bytes = file(buffers).to_bytes();
    let mut expected: Vec<_> =
        (0..2048_u16).map(|processor| (processor, i64::from(processor) ^ 0x2AA)).collect();
    expected.sort_by_key(|event| event.1);
    assert_eq!(read(&bytes), expected);
}

#[test]
fn back_up_files_of_real_time_sessions_are_read() {
    // Made from the format's description: no real one was at hand.
    let header = LogFileSpec {
        log_file_mode: LogFileMode(0x0000_0100 | 0x0000_4000),
        buffers_written: Some(0),
        end_time: FileTime(0),
        ..log_file()
    };
    let mut reference = [0; 16];
    reference[..8].copy_from_slice(&time(0).get().to_le_bytes());
    reference[8..].copy_from_slice(&T0.to_le_bytes());
    let backed_up = |buffer: BufferSpec| buffer.add_flags(BufferFlags::RTBACKUP).reference_time(reference);
    let bytes = FileSpec::new(header)
        .buffers([
            backed_up(BufferSpec::new(SIZE).buffer_type(BufferType(3)).sequence_number(1)),
            backed_up(buffer(0, 2, [10, 30])),
            backed_up(buffer(1, 3, [20]).add_flags(BufferFlags::RTBACKUP_CORRUPT)),
            backed_up(buffer(0, 4, [40]).add_flags(BufferFlags::EVENTS_LOST)),
        ])
        .to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    assert_eq!(events(&mut file), [(0, 10), (1, 20), (0, 30), (0, 40)]);
    assert_eq!((file.stats().buffers_retired, file.stats().events_lost_flags), (5, 1));
    assert!(file.damage().is_empty());
    assert_complete(&file);
}

#[test]
fn flags_that_nobody_knows_do_not_cost_a_buffer() {
    let odd = buffer(1, 2, [20, 40, 60]).flags(BufferFlags(0xFF9F));
    let bytes =
        file([buffer(0, 1, [10, 30, 50]), odd, buffer(0, 3, [70, 90, 110]), buffer(1, 4, [80, 100, 120])])
            .to_bytes();
    let (found, _) = read_damaged(&bytes);
    assert_eq!(found, twelve());
}

#[test]
fn a_buffer_is_found_and_merged_behind_bytes_that_belong_to_none() {
    for lost in [1, 8, 72, 100, 1000] {
        let whole = four_buffers().to_bytes();
        // So many bytes of the second buffer are not there, its header among them.
        let bytes = [&whole[..1024], &whole[1024 + lost..]].concat();
        let (found, damage) = read_damaged(&bytes);
        assert_eq!(found, without(&[1]), "{lost}: {damage:?}");
        assert_eq!(damage.len(), 1, "{lost}");
    }
}

#[test]
fn both_readers_find_the_same_in_files_with_every_kind_of_damage() {
    let harms = [
        Harm::CutAt(3000),
        Harm::ZeroBuffer(2),
        Harm::SwapBuffers(1, 3),
        Harm::RemoveBuffer(3),
        Harm::Overwrite { buffer: 2, at: 0, bytes: vec![0x48, 0, 0, 0] },
        Harm::Overwrite { buffer: 2, at: 0x30, bytes: vec![0xFF; 4] },
        Harm::Overwrite { buffer: 3, at: 80, bytes: vec![0; 512] },
        Harm::AppendZeros(5000),
        Harm::Append(vec![0x5A; 777]),
    ];
    for first in &harms {
        for second in &harms {
            let bytes = four_buffers().damage(first.clone()).damage(second.clone()).to_bytes();
            let options = ReadOptions::new().allow_missing_header(true);
            let mut reader = options.open(&bytes[..]).expect("a trace");
            let mut expected = Vec::new();
            while let Some(buffer) = reader.next_buffer().expect("readable") {
                for event in buffer.events().filter_map(Result::ok) {
                    if event.hook_id().is_none() {
                        expected.push(event.time_stamp().expect("stamped").get() - T0);
                    }
                }
            }
            expected.sort_unstable();
            let mut file = open(&bytes);
            let found: Vec<_> = events(&mut file).into_iter().map(|event| event.1).collect();
            assert_eq!(found, expected, "{first:?}, {second:?}");
            let accounting = assert_complete(&file);
            assert_eq!(accounting.unwritten_tail, reader.unwritten_tail());
            assert_eq!(accounting.skipped, reader.skipped_bytes());
        }
    }
}

#[test]
fn a_header_buffer_of_another_length_than_the_others_is_no_damage() {
    let header = four_buffers().header_buffer().buffer_size(4096);
    let bytes = four_buffers().header(header).to_bytes();
    assert_eq!(bytes.len(), 4096 + 4 * 1024);
    assert_eq!(read(&bytes), twelve());
}

#[test]
fn a_buffer_without_records_is_passed_over() {
    let bytes = file([
        buffer(0, 1, [10]),
        BufferSpec::new(SIZE).sequence_number(2).time_stamp(T0 + 5),
        BufferSpec::new(SIZE).sequence_number(3).processor(1).event(&event(5)).time_stamp(T0 + 6),
    ])
    .to_bytes();
    assert_eq!(read(&bytes), [(1, 5), (0, 10)]);
}
