//! Files to read, and what comes of them.

use core::sync::atomic::{AtomicU64, Ordering};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use etweir::file::Accounting;
use etweir::stream::{Outcome, Step};
use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec};
use etweir::{EtlFile, FileOptions, FileTime, Ticks};

/// Bytes in a buffer.
pub(crate) const SIZE: u32 = 1024;
/// The stamp of the log-file header.
pub(crate) const T0: i64 = 36_000_000_000;

/// A session of a few processors with buffers of [`SIZE`].
pub(crate) fn log_file() -> LogFileSpec {
    LogFileSpec { buffer_size: SIZE, ..LogFileSpec::default() }
}

/// A buffer of a processor with an event for each time, counted from [`T0`]. The id of an event is its time.
pub(crate) fn buffer(processor: u16, number: i64, times: impl IntoIterator<Item = i64>) -> BufferSpec {
    let mut last = 0;
    let buffer = times.into_iter().fold(
        BufferSpec::new(SIZE).processor(processor).sequence_number(number),
        |buffer, time| {
            last = last.max(time);
            buffer.event(&event(time))
        },
    );
    buffer.time_stamp(T0 + last + 1)
}

pub(crate) fn event(time: i64) -> EventSpec {
    EventSpec { id: (time & 0xFFFF) as u16, time_stamp: T0 + time, ..EventSpec::default() }
}

/// A file of the buffers.
pub(crate) fn file(buffers: impl IntoIterator<Item = BufferSpec>) -> FileSpec {
    FileSpec::new(log_file()).buffers(buffers)
}

/// An event that was delivered: its processor and its time, counted from [`T0`].
pub(crate) type Seen = (u16, i64);

/// The events of a file but for those of its header buffer.
pub(crate) fn events(file: &mut EtlFile<'_>) -> Vec<Seen> {
    let mut events = Vec::new();
    loop {
        match file.advance().expect("readable") {
            Step::Event(event, delivery) => {
                if delivery.buffer_id().0 > 0 || event.hook_id() != Some(0) {
                    let time = event.time_stamp().map_or(i64::MIN, Ticks::get);
                    events.push((event.processor_index(), time - T0));
                }
            }
            Step::Buffer(_) => {}
            Step::NeedInput { .. } => panic!("a file waits for nothing"),
            Step::End(outcome) => {
                assert_eq!(outcome, Outcome::Finished);
                return events;
            }
        }
    }
}

/// The events of a file in memory, which has no damage and is read whole.
pub(crate) fn read(bytes: &[u8]) -> Vec<Seen> {
    let mut file = EtlFile::from_bytes(bytes).expect("a trace");
    let events = events(&mut file);
    assert!(file.damage().is_empty(), "{:?}", file.damage());
    assert_complete(&file);
    events
}

/// The same for a file that may lack its header and have damage.
pub(crate) fn open(bytes: &[u8]) -> EtlFile<'_> {
    FileOptions::new().allow_missing_header(true).from_bytes(bytes).expect("a trace")
}

/// Every byte is accounted for.
pub(crate) fn assert_complete(file: &EtlFile<'_>) -> Accounting {
    let accounting = file.accounting();
    assert_eq!((accounting.total(), accounting.unread), (file.len(), 0), "{accounting:?}");
    accounting
}

/// A file in memory that counts what is read of it.
pub(crate) struct Counted {
    bytes: Cursor<Vec<u8>>,
    read: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn new(bytes: Vec<u8>) -> (Self, Arc<AtomicU64>) {
        let read = Arc::new(AtomicU64::new(0));
        (Self { bytes: Cursor::new(bytes), read: Arc::clone(&read) }, read)
    }
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// The time of day of a time that counts from [`T0`].
pub(crate) fn time(after: i64) -> FileTime {
    FileTime(LogFileSpec::default().start_time.get() + after)
}
