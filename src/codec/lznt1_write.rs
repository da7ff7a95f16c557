//! Writes LZNT1, the mirror of [`super::lznt1`].

use alloc::vec::Vec;

use super::lznt1::{CHUNK, COMPRESSED, SIGNATURE, length_bits};
use super::matcher::{Matcher, Reach};

/// See [`super::compress`].
///
/// Writes no header 0 at the end: the end of input says the same, and the format asks for no more.
pub(super) fn compress(input: &[u8], output: &mut Vec<u8>) {
    let mut matcher = Matcher::new(CHUNK);
    let mut packed = Vec::with_capacity(CHUNK);
    let mut start = 0_usize;
    for plain in input.chunks(CHUNK) {
        let end = start.saturating_add(plain.len());
        packed.clear();
        pack(input.get(..end).unwrap_or(input), start, &mut matcher, &mut packed);
        if packed.len() < plain.len() {
            output.extend(header(packed.len(), COMPRESSED).to_le_bytes());
            output.extend(&packed);
        } else {
            output.extend(header(plain.len(), 0).to_le_bytes());
            output.extend(plain);
        }
        start = end;
    }
}

fn header(stored: usize, kind: u16) -> u16 {
    u16::try_from(stored.saturating_sub(1)).unwrap_or_default() | SIGNATURE | kind
}

/// Writes the chunk from `start` to the end of `input` as tokens.
fn pack(input: &[u8], start: usize, matcher: &mut Matcher, packed: &mut Vec<u8>) {
    let mut at = start;
    let mut flags_at = 0;
    let mut flag = 0_u8;
    // Every round writes a byte of input at least.
    while let Some(&byte) = input.get(at) {
        flag = flag.wrapping_shl(1);
        if flag == 0 {
            flag = 1;
            flags_at = packed.len();
            packed.push(0);
        }
        let length_bits = length_bits(at.saturating_sub(start));
        let longest = 1_usize.wrapping_shl(length_bits).wrapping_add(2);
        let Some(found) = matcher.find(input, at, Reach { start, distance: CHUNK, length: longest }) else {
            packed.push(byte);
            at = at.saturating_add(1);
            continue;
        };
        if let Some(flags) = packed.get_mut(flags_at) {
            *flags |= flag;
        }
        let token =
            found.distance.saturating_sub(1).wrapping_shl(length_bits) | found.length.saturating_sub(3);
        packed.extend(u16::try_from(token).unwrap_or_default().to_le_bytes());
        at = at.saturating_add(found.length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(input: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        compress(input, &mut output);
        output
    }

    #[test]
    fn a_chunk_that_does_not_shrink_is_stored_as_it_is() {
        assert_eq!(packed(b"abc"), *b"\x02\x30abc");
        assert_eq!(packed(b""), *b"");
    }

    #[test]
    fn a_run_is_a_literal_and_a_match_in_each_chunk() {
        let chunk = [0x03, 0xB0, 0b10, b'a', 0xFC, 0x0F];
        assert_eq!(packed(&[b'a'; 4096]), chunk);
        let short = [0x03, 0xB0, 0b10, b'a', 0x04, 0x00];
        assert_eq!(packed(&[b'a'; 4104]), [chunk, short].concat());
    }

    #[test]
    fn a_new_flag_byte_comes_after_eight_tokens() {
        let expected = [0x0C, 0xB0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0b10, 9, 0x06, 0x80];
        assert_eq!(packed(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]), expected);
    }
}
