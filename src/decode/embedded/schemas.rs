//! The source of schemas that learns from the trace itself.

use alloc::sync::Arc;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::decode::builtin::{MANIFEST_DATA_ID, is_manifest_data};
use crate::decode::embedded::known::{Identity, Known, Lesson};
use crate::decode::embedded::report::MetadataReport;
use crate::decode::schema::{Name, Schema};
use crate::decode::source::{Candidate, Certainty, Found, Query, SchemaSource};
#[cfg(feature = "manifest")]
use crate::decode::{schema::SchemaKind, source::Scope};
use crate::guid::Guid;
use crate::limits::Limits;
use crate::record::Header;
use crate::trace::{Event, EventFlags};

/// Schemas that the trace carries: descriptions and maps that merging added (`xperf -merge`, WPR, PerfView), and the
/// manifests that EventSources write when they are enabled and when the session ends.
///
/// Metadata may lie behind the events that it describes, merged one always does. In a stream it counts from the moment it is
/// seen. A file is best read in two passes, the first of which only learns:
/// [`prescan`](crate::prescan::prescan).
///
/// For an event, a description by merging comes before a manifest. Of several manifests of one provider, that which the
/// event's own process wrote comes first; if it wrote none, the one with the highest version that fits the payload. An event
/// of a version that nobody describes is read as the highest lower one where that consumes the payload to the last byte, and
/// says so: [`Certainty::LowerVersion`].
///
/// Memory: at most [`Limits::metadata_bytes`] of metadata, which manifests need several times once they are read. All methods
/// take `&self`; reading waits for learning only.
#[derive(Debug)]
pub struct TraceSchemas {
    known: RwLock<Known>,
    limits: Limits,
}

impl Default for TraceSchemas {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl TraceSchemas {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { known: RwLock::default(), limits: limits.clone() }
    }

    /// Takes in an event if it is metadata: whether an event that was seen before may be described otherwise now.
    ///
    /// Costs a comparison for events that are none.
    #[inline]
    pub fn observe(&self, event: &Event<'_>) -> bool {
        is_metadata(event) && self.take_in(event)
    }

    /// What was found so far.
    #[must_use]
    pub fn report(&self) -> MetadataReport {
        self.read().report()
    }

    #[cold]
    fn take_in(&self, event: &Event<'_>) -> bool {
        let (provider, payload, limits) = (event.provider_id(), event.user_data(), &self.limits);
        let mut known = self.write();
        let lesson = match event.opcode() {
            #[cfg(feature = "manifest")]
            _ if is_manifest_data(event) => known.learn_chunk(provider, event.process_id(), payload, limits),
            #[cfg(not(feature = "manifest"))]
            _ if is_manifest_data(event) => known.pass_chunk(),
            _ if event.id() != 0 => Lesson::Nothing,
            OPCODE_EVENT_INFO => known.learn_info(provider, payload, limits),
            _ => known.learn_map(provider, payload, limits),
        };
        lesson == Lesson::New
    }

    // What panics while it holds the lock leaves a piece unlearned, and no half of one.
    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SchemaSource for TraceSchemas {
    fn find(&self, query: &Query<'_>) -> Found {
        let identity = identity(query);
        let known = self.read();
        if let Some(schema) = known.exact(identity, &self.limits) {
            return Found::one(sure(schema));
        }
        let lower = known.lower(identity, &self.limits).map(lower);
        #[cfg(feature = "manifest")]
        if !identity.is_classic {
            return from_manifests(&known, query, identity, lower, &self.limits);
        }
        lower.map_or_else(Found::nothing, Found::one)
    }

    fn teaches(&self, event: &Event<'_>) -> bool {
        is_metadata(event)
    }

    fn learn(&self, event: &Event<'_>) -> bool {
        self.observe(event)
    }

    fn provider_name(&self, provider: Guid) -> Option<Name> {
        self.read().name(provider).cloned()
    }
}

/// What the manifests of the provider say, and `lower` behind it.
#[cfg(feature = "manifest")]
fn from_manifests(
    known: &Known,
    query: &Query<'_>,
    identity: Identity,
    lower: Option<Candidate>,
    limits: &Limits,
) -> Found {
    let described = known.manifests().of(identity.provider, query.event().process_id());
    let scope = if described.len() > 1 { Scope::Process } else { Scope::Identity };
    let mut candidates = alloc::vec::Vec::new();
    for described in &described {
        let provider = described.provider;
        let Some(Ok(schema)) = provider.schema(identity.id, identity.version, SchemaKind::Trace, limits)
        else {
            continue;
        };
        candidates.push(sure(schema));
        // Nobody knows better than the process itself.
        if described.is_own {
            break;
        }
    }
    if candidates.is_empty() {
        candidates.extend(lower);
        for described in &described {
            let provider = described.provider;
            let version = provider.lower_version(identity.id, identity.version);
            let schema =
                version.and_then(|version| provider.schema(identity.id, version, SchemaKind::Trace, limits));
            candidates.extend(schema.and_then(Result::ok).map(self::lower));
        }
    }
    Found::several(candidates).within(scope)
}

fn sure(schema: Schema) -> Candidate {
    Candidate::new(Arc::new(schema))
}

/// A schema of a lower version: it counts where it fits exactly.
fn lower(schema: Schema) -> Candidate {
    sure(schema).only_exact().with_certainty(Certainty::LowerVersion)
}

/// By what identifies an event alone, which for manifests is less than what makes them.
#[inline]
fn is_metadata(event: &Event<'_>) -> bool {
    if event.id() != 0 {
        return event.id() == MANIFEST_DATA_ID && matches!(event.record().header(), Header::Event(_));
    }
    matches!(event.opcode(), OPCODE_EVENT_INFO | OPCODE_MAP_INFO)
        && event.provider_id() == EVENT_METADATA
        && event.hook_id().is_none()
}

fn identity(query: &Query<'_>) -> Identity {
    let event = query.event();
    let is_classic = is_classic(event);
    Identity {
        provider: query.provider(),
        is_classic,
        id: if is_classic { event.opcode().into() } else { event.id() },
        version: event.version(),
    }
}

/// Whether the event is known by class and opcode instead of provider and id.
fn is_classic(event: &Event<'_>) -> bool {
    event.flags().contains(EventFlags::CLASSIC_HEADER)
}

/// The class of the events with which merging describes others.
///
/// Source: payload reference on manifests, "Event metadata".
const EVENT_METADATA: Guid =
    Guid::from_parts(0xBBCC_F6C1, 0x6CD1, 0x48C4, [0x80, 0xFF, 0x83, 0x94, 0x82, 0xE3, 0x76, 0x71]);
const OPCODE_EVENT_INFO: u8 = 32;
const OPCODE_MAP_INFO: u8 = 33;
