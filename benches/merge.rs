//! How fast a session merges the buffers of many processors, as a ratio to the least that any merge has to do.
//!
//! A real trace of 8 processors is repeated with shifted stamps, and its records are dealt out to more processors. All loops
//! run over the same buffers in turn, several rounds in one process, since machines differ and are noisy: only the ratio
//! within one run means something. `cargo bench --features testkit --bench merge`; `ETWEIR_BENCH_EVENTS` sets how many
//! events, `ETWEIR_BENCH_ROUNDS` how many rounds.
#![allow(clippy::indexing_slicing, reason = "a panic is how a benchmark fails")]

use core::hint::black_box;
use core::time::Duration;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use etweir::EtlReader;
use etweir::buffer::{BufferView, Records};
use etweir::record::Record;
use etweir::stream::{Options, Order, Outcome, Session, Step};
use etweir::testkit::corpus;
use etweir::trace::{BufferContext, LogFileMode};

const TRACE: &str = "etl/perfview-net452-x86-compressed.etl";
const PROCESSORS: usize = 8;
/// How many processors each processor of the trace becomes.
const FAN_OUTS: [usize; 3] = [1, 4, 16];
const BUFFER_LEN: usize = 0x1_0000;
const HEADER_LEN: usize = 72;

fn main() {
    let Some(folder) = corpus::folder("the merge benchmark") else { return };
    let trace = Trace::read(&folder.join(TRACE));
    let events = setting("ETWEIR_BENCH_EVENTS", 2_000_000);
    let rounds = setting("ETWEIR_BENCH_ROUNDS", 9);
    println!("{TRACE}, {rounds} rounds");
    for fan_out in FAN_OUTS {
        compare(&trace.dealt_out(events, fan_out), rounds);
    }
    pass_through(&trace, rounds);
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Runs the loops over the same buffers in turn and prints each as ratios to the bare ones.
fn compare(input: &Input, rounds: usize) {
    let events = input.per_processor.iter().flatten().map(|buffer| hop(buffer)).sum::<u64>();
    let bytes = input.in_order.iter().map(|buffer| buffer.len() as u64).sum::<u64>();
    println!(
        "{} processors: {} buffers, {events} events, {bytes} bytes",
        input.processors,
        input.in_order.len()
    );
    let mut orders = [Fold(0); 3];
    bare_merge::<Hop<'_>>(input, |stamp, _| orders[0].add(stamp));
    bare_merge::<Walk<'_>>(input, |stamp, _| orders[1].add(stamp));
    let unbounded = run_session(input, Options::default().order(Order::Exact), |stamp| orders[2].add(stamp));
    assert_eq!((orders, unbounded.late), ([orders[0]; 3], 0), "all merges deliver the same stamps in order");

    let mut timings = [(); 4].map(|()| Timing::default());
    for _ in 0..rounds {
        timings[0].time(|| input.in_order.iter().map(|buffer| hop(black_box(buffer))).sum());
        timings[1].time(|| sum_of_lengths::<Hop<'_>>(input));
        timings[2].time(|| sum_of_lengths::<Walk<'_>>(input));
        timings[3].time(|| {
            let mut sum = 0_u64;
            run_session_plain(input, |len| sum += len as u64);
            sum
        });
    }
    let names = ["bare walk", "bare merge, bare walk", "bare merge, checked", "session"];
    for (name, timing) in names.into_iter().zip(&timings) {
        let [best, median] = [timing.best(), timing.median()].map(|time| time.as_secs_f64() / events as f64);
        println!(
            "  {name:<22} best {:>5.1} median {:>5.1} M events/s {:>5.1} ns/event   session at {:.2} of it, median of rounds {:.2}",
            1e-6 / best,
            1e-6 / median,
            best * 1e9,
            timing.best().as_secs_f64() / timings[3].best().as_secs_f64(),
            timing.median_ratio(&timings[3]),
        );
    }
    let limit = unbounded.peak / 2;
    let bounded = run_session(input, Options::default().order(Order::Exact).max_held_bytes(limit), |_| ());
    println!(
        "  held at most {} bytes without a limit that matters; {} with a limit of {limit}, {} events late",
        unbounded.peak, bounded.peak, bounded.late,
    );
}

/// What a buffer costs from being added to being completed where no events are asked for.
fn pass_through(trace: &Trace, rounds: usize) {
    const BUFFERS: u64 = 1_000_000;
    let input = trace.dealt_out(1, 1);
    // One buffer in the cache, again and again: what is measured is the session and not the memory.
    let header: &'static [u8] = input.header.to_vec().leak();
    let buffer: &'static [u8] = input.in_order[0].to_vec().leak();
    let mut timing = Timing::default();
    for _ in 0..rounds {
        timing.time(|| {
            let mut session = Session::pass_through(Options::default(), |done| {
                black_box(done.buffer);
            });
            session.add(header).expect("accepted");
            for _ in 0..BUFFERS {
                session.add(buffer).expect("accepted");
                while let Step::Buffer(retiring) = session.advance(Duration::ZERO) {
                    black_box(retiring.bytes());
                }
            }
            session.stats().buffers_retired
        });
    }
    let mut threaded = Timing::default();
    for _ in 0..rounds {
        threaded.time(|| {
            let (feeder, processor) = etweir::stream::<&'static [u8]>(Options::default())
                .on_complete((), |done, ()| _ = black_box(done.buffer))
                .build();
            let feeding = thread::spawn(move || {
                feeder.add(header).expect("accepted");
                (0..BUFFERS).for_each(|_| _ = feeder.add(buffer).expect("accepted"));
            });
            let summary = processor.run().expect("processed");
            feeding.join().expect("no panic");
            summary.stats.buffers_retired
        });
    }
    let per_buffer = |time: Duration| time.as_secs_f64() * 1e9 / BUFFERS as f64;
    for (name, timing) in [("without threads", &timing), ("over the channel, two threads", &threaded)] {
        println!(
            "pass-through {name}: best {:.1}, median {:.1} ns/buffer from add to completion",
            per_buffer(timing.best()),
            per_buffer(timing.median())
        );
    }
}

/// What a run of a session showed.
struct Run {
    peak: u64,
    late: u64,
}

/// Feeds a session buffer by buffer, with a look at what it holds. For checks, not for timing.
fn run_session(input: &Input, options: Options, mut deliver: impl FnMut(i64)) -> Run {
    let mut session = Session::new(options, drop);
    let mut peak = 0;
    session.add(Arc::clone(&input.header)).expect("accepted");
    for buffer in &input.in_order {
        session.add(Arc::clone(buffer)).expect("accepted");
        peak = peak.max(session.stats().bytes_held);
        drain(&mut session, &mut deliver);
    }
    session.finish();
    assert!(drain(&mut session, &mut deliver), "the session ends");
    Run { peak, late: session.stats().events_late }
}

/// Until nothing more happens; whether the session has ended.
fn drain(session: &mut Session<Arc<[u8]>>, deliver: &mut impl FnMut(i64)) -> bool {
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, delivery) if delivery.buffer_id().0 > 0 => {
                deliver(event.time_stamp().expect("a stamp").get());
            }
            Step::Event(..) | Step::Buffer(_) => {}
            Step::NeedInput { .. } => return false,
            Step::End(outcome) => return outcome == Outcome::Finished,
        }
    }
}

/// What is timed: every event is looked at as little as in the bare loops.
fn run_session_plain(input: &Input, mut deliver: impl FnMut(usize)) {
    let mut session = Session::new(Options::default().order(Order::Exact), drop);
    session.add(Arc::clone(&input.header)).expect("accepted");
    let mut advance = |session: &mut Session<Arc<[u8]>>| {
        loop {
            match session.advance(Duration::ZERO) {
                Step::Event(event, _) => deliver(event.record().bytes().len()),
                Step::Buffer(_) => {}
                Step::NeedInput { .. } | Step::End(_) => return,
            }
        }
    };
    for buffer in &input.in_order {
        session.add(Arc::clone(buffer)).expect("accepted");
        advance(&mut session);
    }
    session.finish();
    advance(&mut session);
}

/// The least a walk can do: the size of each record, nothing else of it, with the bounds checks that safe code needs.
fn hop(buffer: &[u8]) -> u64 {
    let mut hop = Hop::in_buffer(buffer);
    let mut records = 0;
    while let Some((_, next)) = hop.head() {
        hop.at = next;
        records += 1;
    }
    records
}

/// The events of one processor, one after the other.
trait Cursor<'a> {
    fn new(buffers: &'a [Arc<[u8]>]) -> Self;
    /// Moves on and gives the stamp of the next event.
    fn step(&mut self) -> Option<i64>;
    /// The length of the present one.
    fn len(&self) -> usize;
}

/// Reads of each record nothing but size and stamp.
struct Hop<'a> {
    buffers: core::slice::Iter<'a, Arc<[u8]>>,
    valid: &'a [u8],
    at: usize,
    len: usize,
}

impl<'a> Hop<'a> {
    fn in_buffer(valid: &'a [u8]) -> Self {
        Self { buffers: [].iter(), valid, at: HEADER_LEN, len: 0 }
    }

    /// The first eight bytes of the record, and where the next one starts.
    #[inline]
    fn head(&self) -> Option<(u64, usize)> {
        let head = u64::from_le_bytes(*self.valid.get(self.at..)?.first_chunk()?);
        // Kernel records have their size in the upper half; their header types are 1 to 4, 0x10 and 0x11.
        let header_type = (head >> 16) & 0xFF;
        let upper = header_type <= 4 || header_type & 0xFE == 0x10;
        let size = (head >> if upper { 32 } else { 0 }) & 0xFFFF;
        Some((head, (self.at + size as usize + 7) & !7))
    }
}

impl<'a> Cursor<'a> for Hop<'a> {
    fn new(buffers: &'a [Arc<[u8]>]) -> Self {
        Self { buffers: buffers.iter(), valid: &[], at: 0, len: 0 }
    }

    #[inline]
    fn step(&mut self) -> Option<i64> {
        loop {
            if let Some((head, next)) = self.head() {
                let stamp_at = self.at + if (head >> 16) & 0xFE == 0x10 { 8 } else { 16 };
                self.len = next - self.at;
                self.at = next;
                return Some(i64::from_le_bytes(*self.valid.get(stamp_at..)?.first_chunk()?));
            }
            self.valid = self.buffers.next()?;
            self.at = HEADER_LEN;
        }
    }

    fn len(&self) -> usize {
        self.len
    }
}

/// Checks and classifies each record as the session does.
struct Walk<'a> {
    buffers: core::slice::Iter<'a, Arc<[u8]>>,
    records: Option<Records<'a>>,
    record: Option<Record<'a>>,
}

impl<'a> Cursor<'a> for Walk<'a> {
    fn new(buffers: &'a [Arc<[u8]>]) -> Self {
        Self { buffers: buffers.iter(), records: None, record: None }
    }

    #[inline]
    fn step(&mut self) -> Option<i64> {
        loop {
            if let Some(Ok(record)) = self.records.as_mut().and_then(Iterator::next) {
                self.record = Some(record);
                return Some(BufferContext::default().event(record).time_stamp()?.get());
            }
            self.records = Some(BufferView::parse(self.buffers.next()?).expect("a good buffer").records());
        }
    }

    fn len(&self) -> usize {
        self.record.map_or(0, |record| record.bytes().len())
    }
}

/// The least that a merge in the order of time does: a loser tree with the keys in its nodes, which exchanges them without
/// branches, and no engine around it.
fn bare_merge<'a, C: Cursor<'a>>(input: &'a Input, mut deliver: impl FnMut(i64, usize)) {
    /// The top bit is for the sign of a difference.
    const NONE: u128 = u128::MAX >> 1;
    let mut cursors: Vec<C> = input.per_processor.iter().map(|buffers| C::new(buffers)).collect();
    let key = |stamp: Option<i64>, source: usize| {
        stamp.map_or(NONE, |stamp| u128::from(stamp as u64) << 64 | source as u128)
    };
    let leaves = cursors.len().next_power_of_two();
    let mut winners = vec![NONE; 2 * leaves];
    for (source, cursor) in cursors.iter_mut().enumerate() {
        winners[leaves + source] = key(cursor.step(), source);
    }
    let mut nodes = vec![NONE; leaves];
    for node in (1..leaves).rev() {
        let (left, right) = (winners[2 * node], winners[2 * node + 1]);
        winners[node] = left.min(right);
        nodes[node] = left.max(right);
    }
    let mut winner = winners[1];
    while winner != NONE {
        let source = winner as u64 as usize;
        let cursor = &mut cursors[source];
        deliver((winner >> 64) as u64 as i64, cursor.len());
        let mut up = key(cursor.step(), source);
        let mut at = (source + leaves) >> 1;
        while at > 0 {
            let here = nodes[at];
            // All ones if the node's key is less, and goes up.
            let mask = (here.wrapping_sub(up) as i128 >> 127) as u128;
            let exchange = (here ^ up) & mask;
            nodes[at] = here ^ exchange;
            up ^= exchange;
            at >>= 1;
        }
        winner = up;
    }
}

fn sum_of_lengths<'a, C: Cursor<'a>>(input: &'a Input) -> u64 {
    let mut sum = 0_u64;
    bare_merge::<C>(input, |_, len| sum += len as u64);
    sum
}

/// Stamps in their order, as one number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Fold(u64);

impl Fold {
    fn add(&mut self, stamp: i64) {
        self.0 = self.0.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(stamp as u64);
    }
}

/// The trace in the clear.
struct Trace {
    header: Vec<u8>,
    /// The headers and the records of each processor.
    processors: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    records: usize,
    /// From the first stamp past the last.
    span: i64,
}

/// Buffers for a session.
struct Input {
    processors: usize,
    header: Arc<[u8]>,
    /// In the order in which they were flushed.
    in_order: Vec<Arc<[u8]>>,
    per_processor: Vec<Vec<Arc<[u8]>>>,
}

impl Trace {
    fn read(path: &std::path::Path) -> Self {
        let mut reader = EtlReader::open(path).expect("a trace");
        let mut header = None;
        let mut processors = vec![(Vec::new(), Vec::new()); PROCESSORS];
        let (mut records, mut first, mut last) = (0, i64::MAX, i64::MIN);
        while let Some(buffer) = reader.next_buffer().expect("readable") {
            let view = buffer.trace_buffer().view();
            if header.is_none() {
                header = Some(view.valid_bytes().to_vec());
                continue;
            }
            let (head, list) = &mut processors[usize::from(view.header().processor_index())];
            if list.is_empty() {
                head.extend_from_slice(&view.valid_bytes()[..HEADER_LEN]);
            }
            for event in buffer.events() {
                let event = event.expect("a good record");
                let stamp = event.time_stamp().expect("a stamp").get();
                (first, last, records) = (first.min(stamp), last.max(stamp), records + 1);
                list.push(event.record().bytes().to_vec());
            }
        }
        Self { header: header.expect("a header"), processors, records, span: last - first + 1 }
    }

    /// At least so many events, those of each processor dealt out to `fan_out` of them in turn.
    fn dealt_out(&self, events: usize, fan_out: usize) -> Input {
        let processors = PROCESSORS * fan_out;
        let mut buffers: Vec<(i64, usize, Vec<u8>)> = Vec::new();
        for (processor, (head, records)) in self.processors.iter().enumerate() {
            for part in 0..fan_out {
                let number = processor + PROCESSORS * part;
                let mut open = (i64::MIN, number, buffer_of(head, number));
                let copies = 0..events.div_ceil(self.records) as i64;
                let copied = copies.flat_map(|copy| records.iter().map(move |record| (copy, record)));
                for (copy, record) in copied.skip(part).step_by(fan_out) {
                    let len = record.len().next_multiple_of(8);
                    if open.2.len() + len > BUFFER_LEN {
                        buffers
                            .push(core::mem::replace(&mut open, (i64::MIN, number, buffer_of(head, number))));
                    }
                    let at = open.2.len();
                    open.2.extend_from_slice(record);
                    open.2.resize(at + len, 0);
                    let stamp_at = at + if record[2] & 0xFE == 0x10 { 8 } else { 16 };
                    let stamp = get_i64(&open.2, stamp_at) + copy * self.span;
                    open.2[stamp_at..stamp_at + 8].copy_from_slice(&stamp.to_le_bytes());
                    open.0 = open.0.max(stamp);
                }
                buffers.push(open);
            }
        }
        // As they would have been flushed: each when its last event was there.
        buffers.sort_by_key(|(flush_time, ..)| *flush_time);
        let mut input = Input {
            processors,
            header: self.header_buffer(processors).into(),
            in_order: Vec::new(),
            per_processor: vec![Vec::new(); processors],
        };
        for (sequence, (flush_time, number, mut buffer)) in buffers.into_iter().enumerate() {
            let filled = buffer.len() as u32;
            for at in [0x00, 0x04, 0x08, 0x30] {
                buffer[at..at + 4].copy_from_slice(&filled.to_le_bytes());
            }
            buffer[0x10..0x18].copy_from_slice(&flush_time.to_le_bytes());
            buffer[0x18..0x20].copy_from_slice(&(sequence as u64 + 1).to_le_bytes());
            let buffer: Arc<[u8]> = buffer.into();
            input.in_order.push(Arc::clone(&buffer));
            input.per_processor[number].push(buffer);
        }
        input
    }

    /// The header buffer of a trace of so many processors that is neither compressed nor relogged.
    fn header_buffer(&self, processors: usize) -> Vec<u8> {
        // The log-file header lies behind the header of a SYSTEM record.
        const NUMBER_OF_PROCESSORS: usize = HEADER_LEN + 0x20 + 0x0C;
        const LOG_FILE_MODE: usize = HEADER_LEN + 0x20 + 0x20;
        let mut header = self.header.clone();
        let filled = header.len() as u32;
        header[..4].copy_from_slice(&filled.to_le_bytes());
        clear_compressed(&mut header);
        header[NUMBER_OF_PROCESSORS..][..4].copy_from_slice(&(processors as u32).to_le_bytes());
        let mode = u32::from_le_bytes(header[LOG_FILE_MODE..][..4].try_into().expect("four bytes"));
        let mode = mode & !(LogFileMode::RELOG.0 | LogFileMode::COMPRESSED.0);
        header[LOG_FILE_MODE..][..4].copy_from_slice(&mode.to_le_bytes());
        header
    }
}

/// An empty buffer of a processor.
fn buffer_of(head: &[u8], processor: usize) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(BUFFER_LEN);
    buffer.extend_from_slice(head);
    clear_compressed(&mut buffer);
    buffer[0x28..0x2A].copy_from_slice(&(processor as u16).to_le_bytes());
    buffer
}

fn clear_compressed(buffer: &mut [u8]) {
    buffer[0x34] &= !0x40;
}

fn get_i64(bytes: &[u8], at: usize) -> i64 {
    i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[derive(Default)]
struct Timing {
    rounds: Vec<Duration>,
}

impl Timing {
    fn time(&mut self, work: impl FnOnce() -> u64) {
        let start = Instant::now();
        black_box(work());
        self.rounds.push(start.elapsed());
    }

    fn best(&self) -> Duration {
        self.rounds.iter().min().copied().unwrap_or_default()
    }

    fn median(&self) -> Duration {
        let mut rounds = self.rounds.clone();
        rounds.sort();
        rounds[rounds.len() / 2]
    }

    /// The median over the rounds of this time over the other's in the same round.
    fn median_ratio(&self, other: &Self) -> f64 {
        let mut ratios: Vec<f64> =
            self.rounds.iter().zip(&other.rounds).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }
}
