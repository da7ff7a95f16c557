//! What a walk over records could not deliver, and why.

use core::fmt;

use crate::error::{Offset, ParseError};

/// One span of a buffer that is not, or not wholly, delivered as records.
///
/// Its `source` is the contradiction that was found; the text says what it cost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RecordDamage {
    /// What the damage is.
    pub kind: RecordDamageKind,
    /// Where it starts, from the start of the (expanded) buffer.
    pub at: Offset,
    /// How many bytes are skipped; 0 where the record was delivered all the same.
    pub len: u64,
    /// The contradiction that was found first.
    pub cause: ParseError,
}

/// What happened to a span of a buffer.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RecordDamageKind {
    /// A record of unknown kind with a size that makes sense: stepped over.
    UnknownKind,
    /// Bytes that are no record; a search found where records go on.
    Resynchronised,
    /// Bytes that are no record, and no place behind them from which records lead to the end of the buffer.
    RestLost,
    /// The extended items leave the record: it was delivered without them and without a payload.
    ExtendedItems,
    /// The input ends within the record.
    Cut,
}

impl fmt::Display for RecordDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, len, .. } = self;
        match self.kind {
            RecordDamageKind::UnknownKind => write!(f, "record of unknown kind at {at}, {len} bytes skipped"),
            RecordDamageKind::Resynchronised => {
                write!(f, "damaged record at {at}, {len} bytes skipped up to the next good one")
            }
            RecordDamageKind::RestLost => {
                write!(f, "damaged record at {at}, {len} bytes to the end of the buffer lost")
            }
            RecordDamageKind::ExtendedItems => {
                write!(f, "damaged extended items in the record at {at}, its payload is not delivered")
            }
            RecordDamageKind::Cut => write!(f, "record at {at} cut off after {len} bytes"),
        }
    }
}

impl core::error::Error for RecordDamage {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.cause)
    }
}
