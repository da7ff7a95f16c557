//! Payloads are walked as their schemas say, to the last byte that fits.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use etweir::decode::{
    Count, DecodeError, EventNames, InType, Length, OutType, Property, Schema, SchemaKind, Str, Value,
};
use etweir::{Guid, Limits, Offset};

fn schema(properties: Vec<Property>) -> Schema {
    let top_level = properties.len() as u16;
    schema_with(properties, top_level)
}

fn schema_with(properties: Vec<Property>, top_level: u16) -> Schema {
    Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level).expect("a valid schema")
}

fn property(name: &'static str, in_type: InType) -> Property {
    Property::new(name, in_type)
}

fn counted(name: &'static str, in_type: InType, count: Count) -> Property {
    let mut property = Property::new(name, in_type);
    property.count = count;
    property
}

fn measured(name: &'static str, in_type: InType, length: Length) -> Property {
    let mut property = Property::new(name, in_type);
    property.length = length;
    property
}

fn optional(name: &'static str, in_type: InType) -> Property {
    let mut property = Property::new(name, in_type);
    property.optional = true;
    property
}

/// Names and values as text, why the walk ended early, and how many bytes are left.
fn walk(schema: &Schema, payload: &[u8], pointer_size: u8) -> (Vec<String>, Option<DecodeError>, usize) {
    let mut fields = schema.fields(payload, pointer_size);
    let (mut texts, mut error) = (Vec::new(), None);
    for field in fields.by_ref() {
        match field {
            Ok(field) => texts.push(format!("{}={:?}", field.property.name, Text(field.value))),
            Err(found) => error = Some(found),
        }
    }
    assert!(fields.next().is_none(), "an error is the end");
    (texts, error, fields.rest().len())
}

/// What the payload gives, if it is read to the last byte.
#[track_caller]
fn whole(schema: &Schema, payload: &[u8], pointer_size: u8) -> Vec<String> {
    let (texts, error, left) = walk(schema, payload, pointer_size);
    assert_eq!((error, left), (None, 0));
    texts
}

/// Values without the words around them.
struct Text<'a>(Value<'a>);

impl core::fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Value::Int(value) => write!(f, "{value}"),
            Value::UInt(value) => write!(f, "{value}"),
            Value::Pointer(value) => write!(f, "{value:#x}"),
            Value::Str(Str::Utf16(text)) => write!(f, "{text:?}"),
            Value::Str(Str::Ansi(text)) => write!(f, "{:?}", String::from_utf8_lossy(text)),
            Value::Array(array) => f.debug_list().entries(array.iter().map(Text)).finish(),
            Value::Struct(members) => f
                .debug_map()
                .entries(members.fields().map(|field| (field.property.name.clone(), Text(field.value))))
                .finish(),
            other => write!(f, "{other:?}"),
        }
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn numbers_are_little_endian_and_packed() {
    let schema = schema(vec![
        property("a", InType::UInt8),
        property("b", InType::Int16),
        property("c", InType::UInt32),
        property("d", InType::Int64),
        property("e", InType::Int8),
        property("f", InType::UInt16),
        property("g", InType::Int32),
        property("h", InType::UInt64),
        property("i", InType::HexInt32),
        property("j", InType::HexInt64),
    ]);
    let payload = [
        &[7][..],
        &[0xFE, 0xFF],
        &[1, 2, 3, 4],
        &[0xFF; 8],
        &[0x80],
        &[0x34, 0x12],
        &[0, 0, 0, 0x80],
        &[1, 0, 0, 0, 0, 0, 0, 0x80],
        &[0xEF, 0xBE, 0xAD, 0xDE],
        &[9, 0, 0, 0, 0, 0, 0, 0],
    ]
    .concat();
    let expected = [
        "a=7",
        "b=-2",
        "c=67305985",
        "d=-1",
        "e=-128",
        "f=4660",
        "g=-2147483648",
        "h=9223372036854775809",
        "i=3735928559",
        "j=9",
    ];
    assert_eq!(whole(&schema, &payload, 8), expected);
}

#[test]
fn pointers_have_the_size_that_the_event_says() {
    let schema = schema(vec![property("p", InType::Pointer), property("s", InType::SizeT)]);
    let payload = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0];
    assert_eq!(whole(&schema, &payload, 8), ["p=0x200000001", "s=17179869187"]);
    assert_eq!(whole(&schema, &payload[..8], 4), ["p=0x1", "s=2"]);
}

#[test]
fn every_type_of_a_fixed_size_has_its_value() {
    let schema = schema(vec![
        property("yes", InType::Boolean),
        property("no", InType::Boolean8),
        property("single", InType::Float),
        property("double", InType::Double),
        property("guid", InType::Guid),
        property("time", InType::FileTime),
        property("ticks", InType::WmiTime),
        property("date", InType::SystemTime),
        property("null", InType::Null),
        property("wide", InType::UnicodeChar),
        property("narrow", InType::AnsiChar),
    ]);
    let payload = [
        &[0, 1, 0, 0][..],
        &[0],
        &1.5_f32.to_le_bytes(),
        &(-0.25_f64).to_le_bytes(),
        &[0xD0, 0xA8, 0x6F, 0x3D, 0x05, 0xFE, 0xD0, 0x11, 0x9D, 0xDA, 0x00, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[2, 0, 0, 0, 0, 0, 0, 0],
        &[0xE5, 7, 9, 0, 4, 0, 9, 0, 14, 0, 59, 0, 35, 0, 0x1F, 3],
        &[0x41, 0],
        b"Z",
    ]
    .concat();
    let values: Vec<Value<'_>> =
        schema.fields(&payload, 8).map(|field| field.expect("whole").value).collect();
    assert_eq!(values[..4], [Value::Bool(true), Value::Bool(false), Value::Float(1.5), Value::Double(-0.25)]);
    let process: Guid = "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c".parse().expect("a GUID");
    assert_eq!(values[4], Value::Guid(process));
    assert_eq!(format!("{:?}", &values[5..7]), "[FileTime(FileTime(1)), Ticks(Ticks(2))]");
    let Value::SystemTime(date) = values[7] else { panic!("{:?}", values[7]) };
    assert_eq!((date.year, date.month, date.day_of_week, date.day), (2021, 9, 4, 9));
    assert_eq!((date.hour, date.minute, date.second, date.milliseconds), (14, 59, 35, 799));
    assert_eq!(values[8], Value::Null);
    assert_eq!(format!("{:?}{:?}", Text(values[9]), Text(values[10])), r#""A""Z""#);
    assert_eq!(values.len(), 11);
}

#[test]
fn text_ends_at_its_zero_and_the_next_value_follows() {
    let schema = schema(vec![
        property("a", InType::UnicodeString),
        property("b", InType::AnsiString),
        property("c", InType::UnicodeString),
        property("d", InType::UInt8),
    ]);
    let payload = [&utf16("wide \u{1F600}\0")[..], b"narrow\0", &utf16("\0"), &[9]].concat();
    assert_eq!(whole(&schema, &payload, 8), ["a=\"wide \u{1F600}\"", "b=\"narrow\"", "c=\"\"", "d=9"]);
}

#[test]
fn text_without_a_zero_ends_where_the_payload_does() {
    let wide = schema(vec![property("a", InType::UnicodeString)]);
    assert_eq!(whole(&wide, &utf16("abc"), 8), ["a=\"abc\""]);
    let narrow = schema(vec![property("a", InType::AnsiString)]);
    assert_eq!(whole(&narrow, b"abc", 8), ["a=\"abc\""]);
    // Half a unit is no text: it is left over.
    assert_eq!(walk(&wide, &[0x61, 0, 0x62], 8), (vec!["a=\"a\"".to_owned()], None, 1));
}

#[test]
fn text_that_the_payload_has_no_byte_of_is_missing() {
    let wide = schema(vec![property("n", InType::UInt8), property("a", InType::UnicodeString)]);
    let error = |what, need, have| DecodeError::Truncated { property: 1, what, at: Offset(1), need, have };
    assert_eq!(walk(&wide, &[1], 8), (vec!["n=1".to_owned()], Some(error("UnicodeString", 2, 0)), 0));
    assert_eq!(walk(&wide, &[1, 2], 8), (vec!["n=1".to_owned()], Some(error("UnicodeString", 2, 1)), 1));
    let narrow = schema(vec![property("n", InType::UInt8), property("a", InType::AnsiString)]);
    assert_eq!(walk(&narrow, &[1], 8), (vec!["n=1".to_owned()], Some(error("AnsiString", 1, 0)), 0));
}

#[test]
fn a_payload_cut_short_gives_the_fields_before_and_says_where_and_how_much() {
    let schema = schema(vec![property("a", InType::UInt8), property("b", InType::UInt32)]);
    let (fields, error, left) = walk(&schema, &[7, 1, 2, 3], 8);
    assert_eq!(fields, ["a=7"]);
    let expected = DecodeError::Truncated { property: 1, what: "UInt32", at: Offset(1), need: 4, have: 3 };
    assert_eq!((error, left), (Some(expected), 3));
    assert_eq!(expected.to_string(), "property 1, UInt32 at 0x1 needs 4 bytes, 3 left");
}

#[test]
fn bytes_past_the_last_property_are_left_over_and_no_error() {
    let schema = schema(vec![property("a", InType::UInt8)]);
    let mut fields = schema.fields(&[7, 8, 9], 8);
    assert!(fields.next().is_some_and(|field| field.is_ok()));
    assert!(fields.next().is_none());
    assert_eq!(fields.rest(), [8, 9]);
}

#[test]
fn a_fixed_length_ends_at_the_first_zero_and_a_length_that_is_a_value_at_the_last_text() {
    let schema = schema(vec![
        measured("fixed", InType::UnicodeString, Length::Fixed(4)),
        measured("narrow", InType::AnsiString, Length::Fixed(3)),
        property("len", InType::UInt16),
        measured("multi", InType::UnicodeString, Length::Property(2)),
        property("bytes", InType::UInt8),
        measured("padded", InType::AnsiString, Length::Property(4)),
    ]);
    let payload = [&utf16("ab\0x")[..], b"c\0\0", &[5, 0], &utf16("a\0b\0\0"), &[3], b"xyz"].concat();
    let expected = ["fixed=\"ab\"", "narrow=\"c\"", "len=5", "multi=\"a\\0b\"", "bytes=3", "padded=\"xyz\""];
    assert_eq!(whole(&schema, &payload, 8), expected);
    // The type decides whether there can be a length: this one has none.
    let number = self::schema(vec![measured("n", InType::UInt32, Length::Fixed(1))]);
    assert_eq!(whole(&number, &[1, 0, 0, 0], 8), ["n=1"]);
}

#[test]
fn a_length_may_be_all_that_is_left() {
    let bytes = schema(vec![property("a", InType::UInt8), measured("b", InType::Binary, Length::Rest)]);
    assert_eq!(whole(&bytes, &[7, 1, 2, 3], 8), ["a=7", "b=Binary([1, 2, 3])"]);
    assert_eq!(whole(&bytes, &[7], 8), ["a=7", "b=Binary([])"]);
    // 'A', and half a unit, which is no text.
    let text = schema(vec![measured("t", InType::UnicodeString, Length::Rest)]);
    assert_eq!(walk(&text, &[0x41, 0, 0x42], 8), (vec!["t=\"A\"".to_owned()], None, 1));
}

#[test]
fn counted_values_have_their_bytes_counted_in_front() {
    let schema = schema(vec![
        property("a", InType::CountedString),
        property("b", InType::CountedAnsiString),
        property("c", InType::CountedBinary),
        property("d", InType::ReversedCountedString),
        property("e", InType::ReversedCountedAnsiString),
        property("f", InType::HexDump),
    ]);
    let payload = [
        &[4, 0][..],
        &utf16("hi"),
        &[1, 0],
        b"x",
        &[2, 0, 0xAA, 0xBB],
        &[0, 4],
        &utf16("be"),
        &[0, 2],
        b"yz",
        &[3, 0, 0, 0, 1, 2, 3],
    ]
    .concat();
    let expected =
        ["a=\"hi\"", "b=\"x\"", "c=Binary([170, 187])", "d=\"be\"", "e=\"yz\"", "f=Binary([1, 2, 3])"];
    assert_eq!(whole(&schema, &payload, 8), expected);
    let short = walk(&self::schema(vec![property("f", InType::HexDump)]), &[3, 0, 0, 0, 1, 2], 8);
    let error = DecodeError::Truncated { property: 0, what: "HexDump", at: Offset(0), need: 7, have: 6 };
    assert_eq!(short, (vec![], Some(error), 6));
}

#[test]
fn text_without_an_end_takes_the_rest() {
    let wide = schema(vec![property("n", InType::UInt8), property("t", InType::NonNullTerminatedString)]);
    assert_eq!(whole(&wide, &[&[1][..], &utf16("a\0b")].concat(), 8), ["n=1", "t=\"a\\0b\""]);
    assert_eq!(whole(&wide, &[1], 8), ["n=1", "t=\"\""]);
    assert_eq!(walk(&wide, &[1, 0x61], 8).2, 1);
    let narrow = schema(vec![property("t", InType::NonNullTerminatedAnsiString)]);
    assert_eq!(whole(&narrow, b"ab", 8), ["t=\"ab\""]);
}

#[test]
fn characters_with_a_count_are_a_text_that_ends_at_the_first_zero() {
    let schema = schema(vec![
        counted("a", InType::UnicodeChar, Count::Fixed(4)),
        counted("b", InType::AnsiChar, Count::Fixed(3)),
        property("n", InType::UInt8),
        counted("c", InType::AnsiChar, Count::Property(2)),
        counted("d", InType::UnicodeChar, Count::Rest),
    ]);
    let payload = [&utf16("ab\0z")[..], b"xyz", &[2], b"\0q", &utf16("end")].concat();
    assert_eq!(whole(&schema, &payload, 8), ["a=\"ab\"", "b=\"xyz\"", "n=2", "c=\"\"", "d=\"end\""]);
}

#[test]
fn binary_has_a_length_or_is_an_ipv6_address() {
    let schema = schema(vec![
        property("n", InType::UInt32),
        measured("a", InType::Binary, Length::Property(0)),
        measured("b", InType::Binary, Length::Fixed(2)),
        property("c", InType::Binary).shown_as(OutType::Ipv6),
        property("d", InType::Binary),
    ]);
    let payload = [&[1, 0, 0, 0][..], &[0xAA], &[1, 2], &[6; 16], &[9]].concat();
    let (fields, error, left) = walk(&schema, &payload, 8);
    let address = format!("c=Binary({:?})", [6; 16]);
    assert_eq!(fields, ["n=1", "a=Binary([170])", "b=Binary([1, 2])", &address]);
    let what = "a binary value without a length";
    assert_eq!((error, left), (Some(DecodeError::Unreadable { property: 4, what, at: Offset(23) }), 1));
}

#[test]
fn a_type_that_is_not_known_ends_the_walk_in_front_of_it() {
    let schema = schema(vec![property("a", InType::UInt8), property("b", InType::Unknown)]);
    let (fields, error, left) = walk(&schema, &[1, 2, 3], 8);
    assert_eq!((fields, left), (vec!["a=1".to_owned()], 2));
    let error = error.expect("an error");
    assert_eq!((error.property(), error.at()), (1, Offset(1)));
    assert_eq!(error.to_string(), "property 1 at 0x1: a type whose layout is not known");
}

#[test]
fn a_sid_has_as_many_sub_authorities_as_it_says_and_at_most_fifteen() {
    let sid = schema(vec![property("sid", InType::Sid), property("n", InType::UInt8)]);
    let payload = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 7];
    let value = sid.fields(&payload, 8).next().expect("a field").expect("a value").value;
    let Value::Sid(found) = value else { panic!("{value:?}") };
    assert_eq!(found.to_string(), "S-1-5-18");
    let (_, error, left) = walk(&sid, &payload[..11], 8);
    let expected = DecodeError::Truncated { property: 0, what: "SID", at: Offset(0), need: 12, have: 11 };
    assert_eq!((error, left), (Some(expected), 11));
    let (_, error, _) = walk(&sid, &[1, 16, 0, 0, 0, 0, 0, 5, 0, 0], 8);
    let expected = DecodeError::TooMany {
        property: 0,
        what: "sub-authorities of a SID",
        at: Offset(0),
        count: 16,
        most: 15,
    };
    assert_eq!(error, Some(expected));
}

const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

fn wbem_schema() -> Schema {
    schema(vec![property("sid", InType::WbemSid), property("name", InType::AnsiString)])
}

#[test]
fn a_wbem_sid_is_four_zeros_or_lies_behind_two_pointers() {
    let none = [&[0; 4][..], b"a\0"].concat();
    assert_eq!(whole(&wbem_schema(), &none, 8), ["sid=Null", "name=\"a\""]);
    for (pointer_size, token) in [(8, 16), (4, 8)] {
        let payload = [&vec![5; token][..], &SYSTEM, b"a\0"].concat();
        let fields = whole(&wbem_schema(), &payload, pointer_size);
        assert!(fields[0].contains("Sid"), "{fields:?}");
        assert_eq!(fields[1], "name=\"a\"");
    }
}

#[test]
fn a_sid_behind_two_pointers_of_zeros_is_taken_where_only_that_fits_exactly() {
    for (pointer_size, token) in [(8, 16), (4, 8)] {
        let zeros = [&vec![0; token][..], &SYSTEM, b"a\0"].concat();
        let fields = whole(&wbem_schema(), &zeros, pointer_size);
        assert!(fields[0].contains("Sid"), "{fields:?}");
        assert_eq!(fields[1], "name=\"a\"");
        // With a byte more neither fits, and four zeros are no SID.
        let more = [&zeros[..], &[7]].concat();
        let (fields, _, left) = walk(&wbem_schema(), &more, pointer_size);
        assert_eq!(fields, ["sid=Null", "name=\"\""]);
        assert_eq!(left, more.len() - 5);
        // A revision other than 1 is no SID either.
        let mut wrong = zeros.clone();
        wrong[token] = 2;
        assert_eq!(walk(&wbem_schema(), &wrong, pointer_size).0[0], "sid=Null");
    }
}

#[test]
fn an_optional_property_may_be_absent_at_the_end() {
    let schema = schema(vec![
        property("a", InType::UInt8),
        optional("name", InType::UnicodeString),
        optional("flags", InType::UInt32),
    ]);
    assert_eq!(whole(&schema, &[1], 8), ["a=1"]);
    assert_eq!(whole(&schema, &[1, 0, 0], 8), ["a=1", "name=\"\""]);
    assert_eq!(whole(&schema, &[1, 0, 0, 2, 0, 0, 0], 8), ["a=1", "name=\"\"", "flags=2"]);
    // Half of one is no value, and no value of the next one: its bytes are left over.
    let longer = self::schema([schema.properties(), &[optional("b", InType::UInt8)]].concat());
    for schema in [schema, longer] {
        let expected = vec!["a=1".to_owned(), "name=\"\"".to_owned()];
        assert_eq!(walk(&schema, &[1, 0, 0, 2, 0], 8), (expected, None, 2));
    }
}

#[test]
fn arrays_are_counted_in_the_schema_in_front_or_by_a_property() {
    let schema = schema(vec![
        counted("fixed", InType::UInt16, Count::Fixed(2)),
        counted("prefixed", InType::UInt8, Count::Prefixed),
        property("n", InType::UInt32),
        counted("referred", InType::UnicodeString, Count::Property(2)),
        counted("rest", InType::Pointer, Count::Rest),
    ]);
    let payload = [
        &[1, 0, 2, 0][..],
        &[3, 0, 7, 8, 9],
        &[2, 0, 0, 0],
        &utf16("a\0bc\0"),
        &[1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0xEE],
    ]
    .concat();
    let (fields, error, left) = walk(&schema, &payload, 8);
    let expected =
        ["fixed=[1, 2]", "prefixed=[7, 8, 9]", "n=2", "referred=[\"a\", \"bc\"]", "rest=[0x1, 0x2]"];
    assert_eq!(fields, expected);
    assert_eq!((error, left), (None, 1), "the bytes of half a pointer are left over");
}

#[test]
fn a_count_of_zero_takes_no_bytes() {
    let schema = schema(vec![
        property("n", InType::UInt8),
        counted("a", InType::UInt64, Count::Property(0)),
        counted("b", InType::UInt64, Count::Fixed(0)),
        measured("c", InType::Binary, Length::Property(0)),
        counted("d", InType::UInt64, Count::Rest),
    ]);
    assert_eq!(whole(&schema, &[0], 8), ["n=0", "a=[]", "b=[]", "c=Binary([])", "d=[]"]);
}

#[test]
fn an_array_gives_its_bytes_without_the_count() {
    let schema = schema(vec![counted("a", InType::UInt16, Count::Prefixed)]);
    let value = schema.fields(&[2, 0, 1, 2, 3, 4], 8).next().expect("a field").expect("a value").value;
    let Value::Array(array) = value else { panic!("{value:?}") };
    assert_eq!((array.as_bytes(), array.len(), array.is_empty()), (&[1, 2, 3, 4][..], 2, false));
    assert_eq!(array.iter().len(), 2);
    assert_eq!(array.into_iter().collect::<Vec<_>>(), [Value::UInt(0x0201), Value::UInt(0x0403)]);
}

#[test]
fn an_array_that_is_cut_short_is_an_error_with_all_its_bytes() {
    let schema = schema(vec![property("a", InType::UInt8), counted("b", InType::UInt32, Count::Prefixed)]);
    let (fields, error, left) = walk(&schema, &[1, 3, 0, 1, 2, 3, 4, 5], 8);
    assert_eq!((fields, left), (vec!["a=1".to_owned()], 7));
    // Two bytes of count, three elements.
    let expected = DecodeError::Truncated { property: 1, what: "UInt32", at: Offset(1), need: 14, have: 7 };
    assert_eq!(error, Some(expected));
}

#[test]
fn an_array_has_no_more_elements_than_the_limit() {
    let properties = vec![property("n", InType::UInt8), counted("a", InType::UInt8, Count::Property(0))];
    let mut limits = Limits::default();
    limits.array_elements = 2;
    let schema =
        Schema::with_limits(SchemaKind::Trace, EventNames::default(), properties, 2, &limits).expect("valid");
    assert_eq!(whole(&schema, &[2, 5, 6], 8), ["n=2", "a=[5, 6]"]);
    let (_, error, left) = walk(&schema, &[3, 5, 6, 7], 8);
    let expected = DecodeError::TooMany { property: 1, what: "elements", at: Offset(1), count: 3, most: 2 };
    assert_eq!((error, left), (Some(expected), 3));
}

#[test]
fn strings_of_a_declared_length_stand_side_by_side() {
    let mut texts = counted("t", InType::UnicodeString, Count::Property(0));
    texts.length = Length::Property(1);
    let schema = schema(vec![property("n", InType::UInt8), property("len", InType::UInt8), texts]);
    let payload = [&[2, 3][..], &utf16("abcde\0")].concat();
    assert_eq!(whole(&schema, &payload, 8), ["n=2", "len=3", "t=[\"abc\", \"de\"]"]);
}
