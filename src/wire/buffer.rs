//! `WMI_BUFFER_HEADER`, the fixed start of every trace buffer.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{I32, I64, U16, U32, U64};

/// The first 72 bytes of a buffer, as Windows 6.1 and later lay them out.
///
/// Source: format reference, "Buffer header"; older versions use the same 72 bytes and give some of them other names,
/// which `buffer::BufferHeader` resolves.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawBufferHeader {
    /// 0x00 `BufferSize`: bytes in the whole buffer; in a file, the distance to the next one. 5.x: `ReferenceCount`.
    pub(crate) buffer_size: U32,
    /// 0x04 `SavedOffset`: what the flush saved; unreliable in header buffers, never used as a bound.
    pub(crate) saved_offset: U32,
    /// 0x08 `CurrentOffset`: the reservation offset at the flush; values above the size are normal.
    pub(crate) current_offset: U32,
    /// 0x0C `ReferenceCount`: 0 in every buffer of a file. 5.x: `UsePerfClock`.
    pub(crate) reference_count: I32,
    /// 0x10 `TimeStamp`: when the buffer was flushed.
    pub(crate) time_stamp: I64,
    /// 0x18 `SequenceNumber` of the buffer in its session. 5.x: part of a GUID.
    pub(crate) sequence_number: I64,
    /// 0x20 clock type and frequency for debuggers; a stale pointer in files.
    pub(crate) clock_union: U64,
    /// 0x28 `ClientContext`: processor number and alignment, or the 16-bit processor index.
    pub(crate) processor: U16,
    /// 0x2A `LoggerId`.
    pub(crate) logger_id: U16,
    /// 0x2C `State`; in the first buffer of a relogged file the low half is the compression format. 5.x: flags.
    pub(crate) state: U32,
    /// 0x30 `Offset`, publicly `FilledBytes`: bytes in use, this header included, after expansion.
    pub(crate) filled_bytes: U32,
    /// 0x34 `BufferFlag`. 5.0 and 5.1: the low half of `EventsLost`.
    pub(crate) buffer_flag: U16,
    /// 0x36 `BufferType`. 5.0 and 5.1: the high half of `EventsLost`.
    pub(crate) buffer_type: U16,
    /// 0x38 `ReferenceTime` of persisted real-time buffers; stale pointers in files.
    pub(crate) reference_time: [u8; 16],
}

/// Bytes in a buffer header: 0x48 in every version.
pub(crate) const LEN: usize = 72;

const _: () = assert!(size_of::<RawBufferHeader>() == LEN);
