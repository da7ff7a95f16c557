//! Metadata inside a trace describes the events around it, within limits, and says what it was worth.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod metadata;

use std::sync::Arc;

use etweir::buffer::BufferView;
use etweir::decode::{Certainty, Decoder, Exactness, MetadataReport, TraceSchemas};
use etweir::record::ExtendedType;
use etweir::trace::{SessionInfo, TraceBuffer};
use etweir::write::{BufferSpec, EventSpec, FullSpec, ItemSpec};
use etweir::{Guid, Limits};
use metadata::{
    EVENT_METADATA, EVENT_NAME, Info, OPCODE_NAME, PROVIDER_NAME, Property, TASK_NAME, chunk, manifest, map,
    scalar,
};

const SHOP: Guid = Guid::from_parts(0x11, 0x22, 0x33, [1, 2, 3, 4, 5, 6, 7, 8]);
const OTHER: Guid = Guid::from_parts(0x99, 0x22, 0x33, [1, 2, 3, 4, 5, 6, 7, 8]);

/// A decoder that knows a trace only, and what it learned.
struct Reader {
    schemas: Arc<TraceSchemas>,
    decoder: Decoder,
}

impl Reader {
    fn new() -> Self {
        Self::with_limits(&Limits::default())
    }

    fn with_limits(limits: &Limits) -> Self {
        let schemas = Arc::new(TraceSchemas::new(limits));
        let decoder = Decoder::with_sources(vec![schemas.clone()], limits);
        Self { schemas, decoder }
    }

    /// Shows one record and gives what is known of it: provider, task, fields, what is left, and how sure that is.
    fn read(&mut self, buffer: BufferSpec) -> String {
        let bytes = buffer.to_bytes();
        let view = BufferView::parse(&bytes).expect("a good buffer");
        let buffer = TraceBuffer::new(view, SessionInfo::unknown());
        let event = buffer.events().next().expect("one event").expect("no damage");
        let decoded = self.decoder.decode(&event);
        let provider = decoded.provider_name().unwrap_or("?".into()).into_owned();
        if decoded.schema().is_none() {
            return format!("{provider}: unknown");
        }
        let mut text = format!("{provider}/{}:", decoded.names().task.as_deref().unwrap_or("?"));
        for field in decoded.fields().flatten() {
            text += &format!(" {}={:?}", field.property.name, field.value);
        }
        let outcome = decoded.outcome();
        if outcome.exactness != Exactness::Wholly {
            text += &format!(" and {} bytes", outcome.rest.len());
        }
        if decoded.certainty() != Certainty::Sure {
            text += &format!(" ({:?})", decoded.certainty());
        }
        text
    }

    fn event(&mut self, spec: &EventSpec) -> String {
        self.read(BufferSpec::new(0x20_000).event(spec))
    }

    /// An event of the shop with these bytes.
    fn sale(&mut self, version: u8, payload: &[u8]) -> String {
        self.event(&event(version, payload))
    }

    fn classic(&mut self, guid: Guid, opcode: u8, version: u16, payload: &[u8]) -> String {
        let spec = FullSpec { guid, opcode, version, payload: payload.to_vec(), ..FullSpec::default() };
        self.read(BufferSpec::new(0x20_000).full(&spec))
    }

    fn learn_info(&mut self, info: &Info) {
        self.classic(EVENT_METADATA, 32, 0, &info.to_bytes());
    }

    fn learn_map(&mut self, payload: &[u8]) {
        self.classic(EVENT_METADATA, 33, 0, payload);
    }

    fn learn_chunk(&mut self, process_id: u32, payload: &[u8]) {
        self.event(&EventSpec {
            provider_id: SHOP,
            id: 0xFFFE,
            version: 1,
            opcode: 0xFE,
            task: 0xFFFE,
            process_id,
            payload: payload.to_vec(),
            ..EventSpec::default()
        });
    }

    fn report(&self) -> MetadataReport {
        self.schemas.report()
    }
}

fn event(version: u8, payload: &[u8]) -> EventSpec {
    EventSpec {
        provider_id: SHOP,
        id: 1,
        version,
        process_id: 7,
        payload: payload.to_vec(),
        ..EventSpec::default()
    }
}

/// Event 1 of the shop has a price of 16 bits.
fn info() -> Info {
    Info {
        provider: SHOP,
        id: 1,
        texts: vec![(PROVIDER_NAME, "Shop"), (TASK_NAME, "Sale ")],
        properties: vec![scalar("price", 6, 2)],
        ..Info::default()
    }
}

#[test]
fn an_event_is_described_from_where_its_description_is_seen() {
    let mut reader = Reader::new();
    assert_eq!(reader.sale(0, &[5, 0]), "?: unknown");
    reader.learn_info(&info());
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
    assert_eq!(reader.sale(0, &[5, 0, 9]), "Shop/Sale: price=UInt(5) and 1 bytes");
    assert_eq!(reader.sale(0, &[5]), "Shop/Sale: and 1 bytes");
    assert_eq!(reader.report().event_infos, 1);
}

#[test]
fn an_event_of_a_described_provider_has_its_name_although_it_is_not_described() {
    let mut reader = Reader::new();
    reader.learn_info(&info());
    assert_eq!(reader.event(&EventSpec { id: 2, ..event(0, &[]) }), "Shop: unknown");
    assert_eq!(reader.event(&EventSpec { provider_id: OTHER, ..event(0, &[]) }), "?: unknown");
}

#[test]
fn a_lower_version_counts_where_it_fits_exactly_and_is_told() {
    let mut reader = Reader::new();
    reader.learn_info(&info());
    let mut newer = info();
    newer.version = 3;
    newer.properties.push(scalar("amount", 4, 1));
    reader.learn_info(&newer);
    assert_eq!(reader.sale(2, &[5, 0]), "Shop/Sale: price=UInt(5) (LowerVersion)");
    assert_eq!(reader.sale(2, &[5, 0, 1]), "Shop: unknown");
    assert_eq!(reader.sale(9, &[5, 0, 1]), "Shop/Sale: price=UInt(5) amount=UInt(1) (LowerVersion)");
    // The highest lower version alone counts.
    assert_eq!(reader.sale(9, &[5, 0]), "Shop: unknown");
    assert_eq!(reader.sale(3, &[5, 0, 1]), "Shop/Sale: price=UInt(5) amount=UInt(1)");
}

#[test]
fn a_map_may_come_before_or_behind_the_description_that_names_it() {
    let goods = map(SHOP, "Goods", 1, &[(1, "bread "), (2, "milk ")]);
    let mut mapped = info();
    mapped.properties = vec![Property { map: Some("Goods"), ..scalar("goods", 4, 1) }];
    for map_first in [true, false] {
        let mut reader = Reader::new();
        if map_first {
            reader.learn_map(&goods);
        }
        reader.learn_info(&mapped);
        if !map_first {
            assert_eq!(reader.sale(0, &[2]), "Shop/Sale: goods=UInt(2)");
            reader.learn_map(&goods);
        }
        let bytes = BufferSpec::new(4096).event(&event(0, &[2])).to_bytes();
        let view = BufferView::parse(&bytes).expect("a good buffer");
        let buffer = TraceBuffer::new(view, SessionInfo::unknown());
        let event = buffer.events().next().expect("one event").expect("no damage");
        let decoded = reader.decoder.decode(&event);
        let map = decoded.field("goods").expect("a field").property.map.as_ref().expect("a map");
        assert_eq!(map.entries(), [(1, "bread".into()), (2, "milk".into())]);
    }
}

#[test]
fn a_map_of_another_provider_is_not_meant() {
    let mut reader = Reader::new();
    reader.learn_map(&map(OTHER, "Goods", 1, &[(1, "bread ")]));
    let mut mapped = info();
    mapped.properties = vec![Property { map: Some("Goods"), ..scalar("goods", 4, 1) }];
    reader.learn_info(&mapped);
    let bytes = BufferSpec::new(4096).event(&event(0, &[2])).to_bytes();
    let view = BufferView::parse(&bytes).expect("a good buffer");
    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    let event = buffer.events().next().expect("one event").expect("no damage");
    assert!(reader.decoder.decode(&event).field("goods").expect("a field").property.map.is_none());
}

#[test]
fn a_description_under_a_decode_guid_is_found_by_what_the_event_says_of_it() {
    let mut reader = Reader::new();
    reader.learn_info(&Info { provider: OTHER, ..info() });
    // The provider's traits name the GUID: type 2, 19 bytes.
    let mut traits = [&[0, 0][..], b"Shop\0", &[19, 0, 2], &OTHER.to_bytes()].concat();
    traits[0] = u8::try_from(traits.len()).expect("short");
    let by_traits =
        EventSpec { items: vec![ItemSpec::new(ExtendedType::PROV_TRAITS, traits)], ..event(0, &[5, 0]) };
    assert_eq!(reader.event(&by_traits), "Shop/Sale: price=UInt(5)");
    let control = ItemSpec::new(ExtendedType::CONTROL_GUID, OTHER.to_bytes());
    let by_item = EventSpec { version: 0, items: vec![control], id: 1, ..event(0, &[6, 0]) };
    assert_eq!(Reader::new().event(&by_item), "?: unknown");
    let mut reader = Reader::new();
    reader.learn_info(&Info { provider: OTHER, ..info() });
    assert_eq!(reader.event(&by_item), "Shop/Sale: price=UInt(6)");
}

#[test]
fn a_description_that_names_the_control_guid_is_found_under_it() {
    let mut reader = Reader::new();
    reader.learn_info(&Info { provider: OTHER, event_guid: SHOP, flags: 4, ..info() });
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
    let under_other = EventSpec { provider_id: OTHER, ..event(0, &[5, 0]) };
    assert_eq!(reader.event(&under_other), "Shop/Sale: price=UInt(5)");
    assert_eq!(reader.report().event_infos, 1);
}

#[test]
fn a_mof_class_describes_classic_events_by_type_and_version() {
    let mut reader = Reader::new();
    let class = Info {
        provider: OTHER,
        event_guid: SHOP,
        opcode: 10,
        version: 2,
        source: 1,
        texts: vec![
            (PROVIDER_NAME, "Till"),
            (TASK_NAME, "Sale"),
            (OPCODE_NAME, "Read"),
            (EVENT_NAME, "Activity"),
        ],
        properties: vec![scalar("name", 304, 0)],
        ..Info::default()
    };
    reader.learn_info(&class);
    assert_eq!(reader.classic(SHOP, 10, 2, b"a\0b\0"), "Till/Sale: name=Str(Utf16(\"ab\"))");
    assert_eq!(reader.classic(SHOP, 11, 2, b"a\0b\0"), "Till: unknown");
    // An event with an id is another.
    assert_eq!(reader.event(&EventSpec { id: 10, version: 2, ..event(0, &[]) }), "Till: unknown");
}

#[test]
fn a_description_by_trace_logging_counts_if_it_has_an_id() {
    let mut reader = Reader::new();
    reader.learn_info(&Info { source: 3, ..info() });
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/?: price=UInt(5)");
    reader.learn_info(&Info { source: 3, id: 0, ..info() });
    reader.learn_info(&Info { source: 2, id: 4, ..info() });
    assert_eq!(reader.report().unsupported, 2);
    assert_eq!(reader.event(&EventSpec { id: 0, ..event(0, &[5, 0]) }), "Shop: unknown");
}

#[test]
fn what_is_said_again_is_counted_and_what_contradicts_is_not_used() {
    let mut reader = Reader::new();
    reader.learn_info(&info());
    reader.learn_info(&info());
    reader.learn_info(&Info { properties: vec![scalar("price", 8, 4)], ..info() });
    reader.learn_map(&map(SHOP, "Goods", 1, &[(1, "bread ")]));
    reader.learn_map(&map(SHOP, "Goods", 1, &[(1, "bread ")]));
    reader.learn_map(&map(SHOP, "Goods", 1, &[(1, "milk ")]));
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
    let report = reader.report();
    assert_eq!((report.event_infos, report.maps, report.repeated, report.contradicting), (1, 1, 2, 2));
}

#[test]
fn broken_metadata_cost_themselves_and_say_where() {
    let mut reader = Reader::new();
    reader.classic(EVENT_METADATA, 32, 0, &[0; 111]);
    reader.learn_info(&Info { top_level: Some(2), ..info() });
    reader.learn_map(&[0; 20]);
    reader.learn_map(&[0; 3]);
    // A structure with itself as its member.
    let structure =
        Property { flags: 1, name: "s", in_type: 0, out_type: 1, count: 1, ..Property::default() };
    reader.learn_info(&Info { properties: vec![structure], ..info() });
    reader.learn_chunk(7, &[1, 1, 0, 0x5A, 1, 0, 0, 0]);
    reader.learn_chunk(7, &chunk(1, 0, b"<a>\n<b>"));
    reader.learn_info(&info());
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
    let report = reader.report();
    let problems: Vec<String> = report
        .problems
        .iter()
        .map(|problem| {
            format!("{}: {}", problem.provider, core::error::Error::source(&problem.kind).expect("why"))
        })
        .collect();
    let (class, shop) = (EVENT_METADATA, SHOP);
    let none = Guid::ZERO;
    assert_eq!(
        problems,
        [
            format!("{class}: TRACE_EVENT_INFO at 0x0 needs 112 bytes, 111 left"),
            format!("{class}: TRACE_EVENT_INFO at 0x0: TopLevelPropertyCount is 2, outside 0..=1"),
            format!("{none}: EVENT_MAP_INFO at 0x0 needs 16 bytes, 4 left"),
            format!("{class}: EVENT_MAP_INFO at 0x0 needs 16 bytes, 0 left"),
            format!("{shop}: structure 0 has the members 0..1, of 1 properties"),
            format!("{shop}: ManifestEnvelope at 0x0: expected the magic number 0x5b, found 0x0000005a"),
            format!("{shop}: line 2 (byte 0x7): the text ends inside 2 open elements"),
        ]
    );
    assert_eq!(report.broken, 7);
}

#[test]
fn a_manifest_describes_the_events_of_its_provider() {
    let mut reader = Reader::new();
    let text = manifest(SHOP, "Shop", r#"<data name="price" inType="win:UInt16"/>"#);
    assert_eq!(reader.sale(0, &[5, 0]), "?: unknown");
    reader.learn_chunk(7, &chunk(1, 0, &[b"\xEF\xBB\xBF", text.as_bytes()].concat()));
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
    // The fallback to lower versions is the same.
    assert_eq!(reader.sale(1, &[5, 0]), "Shop/Sale: price=UInt(5) (LowerVersion)");
    assert_eq!(reader.sale(1, &[5]), "Shop: unknown");
    assert_eq!(reader.report().manifests, 1);
}

#[test]
fn a_piece_of_a_manifest_is_shown_with_the_name_of_its_provider() {
    let mut reader = Reader::new();
    let text = manifest(SHOP, "Shop", "");
    reader.learn_chunk(7, &chunk(1, 0, text.as_bytes()));
    let piece = EventSpec { id: 0xFFFE, opcode: 0xFE, task: 0xFFFE, ..event(1, &chunk(2, 1, b"x")) };
    assert_eq!(
        reader.event(&piece),
        "Shop/?: Format=UInt(1) MajorVersion=UInt(1) MinorVersion=UInt(0) Magic=UInt(91) TotalChunks=UInt(2) \
         ChunkNumber=UInt(1) Chunk=Str(Ansi([120]))"
    );
}

#[test]
fn a_description_by_merging_comes_before_a_manifest() {
    let mut reader = Reader::new();
    let text = manifest(SHOP, "Shop", r#"<data name="cents" inType="win:UInt16"/>"#);
    reader.learn_chunk(7, &chunk(1, 0, text.as_bytes()));
    reader.learn_info(&info());
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
}

#[test]
fn chunks_come_in_any_order_and_from_several_processes_at_a_time() {
    let mut reader = Reader::new();
    let old = manifest(SHOP, "Shop", r#"<data name="price" inType="win:UInt16"/>"#);
    let new = manifest(SHOP, "Shop", r#"<data name="cents" inType="win:UInt32"/>"#);
    let part = |text: &str, number: usize| {
        chunk(3, number as u16, &text.as_bytes()[number * 150..][..150.min(text.len() - number * 150)])
    };
    assert!(old.len() > 300 && old.len() < 450, "{}", old.len());
    reader.learn_chunk(7, &part(&old, 2));
    reader.learn_chunk(8, &part(&new, 0));
    reader.learn_chunk(7, &part(&old, 0));
    // Said again, which is no contradiction.
    reader.learn_chunk(7, &part(&old, 2));
    reader.learn_chunk(8, &part(&new, 1));
    assert_eq!((reader.report().manifests, reader.report().incomplete), (0, 2));
    reader.learn_chunk(7, &part(&old, 1));
    assert_eq!((reader.report().manifests, reader.report().incomplete), (1, 1));
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
}

#[test]
fn a_chunk_that_contradicts_begins_anew() {
    let mut reader = Reader::new();
    let text = manifest(SHOP, "Shop", r#"<data name="price" inType="win:UInt16"/>"#);
    let (start, end) = text.as_bytes().split_at(100);
    // The second part of a sending that was cut off has another text, and another sending another number of chunks.
    reader.learn_chunk(7, &chunk(2, 1, b"nonsense"));
    reader.learn_chunk(7, &chunk(2, 1, end));
    reader.learn_chunk(7, &chunk(3, 0, b"nonsense"));
    reader.learn_chunk(7, &chunk(2, 0, start));
    assert_eq!(reader.report().manifests, 0);
    reader.learn_chunk(7, &chunk(2, 1, end));
    assert_eq!((reader.report().manifests, reader.report().incomplete, reader.report().broken), (1, 0, 0));
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
}

#[test]
fn a_chunk_past_the_number_of_chunks_is_broken() {
    let mut reader = Reader::new();
    reader.learn_chunk(7, &chunk(2, 2, b"x"));
    reader.learn_chunk(7, &chunk(0, 0, b"x"));
    let report = reader.report();
    assert_eq!((report.broken, report.incomplete), (2, 0));
    let source = core::error::Error::source(&report.problems[0].kind).expect("why").to_string();
    assert_eq!(source, "ManifestEnvelope at 0x0: ChunkNumber is 2, outside 0..=1");
}

#[test]
fn of_several_manifests_that_of_the_own_process_counts_and_else_the_highest_version_that_fits() {
    let mut reader = Reader::new();
    let old = manifest(SHOP, "Shop", r#"<data name="price" inType="win:UInt16"/>"#);
    let new = manifest(
        SHOP,
        "Shop",
        r#"<data name="cents" inType="win:Int16"/><data name="n" inType="win:UInt8"/>"#,
    );
    reader.learn_chunk(7, &chunk(1, 0, old.as_bytes()));
    assert_eq!(reader.sale(0, &[5, 0, 1]), "Shop/Sale: price=UInt(5) and 1 bytes");
    let mut versioned = chunk(1, 0, new.as_bytes());
    versioned[2] = 5;
    reader.learn_chunk(8, &versioned);
    let of = |process_id: u32, payload: &[u8]| EventSpec { process_id, ..event(0, payload) };
    assert_eq!(reader.event(&of(7, &[5, 0])), "Shop/Sale: price=UInt(5)");
    assert_eq!(reader.event(&of(7, &[5, 0, 1])), "Shop/Sale: price=UInt(5) and 1 bytes");
    assert_eq!(reader.event(&of(8, &[5, 0, 1])), "Shop/Sale: cents=Int(5) n=UInt(1)");
    // A process that wrote none.
    assert_eq!(reader.event(&of(9, &[5, 0, 1])), "Shop/Sale: cents=Int(5) n=UInt(1)");
    assert_eq!(reader.event(&of(9, &[5, 0])), "Shop/Sale: price=UInt(5)");
    assert_eq!(reader.event(&of(9, &[5])), "Shop/Sale: and 1 bytes");
    // It writes the old one, which is known.
    reader.learn_chunk(9, &chunk(1, 0, old.as_bytes()));
    assert_eq!(reader.event(&of(9, &[5, 0, 1])), "Shop/Sale: price=UInt(5) and 1 bytes");
    let report = reader.report();
    assert_eq!((report.manifests, report.repeated, report.contradicting), (2, 1, 0));
}

#[test]
fn metadata_past_the_limit_is_refused_and_what_is_there_stays() {
    let mut limits = Limits::default();
    limits.metadata_bytes = 700;
    let mut reader = Reader::with_limits(&limits);
    reader.learn_info(&info());
    let text = manifest(SHOP, "Shop", r#"<data name="price" inType="win:UInt32"/>"#);
    let (start, end) = text.as_bytes().split_at(200);
    reader.learn_chunk(7, &chunk(2, 0, start));
    assert_eq!((reader.report().refused, reader.report().incomplete), (0, 1));
    // Neither the rest nor another description has room.
    reader.learn_chunk(7, &chunk(2, 1, end));
    assert_eq!((reader.report().refused, reader.report().incomplete), (1, 0));
    reader.learn_chunk(7, &chunk(2, 0, start));
    reader.learn_info(&Info { id: 2, ..info() });
    assert_eq!((reader.report().refused, reader.report().event_infos), (2, 1));
    assert_eq!(reader.sale(0, &[5, 0]), "Shop/Sale: price=UInt(5)");
}

#[test]
fn chunks_of_nothing_do_not_fill_the_memory() {
    let mut limits = Limits::default();
    limits.metadata_bytes = 10_000;
    let mut reader = Reader::with_limits(&limits);
    for number in 0..1000 {
        reader.learn_chunk(7, &chunk(u16::MAX, number, b""));
    }
    // Each counts 64 bytes: the 157th has no room and takes the others with it.
    assert_eq!(reader.report().refused, 6);
}

#[test]
fn a_manifest_longer_than_allowed_is_refused() {
    let mut limits = Limits::default();
    limits.xml_bytes = 300;
    let mut reader = Reader::with_limits(&limits);
    reader.learn_chunk(7, &chunk(1, 0, &[b' '; 301]));
    reader.learn_chunk(7, &chunk(3, 0, &[b' '; 150]));
    reader.learn_chunk(7, &chunk(3, 1, &[b' '; 150]));
    assert_eq!((reader.report().refused, reader.report().incomplete), (1, 1));
    reader.learn_chunk(7, &chunk(3, 2, b" "));
    let report = reader.report();
    assert_eq!((report.refused, report.incomplete, report.broken), (2, 0, 0));
}

#[test]
fn text_that_offsets_point_to_again_and_again_has_a_limit() {
    let mut limits = Limits::default();
    limits.schema_bytes = 1000;
    let mut reader = Reader::with_limits(&limits);
    let mut bytes = Info { properties: vec![scalar("a", 4, 1); 12], ..info() }.to_bytes();
    let at = u32::try_from(bytes.len()).expect("short");
    bytes.extend([b'x', 0].repeat(100));
    bytes.extend([0, 0]);
    for property in 0..12 {
        bytes[116 + 24 * property..120 + 24 * property].copy_from_slice(&at.to_le_bytes());
    }
    reader.classic(EVENT_METADATA, 32, 0, &bytes);
    let report = reader.report();
    assert_eq!((report.broken, report.event_infos), (1, 0));
}

#[test]
fn an_event_with_the_id_of_manifests_that_is_none_is_left_alone() {
    let mut reader = Reader::new();
    let odd = EventSpec { id: 0xFFFE, ..event(0, &[1, 2, 3]) };
    assert_eq!(reader.event(&odd), "?: unknown");
    assert_eq!(reader.report().broken, 0);
}
