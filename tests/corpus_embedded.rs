//! What real traces say about their own events describes those events to the last byte.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use etweir::decode::{Certainty, Decoder, Exactness, MetadataReport, SchemaKind, TraceSchemas};
use etweir::prescan::prescan;
use etweir::record::RecordKind;
use etweir::testkit::corpus;
use etweir::{EtlReader, Limits};

/// Events with an EVENT_HEADER by how far the schemas inside the trace led.
#[derive(Debug, Default, Eq, PartialEq)]
struct Counts {
    /// To the last byte.
    wholly: u64,
    /// Stack walks of the CLR, whose description is known to be wrong.
    clr_stack_walks: u64,
    /// By provider, id, and bytes that were left over.
    partly: BTreeMap<(String, u16, usize), u64>,
    /// No schema inside the trace, and none inside the event.
    not: u64,
}

const CLR: &str = "e13c0d23-ccbc-4e12-931b-d9cc2eee27e4";
const PERFVIEW: &str = "a8a71ac1-040f-54a2-07ca-00a89b5ab761";

#[test]
fn every_event_with_a_schema_inside_its_trace_is_decoded() {
    let Some(folder) = corpus::folder("every_event_with_a_schema_inside_its_trace_is_decoded") else {
        return;
    };
    // Descriptions and maps by merging, manifests of EventSources; events decoded, of these stack walks, and not.
    let expected: BTreeMap<&str, ([usize; 3], [u64; 3])> = [
        ("airbus-amsi.etl", ([0, 0, 0], [0, 0, 0])),
        ("airbus-lxcore.etl", ([0, 0, 0], [0, 0, 0])),
        ("krabs-powershell.etl", ([0, 0, 0], [0, 0, 112])),
        ("perfview-gcevents-circular.etl", ([0, 0, 0], [0, 0, 69])),
        ("perfview-net45-x86.etl", ([6, 1, 2], [141, 0, 122_145])),
        ("perfview-net452-x86-compressed.etl", ([61, 25, 3], [34_769, 5206, 521])),
        ("perfview-primitive-types.etl", ([0, 0, 0], [0, 0, 0])),
        ("perfview-self-describing-single.etl", ([0, 0, 0], [0, 0, 0])),
        ("perfview-small-32bit-compressed.etl", ([0, 0, 0], [0, 0, 1])),
        ("s4-sih.etl", ([0, 0, 0], [0, 0, 0])),
        ("s4-waasmedic-circular.etl", ([0, 0, 0], [0, 0, 0])),
        ("tx-bond-eventsource.etl", ([0, 0, 1], [12, 0, 0])),
        ("tx-http-server.etl", ([0, 0, 0], [0, 0, 2041])),
        ("tx-kernel-process.etl", ([0, 0, 0], [0, 0, 10_343])),
    ]
    .into();
    let mut seen = 0;
    for entry in fs::read_dir(folder.join("etl")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let (report, counts) = count(&path);
        println!("{name}: {counts:?}");
        assert_eq!(
            (report.contradicting, report.unsupported, report.refused, report.broken, report.incomplete),
            (0, 0, 0, 0, 0),
            "{name}: {report:?}"
        );
        // Others have events of other kinds only.
        let (metadata, events) = expected.get(name).copied().unwrap_or_default();
        assert_eq!([report.event_infos, report.maps, report.manifests], metadata, "{name}");
        assert_eq!([counts.wholly, counts.clr_stack_walks, counts.not], events, "{name}");
        // The writer and its own manifest disagree: a 64-bit number is declared with 32 bits.
        let liars = BTreeMap::from([((PERFVIEW.to_owned(), 13, 4), 2)]);
        let is_perfview = name.starts_with("perfview-net45");
        assert_eq!(counts.partly, if is_perfview { liars } else { BTreeMap::new() }, "{name}");
        seen += usize::from(expected.contains_key(name));
    }
    assert_eq!(seen, expected.len());
}

fn count(path: &Path) -> (MetadataReport, Counts) {
    let schemas = Arc::new(TraceSchemas::default());
    let mut decoder = Decoder::with_sources(vec![schemas.clone()], &Limits::default());
    prescan(&mut EtlReader::open(path).expect("a trace"), &mut decoder).expect("a readable file");
    let mut reader = EtlReader::open(path).expect("a trace");
    let mut counts = Counts::default();
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events() {
            let event = event.expect("no damage");
            if !matches!(event.kind(), RecordKind::Event32 | RecordKind::Event64) {
                continue;
            }
            let (provider, id) = (event.provider_id().to_string(), event.id());
            let decoded = decoder.decode(&event);
            let outcome = decoded.outcome();
            assert_eq!(decoded.certainty(), Certainty::Sure);
            match (decoded.kind(), outcome.exactness) {
                (Some(SchemaKind::TraceLogging), _) => {}
                (Some(SchemaKind::Trace), _) if provider == CLR && id == 82 => counts.clr_stack_walks += 1,
                (Some(SchemaKind::Trace), Exactness::Wholly) => counts.wholly += 1,
                (Some(SchemaKind::Trace), _) => {
                    assert_eq!(outcome.error, None, "all declared fields are there");
                    *counts.partly.entry((provider, id, outcome.rest.len())).or_default() += 1;
                }
                _ => counts.not += 1,
            }
        }
    }
    (schemas.report(), counts)
}

#[test]
fn in_one_pass_metadata_counts_from_where_it_is_seen() {
    let Some(folder) = corpus::folder("in_one_pass_metadata_counts_from_where_it_is_seen") else { return };
    // What merging added stands at the end, so only the manifests that EventSources wrote earlier count.
    let path = folder.join("etl/perfview-net452-x86-compressed.etl");
    let mut decoder = Decoder::with_sources(vec![Arc::new(TraceSchemas::default())], &Limits::default());
    let mut reader = EtlReader::open(path).expect("a trace");
    let (mut described, mut not) = (0, 0);
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events().flatten() {
            if matches!(event.kind(), RecordKind::Event32 | RecordKind::Event64) {
                let is_described = decoder.decode(&event).schema().is_some();
                *(if is_described { &mut described } else { &mut not }) += 1;
            }
        }
    }
    assert_eq!((described, not), (123, 40_375));
}
