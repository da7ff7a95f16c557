//! Whatever the schema and the payload are: JSON is valid and the same both ways, and text stays on its line.

use std::sync::Arc;

use etweir::decode::format::{Formatting, Printable};
use etweir::decode::{
    Count, EventNames, Fields, InType, Length, OutType, Property, Schema, SchemaKind, ValueMap, ValueMapKind,
};
use etweir::testkit::{check, schema};
use etweir::trace::Clock;
use etweir::{FileTime, Limits, Ticks};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

fn in_type() -> impl Strategy<Value = InType> {
    let known: Vec<InType> = schema::IN_TYPES
        .into_iter()
        .filter(|in_type| !matches!(in_type, InType::Struct | InType::Unknown))
        .collect();
    select(known)
}

fn out_type() -> impl Strategy<Value = OutType> {
    select(schema::OUT_TYPES.to_vec())
}

/// Few names, so that they repeat, and some that are hard to write.
fn name() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "a_2", "", "\"\\", "line\nbreak\u{1b}", "\u{202e}", "n\u{e9}"])
        .prop_map(str::to_owned)
}

fn count() -> impl Strategy<Value = Count> {
    prop_oneof![
        6 => Just(Count::One),
        1 => (0_u16..5).prop_map(Count::Fixed),
        1 => Just(Count::Prefixed),
        1 => Just(Count::Rest),
    ]
}

fn map() -> impl Strategy<Value = Option<Arc<ValueMap>>> {
    let entries = vec((prop_oneof![0_u32..8, any::<u32>()], "[ab\n\"|]{0,5}".prop_map(Into::into)), 0..6);
    let kind = select(vec![ValueMapKind::Value, ValueMapKind::Bits]);
    prop_oneof![
        3 => Just(None),
        1 => (kind, entries).prop_map(|(kind, entries)| Some(Arc::new(ValueMap::new("map", kind, entries)))),
    ]
}

fn property() -> impl Strategy<Value = Property> {
    (name(), in_type(), out_type(), count(), map(), proptest::option::of(0_u16..20)).prop_map(
        |(name, in_type, out_type, count, map, length)| {
            let mut property = Property::new(name, in_type).shown_as(out_type);
            (property.count, property.map) = (count, map);
            property.length = length.map_or(Length::Natural, Length::Fixed);
            property
        },
    )
}

/// Some values, then a structure of others, or an array of such structures.
fn any_schema() -> impl Strategy<Value = Schema> {
    (vec(property(), 0..5), vec(property(), 0..4), name(), count()).prop_map(
        |(mut properties, members, name, count)| {
            let mut structure = Property::new(name, InType::Struct);
            let first = u16::try_from(properties.len() + 1).expect("few");
            structure.members = first..first + u16::try_from(members.len()).expect("few");
            structure.count = count;
            properties.push(structure);
            properties.extend(members);
            Schema::new(SchemaKind::Trace, EventNames::default(), properties, first).expect("a schema")
        },
    )
}

/// Bytes as they lie in payloads: numbers that are small, text, and anything.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![2 => 0_u8..4, 1 => 0x20_u8..0x7F, 1 => any::<u8>()], 0..200)
}

fn formatting() -> impl Strategy<Value = Formatting> {
    let clock = Clock::linear(Ticks(0), FileTime(132_756_731_757_993_232), 10_000_000);
    select(vec![Clock::UNKNOWN, clock]).prop_map(|clock| Formatting::new(clock, &Limits::default()))
}

/// How many fields can be read.
fn readable(fields: Fields<'_>) -> usize {
    fields.flatten().count()
}

/// Whether a terminal would take part of the text for more than text.
fn steers(text: &str) -> bool {
    text.chars().any(|c| {
        c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

/// Equal, but for the last digit of single-precision numbers: there may be two shortest ones that read back as the same.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((a_key, a), (b_key, b))| a_key == b_key && same(a, b))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let single = |number: &serde_json::Number| number.as_f64().map(|number| number as f32);
            a == b || single(a) == single(b)
        }
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn json_is_valid_on_one_line_and_the_same_through_serde(
        schema in any_schema(),
        payload in payload(),
        formatting in formatting(),
        pointer_size in select(vec![4_u8, 8]),
    ) {
        let mut json = Vec::new();
        let result = formatting.write_json_fields(&mut schema.fields(&payload, pointer_size), &mut json);
        let json = String::from_utf8(json).expect("UTF-8");
        let parsed: Value = serde_json::from_str(&json).expect("JSON");
        let serde = serde_json::to_string(&formatting.json_fields(schema.fields(&payload, pointer_size)));
        let serde: Value = serde_json::from_str(&serde.expect("JSON")).expect("JSON");
        prop_assert!(same(&parsed, &serde), "{json}\n{serde}");
        prop_assert!(!json.contains(|c: char| u32::from(c) < 0x20));
        // No key hides another.
        let keys = parsed.as_object().expect("an object").len();
        prop_assert_eq!(keys, readable(schema.fields(&payload, pointer_size)));
        let all = schema.fields(&payload, pointer_size).all(|field| field.is_ok());
        prop_assert_eq!(result.is_ok(), all);
    }

    #[test]
    fn values_of_any_bytes_can_be_formatted(head in vec(any::<u8>(), 0..200), payload in payload()) {
        check::format(&[&head[..], &payload].concat());
    }

    #[test]
    fn text_stays_on_its_line(schema in any_schema(), payload in payload(), formatting in formatting()) {
        for field in schema.fields(&payload, 8).flatten() {
            let text = formatting.text(field.property, field.value);
            prop_assert!(!steers(&text.to_string()), "{}", text);
            let word = text.quoted().to_string();
            prop_assert!(!steers(&word), "{}", word);
            let is_nested = word.starts_with(['[', '{']);
            prop_assert!(is_nested || word.starts_with('"') || !word.contains(char::is_whitespace), "{}", word);
            prop_assert_eq!(Printable(text.exact()).to_string(), text.to_string());
        }
    }

    #[test]
    fn messages_end_whatever_they_ask_for(
        template in "(%[0-9]{1,3}(![-#0-9a-z.]{0,4}!)?|%[a-z%.!]|[a !\r\n%]){0,40}",
        schema in any_schema(),
        payload in payload(),
        formatting in formatting(),
    ) {
        let parameter = |id| (id % 2 == 0).then_some("parameter\r\n");
        let message = formatting.message(&template, schema.fields(&payload, 8)).with_parameters(&parameter);
        let text = message.to_string();
        prop_assert!(text.len() <= 64 * 1024 + 3);
        prop_assert!(!steers(&Printable(&text).to_string()));
    }
}
