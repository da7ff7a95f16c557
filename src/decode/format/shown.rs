//! What a value is shown as: in-type, out-type and map brought together, for text and JSON alike.
//!
//! Source: payload reference on manifests, "Out-types"; payload reference, "OutType values" and "Formatting".

use core::net::SocketAddr;

use crate::decode::format::date::{is_date, is_unset};
use crate::decode::format::errors::ErrorKind;
use crate::decode::format::map::Bits;
use crate::decode::format::network::socket_address;
use crate::decode::format::strings::{Text, ansi_to_char, unit_to_char};
use crate::decode::schema::Property;
use crate::decode::types::{InType, OutType};
use crate::decode::value::{Str, SystemTime, Value};
use crate::decode::value_map::ValueMapKind;
use crate::decode::view::{Array, Struct};
use crate::guid::Guid;
use crate::sid::Sid;
use crate::time::{FileTime, Ticks};
use crate::trace::Clock;
use crate::utf16::Utf16;

/// A value as it is to be seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shown<'a> {
    /// Nothing: a null, no SID, no date.
    Nothing,
    Bool(bool),
    Signed(i64),
    Unsigned(u64),
    /// A number in hexadecimal.
    Hex(u64),
    Float(f32),
    Double(f64),
    Character(char),
    Text(Text<'a>),
    /// The text that a map has for the value.
    Name(&'a str),
    /// The texts that a map has for the bits.
    Bits(Bits<'a>),
    Binary(&'a [u8]),
    Guid(Guid),
    Sid(Sid<'a>),
    Ipv4([u8; 4]),
    Ipv6([u8; 16]),
    Socket(SocketAddr),
    FileTime(FileTime),
    SystemTime(SystemTime),
    Error(ErrorKind, u32),
    Array(Array<'a>),
    Struct(Struct<'a>),
}

impl<'a> Shown<'a> {
    /// Decides how a value of `property` is shown. Pairs of types that make no sense are shown as the in-type says.
    pub(super) fn new(property: &'a Property, value: Value<'a>, clock: &Clock) -> Self {
        let out_type = property.out_type;
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(value) => match mapped(property, value.into(), None) {
                Some(Self::Name(name)) => Self::Name(name),
                _ => Self::Bool(value),
            },
            Value::Int(value) => Self::integer(property, Integer::signed(value, property.in_type), clock),
            Value::UInt(value) => Self::integer(property, Integer::unsigned(value, property.in_type), clock),
            Value::Float(value) => Self::Float(value),
            Value::Double(value) => Self::Double(value),
            Value::Pointer(value) => match out_type {
                OutType::Unsigned => Self::Unsigned(value),
                _ => Self::Hex(value),
            },
            Value::Str(text) => Self::Text(Text::new(text, out_type)),
            Value::Binary(bytes) => Self::binary(bytes, out_type),
            Value::Guid(guid) => Self::Guid(guid),
            Value::FileTime(time) => Self::file_time(time),
            Value::SystemTime(time) if is_unset(&time) => Self::Nothing,
            Value::SystemTime(time) => Self::SystemTime(time),
            Value::Sid(sid) => Self::Sid(sid),
            Value::Ticks(ticks) => Self::ticks(ticks, clock),
            Value::Array(array) => Self::array(property, array),
            Value::Struct(structure) => Self::Struct(structure),
        }
    }

    /// Characters in a row are a text.
    fn array(property: &Property, array: Array<'a>) -> Self {
        let text = match (property.out_type, property.in_type) {
            (OutType::String, InType::Int8 | InType::UInt8) => Str::Ansi(array.as_bytes()),
            (OutType::String, InType::UInt16) => Str::Utf16(Utf16::new(array.as_bytes())),
            _ => return Self::Array(array),
        };
        Self::Text(Text::new(text, OutType::String))
    }

    fn file_time(time: FileTime) -> Self {
        if is_date(time) { Self::FileTime(time) } else { Self::Nothing }
    }

    fn binary(bytes: &'a [u8], out_type: OutType) -> Self {
        match (out_type, bytes) {
            (OutType::Ipv6, bytes) if bytes.len() == 16 => {
                bytes.first_chunk().map_or(Self::Binary(bytes), |address| Self::Ipv6(*address))
            }
            (OutType::Ipv4 | OutType::Ipv6, [a, b, c, d]) => Self::Ipv4([*a, *b, *c, *d]),
            (OutType::SocketAddress, bytes) => {
                socket_address(bytes).map_or(Self::Binary(bytes), Self::Socket)
            }
            _ => Self::Binary(bytes),
        }
    }

    /// A stamp of the session's clock. Zero was never set, as no event lies that early.
    fn ticks(ticks: Ticks, clock: &Clock) -> Self {
        match clock.to_file_time(ticks) {
            _ if ticks.0 == 0 => Self::Nothing,
            Some(time) => Self::file_time(time),
            None => Self::Signed(ticks.0),
        }
    }

    fn integer(property: &'a Property, number: Integer, clock: &Clock) -> Self {
        if let Some(mapped) = mapped(property, number.bits, number.negative) {
            return mapped;
        }
        let bits = number.bits;
        match (property.out_type, number.width) {
            (OutType::Hex | OutType::CodePointer, _) => return Self::Hex(bits),
            (OutType::Unsigned, _) => return Self::Unsigned(bits),
            (OutType::Signed, _) => return Self::Signed(number.to_signed()),
            (OutType::String, Width::W8) => return Self::Character(ansi_to_char(low_byte(bits))),
            (OutType::String, Width::W16) => return Self::Character(unit_to_char(low_unit(bits))),
            (OutType::Boolean, Width::W8) => return Self::Bool(bits != 0),
            (OutType::Port, Width::W16) => return Self::Unsigned(low_unit(bits).swap_bytes().into()),
            // A 4-byte value typed IPv6 is an IPv4 address.
            (OutType::Ipv4 | OutType::Ipv6, Width::W32) => return Self::Ipv4(low_word(bits).to_le_bytes()),
            (OutType::Pid | OutType::Tid, Width::W32) => return Self::Unsigned(bits),
            (OutType::ErrorCode, Width::W32) => return Self::Hex(bits),
            (OutType::Win32Error, Width::W32) => return Self::Error(ErrorKind::Win32, low_word(bits)),
            (OutType::NtStatus, Width::W32) => return Self::Error(ErrorKind::NtStatus, low_word(bits)),
            (OutType::HResult, Width::W32) => return Self::Error(ErrorKind::HResult, low_word(bits)),
            (OutType::DateTime | OutType::DateTimeCultureInsensitive | OutType::DateTimeUtc, Width::W64) => {
                return Self::file_time(FileTime(bits.cast_signed()));
            }
            (OutType::EtwTime, Width::W64) => {
                return Self::ticks(Ticks(bits.cast_signed()), clock);
            }
            _ => {}
        }
        match (property.in_type, number.negative) {
            (InType::HexInt32 | InType::HexInt64 | InType::Pointer | InType::SizeT, _) => Self::Hex(bits),
            (_, Some(negative)) => Self::Signed(negative),
            (_, None) => Self::Unsigned(bits),
        }
    }
}

/// What the map of a property, if it has one, makes of a value. Without a text for it the number is shown in decimal.
fn mapped(property: &Property, bits: u64, negative: Option<i64>) -> Option<Shown<'_>> {
    let map = property.map.as_deref()?;
    Some(match map.kind {
        ValueMapKind::Bits => Shown::Bits(Bits::new(map, bits)),
        ValueMapKind::Value => match (u32::try_from(bits).ok().and_then(|key| map.text(key)), negative) {
            (Some(name), _) => Shown::Name(name),
            (None, Some(negative)) => Shown::Signed(negative),
            (None, None) => Shown::Unsigned(bits),
        },
    })
}

/// An integer of its in-type's width.
#[derive(Clone, Copy)]
struct Integer {
    width: Width,
    /// As it lies in the payload, filled up with zeros.
    bits: u64,
    /// Its value if that is below zero.
    negative: Option<i64>,
}

#[derive(Clone, Copy)]
enum Width {
    W8,
    W16,
    W32,
    W64,
}

impl Width {
    const fn of(in_type: InType) -> Self {
        match in_type {
            InType::Int8 | InType::UInt8 => Self::W8,
            InType::Int16 | InType::UInt16 => Self::W16,
            InType::Int32 | InType::UInt32 | InType::HexInt32 => Self::W32,
            _ => Self::W64,
        }
    }

    const fn mask(self) -> u64 {
        match self {
            Self::W8 => 0xFF,
            Self::W16 => 0xFFFF,
            Self::W32 => 0xFFFF_FFFF,
            Self::W64 => u64::MAX,
        }
    }
}

impl Integer {
    fn signed(value: i64, in_type: InType) -> Self {
        let width = Width::of(in_type);
        Self { width, bits: value.cast_unsigned() & width.mask(), negative: (value < 0).then_some(value) }
    }

    const fn unsigned(value: u64, in_type: InType) -> Self {
        let width = Width::of(in_type);
        Self { width, bits: value & width.mask(), negative: None }
    }

    /// The bits read as a signed number.
    fn to_signed(self) -> i64 {
        match self.width {
            Width::W8 => low_byte(self.bits).cast_signed().into(),
            Width::W16 => low_unit(self.bits).cast_signed().into(),
            Width::W32 => low_word(self.bits).cast_signed().into(),
            Width::W64 => self.bits.cast_signed(),
        }
    }
}

fn low_byte(bits: u64) -> u8 {
    let [low, ..] = bits.to_le_bytes();
    low
}

fn low_unit(bits: u64) -> u16 {
    let [a, b, ..] = bits.to_le_bytes();
    u16::from_le_bytes([a, b])
}

fn low_word(bits: u64) -> u32 {
    let [a, b, c, d, ..] = bits.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}
