//! Instrumentation manifests: what a provider says about its events.

mod error;
mod model;
mod xml;

pub use error::{ManifestError, ManifestErrorKind, XmlError};
pub use model::{Manifest, Provider};
