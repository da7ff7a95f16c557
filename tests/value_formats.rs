//! How each pair of in-type and out-type is shown, as text and as JSON. Bytes and expectations are typed by hand.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::sync::Arc;

use etweir::decode::format::{Formatting, Printable};
use etweir::decode::{
    Count, EventNames, Field, InType, Length, OutType, Property, Schema, SchemaKind, ValueMap, ValueMapKind,
};
use etweir::trace::Clock;
use etweir::{FileTime, Limits, Ticks};

fn schema(properties: Vec<Property>, top_level: u16) -> Schema {
    Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level).expect("a schema")
}

/// Text and JSON of a payload's only value; 8-byte pointers.
fn shown(property: Property, payload: &[u8]) -> (String, String) {
    shown_with(&Formatting::default(), property, payload)
}

fn shown_with(formatting: &Formatting, property: Property, payload: &[u8]) -> (String, String) {
    let schema = schema(vec![property], 1);
    let mut fields = schema.fields(payload, 8);
    let Field { property, value, .. } = fields.next().expect("a property").expect("a whole value");
    assert!(fields.rest().is_empty(), "{property:?}");
    let mut json = Vec::new();
    formatting.write_json(property, value, &mut json).expect("short");
    let json = String::from_utf8(json).expect("UTF-8");
    // The same through serde, but for the way in which exponents are written.
    let parse = |json: &str| serde_json::from_str::<serde_json::Value>(json).expect("JSON");
    let serde = serde_json::to_string(&formatting.json(property, value)).expect("JSON");
    assert_eq!(parse(&serde), parse(&json), "{property:?}");
    (formatting.text(property, value).to_string(), json)
}

/// In-type, out-type, payload, text, JSON.
type Row<'a> = (InType, OutType, &'a [u8], &'a str, &'a str);

fn check(rows: &[Row<'_>]) {
    for (in_type, out_type, payload, text, json) in rows {
        let property = Property::new("Value", *in_type).shown_as(*out_type);
        let expected = ((*text).to_owned(), (*json).to_owned());
        assert_eq!(shown(property, payload), expected, "{in_type:?} as {out_type:?}: {payload:02x?}");
    }
}

#[test]
fn integers_are_decimal_with_their_sign() {
    use OutType::Default;
    check(&[
        (InType::Int8, Default, &[0x80], "-128", "-128"),
        (InType::UInt8, Default, &[0xFF], "255", "255"),
        (InType::Int16, Default, &[0x00, 0x80], "-32768", "-32768"),
        (InType::UInt16, Default, &[0xFF, 0xFF], "65535", "65535"),
        (InType::Int32, Default, &[0, 0, 0, 0x80], "-2147483648", "-2147483648"),
        (InType::UInt32, Default, &[0xFF; 4], "4294967295", "4294967295"),
        (
            InType::Int64,
            Default,
            &[0, 0, 0, 0, 0, 0, 0, 0x80],
            "-9223372036854775808",
            "-9223372036854775808",
        ),
        (InType::UInt64, Default, &[0xFF; 8], "18446744073709551615", "18446744073709551615"),
        (InType::Int64, Default, &[0; 8], "0", "0"),
        (InType::UInt64, Default, &[0; 8], "0", "0"),
        // Numbers past 2^53 keep all their digits.
        (InType::UInt64, Default, &[1, 0, 0, 0, 0, 0, 0x20, 0], "9007199254740993", "9007199254740993"),
    ]);
}

#[test]
fn integers_may_be_read_with_the_other_sign() {
    use OutType::{Signed, Unsigned};
    check(&[
        (InType::UInt8, Signed, &[0xFF], "-1", "-1"),
        (InType::UInt16, Signed, &[0xFE, 0xFF], "-2", "-2"),
        (InType::UInt32, Signed, &[0xFF; 4], "-1", "-1"),
        (InType::UInt64, Signed, &[0xFF; 8], "-1", "-1"),
        (InType::HexInt32, Signed, &[0xFF; 4], "-1", "-1"),
        (InType::Int8, Unsigned, &[0xFF], "255", "255"),
        (InType::Int16, Unsigned, &[0xFF; 2], "65535", "65535"),
        (InType::Int32, Unsigned, &[0xFF; 4], "4294967295", "4294967295"),
        (InType::Int64, Unsigned, &[0xFF; 8], "18446744073709551615", "18446744073709551615"),
        (InType::HexInt64, Unsigned, &[16, 0, 0, 0, 0, 0, 0, 0], "16", "16"),
        (InType::SizeT, Unsigned, &[16, 0, 0, 0, 0, 0, 0, 0], "16", "16"),
    ]);
}

#[test]
fn hexadecimal_is_lower_case_without_leading_zeros() {
    use OutType::{CodePointer, Default, ErrorCode, Hex};
    check(&[
        (InType::UInt8, Hex, &[0x0A], "0xa", "\"0xa\""),
        (InType::UInt16, Hex, &[0xCD, 0xAB], "0xabcd", "\"0xabcd\""),
        (InType::UInt32, Hex, &[0; 4], "0x0", "\"0x0\""),
        (InType::UInt64, Hex, &[0xFF; 8], "0xffffffffffffffff", "\"0xffffffffffffffff\""),
        (InType::Int8, Hex, &[0xFF], "0xff", "\"0xff\""),
        (InType::Int32, Hex, &[0xFF; 4], "0xffffffff", "\"0xffffffff\""),
        (InType::HexInt32, Default, &[0xEF, 0xBE, 0, 0], "0xbeef", "\"0xbeef\""),
        (InType::HexInt64, Default, &[0, 0, 0, 0, 1, 0, 0, 0], "0x100000000", "\"0x100000000\""),
        (
            InType::Pointer,
            Default,
            &[0, 0x10, 0, 0, 0, 0xF8, 0xFF, 0xFF],
            "0xfffff80000001000",
            "\"0xfffff80000001000\"",
        ),
        (InType::SizeT, Default, &[0, 1, 0, 0, 0, 0, 0, 0], "0x100", "\"0x100\""),
        (InType::UInt32, CodePointer, &[0, 0, 0x40, 0], "0x400000", "\"0x400000\""),
        (InType::UInt64, CodePointer, &[0, 0, 0x40, 0, 0, 0, 0, 0], "0x400000", "\"0x400000\""),
        (InType::HexInt32, CodePointer, &[0, 0, 0x40, 0], "0x400000", "\"0x400000\""),
        (InType::HexInt64, CodePointer, &[0, 0, 0x40, 0, 0, 0, 0, 0], "0x400000", "\"0x400000\""),
        (InType::Pointer, CodePointer, &[0, 0, 0x40, 0, 0, 0, 0, 0], "0x400000", "\"0x400000\""),
        (InType::UInt32, ErrorCode, &[5, 0, 0, 0], "0x5", "\"0x5\""),
    ]);
}

#[test]
fn process_and_thread_ids_are_decimal() {
    use OutType::{Pid, Tid};
    check(&[
        (InType::UInt32, Pid, &[0x68, 0x12, 0, 0], "4712", "4712"),
        (InType::UInt32, Tid, &[0xFF; 4], "4294967295", "4294967295"),
        (InType::HexInt32, Pid, &[0x68, 0x12, 0, 0], "4712", "4712"),
    ]);
}

#[test]
fn addresses_and_ports_are_in_network_order() {
    use OutType::{Ipv4, Ipv6, Port, SocketAddress};
    let v6 = [0x20, 0x01, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1];
    // Of two runs of zeros of the same length the first is shortened, and no single zero.
    let runs = [0x20, 0x01, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1];
    check(&[
        (InType::UInt16, Port, &[0x01, 0xBB], "443", "443"),
        (InType::UInt32, Ipv4, &[127, 0, 0, 1], "127.0.0.1", "\"127.0.0.1\""),
        (InType::UInt32, Ipv4, &[255, 255, 255, 255], "255.255.255.255", "\"255.255.255.255\""),
        (InType::UInt32, Ipv6, &[10, 0, 0, 1], "10.0.0.1", "\"10.0.0.1\""),
        // Without a length it has 16 bytes.
        (InType::Binary, Ipv6, &v6, "2001:db8::1", "\"2001:db8::1\""),
        (InType::Binary, Ipv6, &mapped, "::ffff:192.0.2.1", "\"::ffff:192.0.2.1\""),
        (InType::Binary, Ipv6, &runs, "2001::1:0:0:1:1", "\"2001::1:0:0:1:1\""),
        (InType::Binary, Ipv6, &[0; 16], "::", "\"::\""),
    ]);
    let counted = |bytes: &[u8]| [&[u8::try_from(bytes.len()).expect("short"), 0], bytes].concat();
    let v4_socket = counted(&[2, 0, 0x01, 0xBB, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    let v6_socket = counted(&[&[23, 0, 0, 80, 0, 0, 0, 0][..], &v6, &[7, 0, 0, 0]].concat());
    check(&[
        (InType::CountedBinary, SocketAddress, &v4_socket, "192.0.2.1:443", "\"192.0.2.1:443\""),
        (InType::CountedBinary, SocketAddress, &v6_socket, "[2001:db8::1%7]:80", "\"[2001:db8::1%7]:80\""),
        (InType::CountedBinary, SocketAddress, &counted(&[33, 0, 1]), "210001", "\"210001\""),
        (InType::CountedBinary, SocketAddress, &counted(&[]), "", "\"\""),
        (InType::CountedBinary, Ipv6, &counted(&v6), "2001:db8::1", "\"2001:db8::1\""),
        (InType::CountedBinary, Ipv6, &counted(&[10, 0, 0, 1]), "10.0.0.1", "\"10.0.0.1\""),
        (InType::CountedBinary, Ipv6, &counted(&[10, 0, 0]), "0a0000", "\"0a0000\""),
    ]);
}

#[test]
fn booleans_are_words() {
    use OutType::{Boolean, Default};
    check(&[
        (InType::Boolean, Default, &[0, 0, 0, 0], "false", "false"),
        (InType::Boolean, Default, &[0, 0, 0, 1], "true", "true"),
        (InType::Boolean8, Default, &[2], "true", "true"),
        (InType::UInt8, Boolean, &[0], "false", "false"),
        (InType::UInt8, Boolean, &[7], "true", "true"),
    ]);
}

#[test]
fn characters_are_text() {
    use OutType::{Default, String};
    check(&[
        (InType::UInt8, String, b"A", "A", "\"A\""),
        (InType::Int8, String, b"z", "z", "\"z\""),
        (InType::UInt8, String, &[0x80], "€", "\"€\""),
        (InType::UInt8, String, &[0], "", "\"\""),
        (InType::UInt8, String, b"\"", "\"", r#""\"""#),
        (InType::UInt16, String, &[0x3A, 0x26], "\u{263A}", "\"\u{263A}\""),
        (InType::UInt16, String, &[0x00, 0xD8], "\u{FFFD}", "\"\u{FFFD}\""),
        (InType::UnicodeChar, Default, &[0x41, 0], "A", "\"A\""),
        (InType::AnsiChar, Default, b"A", "A", "\"A\""),
    ]);
}

#[test]
fn text_of_every_in_type_is_text() {
    use OutType::{Default, Json, ReducedString, Utf8, Xml};
    check(&[
        (InType::UnicodeString, Default, b"A\0\xE9\0\0\0", "Aé", "\"Aé\""),
        (InType::UnicodeString, Default, b"\0\0", "", "\"\""),
        (InType::UnicodeString, Xml, b"<\0a\0/\0>\0\0\0", "<a/>", "\"<a/>\""),
        (InType::UnicodeString, Json, b"[\0]\0\0\0", "[]", "\"[]\""),
        (InType::AnsiString, Default, b"caf\xE9\0", "café", "\"café\""),
        (InType::AnsiString, Default, b"caf\xC3\xA9\0", "café", "\"café\""),
        (InType::AnsiString, Utf8, b"caf\xE9\0", "caf\u{FFFD}", "\"caf\u{FFFD}\""),
        (InType::AnsiString, Xml, b"<a>\xE9</a>\0", "<a>é</a>", "\"<a>é</a>\""),
        (InType::AnsiString, Json, b"{\"a\":1}\0", "{\"a\":1}", r#""{\"a\":1}""#),
        (InType::AnsiString, ReducedString, b"a\r\nb\tc\0", "a  b c", "\"a  b c\""),
        (InType::CountedString, Default, b"\x04\0A\0B\0", "AB", "\"AB\""),
        (InType::CountedAnsiString, Default, b"\x02\0AB", "AB", "\"AB\""),
        (InType::ReversedCountedString, Default, b"\0\x04A\0B\0", "AB", "\"AB\""),
        (InType::ReversedCountedAnsiString, Default, b"\0\x02AB", "AB", "\"AB\""),
        (InType::NonNullTerminatedString, Default, b"A\0B\0", "AB", "\"AB\""),
        (InType::NonNullTerminatedAnsiString, Default, b"AB", "AB", "\"AB\""),
        // Half a surrogate pair.
        (InType::UnicodeString, Default, b"A\0\x3D\xD8B\0\0\0", "A\u{FFFD}B", "\"A\u{FFFD}B\""),
        (InType::UnicodeString, Default, b"\x3D\xD8\x00\xDE\0\0", "\u{1F600}", "\"\u{1F600}\""),
    ]);
}

#[test]
fn json_escapes_what_it_has_to_and_text_what_steers() {
    use OutType::Default;
    check(&[
        (InType::AnsiString, Default, b"C:\\new\0", r"C:\new", r#""C:\\new""#),
        (InType::AnsiString, Default, b"\"\0", "\"", r#""\"""#),
        (
            InType::AnsiString,
            Default,
            b"a\r\nb\t\x1B[31m\x7F\0",
            r"a\r\nb\t\u{1b}[31m\u{7f}",
            "\"a\\r\\nb\\t\\u001b[31m\u{7f}\"",
        ),
        (
            InType::AnsiString,
            Default,
            b"\x01\x08\x0C\x1F\0",
            r"\u{1}\u{8}\u{c}\u{1f}",
            r#""\u0001\b\f\u001f""#,
        ),
        (InType::CountedAnsiString, Default, b"\x03\0a\0b", r"a\u{0}b", r#""a\u0000b""#),
        (InType::UnicodeString, Default, b"\x2E\x20\0\0", r"\u{202e}", "\"\u{202e}\""),
    ]);
}

#[test]
fn numbers_with_a_point_have_the_shortest_digits() {
    use OutType::Default;
    let single = |number: f32| number.to_le_bytes();
    let double = |number: f64| number.to_le_bytes();
    check(&[
        (InType::Float, Default, &single(0.1), "0.1", "0.1"),
        (InType::Float, Default, &single(1.0), "1", "1.0"),
        (InType::Float, Default, &single(-2.5), "-2.5", "-2.5"),
        (InType::Float, Default, &single(f32::MAX), "3.4028235e38", "3.4028235e38"),
        (InType::Float, Default, &single(f32::NAN), "NaN", "\"NaN\""),
        (InType::Float, Default, &single(f32::INFINITY), "Infinity", "\"Infinity\""),
        (InType::Float, Default, &single(f32::NEG_INFINITY), "-Infinity", "\"-Infinity\""),
        (InType::Double, Default, &double(0.1), "0.1", "0.1"),
        (InType::Double, Default, &double(0.0), "0", "0.0"),
        (InType::Double, Default, &double(-0.0), "-0", "-0.0"),
        (InType::Double, Default, &double(1e300), "1e300", "1e300"),
        (InType::Double, Default, &double(5e-324), "5e-324", "5e-324"),
        (InType::Double, Default, &double(123_456_789.125), "123456789.125", "123456789.125"),
        (InType::Double, Default, &double(-f64::NAN), "NaN", "\"NaN\""),
        (InType::Double, Default, &double(f64::INFINITY), "Infinity", "\"Infinity\""),
        (InType::Double, Default, &double(f64::NEG_INFINITY), "-Infinity", "\"-Infinity\""),
    ]);
}

#[test]
fn bytes_are_hexadecimal_digits() {
    use OutType::{Default, Hex, HexBinary, NoPrint, Pkcs7};
    check(&[
        (InType::CountedBinary, Default, &[3, 0, 0x00, 0x9F, 0xFF], "009fff", "\"009fff\""),
        (InType::CountedBinary, HexBinary, &[1, 0, 0x0A], "0a", "\"0a\""),
        (InType::CountedBinary, Hex, &[1, 0, 0x0A], "0a", "\"0a\""),
        (InType::CountedBinary, Pkcs7, &[1, 0, 0x30], "30", "\"30\""),
        (InType::CountedBinary, NoPrint, &[1, 0, 0x30], "30", "\"30\""),
        (InType::CountedBinary, Default, &[0, 0], "", "\"\""),
        (InType::HexDump, Default, &[2, 0, 0, 0, 0xAB, 0xCD], "abcd", "\"abcd\""),
    ]);
    let mut fixed = Property::new("Value", InType::Binary);
    fixed.length = Length::Fixed(300);
    let digits = "5a".repeat(300);
    assert_eq!(shown(fixed, &[0x5A; 300]), (digits.clone(), format!("\"{digits}\"")));
}

#[test]
fn identifiers_have_their_usual_forms() {
    use OutType::{Default, Guid, String};
    let guid =
        [0xD0, 0xA8, 0x6F, 0x3D, 0x05, 0xFE, 0xD0, 0x11, 0x9D, 0xDA, 0x00, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C];
    let guid_text = "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c";
    let sid = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
    // A TOKEN_USER of 16 bytes precedes the SID.
    let wbem = [&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sid].concat();
    check(&[
        (InType::Guid, Default, &guid, guid_text, &format!("\"{guid_text}\"")),
        (
            InType::Guid,
            Guid,
            &[0; 16],
            "00000000-0000-0000-0000-000000000000",
            "\"00000000-0000-0000-0000-000000000000\"",
        ),
        (InType::Sid, Default, &sid, "S-1-5-32-544", "\"S-1-5-32-544\""),
        (InType::Sid, String, &sid, "S-1-5-32-544", "\"S-1-5-32-544\""),
        (InType::WbemSid, Default, &wbem, "S-1-5-32-544", "\"S-1-5-32-544\""),
        (InType::WbemSid, Default, &[0, 0, 0, 0], "-", "null"),
        (InType::Null, Default, &[], "-", "null"),
    ]);
}

#[test]
fn file_times_are_rfc_3339_or_no_dates() {
    use OutType::{CimDateTime, DateTime, DateTimeCultureInsensitive, DateTimeUtc, Default};
    let date = 132_756_731_757_993_232_i64.to_le_bytes();
    let text = "2021-09-09T14:59:35.7993232Z";
    let json = format!("\"{text}\"");
    check(&[
        (InType::FileTime, Default, &date, text, &json),
        (InType::FileTime, DateTime, &date, text, &json),
        (InType::FileTime, DateTimeCultureInsensitive, &date, text, &json),
        (InType::FileTime, DateTimeUtc, &date, text, &json),
        (InType::FileTime, CimDateTime, &date, text, &json),
        (InType::Int64, DateTime, &date, text, &json),
        (InType::UInt64, DateTimeUtc, &date, text, &json),
        (InType::FileTime, Default, &[0; 8], "-", "null"),
        (InType::FileTime, Default, &[0xFF; 8], "-", "null"),
        (InType::FileTime, Default, &[0, 0, 0, 0, 0, 0, 0, 0x80], "-", "null"),
        (
            InType::FileTime,
            Default,
            &[1, 0, 0, 0, 0, 0, 0, 0],
            "1601-01-01T00:00:00.0000001Z",
            "\"1601-01-01T00:00:00.0000001Z\"",
        ),
        // The last one of all, which programs take for "never".
        (
            InType::FileTime,
            Default,
            &i64::MAX.to_le_bytes(),
            "30828-09-14T02:48:05.4775807Z",
            "\"30828-09-14T02:48:05.4775807Z\"",
        ),
    ]);
}

/// A `SYSTEMTIME`.
fn system_time(parts: [u16; 8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (part, to) in parts.iter().zip(bytes.chunks_exact_mut(2)) {
        to.copy_from_slice(&part.to_le_bytes());
    }
    bytes
}

#[test]
fn system_times_are_rfc_3339_or_the_numbers_they_have() {
    use OutType::{DateTimeCultureInsensitive, DateTimeUtc, Default};
    let date = system_time([2021, 9, 4, 9, 14, 59, 35, 799]);
    check(&[
        (InType::SystemTime, Default, &date, "2021-09-09T14:59:35.799Z", "\"2021-09-09T14:59:35.799Z\""),
        (
            InType::SystemTime,
            DateTimeCultureInsensitive,
            &date,
            "2021-09-09T14:59:35.799Z",
            "\"2021-09-09T14:59:35.799Z\"",
        ),
        (InType::SystemTime, DateTimeUtc, &date, "2021-09-09T14:59:35.799Z", "\"2021-09-09T14:59:35.799Z\""),
        (InType::SystemTime, Default, &[0; 16], "-", "null"),
        (
            InType::SystemTime,
            Default,
            &system_time([2021, 13, 0, 32, 25, 61, 62, 1000]),
            "2021-13-32T25:61:62.1000Z",
            "\"2021-13-32T25:61:62.1000Z\"",
        ),
        (
            InType::SystemTime,
            Default,
            &system_time([30828, 9, 4, 14, 2, 48, 5, 477]),
            "30828-09-14T02:48:05.477Z",
            "\"30828-09-14T02:48:05.477Z\"",
        ),
        (
            InType::SystemTime,
            Default,
            &[0xFF; 16],
            "65535-65535-65535T65535:65535:65535.65535Z",
            "\"65535-65535-65535T65535:65535:65535.65535Z\"",
        ),
    ]);
}

#[test]
fn times_of_the_trace_need_its_clock() {
    // 10 MHz, which stood at 1,000,000 at 2021-09-09T14:59:35.7993232Z.
    let clock = Clock::linear(Ticks(1_000_000), FileTime(132_756_731_757_993_232), 10_000_000);
    let formatting = Formatting::new(clock, &Limits::default());
    let with_clock = |in_type, out_type, ticks: i64| {
        let property = Property::new("Value", in_type).shown_as(out_type);
        shown_with(&formatting, property, &ticks.to_le_bytes()).0
    };
    assert_eq!(with_clock(InType::WmiTime, OutType::Default, 1_000_001), "2021-09-09T14:59:35.7993233Z");
    assert_eq!(with_clock(InType::UInt64, OutType::EtwTime, 1_000_001), "2021-09-09T14:59:35.7993233Z");
    assert_eq!(with_clock(InType::WmiTime, OutType::Default, 0), "-");
    check(&[
        (InType::WmiTime, OutType::Default, &[0x41, 0x42, 0x0F, 0, 0, 0, 0, 0], "1000001", "1000001"),
        (InType::WmiTime, OutType::Default, &[0; 8], "-", "null"),
        // Half a time is a number.
        (InType::UInt32, OutType::EtwTime, &[1, 0, 0, 0], "1", "1"),
    ]);
}

#[cfg(feature = "error-names")]
#[test]
fn error_codes_have_names_in_text_and_are_numbers_in_json() {
    use OutType::{HResult, NtStatus, Win32Error};
    check(&[
        (InType::UInt32, NtStatus, &[0x22, 0, 0, 0xC0], "0xc0000022(STATUS_ACCESS_DENIED)", "\"0xc0000022\""),
        (InType::HexInt32, NtStatus, &[0, 0, 0, 0], "0x0(STATUS_SUCCESS)", "\"0x0\""),
        (InType::Int32, NtStatus, &[0x22, 0, 0, 0xC0], "0xc0000022(STATUS_ACCESS_DENIED)", "\"0xc0000022\""),
        (InType::UInt32, NtStatus, &[0xEF, 0xBE, 0xAD, 0xDE], "0xdeadbeef", "\"0xdeadbeef\""),
        (InType::UInt32, Win32Error, &[5, 0, 0, 0], "5(ERROR_ACCESS_DENIED)", "\"0x5\""),
        (InType::HexInt32, Win32Error, &[5, 0, 0, 0], "5(ERROR_ACCESS_DENIED)", "\"0x5\""),
        (InType::UInt32, Win32Error, &[0xFF, 0xFF, 0, 0], "65535", "\"0xffff\""),
        (InType::UInt32, Win32Error, &[5, 0, 7, 0x80], "0x80070005(ERROR_ACCESS_DENIED)", "\"0x80070005\""),
        (InType::Int32, HResult, &[5, 0, 7, 0x80], "0x80070005(ERROR_ACCESS_DENIED)", "\"0x80070005\""),
        (InType::Int32, HResult, &[5, 0x40, 0, 0x80], "0x80004005(E_FAIL)", "\"0x80004005\""),
        (InType::UInt32, HResult, &[1, 0, 0, 0], "0x1(S_FALSE)", "\"0x1\""),
    ]);
}

#[test]
fn pairs_that_make_no_sense_are_shown_as_the_in_type_says() {
    check(&[
        (InType::UInt32, OutType::Guid, &[1, 0, 0, 0], "1", "1"),
        (InType::UInt32, OutType::Boolean, &[1, 0, 0, 0], "1", "1"),
        (InType::UInt32, OutType::String, &[65, 0, 0, 0], "65", "65"),
        (InType::UInt32, OutType::Port, &[1, 0, 0, 0], "1", "1"),
        (InType::UInt64, OutType::NtStatus, &[1, 0, 0, 0, 0, 0, 0, 0], "1", "1"),
        (InType::UInt64, OutType::Ipv4, &[1, 0, 0, 0, 0, 0, 0, 0], "1", "1"),
        (InType::UInt16, OutType::Pid, &[1, 0], "1", "1"),
        (InType::UInt32, OutType::DateTime, &[1, 0, 0, 0], "1", "1"),
        (InType::HexInt64, OutType::Win32Error, &[1, 0, 0, 0, 0, 0, 0, 0], "0x1", "\"0x1\""),
        (
            InType::Guid,
            OutType::Ipv6,
            &[0; 16],
            "00000000-0000-0000-0000-000000000000",
            "\"00000000-0000-0000-0000-000000000000\"",
        ),
        (InType::AnsiString, OutType::Hex, b"ab\0", "ab", "\"ab\""),
        (InType::Float, OutType::Hex, &[0, 0, 0x80, 0x3F], "1", "1.0"),
        (InType::CountedBinary, OutType::Ipv4, &[1, 0, 9], "09", "\"09\""),
    ]);
}

fn mapped(
    in_type: InType,
    kind: ValueMapKind,
    entries: &[(u32, &'static str)],
    payload: &[u8],
) -> (String, String) {
    let entries = entries.iter().map(|(value, text)| (*value, (*text).into())).collect();
    let mut property = Property::new("Value", in_type);
    property.map = Some(Arc::new(ValueMap::new("Map", kind, entries)));
    shown(property, payload)
}

fn pair(text: &str, json: &str) -> (String, String) {
    (text.to_owned(), json.to_owned())
}

#[test]
fn a_mapped_value_is_its_text_or_its_number() {
    let states = [(0, "Idle"), (1, "Running \r\n"), (u32::MAX, "All")];
    let map = |in_type, payload: &[u8]| mapped(in_type, ValueMapKind::Value, &states, payload);
    assert_eq!(map(InType::UInt8, &[0]), pair("Idle", "\"Idle\""));
    assert_eq!(map(InType::UInt16, &[1, 0]), pair("Running", "\"Running\""));
    assert_eq!(map(InType::UInt32, &[2, 0, 0, 0]), pair("2", "2"));
    assert_eq!(map(InType::UInt32, &[0xFF; 4]), pair("All", "\"All\""));
    assert_eq!(map(InType::Int32, &[0xFF; 4]), pair("All", "\"All\""));
    assert_eq!(map(InType::Int32, &[0xFE, 0xFF, 0xFF, 0xFF]), pair("-2", "-2"));
    assert_eq!(map(InType::HexInt32, &[16, 0, 0, 0]), pair("16", "16"));
    assert_eq!(map(InType::UInt64, &[0xFF; 8]), pair("18446744073709551615", "18446744073709551615"));
    assert_eq!(map(InType::Boolean, &[1, 0, 0, 0]), pair("Running", "\"Running\""));
}

#[test]
fn bits_are_their_names_and_a_rest() {
    let rights = [(1, "Read"), (2, "Write"), (4, "Execute"), (3, "ReadWrite")];
    let map = |payload: &[u8]| mapped(InType::UInt32, ValueMapKind::Bits, &rights, payload);
    assert_eq!(map(&[1, 0, 0, 0]), pair("Read", "\"Read\""));
    assert_eq!(map(&[5, 0, 0, 0]), pair("Read|Execute", "\"Read|Execute\""));
    // The entry of two bits comes first, and its parts say nothing new.
    assert_eq!(map(&[7, 0, 0, 0]), pair("ReadWrite|Execute", "\"ReadWrite|Execute\""));
    assert_eq!(map(&[0, 0, 0, 0]), pair("0", "\"0\""));
    assert_eq!(map(&[0x14, 0, 0, 0x80]), pair("Execute|0x80000010", "\"Execute|0x80000010\""));
    assert_eq!(map(&[0x10, 0, 0, 0]), pair("0x10", "\"0x10\""));
    let none = [(0, "None"), (1, "One")];
    let map = |payload: &[u8]| mapped(InType::UInt8, ValueMapKind::Bits, &none, payload);
    assert_eq!(map(&[0]), pair("None", "\"None\""));
    assert_eq!(map(&[1]), pair("One", "\"One\""));
    let map = |payload: &[u8]| mapped(InType::UInt64, ValueMapKind::Bits, &none, payload);
    assert_eq!(map(&[1, 0, 0, 0, 1, 0, 0, 0]), pair("One|0x100000000", "\"One|0x100000000\""));
    // Of a negative number all bits of its width count.
    let map = |payload: &[u8]| mapped(InType::Int8, ValueMapKind::Bits, &none, payload);
    assert_eq!(map(&[0xFF]), pair("One|0xfe", "\"One|0xfe\""));
}

#[test]
fn overlapping_masks_name_every_bit() {
    let masks = [(3, "AB"), (6, "BC")];
    let map = |payload: &[u8]| mapped(InType::UInt8, ValueMapKind::Bits, &masks, payload);
    assert_eq!(map(&[7]), pair("AB|BC", "\"AB|BC\""));
    assert_eq!(map(&[6]), pair("BC", "\"BC\""));
}

#[test]
fn arrays_are_lists() {
    let array = |in_type, out_type, count, payload: &[u8]| {
        let mut property = Property::new("Value", in_type).shown_as(out_type);
        property.count = count;
        shown(property, payload)
    };
    let numbers = |payload| array(InType::UInt16, OutType::Default, Count::Prefixed, payload);
    assert_eq!(numbers(&[2, 0, 1, 0, 2, 0]), pair("[1, 2]", "[1,2]"));
    assert_eq!(numbers(&[0, 0]), pair("[]", "[]"));
    assert_eq!(
        array(InType::UInt32, OutType::Hex, Count::Fixed(2), &[1, 0, 0, 0, 0xFF, 0, 0, 0]),
        pair("[0x1, 0xff]", r#"["0x1","0xff"]"#)
    );
    assert_eq!(
        array(InType::AnsiString, OutType::Default, Count::Fixed(3), b"a b\0\0c\"\0"),
        pair(r#"["a b", "", "c\""]"#, r#"["a b","","c\""]"#)
    );
}

#[test]
fn characters_in_a_row_are_text() {
    let array = |in_type, payload: &[u8]| {
        let mut property = Property::new("Value", in_type).shown_as(OutType::String);
        property.count = Count::Prefixed;
        shown(property, payload)
    };
    assert_eq!(array(InType::UInt8, b"\x04\0abc\0"), pair("abc", "\"abc\""));
    assert_eq!(array(InType::UInt16, b"\x02\0a\0b\0"), pair("ab", "\"ab\""));
    assert_eq!(array(InType::UInt16, b"\0\0"), pair("", "\"\""));
}

/// `Point { X, X, Name }`, twice.
fn points() -> Schema {
    let mut structure = Property::new("Point", InType::Struct);
    structure.count = Count::Fixed(2);
    structure.members = 1..4;
    let x = || Property::new("X", InType::UInt8);
    schema(vec![structure, x(), x(), Property::new("Na\"me", InType::AnsiString)], 1)
}

#[test]
fn structures_nest_and_repeated_names_get_numbers() {
    let schema = points();
    let payload = b"\x01\x02a b\0\x03\x04\0";
    let formatting = Formatting::default();
    let mut json = Vec::new();
    formatting.write_json_fields(&mut schema.fields(payload, 8), &mut json).expect("a whole payload");
    let expected = r#"{"Point":[{"X":1,"X_2":2,"Na\"me":"a b"},{"X":3,"X_2":4,"Na\"me":""}]}"#;
    assert_eq!(String::from_utf8(json).expect("UTF-8"), expected);
    let serde = serde_json::to_string(&formatting.json_fields(schema.fields(payload, 8)));
    assert_eq!(serde.expect("JSON"), expected);
    let field = schema.fields(payload, 8).next().expect("a property").expect("a value");
    assert_eq!(
        formatting.text(field.property, field.value).to_string(),
        r#"[{X=1, X=2, Na"me="a b"}, {X=3, X=4, Na"me=""}]"#
    );
}

#[test]
fn fields_that_can_be_read_are_kept_when_the_payload_is_cut() {
    let properties = ["A", "B", "A"].map(|name| Property::new(name, InType::UInt16)).to_vec();
    let schema = schema(properties, 3);
    let formatting = Formatting::default();
    let object = |payload: &[u8]| {
        let mut json = b"x".to_vec();
        let result = formatting.write_json_fields(&mut schema.fields(payload, 8), &mut json);
        (String::from_utf8(json).expect("UTF-8"), result.map_err(|error| error.to_string()))
    };
    assert_eq!(object(&[1, 0, 2, 0, 3, 0]), ("x{\"A\":1,\"B\":2,\"A_2\":3}".to_owned(), Ok(())));
    let (json, result) = object(&[1, 0, 2]);
    assert_eq!(json, "x{\"A\":1}");
    assert_eq!(result.expect_err("cut").as_str(), "property 1, UInt16 at 0x2 needs 2 bytes, 1 left");
    assert_eq!(object(&[]).0, "x{}");
}

#[test]
fn a_word_is_quoted_where_its_end_would_not_be_clear() {
    let word = |payload: &[u8]| {
        let schema = schema(vec![Property::new("Value", InType::AnsiString)], 1);
        let field = schema.fields(payload, 8).next().expect("a property").expect("a value");
        Formatting::default().text(field.property, field.value).quoted().to_string()
    };
    assert_eq!(word(b"C:\\a.exe\0"), "C:\\a.exe");
    assert_eq!(word("Grüße\0".as_bytes()), "Grüße");
    assert_eq!(word(b"a b\0"), "\"a b\"");
    assert_eq!(word(b"a\"b\0"), "\"a\\\"b\"");
    assert_eq!(word(b"a\nb\0"), "\"a\\nb\"");
    assert_eq!(word(b"\0"), "\"\"");
    assert_eq!(word("a\u{a0}b\0".as_bytes()), "\"a\u{a0}b\"");
}

#[test]
fn exact_text_keeps_its_characters() {
    let schema = schema(vec![Property::new("Value", InType::AnsiString)], 1);
    let field = schema.fields(b"a\r\n\x1Bb\0", 8).next().expect("a property").expect("a value");
    let formatting = Formatting::default();
    let text = formatting.text(field.property, field.value);
    assert_eq!(text.exact().to_string(), "a\r\n\u{1b}b");
    assert_eq!(Printable(text.exact()).to_string(), text.to_string());
}

#[test]
fn a_name_for_each_of_many_elements_does_not_fill_the_memory() {
    let mut structure = Property::new("All", InType::Struct);
    structure.count = Count::Rest;
    structure.members = 1..2;
    let member = Property::new("m".repeat(50_000), InType::UInt8);
    let schema = schema(vec![structure, member], 1);
    let payload = [7; 60_000];
    let mut limits = Limits::default();
    limits.formatted_bytes = 1_000_000;
    let formatting = Formatting::new(Clock::UNKNOWN, &limits);
    let mut json = Vec::new();
    let result = formatting.write_json_fields(&mut schema.fields(&payload, 8), &mut json);
    assert_eq!(result.expect_err("too long").to_string(), "more than 1000000 bytes of JSON");
    assert!(json.len() < 1_200_000, "{} bytes", json.len());
    serde_json::from_slice::<serde_json::Value>(&json).expect("JSON");
    let serde = serde_json::to_vec(&formatting.json_fields(schema.fields(&payload, 8))).expect("JSON");
    assert!(serde.len() < 1_200_000, "{} bytes", serde.len());
    let field = schema.fields(&payload, 8).next().expect("a property").expect("a value");
    let text = formatting.text(field.property, field.value).to_string();
    assert!(text.ends_with('\u{2026}') && text.len() == 1_000_003, "{} bytes", text.len());
}
