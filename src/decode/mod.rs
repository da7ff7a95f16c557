//! Payloads: from the bytes of an event to named, typed values, without Windows.
//!
//! A [`Schema`] says what an event is called and where its values lie. A payload read with it gives [`Value`]s that borrow
//! the payload.

mod builtin;
mod cache;
mod cursor;
mod decoded;
mod decoder;
mod described;
mod error;
pub mod format;
mod names;
mod plan;
mod repeat;
mod schema;
mod source;
mod tracelogging;
mod traits;
mod types;
mod value;
mod value_map;
mod view;
mod walk;

pub use decoded::{Decoded, Exactness, Outcome};
pub use decoder::Decoder;
pub use error::DecodeError;
pub use schema::{Count, EventNames, Length, Name, Property, Schema, SchemaError, SchemaKind};
pub use source::{Candidate, Certainty, Found, Query, SchemaSource, Scope};
pub use tracelogging::provider_guid;
pub use traits::ProviderTraits;
pub use types::{InType, OutType};
pub use value::{Str, SystemTime, Value};
pub use value_map::{ValueMap, ValueMapKind};
pub use view::{Array, Elements, Members, Struct};
pub use walk::{Field, Fields};
