//! Schemas that a trace carries: what merging adds to it, and the manifests that EventSources write into it.

mod event_info;
mod manifest_data;
mod map_info;
mod text;

pub use event_info::{DecodingSource, EventInfo};
