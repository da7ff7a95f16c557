//! Payloads: from the bytes of an event to named, typed values, without Windows.
//!
//! A [`Schema`] says what an event is called and where its values lie. A payload read with it gives [`Value`]s that borrow
//! the payload.

mod format;
mod schema;
mod types;
mod value;

pub use format::{
    ActivityPath, ActivityStep, ErrorKind, EventName, Formatting, Printable, ValueText, error_name,
    standard_channel_name, standard_keyword_names, standard_level_name, standard_opcode_name,
    standard_task_name,
};
pub use schema::{
    Count, EventNames, Length, Name, Property, Schema, SchemaError, SchemaKind, ValueMap, ValueMapKind,
};
pub use types::{InType, OutType};
pub use value::{Str, SystemTime, Value};
