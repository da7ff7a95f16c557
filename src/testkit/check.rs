//! What holds for any bytes: the bodies of the fuzz targets, which plain tests run over traces and their mutations.
//!
//! Each panics if something does not hold, which is how a fuzzer and a test learn of it.
#![allow(clippy::panic, reason = "this is test code, although it lives in the library")]

use alloc::vec;
use alloc::vec::Vec;

use crate::buffer::{BufferHeader, BufferView, Layout, RecordDamageKind};
use crate::codec::{Format, decompress};
use crate::file::{Damage, DamageKind, EtlFile, FileOptions, FileOrder, ReadOptions};
use crate::limits::Limits;
use crate::stream::{Outcome, Step};
use crate::time::{FileTime, Ticks};
use crate::trace::{Event, Expander, LogFileHeader, SessionInfo, TraceBuffer};

/// Records lie in order inside the valid bytes, damage lies between them, and every getter returns.
pub fn buffer(bytes: &[u8]) {
    for layout in [Layout::Windows2000, Layout::WindowsXp, Layout::Server2003, Layout::Modern] {
        if let Ok(view) = BufferView::parse_cut(bytes, layout) {
            records(view);
        }
        let _ = Expander::new(None, &Limits::default()).view(bytes, layout).map(records);
    }
}

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

/// How much a file has looked at so far besides the headers of good buffers, in bytes.
#[must_use]
pub const fn work(file: &EtlFile<'_>) -> u64 {
    file.work()
}

/// Any input ends in a count or an error, and a shorter output is a prefix of a longer one.
pub fn codec(bytes: &[u8]) {
    for format in Format::ALL {
        let (mut long, mut short) = (vec![0; 70_000], vec![0; 100]);
        let (whole, prefix) = (decompress(format, bytes, &mut long), decompress(format, bytes, &mut short));
        if let (Ok(whole), Ok(prefix)) = (whole, prefix) {
            assert_eq!(prefix, whole.min(short.len()), "{format}");
            assert_eq!(long.get(..prefix), short.get(..prefix), "{format}");
        }
    }
}

fn records(view: BufferView<'_>) {
    let session = SessionInfo::unknown();
    let buffer = TraceBuffer::new(view, session);
    let valid = view.valid_bytes().len();
    let mut end = BufferHeader::LEN;
    let mut searched = false;
    for event in buffer.events() {
        let (start, len) = match event {
            Ok(event) => {
                getters(&event);
                let _ = LogFileHeader::parse(&event.record())
                    .map(|header| header.clock().to_file_time(header.time_stamp));
                (event.record().offset().get(), event.record().bytes().len())
            }
            Err(damage) if damage.kind == RecordDamageKind::ExtendedItems => continue,
            Err(damage) => {
                let search = damage.kind == RecordDamageKind::Resynchronised;
                assert!(!(search && searched), "after a search the rest is good, so one is enough");
                searched |= search;
                (damage.at.get(), usize::try_from(damage.len).unwrap_or(usize::MAX))
            }
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        assert!(start >= end && start % 8 == 0, "{start} follows {end}");
        end = start.saturating_add(len);
        assert!(end <= valid && len > 0, "{start} and {len} bytes in a buffer of {valid}");
    }
}

fn getters(event: &Event<'_>) {
    let payload = event.user_data().len();
    assert!(payload <= event.record().bytes().len());
    assert!(event.extended_data().count() <= event.record().bytes().len());
    let _ = (event.time().map(FileTime::is_rfc3339), event.provider_id(), event.id(), event.version());
    let _ =
        (event.opcode(), event.level(), event.task(), event.keyword(), event.flags(), event.pointer_size());
    let _ =
        (event.process_id(), event.thread_id(), event.cpu_time(), event.channel(), event.event_property());
    let _ = (event.activity_id(), event.related_activity_id());
    for item in event.extended_data() {
        let _ = (item.guid(), item.sid(), item.number(), item.instance_info());
        let _ = item.stack().map(|stack| stack.frames().count());
    }
}
