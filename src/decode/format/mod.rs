//! Values as text and JSON, and the names and texts around them.
//!
//! Everything writes into what the caller has, and allocates nothing.

mod activity;
mod bounded;
mod date;
mod digits;
mod errors;
#[cfg(feature = "json")]
mod json;
mod map;
mod message;
mod names;
mod network;
mod out;
mod parameters;
mod printable;
mod printf;
#[cfg(feature = "json")]
mod serialize;
mod shown;
mod strings;
mod text;

pub use activity::{ActivityPath, ActivityStep};
pub use errors::{ErrorKind, error_name};
#[cfg(feature = "json")]
pub use json::JsonError;
pub use message::Message;
pub use names::{
    EventName, standard_channel_name, standard_keyword_names, standard_level_name, standard_opcode_name,
    standard_task_name,
};
pub use printable::Printable;
#[cfg(feature = "json")]
pub use serialize::{FieldsJson, ValueJson};
pub use text::ValueText;

use crate::decode::schema::Property;
use crate::decode::value::Value;
use crate::limits::Limits;
use crate::trace::Clock;

/// How values are shown, as far as their own description does not tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Formatting {
    clock: Clock,
    /// The longest text in bytes.
    limit: usize,
}

impl Default for Formatting {
    /// Without a clock.
    fn default() -> Self {
        Self::new(Clock::UNKNOWN, &Limits::default())
    }
}

impl Formatting {
    /// Times in ticks of the session's clock are converted with `clock`; where that cannot, they are numbers. Of the limits
    /// `formatted_bytes` counts.
    #[must_use]
    pub const fn new(clock: Clock, limits: &Limits) -> Self {
        Self { clock, limit: limits.formatted_bytes }
    }

    /// A value of `property` as text for people.
    ///
    /// As TDH shows it, with these differences: hexadecimal digits are lower case, dates are RFC 3339 in UTC, and error codes
    /// have their symbolic names in place of the system's texts, `0xc0000022(STATUS_ACCESS_DENIED)`. Nothing (a null, no
    /// SID, a `FILETIME` of 0 or past 0x7FFFFFFFFFFFFFFF, a `SYSTEMTIME` of zeros) is `-`, and a date that RFC 3339 cannot write
    /// shows its numbers as they are; bytes are hexadecimal digits without a prefix.
    /// What would break a line or steer a terminal is escaped as [`Printable`] says; [`ValueText::exact`] keeps it, and
    /// [`ValueText::quoted`] makes one word of it. Text past the limit is cut off with an ellipsis.
    #[must_use]
    pub const fn text<'a>(&'a self, property: &'a Property, value: Value<'a>) -> ValueText<'a> {
        ValueText::new(self, property, value)
    }
}
