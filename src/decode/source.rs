//! Where schemas come from.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::any::Any;

use crate::decode::schema::{Name, Schema};
use crate::guid::Guid;
use crate::trace::Event;

/// Something that knows schemas: a table, manifests, the metadata inside a trace.
///
/// A [`Decoder`](crate::decode::Decoder) has a chain of them and keeps what they answer, so `find` is called once for each
/// identity and not once for each event. The identity of an event with an EVENT_HEADER is its provider, id and version; that
/// of a classic or kernel event its class, opcode, version, kind of header and size of pointers. String-only events,
/// TraceLogging events and WPP messages are not asked for.
///
/// Sources are shared by all clones of a decoder. One that learns keeps what it knows behind a lock.
pub trait SchemaSource: Any + Send + Sync {
    /// What may describe events of this identity.
    fn find(&self, query: &Query<'_>) -> Found;

    /// Whether events of this identity tell of the schemas of others, so that [`SchemaSource::learn`] is to see each of them.
    fn teaches(&self, event: &Event<'_>) -> bool {
        let _ = event;
        false
    }

    /// Takes in what an event says; only those that teach are shown. `true` if `find` may answer otherwise from now on: all
    /// answers that were kept are then forgotten.
    fn learn(&self, event: &Event<'_>) -> bool {
        let _ = event;
        false
    }

    /// What a provider is called whose events the source describes, for those that it does not describe.
    fn provider_name(&self, provider: Guid) -> Option<Name> {
        let _ = provider;
        None
    }
}

/// Which schema is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    event: &'a Event<'a>,
    provider: Guid,
}

impl<'a> Query<'a> {
    /// For this event.
    #[must_use]
    pub fn new(event: &'a Event<'a>) -> Self {
        Self { event, provider: event.provider_id() }
    }

    /// The same event under another GUID of its provider.
    #[must_use]
    pub const fn under(self, provider: Guid) -> Self {
        Self { provider, ..self }
    }

    /// The first event of the identity that came along.
    ///
    /// What is answered holds for others too, unless the answer says less: payload, process, time and the like of this one
    /// must not decide.
    #[must_use]
    pub const fn event(&self) -> &'a Event<'a> {
        self.event
    }

    /// The provider or class to look under: that of the event, or, if nobody knows that one, its decode GUID or control GUID.
    #[must_use]
    pub const fn provider(&self) -> Guid {
        self.provider
    }
}

/// What a source knows.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Found {
    /// What may describe the event, the best first. While all of them are [`exact`](Candidate::exact), the next source is
    /// asked for more.
    pub candidates: Vec<Candidate>,
    /// What the answer holds for, an empty one too.
    pub scope: Scope,
}

impl Found {
    /// The source does not know these events.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// One description.
    #[must_use]
    pub fn one(candidate: impl Into<Candidate>) -> Self {
        Self { candidates: vec![candidate.into()], scope: Scope::Identity }
    }

    /// Several, the best first: the first that fits the payload exactly is taken, else the first that is not
    /// [`exact`](Candidate::exact).
    #[must_use]
    pub fn several(candidates: Vec<Candidate>) -> Self {
        Self { candidates, scope: Scope::Identity }
    }

    /// The same for fewer events.
    #[must_use]
    pub fn within(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }
}

/// What an answer holds for.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Scope {
    /// All events of the identity.
    #[default]
    Identity,
    /// Those of one process.
    Process,
    /// This event: the source is asked again for each one, which is slow.
    Event,
}

/// A schema that may describe an event.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Candidate {
    /// The schema.
    pub schema: Arc<Schema>,
    /// Bytes of pointers in the payload, 4 or 8, if not as the event says.
    pub pointer_size: Option<u8>,
    /// It is to be taken only where it consumes the payload to the last byte.
    pub exact: bool,
    /// How good it is.
    pub certainty: Certainty,
}

impl Candidate {
    /// A schema of exactly these events.
    #[must_use]
    pub const fn new(schema: Arc<Schema>) -> Self {
        Self { schema, pointer_size: None, exact: false, certainty: Certainty::Sure }
    }

    /// The same, to be taken only where it consumes the payload to the last byte.
    #[must_use]
    pub const fn only_exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// The same with pointers of 4 or 8 bytes, whatever the event says.
    #[must_use]
    pub const fn with_pointer_size(mut self, pointer_size: u8) -> Self {
        self.pointer_size = Some(pointer_size);
        self
    }

    /// The same, known less well.
    #[must_use]
    pub const fn with_certainty(mut self, certainty: Certainty) -> Self {
        self.certainty = certainty;
        self
    }
}

impl From<Arc<Schema>> for Candidate {
    fn from(schema: Arc<Schema>) -> Self {
        Self::new(schema)
    }
}

/// How well a schema is known to be the one of an event.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Certainty {
    /// It is described under the event's own identity, or is known to be that of all events of its kind.
    #[default]
    Sure,
    /// It is that of a lower version, to which newer ones add at the end.
    LowerVersion,
    /// It is a guess: of a higher version.
    Guess,
}
