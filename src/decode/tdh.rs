//! The numbers that TDH has for types.
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
