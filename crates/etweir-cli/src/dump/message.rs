//! The text of an event on one line.

use core::fmt;

/// Which values a message text has a place for: bit `n - 1` for `%n`. Values past the 128th count as not there.
pub(super) fn inserts(template: &str) -> u128 {
    let mut inserts = 0;
    let mut rest = template;
    // Each turn passes a percent sign and what belongs to it.
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let (number, tail) = after.split_at_checked(digits).unwrap_or((after, ""));
        match number.parse::<u32>() {
            Ok(number) => {
                inserts |= number.checked_sub(1).and_then(|bit| 1_u128.checked_shl(bit)).unwrap_or_default();
                rest = tail;
            }
            // `%%` is no beginning.
            Err(_) => rest = tail.strip_prefix('%').unwrap_or(tail),
        }
    }
    inserts
}

/// Text with one space in place of line breaks and tabs, and of the spaces around them.
pub(super) struct OneLine<'a>(pub(super) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.0.split(['\r', '\n', '\t']).map(|part| part.trim_matches(' '));
        for (index, part) in parts.filter(|part| !part.is_empty()).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_are_found_where_the_library_finds_them() {
        assert_eq!(inserts(""), 0);
        assert_eq!(inserts("100 % and 100 %% and %n"), 0);
        assert_eq!(inserts("%1 and %3!08x!%n%%2"), 0b101);
        assert_eq!(inserts("%10%123"), 1 << 9 | 1 << 11);
        assert_eq!(inserts("%0 %99"), 1 << 98);
        assert_eq!(inserts("%"), 0);
    }

    #[test]
    fn lines_become_one() {
        assert_eq!(OneLine("a \r\n\t b\n\nc\td e  f\r\n").to_string(), "a b c d e  f");
        assert_eq!(OneLine("\n").to_string(), "");
    }
}
