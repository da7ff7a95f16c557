//! A decoder asks its sources once, keeps what they answer, and chooses as the payload decides.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use etweir::buffer::BufferView;
use etweir::decode::{
    Candidate, Certainty, Decoded, Decoder, EventNames, Exactness, Found, InType, Property, Query, Schema,
    SchemaKind, SchemaSource, Scope, Value,
};
use etweir::record::ExtendedType;
use etweir::trace::{Event, SessionInfo, TraceBuffer};
use etweir::write::{
    BufferSpec, EventSpec, FullSpec, ItemSpec, MessageSpec, PerfSpec, RecordSpec, SystemSpec, Width,
};
use etweir::{Guid, Limits};

const PROVIDER: Guid = Guid::from_bytes([1; 16]);
const OTHER: Guid = Guid::from_bytes([2; 16]);

fn with<T>(record: impl Into<RecordSpec>, look: impl FnOnce(&Event<'_>) -> T) -> T {
    let bytes = BufferSpec::new(65_536).record(&record.into()).to_bytes();
    let buffer = TraceBuffer::new(BufferView::parse(&bytes).expect("a good buffer"), SessionInfo::unknown());
    let event = buffer.events().next().expect("one event").expect("no damage");
    look(&event)
}

fn decode<T>(
    decoder: &mut Decoder,
    record: impl Into<RecordSpec>,
    look: impl FnOnce(&Decoded<'_>) -> T,
) -> T {
    with(record, |event| look(&decoder.decode(event)))
}

/// The event's name, if it is known.
fn name(decoder: &mut Decoder, record: impl Into<RecordSpec>) -> Option<String> {
    decode(decoder, record, |decoded| decoded.names().event.as_deref().map(str::to_owned))
}

fn event(id: u16) -> EventSpec {
    EventSpec { provider_id: PROVIDER, id, payload: vec![7, 0, 0, 0], ..EventSpec::default() }
}

fn schema(name: &str, types: &[InType]) -> Arc<Schema> {
    let properties: Vec<Property> = types
        .iter()
        .enumerate()
        .map(|(index, &in_type)| Property::new(format!("p{index}"), in_type))
        .collect();
    let mut names = EventNames::default();
    names.event = Some(name.to_owned().into());
    let top_level = properties.len() as u16;
    Arc::new(Schema::new(SchemaKind::Manifest, names, properties, top_level).expect("valid"))
}

/// Answers by a closure and counts how often.
struct Source<F> {
    find: F,
    asked: AtomicUsize,
}

impl<F: Fn(&Query<'_>) -> Found + Send + Sync> Source<F> {
    fn new(find: F) -> Arc<Self> {
        Arc::new(Self { find, asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl<F: Fn(&Query<'_>) -> Found + Send + Sync + 'static> SchemaSource for Source<F> {
    fn find(&self, query: &Query<'_>) -> Found {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.find)(query)
    }
}

fn decoder(sources: Vec<Arc<dyn SchemaSource>>) -> Decoder {
    Decoder::with_sources(sources, &Limits::default())
}

/// Knows all events but those with id 0.
fn all(query: &Query<'_>) -> Found {
    match query.event().id() {
        0 => Found::nothing(),
        id => Found::one(schema(&format!("event {id}"), &[InType::UInt32])),
    }
}

#[test]
fn a_source_is_asked_once_for_each_identity_also_where_it_knows_nothing() {
    let source = Source::new(all);
    let mut decoder = decoder(vec![source.clone()]);
    for _ in 0..3 {
        assert_eq!(name(&mut decoder, event(1)).as_deref(), Some("event 1"));
        assert_eq!(name(&mut decoder, event(2)).as_deref(), Some("event 2"));
        assert_eq!(name(&mut decoder, event(0)), None);
    }
    assert_eq!(source.asked(), 3);
    // Provider, id and version are the identity; process, level, payload and the rest are not.
    name(
        &mut decoder,
        EventSpec { process_id: 9, level: 3, opcode: 4, task: 5, payload: vec![], ..event(1) },
    );
    assert_eq!(source.asked(), 3);
    name(&mut decoder, EventSpec { version: 1, ..event(1) });
    name(&mut decoder, EventSpec { provider_id: OTHER, ..event(1) });
    assert_eq!(source.asked(), 5);
}

#[test]
fn the_identity_of_a_classic_event_has_its_form_opcode_version_and_size_of_pointers() {
    let source = Source::new(|_: &Query<'_>| Found::one(schema("it", &[])));
    let mut decoder = decoder(vec![source.clone()]);
    let full = FullSpec { guid: PROVIDER, opcode: 1, version: 2, ..FullSpec::default() };
    let perf = PerfSpec { hook_id: 0x0F2E, version: 2, ..PerfSpec::default() };
    for round in 0..2 {
        let mut expected = 0;
        let mut ask = |record: RecordSpec| {
            assert_eq!(name(&mut decoder, record).as_deref(), Some("it"));
            expected += 1;
            assert_eq!(source.asked(), if round == 0 { expected } else { 7 });
        };
        ask(full.clone().into());
        ask(FullSpec { opcode: 3, ..full.clone() }.into());
        ask(FullSpec { version: 3, ..full.clone() }.into());
        ask(FullSpec { width: Width::Bits32, ..full.clone() }.into());
        ask(perf.clone().into());
        ask(PerfSpec { hook_id: 0x0F2F, ..perf.clone() }.into());
        ask(PerfSpec { version: 3, ..perf.clone() }.into());
    }
    // A SYSTEM record with the hook of a PERFINFO one has its payload too.
    name(&mut decoder, SystemSpec { hook_id: 0x0F2E, version: 2, ..SystemSpec::default() });
    assert_eq!(source.asked(), 7);
}

#[test]
fn sources_are_asked_in_their_order_until_one_knows() {
    let first = Source::new(|query: &Query<'_>| match query.event().id() {
        1 => Found::one(schema("first", &[])),
        _ => Found::nothing(),
    });
    let second = Source::new(|_: &Query<'_>| Found::one(schema("second", &[])));
    let mut decoder = decoder(vec![first.clone()]);
    assert_eq!(name(&mut decoder, event(2)), None);
    // What was not known is asked for again when a source is added.
    decoder.push_source(second.clone());
    assert_eq!(decoder.sources().len(), 2);
    assert_eq!(name(&mut decoder, event(1)).as_deref(), Some("first"));
    assert_eq!(second.asked(), 0);
    assert_eq!(name(&mut decoder, event(2)).as_deref(), Some("second"));
}

#[test]
fn the_candidate_that_fits_the_payload_exactly_is_taken() {
    let candidates = || {
        let short = Candidate::new(schema("short", &[InType::UInt32])).only_exact();
        let long = Candidate::new(schema("long", &[InType::UInt64])).with_certainty(Certainty::Guess);
        let text = Candidate::new(schema("text", &[InType::UInt64, InType::UInt8])).only_exact();
        Found::several(vec![short, long, text])
    };
    let mut decoder = decoder(vec![Source::new(move |_: &Query<'_>| candidates())]);
    for (len, expected, certainty) in [
        (4, "short", Certainty::Sure),
        (8, "long", Certainty::Guess),
        (9, "text", Certainty::Sure),
        // None fits: the first that need not.
        (5, "long", Certainty::Guess),
        (10, "long", Certainty::Guess),
    ] {
        let event = EventSpec { payload: vec![1; len], ..event(1) };
        decode(&mut decoder, event, |decoded| {
            assert_eq!(decoded.names().event.as_deref(), Some(expected), "{len} bytes");
            assert_eq!(decoded.certainty(), certainty);
        });
    }
}

#[test]
fn candidates_that_have_to_fit_leave_the_others_to_the_next_source() {
    let first = Source::new(|_: &Query<'_>| {
        Found::one(Candidate::new(schema("corrected", &[InType::UInt64])).only_exact())
    });
    let second = Source::new(all);
    let mut decoder = decoder(vec![first, second]);
    assert_eq!(
        name(&mut decoder, EventSpec { payload: vec![0; 8], ..event(1) }).as_deref(),
        Some("corrected")
    );
    assert_eq!(name(&mut decoder, event(1)).as_deref(), Some("event 1"));
    assert_eq!(name(&mut decoder, event(0)), None);
}

#[test]
fn a_candidate_may_say_the_size_of_pointers() {
    let pointer = || schema("pointer", &[InType::Pointer]);
    let found = move |_: &Query<'_>| {
        Found::several(vec![
            Candidate::new(pointer()),
            Candidate::new(pointer()).only_exact().with_pointer_size(4),
        ])
    };
    let mut decoder = decoder(vec![Source::new(found)]);
    decode(&mut decoder, event(1), |decoded| {
        assert_eq!((decoded.pointer_size(), decoded.get("p0")), (4, Some(Value::Pointer(7))));
    });
    decode(&mut decoder, EventSpec { payload: vec![7, 0, 0, 0, 0, 0, 0, 0], ..event(1) }, |decoded| {
        assert_eq!((decoded.pointer_size(), decoded.get("p0")), (8, Some(Value::Pointer(7))));
    });
    decode(&mut decoder, EventSpec { payload: vec![7], ..event(1) }, |decoded| {
        assert_eq!((decoded.pointer_size(), decoded.get("p0")), (8, None));
    });
}

/// Learns from events with id 100 that the event of the id in their payload is known.
#[derive(Default)]
struct Pupil(Mutex<Vec<u32>>);

impl SchemaSource for Pupil {
    fn find(&self, query: &Query<'_>) -> Found {
        let known = self.0.lock().expect("no panic").contains(&query.event().id().into());
        if known { all(query) } else { Found::nothing() }
    }

    fn teaches(&self, event: &Event<'_>) -> bool {
        event.id() == 100
    }

    fn learn(&self, event: &Event<'_>) -> bool {
        let mut known = self.0.lock().expect("no panic");
        let id = event.user_data().first().copied().unwrap_or_default().into();
        let is_new = !known.contains(&id);
        known.push(id);
        is_new
    }
}

#[test]
fn what_a_source_learns_holds_from_then_on_for_all_clones() {
    let teach = |id: u8| EventSpec { payload: vec![id], ..event(100) };
    let mut decoder = decoder(vec![Arc::new(Pupil::default())]);
    let mut clone = decoder.clone();
    assert_eq!(name(&mut decoder, event(1)), None);
    assert_eq!(name(&mut clone, event(1)), None);
    assert_eq!(name(&mut decoder, teach(1)), None);
    assert_eq!(name(&mut decoder, event(1)).as_deref(), Some("event 1"));
    assert_eq!(name(&mut clone, event(1)).as_deref(), Some("event 1"));
    // An event that teaches about its own kind is decoded itself.
    assert_eq!(name(&mut clone, teach(100)).as_deref(), Some("event 100"));
    assert_eq!(name(&mut decoder, event(100)).as_deref(), Some("event 100"));
    with(teach(2), |event| decoder.learn(event));
    assert_eq!(name(&mut clone, event(2)).as_deref(), Some("event 2"));
}

#[test]
fn an_answer_may_hold_for_one_process_or_one_event() {
    let counter = Arc::new(AtomicU16::new(0));
    for (scope, expected) in [
        (Scope::Identity, ["1", "1", "1", "1"]),
        // The first question tells what the answer holds for; each process then has its own.
        (Scope::Process, ["2", "2", "3", "2"]),
    ] {
        counter.store(0, Ordering::Relaxed);
        let counter = Arc::clone(&counter);
        let source = Source::new(move |_: &Query<'_>| {
            let number = counter.fetch_add(1, Ordering::Relaxed) + 1;
            Found::one(schema(&number.to_string(), &[])).within(scope)
        });
        let mut decoder = decoder(vec![source]);
        for (process_id, expected) in [7, 7, 8, 7].into_iter().zip(expected) {
            let found = name(&mut decoder, EventSpec { process_id, ..event(1) });
            assert_eq!(found.as_deref(), Some(expected), "{scope:?}");
        }
    }
    let source = Source::new(|query: &Query<'_>| {
        let name = format!("level {}", query.event().level());
        Found::one(schema(&name, &[])).within(Scope::Event)
    });
    let mut decoder = decoder(vec![source]);
    for level in [1, 2, 1] {
        let found = name(&mut decoder, EventSpec { level, ..event(1) });
        assert_eq!(found, Some(format!("level {level}")));
    }
}

#[test]
fn a_provider_is_looked_up_under_its_own_guid_then_its_decode_guid_then_its_control_guid() {
    let find = |query: &Query<'_>| {
        let id = query.event().id();
        let known = match query.provider() {
            PROVIDER => id == 1,
            OTHER => id <= 2,
            _ => id <= 3,
        };
        if known { Found::one(schema(&query.provider().to_string()[..2], &[])) } else { Found::nothing() }
    };
    let mut decoder = decoder(vec![Source::new(find)]);
    let mut traits = ItemSpec::provider_traits("p", None);
    // A chunk of type 2 with the decode GUID.
    traits.data.extend([19, 0, 2]);
    traits.data.extend(OTHER.to_bytes());
    traits.data[0] += 19;
    let control = ItemSpec::new(ExtendedType::CONTROL_GUID, [3; 16]);
    let items = vec![traits, control];
    for (id, expected) in [(1, Some("01")), (2, Some("02")), (3, Some("03")), (4, None)] {
        let found = name(&mut decoder, EventSpec { items: items.clone(), ..event(id) });
        assert_eq!(found.as_deref(), expected, "{id}");
        // Without the items it is another provider.
        assert_eq!(name(&mut decoder, event(id)).as_deref(), expected.filter(|_| id == 1), "{id}");
    }
}

#[test]
fn a_full_cache_is_forgotten_and_filled_again() {
    let source = Source::new(all);
    let mut limits = Limits::default();
    limits.schemas = 10;
    let mut decoder = Decoder::with_sources(vec![source.clone()], &limits);
    for id in 1..=25 {
        assert_eq!(name(&mut decoder, event(id)), Some(format!("event {id}")));
    }
    assert_eq!(source.asked(), 25);
    assert_eq!(name(&mut decoder, event(25)).as_deref(), Some("event 25"));
    assert_eq!(source.asked(), 25);
    assert_eq!(name(&mut decoder, event(1)).as_deref(), Some("event 1"));
    assert_eq!(source.asked(), 26);
    // Descriptions of TraceLogging events are kept within the same number, and within their memory.
    for (schemas, schema_cache_bytes) in [(10, usize::MAX), (4096, 2000)] {
        let mut limits = Limits::default();
        (limits.schemas, limits.schema_cache_bytes) = (schemas, schema_cache_bytes);
        let mut decoder = Decoder::with_sources(vec![], &limits);
        for _ in 0..2 {
            for number in 0..50 {
                let items = vec![ItemSpec::schema_tl(&number.to_string(), &[("a", &[0x08])])];
                decode(&mut decoder, EventSpec { items, ..event(0) }, |decoded| {
                    assert_eq!(decoded.names().event, Some(number.to_string().into()));
                    assert_eq!(decoded.get_u32("a"), Some(7));
                });
            }
        }
    }
}

#[test]
fn what_changed_behind_a_source_is_asked_for_after_forget() {
    let known = Arc::new(Mutex::new(false));
    let seen = Arc::clone(&known);
    let source = Source::new(
        move |query: &Query<'_>| if *seen.lock().expect("no panic") { all(query) } else { Found::nothing() },
    );
    let mut decoder = decoder(vec![source]);
    let mut clone = decoder.clone();
    assert_eq!((name(&mut decoder, event(1)), name(&mut clone, event(1))), (None, None));
    *known.lock().expect("no panic") = true;
    assert_eq!(name(&mut decoder, event(1)), None);
    clone.forget();
    assert_eq!(name(&mut decoder, event(1)).as_deref(), Some("event 1"));
    assert_eq!(name(&mut clone, event(1)).as_deref(), Some("event 1"));
}

#[test]
fn a_decoder_goes_to_another_thread_and_what_it_decodes_too() {
    fn send<T: Send + Sync>(value: T) -> T {
        value
    }
    let mut decoder = send(decoder(vec![Source::new(all)]));
    let found = decode(&mut decoder, event(1), |decoded| {
        std::thread::scope(|scope| scope.spawn(|| send(*decoded).get_u64("p0")).join().expect("no panic"))
    });
    assert_eq!(found, Some(7));
}

#[test]
fn a_string_only_event_is_a_text() {
    let payload: Vec<u8> = "hello".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let event = EventSpec { flags: 0x0004, payload, ..event(0) };
    let source = Source::new(all);
    decode(&mut decoder(vec![source.clone()]), event, |decoded| {
        assert_eq!(decoded.outcome().exactness, Exactness::Wholly);
        assert_eq!(format!("{:?}", decoded.get("Message")), r#"Some(Str(Utf16("hello")))"#);
    });
    assert_eq!(source.asked(), 0);
}

#[test]
fn a_piece_of_a_manifest_has_its_own_shape() {
    let event = EventSpec {
        provider_id: PROVIDER,
        id: 0xFFFE,
        opcode: 0xFE,
        task: 0xFFFE,
        payload: b"\x01\x02\x03\x5B\x04\0\x01\0<xml".to_vec(),
        ..EventSpec::default()
    };
    decode(&mut decoder(vec![]), event, |decoded| {
        assert_eq!(decoded.names().event.as_deref(), Some("ManifestData"));
        assert_eq!(decoded.kind(), Some(SchemaKind::Trace));
        assert_eq!((decoded.get_u32("Magic"), decoded.get_u32("TotalChunks")), (Some(0x5B), Some(4)));
        assert_eq!(decoded.get_u32("ChunkNumber"), Some(1));
        assert_eq!(decoded.outcome().exactness, Exactness::Wholly);
    });
}

#[test]
fn messages_and_events_without_a_description_are_not_decoded() {
    let source = Source::new(all);
    let mut decoder = decoder(vec![source.clone()]);
    decode(&mut decoder, MessageSpec::default(), |decoded| assert!(decoded.schema().is_none()));
    let message = EventSpec { flags: 0x0008, ..event(1) };
    decode(&mut decoder, message, |decoded| {
        assert!(decoded.schema().is_none());
        assert_eq!((decoded.kind(), decoded.get("p0"), decoded.fields().count()), (None, None, 0));
        assert_eq!(decoded.fields().rest(), [7, 0, 0, 0]);
        assert_eq!(
            (decoded.outcome().exactness, decoded.outcome().rest),
            (Exactness::Not, &[7, 0, 0, 0][..])
        );
    });
    assert_eq!(source.asked(), 0);
}

#[test]
fn an_event_header_that_is_marked_as_classic_is_looked_up_as_a_class() {
    let source = Source::new(|_: &Query<'_>| Found::one(schema("class", &[])));
    let mut decoder = decoder(vec![source.clone()]);
    for opcode in [1, 2, 1] {
        name(&mut decoder, EventSpec { flags: 0x0100, opcode, ..event(0) });
    }
    assert_eq!(source.asked(), 2);
}

#[test]
fn traits_in_front_of_a_payload_on_channel_12_are_no_values() {
    let mut decoder = decoder(vec![Source::new(all)]);
    let payload = b"\x07\0name\0\x05\0\0\0".to_vec();
    let with_traits = EventSpec { channel: 12, payload, ..event(1) };
    decode(&mut decoder, with_traits.clone(), |decoded| {
        assert_eq!(decoded.provider_name().as_deref(), Some("name"));
        assert_eq!((decoded.get_u32("p0"), decoded.outcome().exactness), (Some(5), Exactness::Wholly));
    });
    decode(&mut decoder, EventSpec { channel: 10, ..with_traits }, |decoded| {
        assert_eq!(decoded.outcome().exactness, Exactness::Partly);
    });
}

#[test]
fn a_property_is_found_by_its_name_wherever_it_lies() {
    let types = [
        InType::UInt32,
        InType::Pointer,
        InType::UnicodeString,
        InType::UInt16,
        InType::AnsiString,
        InType::UInt8,
    ];
    let mut decoder = decoder(vec![Source::new(move |_: &Query<'_>| Found::one(schema("e", &types)))]);
    let payload = [&[1, 0, 0, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0], b"a\0\0\0", &[3, 0], b"b\0", &[4]].concat();
    let event = EventSpec { payload: payload.clone(), ..event(1) };
    decode(&mut decoder, event.clone(), |decoded| {
        let numbers: Vec<Option<u64>> =
            ["p0", "p1", "p3", "p5", "p2", "p6"].map(|name| decoded.get_u64(name)).to_vec();
        assert_eq!(numbers, [Some(1), Some(2), Some(3), Some(4), None, None]);
        let field = decoded.field("p4").expect("a field");
        assert_eq!(
            (field.property.in_type, format!("{:?}", field.value)),
            (InType::AnsiString, "Str(Ansi([98]))".into())
        );
    });
    // What the payload is too short for is not there.
    decode(&mut decoder, EventSpec { payload: payload[..15].to_vec(), ..event }, |decoded| {
        assert_eq!(
            (decoded.get_u64("p1"), decoded.get_u64("p3"), decoded.get_u64("p5")),
            (Some(2), None, None)
        );
    });
}

#[test]
fn a_provider_can_be_given_a_name() {
    let mut decoder = decoder(vec![]);
    decoder.name_provider(PROVIDER, "Mine");
    decoder.name_provider(PROVIDER, "Other");
    assert_eq!(decoder.provider_name(PROVIDER), Some("Mine"));
    assert_eq!(decoder.provider_name(OTHER), None);
    decode(&mut decoder, event(1), |decoded| {
        assert_eq!(decoded.provider_name().as_deref(), Some("Mine"));
        assert_eq!(decoded.traits(), None);
    });
}

#[test]
fn an_aligned_property_that_is_absent_moves_nothing() {
    // A number, an optional pointer that does not fit, and a text that is not optional.
    let find = |_: &Query<'_>| {
        let mut pointer = Property::new("p", InType::Pointer);
        (pointer.optional, pointer.align) = (true, 0);
        let properties =
            vec![Property::new("n", InType::UInt8), pointer, Property::new("t", InType::AnsiString)];
        let schema = Schema::new(SchemaKind::Manifest, EventNames::default(), properties, 3).expect("valid");
        Found::one(Arc::new(schema))
    };
    let mut decoder = decoder(vec![Source::new(find)]);
    decode(&mut decoder, EventSpec { payload: b"\x01abcdefgh\0".to_vec(), ..event(1) }, |decoded| {
        let walked = decoded.fields().flatten().last().expect("the text").value;
        assert_eq!(format!("{walked:?}"), format!("Str(Ansi({:?}))", b"abcdefgh"));
        assert_eq!(decoded.get("t"), Some(walked));
    });
}
