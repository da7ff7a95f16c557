//! Payloads are walked as their schemas say, to the last byte that fits.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use etweir::Offset;
use etweir::decode::{DecodeError, EventNames, InType, Property, Schema, SchemaKind};

fn schema(properties: Vec<Property>) -> Schema {
    let top_level = properties.len() as u16;
    Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level).expect("a valid schema")
}

fn property(name: &'static str, in_type: InType) -> Property {
    Property::new(name, in_type)
}

/// Names and values as text, and what is left.
fn walk(schema: &Schema, payload: &[u8], pointer_size: u8) -> (Vec<String>, Option<DecodeError>, usize) {
    let mut fields = schema.fields(payload, pointer_size);
    let (mut texts, mut error) = (Vec::new(), None);
    for field in fields.by_ref() {
        match field {
            Ok(field) => texts.push(format!("{}={:?}", field.property.name, field.value)),
            Err(found) => error = Some(found),
        }
    }
    (texts, error, fields.rest().len())
}

#[test]
fn numbers_are_little_endian_and_packed() {
    let schema = schema(vec![
        property("a", InType::UInt8),
        property("b", InType::Int16),
        property("c", InType::UInt32),
        property("d", InType::Int64),
    ]);
    let payload = [7, 0xFE, 0xFF, 1, 2, 3, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    let (fields, error, left) = walk(&schema, &payload, 8);
    assert_eq!(fields, ["a=UInt(7)", "b=Int(-2)", "c=UInt(67305985)", "d=Int(-1)"]);
    assert_eq!((error, left), (None, 0));
}

#[test]
fn a_payload_cut_short_gives_the_fields_before_and_says_where_and_how_much() {
    let schema = schema(vec![property("a", InType::UInt8), property("b", InType::UInt32)]);
    let (fields, error, left) = walk(&schema, &[7, 1, 2, 3], 8);
    assert_eq!(fields, ["a=UInt(7)"]);
    let expected = DecodeError::Truncated { property: 1, what: "UInt32", at: Offset(1), need: 4, have: 3 };
    assert_eq!((error, left), (Some(expected), 3));
    assert_eq!(expected.to_string(), "property 1, UInt32 at 0x1 needs 4 bytes, 3 left");
}
