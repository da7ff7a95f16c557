//! Every structure of the format once more, spelled byte by byte from its description, without the writer and without the
//! reader's own structures: what the reader says of these bytes, and that the writer makes the same ones.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "bytes_by_hand/buffers.rs"]
mod buffers;
#[path = "bytes_by_hand/classic.rs"]
mod classic;
#[path = "bytes_by_hand/damage.rs"]
mod damage;
#[path = "bytes_by_hand/events.rs"]
mod events;
#[cfg(feature = "write")]
#[path = "bytes_by_hand/files.rs"]
mod files;
#[path = "bytes_by_hand/kernel.rs"]
mod kernel;
#[path = "bytes_by_hand/log_file.rs"]
mod log_file;
#[path = "bytes_by_hand/messages.rs"]
mod messages;

use etweir::buffer::{BufferView, Layout};
use etweir::record::Record;
use etweir::trace::{Event, LogFileHeader, SessionInfo, TraceBuffer};

/// Bytes out of text: on each line hex bytes, `00*54` for 54 of them, and after a `|` what they are.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for token in text.lines().flat_map(|line| line.split('|').next().unwrap().split_whitespace()) {
        let (byte, times) = token.split_once('*').unwrap_or((token, "1"));
        let byte = u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{token:?} is no byte"));
        bytes.extend(core::iter::repeat_n(byte, times.parse().unwrap()));
    }
    bytes
}

/// A data buffer of 0x1000 bytes of processor 3 with these bytes behind the header. Offset is where they end.
pub(crate) fn data_buffer(body: &[u8]) -> Vec<u8> {
    let mut bytes = hex("
        00 10 00 00             | 00 BufferSize
        00 00 00 00             | 04 SavedOffset
        00 00 00 00             | 08 CurrentOffset
        00 00 00 00             | 0C ReferenceCount
        40 42 0F 00 00 00 00 00 | 10 TimeStamp
        07 00 00 00 00 00 00 00 | 18 SequenceNumber
        00 00 00 00 00 00 00 00 | 20 union
        03 00                   | 28 ProcessorIndex
        28 00                   | 2A LoggerId
        03 00 00 00             | 2C State
        00 00 00 00             | 30 Offset, below
        20 00                   | 34 BufferFlag: PROC_INDEX
        00 00                   | 36 BufferType: GENERIC
        00*16                   | 38 ReferenceTime
    ");
    assert_eq!(bytes.len(), 0x48);
    let offset = u32::try_from(0x48 + body.len()).unwrap();
    bytes[0x30..0x34].copy_from_slice(&offset.to_le_bytes());
    bytes.extend(body);
    bytes.resize(0x1000, 0xFF);
    bytes
}

/// Calls `check` with the only event of a buffer that holds these bytes.
pub(crate) fn with_event(body: &[u8], check: impl FnOnce(&Event<'_>)) {
    with_event_of(body, SessionInfo::unknown(), check);
}

/// The same in a session.
pub(crate) fn with_event_of(body: &[u8], session: SessionInfo, check: impl FnOnce(&Event<'_>)) {
    let bytes = data_buffer(body);
    let view = BufferView::parse_with(&bytes, session.layout()).expect("a whole buffer");
    let buffer = TraceBuffer::new(view, session);
    let mut events = buffer.events();
    check(&events.next().expect("a record").expect("a good one"));
    assert!(events.next().is_none(), "there is one record");
}

/// What a session of this version and mode says of itself.
pub(crate) fn session(major: u8, minor: u8, mode: u32) -> SessionInfo {
    let mut record = hex(log_file::RECORD64);
    record[0x20 + 4] = major;
    record[0x20 + 5] = minor;
    record[0x20 + 0x20..0x20 + 0x24].copy_from_slice(&mode.to_le_bytes());
    SessionInfo::new(&log_file_header(&record))
}

pub(crate) fn log_file_header(record: &[u8]) -> LogFileHeader {
    let bytes = data_buffer(record);
    let view = BufferView::parse(&bytes).expect("a whole buffer");
    LogFileHeader::parse(&first_record(&view)).expect("a log-file header")
}

pub(crate) fn first_record<'a>(view: &BufferView<'a>) -> Record<'a> {
    view.records().next().expect("a record").expect("a good one")
}

/// `record` with its padding, if any is due.
pub(crate) fn padded(mut record: Vec<u8>) -> Vec<u8> {
    record.resize(record.len().next_multiple_of(8), 0);
    record
}

/// A buffer with this layout's meaning of the header.
pub(crate) fn view(bytes: &[u8], layout: Layout) -> BufferView<'_> {
    BufferView::parse_with(bytes, layout).expect("a whole buffer")
}
