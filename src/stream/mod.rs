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
//! - It is never completed while an event, a [`Retained`] or a [`RetainedBuffer`] of it lives.
//! - Without retained ones, completions come in the order of arrival.
//! - For each buffer: its events, then [`Step::Buffer`], then the completion.
//! - The sequence of steps is a function of the sequence of calls.
//!
//! **Order.** Events leave in the order of (time, arrival of the buffer, place in it), over all processors, as far as
//! [`Order`] and the bounds of memory let them be held back; what comes too late for that is delivered all the same and
//! counted. Buffers retire in the order of arrival, so what one session hands out is valid input for the next.
//!
//! **Threads.** Events and buffers are handed out on the thread inside [`Processor::run`] or [`Session::advance`], one at a
//! time. Completions are made there too; the last holder of a retained buffer makes its completion, on its own thread. No lock
//! is held while code of the user runs, so every callback may add, finish, cancel and ask.
//!
//! **Panics.** Nothing here panics by itself, whatever the input. A panic of a callback comes out of [`Processor::run`] once
//! every buffer is home; one of the completion closure costs no other buffer.
//!
//! **Memory.** Buffers are used where they are. Besides them a session holds about 300 bytes for each, about 700 for each
//! stream (a processor and a type of buffer), and the expansions of compressed ones. Nothing is allocated per event.
//! [`Options`] bounds what is held, [`StreamBuilder`] what is queued.
//!
//! **Times** are ticks of the source's clock, [`Ticks`](crate::Ticks), where nothing else is said; the flush time in a buffer's
//! header is, too.
//!
//! The document `docs/windows-api.md` maps each Windows function, structure, constant and error code to what is here.

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
mod play;
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
pub(crate) use play::{Brought, Held, Next, Play, Source, first_stamp, least_time_of};
pub use retained::{Retained, RetainedBuffer};
pub use session::Session;
pub use stats::Stats;
pub use step::{Delivery, RetiringBuffer, Step};
