//! Text from outside on a line of a terminal.

use core::fmt::{self, Write};

/// Text with everything escaped that breaks a line or steers a terminal.
///
/// Escaped are control characters (C0, DEL, C1), the line and paragraph separators U+2028 and U+2029, and the controls of
/// the writing direction, which make text be seen elsewhere than where it is: as `\n`, `\r`, `\t`, or `\u{1b}`. Backslashes
/// are left alone, since paths are many: who needs to tell `\n` of a path from a line break takes JSON, or the text itself.
///
/// ```
/// use etweir::decode::format::Printable;
///
/// assert_eq!(Printable("C:\\new\u{1b}[31m\n").to_string(), r"C:\new\u{1b}[31m\n");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Printable<T>(pub T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escape(f), "{}", self.0)
    }
}

/// Escapes what passes through.
struct Escape<'w, W: ?Sized>(&'w mut W);

impl<W: Write + ?Sized> Write for Escape<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_printable(text, self.0)
    }
}

pub(super) fn write_printable<W: Write + ?Sized>(text: &str, to: &mut W) -> fmt::Result {
    // Nearly all text.
    if text.bytes().fold(true, |clean, byte| clean & matches!(byte, b' '..0x7F)) {
        return to.write_str(text);
    }
    let mut rest = text;
    while let Some(at) = rest.find(is_control) {
        let (clean, tail) = rest.split_at(at);
        let mut characters = tail.chars();
        to.write_str(clean)?;
        if let Some(control) = characters.next() {
            write!(to, "{}", control.escape_default())?;
        }
        rest = characters.as_str();
    }
    to.write_str(rest)
}

/// Whether a character is none to be seen: it steers, ends lines, or makes others be seen elsewhere than where they are.
pub(super) fn is_control(character: char) -> bool {
    const ARABIC_LETTER_MARK: char = '\u{61c}';
    character.is_control()
        || matches!(
            character,
            ARABIC_LETTER_MARK
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(
            Printable("a\u{1b}[31m\nb\u{9b}é\0\u{7f}").to_string(),
            r"a\u{1b}[31m\nb\u{9b}é\u{0}\u{7f}"
        );
    }

    #[test]
    fn controls_of_the_writing_direction_and_line_separators_are_escaped() {
        assert_eq!(
            Printable("a\u{202e}b\u{2066}c\u{200f}d\u{202f}\u{2065}\u{2028}").to_string(),
            "a\\u{202e}b\\u{2066}c\\u{200f}d\u{202f}\u{2065}\\u{2028}"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_steers_comes_through(text: alloc::string::String) {
            let printed = Printable(&text).to_string();
            prop_assert!(!printed.contains(is_control));
            if !text.contains(is_control) {
                prop_assert_eq!(printed, text);
            }
        }
    }
}
