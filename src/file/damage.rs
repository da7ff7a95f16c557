//! What of a file could not be delivered, with its place, its cost and its cause.

use alloc::vec::Vec;
use core::fmt;

use crate::buffer::{RecordDamage, RecordDamageKind};
use crate::error::{Offset, ParseError};
use crate::file::reader::FileBuffer;
use crate::trace::ExpandError;

/// One piece of a file that is not, or not wholly, delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Damage {
    /// What the damage is.
    pub kind: DamageKind,
    /// Where it starts in the file. For damage inside a compressed buffer, where that buffer starts.
    pub at: Offset,
    /// Bytes of the file that it costs; 0 where everything was delivered all the same, or where nothing tells, inside a
    /// compressed buffer.
    pub len: u64,
    /// The contradiction that was found first, if there is one to tell.
    pub cause: Option<DamageCause>,
}

/// What happened to a piece of a file.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum DamageKind {
    /// A buffer whose length in its header is wrong: the session's buffer size, or where the next buffer begins, told it,
    /// and the buffer was delivered.
    RepairedSize,
    /// A buffer whose header contradicts itself: skipped.
    BadBuffer,
    /// Bytes between buffers that belong to none: skipped up to the next buffer.
    NoBuffer,
    /// A stretch of zeros with buffers behind it.
    Zeroed,
    /// A compressed buffer that does not expand: skipped.
    Compressed,
    /// The file ends inside a buffer, or another begins. The whole records before the cut are delivered, unless the buffer
    /// is compressed. The length is that of what is missing.
    CutBuffer,
    /// Something inside a buffer.
    Record(RecordDamageKind),
}

/// Why something counts as damage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DamageCause {
    /// Bytes contradict the format. Offsets in it count from the start of the file; for damage inside a compressed buffer,
    /// from the start of that buffer once it is expanded.
    Parse(ParseError),
    /// A buffer does not expand.
    Expand(ExpandError),
}

impl DamageCause {
    /// The same cause at its place in the file, where its offsets belong to one.
    pub(super) const fn based_at(self, base: Offset) -> Self {
        match self {
            Self::Parse(cause) => Self::Parse(cause.based_at(base)),
            Self::Expand(cause) => Self::Expand(cause),
        }
    }
}

impl Damage {
    /// The damage that the walk over the records of `buffer` reported.
    #[must_use]
    pub fn in_buffer(buffer: &FileBuffer<'_>, damage: RecordDamage) -> Self {
        Self::in_buffer_at(buffer.offset(), buffer.is_compressed(), damage)
    }

    /// The same for a buffer that starts there.
    pub(super) fn in_buffer_at(start: Offset, is_compressed: bool, damage: RecordDamage) -> Self {
        // Inside a compressed buffer, offsets belong to no place in the file.
        let (at, len, cause) = if is_compressed {
            (start, 0, damage.cause)
        } else {
            let at = Offset(start.get().saturating_add(damage.at.get()));
            (at, damage.len, damage.cause.based_at(start))
        };
        Self { kind: DamageKind::Record(damage.kind), at, len, cause: Some(DamageCause::Parse(cause)) }
    }

    /// Whether it lies inside a buffer that is delivered otherwise.
    #[must_use]
    pub const fn is_in_record(&self) -> bool {
        matches!(self.kind, DamageKind::Record(_))
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, len, .. } = self;
        match self.kind {
            DamageKind::RepairedSize => {
                write!(f, "buffer at {at} has a wrong size, read up to where it has to end")
            }
            DamageKind::BadBuffer => write!(f, "damaged buffer at {at}, {len} bytes skipped"),
            DamageKind::NoBuffer => write!(f, "no buffer at {at}, {len} bytes skipped"),
            DamageKind::Zeroed => write!(f, "zeros in place of buffers at {at}, {len} bytes"),
            DamageKind::Compressed => write!(f, "damaged compressed buffer at {at}, {len} bytes skipped"),
            DamageKind::CutBuffer => {
                write!(f, "buffer at {at} cut off, {len} bytes missing")
            }
            DamageKind::Record(kind) => RecordDamage { kind, at: *at, len: *len, cause: NO_CAUSE }.fmt(f),
        }
    }
}

/// Not shown: the text of a damage does not contain its cause.
const NO_CAUSE: ParseError = ParseError::Truncated { what: "", at: Offset(0), need: 0, have: 0 };

impl core::error::Error for Damage {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            Some(DamageCause::Parse(cause)) => Some(cause),
            Some(DamageCause::Expand(cause)) => Some(cause),
            None => None,
        }
    }
}

/// All damage of a file: counted without end, kept in detail up to a limit.
#[derive(Clone, Debug, Default)]
pub struct DamageReport {
    entries: Vec<Damage>,
    limit: usize,
    buffers: u64,
    records: u64,
    bytes: u64,
}

impl DamageReport {
    /// An empty report that keeps the details of at most `limit` entries.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { entries: Vec::new(), limit, buffers: 0, records: 0, bytes: 0 }
    }

    /// Counts an entry, and keeps it if there is room.
    pub fn add(&mut self, damage: Damage) {
        let count = if damage.is_in_record() { &mut self.records } else { &mut self.buffers };
        *count = count.saturating_add(1);
        if damage.kind != DamageKind::CutBuffer {
            self.bytes = self.bytes.saturating_add(damage.len);
        }
        if self.entries.len() < self.limit {
            self.entries.push(damage);
        }
    }

    /// The entries in the order in which they were found, up to the limit.
    #[must_use]
    pub fn entries(&self) -> &[Damage] {
        &self.entries
    }

    /// How many entries there are, kept or not.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.buffers.saturating_add(self.records)
    }

    /// How many of them concern whole buffers, or bytes between buffers.
    #[must_use]
    pub const fn buffers(&self) -> u64 {
        self.buffers
    }

    /// How many of them lie inside buffers.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of the file that were skipped, as far as they can be told: what is lost inside compressed buffers and behind
    /// a cut is not among them.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether there is no damage.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count() == 0
    }
}
