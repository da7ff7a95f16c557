//! Numbers as ASCII digits in memory of their own, without the formatting machinery: values are many.

/// A short piece of ASCII text, aligned to the end of its memory.
#[derive(Clone, Copy)]
pub(super) struct Digits<const N: usize> {
    bytes: [u8; N],
    start: usize,
}

impl<const N: usize> Digits<N> {
    const EMPTY: Self = Self { bytes: [b'0'; N], start: N };

    /// Puts a byte in front of the others; the memory has room for all that its maker puts there.
    const fn push_front(&mut self, byte: u8) {
        self.start = self.start.saturating_sub(1);
        let (_, rest) = self.bytes.split_at_mut(self.start);
        if let [first, ..] = rest {
            *first = byte;
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }
}

/// A number in decimal.
pub(super) fn decimal(mut number: u64) -> Digits<20> {
    let mut digits = Digits::EMPTY;
    loop {
        digits.push_front(decimal_digit(number % 10));
        number /= 10;
        if number == 0 {
            return digits;
        }
    }
}

/// A number in decimal with its sign.
pub(super) fn signed(number: i64) -> Digits<20> {
    let mut digits = decimal(number.unsigned_abs());
    if number < 0 {
        digits.push_front(b'-');
    }
    digits
}

/// `0x` and a number in hexadecimal, lower case and without leading zeros.
pub(super) fn hexadecimal(mut number: u64) -> Digits<18> {
    let mut digits = Digits::EMPTY;
    loop {
        digits.push_front(hex_digit(number & 0xF));
        number >>= 4;
        if number == 0 {
            digits.push_front(b'x');
            digits.push_front(b'0');
            return digits;
        }
    }
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
