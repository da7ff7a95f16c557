//! Events come in the order of time, in the memory of one buffer for each processor.

use etweir::codec::Format;
use etweir::file::FileOrder;
use etweir::stream::Step;
use etweir::write::{BufferSpec, Damage as Harm, MessageSpec};
use etweir::{EtlFile, FileOptions, Limits};
use proptest::prelude::*;

use crate::support::{T0, assert_complete, buffer, event, events, file, open, read};

#[test]
fn events_of_several_processors_are_merged_by_time() {
    let bytes = file([
        buffer(0, 1, [10, 40, 50]),
        buffer(1, 2, [20, 30, 60]),
        buffer(0, 3, [70, 100]),
        buffer(1, 4, [80, 90]),
    ])
    .to_bytes();
    let expected =
        [(0, 10), (1, 20), (1, 30), (0, 40), (0, 50), (1, 60), (0, 70), (1, 80), (1, 90), (0, 100)];
    assert_eq!(read(&bytes), expected);
}

#[test]
fn the_order_of_the_file_is_buffer_by_buffer() {
    let bytes = file([buffer(0, 1, [10, 40]), buffer(1, 2, [20, 30]), buffer(0, 3, [50])]).to_bytes();
    for threads in [0, 2] {
        let options = FileOptions::new().order(FileOrder::File).threads(threads);
        let mut file = options.from_bytes(&bytes).expect("a trace");
        assert_eq!(events(&mut file), [(0, 10), (0, 40), (1, 20), (1, 30), (0, 50)]);
        assert_complete(&file);
    }
}

#[test]
fn events_of_equal_time_come_in_the_order_of_their_buffers_in_the_file() {
    let bytes =
        file([buffer(2, 1, [10, 20, 20]), buffer(1, 2, [10, 20]), buffer(0, 3, [10, 10, 20])]).to_bytes();
    let expected = [(2, 10), (1, 10), (0, 10), (0, 10), (2, 20), (2, 20), (1, 20), (0, 20)];
    assert_eq!(read(&bytes), expected);
}

#[test]
fn buffers_that_changed_places_count_as_lying_in_the_order_of_their_numbers() {
    // By place, the buffer of processor 1 would come before the first of processor 0.
    let in_order = file([buffer(0, 1, [10, 20]), buffer(1, 2, [20, 20]), buffer(0, 3, [20, 20, 30])]);
    let swapped = in_order.clone().damage(Harm::SwapBuffers(1, 3));
    let expected = [(0, 10), (0, 20), (1, 20), (1, 20), (0, 20), (0, 20), (0, 30)];
    assert_eq!(read(&in_order.to_bytes()), expected);
    assert_eq!(read(&swapped.to_bytes()), expected);
}

#[test]
fn buffers_of_one_processor_that_overlap_are_merged_as_those_of_several_are() {
    let bytes = file([
        buffer(0, 1, [10, 50, 90]),
        buffer(0, 2, [20, 60]),
        buffer(0, 3, [30, 40]),
        buffer(1, 4, [35, 55]),
    ])
    .to_bytes();
    let expected = [(0, 10), (0, 20), (0, 30), (1, 35), (0, 40), (0, 50), (1, 55), (0, 60), (0, 90)];
    assert_eq!(read(&bytes), expected);
}

#[test]
fn a_time_that_goes_back_inside_a_buffer_is_left_alone() {
    let bytes = file([buffer(0, 1, [10, 50, 20, 60]), buffer(1, 2, [15, 30, 55])]).to_bytes();
    let expected = [(0, 10), (1, 15), (1, 30), (0, 50), (0, 20), (1, 55), (0, 60)];
    assert_eq!(read(&bytes), expected);
}

#[test]
fn a_stamp_in_the_future_delays_nothing_past_the_flush_of_its_buffer() {
    let wild = BufferSpec::new(1024)
        .sequence_number(1)
        .event(&event(10))
        .event(&event(1 << 50))
        .event(&event(30))
        .time_stamp(T0 + 40);
    let bytes = file([wild, buffer(1, 2, [20, 50, 60])]).to_bytes();
    assert_eq!(read(&bytes), [(0, 10), (1, 20), (0, 1 << 50), (0, 30), (1, 50), (1, 60)]);
}

#[test]
fn a_first_stamp_in_the_future_does_not_delay_its_buffer() {
    let wild =
        BufferSpec::new(1024).sequence_number(1).event(&event(1 << 50)).event(&event(30)).time_stamp(T0 + 40);
    let bytes = file([buffer(1, 2, [20, 50, 60]), wild]).to_bytes();
    let found = read(&bytes);
    assert_eq!(found, [(1, 20), (0, 1 << 50), (0, 30), (1, 50), (1, 60)]);
}

#[test]
fn records_without_a_stamp_stay_behind_their_predecessors() {
    let message = MessageSpec { time_stamp: None, ..MessageSpec::default() };
    let late = BufferSpec::new(1024)
        .sequence_number(1)
        .message(&message)
        .event(&event(30))
        .message(&message)
        .time_stamp(T0 + 60);
    let bytes = file([late, buffer(1, 2, [20, 40])]).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let mut kinds = Vec::new();
    while let Some(event) = file.next_event().expect("readable") {
        kinds.push((event.processor_index(), event.kind().name()));
    }
    let expected =
        [(0, "system64"), (1, "event64"), (0, "message"), (0, "event64"), (0, "message"), (1, "event64")];
    assert_eq!(kinds, expected);
}

/// The most that was held at a time while a file was read, in buffers and in bytes, and how many events there were.
fn most_held(file: &mut EtlFile<'_>) -> (u64, u64, u64) {
    let mut most = (0, 0, 0);
    loop {
        match file.advance().expect("readable") {
            Step::Event(_, delivery) => {
                let stats = delivery.stats();
                most = (most.0.max(stats.buffers_held), most.1.max(stats.bytes_held), stats.events_delivered);
            }
            Step::Buffer(_) => {}
            Step::NeedInput { .. } | Step::End(_) => return most,
        }
    }
}

#[test]
fn one_buffer_of_each_processor_is_held_whatever_the_length_of_the_file() {
    for processors in [1, 4, 7] {
        let buffers = (0..400_i64).map(|number| {
            let processor = u16::try_from(number % processors).expect("small");
            buffer(processor, number + 1, (0..5).map(|event| number * 10 + event * processors * 2))
        });
        let bytes = file(buffers).to_bytes();
        let (buffers, _, events) = most_held(&mut EtlFile::from_bytes(&bytes).expect("a trace"));
        assert_eq!(events, 1 + 400 * 5);
        assert!(buffers <= processors as u64 + 1, "{buffers} of {processors} processors");
    }
}

#[test]
fn a_processor_that_speaks_twice_among_tens_of_thousands_of_buffers_holds_up_no_memory() {
    let busy = (0..30_000_i64).map(|number| buffer(0, number + 2, [number * 10 + 5]));
    // Its one buffer was filled all the time and written at the end.
    let silent = buffer(1, 1, [1, 299_999]);
    let bytes = file(busy.chain([silent])).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let (buffers, held, events) = most_held(&mut file);
    assert_eq!((file.stats().events_late, events), (0, 30_003));
    assert!(buffers <= 3 && held <= 3 * 1024, "{buffers} buffers, {held} bytes");
}

#[test]
fn equal_stamps_everywhere_hold_one_buffer_at_a_time() {
    let bytes = file((0..1000).map(|number| buffer(number % 5, number as i64 + 1, [7; 3]))).to_bytes();
    let (buffers, _, events) = most_held(&mut EtlFile::from_bytes(&bytes).expect("a trace"));
    assert_eq!(events, 3001);
    assert!(buffers <= 2, "{buffers} buffers");
}

#[test]
fn buffers_that_all_overlap_are_exact_up_to_the_memory_that_they_may_take() {
    let buffers = || (0..200_i64).map(|number| buffer(0, number + 1, [number, 10_000 + number]));
    let bytes = file(buffers()).to_bytes();
    let mut exact: Vec<_> = (0..200).chain(10_000..10_200).map(|time| (0, time)).collect();
    assert_eq!(read(&bytes), exact);

    let options = FileOptions::new().max_held_bytes(64 * 1024);
    let mut file = options.clone().from_bytes(&bytes).expect("a trace");
    let mut found = events(&mut file);
    let stats = file.stats();
    assert!(stats.pressure_releases > 0 && stats.events_late > 0, "{stats:?}");
    assert_complete(&file);
    found.sort_unstable();
    exact.sort_unstable();
    assert_eq!(found, exact, "events come late, none is lost");
    let (_, held, _) = most_held(&mut options.from_bytes(&bytes).expect("a trace"));
    assert!(held <= 66 * 1024, "{held} bytes");
}

#[test]
fn a_file_with_more_buffers_than_may_be_known_is_read_whole_and_says_what_came_late() {
    // Each processor's buffers lie up to ten buffers away from their time.
    let order = |number: i64| number ^ 7;
    let buffers =
        (0..512).map(|number| buffer(order(number) as u16 % 8, order(number) + 1, [order(number) * 10]));
    let bytes = file(buffers).to_bytes();
    let limits = |index_buffers| {
        let mut limits = Limits::default();
        limits.index_buffers = index_buffers;
        limits
    };
    for (known, is_exact) in [(1_000_000, true), (64, true), (4, false)] {
        let mut file = FileOptions::new().limits(limits(known)).from_bytes(&bytes).expect("a trace");
        let mut found = events(&mut file);
        assert_eq!(file.stats().events_late == 0, is_exact, "{known}: {:?}", file.stats());
        assert_eq!(found.is_sorted_by_key(|event| event.1), is_exact, "{known}");
        found.sort_by_key(|event| event.1);
        assert!(found.iter().map(|event| event.1).eq((0..512).map(|number| number * 10)), "{known}");
        assert_complete(&file);
        // Also a second time.
        file.restart(None, None);
        assert_eq!(events(&mut file).len(), 512);
        assert_complete(&file);
    }
}

#[test]
fn a_file_without_buffers_has_the_records_of_its_header() {
    let bytes = file([]).to_bytes();
    assert_eq!(read(&bytes), []);
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    assert_eq!(file.next_event().expect("readable").expect("the header").hook_id(), Some(0));
    assert!(file.next_event().expect("readable").is_none());
    assert!(file.next_event().expect("readable").is_none(), "the end stays the end");
}

#[test]
fn every_compression_and_every_number_of_threads_gives_the_same_order() {
    let buffers = || {
        (0..40_i64)
            .map(|number| buffer(number as u16 % 3, number + 1, (0..6).map(|event| number * 10 + event * 7)))
    };
    let plain = read(&file(buffers()).to_bytes());
    assert_eq!(plain.len(), 240);
    assert!(plain.is_sorted_by_key(|event| event.1));
    for format in Format::ALL {
        let bytes = file(buffers()).compressed(format).to_bytes();
        for threads in [0, 1, 3] {
            let mut file = FileOptions::new().threads(threads).from_bytes(&bytes).expect("a trace");
            assert_eq!(events(&mut file), plain, "{format}, {threads} threads");
            assert!(file.damage().is_empty());
            let accounting = assert_complete(&file);
            assert!(accounting.compressed > 0 && accounting.skipped == 0, "{accounting:?}");
        }
    }
}

#[test]
fn a_compressed_buffer_whose_length_hides_another_gives_that_away_when_it_is_read() {
    let buffers = || {
        (0..6_i64)
            .map(|number| buffer(number as u16 % 2, number + 1, (0..4).map(|event| number * 10 + event)))
    };
    let whole = file(buffers()).compressed(Format::Xpress);
    let bytes = whole.to_bytes();
    let starts = starts(&bytes);
    // The third buffer says that it reaches to the end of the fourth.
    let harm =
        Harm::Overwrite { buffer: 3, at: 0, bytes: ((starts[5] - starts[3]) as u32).to_le_bytes().to_vec() };
    let bytes = whole.damage(harm).to_bytes();
    let mut file = open(&bytes);
    let mut found = events(&mut file);
    found.sort_by_key(|event| event.1);
    let expected: Vec<_> = (0..6).flat_map(|number| (0..4).map(move |event| number * 10 + event)).collect();
    assert!(found.iter().map(|event| event.1).eq(expected), "{found:?}");
    assert_complete(&file);
    assert_eq!(file.damage().count(), 1, "{:?}", file.damage());
}

/// Where the buffers of a good file start, and where it ends.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    while let Some(size) = bytes.get(starts[starts.len() - 1]..).and_then(|rest| rest.first_chunk::<4>()) {
        starts.push(starts[starts.len() - 1] + u32::from_le_bytes(*size) as usize);
    }
    starts
}

proptest! {
    #[test]
    fn any_buffers_come_out_sorted_by_time_and_then_by_place(
        buffers in prop::collection::vec((0..4_u16, prop::collection::vec(0..60_i64, 0..6)), 0..25),
        compressed: bool, threads in 0..3_usize,
    ) {
        let mut numbered = Vec::new();
        for (number, (processor, times)) in buffers.into_iter().enumerate() {
            let mut times = times;
            times.sort_unstable();
            numbered.push((processor, number, times));
        }
        let mut expected: Vec<(i64, usize, u16)> = numbered.iter()
            .flat_map(|(processor, number, times)| times.iter().map(move |time| (*time, *number, *processor)))
            .collect();
        expected.sort_by_key(|(time, number, _)| (*time, *number));
        let expected: Vec<_> = expected.into_iter().map(|(time, _, processor)| (processor, time)).collect();
        let spec = file(numbered.into_iter().map(|(processor, number, times)| buffer(processor, number as i64 + 1, times)));
        let bytes = if compressed { spec.compressed(Format::Xpress).to_bytes() } else { spec.to_bytes() };
        let mut file = FileOptions::new().threads(threads).from_bytes(&bytes).expect("a trace");
        prop_assert_eq!(events(&mut file), expected);
        prop_assert_eq!(file.accounting().unread, 0);
    }
}
