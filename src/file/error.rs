//! Why a file cannot be read at all. Damage inside a trace is no error: see `damage`.

use core::fmt;
use std::io;

use crate::error::Offset;
use crate::time::FileTime;

/// Why there is no trace, or no more of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The source could not be read.
    #[error("cannot read at {at}")]
    Io {
        /// Where in the source.
        at: Offset,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no longer what it was when reading it began.
    #[error("the file became shorter while it was read: there was a buffer at {at}")]
    Changed {
        /// Where in the file.
        at: Offset,
    },
    /// The end of the time limits lies before their start: ERROR_INVALID_TIME.
    #[error("the end of the time limits, {end}, lies before their start, {start}")]
    InvalidTime {
        /// The start.
        start: FileTime,
        /// The end.
        end: FileTime,
    },
    /// Neither a header buffer nor any buffer that makes sense.
    #[error("not an ETW trace: expected a buffer header of 72 bytes with records behind it, found {found}")]
    NotATrace {
        /// The first bytes, and how many there are.
        found: FirstBytes,
    },
    /// A trace whose header buffer is missing or damaged, which the options do not allow.
    #[error(
        "the header buffer is missing or damaged: expected a log-file header at 0x48, found {found}; without it time stamps have no meaning"
    )]
    MissingHeader {
        /// What is there instead.
        found: FirstBytes,
    },
}

/// The start of some input, for an error message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FirstBytes {
    bytes: [u8; 16],
    /// How many of `bytes` are there.
    kept: usize,
    /// How many the input had, as far as it was read.
    len: u64,
}

impl FirstBytes {
    pub(super) fn of(input: &[u8]) -> Self {
        let mut bytes = [0; 16];
        let kept = bytes.iter_mut().zip(input).map(|(to, from)| *to = *from).count();
        Self { bytes, kept, len: Offset::from(input.len()).get() }
    }
}

impl fmt::Display for FirstBytes {
    /// Text as text, anything else in hexadecimal; one line whatever the bytes are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.get(..self.kept).unwrap_or_default();
        if bytes.is_empty() {
            return f.write_str("nothing: the input is empty");
        }
        if self.len < 72 {
            write!(f, "only {} bytes: ", self.len)?;
        }
        match core::str::from_utf8(bytes) {
            Ok(text) if text.chars().all(|c| !c.is_control() || c.is_ascii_whitespace()) => {
                write!(f, "text {text:?}")
            }
            _ => {
                for (index, byte) in bytes.iter().enumerate() {
                    write!(f, "{}{byte:02x}", if index == 0 { "" } else { " " })?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn first_bytes_are_one_line_of_text_or_hex() {
        assert_eq!(FirstBytes::of(b"").to_string(), "nothing: the input is empty");
        assert_eq!(FirstBytes::of(b"two\nlines").to_string(), "only 9 bytes: text \"two\\nlines\"");
        assert_eq!(FirstBytes::of(&[0xFF, 0]).to_string(), "only 2 bytes: ff 00");
        assert_eq!(FirstBytes::of(&[b'a'; 100]).to_string(), "text \"aaaaaaaaaaaaaaaa\"");
    }
}
