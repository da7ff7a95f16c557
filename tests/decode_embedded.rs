//! What merging writes into traces describes the payloads that were captured with it, and is checked to its last offset.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod metadata;

use std::fs;

use etweir::decode::{
    Count, DecodingSource, EventInfo, InType, Length, OutType, Schema, ValueMap, ValueMapKind,
};
use etweir::testkit::corpus;
use etweir::{Guid, Limits, Offset, ParseError};
use metadata::{
    CHANNEL_NAME, EVENT_MESSAGE, EVENT_NAME, Info, KEYWORDS_NAME, LEVEL_NAME, OPCODE_NAME, PROVIDER_NAME,
    Property, TASK_NAME, map, scalar,
};
use serde_json::Value;

/// The vectors of a kind.
fn vectors(test: &str, kind: &str) -> Option<Vec<Value>> {
    let text =
        fs::read_to_string(corpus::data(test)?.join("payload-vectors.jsonl")).expect("readable vectors");
    let vectors = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    Some(vectors.filter(|vector| vector["kind"] == kind).collect())
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().expect("hex");
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex")).collect()
}

fn number<T: TryFrom<u64>>(value: &Value) -> T {
    value.as_u64().and_then(|value| T::try_from(value).ok()).expect("a number")
}

#[test]
fn event_descriptions_name_their_properties_and_consume_the_payload() {
    const TEST: &str = "event_descriptions_name_their_properties_and_consume_the_payload";
    let Some(vectors) = vectors(TEST, "trace_event_info") else { return };
    for vector in &vectors {
        let what = format!("{} id {} version {}", vector["provider"], vector["id"], vector["version"]);
        let info = EventInfo::parse(&hex(&vector["info"]), &Limits::default()).expect(&what);
        let provider: Guid = vector["provider"].as_str().expect("a GUID").parse().expect("a GUID");
        assert_eq!(info.provider_id(), provider, "{what}");
        assert_eq!(info.id(), number::<u16>(&vector["id"]), "{what}");
        assert_eq!(info.version(), number::<u8>(&vector["version"]), "{what}");
        let schema = info.into_schema(|_| None, &Limits::default()).expect(&what);
        let names: Vec<&str> = schema.properties().iter().map(|property| &*property.name).collect();
        assert_eq!(serde_json::json!(names), vector["property_names"], "{what}");
        assert_consumed(&schema, &hex(&vector["payload"]), number(&vector["pointer"]), &what);
    }
    assert_eq!(vectors.len(), 55);
}

fn assert_consumed(schema: &Schema, payload: &[u8], pointer_size: u8, what: &str) {
    let mut fields = schema.fields(payload, pointer_size);
    for field in fields.by_ref() {
        field.expect(what);
    }
    assert!(fields.rest().is_empty(), "{what}: {} bytes left", fields.rest().len());
}

#[test]
fn maps_have_the_entries_of_the_trace_without_the_space_at_their_end() {
    const TEST: &str = "maps_have_the_entries_of_the_trace_without_the_space_at_their_end";
    let Some(vectors) = vectors(TEST, "event_map_info") else { return };
    for vector in &vectors {
        let map = ValueMap::parse(&hex(&vector["payload"])[16..], &Limits::default()).expect("a map");
        let map = map.expect("texts for numbers");
        assert_eq!(map.name, vector["name"].as_str().expect("a name"));
        let bits = number::<u32>(&vector["flags"]) & 0x12 != 0;
        assert_eq!(map.kind, if bits { ValueMapKind::Bits } else { ValueMapKind::Value });
        let expected: Vec<(u32, &str)> = vector["entries"]
            .as_array()
            .expect("entries")
            .iter()
            .map(|entry| (number(&entry[0]), entry[1].as_str().expect("a text").trim_end()))
            .collect();
        let entries: Vec<(u32, &str)> = map.entries().iter().map(|(value, text)| (*value, &**text)).collect();
        assert_eq!(entries, expected, "{}", map.name);
    }
    assert_eq!(vectors.len(), 12);
}

fn parse(info: &Info) -> EventInfo {
    EventInfo::parse(&info.to_bytes(), &Limits::default()).expect("a good structure")
}

fn refused(bytes: &[u8], limits: &Limits) -> ParseError {
    EventInfo::parse(bytes, limits).expect_err("a bad structure")
}

fn schema(properties: Vec<Property>, top_level: u32) -> Schema {
    let info = parse(&Info { properties, top_level: Some(top_level), ..Info::default() });
    info.into_schema(|_| None, &Limits::default()).expect("a schema")
}

#[test]
fn names_are_trimmed_and_keywords_are_a_list() {
    let info = parse(&Info {
        id: 7,
        version: 3,
        opcode: 9,
        texts: vec![
            (PROVIDER_NAME, "Shop"),
            (LEVEL_NAME, "Loud "),
            (CHANNEL_NAME, "Shop/Admin"),
            (KEYWORDS_NAME, "Money \0Goods\0"),
            (TASK_NAME, "Sale\r\n"),
            (OPCODE_NAME, " "),
            (EVENT_MESSAGE, "Sold %1."),
            (EVENT_NAME, "SaleBegan"),
        ],
        ..Info::default()
    });
    assert_eq!((info.id(), info.version(), info.opcode()), (7, 3, 9));
    assert_eq!(info.source(), DecodingSource::XML_FILE);
    let names = info.names();
    assert_eq!(names.provider.as_deref(), Some("Shop"));
    assert_eq!(names.level.as_deref(), Some("Loud"));
    assert_eq!(names.channel.as_deref(), Some("Shop/Admin"));
    assert_eq!(names.keywords, ["Money", "Goods"]);
    assert_eq!(names.task.as_deref(), Some("Sale"));
    assert_eq!(names.opcode, None);
    assert_eq!(names.message.as_deref(), Some("Sold %1."));
    assert_eq!(names.event.as_deref(), Some("SaleBegan"));
}

#[test]
fn the_name_of_a_trace_logging_event_stands_in_place_of_the_task() {
    let info = parse(&Info { source: 3, texts: vec![(TASK_NAME, "SaleBegan")], ..Info::default() });
    assert_eq!((info.names().event.as_deref(), info.names().task.as_deref()), (Some("SaleBegan"), None));
}

#[test]
fn a_length_counts_for_text_and_binary_only() {
    let with = |flags: u32, in_type: u16, length: u16| Property { flags, ..scalar("x", in_type, length) };
    let schema = schema(
        vec![
            with(0, 8, 4),
            with(0, 16, 4),
            with(0, 1, 0),
            with(0, 1, 10),
            with(0x10, 2, 8),
            with(0x2, 14, 0),
            with(0, 14, 0),
            with(0x2, 8, 0),
        ],
        8,
    );
    let lengths: Vec<_> = schema.properties().iter().map(|property| property.length).collect();
    assert_eq!(
        lengths,
        [
            Length::Natural,
            Length::Natural,
            Length::Natural,
            Length::Fixed(10),
            Length::Fixed(8),
            Length::Property(0),
            Length::Natural,
            Length::Natural,
        ]
    );
}

#[test]
fn a_count_is_fixed_by_its_flag_or_by_being_more_than_one() {
    let with = |flags: u32, count: u16| Property { flags, count, ..scalar("x", 8, 4) };
    let schema = schema(vec![with(0, 1), with(0, 0), with(0, 2), with(0x20, 1), with(0x4, 1)], 5);
    let counts: Vec<_> = schema.properties().iter().map(|property| property.count).collect();
    assert_eq!(counts, [Count::One, Count::One, Count::Fixed(2), Count::Fixed(1), Count::Property(1)]);
}

#[test]
fn structures_tags_and_custom_schemas_are_told_by_flags() {
    let structure =
        Property { flags: 0x1 | 0x4, in_type: 2, out_type: 2, name: "s", count: 0, ..Property::default() };
    let schema = schema(
        vec![
            scalar("n", 6, 2),
            structure,
            Property { flags: 0x40, tags: 0xF123_4567, ..scalar("a", 4, 1) },
            Property { flags: 0x80, out_type: 15, map: Some("x"), ..scalar("b", 0, 0) },
        ],
        2,
    );
    let properties = schema.properties();
    assert_eq!((properties[1].in_type, properties[1].members.clone()), (InType::Struct, 2..4));
    assert_eq!(properties[1].count, Count::Property(0));
    assert_eq!(properties[2].tags, 0x0123_4567);
    assert_eq!((properties[3].in_type, properties[3].out_type), (InType::CountedBinary, OutType::HexBinary));
    let fields: Vec<String> = schema
        .fields(&[2, 0, 7, 1, 0, 0xAA, 8, 0, 0], 8)
        .map(|field| field.expect("a field"))
        .map(|field| format!("{}={:?}", field.property.name, field.value))
        .collect();
    assert_eq!(
        fields,
        [
            "n=UInt(2)",
            "s=Array([Struct({\"a\": UInt(7), \"b\": Binary([170])}), Struct({\"a\": UInt(8), \"b\": Binary([])})])",
        ]
    );
}

#[test]
fn an_in_type_that_is_not_known_ends_what_can_be_read() {
    let schema = schema(vec![scalar("a", 4, 1), scalar("b", 24, 1), scalar("c", 4, 1)], 3);
    let fields: Vec<_> = schema.fields(&[1, 2, 3], 8).collect();
    assert_eq!(fields.len(), 2);
    assert!(fields[0].is_ok() && fields[1].is_err());
}

#[test]
fn maps_are_asked_for_by_name() {
    let info = parse(&Info {
        properties: vec![scalar("a", 4, 1), Property { map: Some("Goods"), ..scalar("b", 4, 1) }],
        ..Info::default()
    });
    assert_eq!(info.map_names().collect::<Vec<_>>(), ["Goods"]);
    let goods = ValueMap::new("Goods", ValueMapKind::Value, vec![(1, "bread".into())]);
    let find = |name: &str| (name == "Goods").then(|| goods.clone().into());
    let schema = info.into_schema(find, &Limits::default()).expect("a schema");
    assert_eq!(schema.properties()[0].map, None);
    assert_eq!(schema.properties()[1].map.as_deref(), Some(&goods));
}

#[test]
fn a_structure_cut_short_says_where() {
    let bytes = Info { properties: vec![scalar("price", 6, 2)], ..Info::default() }.to_bytes();
    let limits = Limits::default();
    let truncated = |what, at, need, have| ParseError::Truncated { what, at: Offset(at), need, have };
    assert_eq!(refused(&bytes[..111], &limits), truncated("TRACE_EVENT_INFO", 0, 112, 111));
    assert_eq!(refused(&bytes[..135], &limits), truncated("EVENT_PROPERTY_INFO", 0x70, 24, 23));
    // `price` and its zero: 12 bytes.
    assert_eq!(refused(&bytes[..147], &limits), truncated("NameOffset", 0x88, 13, 11));
}

#[test]
fn numbers_that_contradict_the_structure_or_the_limits_are_refused() {
    let out_of_range = |field, value, max| ParseError::OutOfRange {
        what: "TRACE_EVENT_INFO",
        field,
        at: Offset(0),
        value,
        min: 0,
        max,
    };
    let mut limits = Limits::default();
    let info = Info { properties: vec![scalar("price", 6, 2); 3], ..Info::default() };
    let mut bytes = info.to_bytes();
    bytes[116..120].copy_from_slice(&10_000_u32.to_le_bytes());
    assert_eq!(refused(&bytes, &limits), out_of_range("NameOffset", 10_000, 220));
    let too_many = Info { top_level: Some(4), ..info.clone() }.to_bytes();
    assert_eq!(refused(&too_many, &limits), out_of_range("TopLevelPropertyCount", 4, 3));
    limits.schema_properties = 2;
    assert_eq!(refused(&info.to_bytes(), &limits), out_of_range("PropertyCount", 3, 2));
    limits.schema_properties = 3;
    limits.string_bytes = 9;
    let length = ParseError::OutOfRange {
        what: "NameOffset",
        field: "length",
        at: Offset(184),
        value: 10,
        min: 0,
        max: 9,
    };
    assert_eq!(refused(&info.to_bytes(), &limits), length);
}

#[test]
fn a_map_with_more_entries_than_bytes_is_refused() {
    let mut bytes = map(Guid::ZERO, "Goods", 1, &[(1, "bread")])[16..].to_vec();
    let parse = |bytes: &[u8]| ValueMap::parse(bytes, &Limits::default());
    assert!(parse(&bytes).expect("a good structure").is_some());
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    let error = ParseError::OutOfRange {
        what: "EVENT_MAP_INFO",
        field: "EntryCount",
        at: Offset(0),
        value: 0xFFFF_FFFF,
        min: 0,
        max: 4,
    };
    assert_eq!(parse(&bytes), Err(error));
    // A pattern map has no numbers.
    bytes[4] = 4;
    assert_eq!(parse(&bytes), Ok(None));
}

#[test]
fn maps_of_classes_are_read_like_those_of_manifests() {
    let kind = |flag| {
        let bytes = map(Guid::ZERO, "Goods", flag, &[(1, "bread")]);
        ValueMap::parse(&bytes[16..], &Limits::default()).expect("a map").map(|map| map.kind)
    };
    assert_eq!(kind(0x1), Some(ValueMapKind::Value));
    assert_eq!(kind(0x2), Some(ValueMapKind::Bits));
    assert_eq!(kind(0x8), Some(ValueMapKind::Value));
    assert_eq!(kind(0x10), Some(ValueMapKind::Bits));
    assert_eq!(kind(0x40), None);
}
