//! The formats by number, and the two calls over all of them.

#[cfg(feature = "write")]
use alloc::vec::Vec;
use core::fmt;

use super::error::CodecError;
use super::{lznt1, xpress, xpress_huff};
#[cfg(feature = "write")]
use super::{lznt1_write, xpress_huff_write, xpress_write};

/// A compression that Windows has a number for (`COMPRESSION_FORMAT_...`) and that this crate expands.
///
/// Prints as Windows spells it: `LZNT1`, `XPRESS`, `XPRESS_HUFF`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Format {
    /// 2, `COMPRESSION_FORMAT_LZNT1`: chunks of 4096 bytes.
    Lznt1,
    /// 3, `COMPRESSION_FORMAT_XPRESS`: plain LZ77. All compressed traces known so far use it.
    Xpress,
    /// 4, `COMPRESSION_FORMAT_XPRESS_HUFF`: LZ77 under a Huffman code.
    XpressHuff,
}

impl Format {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Lznt1, Self::Xpress, Self::XpressHuff];

    /// The format that Windows gives this number, if it is one of the three.
    #[must_use]
    pub const fn from_number(number: u16) -> Option<Self> {
        match number {
            2 => Some(Self::Lznt1),
            3 => Some(Self::Xpress),
            4 => Some(Self::XpressHuff),
            _ => None,
        }
    }

    /// The number that Windows gives it.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Lznt1 => 2,
            Self::Xpress => 3,
            Self::XpressHuff => 4,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lznt1 => "LZNT1",
            Self::Xpress => "XPRESS",
            Self::XpressHuff => "XPRESS_HUFF",
        })
    }
}

/// Expands `input` into `output`, and says how many bytes that made.
///
/// Stops when `output` is full; a match that runs over its end is cut off there, and input that is left over does not matter.
/// So a short `output` gets a prefix of the whole at the cost of the prefix, and a caller that knows the length passes
/// exactly that much and compares the result with it. The result is less than `output.len()` only where the input may end:
///
/// * XPRESS: no bytes left, and a set flag bit comes next.
/// * XPRESS_HUFF: no bytes left between blocks, or none after symbol 256.
/// * LZNT1: no bytes left between chunks, or a chunk header of 0.
///
/// Bytes of `output` past those made are left with unspecified values, on success as on error.
///
/// The work is bounded by the two lengths. Allocates nothing but, for XPRESS_HUFF, one table of 64 KiB. Never panics.
///
/// # Errors
///
/// The input contradicts the format, or ends where it may not, before `output` is full. [`CodecError`] says how far it got.
pub fn decompress(format: Format, input: &[u8], output: &mut [u8]) -> Result<usize, CodecError> {
    expand(format, input, output).map(|expanded| expanded.made)
}

/// What came of an expansion.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expanded {
    /// Bytes of output.
    pub(crate) made: usize,
    /// Bytes of input that were needed for them; a few more, where a format reads ahead.
    pub(crate) used: usize,
}

/// As [`decompress`], but says as well how much of the input was needed.
pub(crate) fn expand(format: Format, input: &[u8], output: &mut [u8]) -> Result<Expanded, CodecError> {
    match format {
        Format::Lznt1 => lznt1::decompress(input, output),
        Format::Xpress => xpress::decompress(input, output),
        Format::XpressHuff => xpress_huff::decompress(input, output),
    }
}

/// Appends `input` in compressed form to `output`.
///
/// Deterministic: the same input gives the same bytes, always. The result ends where the format lets input end, so
/// [`decompress`] into a larger output says how long the input was. Bytes that do not compress grow by an eighth in XPRESS,
/// by two bytes for each begun 4096 in LZNT1, and by some 300 for each begun 65,536 in XPRESS_HUFF. Besides `output` it holds
/// at most 3 MiB. Never panics.
#[cfg(feature = "write")]
pub fn compress(format: Format, input: &[u8], output: &mut Vec<u8>) {
    match format {
        Format::Lznt1 => lznt1_write::compress(input, output),
        Format::Xpress => xpress_write::compress(input, output),
        Format::XpressHuff => xpress_huff_write::compress(input, output),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn formats_have_the_numbers_of_windows() {
        assert_eq!(Format::ALL.map(Format::number), [2, 3, 4]);
        assert_eq!([2, 3, 4].map(Format::from_number), Format::ALL.map(Some));
        assert_eq!([0, 1, 5, 0x102, u16::MAX].map(Format::from_number), [None; 5]);
    }

    #[test]
    fn formats_print_as_windows_spells_them() {
        assert_eq!(Format::ALL.map(|format| format.to_string()), ["LZNT1", "XPRESS", "XPRESS_HUFF"]);
    }
}
