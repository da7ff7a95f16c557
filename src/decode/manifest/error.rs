//! What can be wrong with a manifest, and where.

use alloc::boxed::Box;
use core::fmt;

use crate::decode::schema::SchemaError;
use crate::error::Offset;

/// What is wrong with a manifest, with its place.
#[derive(Clone, Debug, thiserror::Error)]
#[error("line {line} (byte {offset}): {kind}")]
#[non_exhaustive]
pub struct ManifestError {
    /// The line, from 1.
    pub line: usize,
    /// Where the element or the mistake begins, in bytes of the text as UTF-8 without its byte order mark.
    pub offset: Offset,
    /// What is wrong there.
    #[source]
    pub kind: ManifestErrorKind,
}

/// What is wrong at one place of a manifest.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestErrorKind {
    /// More text than allowed.
    #[error("{len} bytes, more than {most}")]
    TooLarge {
        /// How long the text is, in bytes.
        len: usize,
        /// How long it may be.
        most: usize,
    },
    /// Elements inside elements, too deep.
    #[error("an element lies deeper than {most} levels")]
    TooDeep {
        /// How many levels may be.
        most: usize,
    },
    /// No XML.
    #[error("no well-formed XML")]
    Xml(#[source] XmlError),
    /// The text ends before its elements do.
    #[error("the text ends inside {open} open elements")]
    EndsEarly {
        /// How many elements are open.
        open: usize,
    },
    /// XML that describes no provider.
    #[error("no provider is described")]
    NoProvider,
    /// An attribute that an element has to have is missing.
    #[error("{element} has no {attribute}")]
    Missing {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
    },
    /// The value of an attribute means nothing, or is too large.
    #[error("{element} has the {attribute} \"{value}\", which means nothing")]
    Value {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// Its value, shortened.
        value: Box<str>,
    },
    /// The value of an attribute names something that is not there.
    #[error("{element} refers to the {attribute} \"{value}\", which is not there")]
    Reference {
        /// The element.
        element: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// Its value, shortened.
        value: Box<str>,
    },
    /// A second definition of the same thing, which is not used.
    #[error("{element} {value} is defined twice")]
    Twice {
        /// The element.
        element: &'static str,
        /// What tells it from others.
        value: Box<str>,
    },
    /// More elements of a kind than a provider may have.
    #[error("more than {most} of {element}")]
    TooMany {
        /// The element.
        element: &'static str,
        /// How many may be.
        most: usize,
    },
    /// The properties of a template make no schema.
    #[error("the template makes no schema")]
    Template(#[source] SchemaError),
}

impl ManifestErrorKind {
    /// At most so many characters of a value are shown.
    const SHOWN: usize = 80;

    pub(super) fn value(element: &'static str, attribute: &'static str, value: &str) -> Self {
        Self::Value { element, attribute, value: Self::shorten(value) }
    }

    pub(super) fn reference(element: &'static str, attribute: &'static str, value: &str) -> Self {
        Self::Reference { element, attribute, value: Self::shorten(value) }
    }

    pub(super) fn twice(element: &'static str, value: &str) -> Self {
        Self::Twice { element, value: Self::shorten(value) }
    }

    fn shorten(value: &str) -> Box<str> {
        value.chars().take(Self::SHOWN).collect()
    }
}

/// Why text is no well-formed XML.
#[derive(Clone)]
pub struct XmlError(quick_xml::Error);

impl XmlError {
    pub(super) const fn new(error: quick_xml::Error) -> Self {
        Self(error)
    }
}

impl fmt::Debug for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for XmlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for XmlError {}
