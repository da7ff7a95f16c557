//! The files of the folder `fixtures` are those that the factory makes, and its README says what they are.
#![cfg(feature = "write")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

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
