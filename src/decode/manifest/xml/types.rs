//! The names that manifests have for types.
//!
//! Source: payload reference on manifests, "In-types" and "Out-types".

/// The number of an in-type by its name in a manifest, without the prefix.
pub(super) fn in_type_number(name: &str) -> Option<u16> {
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
pub(super) fn out_type_number(name: &str) -> Option<u16> {
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
