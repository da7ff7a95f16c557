//! Values for serializers, without a tree in between.

use core::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::decode::format::Formatting;
use crate::decode::format::digits::hexadecimal;
use crate::decode::format::shown::Shown;
use crate::decode::format::text::{Exact, plain_str, word_of};
use crate::decode::schema::Property;
use crate::decode::value::Value;
use crate::decode::walk::{Field, Fields};

impl Formatting {
    /// A value of `property` for a serializer, in the form that [`Formatting::write_json`] tells.
    #[must_use]
    pub const fn json<'a>(&'a self, property: &'a Property, value: Value<'a>) -> ValueJson<'a> {
        ValueJson { formatting: self, property, value }
    }

    /// What is left of `fields` as a map for a serializer, as far as it can be read. Who wants the error walks the fields.
    #[must_use]
    pub const fn json_fields<'a>(&'a self, fields: Fields<'a>) -> FieldsJson<'a> {
        FieldsJson { formatting: self, fields }
    }
}

/// A value for a serializer: see [`Formatting::json`].
#[derive(Clone, Copy, Debug)]
pub struct ValueJson<'a> {
    formatting: &'a Formatting,
    property: &'a Property,
    value: Value<'a>,
}

impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { formatting, property, value } = *self;
        match &Shown::new(property, value, &formatting.clock) {
            Shown::Nothing => serializer.serialize_none(),
            Shown::Bool(value) => serializer.serialize_bool(*value),
            Shown::Signed(number) => serializer.serialize_i64(*number),
            Shown::Unsigned(number) => serializer.serialize_u64(*number),
            Shown::Float(number) => match word_of((*number).into()) {
                Some(word) => serializer.serialize_str(word),
                None => serializer.serialize_f32(*number),
            },
            Shown::Double(number) => match word_of(*number) {
                Some(word) => serializer.serialize_str(word),
                None => serializer.serialize_f64(*number),
            },
            Shown::Array(array) => {
                serializer.collect_seq(array.iter().map(|value| formatting.json(property, value)))
            }
            Shown::Struct(structure) => {
                let mut map = serializer.serialize_map(None)?;
                for field in structure.fields() {
                    serialize_member(formatting, field, &mut map)?;
                }
                map.end()
            }
            Shown::Error(_, code) => {
                let digits = hexadecimal((*code).into());
                serializer.serialize_str(plain_str(digits.as_bytes()).unwrap_or_default())
            }
            shown => serializer.collect_str(&Text(shown)),
        }
    }
}

/// The fields of an event for a serializer: see [`Formatting::json_fields`].
#[derive(Clone, Debug)]
pub struct FieldsJson<'a> {
    formatting: &'a Formatting,
    fields: Fields<'a>,
}

impl Serialize for FieldsJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for field in self.fields.clone().map_while(Result::ok) {
            serialize_member(self.formatting, field, &mut map)?;
        }
        map.end()
    }
}

fn serialize_member<M: SerializeMap>(
    formatting: &Formatting,
    field: Field<'_>,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_entry(&Key(field.property), &formatting.json(field.property, field.value))
}

/// What a property is called in a map.
struct Key<'a>(&'a Property);

impl Serialize for Key<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.repeat() {
            0 => serializer.serialize_str(&self.0.name),
            number => serializer.collect_str(&format_args!("{}_{number}", self.0.name)),
        }
    }
}

/// What is text in JSON too.
struct Text<'a>(&'a Shown<'a>);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(&mut Exact(f))
    }
}
