//! What a decoder makes of an event.

use alloc::borrow::Cow;

use crate::decode::error::DecodeError;
use crate::decode::names::ProviderNames;
use crate::decode::schema::{EventNames, Schema, SchemaKind};
use crate::decode::source::Certainty;
use crate::decode::traits::ProviderTraits;
use crate::decode::value::Value;
use crate::decode::walk::{Field, Fields};
use crate::error::ParseError;
use crate::guid::Guid;

/// An event with its description, as far as there is one. `Copy`; borrowed from the decoder and from the event's buffer.
///
/// Nothing of the payload is read before it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Decoded<'a> {
    pub(super) schema: Option<&'a Schema>,
    pub(super) payload: &'a [u8],
    /// Where the values begin in the payload.
    pub(super) start: usize,
    pub(super) pointer_size: u8,
    pub(super) certainty: Certainty,
    pub(super) damage: Option<&'a ParseError>,
    pub(super) provider: Guid,
    pub(super) traits: Option<&'a [u8]>,
    pub(super) names: &'a ProviderNames,
}

/// Of an event that nobody knows.
static UNKNOWN: Schema = Schema::empty(SchemaKind::Trace);

impl<'a> Decoded<'a> {
    /// The description of the event; `None` if there is none.
    #[must_use]
    pub const fn schema(&self) -> Option<&'a Schema> {
        self.schema
    }

    /// Where the description comes from.
    #[must_use]
    pub fn kind(&self) -> Option<SchemaKind> {
        self.schema.map(Schema::kind)
    }

    /// How well the description is known to be the right one.
    #[must_use]
    pub const fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// What the event and everything around it is called: all unknown without a description.
    #[must_use]
    pub fn names(&self) -> &'a EventNames {
        self.schema.unwrap_or(&UNKNOWN).names()
    }

    /// What the provider is called: by the description, by the event itself, or by an earlier event of the same provider.
    #[must_use]
    pub fn provider_name(&self) -> Option<Cow<'a, str>> {
        if let Some(name) = self.schema.and_then(|schema| schema.names().provider.as_deref()) {
            return Some(Cow::Borrowed(name));
        }
        let own = self.traits().map(|traits| traits.name()).filter(|name| !name.is_empty());
        own.or_else(|| self.names.get(self.provider).map(Cow::Borrowed))
    }

    /// What the provider says about itself with the event.
    #[must_use]
    pub fn traits(&self) -> Option<ProviderTraits<'a>> {
        ProviderTraits::parse(self.traits?).ok()
    }

    /// Why the description that the event carries could not be read.
    #[must_use]
    pub fn damage(&self) -> Option<ParseError> {
        self.damage.copied()
    }

    /// The whole payload.
    #[must_use]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Bytes of a pointer in the payload, 4 or 8.
    #[must_use]
    pub const fn pointer_size(&self) -> u8 {
        self.pointer_size
    }

    /// The properties with their values, in the order of the payload. Empty without a description.
    #[inline]
    #[must_use]
    pub fn fields(&self) -> Fields<'a> {
        Fields::new(self.schema.unwrap_or(&UNKNOWN), self.payload, self.start, self.pointer_size)
    }

    /// How far the description leads: walks over the whole payload.
    #[must_use]
    pub fn outcome(&self) -> Outcome<'a> {
        let mut fields = self.fields();
        let error = fields.find_map(Result::err);
        let exactness = match self.schema {
            None => Exactness::Not,
            Some(_) if error.is_none() && fields.rest().is_empty() => Exactness::Wholly,
            Some(_) => Exactness::Partly,
        };
        Outcome { exactness, error, rest: fields.rest() }
    }

    /// The value of the first property of this name at the top level; `None` if there is none or it cannot be read.
    ///
    /// Reads nothing else of the payload where the sizes of all properties before it are fixed.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.field(name).map(|field| field.value)
    }

    /// The first property of this name at the top level with its value; `None` if there is none or it cannot be read.
    ///
    /// Reads nothing else of the payload where the sizes of all properties before it are fixed.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field<'a>> {
        let schema = self.schema?;
        let index = schema.top_level().iter().position(|property| property.name == name)?;
        let fields = Fields::near(schema, index, self.payload, self.start, self.pointer_size);
        let property = schema.properties().get(index)?;
        fields.flatten().find(|field| core::ptr::eq(field.property, property))
    }

    /// The number of an integer or pointer by its property's name.
    #[must_use]
    pub fn get_u64(&self, name: &str) -> Option<u64> {
        self.get(name)?.as_u64()
    }

    /// The number of an integer or pointer that fits, by its property's name.
    #[must_use]
    pub fn get_u32(&self, name: &str) -> Option<u32> {
        u32::try_from(self.get_u64(name)?).ok()
    }
}

/// How far a description led.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// In one word.
    pub exactness: Exactness,
    /// Why decoding stopped, if it did before the last property.
    pub error: Option<DecodeError>,
    /// The bytes that no property has taken.
    pub rest: &'a [u8],
}

/// How much of a payload was decoded.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Exactness {
    /// All properties, to the last byte.
    Wholly,
    /// There is a description, but bytes are left over or missing.
    Partly,
    /// There is no description.
    Not,
}
