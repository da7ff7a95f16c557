//! Structures, references and alignment; what makes no schema; and work that stays within bounds.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use etweir::decode::{
    Count, DecodeError, EventNames, Field, InType, Length, Property, Schema, SchemaError, SchemaKind, Value,
};
use etweir::{Limits, Offset};

fn make(properties: Vec<Property>, top_level: u16) -> Result<Schema, SchemaError> {
    Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level)
}

fn property(name: &'static str, in_type: InType) -> Property {
    Property::new(name, in_type)
}

fn counted(name: &'static str, in_type: InType, count: Count) -> Property {
    let mut property = Property::new(name, in_type);
    property.count = count;
    property
}

fn structure(name: &'static str, members: core::ops::Range<u16>, count: Count) -> Property {
    let mut property = counted(name, InType::Struct, count);
    property.members = members;
    property
}

fn aligned(name: &'static str, in_type: InType, align: u8) -> Property {
    let mut property = Property::new(name, in_type);
    property.align = align;
    property
}

/// All values as text: numbers, arrays in brackets, structures in braces.
fn show(value: Value<'_>) -> String {
    match value {
        Value::UInt(value) | Value::Pointer(value) => value.to_string(),
        Value::Array(array) => format!("[{}]", array.iter().map(show).collect::<Vec<_>>().join(" ")),
        Value::Struct(members) => {
            format!("{{{}}}", members.fields().map(show_field).collect::<Vec<_>>().join(" "))
        }
        other => format!("{other:?}"),
    }
}

fn show_field(field: Field<'_>) -> String {
    format!("{}={}", field.property.name, show(field.value))
}

fn walk(schema: &Schema, payload: &[u8], pointer_size: u8) -> (String, Option<DecodeError>, usize) {
    let mut fields = schema.fields(payload, pointer_size);
    let (mut texts, mut error) = (Vec::new(), None);
    for field in fields.by_ref() {
        match field {
            Ok(field) => texts.push(show_field(field)),
            Err(found) => error = Some(found),
        }
    }
    (texts.join(" "), error, fields.rest().len())
}

#[track_caller]
fn whole(schema: &Schema, payload: &[u8], pointer_size: u8) -> String {
    let (text, error, left) = walk(schema, payload, pointer_size);
    assert_eq!((error, left), (None, 0), "{text}");
    text
}

#[test]
fn a_structure_gives_its_members_in_order_and_by_name() {
    let schema = make(
        vec![
            structure("s", 2..4, Count::One),
            property("z", InType::UInt8),
            property("a", InType::UInt8),
            property("b", InType::UInt16),
        ],
        2,
    )
    .expect("valid");
    assert_eq!(whole(&schema, &[1, 2, 0, 3], 8), "s={a=1 b=2} z=3");
    let value = schema.fields(&[1, 2, 0, 3], 8).next().expect("a field").expect("a value").value;
    let Value::Struct(members) = value else { panic!("{value:?}") };
    assert_eq!(members.get("b"), Some(Value::UInt(2)));
    assert_eq!(members.get("c"), None);
    assert_eq!(members.as_bytes(), [1, 2, 0]);
    assert_eq!(members.property().map(|property| &*property.name), Some("s"));
}

#[test]
fn structures_repeat_and_nest() {
    let schema = make(
        vec![
            structure("outer", 1..3, Count::Prefixed),
            property("n", InType::UInt8),
            structure("inner", 3..5, Count::Property(1)),
            property("x", InType::UInt8),
            counted("y", InType::UInt8, Count::Prefixed),
        ],
        1,
    )
    .expect("valid");
    // Two elements: the first with two inner ones, the second with none.
    let payload = [2, 0, 2, 5, 1, 0, 6, 7, 0, 0, 0];
    assert_eq!(whole(&schema, &payload, 8), "outer=[{n=2 inner=[{x=5 y=[6]} {x=7 y=[]}]} {n=0 inner=[]}]");
}

#[test]
fn a_count_among_the_members_is_that_of_the_same_element() {
    let schema = make(
        vec![
            property("n", InType::UInt8),
            structure("types", 2..4, Count::Property(0)),
            property("n", InType::UInt8),
            counted("parameters", InType::UInt8, Count::Property(2)),
        ],
        2,
    )
    .expect("valid");
    assert_eq!(
        whole(&schema, &[2, 1, 9, 3, 7, 8, 9], 8),
        "n=2 types=[{n=1 parameters=[9]} {n=3 parameters=[7 8 9]}]"
    );
}

#[test]
fn members_may_be_counted_and_measured_by_values_around_their_structure() {
    let mut text = property("text", InType::Binary);
    text.length = Length::Property(1);
    let schema = make(
        vec![
            property("n", InType::UInt8),
            property("len", InType::UInt16),
            structure("outer", 3..4, Count::Fixed(2)),
            structure("inner", 4..6, Count::One),
            counted("numbers", InType::UInt8, Count::Property(0)),
            text,
        ],
        3,
    )
    .expect("valid");
    assert_eq!(
        whole(&schema, &[2, 1, 0, 10, 11, 0xAA, 12, 13, 0xBB], 8),
        "n=2 len=1 outer=[{inner={numbers=[10 11] text=Binary([170])}} {inner={numbers=[12 13] text=Binary([187])}}]"
    );
}

#[test]
fn pointers_and_hexadecimal_numbers_count_too() {
    for (in_type, width) in [
        (InType::Pointer, 8),
        (InType::SizeT, 8),
        (InType::HexInt32, 4),
        (InType::HexInt64, 8),
        (InType::Int8, 1),
        (InType::Int16, 2),
        (InType::Int32, 4),
        (InType::Int64, 8),
        (InType::UInt64, 8),
    ] {
        let schema = make(vec![property("n", in_type), counted("a", InType::UInt8, Count::Property(0))], 2);
        let mut payload = vec![0; width];
        payload[0] = 2;
        payload.extend([5, 6]);
        let (text, error, left) = walk(&schema.expect("valid"), &payload, 8);
        assert!(text.ends_with("a=[5 6]"), "{in_type:?}: {text}");
        assert_eq!((error, left), (None, 0));
    }
}

#[test]
fn a_reference_that_leads_nowhere_ends_the_walk_in_front_of_it() {
    let unreadable = |property, at: u64| DecodeError::Unreadable {
        property,
        what: "counted by no integer that precedes",
        at: Offset(at),
    };
    // To itself, to a later one, to none, and to one that is no integer.
    for by in [1, 2, 77, 3] {
        let schema = make(
            vec![
                property("a", InType::UInt8),
                counted("b", InType::UInt8, Count::Property(by)),
                property("c", InType::UInt8),
            ],
            3,
        )
        .expect("accepted all the same");
        assert_eq!(walk(&schema, &[1, 2, 3], 8), ("a=1".to_owned(), Some(unreadable(1, 1)), 2));
    }
    let schema = make(vec![property("a", InType::Guid), counted("b", InType::UInt8, Count::Property(0))], 2);
    assert_eq!(walk(&schema.expect("accepted"), &[0; 17], 8).1, Some(unreadable(1, 16)));
    let array = counted("a", InType::UInt8, Count::Fixed(1));
    let schema = make(vec![array, counted("b", InType::UInt8, Count::Property(0))], 2).expect("accepted");
    assert_eq!(walk(&schema, &[1, 1], 8).1, Some(unreadable(1, 1)));
    let mut text = property("b", InType::UnicodeString);
    text.length = Length::Property(5);
    let schema = make(vec![property("a", InType::UInt8), text], 2).expect("accepted");
    let what = "measured by no integer that precedes";
    assert_eq!(
        walk(&schema, &[1, 1], 8).1,
        Some(DecodeError::Unreadable { property: 1, what, at: Offset(1) })
    );
}

#[test]
fn a_member_of_another_structure_counts_nothing() {
    let schema = make(
        vec![
            structure("s", 2..3, Count::One),
            counted("b", InType::UInt8, Count::Property(2)),
            property("n", InType::UInt8),
        ],
        2,
    )
    .expect("accepted");
    let (text, error, _) = walk(&schema, &[1, 1], 8);
    assert_eq!(text, "s={n=1}");
    assert!(matches!(error, Some(DecodeError::Unreadable { property: 1, .. })), "{error:?}");
}

#[test]
fn many_counts_may_come_before_many_arrays() {
    // Sixteen counts, then their arrays in reverse; and pairs without end, since each is used at once.
    let mut properties: Vec<Property> = (0..16).map(|_| property("n", InType::UInt8)).collect();
    properties.extend((0..16).rev().map(|by| counted("a", InType::UInt8, Count::Property(by))));
    let payload: Vec<u8> = [vec![1; 16], (0..16).collect()].concat();
    let schema = make(properties.clone(), 32).expect("valid");
    assert!(whole(&schema, &payload, 8).ends_with("a=[13] a=[14] a=[15]"));
    let pairs: Vec<Property> = (0..100)
        .flat_map(|pair| {
            [property("n", InType::UInt8), counted("a", InType::UInt8, Count::Property(pair * 2))]
        })
        .collect();
    assert_eq!(walk(&make(pairs, 200).expect("valid"), &[1; 200], 8).1, None);
    // The seventeenth that waits is not kept.
    properties.insert(0, property("m", InType::UInt8));
    for (at, property) in properties.iter_mut().enumerate().skip(17) {
        property.count = Count::Property(33 - at as u16);
    }
    properties.push(counted("b", InType::UInt8, Count::Property(0)));
    let (_, error, _) = walk(&make(properties, 34).expect("accepted"), &[1; 34], 8);
    assert!(matches!(error, Some(DecodeError::Unreadable { property: 17, .. })), "{error:?}");
}

#[test]
fn alignment_counts_from_the_start_of_the_payload() {
    let schema = make(
        vec![
            property("a", InType::UInt8),
            aligned("b", InType::UInt32, 4),
            aligned("p", InType::Pointer, 0),
            property("c", InType::UInt8),
            aligned("d", InType::UInt16, 2),
        ],
        5,
    )
    .expect("valid");
    let narrow = [1, 9, 9, 9, 2, 0, 0, 0, 3, 0, 0, 0, 4, 9, 5, 0];
    assert_eq!(whole(&schema, &narrow, 4), "a=1 b=2 p=3 c=4 d=5");
    let wide = [1, 9, 9, 9, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 9, 5, 0];
    assert_eq!(whole(&schema, &wide, 8), "a=1 b=2 p=3 c=4 d=5");
    let (text, error, left) = walk(&schema, &wide[..3], 8);
    let expected = DecodeError::Truncated { property: 1, what: "UInt32", at: Offset(1), need: 3, have: 2 };
    assert_eq!((text.as_str(), error, left), ("a=1", Some(expected), 2));
}

#[test]
fn an_error_inside_a_structure_names_the_member_and_ends_the_walk_in_front_of_the_structure() {
    let schema = make(
        vec![
            property("a", InType::UInt8),
            structure("s", 2..4, Count::Fixed(2)),
            property("x", InType::UInt8),
            property("t", InType::AnsiString),
        ],
        2,
    )
    .expect("valid");
    let (text, error, left) = walk(&schema, &[1, 2, 0, 3], 8);
    assert_eq!((text.as_str(), left), ("a=1", 3));
    let expected =
        DecodeError::Truncated { property: 3, what: "AnsiString", at: Offset(4), need: 1, have: 0 };
    assert_eq!(error, Some(expected));
}

#[test]
fn what_makes_no_schema_is_refused_with_the_numbers() {
    let numbers = |count: usize| vec![property("a", InType::UInt8); count];
    assert!(make(numbers(1024), 1024).is_ok());
    assert_eq!(make(numbers(1025), 1025).err(), Some(SchemaError::TooMany { count: 1025, most: 1024 }));
    assert_eq!(make(numbers(2), 3).err(), Some(SchemaError::TopLevel { top_level: 3, count: 2 }));
    let mut properties = numbers(3);
    for (members, is_right) in [
        (1..3, true),
        (1..1, true),
        (0..2, false),
        (1..4, false),
        (core::ops::Range { start: 2, end: 1 }, false),
    ] {
        properties[0] = structure("s", members.clone(), Count::One);
        let expected = SchemaError::Members {
            property: 0,
            first: members.start.into(),
            end: members.end.into(),
            count: 3,
        };
        assert_eq!(make(properties.clone(), 1).err(), (!is_right).then_some(expected), "{members:?}");
    }
    // Members at the top level, members of two.
    properties[0] = structure("s", 1..3, Count::One);
    assert!(matches!(make(properties.clone(), 2), Err(SchemaError::Members { .. })));
    let shared = vec![
        structure("s", 2..3, Count::One),
        structure("t", 2..3, Count::One),
        property("a", InType::UInt8),
    ];
    let error = make(shared, 2).expect_err("refused");
    assert_eq!(error, SchemaError::Shared { property: 1, member: 2 });
    assert_eq!(error.to_string(), "structure 1 has the member 2, which another has already");
}

#[test]
fn structures_lie_no_deeper_than_the_limit() {
    let nested = |depth: u16| {
        let mut properties: Vec<Property> =
            (0..depth).map(|at| structure("s", at + 1..at + 2, Count::One)).collect();
        properties.push(property("a", InType::UInt8));
        make(properties, 1)
    };
    assert!(whole(&nested(16).expect("valid"), &[7], 8).contains("{a=7}"));
    assert_eq!(nested(17).err(), Some(SchemaError::TooDeep { property: 16, most: 16 }));
    let mut limits = Limits::default();
    limits.struct_depth = 1;
    let properties = vec![
        structure("s", 1..2, Count::One),
        structure("t", 2..3, Count::One),
        property("a", InType::UInt8),
    ];
    let refused = Schema::with_limits(SchemaKind::Trace, EventNames::default(), properties, 1, &limits);
    assert_eq!(refused.err(), Some(SchemaError::TooDeep { property: 1, most: 1 }));
}

/// Fields and elements that somebody who looks at everything comes by.
fn visits(value: Value<'_>) -> usize {
    1 + match value {
        Value::Array(array) => array.iter().map(visits).sum(),
        Value::Struct(members) => members.fields().map(|field| visits(field.value)).sum(),
        _ => 0,
    }
}

#[test]
fn elements_without_bytes_cannot_be_counted_up_beyond_what_the_payload_is_worth() {
    // A few are fine, whatever they are for.
    let few = make(vec![counted("a", InType::Null, Count::Prefixed)], 1).expect("valid");
    assert_eq!(whole(&few, &[3, 0], 8), "a=[Null Null Null]");
    // Nulls; structures of nothing; structures with a thousand members of nothing for each byte.
    let nothing = || {
        let mut properties = vec![property("n", InType::UInt16), structure("s", 2..1000, Count::Property(0))];
        properties.extend((2..1000).map(|_| counted("x", InType::UInt64, Count::Fixed(0))));
        properties
    };
    let mut one_byte = nothing();
    one_byte[2] = property("x", InType::UInt8);
    let mut text = nothing();
    text[2] = property("x", InType::AnsiString);
    let empty = vec![property("n", InType::UInt16), structure("s", 2..2, Count::Property(0))];
    let nulls = vec![property("n", InType::UInt16), counted("a", InType::Null, Count::Property(0))];
    for properties in [nothing(), one_byte, text, empty, nulls] {
        let schema = make(properties, 2).expect("valid");
        let mut payload = vec![1; 60_000];
        payload[..2].copy_from_slice(&[0xFF, 0xFF]);
        for payload in [&payload[..], &payload[..2], &payload[..100]] {
            let mut all = 0;
            let mut error = None;
            for field in schema.fields(payload, 8) {
                match field {
                    Ok(field) => all += visits(field.value),
                    Err(found) => error = Some(found),
                }
            }
            assert!(all <= 8 * payload.len() + 256 + 2, "{all} for {} bytes", payload.len());
            assert!(error.is_some() || all > 65_535, "{error:?}");
        }
    }
}

#[test]
fn a_schema_shares_its_number_with_its_clones_only() {
    let one = make(vec![property("a", InType::UInt8)], 1).expect("a schema");
    let same = make(vec![property("a", InType::UInt8)], 1).expect("a schema");
    assert_ne!(one.serial(), same.serial());
    assert_eq!(one.serial(), one.clone().serial());
    assert_ne!(one.serial(), 0);
}

#[test]
fn an_array_among_the_members_costs_a_visit_besides_its_elements() {
    // 70 structures of no bytes, each with eight arrays of no or one null.
    let mut properties = vec![property("n", InType::UInt8), structure("s", 2..10, Count::Property(0))];
    properties.extend((0..8).map(|at| counted("a", InType::Null, Count::Fixed(at % 2))));
    let schema = make(properties, 2).expect("valid");
    // A structure, eight arrays, four nulls: 13 visits each, of 256 and 8 a byte.
    assert_eq!(walk(&schema, &[20], 8).1, None);
    let (_, error, _) = walk(&schema, &[21], 8);
    let expected = DecodeError::TooMany {
        property: 1,
        what: "values for the bytes that are there",
        at: Offset(1),
        count: 273,
        most: 264,
    };
    assert_eq!(error, Some(expected));
}
