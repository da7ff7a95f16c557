//! TraceLogging events come out with the names and values that they describe themselves.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;

use etweir::buffer::BufferView;
use etweir::decode::{
    Count, Decoded, Decoder, Exactness, InType, OutType, ProviderTraits, Schema, SchemaKind, Str, Struct,
    Value, provider_guid,
};
use etweir::record::ExtendedType;
use etweir::testkit::corpus;
use etweir::trace::{SessionInfo, TraceBuffer};
use etweir::write::{BufferSpec, EventSpec, ItemSpec, Width};
use etweir::{Guid, Limits, Offset, ParseError};
use serde_json::{Value as Json, json};

/// Decodes one event with a fresh decoder.
fn decode(event: &EventSpec, check: impl FnOnce(&Decoded<'_>)) {
    let mut decoder = Decoder::new();
    decode_with(&mut decoder, event, check);
}

fn decode_with(decoder: &mut Decoder, event: &EventSpec, check: impl FnOnce(&Decoded<'_>)) {
    let bytes = BufferSpec::new(65_536).event(event).to_bytes();
    let view = BufferView::parse(&bytes).expect("a good buffer");
    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    let event = buffer.events().next().expect("one event").expect("no damage");
    check(&decoder.decode(&event));
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}

/// The vectors of a kind, with numbers of more than 64 bits as text.
fn vectors(kind: &str, test: &str) -> Vec<Json> {
    let Some(folder) = corpus::data(test) else { return Vec::new() };
    let text = fs::read_to_string(folder.join("payload-vectors.jsonl")).expect("a readable file");
    text.lines()
        .filter(|line| line.contains(&format!("\"kind\":\"{kind}\"")))
        .map(|line| serde_json::from_str(&quote_long_numbers(line)).expect("JSON"))
        .collect()
}

fn quote_long_numbers(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    let mut inside = false;
    while let Some(c) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (token, quoted) =
            if !inside && digits > 20 { (&rest[..digits], true) } else { (&rest[..c.len_utf8()], false) };
        if c == '"' && !out.ends_with('\\') {
            inside = !inside;
        }
        out += &if quoted { format!("\"{token}\"") } else { token.to_owned() };
        rest = &rest[token.len()..];
    }
    out
}

/// The flat list of leaves that the vectors have.
fn leaves(name: &str, in_type: InType, value: Value<'_>, out: &mut Vec<Json>) {
    let unsigned = |value: i64| match in_type {
        InType::Int8 => u64::from(value as u8),
        InType::Int16 => u64::from(value as u16),
        InType::Int32 => u64::from(value as u32),
        _ => value as u64,
    };
    let value = match value {
        Value::Array(array) => return array.iter().for_each(|value| leaves(name, in_type, value, out)),
        Value::Struct(members) => return struct_leaves(members, out),
        Value::Int(value) => json!(unsigned(value)),
        Value::UInt(value) | Value::Pointer(value) => json!(value),
        Value::Bool(value) => json!(u64::from(value)),
        Value::Str(Str::Utf16(text)) => json!(text.to_string()),
        Value::Str(Str::Ansi(text)) => {
            json!({ "hex": text.iter().map(|byte| format!("{byte:02x}")).collect::<String>() })
        }
        Value::Guid(guid) => json!(u128::from_le_bytes(guid.to_bytes()).to_string()),
        Value::FileTime(time) => json!(time.get()),
        Value::SystemTime(time) => {
            let words = [
                time.year,
                time.month,
                time.day_of_week,
                time.day,
                time.hour,
                time.minute,
                time.second,
                time.milliseconds,
            ];
            let number = words.iter().rev().fold(0_u128, |number, &word| number << 16 | u128::from(word));
            json!(number.to_string())
        }
        other => panic!("no vector has {other:?}"),
    };
    out.push(json!([name, value]));
}

fn struct_leaves(members: Struct<'_>, out: &mut Vec<Json>) {
    for field in members {
        leaves(&field.property.name, field.property.in_type, field.value, out);
    }
}

#[test]
fn every_recorded_payload_has_the_values_that_were_verified() {
    let vectors = vectors("tracelogging", "every_recorded_payload_has_the_values_that_were_verified");
    for vector in &vectors {
        let text = |key: &str| vector[key].as_str().expect("text");
        let event = EventSpec {
            provider_id: text("provider_guid").parse().expect("a GUID"),
            width: if vector["pointer"] == 4 { Width::Bits32 } else { Width::Bits64 },
            channel: 11,
            items: vec![
                ItemSpec::new(ExtendedType::PROV_TRAITS, hex(text("traits"))),
                ItemSpec::new(ExtendedType::EVENT_SCHEMA_TL, hex(text("schema"))),
            ],
            payload: hex(text("payload")),
            ..EventSpec::default()
        };
        decode(&event, |decoded| {
            assert_eq!(decoded.names().event.as_deref(), Some(text("event")));
            assert_eq!(decoded.kind(), Some(SchemaKind::TraceLogging));
            assert_eq!(decoded.outcome().exactness, Exactness::Wholly);
            let mut found = Vec::new();
            for field in decoded.fields() {
                let field = field.expect("a value");
                leaves(&field.property.name, field.property.in_type, field.value, &mut found);
            }
            assert_eq!(json!(found), vector["values"]);
        });
    }
    assert!(vectors.is_empty() || vectors.len() == 11, "{}", vectors.len());
}

/// `parts` with their 16-bit size in front, which counts itself.
fn sized(parts: &[&[u8]]) -> Vec<u8> {
    let rest = parts.concat();
    let size = u16::try_from(rest.len() + 2).expect("short");
    [&size.to_le_bytes()[..], &rest].concat()
}

fn schema(metadata: &[u8]) -> Result<Schema, ParseError> {
    Schema::from_trace_logging(metadata, &Limits::default())
}

/// The fields of a payload as text.
fn show(schema: &Schema, payload: &[u8]) -> String {
    let mut fields = schema.fields(payload, 8);
    let texts: Vec<String> = fields
        .by_ref()
        .map(|field| field.map_or_else(|error| error.to_string(), |field| format!("{:?}", field.value)))
        .collect();
    assert_eq!(fields.rest(), [0_u8; 0], "{texts:?}");
    texts.join(" ")
}

#[test]
fn in_types_have_the_numbers_of_trace_logging() {
    #[rustfmt::skip]
    let types = [
        InType::Null, InType::UnicodeString, InType::AnsiString, InType::Int8, InType::UInt8, InType::Int16,
        InType::UInt16, InType::Int32, InType::UInt32, InType::Int64, InType::UInt64, InType::Float, InType::Double,
        InType::Boolean, InType::CountedBinary, InType::Guid, InType::Pointer, InType::FileTime, InType::SystemTime,
        InType::Sid, InType::HexInt32, InType::HexInt64, InType::CountedString, InType::CountedAnsiString,
        InType::Struct, InType::CountedBinary, InType::Unknown, InType::Unknown, InType::Unknown, InType::Unknown,
        InType::Unknown, InType::Unknown,
    ];
    for (number, in_type) in (0..).zip(types) {
        let schema = schema(&sized(&[b"\0e\0f\0", &[number]])).expect("a schema");
        assert_eq!(schema.properties()[0].in_type, in_type, "{number}");
    }
}

#[test]
fn out_types_have_the_numbers_of_trace_logging() {
    for (number, out_type) in [
        (0, OutType::Default),
        (1, OutType::NoPrint),
        (2, OutType::String),
        (3, OutType::Boolean),
        (4, OutType::Hex),
        (5, OutType::Pid),
        (6, OutType::Tid),
        (7, OutType::Port),
        (8, OutType::Ipv4),
        (9, OutType::Ipv6),
        (10, OutType::SocketAddress),
        (11, OutType::Xml),
        (12, OutType::Json),
        (13, OutType::Win32Error),
        (14, OutType::NtStatus),
        (15, OutType::HResult),
        (16, OutType::DateTime),
        (17, OutType::Signed),
        (18, OutType::Unsigned),
        (33, OutType::DateTimeCultureInsensitive),
        (35, OutType::Utf8),
        (36, OutType::Pkcs7),
        (37, OutType::CodePointer),
        (38, OutType::DateTimeUtc),
        (19, OutType::Default),
        (127, OutType::Default),
    ] {
        let schema = schema(&sized(&[b"\0e\0f\0", &[0x88, number]])).expect("a schema");
        assert_eq!(schema.properties()[0].out_type, out_type, "{number}");
        assert_eq!(schema.properties()[0].in_type, InType::UInt32);
    }
}

#[test]
fn tags_have_seven_bits_in_a_byte_the_highest_first() {
    for (bytes, tags) in [
        (&[0x00][..], 0),
        (&[0x12], 0x0240_0000),
        (&[0x81, 0x00], 0x0020_0000),
        (&[0x80, 0x80, 0x80, 0x01], 1),
        (&[0xFF, 0xFF, 0xFF, 0x7F], 0x0FFF_FFFF),
        // What follows the fourth says nothing.
        (&[0x80, 0x80, 0x80, 0x81, 0xFF, 0x7F], 1),
    ] {
        let schema = schema(&sized(&[bytes, b"e\0f\0", &[0x88, 0x85], bytes])).expect("a schema");
        assert_eq!((schema.tags(), schema.properties()[0].tags), (tags, tags), "{bytes:02x?}");
        assert_eq!(schema.properties()[0].out_type, OutType::Pid);
    }
}

#[test]
fn arrays_are_counted_in_the_description_or_in_the_payload() {
    let schema = schema(&sized(&[b"\0e\0", b"a\0\x24\x03\0", b"b\0\x46", b"c\0\xC4\x02", b"d\0\x59"]))
        .expect("a schema");
    let counts: Vec<Count> = schema.properties().iter().map(|property| property.count).collect();
    assert_eq!(counts, [Count::Fixed(3), Count::Prefixed, Count::Prefixed, Count::Prefixed]);
    assert_eq!(schema.properties()[2].out_type, OutType::String);
    let payload = [&[1, 2, 3][..], &[2, 0, 4, 0, 5, 0], &[1, 0, 6], &[2, 0, 1, 0, 0xAA, 0, 0]].concat();
    assert_eq!(
        show(&schema, &payload),
        "Array([UInt(1), UInt(2), UInt(3)]) Array([UInt(4), UInt(5)]) Array([UInt(6)]) Array([Binary([170]), Binary([])])"
    );
}

#[test]
fn structures_count_fields_and_not_members_of_members() {
    // s has two members: the structure t with one member, and b; then c. And an array of structures.
    let schema = schema(&sized(&[
        b"\0e\0",
        b"s\0\x98\x02",
        b"t\0\xB8\x01\x02\0",
        b"a\0\x04",
        b"b\0\x04",
        b"c\0\x04",
        b"u\0\xD8\x01",
        b"d\0\x02",
    ]))
    .expect("a schema");
    let names: Vec<&str> = schema.properties().iter().map(|property| &*property.name).collect();
    assert_eq!(names, ["s", "c", "u", "t", "b", "d", "a"], "members stand side by side");
    assert_eq!(schema.top_level().len(), 3);
    let payload = [&[1, 2, 3, 4][..], &[2, 0], b"x\0y\0"].concat();
    assert_eq!(
        show(&schema, &payload),
        concat!(
            r#"Struct({"t": Array([Struct({"a": UInt(1)}), Struct({"a": UInt(2)})]), "b": UInt(3)}) UInt(4) "#,
            r#"Array([Struct({"d": Str(Ansi([120]))}), Struct({"d": Str(Ansi([121]))})])"#
        )
    );
}

#[test]
fn a_structure_may_have_no_members() {
    let schema = schema(&sized(&[b"\0e\0", b"s\0\x98\x00", b"a\0\x04"])).expect("a schema");
    assert_eq!(show(&schema, &[7]), "Struct({}) UInt(7)");
}

#[test]
fn what_a_custom_serializer_wrote_is_counted_bytes() {
    let schema = schema(&sized(&[b"\0e\0", b"a\0\x64\x03\0xyz", b"b\0\x04"])).expect("a schema");
    assert_eq!(show(&schema, &[2, 0, 0xAA, 0xBB, 7]), "Binary([170, 187]) UInt(7)");
}

#[test]
fn a_pointer_has_the_size_that_the_event_says() {
    let schema = schema(&sized(&[b"\0e\0", b"p\0\x10"])).expect("a schema");
    assert_eq!(schema.fields(&[1, 0, 0, 0], 4).next().expect("one").expect("whole").value, Value::Pointer(1));
    assert!(schema.fields(&[1, 0, 0, 0], 8).next().expect("one").is_err());
}

#[test]
fn the_smaller_of_both_sizes_counts() {
    let mut metadata = sized(&[b"\0e\0", b"a\0\x04", b"b\0\x04"]);
    assert_eq!(schema(&metadata).expect("a schema").properties().len(), 2);
    metadata[0] -= 3;
    assert_eq!(schema(&metadata).expect("a schema").properties().len(), 1);
    metadata[0] = 200;
    assert_eq!(schema(&metadata).expect("a schema").properties().len(), 2);
}

#[test]
fn names_are_utf_8_and_kept_as_they_are() {
    let schema = schema(&sized(&[b"\0Stra\xC3\x9Fe\0", b"a;b=c\0\x04", b"\xFF\0\x04"])).expect("a schema");
    assert_eq!(schema.names().event.as_deref(), Some("Straße"));
    assert_eq!(schema.properties()[0].name, "a;b=c");
    assert_eq!(schema.properties()[1].name, "\u{FFFD}");
}

#[test]
fn a_description_that_is_cut_says_where() {
    let truncated = |what, at, need, have| Some(ParseError::Truncated { what, at: Offset(at), need, have });
    let error = |metadata: &[u8]| schema(metadata).err();
    assert_eq!(error(&[7]), truncated("TraceLogging description", 0, 2, 1));
    assert_eq!(error(&[2, 0]), truncated("TraceLogging tags", 2, 1, 0));
    assert_eq!(error(&sized(&[b"\0ev"])), truncated("name of a TraceLogging event", 3, 3, 2));
    assert_eq!(error(&sized(&[b"\0e\0f"])), truncated("name of a TraceLogging field", 5, 2, 1));
    assert_eq!(error(&sized(&[b"\0e\0f\0"])), truncated("TraceLogging field", 7, 1, 0));
    assert_eq!(error(&sized(&[b"\0e\0f\0\x88"])), truncated("TraceLogging field", 8, 1, 0));
    assert_eq!(error(&sized(&[b"\0e\0f\0\x88\x85"])), truncated("TraceLogging tags", 9, 1, 0));
    assert_eq!(error(&sized(&[b"\0e\0f\0\x24\x03"])), truncated("TraceLogging field", 8, 2, 1));
    assert_eq!(
        error(&sized(&[b"\0e\0f\0\x64\x03\0ab"])),
        truncated("type information of a TraceLogging field", 10, 3, 2)
    );
    assert_eq!(
        error(&sized(&[b"\0e\0s\0\x98\x03f\0\x04"])),
        truncated("members of a TraceLogging structure", 12, 2, 0)
    );
}

#[test]
fn a_description_has_no_more_fields_and_depth_than_the_limits() {
    let out_of_range = |field, value, max| {
        Some(ParseError::OutOfRange {
            what: "TraceLogging description",
            field,
            at: Offset(0),
            value,
            min: 0,
            max,
        })
    };
    let fields = |count| sized(&[b"\0e\0", &b"f\0\x04".repeat(count)]);
    assert!(schema(&fields(1024)).is_ok());
    assert_eq!(schema(&fields(1025)).err(), out_of_range("fields", 1025, 1024));
    let nested = |depth| sized(&[b"\0e\0", &b"s\0\x98\x01".repeat(depth), b"f\0\x04"]);
    assert!(schema(&nested(16)).is_ok());
    assert_eq!(schema(&nested(17)).err(), out_of_range("depth", 17, 16));
}

fn traits_of(name: &str) -> ItemSpec {
    ItemSpec::provider_traits(name, None)
}

#[test]
fn the_provider_is_called_as_its_traits_say_and_later_events_without_them_too() {
    let provider_id = provider_guid("MySource");
    let described = |items| EventSpec { provider_id, items, payload: vec![7], ..EventSpec::default() };
    let schema = ItemSpec::schema_tl("Ping", &[("seq", &[0x04])]);
    let mut decoder = Decoder::new();
    decode_with(&mut decoder, &described(vec![schema.clone()]), |decoded| {
        assert_eq!(decoded.provider_name(), None);
        assert_eq!(decoded.names().event.as_deref(), Some("Ping"));
    });
    decode_with(&mut decoder, &described(vec![traits_of("MySource"), schema.clone()]), |decoded| {
        assert_eq!(decoded.provider_name().as_deref(), Some("MySource"));
    });
    decode_with(&mut decoder, &described(vec![schema.clone()]), |decoded| {
        assert_eq!(decoded.provider_name().as_deref(), Some("MySource"));
        assert_eq!(decoded.get_u32("seq"), Some(7));
    });
    assert_eq!(decoder.provider_name(provider_id), Some("MySource"));
    // The first name stays, but an event that carries another is called by its own.
    decode_with(&mut decoder, &described(vec![traits_of("Other"), schema]), |decoded| {
        assert_eq!(decoded.provider_name().as_deref(), Some("Other"));
    });
    assert_eq!(decoder.provider_name(provider_id), Some("MySource"));
}

#[test]
fn a_damaged_description_is_named_and_costs_its_event_only() {
    let mut decoder = Decoder::new();
    let event = |data: &[u8]| EventSpec {
        channel: 11,
        items: vec![ItemSpec::new(ExtendedType::EVENT_SCHEMA_TL, data)],
        payload: vec![7],
        ..EventSpec::default()
    };
    for _ in 0..2 {
        decode_with(&mut decoder, &event(&sized(&[b"\0e\0f\0"])), |decoded| {
            let error = ParseError::Truncated { what: "TraceLogging field", at: Offset(7), need: 1, have: 0 };
            assert_eq!(decoded.damage(), Some(error));
            assert_eq!((decoded.schema().is_none(), decoded.fields().count()), (true, 0));
            assert_eq!((decoded.outcome().exactness, decoded.outcome().rest), (Exactness::Not, &[7][..]));
        });
        decode_with(&mut decoder, &event(&sized(&[b"\0e\0f\0\x04"])), |decoded| {
            assert_eq!((decoded.damage(), decoded.get_u64("f")), (None, Some(7)));
        });
    }
}

#[test]
fn without_the_items_traits_and_description_stand_in_front_of_the_values() {
    let traits = sized(&[b"Old.Provider\0"]);
    let metadata = sized(&[b"\0OldEvent\0", b"n\0\x06", b"t\0\x01"]);
    let payload = [&traits[..], &metadata, &[5, 0], b"h\0i\0\0\0"].concat();
    let event = EventSpec { channel: 11, payload: payload.clone(), ..EventSpec::default() };
    let mut decoder = Decoder::new();
    decode_with(&mut decoder, &event, |decoded| {
        assert_eq!(decoded.kind(), Some(SchemaKind::TraceLogging));
        assert_eq!(decoded.provider_name().as_deref(), Some("Old.Provider"));
        assert_eq!(decoded.names().event.as_deref(), Some("OldEvent"));
        assert_eq!(decoded.outcome().exactness, Exactness::Wholly);
        assert_eq!(decoded.get_u64("n"), Some(5));
        let text = decoded.get("t").and_then(Value::as_str);
        assert!(matches!(text, Some(Str::Utf16(text)) if text.to_string() == "hi"), "{text:?}");
    });
    // An offset in an error counts from the payload's start.
    let cut = EventSpec { payload: payload[..traits.len() + metadata.len() + 1].to_vec(), ..event.clone() };
    decode_with(&mut decoder, &cut, |decoded| {
        let error = decoded.outcome().error.expect("an error");
        assert_eq!(error.at(), Offset((traits.len() + metadata.len()) as u64));
    });
    // On any other channel, and where the name is no text, it is a payload like any other.
    for event in [
        EventSpec { channel: 10, ..event.clone() },
        EventSpec { payload: payload.iter().map(|byte| byte & 0x9F).collect(), ..event.clone() },
        EventSpec { payload: traits.clone(), ..event.clone() },
        EventSpec { payload: vec![], ..event },
    ] {
        decode_with(&mut decoder, &event, |decoded| assert!(decoded.schema().is_none()));
    }
}

#[test]
fn traits_tell_name_group_and_decode_guid() {
    let group: Guid = "4f50731a-89cf-4782-b3e0-dce8c90476ba".parse().expect("a GUID");
    let other: Guid = "ad8aa069-a01b-40a0-ba40-948d1d8dedc5".parse().expect("a GUID");
    let bytes = sized(&[
        b"Name\0",
        &[5, 0, 200, 1, 2],
        &[19, 0, 1],
        &group.to_bytes(),
        &[19, 0, 2],
        &other.to_bytes(),
        &[3, 0, 77],
        // A chunk shorter than its head is the end.
        &[2, 0, 1, 9, 9],
    ]);
    let traits = ProviderTraits::parse(&bytes).expect("traits");
    assert_eq!((&*traits.name(), traits.group(), traits.decode_guid()), ("Name", Some(group), Some(other)));
    let chunks: Vec<(u8, usize)> = traits.chunks().map(|(kind, data)| (kind, data.len())).collect();
    assert_eq!(chunks, [(200, 2), (1, 16), (2, 16), (77, 0)]);
    let plain = ItemSpec::provider_traits("Name", Some(group)).data;
    let traits = ProviderTraits::parse(&plain).expect("traits");
    assert_eq!((traits.group(), traits.decode_guid()), (Some(group), None));
}

#[test]
fn traits_that_are_cut_say_where() {
    let error = |bytes: &[u8]| ProviderTraits::parse(bytes).err();
    let truncated = |what, at, need, have| Some(ParseError::Truncated { what, at: Offset(at), need, have });
    assert_eq!(error(&[9]), truncated("provider traits", 0, 2, 1));
    assert_eq!(error(&[9, 0, b'a', 0]), truncated("provider traits", 0, 9, 4));
    assert_eq!(error(&[4, 0, b'a', b'b', 0]), truncated("name of a provider", 2, 3, 2));
}

#[test]
fn the_guid_of_a_provider_is_made_of_its_name() {
    for (name, guid) in [
        ("MySource", "a61ea624-4944-55fc-c2a8-37838829438d"),
        ("PerfView", "a8a71ac1-040f-54a2-07ca-00a89b5ab761"),
        ("perfview", "a8a71ac1-040f-54a2-07ca-00a89b5ab761"),
    ] {
        assert_eq!(provider_guid(name).to_string(), guid, "{name}");
    }
}
