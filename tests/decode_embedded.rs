//! What merging writes into traces describes the payloads that were captured with it.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;

use etweir::decode::{EventInfo, Schema, ValueMap, ValueMapKind};
use etweir::testkit::corpus;
use etweir::{Guid, Limits};
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
        let entries: Vec<(u32, &str)> = map.entries.iter().map(|(value, text)| (*value, &**text)).collect();
        assert_eq!(entries, expected, "{}", map.name);
    }
    assert_eq!(vectors.len(), 12);
}
