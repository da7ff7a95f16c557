//! Numbers as ASCII digits in memory of their own, without the formatting machinery: values are many.

/// A short piece of ASCII text, at the end of its memory.
#[derive(Clone, Copy)]
pub(super) struct Digits<const N: usize> {
    bytes: [u8; N],
    start: usize,
}

impl<const N: usize> Digits<N> {
    /// Puts a byte in front of the others.
    fn push_front(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        if let Some(to) = self.bytes.get_mut(self.start) {
            *to = byte;
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// A number in decimal.
pub(super) fn decimal(mut number: u64) -> Digits<20> {
    let (mut bytes, mut start) = ([b'0'; 20], 20_usize);
    for to in bytes.rchunks_exact_mut(2) {
        let pair = usize::try_from(number % 100).ok().and_then(|pair| PAIRS.get(pair));
        to.copy_from_slice(pair.unwrap_or(b"00"));
        start = start.saturating_sub(2);
        number /= 100;
        if number == 0 {
            break;
        }
    }
    // The first pair may have one digit.
    start = start.saturating_add(usize::from(bytes.get(start) == Some(&b'0')));
    Digits { bytes, start }
}

/// The two digits of every number below 100.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    let mut rest: &mut [[u8; 2]] = &mut pairs;
    while let [first, tail @ ..] = rest {
        *first = [b'0' + number / 10, b'0' + number % 10];
        rest = tail;
        number += 1;
    }
    pairs
};

/// A number in decimal with its sign.
pub(super) fn signed(number: i64) -> Digits<20> {
    let mut digits = decimal(number.unsigned_abs());
    if number < 0 {
        digits.push_front(b'-');
    }
    digits
}

/// `0x` and a number in hexadecimal, lower case and without leading zeros.
pub(super) fn hexadecimal(number: u64) -> Digits<18> {
    let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
    let digits = (u128::from(eight_digits([a, b, c, d])) << 64) | u128::from(eight_digits([e, f, g, h]));
    let mut bytes = [b'0'; 18];
    if let Some(to) = bytes.last_chunk_mut() {
        *to = digits.to_be_bytes();
    }
    // The last digit stays, also of zero.
    let start = usize::try_from(number.leading_zeros() / 4).unwrap_or_default().min(15);
    if let Some([zero, x]) = bytes.get_mut(start..).and_then(|rest| rest.first_chunk_mut()) {
        (*zero, *x) = (b'0', b'x');
    }
    Digits { bytes, start }
}

/// The hexadecimal digits of four bytes, made all at once; the first is the most significant.
fn eight_digits(bytes: [u8; 4]) -> u64 {
    let all = u64::from(u32::from_be_bytes(bytes));
    // Half a byte to each byte.
    let all = (all | (all << 16)) & 0x0000_FFFF_0000_FFFF;
    let all = (all | (all << 8)) & 0x00FF_00FF_00FF_00FF;
    let all = (all | (all << 4)) & 0x0F0F_0F0F_0F0F_0F0F;
    // 1 in each byte from 10 on, whose digits lie by so much further.
    let letters = (all.wrapping_add(0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let further = letters.wrapping_mul(u64::from(b'a' - b'0' - 10));
    all.wrapping_add(0x3030_3030_3030_3030).wrapping_add(further)
}

/// Fills all of `to` with the last digits of a number.
pub(super) fn fill(to: &mut [u8], mut number: u64) {
    for to in to.iter_mut().rev() {
        *to = decimal_digit(number % 10);
        number /= 10;
    }
}

/// Writes the two hexadecimal digits of each byte into as much of `to` as there is room for.
pub(super) fn hex(bytes: &[u8], to: &mut [u8]) {
    for (byte, to) in bytes.iter().zip(to.chunks_exact_mut(2)) {
        to.copy_from_slice(&[hex_digit(u64::from(byte >> 4)), hex_digit(u64::from(byte & 0xF))]);
    }
}

/// The digit of a number below 10.
fn decimal_digit(number: u64) -> u8 {
    let [low, ..] = number.to_le_bytes();
    b'0' | low
}

/// The digit of a number below 16.
fn hex_digit(number: u64) -> u8 {
    let [low, ..] = number.to_le_bytes();
    if low < 10 { b'0' | low } else { low.wrapping_add(b'a' - 10) }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_longest_numbers_have_room() {
        assert_eq!(decimal(u64::MAX).as_bytes(), b"18446744073709551615");
        assert_eq!(signed(i64::MIN).as_bytes(), b"-9223372036854775808");
        assert_eq!(hexadecimal(u64::MAX).as_bytes(), b"0xffffffffffffffff");
        assert_eq!(decimal(0).as_bytes(), b"0");
        assert_eq!(hexadecimal(0).as_bytes(), b"0x0");
    }

    #[test]
    fn a_field_is_filled_with_the_last_digits() {
        let mut field = [b'.'; 4];
        fill(&mut field, 7);
        assert_eq!(&field, b"0007");
        fill(&mut field, 123_456);
        assert_eq!(&field, b"3456");
    }

    fn text<const N: usize>(digits: &Digits<N>) -> String {
        String::from_utf8(digits.as_bytes().to_vec()).expect("ASCII")
    }

    proptest! {
        #[test]
        fn numbers_read_as_the_standard_library_prints_them(number: i64, bytes: [u8; 7]) {
            let unsigned = number.cast_unsigned();
            prop_assert_eq!(text(&signed(number)), number.to_string());
            prop_assert_eq!(text(&decimal(unsigned)), unsigned.to_string());
            prop_assert_eq!(text(&hexadecimal(unsigned)), format!("{unsigned:#x}"));
            let mut digits = [0; 14];
            hex(&bytes, &mut digits);
            let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            prop_assert_eq!(core::str::from_utf8(&digits), Ok(&*expected));
        }
    }
}
