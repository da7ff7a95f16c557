//! What is counted of an event that is delivered.

use crate::record::Record;
use crate::stream::engine::lane::{Known, tells_of_loss};
use crate::stream::slot::Slot;
use crate::stream::stats::Counters;

impl Counters {
    /// Counts an event that is delivered. False if there is more to it, which [`Self::delivers`] is to find out.
    #[inline]
    pub(super) fn delivers_in_order(&self, known: Known) -> bool {
        self.events_delivered.increment();
        if known.span.is_marked() || known.time < self.latest() {
            return false;
        }
        self.set_latest(known.time);
        true
    }

    /// What else there is to count of an event. By how much it is late, if it is.
    #[cold]
    pub(super) fn delivers<B: AsRef<[u8]>>(&self, slot: &Slot<B>, known: Known) -> Option<i64> {
        let record = Record::of_span(slot.valid(), known.span)?;
        self.loss_events.add(tells_of_loss(&record).into());
        let stamp = record.time_stamp().filter(|_| !slot.is_header())?;
        let latest = self.latest();
        if stamp >= latest {
            // What the merge took it for: a stamp far in the future makes nothing that follows late.
            self.set_latest(latest.max(known.time.min(stamp)));
            return None;
        }
        let late = latest.saturating_sub(stamp);
        self.events_late.increment();
        self.most_late.max(late.unsigned_abs());
        Some(late)
    }
}
