//! The bytes as they lie: little-endian structures of alignment 1, and the numbers in them.
//!
//! No decisions are taken here. Every structure says where its layout comes from and checks its own size; field offsets
//! in the comments are from the start of the structure. "Format reference" is the description of the format that this
//! project follows; its facts rest on published headers and on real traces.

pub(crate) mod buffer;
pub(crate) mod extended;
pub(crate) mod flags;
pub(crate) mod header_event;
pub(crate) mod header_full;
pub(crate) mod header_message;
pub(crate) mod header_perf;
pub(crate) mod header_system;
pub(crate) mod log_file;

pub(crate) use zerocopy::little_endian::{I32, I64, U16, U32, U64};

/// A `GUID` in place.
pub(crate) type RawGuid = [u8; 16];
