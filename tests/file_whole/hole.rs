//! Traces with space behind them that was reserved and never written.

use core::sync::atomic::{AtomicU64, Ordering};
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use etweir::EtlFile;
use etweir::file::DamageKind;

use crate::support::{assert_complete, buffer, events, file};

const MIB: u64 = 1024 * 1024;
const GIB: u64 = 1024 * MIB;

/// A file that is zeros except for a few stretches, and counts what is read of it.
struct Holey {
    stretches: Vec<(u64, Vec<u8>)>,
    len: u64,
    at: u64,
    read: Arc<AtomicU64>,
}

impl Holey {
    fn new(len: u64, stretches: Vec<(u64, Vec<u8>)>) -> (Self, Arc<AtomicU64>) {
        let read = Arc::new(AtomicU64::new(0));
        (Self { stretches, len, at: 0, read: Arc::clone(&read) }, read)
    }
}

impl Read for Holey {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = into.len().min(usize::try_from(self.len - self.at).unwrap_or(usize::MAX));
        let into = &mut into[..count];
        into.fill(0);
        let end = self.at + count as u64;
        for (start, bytes) in &self.stretches {
            let (from, to) = (self.at.max(*start), end.min(start + bytes.len() as u64));
            if from < to {
                into[(from - self.at) as usize..(to - self.at) as usize]
                    .copy_from_slice(&bytes[(from - start) as usize..(to - start) as usize]);
            }
        }
        self.at = end;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Holey {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(back) => self.len.saturating_add_signed(back),
            SeekFrom::Current(on) => self.at.saturating_add_signed(on),
        };
        self.at = self.at.min(self.len);
        Ok(self.at)
    }
}

/// A trace of 1,000 buffers of two processors.
fn trace() -> Vec<u8> {
    file((0..1000).map(|number| buffer(number as u16 % 2, number + 1, [number * 2, number * 2 + 1])))
        .to_bytes()
}

#[test]
fn ten_gigabytes_behind_a_trace_are_one_tail_and_cost_samples_of_it() {
    let trace = trace();
    let written = trace.len() as u64;
    let (source, read) = Holey::new(written + 10 * GIB, vec![(0, trace)]);
    let mut file = EtlFile::from_reader(source).expect("a trace");
    assert_eq!(events(&mut file).len(), 2000);
    let accounting = assert_complete(&file);
    assert_eq!((accounting.unwritten_tail, accounting.skipped), (10 * GIB, 0));
    assert!(file.damage().is_empty());
    // 4,096 samples of 4 KiB, what begins and ends the hole, and the trace itself.
    let read = read.load(Ordering::Relaxed);
    assert!(read < 16 * MIB + 2 * MIB + 2 * written, "{read} bytes");
}

#[cfg(unix)]
#[test]
fn a_file_with_a_hole_of_ten_gigabytes_is_read_like_one_without() {
    // Elsewhere, such a file takes the space.
    use std::fs::{self, File};
    let demo = fs::read("fixtures/demo.etl").expect("the demo");
    let path = std::env::temp_dir().join(format!("etweir-hole-{}.etl", std::process::id()));
    fs::write(&path, &demo).expect("space for it");
    let extended =
        File::options().write(true).open(&path).and_then(|file| file.set_len(demo.len() as u64 + 10 * GIB));
    let opened = extended.map(|()| EtlFile::open(&path).expect("a trace"));
    fs::remove_file(&path).expect("there");
    let Ok(mut file) = opened else {
        eprintln!("skipped: no file of 10 GB can be made here");
        return;
    };
    let expected = events(&mut EtlFile::from_bytes(&demo).expect("a trace"));
    assert_eq!(events(&mut file), expected);
    assert_eq!(assert_complete(&file).unwritten_tail, 10 * GIB);
    assert!(file.damage().is_empty());
}

#[test]
fn what_was_written_inside_a_hole_is_found_if_it_is_as_long_as_two_samples_are_apart() {
    let trace = trace();
    let start = trace.len() as u64;
    // The samples of 10 GB are 2.5 MiB apart. Zeros up to half a sample more than that are missed.
    let written: Vec<u8> =
        (0..5250).flat_map(|number| buffer(0, 5000 + number, [5000 + number]).to_bytes()).collect();
    assert!(written.len() as u64 > 5 * MIB);
    for at in [3 * GIB, 7 * GIB + 12_345 * 1024] {
        let (source, read) =
            Holey::new(start + 10 * GIB, vec![(0, trace.clone()), (start + at, written.clone())]);
        let mut file = EtlFile::from_reader(source).expect("a trace");
        let found = events(&mut file);
        assert_eq!(found.len(), 2000 + 5250, "at {at}");
        let accounting = assert_complete(&file);
        assert_eq!(
            (accounting.skipped, accounting.unwritten_tail),
            (at, 10 * GIB - at - written.len() as u64)
        );
        let damage = file.damage().entries();
        assert_eq!(damage.len(), 1);
        assert_eq!((damage[0].kind, damage[0].at.get(), damage[0].len), (DamageKind::Zeroed, start, at));
        let read = read.load(Ordering::Relaxed);
        assert!(read < 64 * MIB, "{read} bytes");
    }
}

#[test]
fn the_end_of_a_hole_is_always_looked_at() {
    let trace = trace();
    let start = trace.len() as u64;
    let last = buffer(0, 5000, [5000]).to_bytes();
    for before_end in [1024, 60 * 1024] {
        let at = start + 10 * GIB - before_end;
        let (source, _) = Holey::new(start + 10 * GIB, vec![(0, trace.clone()), (at, last.clone())]);
        let mut file = EtlFile::from_reader(source).expect("a trace");
        assert_eq!(events(&mut file).last(), Some(&(0, 5000)));
        let accounting = assert_complete(&file);
        assert_eq!((accounting.skipped, accounting.unwritten_tail), (at - start, before_end - 1024));
    }
}

#[test]
fn the_beginning_of_a_hole_and_short_holes_are_read_to_the_byte() {
    let trace = trace();
    let start = trace.len() as u64;
    let last = buffer(0, 5000, [5000]).to_bytes();
    // One buffer behind almost a MiB of zeros, with a hole behind it; and one inside what is no hole yet.
    for (at, len) in [(MIB - 1024, 10 * GIB), (9 * MIB + 3, 15 * MIB)] {
        let (source, _) = Holey::new(start + len, vec![(0, trace.clone()), (start + at, last.clone())]);
        let mut file = EtlFile::from_reader(source).expect("a trace");
        assert_eq!(events(&mut file).last(), Some(&(0, 5000)), "at {at}");
        let accounting = assert_complete(&file);
        assert_eq!((accounting.skipped, accounting.unwritten_tail), (at, len - at - 1024));
    }
}

#[test]
fn a_short_stretch_between_the_samples_counts_as_unwritten() {
    // That is the price: it may take a whole file to find a single buffer.
    let trace = trace();
    let start = trace.len() as u64;
    let lost = buffer(0, 5000, [5000]).to_bytes();
    let (source, _) = Holey::new(start + 10 * GIB, vec![(0, trace), (start + 5 * GIB + 100 * 1024, lost)]);
    let mut file = EtlFile::from_reader(source).expect("a trace");
    assert_eq!(events(&mut file).len(), 2000);
    assert_eq!(assert_complete(&file).unwritten_tail, 10 * GIB);
}
