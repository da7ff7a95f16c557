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
mod embedded;
mod error;
#[cfg(feature = "manifest")]
pub mod manifest;
mod names;
mod plan;
mod schema;
mod source;
mod tdh;
mod tracelogging;
mod traits;
mod types;
mod value;
mod view;
mod walk;
#[cfg(feature = "manifest")]
mod winmeta;

pub use decoded::{Decoded, Exactness, Outcome};
pub use decoder::Decoder;
pub use embedded::{
    DecodingSource, EventInfo, MetadataProblem, MetadataProblemKind, MetadataReport, TraceSchemas,
};
pub use error::DecodeError;
pub use schema::{
    Count, EventNames, Length, Name, Property, Schema, SchemaError, SchemaKind, ValueMap, ValueMapKind,
};
pub use source::{Candidate, Certainty, Found, Query, SchemaSource, Scope};
pub use tracelogging::provider_guid;
pub use traits::ProviderTraits;
pub use types::{InType, OutType};
pub use value::{Str, SystemTime, Value};
pub use view::{Array, Elements, Members, Struct};
pub use walk::{Field, Fields};
