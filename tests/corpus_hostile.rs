//! Damaged traces deliver everything outside the damage, and name the damage with its place.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;

use etweir::buffer::RecordDamageKind::{Cut, ExtendedItems, Resynchronised, UnknownKind};
use etweir::file::{Damage, DamageKind, DamageReport};
use etweir::testkit::corpus;
use etweir::{Error, ReadOptions};

#[test]
fn every_damaged_trace_delivers_what_lies_outside_the_damage_and_names_it() {
    let Some(folder) =
        corpus::folder("every_damaged_trace_delivers_what_lies_outside_the_damage_and_names_it")
    else {
        return;
    };
    // Records, and for each damage what and where. Offsets were taken from hex dumps of the files.
    let expected: [Expected; 12] = [
        ("buf1-size0", 7, &[(DamageKind::RepairedSize, 0x2000)]),
        ("circular-truncated", 25, &[(DamageKind::CutBuffer, 0x30000), (DamageKind::Record(Cut), 0x30048)]),
        ("compressed-bitflips", 3, &[(DamageKind::Compressed, 0x400)]),
        ("extdata-size0-linkage", 7, &[(DamageKind::Record(ExtendedItems), 0x2048)]),
        ("missing-header", 2041, &[]),
        ("record-size-huge", 6, &[(DamageKind::Record(Resynchronised), 0x2048)]),
        ("record-size0", 6, &[(DamageKind::Record(Resynchronised), 0x2048)]),
        ("record-unknown-type", 6, &[(DamageKind::Record(UnknownKind), 0x2048)]),
        ("swapped-buffers", 2042, &[]),
        ("trunc-second-buffer", 3, &[(DamageKind::CutBuffer, 0x2000), (DamageKind::Record(Cut), 0x21C0)]),
        ("wpp-size-short", 48, &[(DamageKind::Record(Resynchronised), 0x2048)]),
        ("zeroed-middle-buffer", 1992, &[(DamageKind::Zeroed, 0xA000)]),
    ];
    let mut problems = Vec::new();
    for (name, records, damage) in expected {
        let (found, report) = read(&folder.join("hostile").join(name).with_extension("etl"));
        let places: Vec<_> = report.entries().iter().map(|entry| (entry.kind, entry.at.get())).collect();
        if (found, &places[..]) != (records, damage) {
            problems.push(format!("{name}: {found} records, {places:x?}, {:?}", report.entries()));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(fs::read_dir(folder.join("hostile")).expect("a folder").count(), expected.len());
}

#[test]
fn a_trace_without_its_header_buffer_is_refused_unless_asked_for() {
    let Some(folder) = corpus::folder("a_trace_without_its_header_buffer_is_refused_unless_asked_for") else {
        return;
    };
    let bytes = fs::read(folder.join("hostile/missing-header.etl")).expect("a readable file");
    assert!(matches!(ReadOptions::new().open(&bytes[..]), Err(Error::MissingHeader { .. })));
    let reader = ReadOptions::new().allow_missing_header(true).open(&bytes[..]).expect("a trace");
    assert!(reader.header().is_none());
    assert!(!reader.session().clock().is_known());
}

/// A file, the records that it delivers, and each damage with its offset.
type Expected = (&'static str, u64, &'static [(DamageKind, u64)]);

/// How many records a trace delivers, and all its damage.
fn read(path: &Path) -> (u64, DamageReport) {
    let file = fs::File::open(path).expect("a readable file");
    let mut reader = ReadOptions::new().allow_missing_header(true).open(file).expect("a trace");
    let mut records = 0;
    let mut inside = DamageReport::new(100);
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events() {
            match event {
                Ok(_) => records += 1,
                Err(damage) => inside.add(Damage::in_buffer(&buffer, damage)),
            }
        }
    }
    let mut all = reader.damage().clone();
    inside.entries().iter().for_each(|damage| all.add(*damage));
    (records, all)
}
