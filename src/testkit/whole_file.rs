//! What holds for any file: every way to read it finds the same, and every byte is accounted for.
#![allow(clippy::panic, reason = "this is test code, although it lives in the library")]

use alloc::vec::Vec;

use crate::decode::Decoder;
use crate::file::{Damage, DamageKind, EtlFile, FileOptions, FileOrder, ReadOptions};
use crate::limits::Limits;
use crate::stream::{Outcome, Step};
use crate::testkit::check::{decoded, getters};
use crate::time::Ticks;
use crate::trace::Event;

/// A file is walked to its end whatever it holds, and every byte is delivered, skipped or unwritten. Read whole, it has the
/// same buffers with the same records and the same damage, in either order, and its accounting is complete.
pub fn file(bytes: &[u8]) {
    let limits = Limits { damage_entries: usize::MAX, ..Limits::default() };
    let options = ReadOptions::new().allow_missing_header(true).limits(limits.clone());
    let whole = FileOptions::new().allow_missing_header(true).limits(limits);
    let Ok(mut reader) = options.open(bytes) else {
        assert!(whole.from_bytes(bytes).is_err(), "one way to read it is as good as the other");
        return;
    };
    let mut decoder = Decoder::new();
    let (mut delivered, mut end, mut buffers) = (0_u64, 0, 0_u64);
    let mut records = Vec::new();
    let mut damage = Vec::new();
    while let Ok(Some(buffer)) = reader.next_buffer() {
        let start = buffer.offset().get();
        assert!(start >= end, "a buffer at {start} begins before {end}, the end of the one before");
        end = start.saturating_add(buffer.stored_bytes());
        delivered = delivered.saturating_add(buffer.stored_bytes());
        buffers = buffers.saturating_add(1);
        for event in buffer.events() {
            match event {
                Ok(event) => {
                    getters(&event);
                    decoded(&mut decoder, &event);
                    records.push(Found::new(start, &event));
                }
                Err(error) => {
                    let error = Damage::in_buffer(&buffer, error);
                    assert!(
                        error.at.get() >= start && error.at.get() <= end,
                        "{error:?} lies outside {start}..{end}"
                    );
                    damage.push(error);
                }
            }
        }
    }
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    assert_eq!(reader.offset().get(), len, "the walk ends at the end");
    let accounted = delivered.saturating_add(reader.skipped_bytes()).saturating_add(reader.unwritten_tail());
    assert_eq!(accounted, len, "every byte is delivered, skipped or unwritten");
    damage.extend_from_slice(reader.damage().entries());
    damage.sort_by_key(place_of);
    for order in [FileOrder::File, FileOrder::Time] {
        let file = whole.clone().order(order).from_bytes(bytes);
        let Ok(mut file) = file else { panic!("the header was good before") };
        assert_eq!(whole_file(&mut file, order, &mut records), buffers, "{order:?}: as many buffers");
        let mut found = file.damage().entries().to_vec();
        found.sort_by_key(place_of);
        // Which format a cause tells of depends on the ones that fitted before.
        let same = found.iter().map(place_of).eq(damage.iter().map(place_of));
        assert!(same, "{order:?}: {found:?} is not {damage:?}");
        let accounting = file.accounting();
        assert_eq!((accounting.total(), accounting.unread), (len, 0), "{order:?}: {accounting:?}");
        assert_eq!(accounting.skipped, reader.skipped_bytes(), "{order:?}: {accounting:?}");
        assert_eq!(accounting.unwritten_tail, reader.unwritten_tail(), "{order:?}: {accounting:?}");
    }
}

/// How much a file has looked at so far besides the headers of good buffers, in bytes.
#[must_use]
pub const fn work(file: &EtlFile<'_>) -> u64 {
    file.work()
}

/// Whether a file has these records, and how many buffers. Afterwards they are in the order of their places.
fn whole_file(file: &mut EtlFile<'_>, order: FileOrder, records: &mut [Found]) -> u64 {
    let mut found = Vec::new();
    loop {
        match file.advance() {
            Ok(Step::Event(event, delivery)) => {
                found.push(Found::new(delivery.buffer().offset().get(), &event));
            }
            Ok(Step::Buffer(_)) => {}
            Ok(Step::NeedInput { .. }) => panic!("a file never waits for input"),
            Ok(Step::End(outcome)) => {
                assert_eq!(outcome, Outcome::Finished);
                break;
            }
            Err(error) => panic!("memory is readable: {error}"),
        }
    }
    if order == FileOrder::Time {
        found.sort();
        records.sort();
    }
    let differs = found.iter().zip(records.iter()).find(|(found, record)| found != record);
    assert!(differs.is_none(), "{order:?}: {differs:?}");
    assert_eq!(found.len(), records.len(), "{order:?}: as many records");
    file.stats().buffers_retired
}

/// A record that was delivered: its buffer, its place in it, its length and its stamp.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Found {
    buffer: u64,
    at: u64,
    len: usize,
    stamp: Option<i64>,
}

impl Found {
    fn new(buffer: u64, event: &Event<'_>) -> Self {
        let record = event.record();
        let stamp = event.time_stamp().map(Ticks::get);
        Self { buffer, at: record.offset().get(), len: record.bytes().len(), stamp }
    }
}

fn place_of(damage: &Damage) -> (u64, DamageKind, u64) {
    (damage.at.get(), damage.kind, damage.len)
}
