//! Small pieces of text, made without the formatting machinery where events are many.

use core::fmt;

use etweir::{FileTime, Guid};
use jiff::SignedDuration;
use jiff::fmt::friendly::{FractionalUnit, SpanPrinter};

/// The two lower-case hexadecimal digits of every byte.
static PAIRS: [[u8; 2]; 256] = {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut high = 0;
    let mut rest: &mut [[u8; 2]] = &mut pairs;
    while let [first, tail @ ..] = rest {
        let (a, b) = (high / 16, high % 16);
        #[allow(clippy::indexing_slicing, reason = "both are below 16, and this runs while compiling")]
        {
            *first = [DIGITS[a], DIGITS[b]];
        }
        rest = tail;
        high += 1;
    }
    pairs
};

/// Writes bytes as hexadecimal digits into as much of `to` as there is room for.
fn hex(bytes: &[u8], to: &mut [u8]) {
    for (byte, to) in bytes.iter().zip(to.chunks_exact_mut(2)) {
        to.copy_from_slice(PAIRS.get(usize::from(*byte)).unwrap_or(b"??"));
    }
}

/// Text that was made out of ASCII.
fn ascii(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}

/// Bytes as hexadecimal digits.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Hex<'_> {
    /// Appends all digits.
    pub(crate) fn append(&self, to: &mut Vec<u8>) {
        let start = to.len();
        to.resize(start + 2 * self.0.len(), 0);
        hex(self.0, to.get_mut(start..).unwrap_or_default());
    }
}

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const STEP: usize = 128;
        let mut text = [0; 2 * STEP];
        self.0.chunks(STEP).try_for_each(|bytes| {
            hex(bytes, &mut text);
            f.write_str(ascii(text.get(..2 * bytes.len()).unwrap_or_default()))
        })
    }
}

/// Appends `0x` and a number in hexadecimal, without leading zeros.
pub(crate) fn append_hexadecimal(to: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 16];
    hex(&number.to_be_bytes(), &mut digits);
    let zeros = usize::try_from(number.leading_zeros() / 4).unwrap_or_default().min(15);
    to.extend_from_slice(b"0x");
    to.extend_from_slice(digits.get(zeros..).unwrap_or_default());
}

/// `0x` and 16 hexadecimal digits.
pub(crate) fn padded_hexadecimal(number: u64) -> [u8; 18] {
    let mut text = *b"0x................";
    if let Some(digits) = text.get_mut(2..) {
        hex(&number.to_be_bytes(), digits);
    }
    text
}

/// A GUID as its 36 characters.
pub(crate) struct GuidText([u8; 36]);

impl GuidText {
    pub(crate) fn new(guid: Guid) -> Self {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d @ ..] = guid.to_bytes();
        let bytes = [a3, a2, a1, a0, b1, b0, c1, c0, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]];
        let mut text = [b'-'; 36];
        let mut bytes = bytes.as_slice();
        for (at, count) in [(0, 4), (9, 2), (14, 2), (19, 2), (24, 6)] {
            let (part, rest) = bytes.split_at_checked(count).unwrap_or_default();
            hex(part, text.get_mut(at..at + 2 * count).unwrap_or_default());
            bytes = rest;
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        ascii(&self.0)
    }
}

/// Prints times one after the other: all but the last digits are those of the time before, within a second.
pub(crate) struct Times {
    second: Option<i64>,
    text: String,
}

const PER_SECOND: i64 = 10_000_000;
/// Characters up to the digits of the fraction.
const PREFIX: usize = "2011-01-23T22:07:27.".len();

impl Times {
    pub(crate) const fn new() -> Self {
        Self { second: None, text: String::new() }
    }

    /// RFC 3339 with seven digits; `None` if the year does not have four.
    pub(crate) fn text(&mut self, time: FileTime) -> Option<&str> {
        if !time.is_rfc3339() {
            return None;
        }
        let second = time.0.div_euclid(PER_SECOND);
        if self.second == Some(second) {
            let mut digits = *b".......Z";
            let mut rest = time.0.rem_euclid(PER_SECOND);
            for digit in digits.iter_mut().rev().skip(1) {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
                rest /= 10;
            }
            self.text.truncate(PREFIX);
            self.text.push_str(ascii(&digits));
        } else {
            self.text = time.to_string();
            self.second = Some(second);
        }
        Some(&self.text)
    }
}

/// Text from outside on one line: what steers a terminal is escaped, control characters and the controls of the writing
/// direction.
pub(crate) struct Printable<T>(pub(crate) T);

impl<T: AsRef<str>> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_ref();
        while let Some(at) = rest.find(is_control) {
            let (clean, tail) = rest.split_at(at);
            let mut chars = tail.chars();
            f.write_str(clean)?;
            if let Some(control) = chars.next() {
                write!(f, "{}", control.escape_default())?;
            }
            rest = chars.as_str();
        }
        f.write_str(rest)
    }
}

/// Whether a character is none to be seen: it steers, or makes others be seen elsewhere than where they are.
fn is_control(c: char) -> bool {
    const ARABIC_LETTER_MARK: char = '\u{61c}';
    c.is_control()
        || matches!(c, ARABIC_LETTER_MARK | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from outside as a value in a line: in quotes where its end could not be told otherwise.
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needs_quotes = |c: char| c.is_whitespace() || c == '"' || is_control(c);
        // Nearly all names.
        let is_plain = self.0.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~'));
        if !self.0.is_empty() && (is_plain || !self.0.contains(needs_quotes)) {
            return f.write_str(self.0);
        }
        write!(f, "\"{}\"", Printable(self.0.replace('"', "\\\"")))
    }
}

/// A number with a comma after every three digits.
pub(crate) fn grouped(number: impl Into<i128>) -> String {
    let number = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time in words of one letter: `1m 0.5s`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    SpanPrinter::new().fractional(Some(FractionalUnit::Second)).duration_to_string(&duration)
}

/// `1 buffer`, `2 buffers`.
pub(crate) fn counted(count: u64, one: &str) -> String {
    format!("{} {one}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_read_as_the_library_prints_them() {
        let guid: Guid = "01234567-89ab-cdef-0123-456789abcdef".parse().expect("a GUID");
        assert_eq!(GuidText::new(guid).as_str(), "01234567-89ab-cdef-0123-456789abcdef");
    }

    #[test]
    fn bytes_and_numbers_become_hexadecimal() {
        assert_eq!(Hex(&[]).to_string(), "");
        assert_eq!(Hex(&[0x00, 0x9f, 0xff]).to_string(), "009fff");
        assert_eq!(Hex(&[0xa5; 300]).to_string(), "a5".repeat(300));
        assert_eq!(&padded_hexadecimal(0x12), b"0x0000000000000012");
        for (number, text) in [(0, "0x0"), (0xF, "0xf"), (0x10, "0x10"), (u64::MAX, "0xffffffffffffffff")] {
            let mut to = Vec::new();
            append_hexadecimal(&mut to, number);
            assert_eq!(to, text.as_bytes());
        }
        let mut to = b"a".to_vec();
        Hex(&[1, 0xFE]).append(&mut to);
        assert_eq!(to, b"a01fe");
    }

    #[test]
    fn times_are_those_that_the_library_prints() {
        let mut times = Times::new();
        for count in [0, 1, 9_999_999, 10_000_000, 129_402_940_472_257_591, 129_402_940_472_257_592, -1, -10]
        {
            assert_eq!(times.text(FileTime(count)), Some(&*FileTime(count).to_string()));
        }
        assert_eq!(times.text(FileTime(i64::MAX)), None);
    }

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(Printable("a\u{1b}[31m\nb\u{9b}é").to_string(), "a\\u{1b}[31m\\nb\\u{9b}é");
    }

    #[test]
    fn controls_of_the_writing_direction_are_escaped() {
        let text = "a\u{202e}b\u{2066}c\u{200f}d\u{202f}\u{2065}";
        assert_eq!(Printable(text).to_string(), "a\\u{202e}b\\u{2066}c\\u{200f}d\u{202f}\u{2065}");
    }

    #[test]
    fn words_are_quoted_where_they_have_to_be() {
        assert_eq!(Word("C:\\a\u{e9}.etl").to_string(), "C:\\a\u{e9}.etl");
        assert_eq!(Word("a b.etl").to_string(), "\"a b.etl\"");
        assert_eq!(Word("a\nb").to_string(), "\"a\\nb\"");
        assert_eq!(Word("a\u{202e}b").to_string(), "\"a\\u{202e}b\"");
        assert_eq!(Word("\"").to_string(), "\"\\\"\"");
    }

    #[test]
    fn numbers_are_grouped_and_counted() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(grouped(123_456), "123,456");
        assert_eq!(counted(1, "buffer"), "1 buffer");
        assert_eq!(counted(1000, "buffer"), "1,000 buffers");
    }
}
