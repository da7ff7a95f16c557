//! An end to text whose length the input decides.

use core::fmt::{self, Write};

/// Passes text on up to a number of bytes.
///
/// What does not fit any more is an error, which ends all work on it; [`Bounded::finish`] tells that from an error of the
/// writer behind.
pub(super) struct Bounded<'w, W: ?Sized> {
    to: &'w mut W,
    left: usize,
    is_full: bool,
}

/// What stands where text was cut off.
const ELLIPSIS: char = '\u{2026}';

impl<'w, W: Write + ?Sized> Bounded<'w, W> {
    pub(super) const fn new(to: &'w mut W, limit: usize) -> Self {
        Self { to, left: limit, is_full: false }
    }

    /// The result of writing: text that was cut off is none but an ellipsis at its end.
    pub(super) fn finish(self, result: fmt::Result) -> fmt::Result {
        if self.is_full { self.to.write_char(ELLIPSIS) } else { result }
    }
}

impl<W: Write + ?Sized> Write for Bounded<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(left) = self.left.checked_sub(text.len()) {
            self.left = left;
            return self.to.write_str(text);
        }
        self.is_full = true;
        let end = (0..=self.left).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
        self.left = 0;
        self.to.write_str(text.get(..end).unwrap_or_default())?;
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn written(limit: usize, pieces: &[&str]) -> String {
        let mut text = String::new();
        let mut bounded = Bounded::new(&mut text, limit);
        let result = pieces.iter().try_for_each(|piece| bounded.write_str(piece));
        bounded.finish(result).expect("a string takes all");
        text
    }

    #[test]
    fn text_up_to_the_limit_passes_and_more_is_cut_off() {
        assert_eq!(written(4, &["ab", "cd"]), "abcd");
        assert_eq!(written(4, &["ab", "cde", "f"]), "abcd\u{2026}");
        assert_eq!(written(0, &[""]), "");
        assert_eq!(written(0, &["a"]), "\u{2026}");
    }

    #[test]
    fn characters_are_not_cut_apart() {
        assert_eq!(written(2, &["a\u{e9}"]), "a\u{2026}");
        assert_eq!(written(3, &["a\u{e9}b"]), "a\u{e9}\u{2026}");
    }
}
