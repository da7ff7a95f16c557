//! Real payloads of classic events come out with the values that are known to be theirs.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod records;

use std::fs;

use etweir::decode::{Exactness, InType, Property, Str, Value};
use etweir::testkit::corpus;
use serde_json::Value as Json;

#[test]
fn every_classic_payload_has_the_values_that_are_known() {
    let Some(folder) = corpus::data("every_classic_payload_has_the_values_that_are_known") else { return };
    let text = fs::read_to_string(folder.join("payload-vectors.jsonl")).expect("a readable file");
    let vectors = text.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let (mut payloads, mut values) = (0, 0);
    for vector in vectors.filter(|vector| vector["kind"] == "classic") {
        let payload = bytes(vector["payload"].as_str().expect("hex"));
        let number = |key: &str| u8::try_from(vector[key].as_u64().expect("a number")).expect("a byte");
        let guid = vector["guid"].as_str().expect("a GUID");
        let record = records::full(guid, number("opcode"), number("version"), number("pointer"), &payload);
        let name = format!("{} {}", vector["class"], vector["event"]);
        records::decode(record, |decoded| {
            assert_eq!(decoded.names().opcode.as_deref(), vector["event"].as_str(), "{name}");
            assert_eq!(decoded.outcome().exactness, Exactness::Wholly, "{name}");
            let mut expected = vector["fields"].as_object().expect("fields").clone();
            for field in decoded.fields().map(|field| field.expect("a value")) {
                let expected = take(&mut expected, &field.property.name, &name);
                assert!(
                    agree(field.property, field.value, &expected),
                    "{name}: {} is {:?}, {expected}",
                    field.property.name,
                    field.value
                );
                values += 1;
            }
            // What an optional string that the payload does not hold is in the vectors.
            expected.retain(|_, value| value != "");
            assert!(expected.is_empty(), "{name}: {expected:?} are missing");
        });
        payloads += 1;
    }
    assert_eq!((payloads, values), (96, 789));
}

/// The value under a name. The vector of a sampled profile is older than its row, which cuts a word in two.
fn take(fields: &mut serde_json::Map<String, Json>, property: &str, event: &str) -> Json {
    let name = match property {
        "Flags" | "Rank" if event.contains("SampledProfile\"") => "Reserved",
        name => name,
    };
    let both = fields.get(name).cloned().unwrap_or_else(|| panic!("{event} has no {name}"));
    match property {
        "Flags" if name == "Reserved" => Json::from(both.as_u64().expect("a number") & 0xFF),
        "Rank" => Json::from(fields.remove(name).and_then(|word| word.as_u64()).expect("a number") >> 8),
        _ => fields.remove(name).expect("it was there"),
    }
}

fn agree(property: &Property, value: Value<'_>, expected: &Json) -> bool {
    if let Some(text) = expected.as_str() {
        return matches!(value, Value::Str(Str::Utf16(_)) | Value::Str(Str::Ansi(_)) if text_of(value) == text);
    }
    if let (Some(expected), Value::Array(array)) = (expected.as_array(), value) {
        let pairs = array.iter().zip(expected);
        return array.len() == expected.len()
            && pairs.into_iter().all(|(value, expected)| agree(property, value, expected));
    }
    if let Some(hex) = expected.get("hex") {
        let expected = bytes(hex.as_str().expect("hex"));
        return match value {
            Value::Binary(bytes) => bytes == expected,
            Value::Guid(guid) => guid.to_bytes()[..] == expected[..],
            Value::Sid(sid) => sid.as_bytes() == expected,
            Value::Array(array) => array.as_bytes() == expected,
            // The vectors have all of a field with a fixed number of characters; a text ends at its first zero.
            Value::Str(Str::Utf16(text)) => {
                let units: Vec<u16> =
                    expected.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
                let end = units.iter().position(|unit| *unit == 0).unwrap_or(units.len());
                text.units().eq(units[..end].iter().copied())
            }
            _ => false,
        };
    }
    // Signed numbers are given as unsigned ones of the same width.
    let mask = match property.in_type {
        InType::Int8 => 0xFF,
        InType::Int16 => 0xFFFF,
        InType::Int32 => 0xFFFF_FFFF,
        _ => u64::MAX,
    };
    let number = match value {
        Value::UInt(number) | Value::Pointer(number) => number,
        Value::Int(number) => number as u64 & mask,
        Value::Bool(flag) => flag.into(),
        Value::FileTime(time) => time.get() as u64,
        Value::Ticks(ticks) => ticks.get() as u64,
        _ => return false,
    };
    expected.as_u64() == Some(number)
}

fn text_of(value: Value<'_>) -> String {
    match value {
        Value::Str(Str::Utf16(text)) => text.to_string(),
        Value::Str(Str::Ansi(text)) => String::from_utf8_lossy(text).into_owned(),
        other => panic!("{other:?} is no text"),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
}
