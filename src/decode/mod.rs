//! Payloads: from the bytes of an event to named, typed values, without Windows.
//!
//! A [`Schema`] says what an event is called and where its values lie. A payload read with it gives [`Value`]s that borrow
//! the payload. A [`Decoder`] finds the schema of each event: TraceLogging events carry theirs, for others it asks a chain of
//! [`SchemaSource`]s, which users can extend.
//!
//! ```
//! use etweir::EtlReader;
//! use etweir::decode::Decoder;
//!
//! let mut reader = EtlReader::open("fixtures/demo.etl")?;
//! let mut decoder = Decoder::new();
//! # let mut values = 0;
//! while let Some(buffer) = reader.next_buffer()? {
//!     for event in buffer.events().flatten() {
//!         let decoded = decoder.decode(&event);
//!         for field in decoded.fields().flatten() {
//!             println!("{} = {:?}", field.property.name, field.value);
//! #           values += 1;
//!         }
//!     }
//! }
//! # assert_ne!(values, 0);
//! # Ok::<(), etweir::Error>(())
//! ```
//!
//! # Cost
//!
//! Nothing is read that nobody asks for: finding the schema of an event of a known kind is one look into a hash table, each
//! field is one read, arrays and structures are read element by element when they are iterated. None of it allocates.
//!
//! # Bounds
//!
//! A payload of any bytes against any schema costs work in proportion to its length and to the number of properties. A
//! schema that does not fit gives the values before the first that does not, and an error with its offset. Nothing panics.

mod builtin;
mod cache;
mod corrections;
mod cursor;
mod decoded;
mod decoder;
mod described;
mod embedded;
mod error;
pub mod format;
#[cfg(feature = "manifest")]
pub mod manifest;
pub mod mof;
mod names;
mod plan;
mod repeat;
mod schema;
mod source;
mod tdh;
mod tracelogging;
mod traits;
mod types;
mod value;
mod value_map;
mod view;
mod walk;
mod winmeta;

pub use corrections::{Corrections, corrected};
pub use decoded::{Decoded, Exactness, Outcome};
pub use decoder::Decoder;
pub use embedded::{
    DecodingSource, EventInfo, MetadataProblem, MetadataProblemKind, MetadataReport, TraceSchemas,
};
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
