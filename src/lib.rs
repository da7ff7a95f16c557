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
mod guid;
mod limits;
pub mod record;
mod sid;
mod time;
pub mod trace;
mod utf16;
mod wire;
#[cfg(feature = "write")]
pub mod write;

pub use error::{Offset, ParseError};
pub use guid::{Guid, GuidError};
pub use limits::Limits;
pub use sid::Sid;
pub use time::{FileTime, Ticks};
pub use utf16::Utf16;
