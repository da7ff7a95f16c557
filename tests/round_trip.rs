//! What the writer writes, the reader reads: for every kind of record with any values, for buffers, and for files; and what
//! becomes of them when bytes are missing or wrong.
#![cfg(feature = "write")]
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "round_trip/damage.rs"]
mod damage;
#[path = "round_trip/files.rs"]
mod files;
#[path = "round_trip/records.rs"]
mod records;
#[path = "round_trip/specs.rs"]
mod specs;

use etweir::buffer::{BufferView, Layout, RecordDamageKind};
use etweir::trace::{SessionInfo, TraceBuffer};
use etweir::write::{BufferSpec, RecordSpec};
use proptest::test_runner::Config;

/// As many cases as a default run of a few seconds takes.
pub(crate) fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}

/// A buffer with these records, without filler.
pub(crate) fn buffer_of(records: &[RecordSpec]) -> BufferSpec {
    let buffer = records.iter().fold(BufferSpec::new(0), BufferSpec::record);
    let size = u32::try_from(buffer.end()).expect("small");
    buffer.buffer_size(size).without_filler()
}

/// The walk over a buffer, with everything asked of every record that can be asked; the bytes of the records with their
/// places, and the damage.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Walk {
    pub(crate) records: Vec<(usize, Vec<u8>)>,
    pub(crate) damage: Vec<(RecordDamageKind, usize, usize)>,
}

/// Walks, and checks that what is yielded covers the valid bytes without a gap up to the end or to a marker of unused space.
pub(crate) fn walk(view: BufferView<'_>) -> Walk {
    let valid = view.valid_bytes();
    let mut walk = Walk { records: Vec::new(), damage: Vec::new() };
    let mut at = 0x48;
    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    for step in buffer.events() {
        match step {
            Ok(event) => {
                let record = event.record();
                let offset = usize::try_from(record.offset().get()).unwrap();
                assert_eq!(offset, at, "a record starts where the last step ended");
                assert_eq!(record.bytes(), &valid[offset..offset + record.bytes().len()]);
                assert!(record.bytes().len() >= 8);
                assert!(record.bytes().ends_with(event.user_data()), "the payload is the end of its record");
                ask_everything(&event);
                at = (offset + record.bytes().len()).next_multiple_of(8);
                walk.records.push((offset, record.bytes().to_vec()));
            }
            Err(damage) => {
                assert!(!damage.to_string().is_empty() && !damage.cause.to_string().is_empty());
                let (start, len) =
                    (usize::try_from(damage.at.get()).unwrap(), usize::try_from(damage.len).unwrap());
                if damage.kind == RecordDamageKind::ExtendedItems {
                    assert_eq!(Some(start), walk.records.last().map(|(offset, _)| *offset));
                    assert_eq!(len, 0);
                } else {
                    assert_eq!(start, at, "damage starts where the last step ended");
                    assert!(len > 0 && start + len <= valid.len());
                    at = start + len;
                }
                walk.damage.push((damage.kind, start, len));
            }
        }
    }
    let unused = |marker: &[u8]| marker == [0; 4] || marker == [0xFF; 4];
    assert!(
        at >= valid.len() || valid.get(at..at + 4).is_some_and(unused),
        "the walk ended early at {at:#x}"
    );
    walk
}

fn ask_everything(event: &etweir::trace::Event<'_>) {
    assert!(!format!("{event:?}").is_empty());
    let _ = (event.time(), event.keyword(), event.task(), event.channel(), event.level(), event.cpu_time());
    let _ = (event.activity_id(), event.related_activity_id(), event.flags(), event.pointer_size());
    let _ = (event.hook_id(), event.event_property(), event.record().damage());
    for item in event.extended_data() {
        let _ = (item.guid(), item.number(), item.instance_info());
        let _ = item.sid().map(|sid| sid.to_string());
        let _ = item.stack().map(|stack| stack.frames().count());
    }
    if let Some(message) = event.record().message() {
        let _ = (message.sequence(), message.component_id(), message.message_guid(), message.time_stamp());
        let _ = (message.thread_and_process(), message.pointer_size(), message.message_number());
    }
}

/// The walk over a whole buffer of today's layout.
pub(crate) fn walk_bytes(bytes: &[u8]) -> Walk {
    walk(BufferView::parse_with(bytes, Layout::Modern).expect("a whole buffer"))
}

/// Where the records of a buffer lie, and their bytes, from their specifications alone.
pub(crate) fn expected(records: &[RecordSpec]) -> Vec<(usize, Vec<u8>)> {
    let mut at = 0x48_usize;
    let place = |record: &RecordSpec| {
        let bytes = record.to_bytes().expect("short enough");
        let start = at;
        at = (at + bytes.len()).next_multiple_of(8);
        (start, bytes)
    };
    records.iter().map(place).collect()
}
