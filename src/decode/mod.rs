//! Payloads: from the bytes of an event to named, typed values, without Windows.
//!
//! A [`Schema`] says what an event is called and where its values lie. A payload read with it gives [`Value`]s that borrow
//! the payload. A [`Decoder`] finds the schema of each event: TraceLogging events carry theirs, for others it asks a chain of
//! [`SchemaSource`]s, which users can extend.
//!
//! ```
//! # use etweir::write::{EventSpec, BufferSpec, ItemSpec};
//! # let bytes = BufferSpec::new(4096)
//! #     .event(&EventSpec {
//! #         items: vec![ItemSpec::schema_tl("Ping", &[("seq", &[0x08])])],
//! #         payload: vec![7, 0, 0, 0],
//! #         ..EventSpec::default()
//! #     })
//! #     .to_bytes();
//! # let view = etweir::buffer::BufferView::parse(&bytes)?;
//! # let buffer = etweir::trace::TraceBuffer::new(view, etweir::trace::SessionInfo::unknown());
//! # let mut lines = Vec::new();
//! use etweir::decode::Decoder;
//!
//! let mut decoder = Decoder::new();
//! for event in buffer.events().flatten() {
//!     let decoded = decoder.decode(&event);
//!     for field in decoded.fields().flatten() {
//!         println!("{} = {:?}", field.property.name, field.value);
//! #       lines.push(format!("{} = {:?}", field.property.name, field.value));
//!     }
//! }
//! # assert_eq!(lines, ["seq = UInt(7)"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
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
mod error;
pub mod mof;
mod names;
mod plan;
mod schema;
mod source;
mod tracelogging;
mod traits;
mod types;
mod value;
mod view;
mod walk;

pub use corrections::corrected;
pub use decoded::{Decoded, Exactness, Outcome};
pub use decoder::Decoder;
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
