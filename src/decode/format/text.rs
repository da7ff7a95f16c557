//! Values as text for people.
//!
//! Source: payload reference, "Formatting".

use core::fmt::{self, Write};

use crate::decode::format::Formatting;
use crate::decode::format::bounded::Bounded;
use crate::decode::format::date;
use crate::decode::format::digits::{decimal, hex, hexadecimal, signed};
use crate::decode::format::errors::{ErrorKind, error_name};
use crate::decode::format::network::{write_ipv4, write_ipv6};
use crate::decode::format::out::Out;
use crate::decode::format::printable::{is_control, write_printable};
use crate::decode::format::shown::Shown;
use crate::decode::schema::Property;
use crate::decode::value::{SystemTime, Value};
use crate::decode::walk::Field;
use crate::guid::Guid;
use crate::time::FileTime;

/// A value as text, written by `Display` without allocating: see [`Formatting::text`].
#[derive(Clone, Copy, Debug)]
pub struct ValueText<'a> {
    formatting: &'a Formatting,
    property: &'a Property,
    value: Value<'a>,
    style: Style,
}

/// How much of the text is to be told from what surrounds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Style {
    /// As it is.
    Exact,
    /// On one line.
    Printable,
    /// On one line, in quotes where its end could not be told otherwise.
    Word,
    /// In an array or a structure: on one line, and text in quotes.
    Inside,
}

impl<'a> ValueText<'a> {
    pub(super) const fn new(formatting: &'a Formatting, property: &'a Property, value: Value<'a>) -> Self {
        Self { formatting, property, value, style: Style::Printable }
    }

    /// The same with its characters as they are, line breaks and escape sequences of terminals included.
    #[must_use]
    pub const fn exact(mut self) -> Self {
        self.style = Style::Exact;
        self
    }

    /// The same as one word, as far as it is no array or structure: text that is empty, or has blanks, quotes or control characters, stands in quotes, inside of
    /// which a quote is `\"`.
    #[must_use]
    pub const fn quoted(mut self) -> Self {
        self.style = Style::Word;
        self
    }
}

impl fmt::Display for ValueText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut to = Bounded::new(f, self.formatting.limit);
        let result = self.write(&mut to);
        to.finish(result)
    }
}

impl<'a> ValueText<'a> {
    /// Goes as deep as structures do, which schemas limit.
    fn write<W: Write + ?Sized>(&self, to: &mut W) -> fmt::Result {
        let shown = Shown::new(self.property, self.value, &self.formatting.clock);
        match (&shown, self.style) {
            (Shown::Array(array), _) => {
                for (index, value) in array.iter().enumerate() {
                    to.write_str(if index == 0 { "[" } else { ", " })?;
                    self.inside(self.property, value).write(to)?;
                }
                to.write_str(if array.is_empty() { "[]" } else { "]" })
            }
            (Shown::Struct(structure), _) => {
                to.write_char('{')?;
                for (index, Field { property, value, .. }) in structure.fields().enumerate() {
                    if index > 0 {
                        to.write_str(", ")?;
                    }
                    write_printable(&property.name, to)?;
                    to.write_char('=')?;
                    self.inside(property, value).write(to)?;
                }
                to.write_char('}')
            }
            (shown, Style::Exact) => shown.write(&mut Exact(to)),
            (shown, Style::Printable) => shown.write(&mut OneLine(to)),
            (shown, Style::Word) if !is_text(shown) || is_word(shown) => shown.write(&mut OneLine(to)),
            (shown, Style::Inside) if !is_text(shown) => shown.write(&mut OneLine(to)),
            (shown, Style::Word | Style::Inside) => {
                to.write_char('"')?;
                shown.write(&mut InQuotes(to))?;
                to.write_char('"')
            }
        }
    }

    const fn inside(&self, property: &'a Property, value: Value<'a>) -> Self {
        Self { formatting: self.formatting, property, value, style: Style::Inside }
    }
}

const fn is_text(shown: &Shown<'_>) -> bool {
    matches!(shown, Shown::Text(_) | Shown::Name(_) | Shown::Bits(_) | Shown::Character(_))
}

/// Whether text stands for itself without quotes.
fn is_word(shown: &Shown<'_>) -> bool {
    let mut look = Look::default();
    // An error is the look's way to stop.
    shown.write(&mut look).is_ok() && look.is_there
}

impl Shown<'_> {
    /// Writes the value in the form that JSON and text have in common; codes with their names.
    pub(super) fn write(&self, out: &mut impl Out) -> fmt::Result {
        match self {
            Self::Nothing => out.plain(b"-"),
            Self::Bool(true) => out.plain(b"true"),
            Self::Bool(false) => out.plain(b"false"),
            Self::Signed(number) => out.plain(signed(*number).as_bytes()),
            Self::Unsigned(number) => out.plain(decimal(*number).as_bytes()),
            Self::Hex(number) => out.plain(hexadecimal(*number).as_bytes()),
            Self::Float(number) => {
                let is_short = is_short(number.abs().into());
                write_float(
                    f64::from(*number),
                    is_short,
                    format_args!("{number}"),
                    format_args!("{number:e}"),
                    out,
                )
            }
            Self::Double(number) => {
                let is_short = is_short(number.abs());
                write_float(*number, is_short, format_args!("{number}"), format_args!("{number:e}"), out)
            }
            Self::Character(character) => write_character(*character, out),
            Self::Text(text) => text.write(out),
            Self::Name(name) => out.text(name),
            Self::Bits(bits) => bits.write(out),
            Self::Binary(bytes) => write_hex(bytes, out),
            Self::Guid(guid) => out.plain(&guid_text(*guid)),
            Self::Sid(sid) => out.plain_fmt(format_args!("{sid}")),
            Self::Ipv4(address) => write_ipv4(*address, out),
            Self::Ipv6(address) => write_ipv6(*address, out),
            Self::Socket(address) => out.plain_fmt(format_args!("{address}")),
            Self::FileTime(time) => write_file_time(*time, out),
            Self::SystemTime(time) => write_system_time(time, out),
            Self::Error(kind, code) => write_error(*kind, *code, out),
            // Whoever writes takes these apart.
            Self::Array(_) | Self::Struct(_) => Ok(()),
        }
    }
}

/// Whether a number has few enough digits to be written without an exponent.
fn is_short(number: f64) -> bool {
    number == 0.0 || (1e-5..1e16).contains(&number)
}

/// The shortest digits that read back as the same number.
fn write_float(
    number: f64,
    is_short: bool,
    short: fmt::Arguments<'_>,
    long: fmt::Arguments<'_>,
    out: &mut impl Out,
) -> fmt::Result {
    match word_of(number) {
        Some(word) => out.plain(word.as_bytes()),
        None if is_short => out.plain_fmt(short),
        None => out.plain_fmt(long),
    }
}

/// What is shown of a number that is none, or has no end.
fn word_of(number: f64) -> Option<&'static str> {
    if number.is_finite() {
        return None;
    }
    Some(match (number.is_nan(), number > 0.0) {
        (true, _) => "NaN",
        (false, true) => "Infinity",
        (false, false) => "-Infinity",
    })
}

/// A zero is no character but the absence of one.
fn write_character(character: char, out: &mut impl Out) -> fmt::Result {
    if character == '\0' { Ok(()) } else { out.text(character.encode_utf8(&mut [0; 4])) }
}

fn write_hex(bytes: &[u8], out: &mut impl Out) -> fmt::Result {
    const STEP: usize = 128;
    let mut text = [0; 2 * STEP];
    bytes.chunks(STEP).try_for_each(|bytes| {
        hex(bytes, &mut text);
        out.plain(text.get(..bytes.len().saturating_mul(2)).unwrap_or_default())
    })
}

fn guid_text(guid: Guid) -> [u8; 36] {
    let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, node @ ..] = guid.to_bytes();
    let mut text = [b'-'; 36];
    let mut put = |at: usize, bytes: &[u8]| hex(bytes, text.get_mut(at..).unwrap_or_default());
    put(0, &[a3, a2, a1, a0]);
    put(9, &[b1, b0]);
    put(14, &[c1, c0]);
    put(19, &[d0, d1]);
    put(24, &node);
    text
}

fn write_file_time(time: FileTime, out: &mut impl Out) -> fmt::Result {
    match date::rfc3339(time) {
        Some(text) => out.plain(&text),
        None => out.plain_fmt(format_args!("{time}")),
    }
}

/// Numbers that are no date are shown as they are.
fn write_system_time(time: &SystemTime, out: &mut impl Out) -> fmt::Result {
    if let Some(text) = date::system_rfc3339(time) {
        return out.plain(&text);
    }
    let SystemTime { year, month, day, hour, minute, second, milliseconds, .. } = time;
    out.plain_fmt(format_args!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z"
    ))
}

/// `0xc0000022(STATUS_ACCESS_DENIED)`; a Win32 code in decimal, as people know them.
fn write_error(kind: ErrorKind, code: u32, out: &mut impl Out) -> fmt::Result {
    // What is larger is an HRESULT that was taken for a Win32 code.
    if kind == ErrorKind::Win32 && code <= 0xFFFF {
        out.plain(decimal(code.into()).as_bytes())?;
    } else {
        out.plain(hexadecimal(code.into()).as_bytes())?;
    }
    match error_name(kind, code) {
        Some(name) => out.plain_fmt(format_args!("({name})")),
        None => Ok(()),
    }
}

fn plain_str(ascii: &[u8]) -> Result<&str, fmt::Error> {
    core::str::from_utf8(ascii).map_err(|_| fmt::Error)
}

/// Writes everything as it is.
pub(super) struct Exact<'w, W: ?Sized>(pub(super) &'w mut W);

impl<W: Write + ?Sized> Out for Exact<'_, W> {
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
        self.0.write_str(plain_str(ascii)?)
    }

    fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        self.0.write_fmt(text)
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

/// Escapes what breaks a line.
struct OneLine<'w, W: ?Sized>(&'w mut W);

impl<W: Write + ?Sized> Out for OneLine<'_, W> {
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
        self.0.write_str(plain_str(ascii)?)
    }

    fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        self.0.write_fmt(text)
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        write_printable(text, self.0)
    }
}

/// Escapes quotes too.
struct InQuotes<'w, W: ?Sized>(&'w mut W);

impl<W: Write + ?Sized> Out for InQuotes<'_, W> {
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
        self.0.write_str(plain_str(ascii)?)
    }

    fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        self.0.write_fmt(text)
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        for (index, part) in text.split('"').enumerate() {
            if index > 0 {
                self.0.write_str("\\\"")?;
            }
            write_printable(part, self.0)?;
        }
        Ok(())
    }
}

/// Looks at text without writing it: an error stands for a character that only quotes make clear.
#[derive(Default)]
struct Look {
    is_there: bool,
}

impl Out for Look {
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
        self.is_there |= !ascii.is_empty();
        Ok(())
    }

    fn plain_fmt(&mut self, _: fmt::Arguments<'_>) -> fmt::Result {
        self.is_there = true;
        Ok(())
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        self.is_there |= !text.is_empty();
        let is_odd = |c: char| c.is_whitespace() || c == '"' || is_control(c);
        let is_clear = text.bytes().all(|byte| matches!(byte, b'!' | b'#'..=b'~')) || !text.contains(is_odd);
        if is_clear { Ok(()) } else { Err(fmt::Error) }
    }
}
