//! The numbers and names that TDH and manifests have for types.
//!
//! Source: payload reference on manifests, "In-types" and "Out-types".

use crate::decode::types::{InType, OutType};

/// `TDH_IN_TYPE_*`
pub(crate) const fn in_type(number: u16) -> InType {
    match number {
        1 => InType::UnicodeString,
        2 => InType::AnsiString,
        3 => InType::Int8,
        4 => InType::UInt8,
        5 => InType::Int16,
        6 => InType::UInt16,
        7 => InType::Int32,
        8 => InType::UInt32,
        9 => InType::Int64,
        10 => InType::UInt64,
        11 => InType::Float,
        12 => InType::Double,
        13 => InType::Boolean,
        14 => InType::Binary,
        15 => InType::Guid,
        16 => InType::Pointer,
        17 => InType::FileTime,
        18 => InType::SystemTime,
        19 => InType::Sid,
        20 => InType::HexInt32,
        21 => InType::HexInt64,
        22 | 300 => InType::CountedString,
        23 | 301 => InType::CountedAnsiString,
        25 => InType::CountedBinary,
        302 => InType::ReversedCountedString,
        303 => InType::ReversedCountedAnsiString,
        304 => InType::NonNullTerminatedString,
        305 => InType::NonNullTerminatedAnsiString,
        306 => InType::UnicodeChar,
        307 => InType::AnsiChar,
        308 => InType::SizeT,
        309 => InType::HexDump,
        310 => InType::WbemSid,
        _ => InType::Unknown,
    }
}

/// `TDH_OUT_TYPE_*`; an unknown number shows the value as its in-type says.
pub(crate) const fn out_type(number: u16) -> OutType {
    match number {
        1 => OutType::String,
        2 => OutType::DateTime,
        3 | 5 | 7 | 9 => OutType::Signed,
        4 | 6 | 8 | 10 => OutType::Unsigned,
        11 | 12 => OutType::Float,
        13 => OutType::Boolean,
        14 => OutType::Guid,
        15 => OutType::HexBinary,
        16..=19 => OutType::Hex,
        20 => OutType::Pid,
        21 => OutType::Tid,
        22 => OutType::Port,
        23 => OutType::Ipv4,
        24 => OutType::Ipv6,
        25 => OutType::SocketAddress,
        26 => OutType::CimDateTime,
        27 => OutType::EtwTime,
        28 => OutType::Xml,
        29 => OutType::ErrorCode,
        30 => OutType::Win32Error,
        31 => OutType::NtStatus,
        32 => OutType::HResult,
        33 => OutType::DateTimeCultureInsensitive,
        34 => OutType::Json,
        35 => OutType::Utf8,
        36 => OutType::Pkcs7,
        37 => OutType::CodePointer,
        38 => OutType::DateTimeUtc,
        300 => OutType::ReducedString,
        301 => OutType::NoPrint,
        _ => OutType::Default,
    }
}

/// The number of an in-type by its name in a manifest, without the prefix.
pub(crate) fn in_type_number(name: &str) -> Option<u16> {
    const NAMES: [(&str, u16); 24] = [
        ("UnicodeString", 1),
        ("AnsiString", 2),
        ("Int8", 3),
        ("UInt8", 4),
        ("Int16", 5),
        ("UInt16", 6),
        ("Int32", 7),
        ("UInt32", 8),
        ("Int64", 9),
        ("UInt64", 10),
        ("Float", 11),
        ("Double", 12),
        ("Boolean", 13),
        ("Binary", 14),
        ("GUID", 15),
        ("Pointer", 16),
        ("FILETIME", 17),
        ("SYSTEMTIME", 18),
        ("SID", 19),
        ("HexInt32", 20),
        ("HexInt64", 21),
        ("CountedUnicodeString", 22),
        ("CountedAnsiString", 23),
        ("CountedBinary", 25),
    ];
    number(&NAMES, name)
}

/// The number of an out-type by its name in a manifest, without the prefix.
pub(crate) fn out_type_number(name: &str) -> Option<u16> {
    const NAMES: [(&str, u16); 39] = [
        ("string", 1),
        ("dateTime", 2),
        ("byte", 3),
        ("unsignedByte", 4),
        ("short", 5),
        ("unsignedShort", 6),
        ("int", 7),
        ("unsignedInt", 8),
        ("long", 9),
        ("unsignedLong", 10),
        ("float", 11),
        ("double", 12),
        ("boolean", 13),
        ("GUID", 14),
        ("hexBinary", 15),
        ("HexInt8", 16),
        ("HexInt16", 17),
        ("HexInt32", 18),
        ("HexInt64", 19),
        ("PID", 20),
        ("TID", 21),
        ("Port", 22),
        ("IPv4", 23),
        ("IPv6", 24),
        ("SocketAddress", 25),
        ("CIMDateTime", 26),
        ("ETWTIME", 27),
        ("Xml", 28),
        ("ErrorCode", 29),
        ("Win32Error", 30),
        ("NTSTATUS", 31),
        ("HResult", 32),
        ("DateTimeCultureInsensitive", 33),
        ("Json", 34),
        ("Utf8", 35),
        ("Pkcs7WithTypeInfo", 36),
        ("CodePointer", 37),
        ("DateTimeUtc", 38),
        ("NoPrint", 301),
    ];
    number(&NAMES, name)
}

/// Manifests of tools spell these names in either case.
fn number(names: &[(&str, u16)], name: &str) -> Option<u16> {
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|&(_, number)| number)
}
