//! The decoder: from an event to its schema, by a chain of sources and what they answered before.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use crate::decode::builtin;
use crate::decode::cache::{Answer, Answers, Key};
use crate::decode::corrections::{Corrections, corrected};
use crate::decode::decoded::Decoded;
use crate::decode::described::Described;
use crate::decode::embedded::TraceSchemas;
use crate::decode::mof::KernelClasses;
use crate::decode::names::ProviderNames;
use crate::decode::schema::Schema;
use crate::decode::source::{Candidate, Certainty, Query, SchemaSource, Scope};
use crate::decode::traits::ProviderTraits;
use crate::decode::walk::Fields;
use crate::guid::Guid;
use crate::limits::Limits;
use crate::record::{ExtendedType, Header};
use crate::trace::{Event, EventFlags};

/// Finds the schema of each event.
///
/// A decoder asks its sources once for each identity and keeps the answers, the empty ones too. A repeated event costs one
/// look into a hash table and no allocation; the payload is not read before somebody asks for a property.
///
/// What TraceLogging events, string-only events and the manifests that EventSources write are called needs no source.
///
/// Memory: [`Limits::schemas`] answers and as many descriptions of TraceLogging events, these with at most
/// [`Limits::schema_cache_bytes`], and the names of as many providers. `Clone` copies what is kept and shares the sources:
/// give each thread its own.
#[derive(Clone)]
pub struct Decoder {
    sources: Vec<Arc<dyn SchemaSource>>,
    /// How often a source of this decoder or a clone has learned something.
    lessons: Arc<AtomicU64>,
    /// Up to where `answers` takes them into account.
    seen_lessons: u64,
    answers: Answers,
    /// The answer for an event that none is kept for.
    passing: Answer,
    described: Described,
    names: ProviderNames,
    string_only: Arc<Schema>,
    manifest_data: Arc<Schema>,
}

/// An event takes at most so many candidates, so that trying them stays cheap.
const MOST_CANDIDATES: usize = 16;
/// `Channel` of TraceLogging events.
const CHANNEL_TRACE_LOGGING: u8 = 11;
/// `Channel` of events whose payload begins with the traits of their provider.
const CHANNEL_PROVIDER_METADATA: u8 = 12;

/// What extended items say about the description.
#[derive(Clone, Copy, Default)]
struct Items<'a> {
    schema: Option<&'a [u8]>,
    traits: Option<&'a [u8]>,
    control: Option<Guid>,
}

impl<'a> Items<'a> {
    #[inline]
    fn of(event: &Event<'a>) -> Self {
        let mut items = Self::default();
        for item in event.extended_data() {
            match item.ext_type() {
                ExtendedType::EVENT_SCHEMA_TL => items.schema = items.schema.or(Some(item.data())),
                ExtendedType::PROV_TRAITS => items.traits = items.traits.or(Some(item.data())),
                ExtendedType::CONTROL_GUID => items.control = items.control.or_else(|| item.guid()),
                _ => {}
            }
        }
        items
    }
}

/// What is known of an event before its schema is.
struct Case<'a> {
    provider: Guid,
    items: Items<'a>,
    /// Where the values begin in the payload.
    start: usize,
}

impl<'a> Case<'a> {
    fn of(event: &Event<'a>) -> Self {
        Self { provider: event.provider_id(), items: Items::default(), start: 0 }
    }

    /// The GUID under which the provider's events are described, if it is another one.
    #[inline]
    fn decode_guid(&self) -> Option<Guid> {
        let guid = ProviderTraits::parse(self.items.traits?).ok()?.decode_guid()?;
        (guid != self.provider).then_some(guid)
    }
}

/// Where the schema of an event is kept.
#[derive(Clone, Copy)]
enum Place {
    Nowhere,
    StringOnly,
    Described(usize),
    Answer(usize),
    Passing,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// With all sources that the library has.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(&Limits::default())
    }

    /// The same within other limits.
    #[must_use]
    pub fn with_limits(limits: &Limits) -> Self {
        let sources: Vec<Arc<dyn SchemaSource>> =
            vec![Arc::new(TraceSchemas::new(limits)), Arc::new(KernelClasses), Arc::new(Corrections)];
        Self::with_sources(sources, limits)
    }

    /// With these sources only, in the order in which they are asked.
    #[must_use]
    pub fn with_sources(sources: Vec<Arc<dyn SchemaSource>>, limits: &Limits) -> Self {
        Self {
            sources,
            lessons: Arc::default(),
            seen_lessons: 0,
            answers: Answers::new(limits.schemas),
            passing: Answer::default(),
            described: Described::new(limits),
            names: ProviderNames::new(limits.schemas),
            string_only: Arc::new(builtin::string_only()),
            manifest_data: Arc::new(builtin::manifest_data()),
        }
    }

    /// Adds a source that is asked when all others know nothing.
    pub fn push_source(&mut self, source: Arc<dyn SchemaSource>) {
        self.sources.push(source);
        self.answers.clear();
    }

    /// The sources in the order in which they are asked.
    #[must_use]
    pub fn sources(&self) -> &[Arc<dyn SchemaSource>] {
        &self.sources
    }

    /// The first source of this type: what it has learned can be asked of it.
    ///
    /// ```
    /// use etweir::decode::{Decoder, TraceSchemas};
    ///
    /// let decoder = Decoder::new();
    /// let schemas: &TraceSchemas = decoder.source().expect("one of the default sources");
    /// assert_eq!(schemas.report().manifests, 0);
    /// ```
    #[must_use]
    pub fn source<T: SchemaSource>(&self) -> Option<&T> {
        self.sources.iter().find_map(|source| {
            let source: &dyn Any = &**source;
            source.downcast_ref()
        })
    }

    /// The name of a provider, as far as an event has told it.
    #[must_use]
    pub fn provider_name(&self, provider: Guid) -> Option<&str> {
        self.names.get(provider)
    }

    /// Names a provider, unless it has a name.
    pub fn name_provider(&mut self, provider: Guid, name: &str) {
        self.names.learn(provider, name);
    }

    /// Forgets every answer: a source that changed by other means than events is asked again.
    pub fn forget(&mut self) {
        self.lessons.fetch_add(1, Ordering::Release);
    }

    /// Shows an event to the sources that learn from it, and decodes nothing: the first of two passes.
    pub fn learn(&mut self, event: &Event<'_>) {
        if let Header::Event(header) = event.record().header()
            && !EventFlags(header.flags.get()).contains(EventFlags::TRACE_MESSAGE)
        {
            let mut case = Case::of(event);
            case.items = Items::of(event);
            self.learn_name(header.channel, event.user_data(), &mut case);
        }
        let teaches = |source: &&Arc<dyn SchemaSource>| source.teaches(event) && source.learn(event);
        // All of them see it: each may know something else about it.
        if self.sources.iter().filter(teaches).count() > 0 {
            self.lessons.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Finds the description of an event. Sources that learn from the event do so first.
    ///
    /// Source: payload reference, "Choosing the decoder".
    pub fn decode<'a>(&'a mut self, event: &Event<'a>) -> Decoded<'a> {
        let payload = event.user_data();
        let own_pointer_size = event.pointer_size();
        let (case, place) = self.place(event, payload);
        let answer = match place {
            Place::Answer(slot) => self.answers.get(slot),
            Place::Passing => Some(&self.passing),
            _ => None,
        };
        let candidate =
            answer.and_then(|answer| choose(&answer.candidates, payload, case.start, own_pointer_size));
        let (schema, damage) = match (place, candidate) {
            (_, Some(candidate)) => (Some(&*candidate.schema), None),
            (Place::Described(slot), _) => self.described.get(slot),
            (Place::StringOnly, _) => (Some(&*self.string_only), None),
            _ => (None, None),
        };
        Decoded {
            schema,
            payload,
            start: case.start,
            pointer_size: candidate.and_then(|candidate| candidate.pointer_size).unwrap_or(own_pointer_size),
            certainty: candidate.map_or(Certainty::Sure, |candidate| candidate.certainty),
            damage,
            provider: case.provider,
            traits: case.items.traits,
            names: &self.names,
        }
    }

    #[inline]
    fn place<'a>(&mut self, event: &Event<'a>, payload: &'a [u8]) -> (Case<'a>, Place) {
        let header = match event.record().header() {
            Header::Event(header) => header,
            Header::Message(_) | Header::Opaque => return (Case::of(event), Place::Nowhere),
            _ => return self.classic(event),
        };
        let flags = EventFlags(header.flags.get());
        if flags.contains(EventFlags::TRACE_MESSAGE) {
            return (Case::of(event), Place::Nowhere);
        }
        let items =
            if flags.contains(EventFlags::EXTENDED_INFO) { Items::of(event) } else { Items::default() };
        if flags.contains(EventFlags::STRING_ONLY) {
            return (Case { items, ..Case::of(event) }, Place::StringOnly);
        }
        if flags.contains(EventFlags::CLASSIC_HEADER) && items.schema.is_none() {
            return self.classic(event);
        }
        let mut case = Case { provider: Guid::from_bytes(header.provider_id), items, start: 0 };
        self.learn_name(header.channel, payload, &mut case);
        if let Some(metadata) = case.items.schema {
            let place = Place::Described(self.described.slot(metadata));
            return (case, place);
        }
        let key = Key::modern(case.provider, header.id.get(), header.version, case.decode_guid());
        let place = self.answer(event, key, &case);
        (case, place)
    }

    /// Takes the name of the provider from what the event carries.
    #[inline]
    fn learn_name<'a>(&mut self, channel: u8, payload: &'a [u8], case: &mut Case<'a>) {
        if let CHANNEL_TRACE_LOGGING | CHANNEL_PROVIDER_METADATA = channel {
            self.metadata_in_payload(payload, channel, case);
        }
        if let Some(traits) = case.items.traits
            && !self.names.knows(case.provider)
            && let Ok(traits) = ProviderTraits::parse(traits)
        {
            self.names.learn(case.provider, &traits.name());
        }
    }

    fn classic<'a>(&mut self, event: &Event<'a>) -> (Case<'a>, Place) {
        let case = Case::of(event);
        let place = self.answer(event, Key::classic(event, case.provider), &case);
        (case, place)
    }

    /// The kernel of Windows 8.1 and earlier knew no such items: providers put them in front of the values.
    fn metadata_in_payload<'a>(&mut self, payload: &'a [u8], channel: u8, case: &mut Case<'a>) {
        if channel == CHANNEL_PROVIDER_METADATA {
            if case.items.traits.is_none() {
                case.items.traits = ProviderTraits::at_start(payload);
                case.start = case.items.traits.map_or(0, <[u8]>::len);
            }
        } else if case.items.schema.is_none()
            && let Some((traits, schema)) = Described::in_payload(payload)
        {
            let slot = self.described.slot(schema);
            if self.described.get(slot).0.is_some() {
                case.items = Items { schema: Some(schema), traits: Some(traits), ..case.items };
                case.start = traits.len().saturating_add(schema.len());
            }
        }
    }

    /// Where the answer for an event of this identity is.
    fn answer(&mut self, event: &Event<'_>, key: Key, case: &Case<'_>) -> Place {
        self.catch_up();
        let slot = self.slot(event, key, case);
        match self.answers.get(slot) {
            Some(answer) if answer.scope == Scope::Identity && !answer.teaches => Place::Answer(slot),
            _ => self.answer_of_one(event, key, case, slot),
        }
    }

    /// Forgets the answers if a source has learned something since they were given.
    fn catch_up(&mut self) {
        let lessons = self.lessons.load(Ordering::Acquire);
        if lessons != self.seen_lessons {
            self.seen_lessons = lessons;
            self.answers.clear();
        }
    }

    /// Where the answer for the identity is kept, after it was asked for if need be.
    #[inline]
    fn slot(&mut self, event: &Event<'_>, key: Key, case: &Case<'_>) -> usize {
        match self.answers.slot(&key) {
            Some(slot) => slot,
            None => {
                let answer = self.ask(event, case);
                if !answer.names_provider() {
                    self.ask_for_name(event.provider_id());
                }
                self.answers.insert(key, answer)
            }
        }
    }

    /// The same for events that teach, and where an answer holds for less than the identity.
    #[cold]
    fn answer_of_one(&mut self, event: &Event<'_>, key: Key, case: &Case<'_>, mut slot: usize) -> Place {
        if self.answers.get(slot).is_some_and(|answer| answer.teaches) {
            // All of them see it: each may know something else about it.
            let learned = self.sources.iter().filter(|source| source.learn(event)).count();
            if learned > 0 {
                self.lessons.fetch_add(1, Ordering::AcqRel);
                self.catch_up();
                slot = self.slot(event, key, case);
            }
        }
        match self.answers.get(slot).map(|answer| answer.scope) {
            Some(Scope::Identity) => Place::Answer(slot),
            Some(Scope::Process) => {
                let key = key.of_process(event.process_id().unwrap_or_default());
                Place::Answer(self.slot(event, key, case))
            }
            Some(Scope::Event) => {
                self.passing = self.ask(event, case);
                Place::Passing
            }
            None => Place::Nowhere,
        }
    }

    #[cold]
    fn ask(&self, event: &Event<'_>, case: &Case<'_>) -> Answer {
        let teaches = self.sources.iter().any(|source| source.teaches(event));
        if builtin::is_manifest_data(event) {
            let candidates = vec![Candidate::new(Arc::clone(&self.manifest_data))];
            return Answer { candidates, scope: Scope::Identity, teaches };
        }
        let mut answer = Answer { teaches, ..Answer::default() };
        let query = Query::new(event);
        for provider in [Some(case.provider), case.decode_guid(), case.items.control].into_iter().flatten() {
            for source in &self.sources {
                let found = source.find(&query.under(provider));
                answer.scope = answer.scope.max(found.scope);
                let room = MOST_CANDIDATES.saturating_sub(answer.candidates.len());
                answer.candidates.extend(found.candidates.into_iter().take(room));
                if answer.candidates.iter().any(|candidate| !candidate.exact) {
                    return correct(answer, event);
                }
            }
        }
        correct(answer, event)
    }

    /// A provider may have a name although its event has none.
    fn ask_for_name(&mut self, provider: Guid) {
        if !self.names.knows(provider)
            && let Some(name) = self.sources.iter().find_map(|source| source.provider_name(provider))
        {
            self.names.learn(provider, &name);
        }
    }
}

/// What is known better than the description of an event, where it has one.
fn correct(mut answer: Answer, event: &Event<'_>) -> Answer {
    if !matches!(event.record().header(), Header::Event(_)) {
        return answer;
    }
    let told = answer.candidates.first().map(|candidate| &*candidate.schema);
    if told.is_some()
        && let Some(schema) = corrected(event.provider_id(), event.id(), told)
    {
        answer.candidates = vec![Candidate::new(Arc::new(schema))];
    }
    answer
}

/// The first candidate that fits exactly, else the first that need not.
#[inline]
fn choose<'a>(
    candidates: &'a [Candidate],
    payload: &[u8],
    start: usize,
    pointer_size: u8,
) -> Option<&'a Candidate> {
    match candidates {
        [] => None,
        [only] if !only.exact => Some(only),
        several => several
            .iter()
            .find(|candidate| {
                let pointer_size = candidate.pointer_size.unwrap_or(pointer_size);
                Fields::new(&candidate.schema, payload, start, pointer_size).fits()
            })
            .or_else(|| several.iter().find(|candidate| !candidate.exact)),
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}
