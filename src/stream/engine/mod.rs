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
mod glance;
mod lane;
mod lanes;
mod release;
mod residents;
mod streams;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use crate::buffer::{BufferHeader, Layout};
use crate::codec::Format;
use crate::error::Offset;
use crate::merge::Key;
use crate::record::{Record, RecordSpan};
use crate::stream::admission::Accepted;
use crate::stream::common::Common;
use crate::stream::completion::BufferOutcome;
use crate::stream::engine::glance::{Flush, FlushClock, Glance};
use crate::stream::engine::lane::{Known, Start};
use crate::stream::engine::lanes::Lanes;
use crate::stream::engine::release::Release;
use crate::stream::engine::residents::{Resident, Residents};
use crate::stream::engine::streams::{Arrival, Streams};
use crate::stream::options::Options;
use crate::stream::outcome::Outcome;
use crate::stream::slot::{Arriving, Slot};
use crate::stream::stats::Counters;
use crate::time::Ticks;
use crate::trace::Expander;

pub(super) use crate::stream::engine::glance::least_time;

/// The engine. No threads, clocks or files.
#[derive(Debug)]
pub(super) struct Engine<B> {
    lanes: Lanes<B>,
    release: Release,
    common: Arc<Common<B>>,
    /// A share that the last completed buffer left, for the next one: sharing anew costs more than moving.
    spare: Option<Arc<Common<B>>>,
    /// The event of the winner was handed out, and it has not moved on.
    is_handed_out: bool,
    /// There is something to do besides the next event.
    attention: bool,
    /// There are time limits.
    is_limited: bool,
    wants_events: bool,
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
    expander: Expander,
    flush_clock: FlushClock,
    options: Options,
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
}

impl<B: AsRef<[u8]>> Engine<B> {
    pub(super) fn new(options: Options, wants_events: bool, common: Arc<Common<B>>) -> Self {
        Self {
            lanes: Lanes::new(),
            release: Release::new(&options),
            common,
            spare: None,
            is_handed_out: false,
            attention: false,
            is_limited: options.start_time.is_some() || options.end_time.is_some(),
            wants_events,
            residents: Residents::new(false),
            streams: Streams::default(),
            is_retiring: false,
            is_brought: false,
            upcoming: None,
            closed: false,
            ended: None,
            expander: Expander::new(None, &options.limits),
            flush_clock: FlushClock::default(),
            options,
        }
    }

    /// No buffer will follow.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.release.everything();
    }

    /// Lets events leave before their time until one buffer can be retired.
    pub(super) fn relieve(&mut self) {
        if self.wants_events && !self.residents.is_empty() {
            self.press();
        }
    }

    fn press(&mut self) {
        self.common.counters.pressure_releases.add((!self.release.is_pressed()).into());
        self.release.set_pressure(true);
    }

    /// What happens next. What was handed out before counts as dealt with.
    #[inline]
    pub(super) fn decide(&mut self, now: Duration) -> Decision {
        // Every turn delivers, retires or passes over something, or ends.
        loop {
            self.move_on();
            if (self.attention || self.common.is_cancelled())
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
        let Known { span, time } = known;
        if self.common.counters.delivers_in_order(known) {
            return Some(Handed { slot, span, time });
        }
        if let Some(late) = self.common.counters.delivers(slot, known) {
            self.release.grow(late);
        }
        Some(Handed { slot, span, time })
    }

    /// The slot of a resident.
    pub(super) fn slot(&self, index: usize) -> Option<&Arc<Slot<B>>> {
        Some(&self.residents.get(index)?.slot)
    }

    /// Steps over the event that was handed out last.
    #[inline]
    fn move_on(&mut self) {
        if core::mem::take(&mut self.is_handed_out)
            && self.lanes.step(&mut self.residents, &self.common.counters)
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
        if self.ended.is_none() && self.common.is_cancelled() {
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
        self.common.counters.buffers_retired.increment();
    }

    /// The buffer that was handed out to be retired has had its callback.
    fn retire(&mut self) {
        let outcome = if self.wants_events { BufferOutcome::Delivered } else { BufferOutcome::Passed };
        self.forget_first(Some(outcome));
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
        while self.residents.give_turn() {
            self.forget_first(None);
        }
        self.end(Outcome::Cancelled);
    }

    /// Lets go of the buffer whose turn it is.
    fn forget_first(&mut self, outcome: Option<BufferOutcome>) {
        let Some((slot, bytes)) = self.residents.pop() else { return };
        if let Some(outcome) = outcome {
            slot.set_outcome(outcome);
        }
        self.common.counters.buffers_held.sub(1);
        self.common.counters.bytes_held.sub(bytes);
        self.spare = Slot::release(slot).or(self.spare.take());
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
                self.common.counters.idle_releases.increment();
                None
            }
            until => Some(Decision::NeedInput { until: until.filter(|_| holds) }),
        }
    }

    /// Whether the next event of a source lies within the time limits. What describes the trace always does.
    fn passes_limits(&self, source: usize) -> bool {
        let passes = self.is_in_time(source).unwrap_or(true);
        self.common.counters.events_filtered.add((!passes).into());
        passes
    }

    fn is_in_time(&self, source: usize) -> Option<bool> {
        let (slot, known) = self.lanes.next(source)?;
        let event = slot.context().event(Record::of_span(slot.valid(), known.span)?);
        let describes = || !self.is_brought && event.hook_id().is_some_and(|hook| hook >> 8 == 0);
        if slot.is_header() || describes() {
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
    pub(super) fn enqueue(&mut self, buffer: B, accepted: &Accepted) {
        self.move_on();
        if accepted.opens
            && let Some(header) = self.common.info.header()
        {
            self.release.begin(header, &self.options);
            self.flush_clock = FlushClock::new(header);
        }
        self.release.hear();
        let arriving = Arriving::new(buffer, accepted, &self.common);
        let bytes = arriving.bytes();
        let expanded = accepted
            .compressed
            .filter(|_| self.wants_events)
            .map(|format| expand(&mut self.expander, bytes, format, &self.common.counters));
        let held = bytes.len().saturating_add(expanded.as_ref().map_or(0, |bytes| bytes.len()));
        let bytes = Offset::from(held).get();
        let Some(slot) = arriving.into_slot(expanded, self.spare.take()) else { return };
        let index = self.hold(slot, bytes);
        if self.wants_events {
            self.place(index, accepted);
        }
        self.attention = true;
        self.check_pressure();
    }

    /// Puts a buffer of so many bytes among those that are held, and gives its number.
    fn hold(&mut self, slot: Arc<Slot<B>>, bytes: u64) -> usize {
        self.common.counters.buffers_held.increment();
        self.common.counters.bytes_held.add(bytes);
        let (start, is_exhausted) = (Start::NOTHING, !self.wants_events);
        self.residents.push(Resident { slot, start, bytes, is_exhausted, end: 0, is_damaged: false })
    }

    /// Puts a resident behind its predecessors.
    fn place(&mut self, index: usize, accepted: &Accepted) {
        let Some(resident) = self.residents.get_mut(index) else { return };
        let walk = resident.slot.walk();
        let source = if accepted.is_header {
            resident.start = Start { walk, time: i64::MIN, cap: i64::MIN };
            self.lanes.open(false)
        } else {
            let flush = Flush {
                time: accepted.flush_time.0,
                is_late: accepted.disorder,
                furthest: self.release.furthest(),
            };
            let glance = Glance { valid: resident.slot.valid(), walk: &walk };
            resident.start = glance.start(flush, &self.flush_clock);
            let Start { time: first, cap: reach, .. } = resident.start;
            let arrival = Arrival {
                processor: if self.release.single_stream { 0 } else { accepted.context.processor_index() },
                class: accepted.class,
                first,
                reach,
                // Only where a flush time may be doubted later.
                proved: if self.options.accept_disorder { glance.latest_until(reach) } else { None },
            };
            if flush.is_late && reach == flush.time {
                self.release.doubt(self.streams.doubt(reach));
            }
            let (lanes, announced) = (&mut self.lanes, self.release.processors);
            let source = self.streams.arrive(arrival, announced, |keep| lanes.open(keep));
            self.release.input(self.streams.horizon(announced), reach, accepted.is_marker);
            source
        };
        self.lanes.push(source, index, &mut self.residents, &self.common.counters);
    }

    /// Past the bounds of memory, events leave early until one buffer can be retired.
    fn check_pressure(&mut self) {
        let buffers = Offset::from(self.release.max_buffers(&self.options, self.streams.len())).get();
        let bytes = self.options.max_held_bytes.unwrap_or(DEFAULT_HELD_BYTES);
        let counters = &self.common.counters;
        let held = counters.buffers_held.get();
        // Many small buffers take more than their bytes.
        let beside = held.saturating_mul(BESIDE).saturating_add(self.lanes.extra().saturating_mul(LANE));
        let held_bytes = counters.bytes_held.get().saturating_add(beside);
        if self.wants_events && (held > buffers || held_bytes > bytes) {
            self.press();
        }
    }
}

/// Bytes that may be held unless something else is said.
const DEFAULT_HELD_BYTES: u64 = 1 << 30;

/// What a session needs beside the bytes of a buffer: its slot and its resident.
const BESIDE: u64 = 256;
/// What a source needs.
const LANE: u64 = 768;

/// The records of a compressed buffer behind its header; only the header if they do not expand.
fn expand(expander: &mut Expander, bytes: &[u8], format: Format, counters: &Counters) -> Box<[u8]> {
    expander.prefer(format);
    match expander.view(bytes, Layout::Modern) {
        Ok(view) => view.valid_bytes().into(),
        Err(_) => {
            counters.damaged_buffers.increment();
            bytes.get(..BufferHeader::LEN).unwrap_or_default().into()
        }
    }
}
