//! The text of an event with its values put in.
//!
//! Source: payload reference, "Message text".

use core::fmt::{self, Write};

use crate::decode::format::Formatting;
use crate::decode::format::bounded::Bounded;
use crate::decode::format::parameters::{Lookup, Parameters};
use crate::decode::format::printf::Spec;
use crate::decode::format::shown::Shown;
use crate::decode::walk::{Field, Fields};

impl Formatting {
    /// The message of an event, which `FormatMessage` would make: `%1` is the first of `fields`, an array or a structure
    /// counts as one. See [`Message`].
    #[must_use]
    pub const fn message<'a>(&'a self, template: &'a str, fields: Fields<'a>) -> Message<'a> {
        Message { formatting: self, template, fields, parameters: None }
    }
}

/// A message text with the values of an event, written by `Display` without allocating.
///
/// `%1` to `%99` stand for values, which look as [`Formatting::text`] has them, but with all their characters: who prints a
/// message on a line of a terminal wraps it in [`Printable`](crate::decode::format::Printable). `%1!08x!` prints a number in
/// its own way, and `%1!-20s!` fills up a text. `%n` is a line break, `%r` a carriage return, `%t` a tab, `%b` a blank, `%%`,
/// `%.` and `%!` the character, and `%0` ends the text. Everything else stays as it is, references to values that are not
/// there too; line breaks at the end are left out.
///
/// The work is linear in the lengths of template, payload and text, and the text ends with an ellipsis at 64 KiB, which is
/// more than `FormatMessage` makes.
#[derive(Clone)]
pub struct Message<'a> {
    formatting: &'a Formatting,
    template: &'a str,
    fields: Fields<'a>,
    parameters: Option<&'a Lookup<'a>>,
}

/// The longest message in bytes.
const LONGEST: usize = 64 * 1024;

impl<'a> Message<'a> {
    /// Puts texts in place of references to parameter messages in values, such as `%%1833`. `lookup` gives the text of a
    /// number; references without one stay.
    #[must_use]
    pub fn with_parameters(mut self, lookup: &'a (dyn Fn(u32) -> Option<&'a str> + 'a)) -> Self {
        self.parameters = Some(lookup);
        self
    }

    /// The first values of the event, as many as the template may ask for.
    fn write<const N: usize>(&self, to: &mut Bounded<'_, fmt::Formatter<'_>>) -> fmt::Result {
        let mut values = [None; N];
        for (to, field) in values.iter_mut().zip(self.fields.clone().map_while(Result::ok)) {
            *to = Some(field);
        }
        for piece in Pieces::new(self.template) {
            match piece {
                Piece::Text(text) => to.write_str(text)?,
                Piece::Insert { number, spec, source } => {
                    match values.get(usize::from(number).saturating_sub(1)).copied().flatten() {
                        Some(field) => self.write_value(field, spec, to)?,
                        None => to.write_str(source)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn write_value(&self, field: Field<'_>, spec: Spec, to: &mut impl Write) -> fmt::Result {
        let Field { property, value, .. } = field;
        let shown = Shown::new(property, value, &self.formatting.clock);
        if let Some(result) = spec.write_number(&shown, to) {
            return result;
        }
        let text = self.formatting.text(property, value).exact();
        match (self.parameters, shown) {
            (Some(lookup), Shown::Text(_)) => {
                let mut to = Parameters::new(to, lookup);
                spec.write_text(&text, &mut to)?;
                to.finish()
            }
            _ => spec.write_text(&text, to),
        }
    }
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = Pieces::new(self.template).map(|piece| piece.insert()).max();
        let mut to = Bounded::new(f, LONGEST);
        // Most messages have few values, and memory for all that are possible would cost as much as the rest.
        let result = match most {
            None | Some(0..=8) => self.write::<8>(&mut to),
            Some(_) => self.write::<99>(&mut to),
        };
        to.finish(result)
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("template", &self.template).finish_non_exhaustive()
    }
}

/// A part of a template.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Piece<'a> {
    /// What is printed as it is.
    Text(&'a str),
    /// A value, from 1 on; what stands in the template stays if there is none.
    Insert { number: u8, spec: Spec, source: &'a str },
}

impl Piece<'_> {
    const fn insert(self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Insert { number, .. } => number,
        }
    }
}

/// Takes a template apart. Each piece takes at least one byte of it.
struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    fn new(template: &'a str) -> Self {
        Self { rest: template.trim_end_matches(['\r', '\n']) }
    }

    /// Takes so many bytes, which end with a character.
    fn take(&mut self, len: usize) -> &'a str {
        let (piece, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        self.rest = rest;
        piece
    }

    /// A piece that starts with `%`.
    fn sequence(&mut self) -> Option<Piece<'a>> {
        let text = match self.rest.as_bytes().get(1) {
            Some(b'0') => {
                self.rest = "";
                return None;
            }
            Some(b'1'..=b'9') => return Some(self.insert()),
            Some(b'n') => "\n",
            Some(b'r') => "\r",
            Some(b't') => "\t",
            Some(b'b') => " ",
            Some(b'%') => "%",
            Some(b'.') => ".",
            Some(b'!') => "!",
            _ => return Some(Piece::Text(self.take(1))),
        };
        self.take(2);
        Some(Piece::Text(text))
    }

    /// A reference to a value: `%`, one or two digits, and perhaps a format.
    fn insert(&mut self) -> Piece<'a> {
        let digits = self.rest.bytes().skip(1).take(2).take_while(u8::is_ascii_digit);
        let (len, number) = digits.fold((1_usize, 0_u8), |(len, number), digit| {
            (len.saturating_add(1), number.saturating_mul(10).saturating_add(digit & 0xF))
        });
        let (spec_len, spec) = self.spec(len).unwrap_or_default();
        Piece::Insert { number, spec, source: self.take(len.saturating_add(spec_len)) }
    }

    /// The format behind a number and its length with both exclamation marks. An exclamation mark alone is none.
    fn spec(&self, at: usize) -> Option<(usize, Spec)> {
        let text = self.rest.get(at..)?.strip_prefix('!')?;
        let len = text.bytes().take(LONGEST_SPEC).position(|byte| byte == b'!')?;
        Some((len.saturating_add(2), Spec::parse(text.get(..len)?)?))
    }
}

/// However long a format is, so many bytes of it are looked at: the work has to stay linear.
const LONGEST_SPEC: usize = 24;

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        match self.rest.find('%') {
            _ if self.rest.is_empty() => None,
            Some(0) => self.sequence(),
            Some(at) => Some(Piece::Text(self.take(at))),
            None => Some(Piece::Text(self.take(self.rest.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::decode::schema::{EventNames, Property, Schema, SchemaKind};
    use crate::decode::types::{InType, OutType};

    /// A number of four bytes, a text, and a status.
    fn schema() -> Schema {
        let properties = vec![
            Property::new("Number", InType::UInt32),
            Property::new("Text", InType::AnsiString),
            Property::new("Status", InType::UInt32).shown_as(OutType::NtStatus),
        ];
        Schema::new(SchemaKind::Trace, EventNames::default(), properties, 3).expect("a schema")
    }

    fn message(template: &str) -> String {
        message_of(template, b"\x2A\0\0\0a%n\nb\0\x22\0\0\xC0")
    }

    fn message_of(template: &str, payload: &[u8]) -> String {
        let schema = schema();
        Formatting::default().message(template, schema.fields(payload, 8)).to_string()
    }

    #[test]
    fn values_are_put_in_by_number() {
        assert_eq!(message("%1 and %2, %1"), "42 and a%n\nb, 42");
        assert_eq!(message("no values"), "no values");
        assert_eq!(message(""), "");
        assert!(message("%3").starts_with("0xc0000022"));
    }

    #[test]
    fn values_that_are_not_there_stay_as_references() {
        assert_eq!(message("%1 %4 %99 %5!d! %12"), "42 %4 %99 %5!d! %12");
        // The payload ends before the status.
        assert_eq!(message_of("%1 %2 %3", b"\x01\0\0\0a"), "1 a %3");
        assert_eq!(message_of("%1", b""), "%1");
    }

    #[test]
    fn at_most_two_digits_make_a_number() {
        assert_eq!(message("%123"), "%123");
        assert_eq!(message("%013"), "");
        assert_eq!(message("%1\u{661}"), "42\u{661}");
    }

    #[test]
    fn sequences_have_the_meaning_of_format_message() {
        assert_eq!(message("a%nb%rc%td%be%%f%.g%!h"), "a\nb\rc\td e%f.g!h");
        assert_eq!(message("%%1"), "%1");
        assert_eq!(message("before%0after"), "before");
        assert_eq!(message("100 %, 5 %x, %"), "100 %, 5 %x, %");
        assert_eq!(message("%\u{e9}%"), "%\u{e9}%");
    }

    #[test]
    fn line_breaks_are_kept_inside_and_left_out_at_the_end() {
        assert_eq!(message("a\r\nb\r\n"), "a\r\nb");
        assert_eq!(message("\r\n"), "");
        assert_eq!(message("a%n"), "a\n");
    }

    #[test]
    fn a_format_prints_a_number_in_its_own_way() {
        assert_eq!(message("0x%1!08X!."), "0x0000002A.");
        assert_eq!(message("[%1!6d!] [%1!-6d!]"), "[    42] [42    ]");
        assert_eq!(message("[%2!8s!]"), "[   a%n\nb]");
        assert_eq!(message("%1!s!"), "42");
    }

    #[test]
    fn an_exclamation_mark_is_no_format() {
        assert_eq!(message("%1! And %1!"), "42! And 42!");
        assert_eq!(message("Hello %1!"), "Hello 42!");
        assert_eq!(message("%1!%1!d!"), "42!42");
    }

    #[test]
    fn parameters_are_put_into_text_alone() {
        let schema = schema();
        let fields = schema.fields(b"\x01\0\0\0%%7, %%8\0", 8);
        let formatting = Formatting::default();
        let lookup = |id| (id == 7).then_some("seven\r\n");
        let message = formatting.message("%2 %%7", fields).with_parameters(&lookup);
        assert_eq!(message.to_string(), "seven, %%8 %7");
    }

    #[test]
    fn a_message_is_cut_off_at_64_kib() {
        let mut payload = vec![0, 0, 0, 0];
        payload.extend([b'x'; 1000]);
        payload.push(0);
        let text = message_of(&"%2".repeat(1_000_000), &payload);
        assert_eq!(text, format!("{}\u{2026}", "x".repeat(65_536)));
    }

    #[test]
    fn references_without_text_cost_no_more_than_others() {
        // Without a bound on the search for the second exclamation mark this would take minutes.
        assert_eq!(message_of(&"%2!".repeat(300_000), b"\0\0\0\0\0").len(), 65_536 + 3);
        assert_eq!(message_of(&"%99999!99999d!".repeat(10), b""), "%99999!99999d!".repeat(10));
        assert_eq!(message("%1!65535d!%1!65535d!").len(), 65_536 + 3);
    }

    #[test]
    fn the_ninth_value_is_found_and_the_ninety_ninth_too() {
        let properties: Vec<_> = (0..120).map(|_| Property::new("Byte", InType::UInt8)).collect();
        let schema =
            Schema::new(SchemaKind::Trace, EventNames::default(), properties, 120).expect("a schema");
        let payload: Vec<u8> = (1..=120).collect();
        let formatting = Formatting::default();
        let text = |template| formatting.message(template, schema.fields(&payload, 8)).to_string();
        assert_eq!(text("%8 %9 %99"), "8 9 99");
        assert_eq!(text("%8"), "8");
    }

    proptest! {
        #[test]
        fn any_template_ends_and_text_without_percent_signs_stays(
            template in "(%[0-9a-z%!]|[a %!0-9é\n]){0,60}",
            payload: Vec<u8>,
        ) {
            let text = message_of(&template, &payload);
            if !template.contains('%') {
                prop_assert_eq!(&*text, template.trim_end_matches('\n'));
            }
        }
    }
}
