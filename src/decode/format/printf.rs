//! The `!…!` behind an insert: how a number is to be printed.
//!
//! Source: payload reference, "Message text"; the syntax is that of `printf`.

use core::fmt::{self, Write};

use crate::decode::format::digits::{decimal, hexadecimal};
use crate::decode::format::shown::Shown;

/// A format such as `08x`, `-20s` or `I64u`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Spec {
    /// Fill up behind and not in front.
    left: bool,
    /// Fill up numbers with zeros.
    zeros: bool,
    /// `0x` in front of hexadecimal digits.
    prefix: bool,
    /// A `+` in front of positive numbers.
    plus: bool,
    width: usize,
    /// The least number of digits.
    precision: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Kind {
    /// As the value is shown anyway.
    #[default]
    Natural,
    Signed,
    Unsigned,
    LowerHex,
    UpperHex,
}

impl Spec {
    /// Reads the text between the exclamation marks; `None` if it is no format.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut spec = Self::default();
        let flags_end = text.find(|c| !matches!(c, '-' | '+' | ' ' | '#' | '0')).unwrap_or(text.len());
        let (flags, rest) = text.split_at_checked(flags_end)?;
        spec.left = flags.contains('-');
        spec.zeros = flags.contains('0');
        spec.prefix = flags.contains('#');
        spec.plus = flags.contains('+');
        let (width, mut rest) = number(rest)?;
        spec.width = width;
        if let Some(after) = rest.strip_prefix('.') {
            (spec.precision, rest) = number(after)?;
        }
        // The width of the argument: values know their own.
        let size = ["I64", "I32", "ll", "hh", "h", "l", "w", "I"]
            .into_iter()
            .find_map(|size| rest.strip_prefix(size));
        spec.kind = match size.unwrap_or(rest) {
            "d" | "i" => Kind::Signed,
            "u" => Kind::Unsigned,
            "x" => Kind::LowerHex,
            "X" => Kind::UpperHex,
            "s" | "S" | "c" | "C" | "p" | "e" | "f" | "g" | "E" | "G" => Kind::Natural,
            _ => return None,
        };
        Some(spec)
    }

    /// Writes a number as the format says; `None` if it is none, or the format says nothing of numbers.
    pub(super) fn write_number(&self, shown: &Shown<'_>, to: &mut impl Write) -> Option<fmt::Result> {
        let bits = match shown {
            Shown::Signed(number) => number.cast_unsigned(),
            Shown::Unsigned(number) | Shown::Hex(number) => *number,
            _ => return None,
        };
        let hex = hexadecimal(bits);
        let mut memory = [0; 20];
        let (sign, digits) = match self.kind {
            Kind::Natural => return None,
            Kind::Signed if bits.cast_signed() < 0 && !matches!(shown, Shown::Unsigned(_)) => {
                ("-", copy(decimal(bits.wrapping_neg()).as_bytes(), &mut memory))
            }
            Kind::Signed | Kind::Unsigned => {
                let sign = if self.plus && self.kind == Kind::Signed { "+" } else { "" };
                (sign, copy(decimal(bits).as_bytes(), &mut memory))
            }
            Kind::LowerHex | Kind::UpperHex => {
                let digits = copy(hex.as_bytes().get(2..).unwrap_or_default(), &mut memory);
                if self.kind == Kind::UpperHex {
                    digits.make_ascii_uppercase();
                }
                (if self.prefix { "0x" } else { "" }, digits)
            }
        };
        let digits = core::str::from_utf8(digits).unwrap_or_default();
        Some(self.write_digits(sign, digits, to))
    }

    fn write_digits(&self, sign: &str, digits: &str, to: &mut impl Write) -> fmt::Result {
        let mut zeros = self.precision.saturating_sub(digits.len());
        let len = sign.len().saturating_add(zeros).saturating_add(digits.len());
        let mut blanks = self.width.saturating_sub(len);
        if self.zeros && !self.left && self.precision == 0 {
            zeros = core::mem::take(&mut blanks);
        }
        if !self.left {
            fill(' ', blanks, to)?;
        }
        to.write_str(sign)?;
        fill('0', zeros, to)?;
        to.write_str(digits)?;
        if self.left { fill(' ', blanks, to) } else { Ok(()) }
    }

    /// Writes text, filled up with blanks.
    pub(super) fn write_text(&self, text: &impl fmt::Display, to: &mut impl Write) -> fmt::Result {
        if self.width == 0 {
            return write!(to, "{text}");
        }
        let mut count = Count { characters: 0, most: self.width };
        // An error is the count's way to stop.
        let _ = write!(count, "{text}");
        let blanks = self.width.saturating_sub(count.characters);
        if !self.left {
            fill(' ', blanks, to)?;
        }
        write!(to, "{text}")?;
        if self.left { fill(' ', blanks, to) } else { Ok(()) }
    }
}

/// The decimal number at the start of a text, 0 if there is none; `None` past what any message needs.
fn number(text: &str) -> Option<(usize, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    match digits {
        "" => Some((0, rest)),
        digits => Some((usize::from(digits.parse::<u16>().ok()?), rest)),
    }
}

fn copy<'m>(digits: &[u8], memory: &'m mut [u8; 20]) -> &'m mut [u8] {
    for (digit, to) in digits.iter().zip(memory.iter_mut()) {
        *to = *digit;
    }
    memory.get_mut(..digits.len()).unwrap_or_default()
}

fn fill(character: char, count: usize, to: &mut impl Write) -> fmt::Result {
    (0..count).try_for_each(|_| to.write_char(character))
}

/// Counts characters up to a number that is enough.
struct Count {
    characters: usize,
    most: usize,
}

impl Write for Count {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.characters = self.characters.saturating_add(text.chars().count());
        if self.characters < self.most { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn number_as(spec: &str, shown: Shown<'_>) -> Option<String> {
        let mut text = String::new();
        let spec = Spec::parse(spec).expect("a format");
        spec.write_number(&shown, &mut text)?.expect("a string takes all");
        Some(text)
    }

    #[test]
    fn numbers_are_printed_as_printf_does() {
        for (spec, number, text) in [
            ("d", 42, "42"),
            ("x", 0xBEEF, "beef"),
            ("X", 0xBEEF, "BEEF"),
            ("08x", 0xBEEF, "0000beef"),
            ("#x", 0xBEEF, "0xbeef"),
            ("#010x", 0xBEEF, "0x0000beef"),
            ("8.8X", 0xBEEF, "0000BEEF"),
            ("6u", 42, "    42"),
            ("-6u", 42, "42    "),
            ("-06u", 42, "42    "),
            ("I64u", u64::MAX, "18446744073709551615"),
            ("llX", u64::MAX, "FFFFFFFFFFFFFFFF"),
            ("lu", 0, "0"),
            ("+d", 5, "+5"),
            ("hd", 5, "5"),
        ] {
            assert_eq!(number_as(spec, Shown::Unsigned(number)).as_deref(), Some(text), "{spec} {number}");
        }
        assert_eq!(number_as("d", Shown::Signed(i64::MIN)).as_deref(), Some("-9223372036854775808"));
        assert_eq!(number_as("05d", Shown::Signed(-5)).as_deref(), Some("-0005"));
        assert_eq!(number_as("d", Shown::Hex(255)).as_deref(), Some("255"));
        assert_eq!(number_as("d", Shown::Hex(u64::MAX)).as_deref(), Some("-1"));
        assert_eq!(number_as("d", Shown::Unsigned(u64::MAX)).as_deref(), Some("18446744073709551615"));
        assert_eq!(number_as("s", Shown::Unsigned(1)), None);
        assert_eq!(number_as("d", Shown::Bool(true)), None);
    }

    #[test]
    fn text_is_filled_up_with_blanks() {
        let text = |spec: &str, text: &str| {
            let mut to = String::new();
            Spec::parse(spec).expect("a format").write_text(&text, &mut to).expect("a string takes all");
            to
        };
        assert_eq!(text("s", "ab"), "ab");
        assert_eq!(text("4s", "äb"), "  äb");
        assert_eq!(text("-4S", "äb"), "äb  ");
        assert_eq!(text("1s", "abc"), "abc");
    }

    #[test]
    fn what_is_no_format_is_refused() {
        for text in ["", " And ", "y", "8", "xx", "99999999999d", "5.d.", "é", "%s", "l"] {
            assert_eq!(Spec::parse(text), None, "{text:?}");
        }
    }
}
