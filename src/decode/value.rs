//! Values as they come out of a payload: typed, and borrowed from it.

use crate::decode::view::{Array, Struct};
use crate::guid::Guid;
use crate::sid::Sid;
use crate::time::{FileTime, Ticks};
use crate::utf16::Utf16;

/// A value. How it is to be shown is the business of its property's out-type.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
#[repr(C, u8)]
pub enum Value<'a> {
    /// Nothing: a null, or no SID.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed integer of any width.
    Int(i64),
    /// An unsigned integer of any width, also one that is shown in hexadecimal.
    UInt(u64),
    /// IEEE single.
    Float(f32),
    /// IEEE double.
    Double(f64),
    /// A pointer of 4 or 8 bytes.
    Pointer(u64),
    /// Text.
    Str(Str<'a>),
    /// Bytes.
    Binary(&'a [u8]),
    /// A GUID.
    Guid(Guid),
    /// 100 ns since 1601.
    FileTime(FileTime),
    /// A date and a time of day.
    SystemTime(SystemTime),
    /// A security identifier.
    Sid(Sid<'a>),
    /// A time in the clock of the trace.
    Ticks(Ticks),
    /// Several values.
    Array(Array<'a>),
    /// A structure.
    Struct(Struct<'a>),
}

impl<'a> Value<'a> {
    /// The number of any integer or pointer, two's complement for negative ones.
    #[inline]
    #[must_use]
    pub const fn as_u64(self) -> Option<u64> {
        match self {
            Self::Int(value) => Some(value.cast_unsigned()),
            Self::UInt(value) | Self::Pointer(value) => Some(value),
            _ => None,
        }
    }

    /// The number of an integer or pointer that a signed 64-bit number can hold.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(value),
            Self::UInt(value) | Self::Pointer(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    /// Text.
    #[must_use]
    pub const fn as_str(self) -> Option<Str<'a>> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }
}

/// Text as it lies in the payload, without what ends it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Str<'a> {
    /// UTF-16, not necessarily valid.
    Utf16(Utf16<'a>),
    /// 8-bit text: UTF-8 if it is valid as such, else of the writer's code page, which no trace tells.
    Ansi(&'a [u8]),
}

/// `SYSTEMTIME`: a date and a time of day, normally UTC.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields say what they are")]
pub struct SystemTime {
    pub year: u16,
    pub month: u16,
    pub day_of_week: u16,
    pub day: u16,
    pub hour: u16,
    pub minute: u16,
    pub second: u16,
    pub milliseconds: u16,
}

impl SystemTime {
    /// From the bytes as Windows stores them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let [y0, y1, m0, m1, w0, w1, d0, d1, h0, h1, n0, n1, s0, s1, t0, t1] = bytes;
        Self {
            year: u16::from_le_bytes([y0, y1]),
            month: u16::from_le_bytes([m0, m1]),
            day_of_week: u16::from_le_bytes([w0, w1]),
            day: u16::from_le_bytes([d0, d1]),
            hour: u16::from_le_bytes([h0, h1]),
            minute: u16::from_le_bytes([n0, n1]),
            second: u16::from_le_bytes([s0, s1]),
            milliseconds: u16::from_le_bytes([t0, t1]),
        }
    }
}
