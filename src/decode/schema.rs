//! What is known of an event: its names, and where its values lie.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::decode::plan::{NONE, Step, plan};
use crate::decode::repeat::number_repeats;
use crate::decode::tracelogging;
use crate::decode::types::{InType, OutType};
use crate::decode::value_map::ValueMap;
use crate::decode::walk::Fields;
use crate::error::ParseError;
use crate::limits::Limits;

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

/// How many values a property has. Characters ([`InType::UnicodeChar`], [`InType::AnsiChar`]) with any count but one are a
/// text, which ends at the first zero.
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
    /// An array of as many as the property with this index says: an integer that precedes, among the members of the same
    /// structure or around it.
    Property(u16),
    /// An array of all that fit into the rest of the payload.
    Rest,
}

/// How long a string or a binary value is. It counts for [`InType::UnicodeString`], [`InType::AnsiString`] and
/// [`InType::Binary`] alone.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Length {
    /// As its in-type says.
    #[default]
    Natural,
    /// So many units of text, or bytes.
    Fixed(u16),
    /// As many as the property with this index says: an integer that precedes, among the members of the same structure or
    /// around it.
    Property(u16),
    /// All that is left of the payload.
    Rest,
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
    /// The number behind its name in keys, where others of the same name precede it; see [`Property::repeat`].
    pub(super) repeat: u16,
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
            repeat: 0,
        }
    }

    /// The number of a property in a [`Schema`] whose name others before it have, of the top level or of the same structure:
    /// keys of it are the name, `_` and this number, from 2 on. 0 if the name alone will do.
    #[must_use]
    pub const fn repeat(&self) -> u16 {
        self.repeat
    }

    /// The same, shown in this way.
    #[must_use]
    pub fn shown_as(mut self, out_type: OutType) -> Self {
        self.out_type = out_type;
        self
    }
}

/// The description of an event: its names, and its properties in the order of the payload.
///
/// Valid by construction: see [`Schema::new`].
#[derive(Clone, Debug)]
pub struct Schema {
    serial: u64,
    kind: SchemaKind,
    names: EventNames,
    properties: Vec<Property>,
    steps: Vec<Step>,
    top_level: u16,
    array_elements: u32,
    tags: u32,
    references: bool,
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
    /// More properties at the top level than there are.
    #[error("{top_level} properties at the top level, of {count}")]
    TopLevel {
        /// How many are said to be at the top level.
        top_level: usize,
        /// How many there are.
        count: usize,
    },
    /// Members of a structure that do not follow it and the top level, or are not there.
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
    /// A property that is a member of two structures.
    #[error("structure {property} has the member {member}, which another has already")]
    Shared {
        /// The index of the structure.
        property: usize,
        /// The index of the member.
        member: usize,
    },
    /// More text than allowed.
    #[error("{bytes} bytes of text, more than {most}")]
    TooMuchText {
        /// How much text there is, in bytes of UTF-8.
        bytes: usize,
        /// How much may be.
        most: usize,
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

/// The number of the schema that was made last.
static LAST_SERIAL: AtomicU64 = AtomicU64::new(0);

impl Schema {
    /// What is known of an event of which nothing is known.
    pub(super) const fn empty(kind: SchemaKind) -> Self {
        let names = EventNames {
            provider: None,
            event: None,
            task: None,
            opcode: None,
            level: None,
            channel: None,
            keywords: Vec::new(),
            message: None,
        };
        Self {
            serial: 0,
            kind,
            names,
            properties: Vec::new(),
            steps: Vec::new(),
            top_level: 0,
            array_elements: 0,
            tags: 0,
            references: false,
        }
    }

    /// A description of these properties, of which the first `top_level` are no members of a structure, within the default
    /// [`Limits`].
    ///
    /// A count or a length that refers to a property which is no integer, or does not precede, is no error here: decoding
    /// ends there, and what lies before is good. The same holds where more than 16 values that others refer to are pending
    /// at one time, or the members of one structure refer to more than 2 values outside of it.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if there is too much of something, or a structure makes no sense.
    pub fn new(
        kind: SchemaKind,
        names: EventNames,
        properties: Vec<Property>,
        top_level: u16,
    ) -> Result<Self, SchemaError> {
        Self::with_limits(kind, names, properties, top_level, &Limits::default())
    }

    /// As [`Schema::new`], within other limits: `schema_properties`, `struct_depth` and `array_elements` of [`Limits`].
    ///
    /// # Errors
    ///
    /// [`SchemaError`], as there.
    pub fn with_limits(
        kind: SchemaKind,
        names: EventNames,
        mut properties: Vec<Property>,
        top_level: u16,
        limits: &Limits,
    ) -> Result<Self, SchemaError> {
        let steps = plan(&properties, top_level, limits)?;
        number_repeats(&mut properties, top_level);
        let references = steps.iter().any(|step| step.save != NONE);
        Ok(Self {
            serial: LAST_SERIAL.fetch_add(1, Ordering::Relaxed).wrapping_add(1),
            references,
            kind,
            names,
            properties,
            steps,
            top_level,
            array_elements: limits.array_elements,
            tags: 0,
        })
    }

    /// The same with what the provider marked the event with.
    #[must_use]
    pub fn with_tags(mut self, tags: u32) -> Self {
        self.tags = tags;
        self
    }

    /// The schema that a TraceLogging event carries in its EVENT_SCHEMA_TL item.
    ///
    /// # Errors
    ///
    /// [`ParseError`] with the offset in `metadata` where the description ends too early, or has more than `limits` allows.
    pub fn from_trace_logging(metadata: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        tracelogging::parse(metadata, limits)
    }

    /// A number that no other schema of this process has, and all clones of this one: what was worked out for a schema can be
    /// kept under it. Never 0.
    #[must_use]
    pub const fn serial(&self) -> u64 {
        self.serial
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

    /// The values of a payload, in their order, with pointers of 4 or 8 bytes. Nothing is allocated.
    #[must_use]
    pub fn fields<'a>(&'a self, payload: &'a [u8], pointer_size: u8) -> Fields<'a> {
        Fields::new(self, payload, 0, pointer_size)
    }

    /// What the provider marked the event with, 28 bits; 0 if nothing.
    #[must_use]
    pub const fn tags(&self) -> u32 {
        self.tags
    }

    /// About how many bytes of memory it takes, maps aside.
    pub(super) fn memory(&self) -> usize {
        let each = size_of::<Property>().saturating_add(size_of::<Step>());
        let names = self.properties.iter().map(|property| property.name.len());
        names.fold(each.saturating_mul(self.properties.len()), usize::saturating_add)
    }

    /// Whether a property is counted or measured by another.
    pub(super) fn has_references(&self) -> bool {
        self.references
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// How many elements an array may have.
    pub(super) const fn array_elements(&self) -> u32 {
        self.array_elements
    }
}
