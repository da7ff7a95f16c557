//! One record: from the marker in its first bytes to a checked view.

mod extended;
mod kind;
mod message;
mod parse;

pub use extended::{ExtendedItem, ExtendedItems, ExtendedType, Stack, StackFrames};
pub use kind::RecordKind;
pub use message::Message;
pub use parse::{OwnedRecord, Record};

pub(crate) use parse::{Header, Parsed, Shapes, starts_a_record};
#[cfg(feature = "std")]
pub(crate) use parse::{RecordSpan, stamp_of_head};
