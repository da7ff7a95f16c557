//! Instrumentation manifests as XML.
//!
//! One pass over the text collects what the elements say ([`reader`] into [`raw`]); then names are looked up ([`resolve`]),
//! since a definition may stand behind its uses. No entity but the five of XML is known, so nothing expands.
//!
//! Source: payload reference on manifests, "Instrumentation manifest XML" and "Manifests embedded by EventSource".

mod problems;
mod raw;
mod reader;
mod resolve;
mod template;
mod text;
mod types;

use crate::decode::manifest::error::{ManifestError, ManifestErrorKind};
use crate::decode::manifest::model::Manifest;
use crate::decode::manifest::xml::problems::{Problem, Problems};
use crate::limits::Limits;

impl Manifest {
    /// Reads an instrumentation manifest (`.man`): XML in UTF-8 or UTF-16.
    ///
    /// Memory grows with the text, to several times its length. What makes no sense costs what it says:
    /// [`Manifest::problems`].
    ///
    /// # Errors
    ///
    /// [`ManifestError`] with the line if the text is larger or its elements nest deeper than `limits` allow, if it is no
    /// well-formed XML, or if it describes no provider.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ManifestError> {
        if bytes.len() > limits.xml_bytes {
            let kind = ManifestErrorKind::TooLarge { len: bytes.len(), most: limits.xml_bytes };
            return Err(Problem { offset: 0, kind }.in_text(""));
        }
        let text = text::decode(bytes);
        let mut problems = Problems::default();
        let read = reader::read(&text, limits, &mut problems).map_err(|problem| problem.in_text(&text))?;
        let providers = resolve::providers(read, limits, &mut problems);
        let problem_count = problems.count();
        Ok(Self { providers, problems: problems.in_text(&text), problem_count })
    }
}
