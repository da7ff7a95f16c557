//! References to parameter messages in the values of events, as the Security log has them.
//!
//! Source: payload reference, "Message text".

use core::fmt::{self, Write};

/// Gives the text of a parameter message.
pub(super) type Lookup<'a> = dyn Fn(u32) -> Option<&'a str> + 'a;

/// Passes text on with the texts of parameter messages in place of `%%1234`. A reference without a text stays as it is; the
/// texts themselves are not looked through.
pub(super) struct Parameters<'w, 'l, 'a, W: ?Sized> {
    to: &'w mut W,
    lookup: &'l Lookup<'a>,
    /// What may be the start of a reference: `%`, or `%%` and up to ten digits.
    pending: [u8; PENDING],
    len: usize,
}

const PENDING: usize = "%%4294967295".len();

impl<'w, 'l, 'a, W: Write + ?Sized> Parameters<'w, 'l, 'a, W> {
    pub(super) const fn new(to: &'w mut W, lookup: &'l Lookup<'a>) -> Self {
        Self { to, lookup, pending: [0; PENDING], len: 0 }
    }

    /// Writes what is pending when no more text comes.
    pub(super) fn finish(mut self) -> fmt::Result {
        self.settle()
    }

    fn settle(&mut self) -> fmt::Result {
        let pending = self.pending.get(..self.len).unwrap_or_default();
        let pending = core::str::from_utf8(pending).unwrap_or_default();
        self.len = 0;
        let id = pending.strip_prefix("%%").and_then(|digits| digits.parse().ok());
        match id.and_then(self.lookup) {
            Some(text) => self.to.write_str(text.trim_end_matches(['\r', '\n'])),
            None => self.to.write_str(pending),
        }
    }

    fn push(&mut self, byte: u8) {
        if let Some(to) = self.pending.get_mut(self.len) {
            *to = byte;
            self.len = self.len.saturating_add(1);
        }
    }
}

impl<W: Write + ?Sized> Write for Parameters<'_, '_, '_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        // Every round takes a character or settles what is pending, after which the next takes one.
        while !rest.is_empty() {
            let next = rest.as_bytes().first().copied().unwrap_or_default();
            let is_part = match self.len {
                0 => {
                    let (clean, tail) =
                        rest.split_at_checked(rest.find('%').unwrap_or(rest.len())).unwrap_or_default();
                    self.to.write_str(clean)?;
                    rest = tail;
                    if rest.is_empty() {
                        return Ok(());
                    }
                    true
                }
                1 => next == b'%',
                PENDING => false,
                _ => next.is_ascii_digit(),
            };
            if is_part {
                self.push(if self.len == 0 { b'%' } else { next });
                rest = rest.get(1..).unwrap_or_default();
            } else {
                self.settle()?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use proptest::prelude::*;

    use super::*;

    fn expanded(pieces: &[&str]) -> String {
        let lookup = |id| match id {
            1833 => Some("Impersonation\r\n"),
            14674 => Some("Value Added %%1833"),
            u32::MAX => Some("most"),
            _ => None,
        };
        let mut text = String::new();
        let mut parameters = Parameters::new(&mut text, &lookup);
        pieces.iter().try_for_each(|piece| parameters.write_str(piece)).expect("a string takes all");
        parameters.finish().expect("a string takes all");
        text
    }

    #[test]
    fn references_become_the_texts_that_are_known() {
        assert_eq!(expanded(&["%%1833"]), "Impersonation");
        assert_eq!(expanded(&["a %%1833, %%14674."]), "a Impersonation, Value Added %%1833.");
        assert_eq!(expanded(&["%%1833%%1833"]), "ImpersonationImpersonation");
        assert_eq!(expanded(&["%%4294967295"]), "most");
    }

    #[test]
    fn what_is_no_known_reference_stays() {
        for text in [
            "",
            "%",
            "%%",
            "%1833",
            "100%",
            "%%7",
            "%%x",
            "%%%",
            "%%4294967296",
            "%%99999999999",
            "%%é",
            "é%%",
        ] {
            assert_eq!(expanded(&[text]), text);
        }
    }

    #[test]
    fn a_reference_may_come_in_pieces() {
        assert_eq!(expanded(&["a%", "%18", "", "33", "4"]), "a%%18334");
        assert_eq!(expanded(&["a%", "%18", "33", " 4"]), "aImpersonation 4");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(a in "[%0-9é1833]{0,20}", b in "[%0-9é1833]{0,20}") {
            let text = alloc::format!("{a}{b}");
            prop_assert_eq!(expanded(&[&a, &b]), expanded(&[&text]));
        }
    }
}
