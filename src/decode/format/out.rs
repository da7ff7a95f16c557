//! Where the text of values goes: to a writer as it is, or into a JSON string.

use core::fmt;

/// What text is appended to. The two kinds of text are kept apart because most values need no look at their characters.
pub(super) trait Out {
    /// Appends ASCII that neither JSON nor a terminal takes for anything but itself.
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result;

    /// The same of what only the formatting machinery can print.
    fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result;

    /// Appends text of any characters.
    fn text(&mut self, text: &str) -> fmt::Result;
}
