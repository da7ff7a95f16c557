//! How much of the payloads of real traces is decoded, file by file, with all sources and in two passes.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use etweir::EtlReader;
use etweir::decode::{Certainty, Decoder, Exactness, SchemaKind};
use etweir::prescan::prescan;
use etweir::testkit::corpus;

/// Events by where their description comes from, and how far it leads.
#[derive(Debug, Default, Eq, PartialEq)]
struct Counts {
    /// Decoded to the last byte: by TraceLogging, by metadata of the trace, by the kernel's table, by what is known of manifests.
    wholly: [u64; 4],
    /// By provider, id, bytes that are left over, and why decoding stopped.
    partly: BTreeMap<(String, u16, usize, Option<String>), u64>,
    not: u64,
}

/// What each file has; see `Counts`.
const EXPECTED: [(&str, [u64; 4], u64, u64); 24] = [
    ("airbus-amsi.etl", [19, 0, 2, 0], 0, 0),
    ("airbus-lxcore.etl", [2, 0, 2, 0], 0, 0),
    ("findneedle-wppemitter.etl", [0, 0, 4, 0], 0, 45),
    ("findneedle-wppenum.etl", [0, 0, 4, 0], 0, 2),
    ("findneedle-wppstr.etl", [0, 0, 4, 0], 0, 4),
    ("findneedle-wpptime.etl", [0, 0, 4, 0], 0, 2),
    ("findneedle-wpptypes.etl", [0, 0, 4, 0], 0, 5),
    ("krabs-powershell.etl", [0, 0, 2, 0], 0, 112),
    ("perfview-gcevents-circular.etl", [0, 0, 2, 0], 0, 69),
    ("perfview-net45-x86.etl", [0, 141, 63673, 54165], 2, 67980),
    ("perfview-net452-x86-compressed.etl", [0, 39975, 127800, 0], 2, 521),
    ("perfview-primitive-types.etl", [5, 0, 2, 0], 0, 0),
    ("perfview-self-describing-single.etl", [1, 0, 22, 0], 0, 0),
    ("perfview-small-32bit-compressed.etl", [0, 0, 1, 0], 0, 1),
    ("s4-cldflt-wpp-systemtime.etl", [0, 0, 4, 0], 0, 13),
    ("s4-sih.etl", [10, 0, 2, 0], 0, 0),
    ("s4-waasmedic-circular.etl", [17, 0, 4, 0], 0, 0),
    ("sawbuck-image-data-32-v0.etl", [0, 0, 27, 0], 0, 0),
    ("sawbuck-image-data-32-v2.etl", [0, 0, 27, 0], 0, 0),
    ("sawbuck-process-data-32-v1.etl", [0, 0, 3, 0], 0, 0),
    ("sawbuck-process-data-64-v2.etl", [0, 0, 9, 0], 0, 0),
    ("tx-bond-eventsource.etl", [0, 12, 1, 0], 0, 0),
    ("tx-http-server.etl", [0, 0, 1, 0], 0, 2041),
    ("tx-kernel-process.etl", [0, 0, 1, 0], 0, 10343),
];

/// The writer of this event and its own manifest disagree: a 64-bit number is declared with 32 bits.
const LIAR: (&str, u16, usize) = ("a8a71ac1-040f-54a2-07ca-00a89b5ab761", 13, 4);

#[test]
fn real_traces_are_decoded_as_far_as_they_are_described() {
    let Some(folder) = corpus::folder("real_traces_are_decoded_as_far_as_they_are_described") else { return };
    let mut found = Vec::new();
    for path in files(&folder) {
        let counts = count(&path);
        let file = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let decoded: u64 = counts.wholly.iter().sum();
        let partly: u64 = counts.partly.values().sum();
        println!("{file}: {decoded} decoded {:?}, {partly} partly, {} not", counts.wholly, counts.not);
        for ((provider, id, left, error), events) in &counts.partly {
            println!("  {events} events {provider}/{id}: {left} bytes left, error {error:?}");
            assert_eq!((provider.as_str(), *id, *left), LIAR, "{file}");
            assert_eq!(*error, None, "all declared fields are there");
        }
        found.push((file, counts.wholly, partly, counts.not));
    }
    let expected = EXPECTED.map(|(file, wholly, partly, not)| (file.to_owned(), wholly, partly, not));
    assert_eq!(found, expected);
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder.join("etl")).expect("a folder");
    let mut files: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn count(path: &Path) -> Counts {
    let mut decoder = Decoder::new();
    prescan(&mut EtlReader::open(path).expect("a trace"), &mut decoder).expect("a readable file");
    let mut reader = EtlReader::open(path).expect("a trace");
    let mut counts = Counts::default();
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events().flatten() {
            let decoded = decoder.decode(&event);
            assert_eq!(decoded.damage(), None, "{event:?}");
            let outcome = decoded.outcome();
            let Some(kind) = decoded.kind() else {
                counts.not += 1;
                continue;
            };
            assert_eq!(decoded.certainty(), Certainty::Sure, "{event:?}");
            if outcome.exactness == Exactness::Partly {
                let key = (
                    event.provider_id().to_string(),
                    event.id(),
                    outcome.rest.len(),
                    outcome.error.map(|error| error.to_string()),
                );
                *counts.partly.entry(key).or_default() += 1;
                continue;
            }
            let place = match kind {
                SchemaKind::TraceLogging => 0,
                SchemaKind::Trace => 1,
                SchemaKind::Kernel => 2,
                SchemaKind::Manifest => 3,
                other => panic!("no source has {other:?}"),
            };
            counts.wholly[place] += 1;
            let is_named = decoded.names().event.is_some() && decoded.provider_name().is_some();
            assert!(is_named || kind != SchemaKind::TraceLogging, "{event:?}");
        }
    }
    counts
}
