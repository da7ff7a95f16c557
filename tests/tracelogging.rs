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
