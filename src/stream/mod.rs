//! The buffer-stream consumer: add raw buffers, get their events in the order of time, get every buffer back.
//!
//! What Windows offers as `OpenTraceFromBufferStream`, `ProcessTraceAddBufferToBufferStream` and `ProcessTrace`, on any
//! operating system. [`Session`] is a plain state machine: it has no threads, reads no clock and opens no file. [`stream()`]
//! puts two ends on it, a [`Feeder`] for any thread and a [`Processor`] that calls closures back.
//!
//! ```
//! # #[cfg(feature = "write")] fn main() -> Result<(), etweir::stream::AddError<Vec<u8>>> {
//! # use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec};
//! # let header = FileSpec::new(LogFileSpec::default()).header_buffer().to_bytes();
//! # let data = BufferSpec::new(4096).event(&EventSpec { id: 42, ..EventSpec::default() }).to_bytes();
//! use core::time::Duration;
//! use etweir::stream::{Options, Session, Step};
//!
//! let mut session = Session::new(Options::default(), |done| println!("buffer {} is free", done.id));
//! session.add(header)?;
//! session.add(data)?;
//! session.finish();
//! loop {
//!     match session.advance(Duration::ZERO) {
//!         Step::Event(event, _) => println!("{} {}", event.provider_id(), event.id()),
//!         Step::Buffer(buffer) => println!("{} buffers read", buffer.buffers_read()),
//!         Step::NeedInput { .. } | Step::End(_) => break,
//!     }
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "write"))] fn main() {}
//! ```
//!
//! What holds for every session, whatever is called in whatever order:
//!
//! - A buffer that was accepted is completed exactly once; one that was refused comes back in the [`AddError`] and is never
//!   completed.
//! - It is never completed while an event or a [`Retained`] of it lives.
//! - Without retained ones, completions come in the order of arrival.
//! - For each buffer: its events, then [`Step::Buffer`], then the completion.
//! - The sequence of steps is a function of the sequence of calls.

mod admission;
mod common;
mod completion;
mod engine;
mod error;
mod front;
mod handler;
mod info;
mod options;
mod outcome;
mod retained;
mod session;
mod slot;
mod stats;
mod step;

pub use completion::{BufferId, BufferOutcome, Completed};
pub use error::{AddError, ProcessError, Refusal};
pub use front::{Feeder, Processor, StreamBuilder, Summary, stream};
pub use handler::{BufferCallback, Closures, EventCallback, Handler, Nothing, OnBuffer, OnEvent};
pub use info::StreamInfo;
pub use options::{Options, Order};
pub use outcome::{CloseOutcome, Outcome};
pub use retained::{Retained, RetainedBuffer};
pub use session::Session;
pub use stats::Stats;
pub use step::{Delivery, RetiringBuffer, Step};
