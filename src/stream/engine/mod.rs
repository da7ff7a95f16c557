//! The heart of a session: holds buffers, merges their events by time, retires them in the order of their arrival.
//!
//! ```text
//! enqueue -> resident -> source of its stream -> lane -> tournament -> due (watermark) -> event
//!                |                                                                          |
//!                +-- arrival order: the first that has no events left is retired <----------+
//! ```
//!
//! Buffers of one stream follow each other in time, so only the first of them is in the tree. One that overlaps its
//! predecessor gets a source of its own.

mod account;
mod bring;
mod lane;
mod lanes;
mod release;
mod residents;
mod streams;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::buffer::{BufferFlags, BufferHeader, Layout, RecordWalk};
use crate::codec::Format;
use crate::error::Offset;
use crate::merge::Key;
use crate::record::{Record, RecordSpan};
use crate::stream::admission::Accepted;
use crate::stream::engine::account::Account;
use crate::stream::engine::lane::Start;
use crate::stream::engine::lanes::Lanes;
use crate::stream::engine::release::Release;
use crate::stream::engine::residents::{Resident, Residents};
pub(super) use crate::stream::engine::streams::least_time;
use crate::stream::engine::streams::{Glance, Streams};
use crate::stream::options::Options;
use crate::stream::slot::{BufferOutcome, Completer, Slot};
use crate::stream::stats::Stats;
use crate::time::Ticks;
use crate::trace::{Expander, LogFileHeader, LogFileMode, PartitionInformation, last_dropped_times};

/// The engine. No threads, clocks or files.
#[derive(Debug)]
pub(super) struct Engine<B> {
    lanes: Lanes<B>,
    release: Release,
    account: Account,
    /// The event of the winner was handed out, and it has not moved on.
    is_handed_out: bool,
    /// There is something to do besides the next event.
    attention: bool,
    /// There are time limits.
    is_limited: bool,
    wants_events: bool,
    cancelled: Arc<AtomicBool>,
    residents: Residents<B>,
    streams: Streams,
    /// The buffer whose turn it is was handed out to be retired.
    is_retiring: bool,
    /// A front brings the buffers in the order of their first events, each when it is asked for.
    is_brought: bool,
    /// What the first event of the buffer that is brought next will count as, if there is one.
    upcoming: Option<Key>,
    closed: bool,
    ended: Option<Outcome>,
    completer: Arc<Completer<B>>,
    expander: Expander,
    header: Option<LogFileHeader>,
    partition: Option<PartitionInformation>,
    last_dropped: Vec<Ticks>,
    options: Options,
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

/// What the engine does next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Decision {
    /// The next event of a source.
    Event(usize),
    /// A resident has no events left and is the first to be retired.
    Buffer(usize),
    NeedInput {
        until: Option<Duration>,
    },
    End(Outcome),
}

/// An event that is handed out: where it is, and what goes with it.
#[derive(Debug)]
pub(super) struct Handed<'a, B> {
    pub(super) slot: &'a Arc<Slot<B>>,
    pub(super) span: RecordSpan,
    /// The time that it counts as.
    pub(super) time: i64,
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
            lanes: Lanes::new(),
            release: Release::new(&options),
            account: Account::default(),
            is_handed_out: false,
            attention: false,
            is_limited: options.start_time.is_some() || options.end_time.is_some(),
            wants_events,
            cancelled,
            residents: Residents::new(false),
            streams: Streams::default(),
            is_retiring: false,
            is_brought: false,
            upcoming: None,
            closed: false,
            ended: None,
            completer,
            expander: Expander::new(None, &options.limits),
            header: None,
            partition: None,
            last_dropped: Vec::new(),
            options,
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
        &self.account.stats
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

    /// What happens next. What was handed out before counts as dealt with.
    #[inline]
    pub(super) fn decide(&mut self, now: Duration) -> Decision {
        // Every turn delivers, retires or passes over something, or ends.
        loop {
            self.move_on();
            if (self.attention || self.cancelled.load(Ordering::Relaxed))
                && let Some(decision) = self.attend()
            {
                return decision;
            }
            match self.lanes.winner() {
                Some((time, source)) if self.release.is_due(time) => {
                    self.is_handed_out = true;
                    if !self.is_limited || self.passes_limits(source) {
                        return Decision::Event(source);
                    }
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
    pub(super) fn event(&mut self, source: usize) -> Option<Handed<'_, B>> {
        let (slot, known) = self.lanes.next(source)?;
        let (span, time) = (known.span, known.time);
        if self.account.delivers_in_order(known) {
            return Some(Handed { slot, span, time, stats: &self.account.stats, cancelled: &self.cancelled });
        }
        let is_header =
            self.lanes.resident(source).and_then(|index| self.residents.get(index))?.start.is_header;
        if let Some(late) = self.account.delivers(slot, known, is_header) {
            self.release.grow(late);
        }
        Some(Handed { slot, span, time, stats: &self.account.stats, cancelled: &self.cancelled })
    }

    /// The slot of a resident.
    pub(super) fn slot(&self, index: usize) -> Option<&Arc<Slot<B>>> {
        Some(&self.residents.get(index)?.slot)
    }

    /// Steps over the event that was handed out last.
    #[inline]
    fn move_on(&mut self) {
        if core::mem::take(&mut self.is_handed_out)
            && self.lanes.step(&mut self.residents, &mut self.account.stats)
        {
            self.attention = true;
        }
    }

    /// What there is to do besides the next event.
    #[cold]
    fn attend(&mut self) -> Option<Decision> {
        if core::mem::take(&mut self.is_retiring) {
            self.retire();
        }
        if self.ended.is_none() && self.cancelled.load(Ordering::Relaxed) {
            self.abandon();
        }
        if let Some(outcome) = self.ended {
            return Some(Decision::End(outcome));
        }
        self.attention = false;
        self.residents.exhausted_first().map(Decision::Buffer)
    }

    /// Counts a buffer as retired, whose callback is about to run.
    pub(super) fn begin_retiring(&mut self) {
        self.is_retiring = true;
        self.attention = true;
        self.account.stats.buffers_retired = self.account.stats.buffers_retired.saturating_add(1);
    }

    /// The buffer that was handed out to be retired has had its callback.
    fn retire(&mut self) {
        let outcome = if self.wants_events { BufferOutcome::Delivered } else { BufferOutcome::Passed };
        if let Some(resident) = self.residents.pop() {
            resident.slot.set_outcome(outcome);
            self.forget(resident);
        }
        self.release.set_pressure(false);
        self.check_pressure();
    }

    /// Gives up everything that is held.
    pub(super) fn abandon(&mut self) {
        self.is_handed_out = false;
        // A buffer whose callback ran has had its events; the callback that cancelled is the last one.
        if core::mem::take(&mut self.is_retiring) {
            self.retire();
        }
        self.lanes.clear();
        while let Some(resident) = self.residents.pop_any() {
            self.forget(resident);
        }
        self.end(Outcome::Cancelled);
    }

    /// Lets go of a buffer.
    fn forget(&mut self, resident: Resident<B>) {
        Slot::release(resident.slot);
        self.account.forget(resident.bytes, &self.completer);
    }

    fn end(&mut self, outcome: Outcome) -> Outcome {
        self.attention = true;
        *self.ended.get_or_insert(outcome)
    }

    /// Nothing is due: the end, or the wait for input, or after long silence neither.
    #[cold]
    fn wait_or_end(&mut self, holds: bool, now: Duration) -> Option<Decision> {
        if let Some(upcoming) = self.upcoming {
            return self.before(upcoming);
        }
        if self.closed && !holds && self.residents.is_empty() {
            return Some(Decision::End(self.end(Outcome::Finished)));
        }
        let until = self.release.idle_at(now);
        match until {
            Some(until) if holds && now >= until => {
                self.release.everything_for_now();
                self.account.stats.idle_releases = self.account.stats.idle_releases.saturating_add(1);
                None
            }
            until => Some(Decision::NeedInput { until: until.filter(|_| holds) }),
        }
    }

    /// Whether the next event of a source lies within the time limits. What describes the trace always does.
    fn passes_limits(&mut self, source: usize) -> bool {
        let passes = self.is_in_time(source).unwrap_or(true);
        self.account.stats.events_filtered =
            self.account.stats.events_filtered.saturating_add((!passes).into());
        passes
    }

    fn is_in_time(&self, source: usize) -> Option<bool> {
        let resident = self.residents.get(self.lanes.resident(source)?)?;
        let (slot, known) = self.lanes.next(source)?;
        let event = slot.context().event(Record::of_span(slot.valid(), known.span)?);
        let describes = || !self.is_brought && event.hook_id().is_some_and(|hook| hook >> 8 == 0);
        if resident.start.is_header || describes() {
            return Some(true);
        }
        // What has no stamp has the time of its predecessor.
        let time = event.time().or_else(|| slot.context().to_file_time(Ticks(known.time)))?;
        Some(
            self.options.start_time.is_none_or(|start| start <= time)
                && self.options.end_time.is_none_or(|end| time <= end),
        )
    }
}

/// How a buffer comes in.
impl<B: AsRef<[u8]>> Engine<B> {
    /// Takes over an accepted buffer.
    pub(super) fn enqueue(&mut self, buffer: B, accepted: Accepted) {
        self.completer.add_one();
        self.move_on();
        if let Some(header) = accepted.header.clone() {
            self.release.begin(&header, &self.options);
            self.header = Some(header);
        }
        self.account.arrive(&accepted);
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
        let Accepted { id, context, .. } = accepted;
        let slot = Slot::new(buffer, expanded, filled, context, id, &self.completer);
        let valid = slot.valid();
        let walk = RecordWalk::new(valid.len(), filled, context.session().layout().shapes());
        let glance = Glance { valid, walk: &walk };
        if accepted.is_header {
            self.look_around(&glance);
        }
        let start = if accepted.is_header || !self.wants_events {
            Start { walk: walk.clone(), time: i64::MIN, cap: i64::MIN, is_header: accepted.is_header }
        } else {
            let relogged =
                self.header.as_ref().is_some_and(|header| header.log_file_mode.contains(LogFileMode::RELOG));
            glance.start(accepted.flush_time.0, relogged)
        };
        let (first, reach) = (start.time, start.cap);
        let index = self.hold(slot, start, held);
        if self.wants_events {
            let source =
                if accepted.is_header { self.lanes.open(false) } else { self.place(&accepted, first, reach) };
            self.lanes.push(source, index, &mut self.residents, &mut self.account.stats);
        }
        self.attention = true;
        self.check_pressure();
    }

    /// Puts a buffer among those that are held, and gives its number.
    fn hold(&mut self, slot: Arc<Slot<B>>, start: Start, bytes: usize) -> usize {
        let bytes = Offset::from(bytes).get();
        self.account.hold(bytes);
        let is_exhausted = !self.wants_events;
        self.residents.push(Resident { slot, start, bytes, is_exhausted, end: 0, is_damaged: false })
    }

    /// The source of a buffer whose first event counts as `first` and which reaches so far.
    fn place(&mut self, accepted: &Accepted, first: i64, reach: i64) -> usize {
        let processor = if self.release.single_stream { 0 } else { accepted.context.processor_index() };
        let lanes = &mut self.lanes;
        let source = self.streams.arrive((processor, accepted.class), first, reach, |keep| lanes.open(keep));
        let horizon = self.streams.horizon(self.release.processors);
        let marker = BufferFlags(accepted.flags).contains(BufferFlags::FLUSH_MARKER);
        self.release.input(horizon, reach, marker);
        source
    }

    /// The records of a compressed buffer behind its header; only the header if they do not expand.
    fn expand(&mut self, bytes: &[u8], format: Format) -> Box<[u8]> {
        self.expander.prefer(format);
        match self.expander.view(bytes, Layout::Modern) {
            Ok(view) => view.valid_bytes().into(),
            Err(_) => {
                let stats = &mut self.account.stats;
                stats.damaged_buffers = stats.damaged_buffers.saturating_add(1);
                bytes.get(..BufferHeader::LEN).unwrap_or_default().into()
            }
        }
    }

    /// Takes note of what the records of a header buffer tell beside the log-file header.
    #[cold]
    fn look_around(&mut self, glance: &Glance<'_>) {
        for record in glance.records() {
            if let Some(partition) = PartitionInformation::parse(&record) {
                self.partition.get_or_insert(partition);
            }
            if let Some(times) = last_dropped_times(&record) {
                self.last_dropped = times;
            }
        }
    }

    /// Past the bounds of memory, events leave early until one buffer can be retired.
    fn check_pressure(&mut self) {
        let buffers = Offset::from(self.release.max_buffers(&self.options, self.streams.len())).get();
        let bytes = self.options.max_held_bytes.unwrap_or(DEFAULT_HELD_BYTES);
        let stats = &mut self.account.stats;
        if self.wants_events && (stats.buffers_held > buffers || stats.bytes_held > bytes) {
            stats.pressure_releases =
                stats.pressure_releases.saturating_add((!self.release.is_pressed()).into());
            self.release.set_pressure(true);
        }
    }
}

/// Bytes that may be held unless something else is said.
const DEFAULT_HELD_BYTES: u64 = 1 << 30;
