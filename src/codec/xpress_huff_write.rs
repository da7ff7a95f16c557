//! Writes XPRESS_HUFF, the mirror of [`super::xpress_huff`].

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::matcher::{Found, Matcher, Reach};
use super::xpress_huff::{BLOCK, END_OF_DATA, LITERALS, MAX_CODE_LEN, TABLE_LEN};

/// See [`super::compress`].
///
/// Ends with symbol 256, and has no match that is written like it: a reader cannot take one for the other.
pub(super) fn compress(input: &[u8], output: &mut Vec<u8>) {
    let mut matcher = Matcher::new(FARTHEST + 1);
    let mut tokens = Vec::with_capacity(input.len().min(BLOCK).saturating_add(1));
    let mut start = 0_usize;
    // Every round writes a block of input, or all of it.
    loop {
        let end = start.saturating_add(BLOCK).min(input.len());
        tokens.clear();
        tokenize(input.get(..end).unwrap_or(input), start, &mut matcher, &mut tokens);
        if end == input.len() {
            tokens.push(Token::End);
        }
        write_block(&tokens, output);
        if end == input.len() {
            break;
        }
        start = end;
    }
}

#[derive(Clone, Copy, Debug)]
enum Token {
    Literal(u8),
    Match(Found),
    End,
}

impl Token {
    fn symbol(self) -> u16 {
        match self {
            Self::Literal(byte) => byte.into(),
            Self::End => END_OF_DATA,
            Self::Match(Found { distance, length }) => {
                let length = u16::try_from(length.saturating_sub(3).min(15)).unwrap_or_default();
                let high_bit = u16::try_from(high_bit(distance)).unwrap_or_default();
                LITERALS | high_bit.wrapping_shl(4) | length
            }
        }
    }
}

/// The number of the highest bit that is set, 0 to 15.
fn high_bit(distance: usize) -> u32 {
    distance.checked_ilog2().unwrap_or_default().min(15)
}

/// Cuts the block from `start` to the end of `input` into tokens. Matches may reach into blocks before.
fn tokenize(input: &[u8], start: usize, matcher: &mut Matcher, tokens: &mut Vec<Token>) {
    let mut at = start;
    // Every round takes a byte of input at least.
    while let Some(&byte) = input.get(at) {
        let found = matcher.find(input, at, Reach { start: 0, distance: FARTHEST, length: BLOCK });
        // That match is symbol 256, which at the end of the input would be the end of the data.
        let found = found.filter(|&found| found != Found { distance: 1, length: 3 });
        tokens.push(found.map_or(Token::Literal(byte), Token::Match));
        at = at.saturating_add(found.map_or(1, |found| found.length));
    }
}

fn write_block(tokens: &[Token], output: &mut Vec<u8>) {
    let mut uses = [0_u32; SYMBOLS];
    for token in tokens {
        if let Some(uses) = uses.get_mut(usize::from(token.symbol())) {
            *uses = uses.saturating_add(1);
        }
    }
    if uses.iter().filter(|&&uses| uses > 0).count() < 2 {
        // A code needs two symbols to be complete: here are two at least, though one or two are for nothing.
        for uses in uses.iter_mut().take(2) {
            *uses = (*uses).max(1);
        }
    }
    let lengths = code_lengths(&uses);
    let codes = codes(&lengths);

    let (pairs, _) = lengths.as_chunks::<2>();
    output.extend(pairs.iter().map(|&[even, odd]| even | odd.wrapping_shl(4)));
    let mut bits = BitWriter::new(output);
    for token in tokens {
        let symbol = usize::from(token.symbol());
        if let (Some(&code), Some(&length)) = (codes.get(symbol), lengths.get(symbol)) {
            bits.write(code.into(), length.into());
        }
        if let Token::Match(Found { distance, length }) = *token {
            bits.write_length(length.saturating_sub(3));
            let high_bit = high_bit(distance);
            let rest = distance & !usize::MAX.wrapping_shl(high_bit);
            bits.write(u32::try_from(rest).unwrap_or_default(), high_bit);
        }
    }
    bits.finish();
}

/// Huffman's code lengths for symbols used so often, 0 for one that is not; none above 15. At least two are used.
fn code_lengths(uses: &[u32; SYMBOLS]) -> [u8; SYMBOLS] {
    let mut weights = *uses;
    // Halving brings the weights together, and the codes to like lengths: with all at 1 none is longer than 9. The loop ends.
    loop {
        let lengths = unlimited_code_lengths(&weights);
        if lengths.iter().all(|&length| length <= MAX_CODE_LEN) {
            return lengths;
        }
        for weight in weights.iter_mut().filter(|weight| **weight > 0) {
            *weight = weight.div_ceil(2);
        }
    }
}

fn unlimited_code_lengths(weights: &[u32; SYMBOLS]) -> [u8; SYMBOLS] {
    /// A symbol, or two nodes under one; they come in rising weight, so the parents do too.
    #[derive(Clone, Copy)]
    struct Node {
        weight: u32,
        parent: usize,
    }
    let mut symbols: Vec<(u32, usize)> = (0..)
        .zip(weights)
        .filter(|&(_, &weight)| weight > 0)
        .map(|(symbol, &weight)| (weight, symbol))
        .collect();
    symbols.sort_unstable();
    let leaves: Vec<Node> = symbols.iter().map(|&(weight, _)| Node { weight, parent: 0 }).collect();
    let count = leaves.len();

    // Leaves first, then parents in the order they were made. The two lightest without a parent are at the front of either.
    let mut nodes = leaves;
    let mut next_leaf = 0_usize;
    let mut next_parent = count;
    for _ in 1..count {
        let parent = nodes.len();
        let mut weight = 0_u32;
        for _ in 0..2 {
            let leaf = nodes.get(next_leaf).filter(|_| next_leaf < count).map(|node| node.weight);
            let inner = nodes.get(next_parent).map(|node| node.weight);
            let next = match (leaf, inner) {
                (Some(leaf), Some(inner)) if inner < leaf => &mut next_parent,
                (Some(_), _) => &mut next_leaf,
                (None, _) => &mut next_parent,
            };
            if let Some(node) = nodes.get_mut(*next) {
                node.parent = parent;
                weight = weight.saturating_add(node.weight);
            }
            *next = next.wrapping_add(1);
        }
        nodes.push(Node { weight, parent });
    }

    // From the root, the last, down: each node lies one below its parent, which comes later.
    let mut depths = vec![0_u8; nodes.len()];
    for (index, node) in nodes.iter().enumerate().rev().skip(1) {
        let depth = depths.get(node.parent).copied().unwrap_or_default().saturating_add(1);
        if let Some(place) = depths.get_mut(index) {
            *place = depth;
        }
    }
    let mut lengths = [0; SYMBOLS];
    for (&(_, symbol), depth) in symbols.iter().zip(depths) {
        if let Some(length) = lengths.get_mut(symbol) {
            *length = depth;
        }
    }
    lengths
}

/// Canonical codes: given out by length, then symbol.
fn codes(lengths: &[u8; SYMBOLS]) -> Box<[u16]> {
    let mut codes = vec![0; SYMBOLS];
    let mut next = 0_u16;
    for length in 1..=MAX_CODE_LEN {
        next = next.wrapping_shl(1);
        for (code, _) in codes.iter_mut().zip(lengths).filter(|&(_, &symbol_length)| symbol_length == length)
        {
            *code = next;
            next = next.wrapping_add(1);
        }
    }
    codes.into_boxed_slice()
}

/// Words of 16 bits, filled from the top, and bytes between them.
///
/// A reader is always ahead by one word that is not full and the next one, so room for both is kept before any bytes.
#[derive(Debug)]
struct BitWriter<'o> {
    output: &'o mut Vec<u8>,
    /// The word that fills up.
    word: u16,
    /// How many of its bits are free, 0 to 16.
    free: u32,
    /// Where it is to go, and the one after it.
    places: [usize; 2],
}

impl<'o> BitWriter<'o> {
    fn new(output: &'o mut Vec<u8>) -> Self {
        let mut writer = Self { output, word: 0, free: 16, places: [0; 2] };
        writer.places = [writer.reserve(), writer.reserve()];
        writer
    }

    /// Writes the `count` lowest bits of `value`, at most 15.
    fn write(&mut self, value: u32, count: u32) {
        if let Some(free) = self.free.checked_sub(count) {
            self.word |= low_word(value.wrapping_shl(free));
            self.free = free;
        } else {
            let over = count.saturating_sub(self.free);
            self.word |= low_word(value.wrapping_shr(over));
            self.put_word();
            let [_, next] = self.places;
            self.places = [next, self.reserve()];
            self.free = 16_u32.saturating_sub(over);
            self.word = low_word(value.wrapping_shl(self.free));
        }
    }

    /// Writes the bytes of a match's length, less 3, if its symbol does not say it.
    fn write_length(&mut self, length: usize) {
        if let Some(rest) = length.checked_sub(15) {
            self.output.push(u8::try_from(rest).unwrap_or(u8::MAX));
            if rest >= 255 {
                self.output.extend(u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
            }
        }
    }

    /// The word after the last one stays zero: a reader wants it, but takes no bits from it.
    fn finish(mut self) {
        self.put_word();
    }

    fn reserve(&mut self) -> usize {
        let place = self.output.len();
        self.output.extend([0; 2]);
        place
    }

    fn put_word(&mut self) {
        let [place, _] = self.places;
        if let Some(place) = self.output.get_mut(place..).and_then(<[u8]>::first_chunk_mut) {
            *place = self.word.to_le_bytes();
        }
    }
}

fn low_word(value: u32) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}

const SYMBOLS: usize = TABLE_LEN * 2;

/// The greatest distance: 16 bits.
const FARTHEST: usize = 0xFFFF;

#[cfg(test)]
mod tests {
    use super::*;

    /// Uses of the first symbols; the others have none.
    fn lengths(uses: &[u32]) -> Vec<u8> {
        let mut all = [0; SYMBOLS];
        all[..uses.len()].copy_from_slice(uses);
        let lengths = code_lengths(&all);
        assert_eq!(lengths[uses.len()..], [0; SYMBOLS][uses.len()..]);
        lengths[..uses.len()].to_vec()
    }

    /// The share of the code that is given out, in units of the longest code.
    fn claimed(lengths: &[u8]) -> u32 {
        lengths.iter().filter(|&&length| length > 0).map(|&length| 1 << (MAX_CODE_LEN - length)).sum()
    }

    #[test]
    fn symbols_that_are_used_more_get_shorter_codes() {
        assert_eq!(lengths(&[1, 1]), [1, 1]);
        assert_eq!(lengths(&[5, 0, 2, 1]), [1, 0, 2, 2]);
        assert_eq!(lengths(&[1, 1, 1, 1, 1]), [3, 3, 2, 2, 2]);
        assert_eq!(lengths(&[4, 4, 4, 4]), [2, 2, 2, 2]);
    }

    #[test]
    fn a_code_that_would_get_too_long_is_kept_to_15_bits_and_complete() {
        // Uses that rise like Fibonacci's numbers make the deepest tree: 22 symbols, and 21 bits without the limit.
        let mut uses = vec![1, 1];
        while uses.len() < 22 {
            uses.push(uses[uses.len() - 1] + uses[uses.len() - 2]);
        }
        let mut all = [0; SYMBOLS];
        all[..22].copy_from_slice(&uses);
        assert_eq!(unlimited_code_lengths(&all)[0], 21);

        let lengths = lengths(&uses);
        assert!(lengths.iter().all(|&length| (1..=15).contains(&length)), "{lengths:?}");
        assert_eq!(claimed(&lengths), 1 << 15);
    }

    #[test]
    fn codes_are_given_out_by_length_and_then_symbol() {
        let mut lengths = [0; SYMBOLS];
        lengths[..5].copy_from_slice(&[3, 3, 2, 2, 2]);
        assert_eq!(codes(&lengths)[..5], [0b110, 0b111, 0b00, 0b01, 0b10]);
    }

    #[test]
    fn the_specification_s_example_comes_out_byte_for_byte() {
        let mut output = Vec::new();
        compress(&b"abc".repeat(100), &mut output);
        let mut expected = vec![0; 256];
        expected[0x30] = 0x30; // 0x61 a: 3
        expected[0x31] = 0x23; // 0x62 b: 3, 0x63 c: 2
        expected[0x80] = 0x02; // 0x100 end: 2
        expected[0x8F] = 0x20; // 0x11F distance 2 or 3, long: 2
        expected.extend([0xA8, 0xDC, 0x00, 0x00, 0xFF, 0x26, 0x01]);
        assert_eq!(output, expected);
    }

    #[test]
    fn nothing_takes_a_block_with_the_end_alone() {
        let mut output = Vec::new();
        compress(&[], &mut output);
        let mut expected = vec![0; 256];
        expected[0x00] = 0x22; // two symbols that stand for nothing here, so that the code is complete
        expected[0x80] = 0x01; // 0x100 end: 1
        expected.extend([0; 4]);
        assert_eq!(output, expected);
    }

    #[test]
    fn a_short_run_is_not_written_like_the_end() {
        let mut tokens = Vec::new();
        tokenize(b"aaaa", 0, &mut Matcher::new(0x1_0000), &mut tokens);
        assert!(tokens.iter().all(|token| token.symbol() == 0x61));
        assert_eq!(tokens.len(), 4);
    }
}
