//! The built command, run as people and scripts run it.
#![forbid(unsafe_code)]
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod buffers;
mod containers;
mod damaged;
mod decoded;
mod dump;
mod failures;
mod files;
mod filters;
mod info;
mod interrupt;
mod live;
mod options;
mod real;
mod stats;
mod support;
