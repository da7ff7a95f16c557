//! Time limits, and what is read of a file for them.

use core::sync::atomic::Ordering;

use etweir::codec::Format;
use etweir::file::FileOrder;
use etweir::write::{Damage as Harm, FileSpec};
use etweir::{Error, EtlFile, FileOptions, FileTime};
use proptest::prelude::*;

use crate::support::{Counted, SIZE, Seen, assert_complete, buffer, events, file, time};

/// A hundred buffers of two processors, of ten events each: one in each time from 0 to 999.
fn hundred_buffers() -> FileSpec {
    file((0..100_i64).map(|number| {
        let first = number / 2 * 20 + number % 2;
        buffer(number as u16 % 2, number + 1, (0..10).map(|event| first + event * 2))
    }))
}

fn within(bytes: &[u8], start: Option<i64>, end: Option<i64>) -> (Vec<Seen>, u64) {
    let mut file = EtlFile::from_bytes(bytes).expect("a trace");
    file.restart(start.map(time), end.map(time));
    let events = events(&mut file);
    let accounting = assert_complete(&file);
    assert!(file.damage().is_empty());
    (events, accounting.outside_limits)
}

fn expected(times: core::ops::RangeInclusive<i64>) -> Vec<Seen> {
    times.map(|time| (time as u16 % 2, time)).collect()
}

#[test]
fn both_ends_of_the_limits_belong_to_them() {
    let bytes = hundred_buffers().to_bytes();
    assert_eq!(within(&bytes, None, None).0, expected(0..=999));
    assert_eq!(within(&bytes, Some(500), Some(505)).0, expected(500..=505));
    assert_eq!(within(&bytes, Some(999), None).0, expected(999..=999));
    assert_eq!(within(&bytes, None, Some(0)).0, expected(0..=0));
    assert_eq!(within(&bytes, Some(7), Some(7)).0, expected(7..=7));
    assert_eq!(within(&bytes, Some(1000), None).0, []);
    assert_eq!(within(&bytes, None, Some(-1)).0, []);
}

#[test]
fn the_header_is_delivered_whatever_the_limits() {
    let bytes = hundred_buffers().to_bytes();
    let options = FileOptions::new().start_time(time(500)).end_time(time(500));
    let mut file = options.from_bytes(&bytes).expect("a trace");
    assert_eq!(file.next_event().expect("readable").expect("the header").hook_id(), Some(0));
    assert_eq!(file.next_event().expect("readable").expect("an event").id(), 500);
    assert!(file.next_event().expect("readable").is_none());
}

#[test]
fn limits_the_wrong_way_round_are_refused() {
    let bytes = hundred_buffers().to_bytes();
    let options = FileOptions::new().start_time(FileTime(20)).end_time(FileTime(19));
    let mut file = options.from_bytes(&bytes).expect("a trace");
    for _ in 0..2 {
        assert!(matches!(
            file.next_event(),
            Err(Error::InvalidTime { start: FileTime(20), end: FileTime(19) })
        ));
    }
    file.restart(None, None);
    assert_eq!(events(&mut file).len(), 1000);
}

#[test]
fn buffers_outside_of_the_limits_are_not_read() {
    for (spec, headers) in [
        // 128 bytes of each buffer make the index, 392 of one that is compressed.
        (hundred_buffers(), 128),
        (hundred_buffers().compressed(Format::Xpress), 392),
    ] {
        let bytes = spec.to_bytes();
        let len = bytes.len() as u64;
        let (source, read) = Counted::new(bytes.clone());
        let mut file = EtlFile::from_reader(source).expect("a trace");
        // The header buffer, the zeros that could be a tail, and what is read to find the first buffers.
        let opened = read.load(Ordering::Relaxed);
        assert!(opened <= 6 * u64::from(SIZE) + 70_000, "{opened}");
        assert_eq!(file.index().expect("readable"), 101);
        let index = read.load(Ordering::Relaxed) - opened;
        assert!(index <= 101 * headers, "{index} bytes");

        // The buffer that ends at 499 was flushed at 500, so all that is known of it is that nothing in it is later.
        file.restart(Some(time(501)), Some(time(518)));
        let before = read.load(Ordering::Relaxed);
        assert_eq!(events(&mut file), expected(501..=518));
        let window = read.load(Ordering::Relaxed) - before;
        // The two buffers with these events, and that of the header.
        assert!(window <= 3 * u64::from(SIZE), "{window} of {len}");
        let accounting = assert_complete(&file);
        assert!(accounting.outside_limits > 0);
        assert_eq!(file.stats().buffers_received, 3);
    }
}

#[test]
fn limits_hold_in_the_order_of_the_file_too() {
    let bytes = hundred_buffers().to_bytes();
    for threads in [0, 1] {
        let options = FileOptions::new().order(FileOrder::File).threads(threads);
        let mut file = options.start_time(time(18)).end_time(time(21)).from_bytes(&bytes).expect("a trace");
        assert_eq!(events(&mut file), [(0, 18), (1, 19), (0, 20), (1, 21)]);
        assert_complete(&file);
    }
}

#[test]
fn a_file_is_read_again_within_other_limits_without_another_index() {
    let (source, read) = Counted::new(hundred_buffers().to_bytes());
    let mut file = EtlFile::from_reader(source).expect("a trace");
    file.index().expect("readable");
    for start in [900, 0, 400] {
        let before = read.load(Ordering::Relaxed);
        file.restart(Some(time(start)), Some(time(start + 19)));
        assert_eq!(events(&mut file), expected(start..=start + 19));
        assert!(read.load(Ordering::Relaxed) - before <= 3 * u64::from(SIZE));
        assert_complete(&file);
    }
}

#[test]
fn an_event_later_than_the_flush_of_its_buffer_is_found_inside_limits_before_that() {
    // What stamps say that no clock gives is not believed; what the flush time says is.
    let wild = buffer(0, 1, [10, 1 << 40, 30]).time_stamp(crate::support::T0 + 40);
    let bytes = file([wild, buffer(1, 2, [20, 50])]).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    file.restart(Some(time(25)), Some(time(45)));
    assert_eq!(events(&mut file), [(0, 30)]);
    file.restart(Some(time(1 << 39)), None);
    assert_eq!(events(&mut file), [], "its buffer was flushed long before");
}

#[test]
fn limits_mean_nothing_where_the_clock_is_not_known() {
    let bytes = hundred_buffers().damage(Harm::RemoveBuffer(0)).to_bytes();
    let options = FileOptions::new().allow_missing_header(true).start_time(time(500));
    let mut file = options.from_bytes(&bytes).expect("a trace");
    let found = events(&mut file);
    assert_eq!(found.len(), 1000, "events without a time of day are not held back");
    assert_eq!(assert_complete(&file).outside_limits, 0);
}

proptest! {
    #[test]
    fn limits_leave_out_what_lies_outside_and_nothing_else(start in -5..1010_i64, len in 0..300_i64, compressed: bool) {
        let spec = hundred_buffers();
        let bytes = if compressed { spec.compressed(Format::Lznt1).to_bytes() } else { spec.to_bytes() };
        let (found, outside) = within(&bytes, Some(start), Some(start + len));
        prop_assert_eq!(found, expected(start.max(0)..=(start + len).min(999)));
        prop_assert!(outside > 0);
    }
}
