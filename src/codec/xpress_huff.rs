//! XPRESS_HUFF: LZ77 under a Huffman code, in blocks of 64 KiB. Source: format reference, section 5.2; \[MS-XCA\] 2.2.

use alloc::boxed::Box;
use alloc::vec;

use super::error::{CodecError, CodecErrorKind};
use super::format::Expanded;
use super::window::Window;
use crate::bytes::{array_at, u16_at, u32_at};

/// See [`super::decompress`].
pub(super) fn decompress(input: &[u8], output: &mut [u8]) -> Result<Expanded, CodecError> {
    let mut output = Window::new(output, 0);
    if output.is_full() || input.is_empty() {
        return Ok(Expanded { made: 0, used: 0 });
    }
    let mut table = DecodeTable::new();
    let mut at = 0_usize;
    // Every round reads a table, 256 bytes of input: the loop ends.
    while !output.is_full() && at < input.len() {
        let fail = |kind, at| CodecError::new(kind, at, output.filled());
        let lengths = array_at(input, at).ok_or_else(|| fail(CodecErrorKind::InputEnds, at))?;
        if !table.fill(lengths) {
            return Err(fail(CodecErrorKind::InvalidTable, at));
        }
        let mut bits = Bits::new(input, at.wrapping_add(TABLE_LEN))
            .map_err(|(kind, at)| CodecError::new(kind, at, output.filled()))?;
        let outcome = expand(&table, &mut bits, &mut output);
        match outcome {
            Ok(End::Block) => at = bits.at,
            Ok(End::Data) => {
                at = input.len();
                break;
            }
            Err((kind, at)) => return Err(CodecError::new(kind, at, output.filled())),
        }
    }
    Ok(Expanded { made: output.filled(), used: at })
}

/// Why a block ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// It has made its bytes, or there is room for no more.
    Block,
    /// The input has ended with the symbol that says so.
    Data,
}

/// Expands one block. An error is what is wrong, and where.
fn expand(
    table: &DecodeTable,
    bits: &mut Bits<'_>,
    output: &mut Window<'_>,
) -> Result<End, (CodecErrorKind, usize)> {
    let end = output.filled().saturating_add(BLOCK);
    // Every round makes a byte of output at least, or ends.
    while !output.is_full() {
        if output.filled() >= end {
            // The last block may be full to the brim and end with the symbol nevertheless. No other block is followed by so
            // little that a symbol and its refill reach the end of the input.
            let mut ahead = *bits;
            let is_end = table.decode(&mut ahead) == Ok(END_OF_DATA) && ahead.is_at_end();
            return Ok(if is_end { End::Data } else { End::Block });
        }
        let symbol = table.decode(bits)?;
        let Some(symbol) = symbol.checked_sub(LITERALS) else {
            output.push(symbol.to_le_bytes()[0]);
            continue;
        };
        if symbol == 0 && bits.is_at_end() {
            return Ok(End::Data);
        }
        let at = bits.at;
        let length = match symbol & 15 {
            15 => bits.read_long()?,
            short => usize::from(short),
        };
        let distance = bits.read_distance(u32::from(symbol >> 4))?;
        if !output.repeat(to_usize(distance), length.saturating_add(3)) {
            return Err((CodecErrorKind::DistanceTooFar { distance }, at));
        }
    }
    Ok(End::Block)
}

/// From the next 15 bits of input to a symbol and the length of its code.
#[derive(Debug)]
struct DecodeTable {
    /// The symbol in the lower 9 bits, the length above.
    entries: Box<[u16]>,
}

impl DecodeTable {
    fn new() -> Self {
        Self { entries: vec![0; TABLE_ENTRIES].into_boxed_slice() }
    }

    /// Fills the table for 512 code lengths of 4 bits, and says whether they make a complete code.
    fn fill(&mut self, lengths: &[u8; TABLE_LEN]) -> bool {
        let mut rest = self.entries.as_mut();
        // Codes are given out by length, then symbol, so each takes the next stretch of the table.
        for length in 1..=MAX_CODE_LEN {
            let stretch = 1_usize.wrapping_shl(MAX_CODE_LEN.wrapping_sub(length).into());
            let nibbles = lengths.iter().flat_map(|byte| [byte & 15, byte >> 4]);
            for (symbol, _) in (0_u16..).zip(nibbles).filter(|&(_, nibble)| nibble == length) {
                let Some((now, later)) = core::mem::take(&mut rest).split_at_mut_checked(stretch) else {
                    return false;
                };
                now.fill(symbol | u16::from(length).wrapping_shl(SYMBOL_BITS));
                rest = later;
            }
        }
        rest.is_empty()
    }

    /// Takes the next symbol.
    fn decode(&self, bits: &mut Bits<'_>) -> Result<u16, (CodecErrorKind, usize)> {
        let entry = self.entries.get(to_usize(bits.peek(MAX_CODE_LEN.into()))).copied().unwrap_or_default();
        bits.take(u32::from(entry >> SYMBOL_BITS))?;
        Ok(entry & SYMBOL_MASK)
    }
}

/// Words of 16 bits, taken from the top, and bytes between them.
///
/// The stream is always read 16 to 31 bits ahead; that is part of the format, as it decides where the bytes between lie.
#[derive(Clone, Copy, Debug)]
struct Bits<'i> {
    input: &'i [u8],
    /// Where the next word or byte lies.
    at: usize,
    /// What was read ahead, the next bit on top.
    ahead: u32,
    /// How many bits that are: 16 to 32.
    count: u32,
}

impl<'i> Bits<'i> {
    fn new(input: &'i [u8], at: usize) -> Result<Self, (CodecErrorKind, usize)> {
        let mut bits = Self { input, at, ahead: 0, count: 0 };
        bits.refill()?;
        bits.refill()?;
        Ok(bits)
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.input.len()
    }

    /// The next bits, at most 15, as a number.
    fn peek(&self, count: u32) -> u32 {
        // In two steps, as a count of 0 would shift by 32.
        (self.ahead >> 1).wrapping_shr(31_u32.saturating_sub(count))
    }

    /// Steps over bits, at most 15.
    fn take(&mut self, count: u32) -> Result<(), (CodecErrorKind, usize)> {
        self.ahead = self.ahead.wrapping_shl(count);
        self.count = self.count.saturating_sub(count);
        if self.count < 16 { self.refill() } else { Ok(()) }
    }

    /// Reads one more word; there is room for it where less than 17 bits are ahead.
    fn refill(&mut self) -> Result<(), (CodecErrorKind, usize)> {
        let word = u16_at(self.input, self.at).ok_or((CodecErrorKind::InputEnds, self.at))?;
        self.ahead |= u32::from(word).wrapping_shl(16_u32.saturating_sub(self.count));
        self.count = self.count.wrapping_add(16);
        self.at = self.at.wrapping_add(2);
        Ok(())
    }

    /// Reads on where the four bits of a length are all set; still less 3.
    fn read_long(&mut self) -> Result<usize, (CodecErrorKind, usize)> {
        let byte = self.input.get(self.at).copied().ok_or((CodecErrorKind::InputEnds, self.at))?;
        self.at = self.at.wrapping_add(1);
        if byte < 255 {
            return Ok(usize::from(byte).wrapping_add(15));
        }
        let mut at = self.at;
        let mut value = u16_at(self.input, at).map(u32::from).ok_or((CodecErrorKind::InputEnds, at))?;
        self.at = self.at.wrapping_add(2);
        if value == 0 {
            at = self.at;
            value = u32_at(self.input, at).ok_or((CodecErrorKind::InputEnds, at))?;
            self.at = self.at.wrapping_add(4);
        }
        if value < LEAST_LONG {
            return Err((CodecErrorKind::InvalidLength { value }, at));
        }
        Ok(to_usize(value))
    }

    /// Reads a distance whose highest set bit is the one with this number, at most 15.
    fn read_distance(&mut self, high_bit: u32) -> Result<u32, (CodecErrorKind, usize)> {
        let distance = 1_u32.wrapping_shl(high_bit) | self.peek(high_bit);
        self.take(high_bit)?;
        Ok(distance)
    }
}

/// Lossless: where `usize` is smaller, no buffer is that large.
fn to_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// How many bytes of output a block makes, but for the last one, which may make less.
pub(super) const BLOCK: usize = 0x1_0000;

/// How many bytes the code lengths of a block take.
pub(super) const TABLE_LEN: usize = 256;

/// No code is longer.
pub(super) const MAX_CODE_LEN: u8 = 15;

/// Symbols below this one stand for a byte.
pub(super) const LITERALS: u16 = 256;

/// A match of distance 1 and length 3, and where the input ends after it, the end.
pub(super) const END_OF_DATA: u16 = 256;

/// The least number that a length takes extra bytes for.
const LEAST_LONG: u32 = 15;

/// One for each number of 15 bits.
const TABLE_ENTRIES: usize = 1 << 15;

/// In a table's entry.
const SYMBOL_BITS: u32 = 9;
const SYMBOL_MASK: u16 = 0x01FF;

#[cfg(test)]
mod tests {
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

    /// A table that has a length for each of these symbols, then the rest of the block.
    fn block(lengths: &[(usize, u8)], rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 256];
        for &(symbol, length) in lengths {
            bytes[symbol / 2] |= if symbol % 2 == 0 { length } else { length << 4 };
        }
        bytes.extend(rest);
        bytes
    }

    /// "abc" and a match of distance 3 and length 297, with codes c 00, end 01, match 10, a 110, b 111.
    fn abc_block() -> Vec<u8> {
        let lengths = [(0x61, 3), (0x62, 3), (0x63, 2), (0x100, 2), (0x11F, 2)];
        block(&lengths, &[0xA8, 0xDC, 0x00, 0x00, 0xFF, 0x26, 0x01])
    }

    #[test]
    fn the_specification_s_alphabet_expands() {
        let mut lengths: Vec<_> = (0x61..=0x76).map(|symbol| (symbol, 5)).collect();
        lengths.extend([(0x77, 4), (0x78, 4), (0x79, 4), (0x7A, 4), (0x100, 4)]);
        let bits = [
            0xD8, 0x52, 0x3E, 0xD7, 0x94, 0x11, 0x5B, 0xE9, 0x19, 0x5F, 0xF9, 0xD6, 0x7C, 0xDF, 0x8D, 0x04,
            0x00, 0x00, 0x00, 0x00,
        ];
        let input = block(&lengths, &bits);
        assert_eq!(expand(&input, 26).as_deref(), Ok(&b"abcdefghijklmnopqrstuvwxyz"[..]));
        assert_eq!(expand(&input, 99).as_deref(), Ok(&b"abcdefghijklmnopqrstuvwxyz"[..]));
    }

    #[test]
    fn the_specification_s_match_expands_and_symbol_256_ends_it() {
        assert_eq!(expand(&abc_block(), 300), Ok(b"abc".repeat(100)));
        assert_eq!(expand(&abc_block(), 999), Ok(b"abc".repeat(100)));
    }

    #[test]
    fn symbol_256_inside_the_input_is_a_match() {
        // a 0, match of distance 1 and length 3: 1. Bits 0 1 0 1, and more words that make it no end.
        let input = block(&[(0x61, 1), (0x100, 1)], &[0x00, 0x50, 0, 0, 0, 0]);
        assert_eq!(expand(&input, 9).as_deref(), Ok(&b"aaaaaaaaa"[..]));
        // The same without them: the first 1 is the end.
        let input = block(&[(0x61, 1), (0x100, 1)], &[0x00, 0x50, 0, 0]);
        assert_eq!(expand(&input, 9).as_deref(), Ok(&b"a"[..]));
    }

    #[test]
    fn a_code_that_is_not_complete_is_wrong() {
        let rest = [0; 8];
        assert_eq!(expand(&block(&[], &rest), 9), Err(error(CodecErrorKind::InvalidTable, 0, 0)));
        assert_eq!(expand(&block(&[(5, 1)], &rest), 9), Err(error(CodecErrorKind::InvalidTable, 0, 0)));
        let too_many = [(5, 1), (6, 1), (7, 15)];
        assert_eq!(expand(&block(&too_many, &rest), 9), Err(error(CodecErrorKind::InvalidTable, 0, 0)));
        let mut exact: Vec<_> = (1..=15).map(|length| (usize::from(length), length)).collect();
        exact.push((16, 15));
        assert_eq!(expand(&block(&exact, &rest), 2).as_deref(), Ok(&[1, 1][..]));
    }

    #[test]
    fn a_distance_before_the_start_is_wrong() {
        // a 0, match of distance 2 or 3 and length 3: 1. Bits 0 1 and the distance's 0.
        let input = block(&[(0x61, 1), (0x110, 1)], &[0x00, 0x40, 0, 0, 0, 0]);
        assert_eq!(expand(&input, 9), Err(error(CodecErrorKind::DistanceTooFar { distance: 2 }, 260, 1)));
    }

    #[test]
    fn a_length_may_take_a_byte_and_two_and_four() {
        let with = |length: &[u8]| {
            let bytes = [&[0x00, 0x40, 0x00, 0x00], length, &[0; 4]].concat();
            // a 0, match of distance 1 and a long length: 1.
            block(&[(0x61, 1), (0x10F, 1)], &bytes)
        };
        // Bits 0 1 0: literal, match, literal.
        let expect = |count| Ok([b'a'].repeat(count));
        assert_eq!(expand(&with(&[0]), 20), expect(20));
        assert_eq!(
            expand(&with(&[0xFF, 14, 0]), 99),
            Err(error(CodecErrorKind::InvalidLength { value: 14 }, 261, 1))
        );
        assert_eq!(expand(&with(&[0xFF, 15, 0]), 20), expect(20));
        assert_eq!(expand(&with(&[0xFF, 0, 0, 0, 0, 1, 0]), 0x1_0004), expect(0x1_0004));
        let short = error(CodecErrorKind::InvalidLength { value: 1 }, 263, 1);
        assert_eq!(expand(&with(&[0xFF, 0, 0, 1, 0, 0, 0]), 99), Err(short));
    }

    #[test]
    fn input_that_ends_says_where_and_after_how_many_bytes() {
        let input = abc_block();
        let ends = |at, produced| Err(error(CodecErrorKind::InputEnds, at, produced));
        assert_eq!(expand(&input[..255], 300), ends(0, 0));
        assert_eq!(expand(&input[..257], 300), ends(256, 0));
        assert_eq!(expand(&input[..259], 300), ends(258, 0));
        assert_eq!(expand(&input[..260], 300), ends(260, 3));
        assert_eq!(expand(&input[..261], 300), ends(261, 3));
        assert_eq!(expand(&input[..262], 300), ends(261, 3));
        assert_eq!(expand(&[], 300).as_deref(), Ok(&[][..]));
    }
}
