//! Values as JSON, written straight into bytes.
//!
//! Source: the command's contract on JSON.

use alloc::vec::Vec;
use core::fmt;

use crate::decode::error::DecodeError;
use crate::decode::format::Formatting;
use crate::decode::format::digits::{decimal, hex, hexadecimal, signed};
use crate::decode::format::out::Out;
use crate::decode::format::shown::Shown;
use crate::decode::schema::Property;
use crate::decode::value::Value;
use crate::decode::view::{Array, Struct};
use crate::decode::walk::{Field, Fields};
use crate::trace::Clock;

/// Why JSON does not have all of an event. What was appended is valid in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// The payload could not be read to its end.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Elements, members or fields were left out.
    #[error("more than {most} bytes of JSON")]
    TooLong {
        /// How many bytes there may be.
        most: usize,
    },
}

impl Formatting {
    /// Appends a value of `property` as JSON.
    ///
    /// Integers are numbers; what is hexadecimal, pointers, GUIDs, SIDs, addresses, dates, the texts of maps and bytes (as
    /// hexadecimal digits) are strings; error codes are strings such as `"0xc0000022"`; numbers without an end are
    /// `"Infinity"` and `"-Infinity"`, and what is none `"NaN"`. Nothing (a null, no SID, no date) is `null`. Arrays and
    /// structures nest; the keys of members are their names, with `_2`, `_3` behind those that others precede
    /// ([`Property::repeat`]). Unpaired surrogates become U+FFFD. What is appended is valid JSON and UTF-8 whatever the
    /// value is.
    ///
    /// The same as [`Formatting::json`] makes through `serde`, in less time.
    ///
    /// # Errors
    ///
    /// [`JsonError::TooLong`] if elements or members were left out because of the limit on the length.
    pub fn write_json(
        &self,
        property: &Property,
        value: Value<'_>,
        to: &mut Vec<u8>,
    ) -> Result<(), JsonError> {
        let mut writer = Writer::new(self, to);
        writer.value(property, value);
        writer.finish()
    }

    /// Appends what is left of `fields` as one JSON object, as far as it can be read.
    ///
    /// The object is whole in any case; what follows in the payload is then [`Fields::rest`].
    ///
    /// # Errors
    ///
    /// [`JsonError::Decode`] if decoding stopped before the last property; the object then has those before.
    /// [`JsonError::TooLong`] as in [`Formatting::write_json`].
    pub fn write_json_fields(&self, fields: &mut Fields<'_>, to: &mut Vec<u8>) -> Result<(), JsonError> {
        let mut writer = Writer::new(self, to);
        writer.to.push(b'{');
        let result = fields.enumerate().try_for_each(|(index, field)| {
            let field = field?;
            if writer.has_room() {
                writer.member(index, field);
            }
            writer.finish()
        });
        writer.to.push(b'}');
        result
    }
}

/// Appends values up to a limit, past which arrays and structures end.
struct Writer<'v> {
    clock: &'v Clock,
    to: &'v mut Vec<u8>,
    /// Up to which length values are added.
    end: usize,
    most: usize,
    /// Something was left out.
    is_cut: bool,
}

impl<'v> Writer<'v> {
    const fn new(formatting: &'v Formatting, to: &'v mut Vec<u8>) -> Self {
        let most = formatting.limit;
        let end = to.len().saturating_add(most);
        Self { clock: &formatting.clock, to, end, most, is_cut: false }
    }

    const fn finish(&self) -> Result<(), JsonError> {
        if self.is_cut { Err(JsonError::TooLong { most: self.most }) } else { Ok(()) }
    }

    const fn has_room(&mut self) -> bool {
        let has_room = self.to.len() <= self.end;
        self.is_cut |= !has_room;
        has_room
    }

    fn value(&mut self, property: &Property, value: Value<'_>) {
        let shown = Shown::new(property, value, self.clock);
        let to = &mut *self.to;
        match &shown {
            Shown::Nothing => to.extend_from_slice(b"null"),
            Shown::Bool(true) => to.extend_from_slice(b"true"),
            Shown::Bool(false) => to.extend_from_slice(b"false"),
            Shown::Signed(number) => to.extend_from_slice(signed(*number).as_bytes()),
            Shown::Unsigned(number) => to.extend_from_slice(decimal(*number).as_bytes()),
            Shown::Float(number) if number.is_finite() => write_fmt(format_args!("{number:?}"), to),
            Shown::Double(number) if number.is_finite() => write_fmt(format_args!("{number:?}"), to),
            Shown::Error(_, code) => write_quoted(hexadecimal((*code).into()).as_bytes(), to),
            Shown::Array(array) => self.array(property, *array),
            Shown::Struct(structure) => self.structure(*structure),
            shown => {
                to.push(b'"');
                // Appending cannot fail.
                let _ = shown.write(&mut Inside(to));
                to.push(b'"');
            }
        }
    }

    fn array(&mut self, property: &Property, array: Array<'_>) {
        self.to.push(b'[');
        for (index, value) in array.iter().enumerate() {
            if !self.has_room() {
                break;
            }
            if index > 0 {
                self.to.push(b',');
            }
            self.value(property, value);
        }
        self.to.push(b']');
    }

    fn structure(&mut self, structure: Struct<'_>) {
        self.to.push(b'{');
        for (index, field) in structure.fields().enumerate() {
            if !self.has_room() {
                break;
            }
            self.member(index, field);
        }
        self.to.push(b'}');
    }

    /// Appends a key and a value.
    fn member(&mut self, index: usize, field: Field<'_>) {
        let Field { property, value, .. } = field;
        if index > 0 {
            self.to.push(b',');
        }
        self.to.push(b'"');
        write_escaped(&property.name, self.to);
        if property.repeat() != 0 {
            self.to.push(b'_');
            self.to.extend_from_slice(decimal(property.repeat().into()).as_bytes());
        }
        self.to.extend_from_slice(b"\":");
        self.value(property, value);
    }
}

fn write_quoted(plain: &[u8], to: &mut Vec<u8>) {
    to.push(b'"');
    to.extend_from_slice(plain);
    to.push(b'"');
}

fn write_fmt(text: fmt::Arguments<'_>, to: &mut Vec<u8>) {
    // Appending cannot fail.
    let _ = fmt::Write::write_fmt(&mut Append(to), text);
}

/// Appends to bytes what is printed.
struct Append<'v>(&'v mut Vec<u8>);

impl fmt::Write for Append<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// The inside of a string.
struct Inside<'v>(&'v mut Vec<u8>);

impl Out for Inside<'_> {
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
        self.0.extend_from_slice(ascii);
        Ok(())
    }

    fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        fmt::Write::write_fmt(&mut Append(self.0), text)
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        write_escaped(text, self.0);
        Ok(())
    }
}

/// Appends text as it stands inside of a JSON string.
fn write_escaped(text: &str, to: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    // Every round takes the byte that is escaped.
    while let Some(at) = rest.iter().position(|byte| is_escaped(*byte)) {
        let (clean, tail) = rest.split_at_checked(at).unwrap_or_default();
        to.extend_from_slice(clean);
        let Some((byte, tail)) = tail.split_first() else { break };
        match byte {
            b'\n' => to.extend_from_slice(b"\\n"),
            b'\r' => to.extend_from_slice(b"\\r"),
            b'\t' => to.extend_from_slice(b"\\t"),
            0x08 => to.extend_from_slice(b"\\b"),
            0x0C => to.extend_from_slice(b"\\f"),
            0..0x20 => {
                let mut digits = *b"\\u00..";
                if let Some(last) = digits.last_chunk_mut::<2>() {
                    hex(&[*byte], last);
                }
                to.extend_from_slice(&digits);
            }
            byte => to.extend_from_slice(&[b'\\', *byte]),
        }
        rest = tail;
    }
    to.extend_from_slice(rest);
}

const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
