//! Why a payload is not decoded to its end.

use crate::error::Offset;

/// Why decoding stopped. Offsets count from the payload's start; indices are those of
/// [`Schema::properties`](crate::decode::Schema::properties).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The payload ends inside a value.
    #[error("property {property}, {what} at {at} needs {need} bytes, {have} left")]
    Truncated {
        /// The index of the property.
        property: u16,
        /// What does not fit.
        what: &'static str,
        /// Where it starts.
        at: Offset,
        /// Its length in bytes.
        need: u64,
        /// The bytes that are there.
        have: u64,
    },
    /// More of something than there may be.
    #[error("property {property} at {at}: {count} {what}, more than {most}")]
    TooMany {
        /// The index of the property.
        property: u16,
        /// What is too many.
        what: &'static str,
        /// Where the property starts.
        at: Offset,
        /// How many there are.
        count: u64,
        /// How many may be.
        most: u64,
    },
    /// The schema does not say how the property lies in the payload.
    #[error("property {property} at {at}: {what}")]
    Unreadable {
        /// The index of the property.
        property: u16,
        /// What is wrong with it.
        what: &'static str,
        /// Where the property starts.
        at: Offset,
    },
}

impl DecodeError {
    /// The index of the property that could not be read; inside a structure that of the member.
    #[must_use]
    pub const fn property(&self) -> u16 {
        let (Self::Truncated { property, .. }
        | Self::TooMany { property, .. }
        | Self::Unreadable { property, .. }) = self;
        *property
    }

    /// Where it starts, from the start of the payload.
    #[must_use]
    pub const fn at(&self) -> Offset {
        let (Self::Truncated { at, .. } | Self::TooMany { at, .. } | Self::Unreadable { at, .. }) = self;
        *at
    }
}
