//! Schemas that a trace carries: what merging adds to it, and the manifests that EventSources write into it.

mod event_info;
mod known;
#[cfg(feature = "manifest")]
mod manifest_data;
#[cfg(feature = "manifest")]
mod manifests;
mod map_info;
mod report;
mod schemas;
mod text;

pub use event_info::{DecodingSource, EventInfo};
pub use report::{MetadataProblem, MetadataProblemKind, MetadataReport};
pub use schemas::TraceSchemas;
