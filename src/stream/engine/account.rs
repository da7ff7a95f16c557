//! What is counted as buffers arrive, events are delivered and buffers leave.

use crate::buffer::BufferFlags;
use crate::record::Record;
use crate::stream::admission::Accepted;
use crate::stream::engine::lane::{Known, tells_of_loss};
use crate::stream::slot::{Completer, Slot};
use crate::stream::stats::Stats;
use crate::time::Ticks;

/// The counters, and what counting has to remember.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) stats: Stats,
    /// The latest stamp among the delivered events.
    latest: i64,
    highest_sequence: Option<i64>,
}

impl Default for Account {
    fn default() -> Self {
        Self { stats: Stats::default(), latest: i64::MIN, highest_sequence: None }
    }
}

impl Account {
    /// What the header of an accepted buffer tells.
    pub(super) fn arrive(&mut self, accepted: &Accepted) {
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

    /// A buffer of so many bytes is held.
    pub(super) fn hold(&mut self, bytes: u64) {
        self.stats.bytes_held = self.stats.bytes_held.saturating_add(bytes);
        self.stats.buffers_held = self.stats.buffers_held.saturating_add(1);
    }

    /// It is held no longer.
    pub(super) fn forget<B>(&mut self, bytes: u64, completer: &Completer<B>) {
        self.stats.bytes_held = self.stats.bytes_held.saturating_sub(bytes);
        self.stats.buffers_held = self.stats.buffers_held.saturating_sub(1);
        self.stats.completion_panics = completer.panics();
        self.stats.buffers_retained = completer.live().saturating_sub(self.stats.buffers_held);
    }

    /// Counts an event that is delivered. False if there is more to it, which [`Self::delivers`] is to find out.
    #[inline]
    pub(super) fn delivers_in_order(&mut self, known: Known) -> bool {
        self.stats.events_delivered = self.stats.events_delivered.wrapping_add(1);
        if known.span.is_marked() || known.time < self.latest {
            return false;
        }
        self.latest = known.time;
        self.stats.last_delivered = Some(Ticks(known.time));
        true
    }

    /// What else there is to count of an event. By how much it is late, if it is.
    #[cold]
    pub(super) fn delivers<B: AsRef<[u8]>>(
        &mut self,
        slot: &Slot<B>,
        known: Known,
        is_header: bool,
    ) -> Option<i64> {
        let record = Record::of_span(slot.valid(), known.span)?;
        self.stats.loss_events = self.stats.loss_events.wrapping_add(tells_of_loss(&record).into());
        let stamp = record.time_stamp().filter(|_| !is_header)?;
        if stamp >= self.latest {
            // What the merge took it for: a stamp far in the future makes nothing that follows late.
            self.latest = self.latest.max(known.time.min(stamp));
            self.stats.last_delivered = Some(Ticks(stamp));
            return None;
        }
        let late = self.latest.saturating_sub(stamp);
        self.stats.events_late = self.stats.events_late.saturating_add(1);
        self.stats.most_late = self.stats.most_late.max(late);
        Some(late)
    }
}
