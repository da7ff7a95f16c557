//! How much of the payloads of real traces is decoded, file by file.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;

use etweir::EtlReader;
use etweir::decode::{Decoder, Exactness, SchemaKind};
use etweir::testkit::corpus;

/// The files with TraceLogging events, and how many.
const TRACE_LOGGING: [(&str, u64); 6] = [
    ("airbus-amsi.etl", 19),
    ("airbus-lxcore.etl", 2),
    ("perfview-primitive-types.etl", 5),
    ("perfview-self-describing-single.etl", 1),
    ("s4-sih.etl", 10),
    ("s4-waasmedic-circular.etl", 17),
];

#[test]
fn every_trace_logging_event_is_decoded_to_the_last_byte() {
    let Some(folder) = corpus::folder("every_trace_logging_event_is_decoded_to_the_last_byte") else {
        return;
    };
    let mut paths: Vec<_> = fs::read_dir(folder.join("etl"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let file = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let mut reader = EtlReader::open(&path).expect("a trace");
        let mut decoder = Decoder::new();
        let mut events = 0;
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            for event in buffer.events().flatten() {
                let decoded = decoder.decode(&event);
                assert_eq!(decoded.damage(), None, "{file}: {event:?}");
                if decoded.kind() != Some(SchemaKind::TraceLogging) {
                    continue;
                }
                events += 1;
                let outcome = decoded.outcome();
                assert_eq!(outcome.exactness, Exactness::Wholly, "{file}: {event:?}: {outcome:?}");
                assert!(
                    decoded.names().event.is_some() && decoded.provider_name().is_some(),
                    "{file}: {event:?}"
                );
            }
        }
        if events > 0 {
            println!("{file}: {events} TraceLogging events, all decoded");
            found.push((file, events));
        }
    }
    let expected: Vec<(String, u64)> =
        TRACE_LOGGING.iter().map(|&(file, events)| (file.to_owned(), events)).collect();
    assert_eq!(found, expected);
}
