//! What was found of the metadata inside a trace.

use alloc::vec::Vec;

use crate::decode::schema::SchemaError;
use crate::error::ParseError;
use crate::guid::Guid;

/// How much metadata a trace held, and what could not be used.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MetadataReport {
    /// Events that are described by `TRACE_EVENT_INFO`.
    pub event_infos: usize,
    /// Maps of `EVENT_MAP_INFO`.
    pub maps: usize,
    /// Different manifests that providers wrote.
    pub manifests: usize,
    /// Manifests of which chunks are missing.
    pub incomplete: usize,
    /// Pieces of metadata that said again what was known.
    pub repeated: u64,
    /// Pieces that contradict what was known of the same event or map, and are not used.
    pub contradicting: u64,
    /// Pieces of kinds that describe no payload: trace message formats, maps of patterns.
    pub unsupported: u64,
    /// Pieces of manifests that were not read, since the feature `manifest` is off.
    pub unread: u64,
    /// Pieces past [`Limits::metadata_bytes`](crate::Limits::metadata_bytes) or, manifests alone, past
    /// [`Limits::xml_bytes`](crate::Limits::xml_bytes), which are not used.
    pub refused: u64,
    /// Pieces that make no sense, which cost themselves only.
    pub broken: u64,
    /// What is wrong with them; the first 100.
    pub problems: Vec<MetadataProblem>,
}

impl MetadataReport {
    const KEPT: usize = 100;

    pub(super) fn broken(&mut self, provider: Guid, kind: MetadataProblemKind) {
        self.broken = self.broken.saturating_add(1);
        if self.problems.len() < Self::KEPT {
            self.problems.push(MetadataProblem { provider, kind });
        }
    }
}

/// A piece of metadata that makes no sense.
#[derive(Clone, Debug, thiserror::Error)]
#[error("metadata of provider {provider}: {kind}")]
#[non_exhaustive]
pub struct MetadataProblem {
    /// Whose events it describes; of an event description that could not be read the class of all of them.
    pub provider: Guid,
    /// What is wrong.
    #[source]
    pub kind: MetadataProblemKind,
}

/// Why a piece of metadata makes no sense.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataProblemKind {
    /// The structure is not what it should be.
    #[error("the structure is damaged")]
    Structure(#[source] ParseError),
    /// The properties make no schema.
    #[error("the properties make no schema")]
    Schema(#[source] SchemaError),
    /// The manifest is no manifest.
    #[cfg(feature = "manifest")]
    #[error("the manifest cannot be read")]
    Manifest(#[source] crate::decode::manifest::ManifestError),
}
