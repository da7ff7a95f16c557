//! Log files (`.etl`), buffer by buffer in the order of the file.
//!
//! A file is a plain concatenation of buffers, of which the first describes the session; there is no magic number, no index
//! and no checksum. [`EtlReader`] walks it to its end whatever the header claims, in the memory of two buffers, and accounts
//! for what it could not deliver. Buffers lie in the order in which they were flushed: time order exists only within a
//! processor.

mod accounting;
mod block;
mod compressed;
mod damage;
mod error;
mod etl;
mod file_options;
mod files;
mod found;
mod index;
mod input;
mod loader;
mod open;
mod options;
mod playback;
mod reader;
mod search;
mod second_look;
mod source;
mod sparse;
mod walk;
mod window;
mod workers;
mod zeros;

pub use accounting::Accounting;
pub use block::LoadedBuffer;
pub use damage::{Damage, DamageCause, DamageKind, DamageReport};
pub use error::{Error, FirstBytes};
pub use etl::EtlFile;
pub use file_options::{FileOptions, FileOrder};
pub use files::{EtlFiles, MergedBy};
pub use found::FoundBuffer;
pub use options::ReadOptions;
pub use playback::{FileSummary, Playback};
pub use reader::{EtlReader, FileBuffer};
