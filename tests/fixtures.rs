//! The files of the folder `fixtures` are those that the factory makes, and its README says what they are.
#![cfg(feature = "write")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

#[cfg(feature = "std")]
use etweir::buffer::RecordDamageKind;
#[cfg(feature = "std")]
use etweir::file::{DamageKind, ReadOptions};

#[path = "../fixtures/factory/mod.rs"]
mod factory;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn every_fixture_is_on_disk_as_the_factory_makes_it() {
    for fixture in factory::all() {
        let found = fs::read(folder().join(fixture.name)).unwrap_or_default();
        assert!(
            found == fixture.bytes,
            "{} is out of date: cargo run --features write --example make_fixtures",
            fixture.name
        );
    }
}

#[test]
fn every_trace_on_disk_comes_from_the_factory() {
    let made: BTreeSet<_> = factory::all().iter().map(|fixture| fixture.name.to_owned()).collect();
    let found: BTreeSet<_> = fs::read_dir(folder())
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("plain names"))
        .filter(|name| name.ends_with(".etl"))
        .collect();
    assert_eq!(found, made);
}

#[test]
fn the_readme_names_every_fixture_and_is_current() {
    let fixtures = factory::all();
    let readme = fs::read_to_string(folder().join("README.md")).expect("a README");
    for fixture in &fixtures {
        assert!(readme.contains(&format!("`{}`", fixture.name)), "{} is not in the README", fixture.name);
    }
    assert_eq!(readme, factory::readme(&fixtures));
}

#[test]
fn all_fixtures_together_are_small() {
    let total: usize = factory::all().iter().map(|fixture| fixture.bytes.len()).sum();
    assert!(total < 1 << 20, "{total} bytes");
}

/// How many events a fixture gives, and what it costs, in the order in which a reader meets it.
#[cfg(feature = "std")]
fn read(name: &str) -> Result<(usize, Vec<DamageKind>, u64), etweir::file::Error> {
    let file = fs::File::open(folder().join(name)).expect("the fixture is on disk");
    let mut reader = ReadOptions::new().allow_missing_header(name == "no_header_buffer.etl").open(file)?;
    let mut events = 0;
    let mut damage = Vec::new();
    let mut outside = 0;
    while let Some(buffer) = reader.next_buffer()? {
        let mut inside = Vec::new();
        for step in buffer.events() {
            match step {
                Ok(_) => events += 1,
                Err(error) => inside.push(DamageKind::Record(error.kind)),
            }
        }
        let met = reader.damage().entries();
        damage.extend(met.iter().skip(outside).map(|entry| entry.kind));
        outside = met.len();
        damage.extend(inside);
    }
    damage.extend(reader.damage().entries().iter().skip(outside).map(|entry| entry.kind));
    Ok((events, damage, reader.unwritten_tail()))
}

#[cfg(feature = "std")]
#[test]
fn every_fixture_gives_the_events_and_costs_the_damage_that_it_is_made_for() {
    use DamageKind::{BadBuffer, Compressed, CutBuffer, Record, RepairedSize, Zeroed};
    use RecordDamageKind::{Cut, ExtendedItems, RestLost, Resynchronised, UnknownKind};

    let expected: &[(&str, usize, &[DamageKind])] = &[
        ("demo.etl", 891, &[]),
        ("described.etl", 22, &[]),
        ("kinds_64.etl", 10, &[]),
        ("kinds_32.etl", 10, &[]),
        ("kinds_mixed_widths.etl", 4, &[]),
        ("items.etl", 22, &[]),
        ("message_flags.etl", 99, &[]),
        ("extension_bits.etl", 23, &[]),
        ("windows_2000.etl", 5, &[]),
        ("windows_xp.etl", 6, &[]),
        ("server_2003.etl", 6, &[]),
        ("windows_vista.etl", 13, &[]),
        ("windows_7.etl", 13, &[]),
        ("windows_11.etl", 17, &[]),
        ("clock_qpc.etl", 13, &[]),
        ("clock_system_time.etl", 13, &[]),
        ("clock_cpu_cycles.etl", 13, &[]),
        ("clock_unusable.etl", 13, &[]),
        ("time_disorder.etl", 11, &[]),
        ("private_session.etl", 4, &[]),
        ("many_processors.etl", 7, &[]),
        ("no_per_processor_buffering.etl", 21, &[]),
        ("relogged.etl", 13, &[]),
        ("relogged_windows_7.etl", 4, &[]),
        ("circular.etl", 6, &[]),
        ("new_file.etl", 4, &[]),
        ("without_names.etl", 13, &[]),
        ("empty.etl", 1, &[]),
        ("compressed_xpress.etl", 601, &[]),
        ("compressed_xpress_huff.etl", 4001, &[]),
        ("compressed_lznt1.etl", 601, &[]),
        ("compressed_not_relogged.etl", 13, &[]),
        ("never_closed.etl", 13, &[]),
        ("cut.etl", 7, &[CutBuffer, Record(Cut)]),
        ("cut_in_header.etl", 6, &[CutBuffer]),
        ("cut_compressed.etl", 11, &[CutBuffer]),
        ("zeroed_buffer.etl", 8, &[Zeroed]),
        ("zeroed_tail.etl", 13, &[]),
        ("swapped_buffers.etl", 13, &[]),
        ("no_header_buffer.etl", 12, &[]),
        ("bad_buffer_size.etl", 13, &[RepairedSize, RepairedSize]),
        ("bad_filled_bytes.etl", 8, &[BadBuffer]),
        (
            "bad_record_size.etl",
            9,
            &[Record(Resynchronised), Record(Resynchronised), Record(Resynchronised), Record(RestLost)],
        ),
        ("unknown_kind.etl", 4, &[Record(UnknownKind); 4]),
        ("damaged_item.etl", 7, &[Record(ExtendedItems); 3]),
        ("wnode.etl", 2, &[Record(RestLost)]),
        ("unused_space.etl", 3, &[]),
        ("damaged_compressed.etl", 8, &[Compressed]),
    ];
    for (name, events, damage) in expected {
        let tail = if *name == "zeroed_tail.etl" { 4096 } else { 0 };
        let read = read(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, (*events, damage.to_vec(), tail), "{name}");
    }
    assert!(read("not_a_trace.etl").is_err());
    assert_eq!(expected.len() + 1, factory::all().len(), "every fixture is read");
}
