//! Values for serializers, without a tree in between.

use core::cell::Cell;
use core::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::decode::format::Formatting;
use crate::decode::format::shown::Shown;
use crate::decode::format::text::Exact;
use crate::decode::schema::Property;
use crate::decode::value::Value;
use crate::decode::walk::{Field, Fields};

impl Formatting {
    /// A value of `property` for a serializer, in the form that [`Formatting::write_json`] tells, arrays and
    /// structures within about the limit on lengths.
    #[must_use]
    pub const fn json<'a>(&'a self, property: &'a Property, value: Value<'a>) -> ValueJson<'a> {
        ValueJson { formatting: self, property, value }
    }

    /// What is left of `fields` as a map for a serializer, as far as it can be read and within about the limit on lengths. Who
    /// wants the error walks the fields.
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
        let left = Cell::new(formatting.limit);
        Part { formatting, property, value, left: &left }.serialize(serializer)
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
        let left = Cell::new(self.formatting.limit);
        let fields = self.fields.clone().map_while(Result::ok);
        serialize_members(self.formatting, fields, &left, serializer)
    }
}

/// A value or a part of one.
#[derive(Clone, Copy)]
struct Part<'a> {
    formatting: &'a Formatting,
    property: &'a Property,
    value: Value<'a>,
    /// About how many bytes may still be written.
    left: &'a Cell<usize>,
}

/// What an element takes besides text.
const ELEMENT: usize = 8;

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { formatting, property, value, left } = *self;
        match &Shown::new(property, value, &formatting.clock) {
            Shown::Nothing => serializer.serialize_none(),
            Shown::Bool(value) => serializer.serialize_bool(*value),
            Shown::Signed(number) => serializer.serialize_i64(*number),
            Shown::Unsigned(number) => serializer.serialize_u64(*number),
            Shown::Float(number) if number.is_finite() => serializer.serialize_f32(*number),
            Shown::Double(number) if number.is_finite() => serializer.serialize_f64(*number),
            Shown::Error(_, code) => {
                serializer.collect_str(&Text { shown: &Shown::Hex((*code).into()), left })
            }
            Shown::Array(array) => {
                let elements = array.iter().map(|value| Self { value, ..*self });
                serializer.collect_seq(elements.take_while(|_| charge(left, ELEMENT)))
            }
            Shown::Struct(structure) => serialize_members(formatting, structure.fields(), left, serializer),
            shown => serializer.collect_str(&Text { shown, left }),
        }
    }
}

/// Takes bytes from those that are left; false if none were.
fn charge(left: &Cell<usize>, bytes: usize) -> bool {
    left.replace(left.get().saturating_sub(bytes)) > 0
}

fn serialize_members<'a, S: Serializer>(
    formatting: &Formatting,
    fields: impl Iterator<Item = Field<'a>>,
    left: &Cell<usize>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for Field { property, value, .. } in fields {
        if !charge(left, property.name.len().saturating_add(ELEMENT)) {
            break;
        }
        map.serialize_entry(&Key(property), &Part { formatting, property, value, left })?;
    }
    map.end()
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
struct Text<'a> {
    shown: &'a Shown<'a>,
    left: &'a Cell<usize>,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown.write(&mut Exact(&mut Charging { to: f, left: self.left }))
    }
}

/// Takes what passes through from what is left.
struct Charging<'w, 'f> {
    to: &'w mut fmt::Formatter<'f>,
    left: &'w Cell<usize>,
}

impl fmt::Write for Charging<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        charge(self.left, text.len());
        self.to.write_str(text)
    }
}
