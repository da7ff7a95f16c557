//! How much of the payloads of real traces is decoded, file by file.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;

use etweir::EtlReader;
use etweir::decode::{Decoder, Exactness, SchemaKind};
use etweir::testkit::corpus;

#[derive(Default, Debug)]
struct Counts(BTreeMap<(Option<SchemaKind>, Exactness), u64>);

#[test]
fn print_counts() {
    let Some(folder) = corpus::folder("print_counts") else { return };
    for entry in fs::read_dir(folder.join("etl")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let mut reader = EtlReader::open(&path).expect("a trace");
        let mut decoder = Decoder::new();
        let mut counts = Counts::default();
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            for event in buffer.events().flatten() {
                let decoded = decoder.decode(&event);
                *counts.0.entry((decoded.kind(), decoded.outcome().exactness)).or_default() += 1;
                if decoded.kind() == Some(SchemaKind::TraceLogging)
                    && decoded.outcome().exactness != Exactness::Wholly
                {
                    println!("{:?} {:?}", decoded.names(), decoded.outcome());
                }
            }
        }
        println!("{} {counts:?}", path.file_name().unwrap().display());
    }
}
