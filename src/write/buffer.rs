//! One buffer: the header, the records and what follows them.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::buffer::{BufferFlags, BufferType, Layout};
use crate::bytes::align8;
use crate::codec::{Format, compress};
use crate::wire::buffer::{LEN, RawBufferHeader};
use crate::wire::{I32, I64, U16, U32, U64};
use crate::write::classic::{FullSpec, InstanceSpec};
use crate::write::error::{WriteError, number, or_panic};
use crate::write::event::EventSpec;
use crate::write::kernel::{PerfSpec, SystemSpec};
use crate::write::message::MessageSpec;
use crate::write::record::{OpaqueSpec, RecordSpec};

/// A buffer to be: header fields, then records in their order.
///
/// Without further calls it is a flushed data buffer of Windows 8 or later, of processor 0, with sequence number 1 and time
/// stamp 0. Everything that follows from the content is worked out: offsets, padding, the filler behind the records. Calls
/// that say otherwise win, right or wrong, so that damage can be written down.
///
/// A record that cannot be encoded, or a buffer that is too small, is found out by [`BufferSpec::try_to_bytes`]: nothing is
/// cut, left out or enlarged.
///
/// ```
/// use etweir::buffer::BufferView;
/// use etweir::write::{BufferSpec, EventSpec};
///
/// # fn main() -> Result<(), etweir::ParseError> {
/// let bytes = BufferSpec::new(4096)
///     .processor(3)
///     .event(&EventSpec { id: 42, ..EventSpec::default() })
///     .to_bytes();
/// assert_eq!(BufferView::parse(&bytes)?.records().count(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct BufferSpec {
    layout: Layout,
    buffer_size: u32,
    stored_size: Option<u32>,
    saved_offset: Option<u32>,
    current_offset: Option<u32>,
    reference_count: i32,
    time_stamp: i64,
    sequence_number: i64,
    clock_union: u64,
    processor: u16,
    logger_id: u16,
    state: Option<u32>,
    filled_bytes: Option<u32>,
    flags: BufferFlags,
    buffer_type: BufferType,
    events_lost: u32,
    reference_time: [u8; 16],
    records: Vec<Vec<u8>>,
    /// Why a record could not be encoded, if so: of the first.
    error: Option<WriteError>,
    padding: u8,
    pads_last: bool,
    filler: u8,
    has_tail: bool,
}

impl BufferSpec {
    /// An empty buffer of `buffer_size` bytes, its header included.
    #[must_use]
    pub const fn new(buffer_size: u32) -> Self {
        Self {
            layout: Layout::Modern,
            buffer_size,
            stored_size: None,
            saved_offset: None,
            current_offset: None,
            reference_count: 0,
            time_stamp: 0,
            sequence_number: 1,
            clock_union: 0,
            processor: 0,
            logger_id: 1,
            state: None,
            filled_bytes: None,
            flags: BufferFlags::PROC_INDEX,
            buffer_type: BufferType::GENERIC,
            events_lost: 0,
            reference_time: [0; 16],
            records: Vec::new(),
            error: None,
            padding: 0,
            pads_last: true,
            filler: 0xFF,
            has_tail: true,
        }
    }

    /// The buffer's size in bytes, its header included.
    #[must_use]
    pub const fn buffer_size(mut self, buffer_size: u32) -> Self {
        self.buffer_size = buffer_size;
        self
    }

    /// The layout of the header. What a layout has no place for is not written.
    #[must_use]
    pub const fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// The processor: 16 bits with the flag PROC_INDEX, as by default; without it and before Windows 6.0 at most 255.
    #[must_use]
    pub const fn processor(mut self, processor: u16) -> Self {
        self.processor = processor;
        self
    }

    /// `SequenceNumber`. From 6.0.
    #[must_use]
    pub const fn sequence_number(mut self, sequence_number: i64) -> Self {
        self.sequence_number = sequence_number;
        self
    }

    /// `TimeStamp`: when the buffer was flushed.
    #[must_use]
    pub const fn time_stamp(mut self, time_stamp: i64) -> Self {
        self.time_stamp = time_stamp;
        self
    }

    /// `LoggerId`
    #[must_use]
    pub const fn logger_id(mut self, logger_id: u16) -> Self {
        self.logger_id = logger_id;
        self
    }

    /// `State`, in place of 3 (flushed), or of 4 (the flag for that) before Windows 6.0.
    #[must_use]
    pub const fn state(mut self, state: u32) -> Self {
        self.state = Some(state);
        self
    }

    /// `BufferFlag`, all of it. From 5.2; by default PROC_INDEX, which is not written before 6.0.
    #[must_use]
    pub const fn flags(mut self, flags: BufferFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Sets further bits of `BufferFlag`.
    #[must_use]
    pub const fn add_flags(mut self, flags: BufferFlags) -> Self {
        self.flags = BufferFlags(self.flags.0 | flags.0);
        self
    }

    /// `BufferType`. From 5.2.
    #[must_use]
    pub const fn buffer_type(mut self, buffer_type: BufferType) -> Self {
        self.buffer_type = buffer_type;
        self
    }

    /// `EventsLost`, which only 5.0 and 5.1 have.
    #[must_use]
    pub const fn events_lost(mut self, events_lost: u32) -> Self {
        self.events_lost = events_lost;
        self
    }

    /// The eight bytes at 0x20, which hold a stale pointer in real files; before 6.0 a part of a GUID.
    #[must_use]
    pub const fn clock_union(mut self, clock_union: u64) -> Self {
        self.clock_union = clock_union;
        self
    }

    /// The sixteen bytes at 0x38, which hold stale pointers in real files.
    #[must_use]
    pub const fn reference_time(mut self, reference_time: [u8; 16]) -> Self {
        self.reference_time = reference_time;
        self
    }

    /// `ReferenceCount`, which is 0 in real files; before 6.0 in the first four bytes.
    #[must_use]
    pub const fn reference_count(mut self, reference_count: i32) -> Self {
        self.reference_count = reference_count;
        self
    }

    /// `Offset` (`FilledBytes`), in place of where the records end.
    #[must_use]
    pub const fn filled_bytes(mut self, filled_bytes: u32) -> Self {
        self.filled_bytes = Some(filled_bytes);
        self
    }

    /// `SavedOffset`, in place of where the records end.
    #[must_use]
    pub const fn saved_offset(mut self, saved_offset: u32) -> Self {
        self.saved_offset = Some(saved_offset);
        self
    }

    /// `CurrentOffset`, in place of where the records end and the size of the buffer on top.
    #[must_use]
    pub const fn current_offset(mut self, current_offset: u32) -> Self {
        self.current_offset = Some(current_offset);
        self
    }

    /// `BufferSize` as the header tells it, in place of the true one.
    #[must_use]
    pub const fn stored_size(mut self, stored_size: u32) -> Self {
        self.stored_size = Some(stored_size);
        self
    }

    /// The byte between records, in place of 0.
    #[must_use]
    pub const fn padding(mut self, padding: u8) -> Self {
        self.padding = padding;
        self
    }

    /// The buffer's valid bytes end with the last record, without its padding: as the relogger of Windows 7 writes header
    /// buffers.
    #[must_use]
    pub const fn without_last_padding(mut self) -> Self {
        self.pads_last = false;
        self
    }

    /// The byte behind the records, in place of 0xFF.
    #[must_use]
    pub const fn filler(mut self, filler: u8) -> Self {
        self.filler = filler;
        self
    }

    /// The bytes end with the records, as a buffer that a callback handed out may.
    #[must_use]
    pub const fn without_filler(mut self) -> Self {
        self.has_tail = false;
        self
    }

    /// Adds an EVENT_HEADER record.
    #[must_use]
    pub fn event(self, spec: &EventSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds a SYSTEM or COMPACT record.
    #[must_use]
    pub fn system(self, spec: &SystemSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds a PERFINFO record.
    #[must_use]
    pub fn perf(self, spec: &PerfSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds a FULL_HEADER record.
    #[must_use]
    pub fn full(self, spec: &FullSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds an INSTANCE record.
    #[must_use]
    pub fn instance(self, spec: &InstanceSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds a MESSAGE record.
    #[must_use]
    pub fn message(self, spec: &MessageSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds a TIMED, ERROR or unknown record.
    #[must_use]
    pub fn opaque(self, spec: &OpaqueSpec) -> Self {
        self.push(spec.to_bytes())
    }

    /// Adds any bytes in the place of a record. Like a record they are padded.
    #[must_use]
    pub fn raw(self, bytes: &[u8]) -> Self {
        self.push(Ok(bytes.to_vec()))
    }

    /// Adds a record of any kind.
    #[must_use]
    pub fn record(self, spec: &RecordSpec) -> Self {
        self.push(spec.to_bytes())
    }

    fn push(mut self, record: Result<Vec<u8>, WriteError>) -> Self {
        match record {
            Ok(bytes) => self.records.push(bytes),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Where the next record would start: bytes of the header and of the padded records.
    #[must_use]
    pub fn end(&self) -> usize {
        self.records.iter().fold(LEN, |end, record| end.saturating_add(align8(record.len())))
    }

    /// The first error of a record that was added, if any.
    #[must_use]
    pub const fn error(&self) -> Option<WriteError> {
        self.error
    }

    /// The buffer: 72 bytes of header, the records, and the filler up to its size.
    ///
    /// # Panics
    ///
    /// Where [`BufferSpec::try_to_bytes`] returns an error.
    #[must_use]
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        or_panic(self.try_to_bytes())
    }

    /// The buffer, or why it cannot be.
    ///
    /// # Errors
    ///
    /// The error of the first record that cannot be encoded; [`WriteError::BufferFull`] if the records do not fit into the
    /// buffer; [`WriteError::OutOfRange`] for a processor that the header has no room for.
    pub fn try_to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let body = self.checked_body()?;
        let end = LEN.saturating_add(body.len());
        let mut bytes = [self.header(end, self.buffer_size, self.flags)?.as_bytes(), &body].concat();
        if self.has_tail {
            bytes.resize(usize::try_from(self.buffer_size).unwrap_or(usize::MAX), self.filler);
        }
        Ok(bytes)
    }

    /// The buffer as it lies in compressed files: what follows the header is compressed, nothing follows that.
    ///
    /// # Panics
    ///
    /// Where [`BufferSpec::try_to_compressed_bytes`] returns an error.
    #[must_use]
    #[track_caller]
    pub fn to_compressed_bytes(&self, format: Format) -> Vec<u8> {
        or_panic(self.try_to_compressed_bytes(format))
    }

    /// The buffer as it lies in compressed files, or why it cannot be. COMPRESSED is added to the flags.
    ///
    /// # Errors
    ///
    /// Those of [`BufferSpec::try_to_bytes`].
    pub fn try_to_compressed_bytes(&self, format: Format) -> Result<Vec<u8>, WriteError> {
        let body = self.checked_body()?;
        let mut packed = Vec::new();
        compress(format, &body, &mut packed);
        let len = LEN.saturating_add(packed.len());
        let size = u32::try_from(len).map_err(|_| self.no_room(len))?;
        let flags = BufferFlags(self.flags.0 | BufferFlags::COMPRESSED.0);
        let header = self.header(LEN.saturating_add(body.len()), size, flags)?;
        Ok([header.as_bytes(), &packed].concat())
    }

    /// The records, which fit into the buffer.
    fn checked_body(&self) -> Result<Vec<u8>, WriteError> {
        let body = self.body()?;
        let end = LEN.saturating_add(body.len());
        if end > usize::try_from(self.buffer_size).unwrap_or(usize::MAX) {
            return Err(self.no_room(end));
        }
        Ok(body)
    }

    fn no_room(&self, need: usize) -> WriteError {
        WriteError::BufferFull { need: number(need), buffer_size: self.buffer_size.into() }
    }

    /// The records, each but perhaps the last with its padding.
    fn body(&self) -> Result<Vec<u8>, WriteError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let mut body = Vec::new();
        for record in &self.records {
            body.resize(align8(body.len()), self.padding);
            body.extend(record);
        }
        if self.pads_last {
            body.resize(align8(body.len()), self.padding);
        }
        Ok(body)
    }

    /// The header of a buffer whose records end at `end` and that has `size` bytes.
    fn header(&self, end: usize, size: u32, flags: BufferFlags) -> Result<RawBufferHeader, WriteError> {
        let end = u32::try_from(end).map_err(|_| self.no_room(end))?;
        let modern = matches!(self.layout, Layout::Modern);
        let has_flags = matches!(self.layout, Layout::Modern | Layout::Server2003);
        let [lost_low, lost_high] = {
            let [a, b, c, d] = self.events_lost.to_le_bytes();
            [u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d])]
        };
        // Before 6.0 the flag has another meaning, or none.
        let flags = if modern { flags.0 } else { flags.0 & !BufferFlags::PROC_INDEX.0 };
        Ok(RawBufferHeader {
            buffer_size: if modern {
                U32::new(self.stored_size.unwrap_or(size))
            } else {
                U32::from_bytes(self.reference_count.to_le_bytes())
            },
            saved_offset: U32::new(self.saved_offset.unwrap_or(end)),
            current_offset: U32::new(
                self.current_offset.unwrap_or_else(|| end.saturating_add(self.buffer_size)),
            ),
            reference_count: I32::new(if modern { self.reference_count } else { 0 }),
            time_stamp: I64::new(self.time_stamp),
            sequence_number: I64::new(if modern { self.sequence_number } else { 0 }),
            clock_union: U64::new(self.clock_union),
            processor: U16::new(self.client_context(flags)?),
            logger_id: U16::new(self.logger_id),
            state: U32::new(self.state.unwrap_or(if modern { STATE_FLUSH } else { OLD_FLAG_FLUSH })),
            filled_bytes: U32::new(self.filled_bytes.unwrap_or(end)),
            buffer_flag: U16::new(if has_flags { flags } else { lost_low }),
            buffer_type: U16::new(if has_flags { self.buffer_type.0 } else { lost_high }),
            reference_time: self.reference_time,
        })
    }

    /// The processor index, or the processor number and the alignment.
    fn client_context(&self, flags: u16) -> Result<u16, WriteError> {
        if flags & BufferFlags::PROC_INDEX.0 != 0 {
            return Ok(self.processor);
        }
        match u8::try_from(self.processor) {
            Ok(number) => Ok(u16::from_le_bytes([number, ALIGNMENT])),
            Err(_) => Err(WriteError::OutOfRange {
                what: "a buffer header without PROC_INDEX",
                field: "processor",
                value: self.processor.into(),
                max: u8::MAX.into(),
            }),
        }
    }
}

/// `State` of a flushed buffer.
const STATE_FLUSH: u32 = 3;
/// `Flags` of a flushed buffer before Windows 6.0.
const OLD_FLAG_FLUSH: u32 = 4;
/// `Alignment`, beside an 8-bit processor number.
const ALIGNMENT: u8 = 8;
