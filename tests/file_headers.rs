//! A file by the headers of its buffers alone.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::sync::atomic::{AtomicUsize, Ordering};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::sync::Arc;

use etweir::codec::Format;
use etweir::write::{BufferSpec, Damage, EventSpec, FileSpec, LogFileSpec};
use etweir::{EtlFile, EtlReader};

const SIZE: u32 = 8192;

fn file() -> FileSpec {
    let buffer = |number: u16| {
        (0..20)
            .fold(BufferSpec::new(SIZE).processor(number % 3).sequence_number(number.into()), |buffer, id| {
                buffer.event(&EventSpec { id, payload: vec![7; 100], ..EventSpec::default() })
            })
    };
    FileSpec::new(LogFileSpec { buffer_size: SIZE, ..LogFileSpec::default() }).buffers((1..=9).map(buffer))
}

/// Offset, length, processor, compressed or not.
type Row = (u64, u64, u16, bool);

fn by_headers(file: &mut EtlFile<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some(buffer) = file.next_header().expect("readable") {
        let processor = buffer.header().processor_index();
        rows.push((buffer.offset().get(), buffer.stored_bytes(), processor, buffer.is_compressed()));
    }
    assert!(file.next_header().expect("readable").is_none(), "the end stays the end");
    rows
}

fn by_reading(bytes: &[u8]) -> Vec<Row> {
    let mut reader = EtlReader::new(bytes).expect("a trace");
    let mut rows = Vec::new();
    while let Some(buffer) = reader.next_buffer().expect("memory") {
        let processor = buffer.header().processor_index();
        rows.push((buffer.offset().get(), buffer.stored_bytes(), processor, buffer.is_compressed()));
    }
    rows
}

#[test]
fn headers_tell_of_the_buffers_that_reading_finds() {
    for spec in [
        file(),
        file().compressed(Format::Xpress),
        file().damage(Damage::ZeroBuffer(4)),
        file().damage(Damage::CutAt(40_000)),
        file().damage(Damage::AppendZeros(100_000)),
    ] {
        let bytes = spec.to_bytes();
        let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
        let rows = by_headers(&mut file);
        assert!(rows.len() > 4);
        assert_eq!(rows, by_reading(&bytes));
        let accounting = file.accounting();
        assert_eq!(accounting.total(), bytes.len() as u64);
        assert_eq!(accounting.headers, 72 * rows.len() as u64);
        let stored: u64 = rows.iter().map(|(_, stored, ..)| *stored).sum();
        assert_eq!(accounting.unread, stored - accounting.headers);
    }
}

/// Counts the bytes that are read.
struct Counted {
    bytes: Cursor<Vec<u8>>,
    read: Arc<AtomicUsize>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.read.fetch_add(count, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn only_headers_are_read() {
    let read = Arc::new(AtomicUsize::new(0));
    let source = Counted { bytes: Cursor::new(file().to_bytes()), read: Arc::clone(&read) };
    let mut file = EtlFile::from_reader(source).expect("a trace");
    read.store(0, Ordering::Relaxed);
    assert_eq!(by_headers(&mut file).len(), 10);
    let read = read.load(Ordering::Relaxed);
    assert!(read <= 10 * 4 * 128, "{read} bytes of 81,920");
}

#[test]
fn headers_and_events_each_start_over() {
    let bytes = file().damage(Damage::ZeroBuffer(4)).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let events = |file: &mut EtlFile<'_>| {
        let mut count = 0;
        while file.next_event().expect("memory").is_some() {
            count += 1;
        }
        (count, file.damage().count(), file.accounting().unread)
    };
    assert_eq!(by_headers(&mut file).len(), 9);
    assert_eq!(events(&mut file), (161, 1, 0));
    assert_eq!(by_headers(&mut file).len(), 9);
    assert_eq!(file.damage().count(), 1);
    assert!(file.next_header().expect("memory").is_none());
    file.restart(None, None);
    assert_eq!(by_headers(&mut file).len(), 9, "a restart is a start for these as well");
    assert_eq!(file.index().expect("memory"), 9);
    assert_eq!(events(&mut file), (161, 1, 0));
}
