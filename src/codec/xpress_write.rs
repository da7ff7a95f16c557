//! Writes XPRESS, the mirror of [`super::xpress`].

use alloc::vec::Vec;

use super::matcher::{Found, Matcher, Reach};

/// See [`super::compress`].
///
/// Ends with set flag bits that have no match, as Windows does; a reader that knows no length takes them for the end.
pub(super) fn compress(input: &[u8], output: &mut Vec<u8>) {
    let mut matcher = Matcher::new(FARTHEST);
    let mut writer = Writer::new(output);
    let mut at = 0_usize;
    // Every round writes a byte of input at least.
    while let Some(&byte) = input.get(at) {
        let reach = Reach { start: 0, distance: FARTHEST, length: LONGEST };
        let found = matcher.find(input, at, reach);
        match found {
            Some(found) => writer.write_match(found),
            None => writer.write_literal(byte),
        }
        at = at.saturating_add(found.map_or(1, |found| found.length));
    }
    writer.finish();
}

#[derive(Debug)]
struct Writer<'o> {
    output: &'o mut Vec<u8>,
    /// The flag bits for the tokens since `flags_at`, the last one lowest.
    flags: u32,
    count: u32,
    /// Where the flag word is to go.
    flags_at: usize,
    /// The byte whose upper half the next long length takes.
    half_at: Option<usize>,
}

impl<'o> Writer<'o> {
    fn new(output: &'o mut Vec<u8>) -> Self {
        let mut writer = Self { output, flags: 0, count: 0, flags_at: 0, half_at: None };
        writer.begin_flags();
        writer
    }

    fn write_literal(&mut self, byte: u8) {
        self.output.push(byte);
        self.write_flag(0);
    }

    fn write_match(&mut self, Found { distance, length }: Found) {
        let rest = length.saturating_sub(3);
        let token = distance.saturating_sub(1).wrapping_shl(3) | rest.min(7);
        self.push_low_bytes::<2>(token);
        if let Some(rest) = rest.checked_sub(7) {
            self.write_half(rest.min(15));
            if let Some(rest) = rest.checked_sub(15) {
                self.push_low_bytes::<1>(rest.min(255));
                if rest >= 255 {
                    self.push_low_bytes::<2>(length.saturating_sub(3));
                }
            }
        }
        self.write_flag(1);
    }

    /// Writes four bits of a length, two of which share a byte.
    fn write_half(&mut self, four_bits: usize) {
        if let Some(at) = self.half_at.take() {
            if let Some(byte) = self.output.get_mut(at) {
                *byte |= low_bytes::<1>(four_bits)[0].wrapping_shl(4);
            }
        } else {
            self.half_at = Some(self.output.len());
            self.push_low_bytes::<1>(four_bits);
        }
    }

    fn write_flag(&mut self, flag: u32) {
        self.flags = self.flags.wrapping_shl(1) | flag;
        self.count = self.count.wrapping_add(1);
        if self.count == 32 {
            self.end_flags();
            self.begin_flags();
        }
    }

    fn finish(mut self) {
        while self.count < 32 {
            self.flags = self.flags.wrapping_shl(1) | 1;
            self.count = self.count.wrapping_add(1);
        }
        self.end_flags();
    }

    fn begin_flags(&mut self) {
        self.flags_at = self.output.len();
        self.output.extend([0; 4]);
        self.flags = 0;
        self.count = 0;
    }

    fn end_flags(&mut self) {
        if let Some(place) = self.output.get_mut(self.flags_at..).and_then(<[u8]>::first_chunk_mut) {
            *place = self.flags.to_le_bytes();
        }
    }

    fn push_low_bytes<const N: usize>(&mut self, value: usize) {
        self.output.extend(low_bytes::<N>(value));
    }
}

/// The lowest bytes of a value that has no others.
fn low_bytes<const N: usize>(value: usize) -> [u8; N] {
    value.to_le_bytes().first_chunk().copied().unwrap_or([0; N])
}

/// The greatest distance: 13 bits, and 1.
const FARTHEST: usize = 8192;

/// The greatest length without the form of four bytes, which only one match in a megabyte could use.
const LONGEST: usize = 0xFFFF + 3;

#[cfg(test)]
mod tests {
    use proptest::collection::vec as vec_of;
    use proptest::prelude::*;

    use super::super::xpress::tests::check_against_plain;
    use super::*;

    fn packed(input: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        compress(input, &mut output);
        output
    }

    #[test]
    fn the_specification_s_examples_come_out_byte_for_byte() {
        assert_eq!(packed(b"abcdefghijklmnopqrstuvwxyz"), *b"\x3F\0\0\0abcdefghijklmnopqrstuvwxyz");
        assert_eq!(packed(&b"abc".repeat(100)), *b"\xFF\xFF\xFF\x1Fabc\x17\0\x0F\xFF\x26\x01");
    }

    #[test]
    fn a_flag_word_always_follows_the_last_token() {
        assert_eq!(packed(b""), [0xFF; 4]);
        let input: Vec<u8> = (0..32).collect();
        assert_eq!(packed(&input), [&[0; 4][..], &input, &[0xFF; 4]].concat());
    }

    /// A token: a literal, or a match whose distance is cut to what is there.
    fn token() -> impl Strategy<Value = Result<u8, Found>> {
        let distance = prop_oneof![4 => 1_usize..20, 1 => 1_usize..=8192];
        let length = prop_oneof![6 => 3_usize..40, 2 => 3_usize..400, 1 => 3_usize..3000];
        prop_oneof![
            any::<u8>().prop_map(Ok),
            (distance, length).prop_map(|(distance, length)| Err(Found { distance, length })),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_row_of_tokens_expands_fast_as_it_does_plainly(
            tokens in vec_of(token(), 0..120),
            flip in proptest::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>())),
            cut_off in 0_usize..100,
        ) {
            let mut input = Vec::new();
            let mut writer = Writer::new(&mut input);
            let mut length = 0_usize;
            for token in tokens {
                match token {
                    Err(Found { distance, length: size }) if length > 0 => {
                        writer.write_match(Found { distance: distance.min(length), length: size });
                        length += size;
                    }
                    token => {
                        writer.write_literal(token.unwrap_or(b'!'));
                        length += 1;
                    }
                }
            }
            writer.finish();
            if let Some((index, byte)) = flip {
                *index.get_mut(&mut input) = byte;
            }
            check_against_plain(&input, length.saturating_sub(cut_off))?;
            check_against_plain(&input, length + 1)?;
        }
    }
}
