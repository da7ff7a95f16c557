//! What a trace says about itself, and the one view of an event that all record kinds are brought to.

mod buffer;
mod clock;
mod event;
mod expand;
mod extension;
mod groups;
mod header;
mod session;

pub use buffer::{BufferContext, Events, TraceBuffer};
pub use clock::{Clock, ClockType};
pub use event::{CpuTime, Event, EventFlags, OwnedEvent};
#[cfg(feature = "std")]
pub(crate) use expand::is_likely;
pub use expand::{ExpandError, Expander};
pub use extension::{PartitionInformation, PartitionInformationV2, last_dropped_times};
pub use header::{LogFileHeader, LogFileMode, TimeZone, TimeZoneDate};
pub use session::SessionInfo;
