//! Windows ETW trace consumption in pure Rust, on any operating system.
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
mod error;
#[cfg(feature = "std")]
pub mod file;
mod guid;
mod limits;
pub mod record;
mod sid;
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
pub use file::{Error, EtlReader, ReadOptions};
pub use guid::{Guid, GuidError};
pub use limits::Limits;
pub use sid::Sid;
pub use time::{FileTime, Ticks};
pub use utf16::Utf16;
