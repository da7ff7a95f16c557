//! What a writer cannot put into bytes.

/// Why a specification has no bytes. Copies freely, allocates nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A part is longer than the field that tells its length can say.
    #[error("{what} has {len} bytes, its size field holds at most {max}")]
    TooLong {
        /// The part: a record's kind, or an extended item.
        what: &'static str,
        /// The bytes that it has.
        len: u64,
        /// The most bytes that it may have.
        max: u64,
    },
    /// A number is larger than the field for it.
    #[error("{field} of {what} is {value}, at most {max} can be stored")]
    OutOfRange {
        /// The structure with the field.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// The number to be stored.
        value: u64,
        /// The largest number that can be.
        max: u64,
    },
    /// The records of a buffer need more room than it has.
    #[error("buffer needs {need} bytes for its header and records, its size is {buffer_size}")]
    BufferFull {
        /// Bytes of the header and of the padded records.
        need: u64,
        /// The buffer's size in bytes.
        buffer_size: u64,
    },
    /// A file has no such buffer to damage.
    #[error("damage to buffer {index}, the file has {count}")]
    NoSuchBuffer {
        /// Which buffer was named, from 0.
        index: usize,
        /// How many there are.
        count: usize,
    },
}

/// The value, or a panic with the error's text: for the calls that promise bytes.
///
/// A specification is written down by a programmer, never read from input; the calls that use this have a twin that
/// returns the error.
#[allow(
    clippy::panic,
    reason = "documented under `# Panics` of every caller, each of which has a `try_` twin"
)]
#[track_caller]
pub(super) fn or_panic<T>(result: Result<T, WriteError>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

/// The sum of `lens`, as the number that a 16-bit size field holds.
pub(super) fn size_field(what: &'static str, lens: &[usize]) -> Result<u16, WriteError> {
    let len = lens.iter().fold(0_usize, |sum, len| sum.saturating_add(*len));
    u16::try_from(len).map_err(|_| WriteError::TooLong { what, len: number(len), max: u16::MAX.into() })
}

/// A length as the number that an error holds.
pub(super) fn number(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_size_field_takes_sixteen_bits_and_says_what_did_not_fit() {
        assert_eq!(size_field("record", &[0x50, 65_455]), Ok(65_535));
        let error = size_field("record", &[0x50, 65_456]).expect_err("one more");
        assert_eq!(error, WriteError::TooLong { what: "record", len: 65_536, max: 65_535 });
        assert_eq!(error.to_string(), "record has 65536 bytes, its size field holds at most 65535");
    }

    #[test]
    #[should_panic(expected = "buffer needs 80 bytes for its header and records, its size is 72")]
    fn a_promise_that_cannot_be_kept_panics_with_the_error() {
        or_panic::<()>(Err(WriteError::BufferFull { need: 80, buffer_size: 72 }));
    }
}
