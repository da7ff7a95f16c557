//! The heart of a session: holds buffers, merges their events by time, retires them in the order of their arrival.
//!
//! ```text
//! enqueue -> resident -> source of its stream -> loser tree -> due (watermark) -> event
//!                |                                                                  |
//!                +-- arrival order: the first that has no events left is retired <--+
//! ```
//!
//! Buffers of one stream follow each other in time, so only the first of them has a leaf in the tree. One that overlaps
//! its predecessor gets a leaf of its own.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hint::black_box;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::buffer::{BufferFlags, RecordWalk};
use crate::codec::Format;
use crate::error::Offset;
use crate::guid::Guid;
use crate::merge::{Key, LoserTree};
use crate::record::{Record, RecordKind, RecordSpan};
use crate::stream::admission::Accepted;
use crate::stream::options::Options;
use crate::stream::release::Release;
use crate::stream::slot::{BufferOutcome, Completer, Slot};
use crate::stream::stats::Stats;
use crate::time::Ticks;
use crate::trace::{Expander, LogFileHeader, LogFileMode, PartitionInformation, last_dropped_times};

/// The engine. No threads, clocks or files.
#[derive(Debug)]
pub(super) struct Engine<B> {
    options: Options,
    wants_events: bool,
    completer: Arc<Completer<B>>,
    cancelled: Arc<AtomicBool>,
    expander: Expander,
    header: Option<LogFileHeader>,
    partition: Option<PartitionInformation>,
    last_dropped: Vec<Ticks>,
    residents: Vec<Option<Resident<B>>>,
    free: Vec<usize>,
    arrivals: VecDeque<usize>,
    sources: Vec<VecDeque<usize>>,
    /// The first of each source that has one, where all of them fit into few cache lines.
    fronts: Vec<usize>,
    spare_sources: Vec<usize>,
    tree: LoserTree,
    streams: BTreeMap<(u16, u16), Stream>,
    release: Release,
    /// The resident whose event was handed out last and has not moved on.
    current: Option<usize>,
    /// The resident that was handed out to be retired.
    retiring: Option<usize>,
    /// The first arrival may have no events left.
    retire_first: bool,
    /// The latest stamp among the delivered events.
    latest: i64,
    highest_sequence: Option<i64>,
    closed: bool,
    ended: Option<Outcome>,
    stats: Stats,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything that was accepted was delivered: ERROR_SUCCESS.
    Finished,
    /// A callback or the caller cancelled it: ERROR_CANCELLED.
    Cancelled,
}

impl Outcome {
    /// The Win32 code.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Finished => 0,
            Self::Cancelled => 1223,
        }
    }
}

/// A buffer that is held, and where the walk over it stands.
#[derive(Debug)]
struct Resident<B> {
    slot: Arc<Slot<B>>,
    walk: RecordWalk,
    /// The next record, if there is one.
    next: Option<RecordSpan>,
    /// Its own stamp.
    stamp: Option<i64>,
    /// The time that it counts as: never less than that of its predecessor, never more than `cap`.
    time: i64,
    cap: i64,
    source: usize,
    is_header: bool,
    bytes: u64,
    /// Up to where the walk's bytes have been read ahead.
    ahead: usize,
}

/// What is known of the buffers of one processor and class.
#[derive(Clone, Copy, Debug)]
struct Stream {
    source: usize,
    /// Everything up to this time has arrived.
    horizon: i64,
    /// No event of its buffers counts as later.
    bound: i64,
}

/// What the engine does next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    Event(usize),
    Buffer(usize),
    NeedInput { until: Option<Duration> },
    End(Outcome),
}

/// An event that is handed out: where it is, and what goes with it.
#[derive(Debug)]
pub(super) struct Handed<'a, B> {
    pub(super) slot: &'a Arc<Slot<B>>,
    pub(super) span: RecordSpan,
    pub(super) stats: &'a Stats,
    pub(super) cancelled: &'a AtomicBool,
}

impl<B: AsRef<[u8]>> Engine<B> {
    pub(super) fn new(
        options: Options,
        wants_events: bool,
        completer: Arc<Completer<B>>,
        cancelled: Arc<AtomicBool>,
    ) -> Self {
        Self {
            expander: Expander::new(None, &options.limits),
            release: Release::new(&options),
            options,
            wants_events,
            completer,
            cancelled,
            header: None,
            partition: None,
            last_dropped: Vec::new(),
            residents: Vec::new(),
            free: Vec::new(),
            arrivals: VecDeque::new(),
            sources: Vec::new(),
            fronts: Vec::new(),
            spare_sources: Vec::new(),
            tree: LoserTree::default(),
            streams: BTreeMap::new(),
            current: None,
            retiring: None,
            retire_first: false,
            latest: i64::MIN,
            highest_sequence: None,
            closed: false,
            ended: None,
            stats: Stats::default(),
        }
    }

    pub(super) const fn header(&self) -> Option<&LogFileHeader> {
        self.header.as_ref()
    }

    pub(super) const fn partition(&self) -> Option<&PartitionInformation> {
        self.partition.as_ref()
    }

    pub(super) fn last_dropped(&self) -> &[Ticks] {
        &self.last_dropped
    }

    pub(super) const fn stats(&self) -> &Stats {
        &self.stats
    }

    pub(super) const fn cancelled(&self) -> &Arc<AtomicBool> {
        &self.cancelled
    }

    /// How it ended, if it did.
    pub(super) const fn outcome(&self) -> Option<Outcome> {
        self.ended
    }

    /// No buffer will follow.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.release.everything();
    }

    /// Takes over an accepted buffer.
    pub(super) fn enqueue(&mut self, buffer: B, accepted: Accepted) {
        self.completer.add_one();
        self.move_on();
        if let Some(header) = accepted.header.clone() {
            self.begin(header);
        }
        self.count(&accepted);
        let mut filled = accepted.filled;
        let expanded = match accepted.compressed {
            Some(format) if self.wants_events => {
                let expanded = self.expand(buffer.as_ref(), format);
                filled = expanded.len();
                Some(expanded)
            }
            _ => None,
        };
        let held = buffer.as_ref().len().saturating_add(expanded.as_ref().map_or(0, |bytes| bytes.len()));
        let Accepted { id, context, is_header, flush_time, .. } = accepted;
        let slot = Slot::new(buffer, expanded, filled, context, id, &self.completer);
        let shapes = context.session().layout().shapes();
        let valid_len = slot.valid().len();
        let mut resident = Resident {
            walk: RecordWalk::new(valid_len, filled, shapes),
            slot,
            next: None,
            stamp: None,
            time: i64::MIN,
            cap: if is_header { i64::MIN } else { i64::MAX },
            source: 0,
            is_header,
            bytes: Offset::from(held).get(),
            ahead: 0,
        };
        if is_header {
            self.look_around(&resident);
        }
        self.stats.bytes_held = self.stats.bytes_held.saturating_add(resident.bytes);
        self.stats.buffers_held = self.stats.buffers_held.saturating_add(1);
        if self.wants_events {
            if !is_header {
                let reach = self.reach(&mut resident, flush_time);
                self.place(&accepted, &mut resident, reach);
            }
            step(&mut resident, &mut self.stats);
        }
        let index = self.keep(resident, &accepted);
        self.arrivals.push_back(index);
        self.retire_first = true;
        self.check_pressure();
    }

    /// What happens next. What was handed out before counts as dealt with.
    #[inline]
    pub(super) fn decide(&mut self, now: Duration) -> Decision {
        // Every turn delivers, retires or passes over something, or ends.
        loop {
            self.move_on();
            if self.retiring.is_some() {
                self.retire();
            }
            if let Some(outcome) = self.ended {
                return Decision::End(outcome);
            }
            if self.cancelled.load(Ordering::Relaxed) {
                self.abandon();
                self.ended = Some(Outcome::Cancelled);
                return Decision::End(Outcome::Cancelled);
            }
            if self.retire_first
                && let Some(first) = self.exhausted_first()
            {
                return Decision::Buffer(first);
            }
            match self.tree.winner() {
                Some((key, source)) if self.release.is_due(key.time()) => {
                    let Some(&index) = self.fronts.get(source) else {
                        return Decision::End(Outcome::Finished);
                    };
                    self.current = Some(index);
                    if self.passes_filter(index) {
                        return Decision::Event(index);
                    }
                    self.stats.events_filtered = self.stats.events_filtered.saturating_add(1);
                }
                winner => {
                    if let Some(decision) = self.wait_or_end(winner.is_some(), now) {
                        return decision;
                    }
                }
            }
        }
    }

    /// An event that was decided on, which counts as delivered.
    #[inline]
    pub(super) fn event(&mut self, index: usize) -> Option<Handed<'_, B>> {
        let resident = self.residents.get(index)?.as_ref()?;
        let span = resident.next?;
        self.stats.events_delivered = self.stats.events_delivered.wrapping_add(1);
        if let (Some(stamp), false) = (resident.stamp, resident.is_header) {
            if stamp < self.latest {
                self.stats.events_late = self.stats.events_late.saturating_add(1);
                let late = self.latest.saturating_sub(stamp);
                self.stats.most_late = self.stats.most_late.max(late);
                self.release.grow(late);
            } else {
                // What the merge took it for: a stamp far in the future makes nothing that follows late.
                self.latest = self.latest.max(resident.time.min(stamp));
                self.stats.last_delivered = Some(Ticks(stamp));
            }
        }
        Some(Handed { slot: &resident.slot, span, stats: &self.stats, cancelled: &self.cancelled })
    }

    /// The slot of a resident.
    #[inline]
    pub(super) fn slot(&self, index: usize) -> Option<&Arc<Slot<B>>> {
        Some(&self.residents.get(index)?.as_ref()?.slot)
    }

    /// Counts a buffer as retired, whose callback is about to run.
    pub(super) fn begin_retiring(&mut self, index: usize) {
        self.retiring = Some(index);
        self.stats.buffers_retired = self.stats.buffers_retired.saturating_add(1);
    }

    /// Gives up everything that is held.
    pub(super) fn abandon(&mut self) {
        self.current = None;
        // A buffer whose callback ran has had its events; the callback that cancelled is the last one.
        if let Some(retiring) = self.retiring.take() {
            self.set_over(retiring);
            self.forget(retiring);
        }
        while let Some(index) = self.arrivals.pop_front() {
            self.forget(index);
        }
        self.tree = LoserTree::default();
        self.sources.clear();
        self.fronts.clear();
        self.ended.get_or_insert(Outcome::Cancelled);
    }

    /// Lets go of a resident.
    fn forget(&mut self, index: usize) {
        let Some(resident) = self.residents.get_mut(index).and_then(Option::take) else { return };
        self.free.push(index);
        self.stats.bytes_held = self.stats.bytes_held.saturating_sub(resident.bytes);
        self.stats.buffers_held = self.stats.buffers_held.saturating_sub(1);
        Slot::release(resident.slot);
        self.stats.completion_panics = self.completer.panics();
        self.stats.buffers_retained = self.completer.live().saturating_sub(self.stats.buffers_held);
    }

    /// The buffer that was handed out to be retired has had its callback.
    fn retire(&mut self) {
        let Some(index) = self.retiring.take() else { return };
        self.arrivals.pop_front();
        self.set_over(index);
        self.forget(index);
        self.retire_first = true;
        self.release.pressure = false;
        self.check_pressure();
    }

    /// The callback of a buffer ran.
    fn set_over(&self, index: usize) {
        let outcome = if self.wants_events { BufferOutcome::Delivered } else { BufferOutcome::Passed };
        if let Some(slot) = self.slot(index) {
            slot.set_outcome(outcome);
        }
    }

    /// The first arrival, if it has no events left.
    fn exhausted_first(&mut self) -> Option<usize> {
        self.retire_first = false;
        let index = *self.arrivals.front()?;
        let resident = self.residents.get(index)?.as_ref()?;
        resident.next.is_none().then_some(index)
    }

    /// Nothing is due: the end, or the wait for input, or after long silence neither.
    #[cold]
    fn wait_or_end(&mut self, holds: bool, now: Duration) -> Option<Decision> {
        if self.closed && !holds && self.arrivals.is_empty() {
            self.ended = Some(Outcome::Finished);
            return Some(Decision::End(Outcome::Finished));
        }
        let until = self.release.idle_at(now);
        match until {
            Some(until) if holds && now >= until => {
                self.release.everything_for_now();
                self.stats.idle_releases = self.stats.idle_releases.saturating_add(1);
                None
            }
            until => Some(Decision::NeedInput { until: until.filter(|_| holds) }),
        }
    }

    /// Moves the source of the event that was handed out last to its next record.
    #[inline]
    fn move_on(&mut self) {
        let Some(index) = self.current.take() else { return };
        let Some(Some(resident)) = self.residents.get_mut(index) else { return };
        step(resident, &mut self.stats);
        if resident.next.is_some() {
            let key = Key::new(resident.time, resident.slot.id().0);
            self.tree.advance(key);
        } else {
            let source = resident.source;
            self.next_of_source(source);
        }
    }

    /// The first buffer of a source has no events left: the next one takes its place.
    #[cold]
    fn next_of_source(&mut self, source: usize) {
        self.retire_first = true;
        let Some(queue) = self.sources.get_mut(source) else { return };
        queue.pop_front();
        let mut key = Key::NONE;
        // Ends: each turn takes one from the queue.
        while let Some(&index) = queue.front() {
            match self.residents.get(index).and_then(Option::as_ref) {
                Some(resident) if resident.next.is_some() => {
                    key = Key::new(resident.time, resident.slot.id().0);
                    if let Some(front) = self.fronts.get_mut(source) {
                        *front = index;
                    }
                    break;
                }
                _ => drop(queue.pop_front()),
            }
        }
        if queue.is_empty() && !self.streams.values().any(|stream| stream.source == source) {
            self.spare_sources.push(source);
        }
        self.tree.advance(key);
    }

    /// The header of the stream is known.
    fn begin(&mut self, header: LogFileHeader) {
        self.release.begin(&header, &self.options);
        self.header = Some(header);
    }

    /// Takes note of what the records of a header buffer tell beside the log-file header.
    #[cold]
    fn look_around(&mut self, resident: &Resident<B>) {
        let mut walk = resident.walk.clone();
        while let Some(step) = walk.next(resident.slot.valid()) {
            let Ok(record) = step else { continue };
            if let Some(partition) = PartitionInformation::parse(&record) {
                self.partition.get_or_insert(partition);
            }
            if let Some(times) = last_dropped_times(&record) {
                self.last_dropped = times;
            }
        }
    }

    /// How far a buffer reaches: its flush time, or where that is no time of the events' clock, the time of its last event.
    fn reach(&mut self, resident: &mut Resident<B>, flush_time: Ticks) -> i64 {
        let relogged =
            self.header.as_ref().is_some_and(|header| header.log_file_mode.contains(LogFileMode::RELOG));
        // One stamp that it can be the end of is enough: the others may be damaged.
        let mut stamps = stamps(resident).peekable();
        let plausible = stamps.peek().is_none() || stamps.any(|stamp| plausible_flush(stamp, flush_time.0));
        drop(stamps);
        if !relogged && plausible {
            resident.cap = flush_time.0;
            return flush_time.0;
        }
        // Without any stamp it tells nothing, least of all by a flush time of another clock.
        let last = last_time(resident).unwrap_or(i64::MIN);
        resident.cap = last;
        last
    }

    /// Finds the source for a buffer and takes note of how far its stream has come.
    fn place(&mut self, accepted: &Accepted, resident: &mut Resident<B>, reach: i64) {
        let processor = if self.release.single_stream { 0 } else { accepted.context.processor_index() };
        let key = (processor, accepted.class);
        // What has no stamp at the start of a buffer counts as the first that has one.
        let first = first_stamp(resident).unwrap_or(resident.cap).min(resident.cap);
        resident.time = first;
        let source = match self.streams.get_mut(&key) {
            Some(stream) => {
                stream.horizon = stream.horizon.max(reach);
                let follows = first >= stream.bound;
                let source = stream.source;
                if follows {
                    stream.bound = reach.max(first);
                }
                if follows { source } else { self.spare_source() }
            }
            None => {
                let source = self.spare_source();
                self.streams.insert(key, Stream { source, horizon: reach, bound: reach });
                source
            }
        };
        resident.source = source;
        let horizon = self.streams.values().map(|stream| stream.horizon).min();
        let processors = self.streams.keys().map(|(processor, _)| *processor);
        let announced = self.release.processors;
        let seen = {
            let mut last = None;
            processors
                .filter(|processor| last.replace(*processor) != Some(*processor) && *processor < announced)
                .count()
        };
        let all_spoke = seen >= usize::from(announced);
        let marker = BufferFlags(accepted.flags).contains(BufferFlags::FLUSH_MARKER);
        self.release.input(horizon.filter(|_| all_spoke), reach, marker);
    }

    /// A source that no stream uses.
    fn spare_source(&mut self) -> usize {
        self.spare_sources.pop().unwrap_or_else(|| {
            self.sources.push(VecDeque::new());
            self.fronts.push(0);
            self.sources.len().saturating_sub(1)
        })
    }

    /// Puts a resident where it can be found, and its first event into the tree.
    fn keep(&mut self, mut resident: Resident<B>, accepted: &Accepted) -> usize {
        if accepted.is_header && self.wants_events {
            resident.source = self.spare_source();
        }
        let key = resident.next.map(|_| Key::new(resident.time, accepted.id.0));
        let source = resident.source;
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.residents.push(None);
                self.residents.len().saturating_sub(1)
            }
        };
        if let Some(place) = self.residents.get_mut(index) {
            *place = Some(resident);
        }
        if let (Some(key), Some(queue)) = (key, self.sources.get_mut(source)) {
            queue.push_back(index);
            if queue.len() == 1 {
                if let Some(front) = self.fronts.get_mut(source) {
                    *front = index;
                }
                self.tree.set(source, key);
            }
        } else if self.wants_events && !self.streams.values().any(|stream| stream.source == source) {
            self.spare_sources.push(source);
        }
        index
    }

    /// The records of a compressed buffer behind its header; only the header if they do not expand.
    fn expand(&mut self, bytes: &[u8], format: Format) -> Box<[u8]> {
        self.expander.prefer(format);
        let layout = crate::buffer::Layout::Modern;
        match self.expander.view(bytes, layout) {
            Ok(view) => view.valid_bytes().into(),
            Err(_) => {
                self.stats.damaged_buffers = self.stats.damaged_buffers.saturating_add(1);
                bytes.get(..crate::buffer::BufferHeader::LEN).unwrap_or_default().into()
            }
        }
    }

    /// What the header of an accepted buffer tells.
    fn count(&mut self, accepted: &Accepted) {
        let stats = &mut self.stats;
        stats.buffers_received = stats.buffers_received.saturating_add(1);
        let flags = BufferFlags(accepted.flags);
        stats.events_lost_flags =
            stats.events_lost_flags.saturating_add(flags.contains(BufferFlags::EVENTS_LOST).into());
        stats.buffers_lost_flags =
            stats.buffers_lost_flags.saturating_add(flags.contains(BufferFlags::BUFFER_LOST).into());
        stats.buffers_in_disorder = stats.buffers_in_disorder.saturating_add(accepted.disorder.into());
        let Some(sequence) = accepted.sequence_number.filter(|_| !accepted.is_header) else { return };
        match self.highest_sequence {
            Some(highest) if sequence > highest => {
                let missing = sequence.saturating_sub(highest).saturating_sub(1);
                stats.sequence_gaps = stats.sequence_gaps.saturating_add(missing.unsigned_abs());
                self.highest_sequence = Some(sequence);
            }
            // One that was missed arrives after all.
            Some(_) => stats.sequence_gaps = stats.sequence_gaps.saturating_sub(1),
            None => self.highest_sequence = Some(sequence),
        }
    }

    /// Past the bounds of memory, events leave early until one buffer can be retired.
    fn check_pressure(&mut self) {
        let buffers = Offset::from(self.release.max_buffers(&self.options, self.streams.len())).get();
        let bytes = self.options.max_held_bytes.unwrap_or(DEFAULT_HELD_BYTES);
        if self.wants_events && (self.stats.buffers_held > buffers || self.stats.bytes_held > bytes) {
            if !self.release.pressure {
                self.stats.pressure_releases = self.stats.pressure_releases.saturating_add(1);
            }
            self.release.pressure = true;
        }
    }

    /// Whether the next event of a resident lies within the time limits. What describes the trace always does.
    #[inline]
    fn passes_filter(&self, index: usize) -> bool {
        if self.options.start_time.is_none() && self.options.end_time.is_none() {
            return true;
        }
        self.is_in_time(index).unwrap_or(true)
    }

    fn is_in_time(&self, index: usize) -> Option<bool> {
        let resident = self.residents.get(index)?.as_ref()?;
        let record = Record::of_span(resident.slot.valid(), resident.next?)?;
        let event = resident.slot.context().event(record);
        if resident.is_header || event.hook_id().is_some_and(|hook| hook >> 8 == 0) {
            return Some(true);
        }
        let time = event.time()?;
        Some(
            self.options.start_time.is_none_or(|start| start <= time)
                && self.options.end_time.is_none_or(|end| time <= end),
        )
    }
}

/// Bytes that may be held unless something else is said.
const DEFAULT_HELD_BYTES: u64 = 1 << 30;

/// `{6A399AE0-4BC6-4DE9-870B-3657F8947E7E}`: events that tell of lost ones.
const LOST_EVENT: Guid =
    Guid::from_parts(0x6A39_9AE0, 0x4BC6, 0x4DE9, [0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E]);

/// Moves a resident to its next record, past damage.
#[inline]
fn step<B: AsRef<[u8]>>(resident: &mut Resident<B>, stats: &mut Stats) {
    let valid = resident.slot.valid();
    // Ends with the walk, which moves on with each turn.
    loop {
        match resident.walk.next(valid) {
            Some(Ok(record)) => {
                let event = resident.slot.context().event(record);
                if record.kind() == RecordKind::Full64 || record.kind() == RecordKind::Full32 {
                    let lost = event.provider_id() == LOST_EVENT;
                    stats.loss_events = stats.loss_events.wrapping_add(lost.into());
                }
                let stamp = event.time_stamp().map(Ticks::get);
                if resident.walk.place().saturating_add(AHEAD / 2) > resident.ahead {
                    resident.ahead = read_ahead(valid, resident.walk.place(), resident.ahead);
                }
                let time = stamp.unwrap_or(resident.time).min(resident.cap);
                resident.time = resident.time.max(time);
                resident.stamp = stamp;
                resident.next = Some(record.span());
                return;
            }
            Some(Err(damage)) => {
                stats.damaged_records = stats.damaged_records.saturating_add(1);
                stats.damaged_bytes = stats.damaged_bytes.saturating_add(damage.len);
            }
            None => {
                resident.next = None;
                resident.stamp = None;
                return;
            }
        }
    }
}

/// Fetches the bytes that the walk comes to next, and returns up to where.
///
/// Each step of the merge waits for the record that the last one led to, and of many buffers no hardware guesses the next
/// bytes. Loads that wait for nothing overlap: many cache lines arrive in little more time than one.
#[inline(never)]
fn read_ahead(valid: &[u8], at: usize, ahead: usize) -> usize {
    let start = ahead.max(at);
    let end = start.saturating_add(AHEAD);
    let lines = valid.get(start..end.min(valid.len())).unwrap_or_default().chunks(CACHE_LINE);
    black_box(lines.filter_map(|line| line.first()).fold(0, |all, byte| all | byte));
    end
}

/// Bytes that are read ahead in one go. Those of a hundred sources fit into a second-level cache.
const AHEAD: usize = 2048;
const CACHE_LINE: usize = 64;

/// The stamp of the first record that has one. Looks at few records as a rule.
fn first_stamp<B: AsRef<[u8]>>(resident: &Resident<B>) -> Option<i64> {
    stamps(resident).next()
}

/// The latest stamp of all records.
fn last_time<B: AsRef<[u8]>>(resident: &Resident<B>) -> Option<i64> {
    stamps(resident).max()
}

fn stamps<B: AsRef<[u8]>>(resident: &Resident<B>) -> impl Iterator<Item = i64> {
    let valid = resident.slot.valid();
    let context = resident.slot.context();
    let mut walk = resident.walk.clone();
    core::iter::from_fn(move || walk.next(valid))
        .flatten()
        .filter_map(|record| context.event(record).time_stamp())
        .map(Ticks::get)
}

/// Whether a flush time can be one of the clock that stamped `first`: not before it, and not a `FILETIME` among ticks.
const fn plausible_flush(first: i64, flush: i64) -> bool {
    const LEAST_FILE_TIME: i64 = 100_000_000_000_000_000;
    flush >= first && (flush < LEAST_FILE_TIME || first >= LEAST_FILE_TIME)
}
