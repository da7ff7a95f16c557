//! The checks of the fuzz targets, over any bytes, mutated files and real traces. `PROPTEST_CASES` sets how many; 256 each by
//! default.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::fs;

use etweir::codec::Format;
use etweir::testkit::{check, corpus};
use etweir::write::{
    BufferSpec, EventSpec, FileSpec, ItemSpec, LogFileSpec, MessageSpec, PerfSpec, SystemSpec,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A file of every family of records.
fn file(compression: Option<Format>) -> Vec<u8> {
    let buffers = (1..=4_i64).map(|number| {
        BufferSpec::new(1024)
            .sequence_number(number)
            .event(&EventSpec {
                items: vec![ItemSpec::stack64(0, &[1, 2])],
                payload: vec![7; 21],
                ..EventSpec::default()
            })
            .perf(&PerfSpec { pmc_counters: vec![1, 2], payload: vec![1; 9], ..PerfSpec::default() })
            .message(&MessageSpec { payload: vec![3; 12], ..MessageSpec::default() })
            .system(&SystemSpec { payload: vec![9; 33], ..SystemSpec::default() })
            .event(&EventSpec { id: 2, payload: vec![0; 64], ..EventSpec::default() })
    });
    let file = FileSpec::new(LogFileSpec { buffer_size: 1024, ..LogFileSpec::default() }).buffers(buffers);
    compression.into_iter().fold(file, FileSpec::compressed).to_bytes()
}

/// A change to a file: bytes overwritten, cut out, doubled or moved.
#[derive(Clone, Debug)]
enum Change {
    Byte(usize, u8),
    Word(usize, u32),
    CutTo(usize),
    Remove(usize, usize),
    Double(usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let word = prop_oneof![any::<u32>(), 0..0x2000_u32, Just(0), Just(u32::MAX)];
    vec(
        prop_oneof![
            4 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
            4 => (any::<usize>(), word).prop_map(|(at, word)| Change::Word(at, word)),
            1 => any::<usize>().prop_map(Change::CutTo),
            1 => (any::<usize>(), 0..600_usize).prop_map(|(at, len)| Change::Remove(at, len)),
            1 => (any::<usize>(), 0..600_usize).prop_map(|(at, len)| Change::Double(at, len)),
        ],
        1..12,
    )
}

fn apply(bytes: &mut Vec<u8>, changes: &[Change]) {
    for change in changes {
        let len = bytes.len().max(1);
        match *change {
            Change::Byte(at, byte) => bytes.iter_mut().skip(at % len).take(1).for_each(|place| *place = byte),
            Change::Word(at, word) => {
                let places = bytes.iter_mut().skip((at % len) & !3);
                places.zip(word.to_le_bytes()).for_each(|(place, byte)| *place = byte);
            }
            Change::CutTo(at) => bytes.truncate(at % len),
            Change::Remove(at, count) => drop(bytes.drain(range(bytes.len(), at, count))),
            Change::Double(at, count) => {
                let range = range(bytes.len(), at, count);
                let copy: Vec<u8> = bytes.iter().copied().skip(range.start).take(range.len()).collect();
                bytes.splice(range.start..range.start, copy);
            }
        }
    }
}

fn range(len: usize, at: usize, count: usize) -> core::ops::Range<usize> {
    let start = at % len.max(1);
    start.min(len)..(start + count).min(len)
}

proptest! {
    #[test]
    fn any_bytes_hold_what_the_fuzz_targets_check(bytes in vec(any::<u8>(), 0..3000)) {
        check::buffer(&bytes);
        check::file(&bytes);
        check::codec(&bytes);
    }

    #[test]
    fn any_change_to_a_file_holds_what_the_fuzz_targets_check(
        changes in changes(),
        format in prop_oneof![Just(None), Just(Some(Format::Xpress)), Just(Some(Format::XpressHuff)), Just(Some(Format::Lznt1))],
    ) {
        let mut bytes = file(format);
        apply(&mut bytes, &changes);
        check::file(&bytes);
        check::buffer(bytes.get(1024..).unwrap_or_default());
    }
}

#[test]
fn real_traces_hold_what_the_fuzz_targets_check() {
    let Some(folder) = corpus::folder("real_traces_hold_what_the_fuzz_targets_check") else { return };
    for part in ["etl", "hostile"] {
        for entry in fs::read_dir(folder.join(part)).expect("a folder") {
            check::file(&fs::read(entry.expect("an entry").path()).expect("a readable file"));
        }
    }
}

#[test]
fn real_traces_with_changes_hold_what_the_fuzz_targets_check() {
    let Some(folder) = corpus::folder("real_traces_with_changes_hold_what_the_fuzz_targets_check") else {
        return;
    };
    let mut seeds = Vec::new();
    for part in ["etl", "hostile"] {
        for entry in fs::read_dir(folder.join(part)).expect("a folder") {
            let bytes = fs::read(entry.expect("an entry").path()).expect("a readable file");
            if bytes.len() <= 64 * 1024 {
                seeds.push(bytes);
            }
        }
    }
    assert!(seeds.len() > 15, "{} small traces", seeds.len());
    let seed = 0..seeds.len();
    proptest!(|(seed in seed, changes in changes())| {
        let mut bytes = seeds[seed].clone();
        apply(&mut bytes, &changes);
        check::file(&bytes);
    });
}
