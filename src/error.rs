//! What can be wrong with bytes, said with the place and the numbers that disagree.

use core::fmt;

/// A place in the input, in bytes from the start of the structure or file that the context names.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Offset(pub u64);

impl Offset {
    /// The place as a plain number of bytes.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

impl From<usize> for Offset {
    /// Lossless where `usize` has at most 64 bits, which is everywhere Rust runs today.
    fn from(value: usize) -> Self {
        Self(u64::try_from(value).unwrap_or(u64::MAX))
    }
}

/// Why bytes are not the structure they should be.
///
/// Copies freely, allocates nothing, and compares equal in tests. Next to a hex dump it is enough to see what is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// The input ends inside `what`.
    #[error("{what} at {at} needs {need} bytes, {have} left")]
    Truncated {
        /// The structure that does not fit.
        what: &'static str,
        /// Where it starts.
        at: Offset,
        /// Its length in bytes.
        need: u64,
        /// The bytes that are there.
        have: u64,
    },
    /// A length, an offset or a number contradicts the structure around it.
    #[error("{what} at {at}: {field} is {value}, outside {min}..={max}")]
    OutOfRange {
        /// The structure that holds the field.
        what: &'static str,
        /// The field's name.
        field: &'static str,
        /// Where the structure starts.
        at: Offset,
        /// What the field says.
        value: u64,
        /// The smallest value that would do.
        min: u64,
        /// The largest value that would do.
        max: u64,
    },
    /// The bytes that tell kinds apart tell of none that is known.
    #[error("{what} at {at}: expected {expected}, found 0x{found:08x}")]
    Unexpected {
        /// The structure that was to start here.
        what: &'static str,
        /// Where it was to start.
        at: Offset,
        /// What would have been right.
        expected: &'static str,
        /// What is there.
        found: u64,
    },
}

impl ParseError {
    /// The same error with offsets that count from where `base` counts from, instead of from `base` itself.
    #[must_use]
    pub const fn based_at(mut self, base: Offset) -> Self {
        let (Self::Truncated { at, .. } | Self::OutOfRange { at, .. } | Self::Unexpected { at, .. }) =
            &mut self;
        *at = Offset(at.0.saturating_add(base.0));
        self
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_error_says_what_where_and_the_numbers() {
        let error = ParseError::Truncated { what: "record", at: Offset(0x48), need: 80, have: 28 };
        assert_eq!(error.to_string(), "record at 0x48 needs 80 bytes, 28 left");
        assert_eq!(error.based_at(Offset(0x2000)).to_string(), "record at 0x2048 needs 80 bytes, 28 left");
    }
}
