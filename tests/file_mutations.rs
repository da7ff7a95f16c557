//! Files with anything done to them, read whole: no panic, bounded work and memory, every byte accounted for, and the
//! buffers that nothing was done to delivered.
//!
//! Mutants are numbered, and a number always makes the same one. `ETWEIR_MUTANTS` sets how many are read; 2,000 by default.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(unsafe_code, reason = "a counting allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::alloc::System;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use etweir::buffer::Layout as BufferLayout;
use etweir::stream::Step;
use etweir::testkit::{check, corpus};
use etweir::{EtlFile, EtlReader, FileOptions, Limits, ReadOptions};

/// What the allocator has given out, and the most of it.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The largest file that is changed.
const LONGEST: usize = 512 * 1024;
/// Its records are full of small numbers that make headers of buffers, so that nothing tells where one begins that moved.
const CONFUSING: &str = "extension_bits.etl";
/// What the buffers of a file may take.
const HELD: u64 = 2 * 1024 * 1024;
/// What a compressed one may expand to.
const LARGEST: usize = 1024 * 1024;
/// What a file may take in all: the held buffers, one that is looked at, one that is loaded and one that is expanded, which
/// may be as long as the file, and what is known of it all.
const MOST_MEMORY: usize = HELD as usize + LARGEST + 2 * LONGEST + 256 * 1024;
/// How much may be done for each byte of a file, counted in bytes that are read, places that are looked at and steps that
/// are taken; and how much besides.
const WORK_PER_BYTE: u64 = 24;
const WORK_AT_LEAST: u64 = 64 * 1024;

#[test]
fn mutants_are_read_to_their_end_in_bounded_work_and_memory_and_lose_nothing_that_was_not_touched() {
    let seeds = seeds();
    let mutants = std::env::var("ETWEIR_MUTANTS").map_or(2000, |text| text.parse().expect("a number"));
    let mut worst = (0.0_f64, 0, 0);
    for number in 0..mutants {
        let mut random = Random(number);
        let seed = &seeds[random.below(seeds.len())];
        let mutant = Mutant::new(seed, &mut random);
        let (work, memory) = mutant.check(seed, number);
        worst.0 = worst.0.max(work as f64 / (mutant.bytes.len() as f64).max(WORK_AT_LEAST as f64));
        worst.1 = worst.1.max(memory);
        worst.2 += mutant.untouched.len();
    }
    println!(
        "{mutants} mutants of {} files: at most {:.1} steps a byte, {} bytes of memory; {} buffers untouched",
        seeds.len(),
        worst.0,
        worst.1,
        worst.2
    );
}

/// A file that mutants are made of.
struct Seed {
    name: String,
    bytes: Vec<u8>,
    /// Its buffers, with what their records hold.
    buffers: Vec<(Range<usize>, Buffer)>,
    /// Its buffers do not say how long they are, so that nothing is known of them without a header.
    is_old: bool,
}

/// What is known of a buffer.
#[derive(Clone, Copy)]
struct Buffer {
    contents: Contents,
    /// It is good enough to be found wherever it lies. Others have to be in their place.
    is_found: bool,
}

/// The records of a buffer, as one number, and how many they are.
type Contents = (u64, usize);

fn add(contents: &mut Contents, record: &[u8]) {
    let mut hash = contents.0 ^ record.len() as u64;
    for chunk in record.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    }
    *contents = (hash, contents.1 + 1);
}

fn seeds() -> Vec<Seed> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut folders = vec![fixtures];
    let real = corpus::folder("the mutants of real traces");
    folders.extend(real.iter().flat_map(|folder| [folder.join("etl"), folder.join("hostile")]));
    let mut paths: Vec<_> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "etl"))
        .collect();
    paths.sort();
    let seeds: Vec<_> = paths.iter().filter_map(|path| Seed::read(path)).collect();
    assert!(seeds.len() > 40, "{} seeds", seeds.len());
    seeds
}

impl Seed {
    fn read(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).expect("a readable file");
        if bytes.len() > LONGEST {
            return None;
        }
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let mut reader: EtlReader<_> = ReadOptions::new().allow_missing_header(true).open(&bytes[..]).ok()?;
        let mut buffers = Vec::new();
        while let Some(buffer) = reader.next_buffer().expect("readable") {
            let start = usize::try_from(buffer.offset().get()).expect("in memory");
            let len = usize::try_from(buffer.stored_bytes()).expect("in memory");
            if buffer.trace_buffer().view().missing_bytes() > 0 {
                // What follows a cut decides what its last record is.
                continue;
            }
            let mut contents = (0, 0);
            buffer.events().flatten().for_each(|event| add(&mut contents, event.record().bytes()));
            buffers.push((start..start + len, Buffer { contents, is_found: false }));
        }
        for (range, buffer) in &mut buffers {
            buffer.is_found = is_found(&name, &bytes, range.clone(), buffer.contents);
        }
        let is_old = reader.session().layout() != BufferLayout::Modern;
        Some(Self { name, bytes, buffers, is_old })
    }
}

/// Whether a buffer is delivered that lies behind the first one of its file and some bytes that are none.
fn is_found(name: &str, bytes: &[u8], range: Range<usize>, contents: Contents) -> bool {
    if range.start == 0 || name == CONFUSING {
        return false;
    }
    let mut reader = ReadOptions::new().allow_missing_header(true).open(bytes).expect("a trace");
    let header = reader.next_buffer().expect("readable").expect("a buffer").stored_bytes() as usize;
    let odd = [&bytes[..header], b"bytes that are no buffer", &bytes[range]].concat();
    let Ok(mut file) = FileOptions::new().allow_missing_header(true).from_bytes(&odd) else { return false };
    deliver(&mut file, &|| "a seed".into()).1.values().any(|found| *found == contents)
}

/// A changed file.
struct Mutant {
    bytes: Vec<u8>,
    what: Vec<String>,
    /// What the buffers hold that nothing was done to.
    untouched: Vec<Contents>,
}

impl Mutant {
    fn new(seed: &Seed, random: &mut Random) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut at = 0;
        for (range, contents) in &seed.buffers {
            if range.start > at {
                pieces.push((seed.bytes[at..range.start].to_vec(), None));
            }
            pieces.push((seed.bytes[range.clone()].to_vec(), Some(*contents)));
            at = range.end;
        }
        pieces.push((seed.bytes[at..].to_vec(), None));
        let mut in_place = true;
        let mut what = Vec::new();
        for _ in 0..1 + random.below(3) {
            let (change, moves) = change(&mut pieces, random);
            what.push(change);
            in_place &= !moves;
        }
        // Where buffers have moved or the header may not be what it was, only those count that can be found again.
        in_place &= pieces.first().is_some_and(|piece| piece.1.is_some());
        let first = pieces.iter().map(|piece| &piece.0).find(|bytes| !bytes.is_empty());
        if seed.is_old && first.is_none_or(|first| *first != seed.bytes[seed.buffers[0].0.clone()]) {
            pieces.iter_mut().for_each(|piece| piece.1 = None);
        }
        let untouched =
            pieces.iter().filter_map(|piece| piece.1).filter(|buffer| in_place || buffer.is_found);
        let untouched = untouched.map(|buffer| buffer.contents).filter(|(_, records)| *records > 0).collect();
        let bytes = pieces.into_iter().flat_map(|piece| piece.0).collect();
        Self { bytes, what, untouched }
    }

    /// Reads it, and gives the steps that took and the memory.
    fn check(&self, seed: &Seed, number: u64) -> (u64, usize) {
        let context = || format!("mutant {number} of {}: {}", seed.name, self.what.join(", "));
        let len = self.bytes.len() as u64;
        let read = Arc::new(AtomicU64::new(0));
        let source = Counted { bytes: Cursor::new(&self.bytes), read: Arc::clone(&read) };
        let before = NOW.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let mut limits = Limits::default();
        limits.decompressed_bytes = LARGEST;
        let options = FileOptions::new().allow_missing_header(true).max_held_bytes(HELD).limits(limits);
        let Ok(mut file) = options.from_reader(source) else {
            assert!(self.untouched.is_empty(), "{}: no trace", context());
            return (0, 0);
        };
        let (steps, found) = deliver(&mut file, &context);
        let memory = PEAK.load(Ordering::Relaxed) - before - found.len() * 64;
        let work = check::work(&file) + read.load(Ordering::Relaxed) + steps;
        assert!(work <= len * WORK_PER_BYTE + WORK_AT_LEAST, "{}: {work} steps for {len} bytes", context());
        assert!(memory <= MOST_MEMORY, "{}: {memory} bytes of memory", context());
        let accounting = file.accounting();
        assert_eq!((accounting.total(), accounting.unread), (len, 0), "{}: {accounting:?}", context());
        let mut there: BTreeMap<Contents, usize> = BTreeMap::new();
        found.values().for_each(|contents| *there.entry(*contents).or_default() += 1);
        for contents in &self.untouched {
            let left = there.get_mut(contents).filter(|left| **left > 0);
            *left.unwrap_or_else(|| {
                panic!(
                    "{}: {} records are not delivered: {:?}",
                    context(),
                    contents.1,
                    file.damage().entries()
                )
            }) -= 1;
        }
        (work, memory)
    }
}

/// How many steps it takes to the end, and the contents of each buffer by its place.
fn deliver(file: &mut EtlFile<'_>, context: &dyn Fn() -> String) -> (u64, BTreeMap<u64, Contents>) {
    let mut found: BTreeMap<u64, Contents> = BTreeMap::new();
    let mut steps = 0;
    loop {
        steps += 1;
        match file.advance() {
            Ok(Step::Event(event, delivery)) => {
                let contents = found.entry(delivery.buffer().offset().get()).or_default();
                add(contents, event.record().bytes());
            }
            Ok(Step::Buffer(_)) => {}
            Ok(Step::End(_)) => return (steps, found),
            Ok(Step::NeedInput { .. }) => panic!("{}: a file waits for nothing", context()),
            Err(error) => panic!("{}: {error}", context()),
        }
    }
}

/// Some bytes of a file, and the buffer that they are, if they are one.
type Piece = (Vec<u8>, Option<Buffer>);

/// Does something to a file, and says what, and whether that moves other bytes. What is touched is no longer known to hold
/// anything.
fn change(pieces: &mut Vec<Piece>, random: &mut Random) -> (String, bool) {
    let piece = random.below(pieces.len());
    let other = random.below(pieces.len());
    let len = pieces[piece].0.len();
    // Half of all changes go to headers, which is where they hurt.
    let at = if random.below(2) == 0 { random.below(len.min(72) + 1) } else { random.below(len + 1) };
    match random.below(8) {
        0 | 1 => {
            let byte = random.word() as u8;
            write(&mut pieces[piece], at, &[byte]);
            (format!("byte {at} of piece {piece} is {byte:#x}"), false)
        }
        2 | 3 => {
            let word = match random.below(4) {
                0 => 0,
                1 => u32::MAX,
                2 => random.below(0x2_0000) as u32,
                _ => random.word() as u32,
            };
            let at = at & !3;
            write(&mut pieces[piece], at, &word.to_le_bytes());
            (format!("word {at} of piece {piece} is {word:#x}"), false)
        }
        4 => {
            pieces.truncate(piece + 1);
            pieces[piece].0.truncate(at);
            pieces[piece].1 = None;
            (format!("cut at {at} of piece {piece}"), false)
        }
        5 => {
            pieces.swap(piece, other);
            (format!("pieces {piece} and {other} swapped"), true)
        }
        6 => {
            let end = (at + random.below(600)).min(len);
            pieces[piece].0.drain(at..end);
            pieces[piece].1 = None;
            (format!("{at} to {end} of piece {piece} taken out"), true)
        }
        _ => {
            let from = pieces[other].0.clone();
            let start = random.below(from.len() + 1);
            let end = (start + random.below(600)).min(from.len());
            pieces[piece].0.splice(at..at, from[start..end].iter().copied());
            pieces[piece].1 = None;
            (format!("{start} to {end} of piece {other} put in at {at} of piece {piece}"), true)
        }
    }
}

fn write(piece: &mut Piece, at: usize, bytes: &[u8]) {
    for (place, byte) in piece.0.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
    piece.1 = None;
}

/// Numbers that follow from the first one.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.word() % end.max(1) as u64) as usize
    }
}

/// Counts the bytes that are read.
struct Counted<'a> {
    bytes: Cursor<&'a Vec<u8>>,
    read: Arc<AtomicU64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read(into)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}
