//! What a session has seen: one place for everything that is counted.

use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::stream::completion::Completer;
use crate::time::Ticks;

/// Counters of a session, as of the moment when they were asked for: by the session, by its callbacks, or by a
/// [`Feeder`](crate::stream::Feeder) on any thread.
///
/// Numbers that are read on another thread while the session runs are each up to date, but not all of the very same moment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Buffers accepted.
    pub buffers_received: u64,
    /// Buffers accepted that wait in the queue of a [`Feeder`](crate::stream::Feeder).
    pub buffers_queued: u64,
    /// Bytes of the queued ones.
    pub bytes_queued: u64,
    /// Buffers that are out of the queue and not yet retired.
    pub buffers_held: u64,
    /// Bytes of the held ones, expansions included.
    pub bytes_held: u64,
    /// Buffers whose turn is over: their callback ran. `BuffersRead` of Windows.
    pub buffers_retired: u64,
    /// Buffers that are neither queued nor held and not yet completed, since they or events of them are retained.
    pub buffers_retained: u64,
    /// Events delivered.
    pub events_delivered: u64,
    /// Events outside of the time limits.
    pub events_filtered: u64,
    /// Events that were older than one delivered before. They were delivered.
    pub events_late: u64,
    /// By how many ticks the latest of them was late.
    pub most_late: i64,
    /// Buffers that were accepted although they were flushed before their predecessor.
    pub buffers_in_disorder: u64,
    /// Damaged records and spans, as far as buffers have been read, which is a few events ahead of the delivery.
    pub damaged_records: u64,
    /// Bytes of them.
    pub damaged_bytes: u64,
    /// Compressed buffers that did not expand.
    pub damaged_buffers: u64,
    /// Buffers whose flags say that events were lost before them.
    pub events_lost_flags: u64,
    /// Buffers whose flags say that a buffer was lost before them.
    pub buffers_lost_flags: u64,
    /// Loss events of the source, opcodes 32 to 34, among the delivered ones.
    pub loss_events: u64,
    /// Missing sequence numbers: a hint at buffers that did not arrive.
    pub sequence_gaps: u64,
    /// Times that memory bounds, or a feeder without buffers, made events leave early.
    pub pressure_releases: u64,
    /// Times that silence made events leave.
    pub idle_releases: u64,
    /// Panics of the completion callback.
    pub completion_panics: u64,
    /// The latest time stamp that was delivered. One later than the flush of its buffer, which no clock gives, counts as that.
    pub last_delivered: Option<Ticks>,
}

impl Stats {
    /// Adds what another session counted: sums, and of the delays the longest.
    pub(crate) fn add(&mut self, other: &Self) {
        macro_rules! sums {
            ($($field:ident)*) => {$(self.$field = self.$field.saturating_add(other.$field);)*};
        }
        sums!(
            buffers_received buffers_queued bytes_queued buffers_held bytes_held buffers_retired buffers_retained
            events_delivered events_filtered events_late buffers_in_disorder damaged_records damaged_bytes
            damaged_buffers events_lost_flags buffers_lost_flags loss_events sequence_gaps pressure_releases
            idle_releases completion_panics
        );
        self.most_late = self.most_late.max(other.most_late);
        // Stamps of several clocks have no order.
        self.last_delivered = None;
    }
}

/// A number that one thread at a time counts and any thread reads. Costs what a plain one does.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    #[inline]
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn add(&self, more: u64) {
        self.0.store(self.get().saturating_add(more), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn sub(&self, less: u64) {
        self.0.store(self.get().saturating_sub(less), Ordering::Relaxed);
    }

    pub(super) fn max(&self, other: u64) {
        self.0.store(self.get().max(other), Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn increment(&self) {
        self.add(1);
    }
}

/// The counters behind [`Stats`].
#[derive(Debug)]
pub(super) struct Counters {
    /// The latest time among the delivered events, [`i64::MIN`] before the first.
    latest: AtomicI64,
    pub(super) events_delivered: Counter,
    pub(super) events_filtered: Counter,
    pub(super) events_late: Counter,
    pub(super) most_late: Counter,
    pub(super) loss_events: Counter,
    pub(super) damaged_records: Counter,
    pub(super) damaged_bytes: Counter,
    pub(super) damaged_buffers: Counter,
    pub(super) buffers_held: Counter,
    pub(super) bytes_held: Counter,
    pub(super) buffers_retired: Counter,
    pub(super) pressure_releases: Counter,
    pub(super) idle_releases: Counter,
    /// These are counted where buffers are accepted, which is another thread.
    pub(super) buffers_in_disorder: Counter,
    pub(super) events_lost_flags: Counter,
    pub(super) buffers_lost_flags: Counter,
    pub(super) sequence_gaps: Counter,
    /// Both ends count these.
    pub(super) buffers_queued: AtomicU64,
    pub(super) bytes_queued: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            latest: AtomicI64::new(i64::MIN),
            events_delivered: Counter::default(),
            events_filtered: Counter::default(),
            events_late: Counter::default(),
            most_late: Counter::default(),
            loss_events: Counter::default(),
            damaged_records: Counter::default(),
            damaged_bytes: Counter::default(),
            damaged_buffers: Counter::default(),
            buffers_held: Counter::default(),
            bytes_held: Counter::default(),
            buffers_retired: Counter::default(),
            pressure_releases: Counter::default(),
            idle_releases: Counter::default(),
            buffers_in_disorder: Counter::default(),
            events_lost_flags: Counter::default(),
            buffers_lost_flags: Counter::default(),
            sequence_gaps: Counter::default(),
            buffers_queued: AtomicU64::new(0),
            bytes_queued: AtomicU64::new(0),
        }
    }
}

impl Counters {
    /// The latest time among the delivered events.
    #[inline]
    pub(super) fn latest(&self) -> i64 {
        self.latest.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn set_latest(&self, latest: i64) {
        self.latest.store(latest, Ordering::Relaxed);
    }

    /// What was counted, here and there.
    pub(super) fn stats<B>(&self, completer: &Completer<B>) -> Stats {
        let buffers_out = completer.out();
        let buffers_queued = self.buffers_queued.load(Ordering::Relaxed);
        let buffers_held = self.buffers_held.get();
        Stats {
            buffers_received: completer.accepted(),
            buffers_queued,
            bytes_queued: self.bytes_queued.load(Ordering::Relaxed),
            buffers_held,
            bytes_held: self.bytes_held.get(),
            buffers_retired: self.buffers_retired.get(),
            buffers_retained: buffers_out.saturating_sub(buffers_held).saturating_sub(buffers_queued),
            events_delivered: self.events_delivered.get(),
            events_filtered: self.events_filtered.get(),
            events_late: self.events_late.get(),
            most_late: self.most_late.get().cast_signed(),
            buffers_in_disorder: self.buffers_in_disorder.get(),
            damaged_records: self.damaged_records.get(),
            damaged_bytes: self.damaged_bytes.get(),
            damaged_buffers: self.damaged_buffers.get(),
            events_lost_flags: self.events_lost_flags.get(),
            buffers_lost_flags: self.buffers_lost_flags.get(),
            loss_events: self.loss_events.get(),
            sequence_gaps: self.sequence_gaps.get(),
            pressure_releases: self.pressure_releases.get(),
            idle_releases: self.idle_releases.get(),
            completion_panics: completer.panics(),
            last_delivered: Some(self.latest()).filter(|latest| *latest != i64::MIN).map(Ticks),
        }
    }
}
