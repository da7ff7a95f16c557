//! What a session has seen: one place for everything that is counted.

use crate::time::Ticks;

/// Counters of a session, readable while it runs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Buffers accepted.
    pub buffers_received: u64,
    /// Buffers whose turn is over: their callback ran. `BuffersRead` of Windows.
    pub buffers_retired: u64,
    /// Buffers accepted and not yet retired.
    pub buffers_held: u64,
    /// Buffers that are retired and not completed since some of their events are retained; as of the last one that retired.
    pub buffers_retained: u64,
    /// Bytes of the held ones, expansions included.
    pub bytes_held: u64,
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
    /// Damaged records and spans.
    pub damaged_records: u64,
    /// Bytes of them.
    pub damaged_bytes: u64,
    /// Compressed buffers that did not expand.
    pub damaged_buffers: u64,
    /// Buffers whose flags say that events were lost before them.
    pub events_lost_flags: u64,
    /// Buffers whose flags say that a buffer was lost before them.
    pub buffers_lost_flags: u64,
    /// Loss events of the source, opcodes 32 to 34.
    pub loss_events: u64,
    /// Missing sequence numbers: a hint at buffers that did not arrive.
    pub sequence_gaps: u64,
    /// Times that memory bounds made events leave early.
    pub pressure_releases: u64,
    /// Times that silence made events leave.
    pub idle_releases: u64,
    /// Panics of the completion callback.
    pub completion_panics: u64,
    /// Stamp of the last delivered event.
    pub last_delivered: Option<Ticks>,
}

impl Stats {
    /// Adds what another session counted: sums, and of the delays the longest.
    pub(crate) fn add(&mut self, other: &Self) {
        macro_rules! sums {
            ($($field:ident)*) => {$(self.$field = self.$field.saturating_add(other.$field);)*};
        }
        sums!(
            buffers_received buffers_retired buffers_held buffers_retained bytes_held events_delivered events_filtered
            events_late buffers_in_disorder damaged_records damaged_bytes damaged_buffers events_lost_flags
            buffers_lost_flags loss_events sequence_gaps pressure_releases idle_releases completion_panics
        );
        self.most_late = self.most_late.max(other.most_late);
        // Stamps of several clocks have no order.
        self.last_delivered = None;
    }
}
