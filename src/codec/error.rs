//! What can be wrong with compressed bytes.

use crate::error::Offset;

/// Why compressed bytes expand no further, where that is, and how far they got.
///
/// The fields are all that a message needs; the bytes before [`produced_bytes`](Self::produced_bytes) in the output are good.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("compressed input at {at}: {kind}, after {produced_bytes} bytes of output")]
#[non_exhaustive]
pub struct CodecError {
    /// What is wrong.
    pub kind: CodecErrorKind,
    /// Where the field, token, table or chunk starts that is wrong, in bytes from the start of the compressed input. For a
    /// distance of XPRESS_HUFF, which does not start at a byte: how far the input was read when it came.
    pub at: Offset,
    /// How many bytes of output were made before. They are what the input says up to here.
    pub produced_bytes: usize,
}

impl CodecError {
    pub(super) fn new(kind: CodecErrorKind, at: usize, produced_bytes: usize) -> Self {
        Self { kind, at: Offset::from(at), produced_bytes }
    }
}

/// What can be wrong with compressed bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecErrorKind {
    /// The input ends inside a field, or where the format demands another one.
    #[error("input ends")]
    InputEnds,
    /// A match reaches back before the start of what it may repeat: the output, or in LZNT1 the chunk.
    #[error("distance {distance} reaches before the start")]
    DistanceTooFar {
        /// How far back, in bytes.
        distance: u32,
    },
    /// A match's length is written in the long form though the value has a shorter one, which the format forbids.
    #[error("invalid length code {value}")]
    InvalidLength {
        /// The number as it lies in the input.
        value: u32,
    },
    /// The lengths in a table of XPRESS_HUFF leave codes over, or claim more than there are.
    #[error("code lengths make no complete Huffman code")]
    InvalidTable,
    /// A chunk header of LZNT1 lacks the signature.
    #[error("chunk header 0x{header:04x} lacks the signature 3")]
    InvalidChunk {
        /// The header as it lies in the input.
        header: u16,
    },
    /// A chunk of LZNT1 expands past 4096 bytes.
    #[error("chunk expands past 4096 bytes")]
    ChunkOverrun,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_error_prints_what_where_and_how_far() {
        let error = CodecError::new(CodecErrorKind::DistanceTooFar { distance: 9 }, 0x1C, 4);
        assert_eq!(
            error.to_string(),
            "compressed input at 0x1c: distance 9 reaches before the start, after 4 bytes of output"
        );
    }
}
