//! Manifests of the corpus as a source of schemas.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use etweir::Limits;
use etweir::decode::manifest::{Manifest, Provider};
use etweir::decode::{Candidate, Found, Query, SchemaKind, SchemaSource};

/// Reads a manifest that makes sense everywhere.
pub(crate) fn read(path: &Path) -> Manifest {
    let manifest = Manifest::parse(&fs::read(path).expect("a readable file"), &Limits::default());
    let manifest = manifest.expect("a manifest");
    assert_eq!(manifest.problem_count(), 0, "{}: {:?}", path.display(), manifest.problems());
    manifest
}

/// Knows the events of these providers.
#[derive(Debug)]
pub(crate) struct Providers(pub(crate) Vec<Arc<Provider>>);

impl SchemaSource for Providers {
    fn find(&self, query: &Query<'_>) -> Found {
        let (event, limits) = (query.event(), Limits::default());
        let provider = self.0.iter().find(|provider| provider.id() == query.provider());
        let schema = provider
            .and_then(|provider| provider.schema(event.id(), event.version(), SchemaKind::Manifest, &limits));
        match schema {
            Some(Ok(schema)) => Found::one(Candidate::new(Arc::new(schema))),
            _ => Found::nothing(),
        }
    }
}
