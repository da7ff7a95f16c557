//! One trace buffer: the header, and the walk over its records.
//!
//! ```
//! # fn main() -> Result<(), etweir::ParseError> {
//! # #[cfg(feature = "write")] {
//! # use etweir::write::{BufferSpec, EventSpec};
//! # let bytes = BufferSpec::new(4096).event(&EventSpec { id: 42, ..EventSpec::default() }).to_bytes();
//! use etweir::buffer::BufferView;
//!
//! let view = BufferView::parse(&bytes)?;
//! for record in view.records() {
//!     match record {
//!         Ok(record) => println!("{} at {}", record.kind(), record.offset()),
//!         Err(damage) => eprintln!("{damage}"),
//!     }
//! }
//! # }
//! # Ok(())
//! # }
//! ```

mod damage;
mod header;
mod layout;
mod owned;
mod records;
mod view;

pub use damage::{RecordDamage, RecordDamageKind};
pub use header::{BufferFlags, BufferHeader, BufferType};
pub use layout::Layout;
pub use owned::OwnedBuffer;
#[cfg(feature = "std")]
pub(crate) use records::RecordWalk;
pub use records::Records;
pub use view::BufferView;
