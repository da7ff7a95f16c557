//! Values as they come out of a payload: typed, and borrowed from it.

use crate::guid::Guid;
use crate::sid::Sid;
use crate::time::{FileTime, Ticks};
use crate::utf16::Utf16;

/// A value. How it is to be shown is the business of its property's out-type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
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
