//! LZNT1: chunks of 4096 bytes, each on its own. Source: format reference, section 5.3; \[MS-XCA\] 2.5.

use super::error::{CodecError, CodecErrorKind};
use super::format::Expanded;
use super::window::Window;
use crate::bytes::u16_at;

/// See [`super::decompress`].
///
/// A chunk that makes less than 4096 bytes though another one follows is taken as it is; writers make none.
pub(super) fn decompress(input: &[u8], output: &mut [u8]) -> Result<Expanded, CodecError> {
    let mut at = 0_usize;
    let mut filled = 0_usize;
    // Every round reads a header, two bytes of input: the loop ends.
    while filled < output.len() && at < input.len() {
        let Some(header) = u16_at(input, at) else {
            return Err(CodecError::new(CodecErrorKind::InputEnds, at, filled));
        };
        if header == 0 {
            break;
        }
        if header & SIGNATURE_MASK != SIGNATURE {
            return Err(CodecError::new(CodecErrorKind::InvalidChunk { header }, at, filled));
        }
        at = at.wrapping_add(2);
        let stored = usize::from(header & LENGTH_MASK).wrapping_add(1);
        let rest = input.get(at..).unwrap_or_default();
        // Where the input ends inside the chunk, what is there may still be enough.
        let data = rest.get(..stored).unwrap_or(rest);

        let room = output.get_mut(filled..).unwrap_or_default();
        let is_cut_off = room.len() <= CHUNK;
        let room = if is_cut_off { room } else { room.get_mut(..CHUNK).unwrap_or_default() };
        let mut chunk = Window::new(room, 0);
        let result = if header & COMPRESSED == 0 {
            chunk.extend(data);
            Ok(())
        } else {
            expand(data, &mut chunk, is_cut_off)
        };
        let made = chunk.filled();
        filled = filled.saturating_add(made);
        if let Err((kind, within)) = result {
            return Err(CodecError::new(kind, at.saturating_add(within), filled));
        }
        at = at.saturating_add(data.len());
        if data.len() < stored && filled < output.len() {
            return Err(CodecError::new(CodecErrorKind::InputEnds, at, filled));
        }
    }
    Ok(Expanded { made: filled, used: at })
}

/// Expands the tokens of one chunk. An error is what is wrong, and where in `data`.
///
/// `is_cut_off` tells a `chunk` that is full because no more was asked for from one that has made all it may.
fn expand(data: &[u8], chunk: &mut Window<'_>, is_cut_off: bool) -> Result<(), (CodecErrorKind, usize)> {
    let mut at = 0_usize;
    let mut flags = NO_FLAGS;
    // Every round takes a byte of input at least: the loop ends.
    while let Some(&byte) = data.get(at) {
        if chunk.is_full() && is_cut_off {
            break;
        }
        if flags == NO_FLAGS {
            flags = u16::from(byte) | END_MARK;
            at = at.wrapping_add(1);
            continue;
        }
        let is_match = flags & 1 == 1;
        flags >>= 1;
        if !is_match {
            if chunk.is_full() {
                return Err((CodecErrorKind::ChunkOverrun, at));
            }
            chunk.push(byte);
            at = at.wrapping_add(1);
            continue;
        }

        let token = u16_at(data, at).ok_or((CodecErrorKind::InputEnds, at))?;
        let length_bits = length_bits(chunk.filled());
        let distance = token.wrapping_shr(length_bits).wrapping_add(1);
        let length = usize::from(token & !u16::MAX.wrapping_shl(length_bits)).wrapping_add(3);
        if chunk.filled().saturating_add(length) > CHUNK {
            return Err((CodecErrorKind::ChunkOverrun, at));
        }
        if !chunk.repeat(distance.into(), length) {
            return Err((CodecErrorKind::DistanceTooFar { distance: distance.into() }, at));
        }
        at = at.wrapping_add(2);
    }
    Ok(())
}

/// How many of the 16 bits of a match hold its length, where the chunk has made `made` bytes: 12 for up to 16 of them, one
/// less each time that they double, 4 at the end. The other bits hold the distance, and can just reach the chunk's start.
pub(super) fn length_bits(made: usize) -> u32 {
    let farthest = made.saturating_sub(1);
    let distance_bits = usize::BITS.saturating_sub(farthest.leading_zeros());
    16_u32.saturating_sub(distance_bits.clamp(4, 12))
}

/// How many bytes a chunk expands to, but for the last one, which may make less.
pub(super) const CHUNK: usize = 4096;

/// Chunk header, bit 15: the chunk is a row of tokens, not plain bytes.
pub(super) const COMPRESSED: u16 = 0x8000;

/// Chunk header, bits 12 to 14: always 3.
pub(super) const SIGNATURE: u16 = 0x3000;
const SIGNATURE_MASK: u16 = 0x7000;

/// Chunk header, bits 0 to 11: the stored length without the header, less 1.
const LENGTH_MASK: u16 = 0x0FFF;

/// Above the eight flags, which are used from bit 0 up.
const END_MARK: u16 = 0x0100;

/// The end mark alone.
const NO_FLAGS: u16 = 1;

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::{CodecError, CodecErrorKind};
    use super::*;
    use crate::Offset;

    fn expand(input: &[u8], length: usize) -> Result<Vec<u8>, CodecError> {
        let mut output = vec![0xEE; length];
        let made = decompress(input, &mut output)?.made;
        output.truncate(made);
        Ok(output)
    }

    fn error(kind: CodecErrorKind, at: u64, produced_bytes: usize) -> CodecError {
        CodecError { kind, at: Offset(at), produced_bytes }
    }

    #[test]
    fn the_specification_s_example_expands() {
        let input = [
            0x38, 0xB0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xA2, 0x47, 0x01,
            0xA0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xC0, 0x45, 0x20, 0x05, 0x24,
            0x13, 0x88, 0x05, 0xB4, 0x02, 0x4A, 0x44, 0xEF, 0x03, 0x58, 0x02, 0x8C, 0x09, 0x16, 0x01, 0x48,
            0x45, 0x00, 0xBE, 0x00, 0x9E, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
        ];
        let text =
            b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D \
            E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";
        let text = core::str::from_utf8(text).unwrap();
        assert_eq!(
            expand(&input, 1000).map(|output| alloc::string::String::from_utf8(output).unwrap()).as_deref(),
            Ok(text)
        );
    }

    #[test]
    fn a_plain_chunk_is_copied() {
        assert_eq!(expand(b"\x02\x30abc", 9).as_deref(), Ok(&b"abc"[..]));
    }

    #[test]
    fn flags_go_from_the_lowest_bit_up() {
        let input = [
            0x04,
            0xB0,        // compressed, five bytes stored
            0b0000_0100, // two literals, a match
            b'a',
            b'b',
            0x03,
            0x10, // distance 2, length 6
        ];
        assert_eq!(expand(&input, 99).as_deref(), Ok(&b"abababab"[..]));
    }

    #[test]
    fn chunks_follow_each_other_until_a_header_of_zero() {
        assert_eq!(expand(b"\x00\x30a\x01\x30bc\0\0\x00\x30z", 9).as_deref(), Ok(&b"abc"[..]));
        assert_eq!(expand(b"\x00\x30a\x01\x30bc", 9).as_deref(), Ok(&b"abc"[..]));
        assert_eq!(expand(b"", 9).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn a_header_without_the_signature_is_wrong() {
        let expected = error(CodecErrorKind::InvalidChunk { header: 0x2002 }, 3, 1);
        assert_eq!(expand(b"\x00\x30a\x02\x20abc", 9), Err(expected));
    }

    #[test]
    fn the_bits_of_a_length_get_fewer_where_the_distance_needs_one_more() {
        let made = [0, 1, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257, 512, 513, 1024, 1025, 2048, 2049, 4096];
        let bits = [12, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 4, 4];
        assert_eq!(made.map(length_bits), bits);
    }

    #[test]
    fn a_match_does_not_reach_into_the_chunk_before() {
        let input = [0x00, 0x30, b'a', 0x03, 0xB0, 0b10, b'b', 0x00, 0x10];
        let expected = error(CodecErrorKind::DistanceTooFar { distance: 2 }, 7, 2);
        assert_eq!(expand(&input, 9), Err(expected));
    }

    #[test]
    fn a_chunk_may_make_4096_bytes_and_no_more() {
        // One literal, then a match of distance 1 and length 4095.
        let mut input = vec![0x03, 0xB0, 0b10, b'a', 0xFC, 0x0F];
        assert_eq!(expand(&input, 9000), Ok(vec![b'a'; 4096]));
        input[4] = 0xFD;
        assert_eq!(expand(&input, 9000), Err(error(CodecErrorKind::ChunkOverrun, 4, 1)));

        let full = [0x04, 0xB0, 0b10, b'a', 0xFC, 0x0F, b'b'];
        assert_eq!(expand(&full, 9000), Err(error(CodecErrorKind::ChunkOverrun, 6, 4096)));
        assert_eq!(expand(&full, 4096), Ok(vec![b'a'; 4096]));
    }

    #[test]
    fn the_input_may_end_only_between_chunks() {
        assert_eq!(expand(b"\x02", 9), Err(error(CodecErrorKind::InputEnds, 0, 0)));
        assert_eq!(expand(b"\x02\x30ab", 9), Err(error(CodecErrorKind::InputEnds, 4, 2)));
        assert_eq!(expand(b"\x02\x30ab", 2).as_deref(), Ok(&b"ab"[..]));
        assert_eq!(expand(b"\x02\xB0\x02a\x00", 9), Err(error(CodecErrorKind::InputEnds, 4, 1)));
    }
}
