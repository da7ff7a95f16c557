//! Windows ETW trace consumption in pure Rust, on any operating system.
//!
//! | to read | start at |
//! | --- | --- |
//! | a log file (`.etl`), or a stream of buffers | `EtlReader` (feature `std`, on by default) |
//! | one raw trace buffer | [`buffer::BufferView`], and [`trace::TraceBuffer`] for its events |
//! | what a trace says about itself | [`trace::LogFileHeader`] |
//! | the payloads of a file whose metadata lie at its end | `prescan` (feature `decode`) |
//! | a compressed buffer | [`trace::Expander`] |
//! | the names and values in an event's payload | `decode::Decoder` (feature `decode`, on by default) |
//! | the process, the stack and the names around an event | `context::Context` (feature `decode`) |
//!
//! All input is taken as hostile: nothing panics, no loop is without bounds, and no allocation goes past [`Limits`]. Damage
//! costs the record or the buffer that it is in; it is counted and named with its offset, and everything else is delivered.
//! Views borrow their input and are `Copy`; nothing is allocated per event. All types are `Send` and `Sync` as far as what
//! they hold is; no function blocks except in the source that it reads.
//!
//! # Features
//!
//! `std` (default): reading files. `decode` (default): schemas and payloads, values as text, and what events mean together.
//! `error-names` (default): the symbolic names of NTSTATUS, HRESULT and Win32 codes in text, 330 KiB. `json`: values as JSON.
//! `manifest`: instrumentation manifests. `write`: building buffers and files, compressed and damaged on request. `testkit`:
//! what the project's tests share. Without `std` the crate is `no_std` and needs `alloc`.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic
    )
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod buffer;
mod bytes;
pub mod codec;
#[cfg(feature = "decode")]
pub mod context;
#[cfg(feature = "decode")]
pub mod decode;
mod error;
#[cfg(feature = "std")]
pub mod file;
mod guid;
mod limits;
#[cfg(feature = "std")]
mod merge;
#[cfg(feature = "decode")]
pub mod prescan;
pub mod record;
mod sid;
#[cfg(feature = "std")]
pub mod stream;
#[cfg(feature = "testkit")]
#[doc(hidden)]
pub mod testkit;
mod time;
pub mod trace;
mod utf16;
mod wire;
#[cfg(feature = "write")]
pub mod write;

pub use error::{Offset, ParseError};
#[cfg(feature = "std")]
pub use file::{Error, EtlFile, EtlFiles, EtlReader, FileOptions, ReadOptions};
pub use guid::{Guid, GuidError};
pub use limits::Limits;
pub use sid::Sid;
#[cfg(feature = "std")]
pub use stream::stream;
pub use time::{FileTime, Ticks};
pub use utf16::Utf16;

#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../README.md")]
mod readme {}
