//! The classes of the kernel and of classic providers: what their events are called and where their values lie.
//!
//! Such events do not describe themselves. Their layouts are common knowledge, from the MOF of Windows and from structures of
//! its headers, and lie here as text, one file a class (`classes/*.tsv`, see `row.rs`). A schema is made from its row when it
//! is asked for; nothing is kept here.

mod class;
mod document;
mod lookup;
mod maps;
mod row;
mod source;
mod subject;

pub use class::{category, classes};
pub use document::{DocumentError, document};
pub use source::KernelClasses;
pub use subject::{Subject, subject};
