//! Log files (`.etl`), buffer by buffer in the order of the file.
//!
//! A file is a plain concatenation of buffers, of which the first describes the session; there is no magic number, no index
//! and no checksum. [`EtlReader`] walks it to its end whatever the header claims, in the memory of two buffers, and accounts
//! for what it could not deliver. Buffers lie in the order in which they were flushed: time order exists only within a
//! processor.

mod compressed;
mod damage;
mod error;
mod input;
mod open;
mod options;
mod reader;
mod search;
mod walk;
mod window;

pub use damage::{Damage, DamageCause, DamageKind, DamageReport};
pub use error::{Error, FirstBytes};
pub use options::ReadOptions;
pub use reader::{EtlReader, FileBuffer};
