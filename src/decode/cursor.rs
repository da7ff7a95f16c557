//! Values of one type each, read from the front of what is left of a payload.

use crate::bytes::array_at;
use crate::decode::error::DecodeError;
use crate::decode::types::InType;
use crate::decode::value::{Str, SystemTime, Value};
use crate::error::Offset;
use crate::guid::Guid;
use crate::sid::Sid;
use crate::time::{FileTime, Ticks};
use crate::utf16::{Utf16, zero_unit};

/// What is left of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a [u8],
    /// Where `rest` ends, from the start of the payload.
    end: usize,
    /// Pointers have 8 bytes.
    pub(super) wide: bool,
}

/// Why a value could not be read. Where, the caller knows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// So many bytes would have been needed.
    Short(usize),
    /// More of something than there may be.
    TooMany { what: &'static str, count: u64, most: u64 },
    /// The schema does not say how it lies.
    Unreadable(&'static str),
    /// A member could not be read.
    Member(DecodeError),
}

/// The most sub-authorities that a SID has: `SID_MAX_SUB_AUTHORITIES`.
const MOST_SUB_AUTHORITIES: u8 = 15;

impl<'a> Cursor<'a> {
    /// Over `bytes`, which start at `offset` of the payload.
    pub(super) const fn new(bytes: &'a [u8], offset: usize, wide: bool) -> Self {
        Self { rest: bytes, end: offset.saturating_add(bytes.len()), wide }
    }

    /// Where the next byte lies, from the start of the payload.
    pub(super) const fn at(&self) -> usize {
        self.end.saturating_sub(self.rest.len())
    }

    /// Goes to the next multiple of `align`, where 0 is the size of a pointer.
    pub(super) fn align(&mut self, align: u8) -> Result<(), Fault> {
        let align = match align {
            0 if self.wide => 8,
            0 => 4,
            align => usize::from(align),
        };
        let at = self.at();
        let gap = at.checked_next_multiple_of(align).unwrap_or(at).saturating_sub(at);
        self.bytes(gap).map(|_| ())
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Fault::Short(N))?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next `len` bytes.
    #[inline]
    pub(super) fn bytes(&mut self, len: usize) -> Result<&'a [u8], Fault> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Fault::Short(len))?;
        self.rest = rest;
        Ok(head)
    }

    /// The next bytes, as many as the 16 bits in front of them say.
    #[inline]
    fn counted(&mut self, from_bytes: fn([u8; 2]) -> u16) -> Result<&'a [u8], Fault> {
        let (count, rest) = self.rest.split_first_chunk().ok_or(Fault::Short(2))?;
        let count = usize::from(from_bytes(*count));
        let (head, rest) = rest.split_at_checked(count).ok_or(Fault::Short(count.saturating_add(2)))?;
        self.rest = rest;
        Ok(head)
    }

    /// A 16-bit number of elements.
    pub(super) fn prefix(&mut self) -> Result<u32, Fault> {
        self.array().map(u16::from_le_bytes).map(u32::from)
    }

    /// A value whose type alone says how it lies. Nothing is taken where it does not fit.
    #[inline]
    pub(super) fn plain(&mut self, in_type: InType) -> Result<Value<'a>, Fault> {
        Ok(match in_type {
            InType::UInt32 | InType::HexInt32 => Value::UInt(u32::from_le_bytes(self.array()?).into()),
            InType::UInt64 | InType::HexInt64 => Value::UInt(u64::from_le_bytes(self.array()?)),
            InType::UInt16 => Value::UInt(u16::from_le_bytes(self.array()?).into()),
            InType::UInt8 => Value::UInt(u8::from_le_bytes(self.array()?).into()),
            InType::Int32 => Value::Int(i32::from_le_bytes(self.array()?).into()),
            InType::Int64 => Value::Int(i64::from_le_bytes(self.array()?)),
            InType::Int16 => Value::Int(i16::from_le_bytes(self.array()?).into()),
            InType::Int8 => Value::Int(i8::from_le_bytes(self.array()?).into()),
            InType::Pointer => Value::Pointer(self.pointer()?),
            InType::SizeT => Value::UInt(self.pointer()?),
            InType::UnicodeString => Value::Str(Str::Utf16(self.unicode_string()?)),
            InType::AnsiString => Value::Str(Str::Ansi(self.ansi_string()?)),
            InType::Boolean => Value::Bool(u32::from_le_bytes(self.array()?) != 0),
            InType::Boolean8 => Value::Bool(self.array::<1>()? != [0]),
            InType::Float => Value::Float(f32::from_le_bytes(self.array()?)),
            InType::Double => Value::Double(f64::from_le_bytes(self.array()?)),
            InType::Guid => Value::Guid(Guid::from_bytes(self.array()?)),
            InType::FileTime => Value::FileTime(FileTime(i64::from_le_bytes(self.array()?))),
            InType::WmiTime => Value::Ticks(Ticks(i64::from_le_bytes(self.array()?))),
            InType::SystemTime => Value::SystemTime(SystemTime::from_bytes(self.array()?)),
            InType::CountedString => utf16(self.counted(u16::from_le_bytes)?),
            InType::CountedAnsiString => Value::Str(Str::Ansi(self.counted(u16::from_le_bytes)?)),
            InType::CountedBinary => Value::Binary(self.counted(u16::from_le_bytes)?),
            InType::ReversedCountedString => utf16(self.counted(u16::from_be_bytes)?),
            InType::ReversedCountedAnsiString => Value::Str(Str::Ansi(self.counted(u16::from_be_bytes)?)),
            InType::NonNullTerminatedString => {
                // Half a unit at the end is no part of the text.
                utf16(self.bytes(self.rest.len() & !1)?)
            }
            InType::NonNullTerminatedAnsiString => Value::Str(Str::Ansi(self.bytes(self.rest.len())?)),
            InType::Sid => Value::Sid(self.sid()?),
            InType::UnicodeChar => unicode_text(self.bytes(2)?),
            InType::AnsiChar => ansi_text(self.bytes(1)?),
            InType::HexDump => self.hex_dump()?,
            InType::WbemSid => self.wbem_sid(false)?,
            InType::Null => Value::Null,
            InType::Binary => return Err(Fault::Unreadable("a binary value without a length")),
            InType::Struct => return Err(Fault::Unreadable("a structure without members")),
            InType::Unknown => return Err(Fault::Unreadable("a type whose layout is not known")),
        })
    }

    #[inline]
    pub(super) fn pointer(&mut self) -> Result<u64, Fault> {
        if self.wide {
            self.array().map(u64::from_le_bytes)
        } else {
            self.array().map(u32::from_le_bytes).map(u64::from)
        }
    }

    /// Text to a zero unit, or to the end of the payload, where many writers save the zero. An empty text saves nothing: a
    /// payload that ends in front of a string lacks it.
    #[inline]
    pub(super) fn unicode_string(&mut self) -> Result<Utf16<'a>, Fault> {
        let (text, rest) = match zero_unit(self.rest) {
            Some(end) => {
                let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
                (text, rest.get(2..).unwrap_or_default())
            }
            None if self.rest.len() < 2 => return Err(Fault::Short(2)),
            None => self.rest.split_at_checked(self.rest.len() & !1).unwrap_or((self.rest, &[])),
        };
        self.rest = rest;
        Ok(Utf16::new(text))
    }

    /// As [`Cursor::unicode_string`], in 8-bit characters.
    #[inline]
    pub(super) fn ansi_string(&mut self) -> Result<&'a [u8], Fault> {
        if self.rest.is_empty() {
            return Err(Fault::Short(1));
        }
        let end = zero_byte(self.rest).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, &[]));
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(text)
    }

    fn sid(&mut self) -> Result<Sid<'a>, Fault> {
        let [_, count] = *array_at::<2>(self.rest, 0).ok_or(Fault::Short(8))?;
        if count > MOST_SUB_AUTHORITIES {
            return Err(Fault::TooMany {
                what: "sub-authorities of a SID",
                count: count.into(),
                most: MOST_SUB_AUTHORITIES.into(),
            });
        }
        let sid = Sid::parse(self.rest)
            .ok_or(Fault::Short(usize::from(count).saturating_mul(4).saturating_add(8)))?;
        self.bytes(sid.as_bytes().len())?;
        Ok(sid)
    }

    /// A zero of 32 bits, or a `TOKEN_USER` (two pointers) with its SID behind it. With `zeros`, the SID also follows a
    /// `TOKEN_USER` that is all zeros.
    ///
    /// Source: payload reference, "Common value types".
    pub(super) fn wbem_sid(&mut self, zeros: bool) -> Result<Value<'a>, Fault> {
        let start = *self;
        let token = u32::from_le_bytes(self.array()?);
        if token == 0 && !zeros {
            return Ok(Value::Null);
        }
        let header = if self.wide { 16 } else { 8 };
        let sid = start.rest.get(header..).ok_or(Fault::Short(header)).and_then(|rest| {
            self.rest = rest;
            self.sid()
        });
        if sid.is_err() {
            *self = start;
        }
        sid.map(Value::Sid)
    }

    /// Whether the next value is a SID behind a `TOKEN_USER` of zeros.
    pub(super) fn zero_token_user(&self) -> bool {
        let mut ahead = *self;
        self.rest.first_chunk() == Some(&[0; 4])
            && matches!(ahead.wbem_sid(true), Ok(Value::Sid(sid)) if sid.revision() == 1)
    }

    fn hex_dump(&mut self) -> Result<Value<'a>, Fault> {
        let (count, rest) = self.rest.split_first_chunk().ok_or(Fault::Short(4))?;
        let count = usize::try_from(u32::from_le_bytes(*count)).unwrap_or(usize::MAX);
        let (bytes, rest) = rest.split_at_checked(count).ok_or(Fault::Short(count.saturating_add(4)))?;
        self.rest = rest;
        Ok(Value::Binary(bytes))
    }
}

impl Fault {
    /// The error of a property that starts at `at` with `have` bytes left.
    #[cold]
    pub(super) fn at(self, property: u16, what: &'static str, at: usize, have: usize) -> DecodeError {
        let at = Offset::from(at);
        match self {
            Self::Short(need) => DecodeError::Truncated {
                property,
                what,
                at,
                need: Offset::from(need).get(),
                have: Offset::from(have).get(),
            },
            Self::TooMany { what, count, most } => DecodeError::TooMany { property, what, at, count, most },
            Self::Unreadable(what) => DecodeError::Unreadable { property, what, at },
            Self::Member(error) => error,
        }
    }
}

fn utf16(bytes: &[u8]) -> Value<'_> {
    Value::Str(Str::Utf16(Utf16::new(bytes)))
}

/// Text of a fixed size, which ends at the first zero unit.
pub(super) fn unicode_text(bytes: &[u8]) -> Value<'_> {
    let end = zero_unit(bytes).unwrap_or(bytes.len());
    utf16(bytes.get(..end).unwrap_or(bytes))
}

/// As [`unicode_text`], in 8-bit characters.
pub(super) fn ansi_text(bytes: &[u8]) -> Value<'_> {
    let end = zero_byte(bytes).unwrap_or(bytes.len());
    Value::Str(Str::Ansi(bytes.get(..end).unwrap_or(bytes)))
}

/// Where the first zero lies.
#[inline]
fn zero_byte(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|&byte| byte == 0)
}
