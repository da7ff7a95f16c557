//! How fast a trace in memory is walked, as a ratio to the least that any walk has to do.
//!
//! All loops run over the same bytes in turn, several rounds in one process, since machines differ and are noisy: only the
//! ratio within one run means something. `cargo bench --features testkit --bench walk`.
#![allow(clippy::indexing_slicing, reason = "a panic is how a benchmark fails")]

use core::hint::black_box;
use core::time::Duration;
use std::fs;
use std::time::Instant;

use etweir::EtlReader;
use etweir::buffer::BufferView;
use etweir::testkit::corpus;
use etweir::trace::{SessionInfo, TraceBuffer};

const TRACE: &str = "etl/perfview-net45-x86.etl";
/// Past any cache.
const LEAST_BYTES: usize = 200_000_000;
/// Buffers of 64 KiB that stay in the second-level cache.
const IN_CACHE: usize = 6;
const ROUNDS: usize = 15;

fn main() {
    let Some(folder) = corpus::folder("the walk benchmark") else { return };
    let trace = fs::read(folder.join(TRACE)).expect("a readable file");
    let session = EtlReader::new(&trace[..]).expect("a trace").session();
    let memory = trace.repeat(LEAST_BYTES.div_ceil(trace.len()));
    println!("{TRACE}, {ROUNDS} rounds");
    compare("from memory", &buffers(&memory), 1, session);
    // What the processor itself costs shows only where memory does not hide it.
    let few: Vec<&[u8]> = buffers(&trace).into_iter().skip(1).take(IN_CACHE).collect();
    compare("in cache", &few, 4000, session);
}

/// Runs the loops over the same buffers in turn and prints each as a ratio to the bare one.
fn compare(name: &str, buffers: &[&[u8]], repeat: usize, session: SessionInfo) {
    let times = u64::try_from(repeat).expect("small");
    let records = times * buffers.iter().map(|buffer| hop(buffer)).sum::<u64>();
    let bytes = times * buffers.iter().map(|buffer| buffer.len() as u64).sum::<u64>();
    println!("{name}: {} buffers, {records} records, {bytes} bytes a round", buffers.len());
    let (mut bare, mut checked, mut events) = (Timing::default(), Timing::default(), Timing::default());
    let all = |walk: &dyn Fn(&[u8]) -> u64| {
        (0..repeat).flat_map(|_| buffers).map(|buffer| walk(black_box(buffer))).fold(0, u64::wrapping_add)
    };
    for _ in 0..ROUNDS {
        bare.time(|| all(&hop));
        checked.time(|| all(&walk_records));
        events.time(|| all(&|buffer| walk_events(buffer, session)));
    }
    for (name, timing) in
        [("bare hop over sizes", &bare), ("records, checked", &checked), ("events, normalised", &events)]
    {
        let seconds = timing.best.as_secs_f64();
        println!(
            "  {name:<20} {:>6.1} M events/s {:>6.2} GB/s {:>5.1} ns/event   ratio to bare: best {:.2}, median of rounds {:.2}",
            count(records) / seconds / 1e6,
            count(bytes) / seconds / 1e9,
            seconds * 1e9 / count(records),
            seconds / bare.best.as_secs_f64(),
            timing.median_ratio(&bare),
        );
    }
}

/// The buffers of a file without compression: each says how long it is.
fn buffers(mut memory: &[u8]) -> Vec<&[u8]> {
    let mut buffers = Vec::new();
    while !memory.is_empty() {
        let size = u32::from_le_bytes(memory[..4].try_into().expect("four bytes"));
        let (buffer, rest) = memory.split_at(size as usize);
        buffers.push(buffer);
        memory = rest;
    }
    buffers
}

/// The least a walk can do: the size of each record, nothing else of it, with the same bounds checks that safe code needs.
fn hop(buffer: &[u8]) -> u64 {
    let filled = u32::from_le_bytes(buffer[0x30..0x34].try_into().expect("four bytes")) as usize;
    let valid = &buffer[..filled];
    let (mut at, mut records) = (72, 0);
    while let Some(head) = valid.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let head = u64::from_le_bytes(*head);
        // Kernel records have their size in the upper half; their header types are 1 to 4, 0x10 and 0x11.
        let header_type = (head >> 16) & 0xFF;
        let upper = header_type <= 4 || header_type & 0xFE == 0x10;
        let size = (head >> if upper { 32 } else { 0 }) & 0xFFFF;
        at = (at + size as usize + 7) & !7;
        records += 1;
    }
    records
}

fn walk_records(buffer: &[u8]) -> u64 {
    let view = BufferView::parse(buffer).expect("a good buffer");
    view.records().flatten().map(|record| record.payload().len() as u64).sum()
}

/// All that most consumers want of each event: time stamp, ids, provider and payload.
fn walk_events(buffer: &[u8], session: SessionInfo) -> u64 {
    let buffer = TraceBuffer::new(BufferView::parse(buffer).expect("a good buffer"), session);
    let mut sum = 0_u64;
    for event in buffer.events().flatten() {
        let stamp = event.time_stamp().map_or(0, |stamp| stamp.get() as u64);
        let provider = u128::from_le_bytes(event.provider_id().to_bytes());
        let ids = u64::from(event.id()) ^ u64::from(event.opcode()) ^ u64::from(event.version());
        let payload = event.user_data();
        // The address keeps the compiler from dropping the slice; its bytes are the consumer's business.
        let payload = payload.as_ptr().addr() as u64 ^ payload.len() as u64;
        sum = sum.wrapping_add(stamp ^ provider as u64 ^ (provider >> 64) as u64 ^ ids ^ payload);
    }
    sum
}

#[derive(Default)]
struct Timing {
    rounds: Vec<Duration>,
    best: Duration,
}

impl Timing {
    fn time(&mut self, work: impl Fn() -> u64) {
        let start = Instant::now();
        black_box(work());
        let taken = start.elapsed();
        self.best = if self.rounds.is_empty() { taken } else { self.best.min(taken) };
        self.rounds.push(taken);
    }

    /// The median over the rounds of this time over the other's in the same round.
    fn median_ratio(&self, other: &Self) -> f64 {
        let mut ratios: Vec<f64> =
            self.rounds.iter().zip(&other.rounds).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}

fn count(value: u64) -> f64 {
    value as f64
}
