//! What holds for any payload and any schema.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use etweir::decode::{Count, EventNames, InType, Property, Schema, SchemaKind, Value};
use etweir::testkit::{check, schema};
use proptest::collection::vec;
use proptest::prelude::*;

fn schema_of(types: &[InType], count: Count) -> Schema {
    let properties: Vec<Property> = types
        .iter()
        .enumerate()
        .map(|(index, &in_type)| {
            let mut property = Property::new(format!("p{index}"), in_type);
            property.count = count;
            property
        })
        .collect();
    let top_level = properties.len() as u16;
    Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level).expect("valid")
}

/// Types that are no structures, and of which arrays are no text.
fn types() -> impl Strategy<Value = Vec<InType>> {
    let lone = |in_type: &InType| {
        !matches!(in_type, InType::Struct | InType::UnicodeChar | InType::AnsiChar | InType::WbemSid)
    };
    let lone: Vec<InType> = schema::IN_TYPES.into_iter().filter(lone).collect();
    vec(prop::sample::select(lone), 0..12)
}

/// Payloads with many zeros and small numbers, as counts and text have.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), 0..4_u8, any::<u8>()], 0..200)
}

proptest! {
    #[test]
    fn any_payload_against_any_schema_ends_within_bounds(
        head in vec(any::<u8>(), 0..200),
        payload in payload(),
    ) {
        check::decode(&[&head[..], &payload].concat());
    }

    #[test]
    fn any_bytes_are_a_description_or_an_error_inside_of_them(bytes in vec(any::<u8>(), 0..300)) {
        check::trace_logging(&bytes);
    }

    /// Descriptions that hold together, with any types, so that most are schemas.
    #[test]
    fn descriptions_of_any_types_take_any_payload(
        fields in vec((any::<u8>(), any::<u8>(), 0..4_u8), 0..20),
        payload in payload(),
    ) {
        let mut metadata = b"\0\0\0event\0".to_vec();
        for (in_type, out_type, extra) in fields {
            metadata.extend(b"f\0");
            metadata.push(in_type);
            if in_type & 0x80 != 0 {
                metadata.push(out_type & 0x83);
                if out_type & 0x80 != 0 {
                    metadata.push(extra);
                }
            }
            if in_type & 0x20 != 0 {
                metadata.extend([extra, 0]);
            }
            if in_type & 0x60 == 0x60 {
                metadata.extend(vec![0; extra.into()]);
            }
        }
        let size = metadata.len() as u16;
        metadata[..2].copy_from_slice(&size.to_le_bytes());
        // The check takes the first half as the description.
        metadata.extend(core::iter::repeat_n(0, payload.len().saturating_sub(metadata.len())));
        let len = metadata.len();
        metadata.extend(&payload);
        metadata.resize(2 * len, 7);
        check::trace_logging(&metadata);
    }

    /// The way that most properties take is faster than that of arrays, and gives the same.
    #[test]
    fn a_value_is_the_same_alone_and_as_the_only_element_of_an_array(
        types in types(),
        payload in payload(),
        wide in any::<bool>(),
    ) {
        let (alone, arrays) = (schema_of(&types, Count::One), schema_of(&types, Count::Fixed(1)));
        let pointer_size = if wide { 8 } else { 4 };
        let mut alone = alone.fields(&payload, pointer_size);
        let mut arrays = arrays.fields(&payload, pointer_size);
        loop {
            match (alone.next(), arrays.next()) {
                (None, None) => break,
                (Some(Ok(field)), Some(Ok(array))) => {
                    let Value::Array(array) = array.value else { panic!("{array:?}") };
                    let elements: Vec<String> = array.iter().map(|value| format!("{value:?}")).collect();
                    prop_assert_eq!(elements, [format!("{:?}", field.value)]);
                }
                (Some(Err(error)), Some(Err(other))) => prop_assert_eq!(error, other),
                (field, array) => prop_assert!(false, "{:?} and {:?}", field, array),
            }
            prop_assert_eq!(alone.rest(), arrays.rest());
        }
    }

    /// Text is left out: it ends where the payload does.
    #[test]
    fn a_payload_that_is_cut_gives_the_first_of_the_same_values(
        types in types(),
        payload in payload(),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = |in_type: &InType| in_type.name().ends_with("String");
        let types: Vec<InType> = types.into_iter().filter(|in_type| !text(in_type)).collect();
        let schema = schema_of(&types, Count::One);
        let cut = &payload[..cut.index(payload.len() + 1)];
        let show = |payload| -> Vec<String> {
            schema.fields(payload, 8).flatten().map(|field| format!("{:?}", field.value)).collect()
        };
        prop_assert!(show(&payload).starts_with(&show(cut)));
    }
}
