//! Several files as one trace.

use core::ops::ControlFlow;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use etweir::codec::Format;
use etweir::file::MergedBy;
use etweir::stream::{Outcome, Step};
use etweir::trace::{ClockType, LogFileMode};
use etweir::write::{BufferSpec, Damage as Harm, FileSpec, LogFileSpec};
use etweir::{Error, EtlFile, EtlFiles, FileOptions, FileTime, Ticks};
use proptest::prelude::*;

use crate::support::{T0, assert_complete, buffer, log_file, time};

fn files<'a>(all: &[&'a [u8]]) -> EtlFiles<'a> {
    let open = |bytes: &&'a [u8]| FileOptions::new().allow_missing_header(true).from_bytes(bytes);
    EtlFiles::new(all.iter().map(open).collect::<Result<_, _>>().expect("traces")).expect("no threads")
}

/// The number of each event's file and its time, counted from [`T0`], but for the events of headers, which come first.
fn events(files: &mut EtlFiles<'_>) -> Vec<(usize, i64)> {
    let mut events = Vec::new();
    while let Some((file, event)) = files.next_event().expect("readable") {
        if event.hook_id() == Some(0) {
            assert!(events.is_empty(), "headers come first");
        } else {
            events.push((file, event.time_stamp().expect("stamped").get() - T0));
        }
    }
    events
}

fn of(header: LogFileSpec, buffers: impl IntoIterator<Item = BufferSpec>) -> Vec<u8> {
    FileSpec::new(header).buffers(buffers).to_bytes()
}

#[test]
fn the_user_and_the_kernel_part_of_a_recording_are_merged_by_their_ticks() {
    // The anchors differ, since one session started later; the counter is the same.
    let kernel = of(log_file(), [buffer(0, 1, [10, 40, 50]), buffer(1, 2, [20, 70])]);
    let later = LogFileSpec { time_stamp: Ticks(T0 + 5), start_time: FileTime(time(5).get()), ..log_file() };
    let user = of(later, [buffer(0, 1, [30, 40]), buffer(1, 2, [15, 60, 80])]);
    let mut pair = files(&[&kernel, &user]);
    assert_eq!(pair.merged_by(), MergedBy::Ticks);
    let expected = [(0, 10), (1, 15), (0, 20), (1, 30), (0, 40), (1, 40), (0, 50), (1, 60), (0, 70), (1, 80)];
    assert_eq!(events(&mut pair), expected);
    pair.files().iter().for_each(|file| {
        assert_complete(file);
    });
    assert_eq!(pair.stats().events_delivered, 12);
}

#[test]
fn files_of_different_clocks_are_merged_by_the_time_of_day() {
    let qpc = of(log_file(), [buffer(0, 1, [10, 30, 50])]);
    // The same counter since another boot: its ticks are smaller for a later time.
    let other_boot = LogFileSpec {
        boot_time: FileTime(7),
        time_stamp: Ticks(T0 - 1000),
        start_time: time(20),
        ..log_file()
    };
    let rebooted = of(other_boot, [buffer(0, 1, [-1000, -980, -965])]);
    // Stamps are the time of day.
    let start = LogFileSpec::default().start_time.get();
    let clock = LogFileSpec { clock_type: ClockType::SYSTEM_TIME, time_stamp: Ticks(start), ..log_file() };
    let day = of(clock, [buffer(0, 1, [start - T0 + 15, start - T0 + 45])]);
    let mut all = files(&[&qpc, &rebooted, &day]);
    assert_eq!(all.merged_by(), MergedBy::FileTime);
    let (mut order, mut times) = (Vec::new(), Vec::new());
    while let Some((file, event)) = all.next_event().expect("readable") {
        if event.hook_id() != Some(0) {
            order.push(file);
            times.push(event.time().expect("a time of day").get() - start);
        }
    }
    assert_eq!(times, [10, 15, 20, 30, 40, 45, 50, 55]);
    assert_eq!(order, [0, 2, 1, 0, 1, 2, 0, 1]);
}

#[test]
fn only_the_same_clock_of_the_same_boot_is_merged_by_ticks() {
    let merged_by = |a: LogFileSpec, b: LogFileSpec| {
        let [a, b] = [a, b].map(|header| of(header, [buffer(0, 1, [1])]));
        files(&[&a, &b]).merged_by()
    };
    let cycles = || LogFileSpec { clock_type: ClockType::CPU_CYCLES, ..log_file() };
    let day = || LogFileSpec { clock_type: ClockType::SYSTEM_TIME, boot_time: FileTime(0), ..log_file() };
    let boot = |header| LogFileSpec { boot_time: FileTime(1), ..header };
    assert_eq!(merged_by(log_file(), log_file()), MergedBy::Ticks);
    assert_eq!(merged_by(cycles(), cycles()), MergedBy::Ticks);
    assert_eq!(merged_by(day(), boot(day())), MergedBy::Ticks, "the time of day needs no boot");
    assert_eq!(merged_by(log_file(), cycles()), MergedBy::FileTime);
    assert_eq!(merged_by(log_file(), boot(log_file())), MergedBy::FileTime);
    assert_eq!(merged_by(cycles(), boot(cycles())), MergedBy::FileTime);
    assert_eq!(merged_by(log_file(), LogFileSpec { perf_freq: 2, ..log_file() }), MergedBy::FileTime);
    assert_eq!(merged_by(cycles(), LogFileSpec { cpu_speed_in_mhz: 9, ..cycles() }), MergedBy::FileTime);
    let unknown = || LogFileSpec { boot_time: FileTime(0), ..log_file() };
    assert_eq!(merged_by(unknown(), unknown()), MergedBy::FileTime, "nothing says that it is the same boot");
}

#[test]
fn the_files_of_a_series_are_one_trace_without_gaps() {
    // Every file has a header of its own; the numbers of the buffers go on.
    let part = |number: i64| {
        let header = LogFileSpec { log_file_mode: LogFileMode(0x0000_0008), ..log_file() };
        let first = number * 3 + 1;
        of(
            header,
            (first..first + 3)
                .map(|number| buffer(number as u16 % 2, number, [number * 10, number * 10 + 12])),
        )
    };
    let parts = [0, 1, 2].map(part);
    let mut series = files(&[&parts[0], &parts[1], &parts[2]]);
    let mut expected: Vec<_> = (1..=9)
        .flat_map(|number: i64| [0, 12].map(|more| ((number as usize - 1) / 3, number * 10 + more)))
        .collect();
    expected.sort_by_key(|event| event.1);
    assert_eq!(events(&mut series), expected);
    assert_eq!(series.stats().sequence_gaps, 0);
    // They need not be named in their order.
    let mut series = files(&[&parts[2], &parts[0], &parts[1]]);
    assert!(events(&mut series).into_iter().map(|event| event.1).eq(expected.iter().map(|event| event.1)));
}

#[test]
fn a_file_without_a_clock_comes_after_all_others() {
    let good = of(log_file(), [buffer(0, 1, [1000, 2000])]);
    let bad = FileSpec::new(log_file()).buffer(buffer(0, 1, [1, 2])).damage(Harm::RemoveBuffer(0)).to_bytes();
    assert_eq!(events(&mut files(&[&bad, &good])), [(1, 1000), (1, 2000), (0, 1), (0, 2)]);
    let other =
        FileSpec::new(log_file()).buffer(buffer(0, 1, [1, 3])).damage(Harm::RemoveBuffer(0)).to_bytes();
    let mut both = files(&[&bad, &other]);
    assert_eq!(both.merged_by(), MergedBy::Ticks);
    assert_eq!(events(&mut both), [(0, 1), (1, 1), (0, 2), (1, 3)]);
}

#[test]
fn limits_of_time_hold_for_all_files_and_a_run_can_start_over() {
    let first = of(log_file(), [buffer(0, 1, [10, 20]), buffer(1, 2, [30, 40])]);
    let second = of(log_file(), [buffer(0, 1, [15, 25, 35])]);
    let mut both = files(&[&first, &second]);
    both.restart(Some(time(20)), Some(time(30)));
    assert_eq!(events(&mut both), [(0, 20), (1, 25), (0, 30)]);
    both.restart(None, None);
    both.next_event().expect("readable").expect("an event");
    both.restart(None, Some(time(15)));
    assert_eq!(events(&mut both), [(0, 10), (1, 15)]);
    both.restart(Some(time(15)), Some(time(10)));
    assert!(matches!(both.next_event(), Err(Error::InvalidTime { .. })));
    both.restart(None, None);
    assert_eq!(events(&mut both).len(), 7);
}

#[test]
fn cancelling_ends_all_files_and_a_handler_can() {
    let first = of(log_file(), [buffer(0, 1, [10, 30])]);
    let second = of(log_file(), [buffer(0, 1, [20, 40])]);
    let mut both = files(&[&first, &second]);
    let mut seen = Vec::new();
    let summary = both
        .on_event(|event, delivery| {
            seen.push((delivery.buffer().file(), event.time_stamp().expect("stamped").get() - T0));
            if seen.len() == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .run()
        .expect("readable");
    assert_eq!(seen, [(0, 0), (1, 0), (0, 10), (1, 20)]);
    assert_eq!((summary.outcome, summary.stats.events_delivered), (Outcome::Cancelled, 4));
    both.restart(None, None);
    both.next_event().expect("readable").expect("an event");
    both.cancel();
    assert!(matches!(both.advance().expect("readable"), Step::End(Outcome::Cancelled)));
    assert!(both.next_event().expect("readable").is_none());
}

#[test]
fn callbacks_are_told_the_file_of_events_and_buffers_whatever_the_threads() {
    let data =
        |shift: i64| (0..30).map(move |number| buffer(number as u16 % 3, number + 1, [number * 10 + shift]));
    let first = FileSpec::new(log_file()).buffers(data(0)).compressed(Format::Xpress).to_bytes();
    let second = of(log_file(), data(5));
    for threads in [0, 1, 3] {
        let open = |bytes| FileOptions::new().threads(threads).from_bytes(bytes).expect("a trace");
        let mut both = EtlFiles::new(vec![open(&first), open(&second)]).expect("threads");
        let (mut seen, mut buffers) = (Vec::new(), [0, 0]);
        let summary = both
            .on_event(|event, delivery| {
                if event.hook_id() != Some(0) {
                    seen.push((delivery.buffer().file(), event.time_stamp().expect("stamped").get() - T0));
                }
                ControlFlow::Continue(())
            })
            .on_buffer(|buffer| {
                buffers[buffer.buffer().file()] += 1;
                ControlFlow::Continue(())
            })
            .run()
            .expect("readable");
        assert!(seen.iter().copied().eq((0..60).map(|number| (number as usize % 2, number * 5))));
        assert_eq!(buffers, [31, 31]);
        assert_eq!((summary.stats.buffers_retired, summary.stats.bytes_held), (62, 0));
        // Buffers alone pass through, file by file in their order.
        let mut offsets = [Vec::new(), Vec::new()];
        both.on_buffer(|buffer| {
            offsets[buffer.buffer().file()].extend_from_slice(buffer.bytes());
            ControlFlow::Continue(())
        })
        .run()
        .expect("readable");
        assert!(offsets[0] == first && offsets[1] == second);
    }
}

#[test]
fn no_files_are_an_empty_trace() {
    let mut none = EtlFiles::new(Vec::new()).expect("no threads");
    assert!(none.next_event().expect("readable").is_none());
    assert!(matches!(none.advance().expect("readable"), Step::End(Outcome::Finished)));
    assert_eq!(none.stats().events_delivered, 0);
}

/// A file that cannot be read from some place on.
struct Broken {
    bytes: Cursor<Vec<u8>>,
    from: u64,
}

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.bytes.position() + into.len() as u64 > self.from {
            true => Err(io::Error::other("a bad sector")),
            false => self.bytes.read(into),
        }
    }
}

impl Seek for Broken {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn a_file_that_cannot_be_read_ends_all_with_its_place() {
    let data = || (0..10).map(|number| buffer(0, number + 1, (0..10).map(move |event| number * 100 + event)));
    let good = of(log_file(), data());
    // The headers of its buffers can be read, the records of the last one not.
    let broken = Broken { bytes: Cursor::new(of(log_file(), data())), from: 10 * 1024 + 300 };
    let broken = EtlFile::from_reader(broken).expect("a trace");
    let mut both =
        EtlFiles::new(vec![EtlFile::from_bytes(&good).expect("a trace"), broken]).expect("no threads");
    let mut seen = 0;
    let error = loop {
        match both.next_event() {
            Ok(Some(_)) => seen += 1,
            Ok(None) => panic!("an error"),
            Err(error) => break error,
        }
    };
    assert!(seen > 180, "{seen}");
    assert!(matches!(&error, Error::Io { at, .. } if at.get() == 10 * 1024), "{error}");
    assert!(both.next_event().expect("over").is_none());
}

#[test]
fn paths_are_opened_in_their_order() {
    let mut both = EtlFiles::open(["fixtures/windows_11.etl", "fixtures/demo.etl"]).expect("traces");
    let mut count = [0, 0];
    let mut last = None;
    while let Some((file, event)) = both.next_event().expect("readable") {
        count[file] += 1;
        if event.hook_id() != Some(0) && event.time() < last {
            // Only the events of the headers come before all others.
            assert!(count[0] + count[1] < 20, "{:?} after {last:?}", event.time());
        }
        last = event.time();
    }
    assert!(count.iter().all(|count| *count > 12), "{count:?}");
    assert!(matches!(EtlFiles::open(["fixtures/demo.etl", "fixtures/none.etl"]), Err(Error::Io { .. })));
}

proptest! {
    #[test]
    fn any_files_of_one_clock_come_out_sorted_by_time_and_file(
        all in prop::collection::vec(
            prop::collection::vec((0..3_u16, prop::collection::vec(0..40_i64, 1..5)), 0..6), 1..5
        ),
    ) {
        let mut expected = Vec::new();
        let mut bytes = Vec::new();
        for (file, buffers) in all.into_iter().enumerate() {
            let mut specs = Vec::new();
            for (number, (processor, mut times)) in buffers.into_iter().enumerate() {
                times.sort_unstable();
                expected.extend(times.iter().map(|time| (file, *time)));
                specs.push(buffer(processor, number as i64 + 1, times));
            }
            bytes.push(of(log_file(), specs));
        }
        expected.sort_by_key(|(file, time)| (*time, *file));
        let slices: Vec<&[u8]> = bytes.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(events(&mut files(&slices)), expected);
    }
}
