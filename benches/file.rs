//! How fast a file is read whole and in the order of time, as ratios to the least that any walk, merge and expansion of the
//! same bytes in memory have to do.
//!
//! A real trace of 8 processors is made a gigabyte long (`examples/repeat_trace.rs` does the same), its records dealt out to
//! more processors. Every loop runs over the same events in turn, several rounds in one process, since machines differ and
//! are noisy: only the ratio within one run means something. Memory is what the allocator gave out at most while a file was
//! read. `cargo bench --features testkit --bench file`; `ETWEIR_BENCH_BYTES` sets how long the trace is, `ETWEIR_BENCH_ROUNDS`
//! how many rounds. It needs twice those bytes of memory, and of space in the target folder.
#![allow(clippy::indexing_slicing, reason = "a panic is how a benchmark fails")]
#![allow(unsafe_code, reason = "a counting allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::hint::black_box;
use core::ops::ControlFlow;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::System;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Instant;

use etweir::codec::{Format, decompress};
use etweir::testkit::corpus;
use etweir::{EtlFile, FileOptions, FileTime, Offset};

#[path = "support/bare.rs"]
mod bare;
#[path = "../examples/support/repeat.rs"]
mod repeat;
#[path = "support/timing.rs"]
mod timing;

use bare::{Cursor as _, HEADER_LEN, Hop, bare_merge, hop};
use repeat::{Repeat, Repeated, repeat};
use timing::Timing;

const TRACE: &str = "etl/perfview-net452-x86-compressed.etl";

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

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let Some(folder) = corpus::folder("the benchmark of files") else { return };
    let bytes = setting("ETWEIR_BENCH_BYTES", 1_000_000_000);
    let rounds = setting("ETWEIR_BENCH_ROUNDS", 5);
    println!("{TRACE}, repeated to {bytes} bytes, {rounds} rounds");
    for (fan_out, compressed) in [(1, false), (4, false), (16, false), (1, true)] {
        let long = Long::make(&folder.join(TRACE), Repeat { bytes, fan_out, compressed });
        long.compare(rounds);
    }
}

fn setting<T: core::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).map_or(default, |text| text.parse().ok().expect("a number"))
}

/// The long trace, as a file and in memory.
struct Long {
    path: PathBuf,
    made: Repeated,
    compressed: bool,
    memory: Vec<u8>,
}

impl Drop for Long {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Long {
    fn make(trace: &Path, wanted: Repeat) -> Self {
        let name = format!("long-{}-{}-{}.etl", wanted.fan_out, wanted.compressed, std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut output = BufWriter::new(File::create(&path).expect("a writable folder"));
        let made = repeat(File::open(trace).expect("a file"), &mut output, wanted).expect("a trace");
        drop(output);
        let memory = fs::read(&path).expect("a readable file");
        Self { path, made, compressed: wanted.compressed, memory }
    }

    fn compare(&self, rounds: usize) {
        let Repeated { processors, events, bytes, stored, buffers, .. } = self.made;
        println!(
            "{processors} processors{}: {buffers} buffers, {events} events, {bytes} bytes, {stored} in the file",
            if self.compressed { ", compressed" } else { "" }
        );
        let stored = self.stored();
        let expanded: Vec<Vec<u8>> =
            if self.compressed { stored.iter().map(|buffer| expand(buffer)).collect() } else { Vec::new() };
        let plain: Vec<&[u8]> = if self.compressed {
            expanded.iter().map(|buffer| &buffer[..]).collect()
        } else {
            stored.clone()
        };
        let of_processors: Vec<Vec<&[u8]>> = (0..processors)
            .map(|processor| {
                plain.iter().copied().filter(|buffer| processor_of(buffer) == processor).collect()
            })
            .collect();
        self.check(&of_processors);

        let mut times = [(); 6].map(|()| Timing::default());
        let mut peaks = [0; 2];
        let mut scratch = vec![0; 1 << 20];
        for _ in 0..rounds {
            times[0].time(|| plain.iter().map(|buffer| hop(black_box(buffer))).sum());
            times[1].time(|| {
                let mut sum = 0_u64;
                let cursors = of_processors.iter().map(|buffers| Hop::new(buffers.iter().copied()));
                bare_merge(cursors.collect(), |_, len| sum += len as u64);
                sum
            });
            if self.compressed {
                times[2].time(|| stored.iter().map(|buffer| expand_into(buffer, &mut scratch)).sum());
            }
            times[3].time(|| self.open(0).index().expect("an index"));
            for (threads, (time, peak)) in times[4..].iter_mut().zip(&mut peaks).enumerate() {
                let before = NOW.load(Ordering::Relaxed);
                PEAK.store(before, Ordering::Relaxed);
                time.time(|| self.read(threads));
                *peak = PEAK.load(Ordering::Relaxed) - before;
            }
        }
        let print = |name: &str, time: &Timing, more: &str| {
            let [best, median] = [time.best(), time.median()].map(|time| time.as_secs_f64());
            println!(
                "  {name:<34} best {:>5.1} median {:>5.1} M events/s {:>5.2} GB/s {more}",
                events as f64 / best / 1e6,
                events as f64 / median / 1e6,
                bytes as f64 / best / 1e9,
            );
        };
        print("bare walk, in memory", &times[0], "");
        print("bare merge, in memory", &times[1], "");
        let mut least = ("the bare merge", &times[1]);
        let both = times[1].plus(&times[2]);
        if self.compressed {
            print("expansion alone, in memory", &times[2], "");
            least = ("expansion and bare merge, one after the other", &both);
        }
        print("index of the file", &times[3], &format!("{:.1} ms", times[3].best().as_secs_f64() * 1e3));
        for ((name, time), peak) in
            [("file, no threads", &times[4]), ("file, one thread more", &times[5])].iter().zip(peaks)
        {
            let ratio =
                |to: &Timing| (to.best().as_secs_f64() / time.best().as_secs_f64(), to.median_ratio(time));
            let ((walk, walk_median), (merge, merge_median)) = (ratio(&times[0]), ratio(least.1));
            print(
                name,
                time,
                &format!(
                    "peak {:.1} MiB; {walk:.2} of the bare walk, median of rounds {walk_median:.2}; {merge:.2} of {}, median of rounds {merge_median:.2}",
                    peak as f64 / 1048576.0,
                    least.0,
                ),
            );
        }
        self.window();
    }

    /// Whether the file delivers the stamps of the bare merge, in the same order.
    fn check(&self, of_processors: &[Vec<&[u8]>]) {
        let mut bare = Fold(0);
        let cursors = of_processors.iter().map(|buffers| Hop::new(buffers.iter().copied())).collect();
        bare_merge(cursors, |stamp, _| bare.add(stamp));
        for threads in [0, 1] {
            let mut file = self.open(threads);
            let mut whole = Fold(0);
            let run = file.on_event(|event, delivery| {
                if delivery.buffer().offset() > Offset(0) {
                    whole.add(event.time_stamp().expect("a stamp").get());
                }
                ControlFlow::Continue(())
            });
            run.run().expect("readable");
            assert!(whole == bare, "the file delivers the same stamps in the same order");
            assert_eq!(file.accounting().unread, 0);
            assert!(file.damage().is_empty());
        }
    }

    fn open(&self, threads: usize) -> EtlFile<'static> {
        FileOptions::new().threads(threads).open(&self.path).expect("a trace")
    }

    fn read(&self, threads: usize) -> u64 {
        let mut file = self.open(threads);
        let mut sum = 0_u64;
        while let Some(event) = file.next_event().expect("readable") {
            sum += event.record().bytes().len() as u64;
        }
        sum
    }

    /// A second out of the middle of the trace, once the index is there.
    fn window(&self) {
        let mut file = self.open(0);
        file.index().expect("an index");
        let clock = file.session().clock();
        let header = file.header().expect("a header");
        let first = clock.to_file_time(header.time_stamp).expect("a clock").get();
        let middle = first + (header.end_time.get() - first) / 2;
        let start = Instant::now();
        file.restart(Some(FileTime(middle)), Some(FileTime(middle + 10_000_000)));
        let mut events = 0_u64;
        while file.next_event().expect("readable").is_some() {
            events += 1;
        }
        println!(
            "  one second out of {:.0}: {events} events in {:.1} ms",
            (header_end(&file) - first) as f64 / 1e7,
            start.elapsed().as_secs_f64() * 1e3
        );
    }

    /// The data buffers as they are stored; those that are not compressed without what follows their records.
    fn stored(&self) -> Vec<&[u8]> {
        let mut buffers = Vec::new();
        let mut rest = &self.memory[..];
        while !rest.is_empty() {
            let (buffer, behind) = rest.split_at(u32_at(rest, 0));
            buffers.push(if self.compressed { buffer } else { &buffer[..u32_at(buffer, 0x30)] });
            rest = behind;
        }
        buffers.split_off(1)
    }
}

fn header_end(file: &EtlFile<'_>) -> i64 {
    file.header().map_or(0, |header| header.end_time.get())
}

/// Stamps in their order, as one number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Fold(u64);

impl Fold {
    fn add(&mut self, stamp: i64) {
        self.0 = self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(stamp as u64);
    }
}

fn expand(buffer: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; u32_at(buffer, 0x30)];
    bytes[..HEADER_LEN].copy_from_slice(&buffer[..HEADER_LEN]);
    expand_into(buffer, &mut bytes);
    bytes
}

fn expand_into(buffer: &[u8], into: &mut [u8]) -> u64 {
    let filled = u32_at(buffer, 0x30);
    let made = decompress(Format::Xpress, &buffer[HEADER_LEN..], &mut into[HEADER_LEN..filled]);
    made.expect("good data") as u64
}

fn processor_of(buffer: &[u8]) -> u16 {
    u16::from_le_bytes([buffer[0x28], buffer[0x29]])
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}
