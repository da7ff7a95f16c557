//! Whole files: order, states, time limits, several at once, handlers, holes.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod handlers;
mod hole;
mod limits;
mod order;
mod several;
mod states;
mod support;
