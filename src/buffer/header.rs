//! `WMI_BUFFER_HEADER`, read as its layout says.

use core::fmt;

use crate::buffer::layout::Layout;
use crate::bytes::Reader;
use crate::error::{Offset, ParseError};
use crate::time::Ticks;
use crate::wire::buffer::{LEN, RawBufferHeader};
use crate::wire::flags::{
    BUFFER_FLAG_BUFFER_LOST, BUFFER_FLAG_COMPRESSED, BUFFER_FLAG_EVENTS_LOST, BUFFER_FLAG_FLUSH_MARKER,
    BUFFER_FLAG_PROC_INDEX, BUFFER_FLAG_RTBACKUP, BUFFER_FLAG_RTBACKUP_CORRUPT, BUFFER_TYPE_HEADER,
    PROCESSOR_INDEX_MASK,
};
#[cfg(feature = "std")]
use crate::wire::flags::{BUFFER_TYPE_LAST, STATE_LAST};

/// The first 72 bytes of a trace buffer, publicly `ETW_BUFFER_HEADER`.
///
/// A field that the layout does not have is `None`. Source: format reference, "The buffer header".
#[derive(Clone, Copy)]
pub struct BufferHeader<'a> {
    raw: &'a RawBufferHeader,
    layout: Layout,
}

impl<'a> BufferHeader<'a> {
    /// Bytes in a header, in every version.
    pub const LEN: usize = LEN;

    /// The header at the start of `bytes`, whatever its fields say.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] if there are fewer than 72 bytes.
    pub fn parse(bytes: &'a [u8], layout: Layout) -> Result<Self, ParseError> {
        let raw = Reader::new(bytes, 0).view("buffer header")?;
        Ok(Self { raw, layout })
    }

    pub(super) const fn from_raw(raw: &'a RawBufferHeader, layout: Layout) -> Self {
        Self { raw, layout }
    }

    /// The structure as it was stored.
    pub(super) const fn raw(&self) -> &'a RawBufferHeader {
        self.raw
    }

    /// The layout that the header is read with.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// `BufferSize`: bytes from this buffer to the next in a file, as they are stored: compressed, if it is. From 6.0.
    #[must_use]
    pub fn buffer_size(&self) -> Option<u32> {
        self.layout.has_size().then(|| self.raw.buffer_size.get())
    }

    /// `Offset`, publicly `FilledBytes`: bytes in use, the header included, after expansion. Records end here.
    #[must_use]
    pub fn filled_bytes(&self) -> u32 {
        self.raw.filled_bytes.get()
    }

    /// `SavedOffset`: what the flush saved. Less than the truth in header buffers; never a bound.
    #[must_use]
    pub fn saved_offset(&self) -> u32 {
        self.raw.saved_offset.get()
    }

    /// `TimeStamp`: when the buffer was flushed, in the session's ticks; a `FILETIME` in relogged files, 0 in header
    /// buffers.
    #[must_use]
    pub fn time_stamp(&self) -> Ticks {
        Ticks(self.raw.time_stamp.get())
    }

    /// `SequenceNumber`: which buffer of its session this is. From 6.0.
    #[must_use]
    pub fn sequence_number(&self) -> Option<i64> {
        self.layout.has_size().then(|| self.raw.sequence_number.get())
    }

    /// `ProcessorIndex`, or `ProcessorNumber` in headers that have only this.
    #[must_use]
    pub fn processor_index(&self) -> u16 {
        let processor = self.raw.processor.get();
        if self.buffer_flags().contains(BufferFlags::PROC_INDEX) {
            processor & PROCESSOR_INDEX_MASK
        } else {
            // The high byte is the alignment.
            processor & 0xFF
        }
    }

    /// `LoggerId`: the session's slot in the system; 0 in relogged files.
    #[must_use]
    pub fn logger_id(&self) -> u16 {
        self.raw.logger_id.get()
    }

    /// `State`: 3 (flushed) in the data buffers of files. In the first buffer of a relogged file the low half is the
    /// compression format.
    #[must_use]
    pub fn state(&self) -> u32 {
        self.raw.state.get()
    }

    /// `BufferFlag`; empty before 5.2.
    #[must_use]
    pub fn buffer_flags(&self) -> BufferFlags {
        BufferFlags(if self.layout.has_flags() { self.raw.buffer_flag.get() } else { 0 })
    }

    /// `BufferType`. From 5.2.
    #[must_use]
    pub fn buffer_type(&self) -> Option<BufferType> {
        self.layout.has_flags().then(|| BufferType(self.raw.buffer_type.get()))
    }

    /// `EventsLost` of this buffer, which only the headers of 5.0 and 5.1 have.
    #[must_use]
    pub fn events_lost(&self) -> Option<u32> {
        let high = u32::from(self.raw.buffer_type.get()).wrapping_shl(16);
        (!self.layout.has_flags()).then(|| high | u32::from(self.raw.buffer_flag.get()))
    }

    /// Whether what follows the header is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        self.buffer_flags().contains(BufferFlags::COMPRESSED)
    }

    /// The 72 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &'a [u8] {
        zerocopy::IntoBytes::as_bytes(self.raw)
    }

    /// The filled bytes, if they lie between the header and `max`.
    pub(crate) fn checked_filled(&self, max: u64) -> Result<usize, ParseError> {
        let filled = self.filled_bytes();
        let min = Offset::from(LEN).get();
        match usize::try_from(filled) {
            Ok(len) if (min..=max).contains(&u64::from(filled)) => Ok(len),
            _ => Err(ParseError::OutOfRange {
                what: "buffer header",
                field: "filled bytes",
                at: Offset(0),
                value: filled.into(),
                min,
                max,
            }),
        }
    }

    /// Makes the header at the start of `bytes` that of the same buffer expanded to `len` bytes.
    #[cfg(feature = "std")]
    pub(crate) fn set_expanded(bytes: &mut [u8], len: usize) {
        if let Ok((raw, _)) = <RawBufferHeader as zerocopy::FromBytes>::mut_from_prefix(bytes) {
            raw.buffer_size.set(u32::try_from(len).unwrap_or(u32::MAX));
            raw.buffer_flag.set(raw.buffer_flag.get() & !BUFFER_FLAG_COMPRESSED);
        }
    }

    /// Whether the fields that never vary have the values that real buffers have, and the lengths fit each other and
    /// `limit`. A search for the next buffer uses this; a buffer in its place does not have to pass it.
    ///
    /// Source: format reference, "Reader's algorithm in short", the plausible header; and `SavedOffset`, which differs from
    /// the filled bytes in header buffers only.
    #[cfg(feature = "std")]
    pub(crate) fn is_plausible(&self, limit: usize) -> bool {
        let size = usize::try_from(self.raw.buffer_size.get()).unwrap_or(usize::MAX);
        match self.layout.has_size() {
            true => (LEN..=limit).contains(&size) && self.is_plausible_with(size, limit),
            false => self.is_plausible_with(limit, limit),
        }
    }

    /// The same for a buffer of `size` bytes, whatever the header says of that.
    #[cfg(feature = "std")]
    pub(crate) fn is_plausible_with(&self, size: usize, limit: usize) -> bool {
        let raw = self.raw;
        let saved = raw.saved_offset.get();
        let is_saved = saved == 0 || saved == self.filled_bytes();
        let most = if self.is_compressed() { limit } else { size };
        let fits = usize::try_from(self.filled_bytes()).is_ok_and(|filled| (LEN..=most).contains(&filled));
        let has_type = !self.layout.has_flags() || raw.buffer_type.get() <= BUFFER_TYPE_LAST;
        if !self.layout.has_size() {
            // Less is known of what the other fields hold.
            return raw.state.get() <= STATE_LAST && has_type && is_saved && fits;
        }
        raw.reference_count.get() == 0
            && raw.state.get() <= STATE_LAST
            && raw.buffer_flag.get() < BUFFER_FLAG_COMPRESSED << 1
            && has_type
            && raw.sequence_number.get() >= 0
            && (is_saved || raw.buffer_type.get() == BUFFER_TYPE_HEADER)
            && fits
    }
}

impl fmt::Debug for BufferHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BufferHeader")
            .field("layout", &self.layout)
            .field("buffer_size", &self.buffer_size())
            .field("filled_bytes", &self.filled_bytes())
            .field("time_stamp", &self.time_stamp())
            .field("sequence_number", &self.sequence_number())
            .field("processor_index", &self.processor_index())
            .field("logger_id", &self.logger_id())
            .field("state", &self.state())
            .field("buffer_flags", &self.buffer_flags())
            .field("buffer_type", &self.buffer_type())
            .finish_non_exhaustive()
    }
}

/// `BufferFlag`: bits, known and unknown.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct BufferFlags(pub u16);

impl BufferFlags {
    /// The last buffer of a flush pass.
    pub const FLUSH_MARKER: Self = Self(BUFFER_FLAG_FLUSH_MARKER);
    /// Events were lost before or at this buffer.
    pub const EVENTS_LOST: Self = Self(BUFFER_FLAG_EVENTS_LOST);
    /// A buffer was lost.
    pub const BUFFER_LOST: Self = Self(BUFFER_FLAG_BUFFER_LOST);
    /// The real-time back-up file was corrupt.
    pub const RTBACKUP_CORRUPT: Self = Self(BUFFER_FLAG_RTBACKUP_CORRUPT);
    /// The buffer comes from the real-time back-up file.
    pub const RTBACKUP: Self = Self(BUFFER_FLAG_RTBACKUP);
    /// The processor index has 16 bits.
    pub const PROC_INDEX: Self = Self(BUFFER_FLAG_PROC_INDEX);
    /// What follows the header is compressed.
    pub const COMPRESSED: Self = Self(BUFFER_FLAG_COMPRESSED);

    const NAMES: [(Self, &'static str); 7] = [
        (Self::FLUSH_MARKER, "FLUSH_MARKER"),
        (Self::EVENTS_LOST, "EVENTS_LOST"),
        (Self::BUFFER_LOST, "BUFFER_LOST"),
        (Self::RTBACKUP_CORRUPT, "RTBACKUP_CORRUPT"),
        (Self::RTBACKUP, "RTBACKUP"),
        (Self::PROC_INDEX, "PROC_INDEX"),
        (Self::COMPRESSED, "COMPRESSED"),
    ];

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the known bits that are set, in the order of the bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(flag, _)| self.contains(*flag)).map(|(_, name)| name)
    }

    /// The bits that are set and have no name.
    #[must_use]
    pub fn unknown(self) -> u16 {
        Self::NAMES.iter().fold(self.0, |rest, (flag, _)| rest & !flag.0)
    }
}

impl fmt::Display for BufferFlags {
    /// The names joined by `|`, unknown bits as one hexadecimal part, `0` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for name in self.names() {
            if !first {
                f.write_str("|")?;
            }
            f.write_str(name)?;
            first = false;
        }
        match (self.unknown(), first) {
            (0, true) => f.write_str("0"),
            (0, false) => Ok(()),
            (bits, true) => write!(f, "0x{bits:x}"),
            (bits, false) => write!(f, "|0x{bits:x}"),
        }
    }
}

impl fmt::Debug for BufferFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BufferFlags({self})")
    }
}

/// `BufferType`: a number with names for those that are known.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct BufferType(pub u16);

impl BufferType {
    /// Ordinary data.
    pub const GENERIC: Self = Self(0);
    /// The first buffer of a file.
    pub const HEADER: Self = Self(BUFFER_TYPE_HEADER);

    /// The published name, if the number has one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "GENERIC",
            1 => "RUNDOWN",
            2 => "CTX_SWAP",
            3 => "REFTIME",
            4 => "HEADER",
            5 => "BATCHED",
            6 => "EMPTY_MARKER",
            7 => "DBG_INFO",
            _ => return None,
        })
    }
}

impl fmt::Display for BufferType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for BufferType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BufferType({self})")
    }
}
