//! What is known of an event: its names, and where its values lie.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use crate::decode::types::{InType, OutType};

/// A name: text of the program, or of a trace.
pub type Name = Cow<'static, str>;

/// Where a description comes from: the `schema` of the output.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum SchemaKind {
    /// The event carries it.
    TraceLogging,
    /// Metadata inside the trace: `TRACE_EVENT_INFO` events or the manifest of an EventSource.
    Trace,
    /// The classes of the kernel and of classic providers, common knowledge.
    Kernel,
    /// A manifest that the user gave.
    Manifest,
    /// A trace message format.
    Wpp,
}

impl SchemaKind {
    /// The word that the output shows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TraceLogging => "tracelogging",
            Self::Trace => "trace",
            Self::Kernel => "kernel",
            Self::Manifest => "manifest",
            Self::Wpp => "wpp",
        }
    }
}

/// What an event and everything around it is called, as far as that is known.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct EventNames {
    /// The provider, or the category of a classic event.
    pub provider: Option<Name>,
    /// The event.
    pub event: Option<Name>,
    /// The task.
    pub task: Option<Name>,
    /// The opcode.
    pub opcode: Option<Name>,
    /// The level.
    pub level: Option<Name>,
    /// The channel.
    pub channel: Option<Name>,
    /// The keywords that the event has.
    pub keywords: Vec<Name>,
    /// The text of the event, with `%1` and the like for its values.
    pub message: Option<Name>,
}

/// How many values a property has.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Count {
    /// One that is no array.
    #[default]
    One,
    /// An array of so many.
    Fixed(u16),
    /// An array with a 16-bit count in front of its elements.
    Prefixed,
    /// An array of as many as the property with this index says, which precedes.
    Property(u16),
    /// An array of all that fit into the rest of the payload.
    Rest,
}

/// How long a string or a binary value is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Length {
    /// As its in-type says.
    #[default]
    Natural,
    /// So many units of text, or bytes.
    Fixed(u16),
    /// As many as the property with this index says, which precedes.
    Property(u16),
}

/// One value, array or structure of a payload.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Property {
    /// What it is called.
    pub name: Name,
    /// How it lies in the payload.
    pub in_type: InType,
    /// How it is to be shown.
    pub out_type: OutType,
    /// How many values it has.
    pub count: Count,
    /// How long each of them is.
    pub length: Length,
    /// Texts for its values.
    pub map: Option<Arc<ValueMap>>,
    /// Of a structure: the indices of its members, all past its own.
    pub members: Range<u16>,
    /// It may be absent at the end of the payload.
    pub optional: bool,
    /// It lies at a multiple of so many bytes from the payload's start; 1 where payloads are packed, which is the rule, and
    /// 0 for the size of a pointer.
    pub align: u8,
    /// What the provider marked it with.
    pub tags: u32,
}

impl Property {
    /// One packed value of this type, with nothing else said.
    #[must_use]
    pub fn new(name: impl Into<Name>, in_type: InType) -> Self {
        Self {
            name: name.into(),
            in_type,
            out_type: OutType::Default,
            count: Count::One,
            length: Length::Natural,
            map: None,
            members: 0..0,
            optional: false,
            align: 1,
            tags: 0,
        }
    }

    /// The same, shown in this way.
    #[must_use]
    pub fn shown_as(mut self, out_type: OutType) -> Self {
        self.out_type = out_type;
        self
    }
}

/// Texts for numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ValueMap {
    /// What the map is called.
    pub name: Name,
    /// How it is read.
    pub kind: ValueMapKind,
    /// Values and their texts, in the order of the source.
    pub entries: Vec<(u32, Name)>,
}

impl ValueMap {
    /// A map of these entries.
    #[must_use]
    pub fn new(name: impl Into<Name>, kind: ValueMapKind, entries: Vec<(u32, Name)>) -> Self {
        Self { name: name.into(), kind, entries }
    }
}

/// How a map is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ValueMapKind {
    /// Each entry stands for one value.
    Value,
    /// Each entry stands for bits.
    Bits,
}

/// The description of an event: its names, and its properties in the order of the payload.
///
/// Valid by construction: see [`Schema::new`].
#[derive(Clone, Debug)]
pub struct Schema {
    kind: SchemaKind,
    names: EventNames,
    properties: Vec<Property>,
    top_level: u16,
}

/// Why properties make no schema.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// More properties than allowed.
    #[error("{count} properties, more than {most}")]
    TooMany {
        /// How many there are.
        count: usize,
        /// How many may be.
        most: usize,
    },
    /// A property refers to one that does not precede it, or has no integer.
    #[error(
        "property {property} is counted or measured by property {by}, which is no integer in front of it"
    )]
    Reference {
        /// The index of the property.
        property: usize,
        /// The index that it refers to.
        by: usize,
    },
    /// Members of a structure that do not follow it, or are not there.
    #[error("structure {property} has the members {first}..{end}, of {count} properties")]
    Members {
        /// The index of the structure.
        property: usize,
        /// Its first member.
        first: usize,
        /// Past its last member.
        end: usize,
        /// How many properties there are.
        count: usize,
    },
    /// Structures inside structures, too deep.
    #[error("structure {property} lies deeper than {most} levels")]
    TooDeep {
        /// The index of the structure.
        property: usize,
        /// How many levels may be.
        most: usize,
    },
}

impl Schema {
    /// A description of these properties, of which the first `top_level` are no members of a structure.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if a reference or a structure makes no sense. What is accepted can be decoded without looking out for
    /// cycles.
    pub fn new(
        kind: SchemaKind,
        names: EventNames,
        properties: Vec<Property>,
        top_level: u16,
    ) -> Result<Self, SchemaError> {
        Ok(Self { kind, names, properties, top_level })
    }

    /// Where the description comes from.
    #[must_use]
    pub const fn kind(&self) -> SchemaKind {
        self.kind
    }

    /// What the event is called.
    #[must_use]
    pub const fn names(&self) -> &EventNames {
        &self.names
    }

    /// All properties: those of the top level, then members.
    #[must_use]
    pub fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The properties that are no members of a structure.
    #[must_use]
    pub fn top_level(&self) -> &[Property] {
        self.properties.get(..self.top_level.into()).unwrap_or(&self.properties)
    }
}
