//! The values of real traces as JSON and text.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;

use etweir::decode::Decoder;
use etweir::decode::format::Formatting;
use etweir::testkit::corpus;
use etweir::{EtlReader, Limits};
use serde_json::Value;

#[test]
fn every_described_payload_is_valid_json() {
    let Some(folder) = corpus::folder("every_described_payload_is_valid_json") else { return };
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut json = Vec::new();
    for entry in fs::read_dir(folder.join("etl")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut reader = EtlReader::open(&path).expect("a trace");
        let formatting = Formatting::new(reader.session().clock(), &Limits::default());
        let mut decoder = Decoder::new();
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            for event in buffer.events().flatten() {
                let decoded = decoder.decode(&event);
                if decoded.schema().is_none() {
                    continue;
                }
                json.clear();
                let mut fields = decoded.fields();
                let result = formatting.write_json_fields(&mut fields, &mut json);
                let outcome = decoded.outcome();
                assert_eq!((result.err().is_some(), fields.rest()), (outcome.error.is_some(), outcome.rest));
                let object: Value = serde_json::from_slice(&json).expect("JSON");
                let fields = decoded.fields().flatten().count();
                assert_eq!(object.as_object().map(serde_json::Map::len), Some(fields), "{name}: {event:?}");
                *counts.entry(name.clone()).or_default() += 1;
            }
        }
    }
    println!("{counts:#?}");
    assert!(counts.values().sum::<u64>() >= 64, "{counts:?}");
}

#[test]
fn the_values_of_a_known_event_are_those_that_its_program_wrote() {
    let Some(folder) = corpus::folder("the_values_of_a_known_event") else { return };
    let mut reader = EtlReader::open(folder.join("etl/perfview-primitive-types.etl")).expect("a trace");
    let formatting = Formatting::new(reader.session().clock(), &Limits::default());
    let mut decoder = Decoder::new();
    let mut json = Vec::new();
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events().flatten() {
            let decoded = decoder.decode(&event);
            if json.is_empty() && decoded.names().event.as_deref() == Some("PrimitiveTypesTest") {
                formatting.write_json_fields(&mut decoded.fields(), &mut json).expect("a whole payload");
            }
        }
    }
    // The program declares `int64_type` as unsigned, and `char_type` as one character.
    let expected = concat!(
        r#"{"string_type":"Mercury","boolean_type":false,"char_type":"M","int16_type":-51,"int32_type":-102,"#,
        r#""uint16_type":51,"uint32_type":102,"int64_type":18446744073709551412,"uint64_type":204,"#,
        r#""guid_type":"0ad614c4-0ef4-4225-8013-f44f37cb0397","file_time_type":"2021-09-09T14:59:35.7990000Z","#,
        r#""system_time_type":"2021-09-09T14:59:35.799Z"}"#,
    );
    assert_eq!(core::str::from_utf8(&json), Ok(expected));
}
