//! XPRESS, the plain LZ77 form. Source: format reference, section 5.1; \[MS-XCA\] 2.4.

use super::error::{CodecError, CodecErrorKind};
use super::format::Expanded;
use super::window::Window;
use crate::bytes::{array_at, u16_at, u32_at};

/// See [`super::decompress`].
pub(super) fn decompress(input: &[u8], output: &mut [u8]) -> Result<Expanded, CodecError> {
    let mut decoder = Decoder { input, at: 0, flags: NO_FLAGS, nibble: NO_NIBBLE };
    let filled = decoder.run_fast(output);
    let made = decoder.run(Window::new(output, filled))?;
    Ok(Expanded { made, used: decoder.at })
}

/// Between two tokens.
#[derive(Clone, Copy, Debug)]
struct Decoder<'i> {
    input: &'i [u8],
    /// Where the next byte of input lies.
    at: usize,
    /// The flag bits not used yet, the next one on top, and below them a single 1 that tells where they end.
    flags: u64,
    /// The high half of a byte whose low half was a length, until it becomes one too; else `NO_NIBBLE`.
    nibble: u8,
}

/// A match as it lies in the input.
#[derive(Clone, Copy, Debug)]
struct Match {
    distance: u16,
    length: usize,
    /// Where the input goes on after it.
    next: usize,
    /// The half byte that is left after it.
    nibble: u8,
}

impl Decoder<'_> {
    /// Expands all but the ends of input and output, in steps of 8 and 16 bytes, and says how far the output got.
    ///
    /// Each step writes more than it makes; what is too much is written over later. Where a step does not fit, and where
    /// anything is wrong with the input, this stops between two tokens and leaves the rest to `run`.
    fn run_fast(&mut self, output: &mut [u8]) -> usize {
        let Self { input, mut at, mut flags, mut nibble } = *self;
        let mut filled = 0_usize;
        // Every round uses up a flag bit or fetches some, for four bytes of input: the loop ends.
        loop {
            if flags == NO_FLAGS {
                let Some(word) = u32_at(input, at) else { break };
                flags = with_end_mark(word);
                at = at.wrapping_add(4);
            }

            // Literals, up to 32, mostly few; none is no branch of its own.
            let run = flags.leading_zeros();
            let literals = to_usize(run);
            if !copy_literals(input, at, output, filled, literals) {
                break;
            }
            at = at.wrapping_add(literals);
            filled = filled.wrapping_add(literals);
            flags = flags.wrapping_shl(run);
            if flags == NO_FLAGS {
                continue;
            }

            let Some(found) = read_fast(input, at, nibble) else { break };
            let Some(end) = repeat_fast(output, filled, usize::from(found.distance), found.length) else {
                break;
            };
            filled = end;
            at = found.next;
            nibble = found.nibble;
            flags = flags.wrapping_shl(1);
        }
        *self = Self { input, at, flags, nibble };
        filled
    }

    /// Expands the rest, token by token.
    fn run(&mut self, mut output: Window<'_>) -> Result<usize, CodecError> {
        // Every round uses up a flag bit, and 32 of them four bytes of input: the loop ends.
        while !output.is_full() {
            if self.flags == NO_FLAGS {
                let Some(flags) = u32_at(self.input, self.at) else {
                    return Err(CodecError::new(CodecErrorKind::InputEnds, self.at, output.filled()));
                };
                self.flags = with_end_mark(flags);
                self.at = self.at.wrapping_add(4);
            }
            let is_match = self.flags >> 63 == 1;
            self.flags = self.flags.wrapping_shl(1);
            match self.input.get(self.at) {
                None if is_match => break,
                None => return Err(CodecError::new(CodecErrorKind::InputEnds, self.at, output.filled())),
                Some(&literal) if !is_match => {
                    output.push(literal);
                    self.at = self.at.wrapping_add(1);
                }
                Some(_) => {
                    let found = read_match(self.input, self.at, self.nibble)
                        .map_err(|(kind, at)| CodecError::new(kind, at, output.filled()))?;
                    if !output.repeat(usize::from(found.distance), found.length) {
                        let kind = CodecErrorKind::DistanceTooFar { distance: found.distance.into() };
                        return Err(CodecError::new(kind, self.at, output.filled()));
                    }
                    self.at = found.next;
                    self.nibble = found.nibble;
                }
            }
        }
        Ok(output.filled())
    }
}

/// Reads the match at `at`. An error is what is wrong, and where.
fn read_match(input: &[u8], at: usize, nibble: u8) -> Result<Match, (CodecErrorKind, usize)> {
    let token = u16_at(input, at).ok_or((CodecErrorKind::InputEnds, at))?;
    let distance = (token >> 3).wrapping_add(1);
    let mut next = at.wrapping_add(2);
    if token & 7 < 7 {
        return Ok(Match { distance, length: usize::from(token & 7).wrapping_add(3), next, nibble });
    }

    let low;
    let left;
    if nibble == NO_NIBBLE {
        let byte = input.get(next).copied().ok_or((CodecErrorKind::InputEnds, next))?;
        (low, left) = (byte & 15, byte >> 4);
        next = next.wrapping_add(1);
    } else {
        (low, left) = (nibble, NO_NIBBLE);
    }
    if low < 15 {
        return Ok(Match { distance, length: usize::from(low).wrapping_add(10), next, nibble: left });
    }

    let byte = input.get(next).copied().ok_or((CodecErrorKind::InputEnds, next))?;
    next = next.wrapping_add(1);
    if byte < 255 {
        return Ok(Match { distance, length: usize::from(byte).wrapping_add(25), next, nibble: left });
    }

    let mut field = next;
    let mut value = u16_at(input, field).map(u32::from).ok_or((CodecErrorKind::InputEnds, field))?;
    next = next.wrapping_add(2);
    if value == 0 {
        field = next;
        value = u32_at(input, field).ok_or((CodecErrorKind::InputEnds, field))?;
        next = next.wrapping_add(4);
    }
    if value < LEAST_LONG {
        return Err((CodecErrorKind::InvalidLength { value }, field));
    }
    Ok(Match { distance, length: to_usize(value).saturating_add(3), next, nibble: left })
}

/// Reads the match at `at` like `read_match`, with the short form in line: three of five matches have it.
#[inline(always)]
fn read_fast(input: &[u8], at: usize, nibble: u8) -> Option<Match> {
    let token = u16_at(input, at)?;
    let distance = (token >> 3).wrapping_add(1);
    let next = at.wrapping_add(2);
    if token & 7 < 7 {
        return Some(Match { distance, length: usize::from(token & 7).wrapping_add(3), next, nibble });
    }
    read_match(input, at, nibble).ok()
}
/// Copies `count` literals, at most 32, if there is room to copy 16 or 32.
#[inline(always)]
fn copy_literals(input: &[u8], at: usize, output: &mut [u8], filled: usize, count: usize) -> bool {
    let Some((from, to)) = array_at::<16>(input, at).zip(array_mut(output, filled)) else {
        return false;
    };
    *to = *from;
    if count > 16 {
        let (at, filled) = (at.wrapping_add(16), filled.wrapping_add(16));
        let Some((from, to)) = array_at::<16>(input, at).zip(array_mut(output, filled)) else {
            return false;
        };
        *to = *from;
    }
    true
}

/// Repeats what lies `distance` before, if there is room to write 32 bytes more than `length`. Says where it ends.
#[inline(always)]
fn repeat_fast(output: &mut [u8], filled: usize, distance: usize, length: usize) -> Option<usize> {
    let from = filled.checked_sub(distance)?;
    let end = filled.saturating_add(length);
    if end.saturating_add(32) > output.len() {
        return None;
    }
    if distance >= 16 {
        // A step never overlaps with where it goes, and may read what the one before wrote.
        copy::<16>(output, from, filled)?;
        copy::<16>(output, from.wrapping_add(16), filled.wrapping_add(16))?;
        let mut done = 32_usize;
        while done < length {
            copy::<16>(output, from.wrapping_add(done), filled.wrapping_add(done))?;
            done = done.wrapping_add(16);
        }
    } else if distance >= 8 {
        let mut done = 0_usize;
        while done < length {
            copy::<8>(output, from.wrapping_add(done), filled.wrapping_add(done))?;
            done = done.wrapping_add(8);
        }
    } else {
        let (mask, factor, step) = *PATTERNS.get(distance)?;
        let pattern =
            (u64::from_le_bytes(*array_at(output, from)?) & mask).wrapping_mul(factor).to_le_bytes();
        let mut to = filled;
        while to < end {
            *array_mut(output, to)? = pattern;
            to = to.wrapping_add(step);
        }
    }
    Some(end)
}

#[inline(always)]
fn copy<const N: usize>(bytes: &mut [u8], from: usize, to: usize) -> Option<()> {
    let chunk: [u8; N] = *array_at(bytes, from)?;
    *array_mut(bytes, to)? = chunk;
    Some(())
}

#[inline(always)]
fn array_mut<const N: usize>(bytes: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    bytes.get_mut(at..)?.first_chunk_mut()
}

fn with_end_mark(flags: u32) -> u64 {
    (u64::from(flags) << 32) | (1 << 31)
}

/// Lossless: where `usize` is smaller, no buffer is that large.
fn to_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// The end mark alone.
const NO_FLAGS: u64 = 1 << 63;

/// No half byte is pending.
const NO_NIBBLE: u8 = 0xFF;

/// The least number that a length takes two or four bytes for.
const LEAST_LONG: u32 = 22;

/// How to make eight bytes that repeat with a period of 0 (unused) to 7: which of the first eight to keep, what to multiply
/// them by, and the largest multiple of the period up to eight, after which the eight bytes fit again.
const PATTERNS: [(u64, u64, usize); 8] = [
    (0, 0, 8),
    (0xFF, 0x0101_0101_0101_0101, 8),
    (0xFFFF, 0x0001_0001_0001_0001, 8),
    (0xFF_FFFF, 0x0001_0000_0100_0001, 6),
    (0xFFFF_FFFF, 0x0000_0001_0000_0001, 8),
    (0xFF_FFFF_FFFF, 0x0000_0100_0000_0001, 5),
    (0xFFFF_FFFF_FFFF, 0x0001_0000_0000_0001, 6),
    (0xFF_FFFF_FFFF_FFFF, 0x0100_0000_0000_0001, 7),
];

#[cfg(test)]
pub(in crate::codec) mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::collection::vec as vec_of;
    use proptest::prelude::*;

    use super::super::{CodecError, CodecErrorKind};
    use super::decompress;
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

    /// The format as the reference tells it, one byte after the other: the oracle of the fast way.
    pub(in crate::codec) fn expand_plainly(input: &[u8], length: usize) -> (Vec<u8>, Option<CodecError>) {
        fn number(input: &[u8], at: &mut usize, bytes: usize) -> Option<usize> {
            let end = *at + bytes;
            if end > input.len() {
                return None;
            }
            let value = (*at..end).rev().fold(0, |value, index| (value << 8) | usize::from(input[index]));
            *at = end;
            Some(value)
        }

        let mut output = Vec::new();
        let mut at = 0;
        let mut flags = Vec::new();
        let mut half = None;
        macro_rules! fail {
            ($kind:expr, $at:expr) => {{
                let error = error($kind, $at as u64, output.len());
                return (output, Some(error));
            }};
        }
        macro_rules! read {
            ($bytes:expr) => {
                match number(input, &mut at, $bytes) {
                    Some(value) => value,
                    None => fail!(CodecErrorKind::InputEnds, at),
                }
            };
        }
        while output.len() < length {
            if flags.is_empty() {
                let word = read!(4);
                flags.extend((0..32).map(|bit| word >> bit & 1 == 1));
            }
            if flags.pop() == Some(false) {
                let literal = read!(1);
                output.push(literal as u8);
                continue;
            }
            if at == input.len() {
                break;
            }
            let match_at = at;
            let token = read!(2);
            let distance = (token >> 3) + 1;
            let mut size = (token & 7) + 3;
            if size == 10 {
                let nibble = match half.take() {
                    Some(byte) => byte >> 4,
                    None => {
                        let byte = read!(1);
                        half = Some(byte);
                        byte & 15
                    }
                };
                size += nibble;
                if nibble == 15 {
                    let byte = read!(1);
                    size += byte;
                    if byte == 255 {
                        let mut value_at = at;
                        let mut value = read!(2);
                        if value == 0 {
                            value_at = at;
                            value = read!(4);
                        }
                        if value < 22 {
                            fail!(CodecErrorKind::InvalidLength { value: value as u32 }, value_at);
                        }
                        size = value + 3;
                    }
                }
            }
            if distance > output.len() {
                fail!(CodecErrorKind::DistanceTooFar { distance: distance as u32 }, match_at);
            }
            for _ in 0..size.min(length - output.len()) {
                output.push(output[output.len() - distance]);
            }
        }
        (output, None)
    }

    /// Whether the fast way makes the same bytes and errors as the plain one.
    pub(in crate::codec) fn check_against_plain(input: &[u8], length: usize) -> Result<(), TestCaseError> {
        let (expected, expected_error) = expand_plainly(input, length);
        let mut output = vec![0xEE; length];
        let result = decompress(input, &mut output).map(|expanded| expanded.made);
        prop_assert_eq!(result, expected_error.map_or(Ok(expected.len()), Err));
        prop_assert_eq!(&output.get(..expected.len()), &Some(&*expected));
        Ok(())
    }

    #[test]
    fn literals_alone_come_out_as_they_are() {
        let input = b"\x3F\x00\x00\x00abcdefghijklmnopqrstuvwxyz";
        assert_eq!(expand(input, 26).as_deref(), Ok(&b"abcdefghijklmnopqrstuvwxyz"[..]));
    }

    #[test]
    fn a_length_may_take_three_bits_and_four_and_a_byte_and_two() {
        let input = [0xFF, 0xFF, 0xFF, 0x1F, 0x61, 0x62, 0x63, 0x17, 0x00, 0x0F, 0xFF, 0x26, 0x01];
        assert_eq!(expand(&input, 300), Ok(b"abc".repeat(100)));
    }

    #[test]
    fn two_long_lengths_share_a_byte_for_their_halves() {
        let input = [
            0xFF, 0xFF, 0xFF, 0x6F, // flags 0, 1, 1, 0, then ones
            b'a', // literal
            0x07, 0x00, // distance 1, long
            0x21, // low half: length 11; high half is for the next
            0x07, 0x00, // distance 1, long: length 12
            b'b',
        ];
        assert_eq!(expand(&input, 25), Ok([&[b'a'; 24][..], b"b"].concat()));
    }

    #[test]
    fn a_length_byte_below_255_counts_from_25() {
        let input = [0xFF, 0xFF, 0xFF, 0x7F, b'a', 0x07, 0x00, 0x0F, 0xFE];
        assert_eq!(expand(&input, 1000), Ok(vec![b'a'; 1 + 254 + 25]));
    }

    #[test]
    fn a_length_of_four_bytes_follows_two_zero_bytes() {
        let input =
            [0xFF, 0xFF, 0xFF, 0x7F, b'a', 0x07, 0x00, 0x0F, 0xFF, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00];
        assert_eq!(expand(&input, 70_000), Ok(vec![b'a'; 1 + 0x1_0000 + 3]));
    }

    #[test]
    fn a_long_form_is_wrong_for_a_length_that_has_a_shorter_one() {
        let mut input = [0xFF, 0xFF, 0xFF, 0x7F, b'a', 0x07, 0x00, 0x0F, 0xFF, 22, 0];
        assert_eq!(expand(&input, 100), Ok(vec![b'a'; 26]));
        input[9] = 21;
        assert_eq!(expand(&input, 100), Err(error(CodecErrorKind::InvalidLength { value: 21 }, 9, 1)));
        let input = [0xFF, 0xFF, 0xFF, 0x7F, b'a', 0x07, 0x00, 0x0F, 0xFF, 0, 0, 21, 0, 0, 0];
        assert_eq!(expand(&input, 100), Err(error(CodecErrorKind::InvalidLength { value: 21 }, 11, 1)));
    }

    #[test]
    fn a_distance_reaches_the_first_byte_and_no_further() {
        let mut input = [0xFF, 0xFF, 0xFF, 0x3F, b'a', b'b', 1 << 3, 0x00];
        assert_eq!(expand(&input, 5).as_deref(), Ok(&b"ababa"[..]));
        input[6] = 2 << 3;
        assert_eq!(expand(&input, 5), Err(error(CodecErrorKind::DistanceTooFar { distance: 3 }, 6, 2)));
    }

    #[test]
    fn the_greatest_distance_is_8192() {
        let mut input = vec![];
        for _ in 0..256 {
            input.extend([0; 4]);
            input.extend([b'z'; 32]);
        }
        input[4] = b'A';
        input.extend([0xFF, 0xFF, 0xFF, 0xFF, 0xF8, 0xFF]);
        let output = expand(&input, 9000).unwrap();
        assert_eq!(output.len(), 8195);
        assert_eq!(output[8192..], *b"Azz");
    }

    #[test]
    fn the_input_may_end_only_before_a_match() {
        assert_eq!(expand(b"\xFF\xFF\xFF\x3Fab", 9).as_deref(), Ok(&b"ab"[..]));
        assert_eq!(expand(b"\xFF\xFF\xFF\x1Fab", 9), Err(error(CodecErrorKind::InputEnds, 6, 2)));
        assert_eq!(expand(b"\xFF\xFF\xFF\x3Fab\0", 9), Err(error(CodecErrorKind::InputEnds, 6, 2)));
        assert_eq!(expand(b"\xFF\xFF\xFF\x3Fab\x07\0", 9), Err(error(CodecErrorKind::InputEnds, 8, 2)));
        assert_eq!(expand(b"\xFF\xFF\xFF\x3Fab\x07\0\x0F", 9), Err(error(CodecErrorKind::InputEnds, 9, 2)));
        assert_eq!(expand(b"\xFF\xFF\xFF", 9), Err(error(CodecErrorKind::InputEnds, 0, 0)));
        assert_eq!(expand(b"", 9), Err(error(CodecErrorKind::InputEnds, 0, 0)));
    }

    #[test]
    fn input_past_a_full_output_does_not_matter() {
        assert_eq!(expand(b"\0\0\0\0abc\xFF\xFF\xFF\xFF", 3).as_deref(), Ok(&b"abc"[..]));
        assert_eq!(expand(b"", 0).as_deref(), Ok(&b""[..]));
    }

    /// Bytes of which many are valid as flags, tokens and lengths at once, so that much of them expands.
    fn likely_input() -> impl Strategy<Value = Vec<u8>> {
        vec_of(prop_oneof![3 => 0_u8..4, 2 => any::<u8>(), 1 => 0x70_u8..0x80, 1 => 0xF0_u8..], 0..300)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn the_fast_way_does_what_the_plain_one_does(input in likely_input(), length in 0_usize..3000) {
            check_against_plain(&input, length)?;
        }
    }
}
