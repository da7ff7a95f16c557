//! Why an event is not wholly decoded.

use core::fmt;

use etweir::ParseError;
use etweir::decode::format::JsonError;
use etweir::decode::{DecodeError, Schema};

/// The reason, in words.
pub(super) enum Why<'a> {
    /// The record, or the description that it carries, is damaged.
    Damage(ParseError),
    /// The payload is not as the schema says.
    Decode(&'a Schema, DecodeError),
    /// There would be no end.
    TooLong(JsonError),
}

impl<'a> Why<'a> {
    pub(super) const fn json(schema: &'a Schema, error: JsonError) -> Self {
        match error {
            JsonError::Decode(error) => Self::Decode(schema, error),
            error => Self::TooLong(error),
        }
    }
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damage(error) => error.fmt(f),
            Self::Decode(schema, error) => {
                // The error knows the property by its number only.
                if let Some(property) = schema.properties().get(usize::from(error.property())) {
                    write!(f, "{}: ", property.name)?;
                }
                error.fmt(f)
            }
            Self::TooLong(error) => error.fmt(f),
        }
    }
}
