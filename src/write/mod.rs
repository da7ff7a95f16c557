//! Writes traces: the mirror of the reader, and the factory of its fixtures.
//!
//! Records, buffers and whole files are described by plain values and then turned into bytes. What follows from the
//! description is worked out (sizes, padding, links, offsets, sequence numbers); what is said wins, so that damage can be
//! written down as well. Equal descriptions give equal bytes.
//!
//! The bytes are meant for tests and fixtures, not for other consumers of traces.

mod buffer;
mod classic;
mod error;
mod event;
mod file;
mod item;
mod kernel;
mod log_file;
mod message;
mod record;
mod trace;

pub use buffer::BufferSpec;
pub use classic::{FullSpec, InstanceSpec, OldInstance};
pub use error::WriteError;
pub use event::EventSpec;
pub use file::{Damage, FileSpec};
pub use item::ItemSpec;
pub use kernel::{PerfSpec, SystemSpec};
pub use log_file::{LogFileSpec, TimeZoneSpec};
pub use message::MessageSpec;
pub use record::{OpaqueSpec, RawSpec, RecordSpec, Width};
pub use trace::TraceSpec;
