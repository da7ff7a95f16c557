//! The other way in: a front that knows all buffers ahead brings each when it is asked for, in the order of their first
//! events. Then nothing has to wait, and a buffer is retired as soon as it is exhausted.

use crate::error::Offset;
use crate::merge::Key;
use crate::stream::admission::Accepted;
use crate::stream::engine::glance::Glance;
use crate::stream::engine::lane::Start;
use crate::stream::engine::residents::Residents;
use crate::stream::engine::{Decision, Engine};
use crate::stream::slot::Arriving;

impl<B: AsRef<[u8]>> Engine<B> {
    /// Buffers are brought from now on, when [`Decision::NeedInput`] asks for them. Before the first buffer.
    pub(in crate::stream) fn be_brought(&mut self) {
        self.is_brought = true;
        self.residents = Residents::new(true);
    }

    /// What the first event of the next buffer counts as; `None` if there is no further buffer. Everything before may leave.
    pub(in crate::stream) fn expect(&mut self, next: Option<Key>) {
        self.upcoming = next;
        match next {
            Some(next) => self.release.expect(next.time()),
            None => self.close(),
        }
    }

    /// Takes over a buffer. `cap` is what none of its events is later than, as far as that is known.
    ///
    /// It must not begin before what was expected; what does is late.
    pub(in crate::stream) fn bring(&mut self, buffer: B, accepted: &Accepted, cap: Option<i64>) {
        self.move_on();
        let arriving = Arriving::new(buffer, accepted, &self.common);
        let bytes = Offset::from(arriving.bytes().len()).get();
        let Some(slot) = arriving.into_slot(None, self.spare.take()) else { return };
        let index = self.hold(slot, bytes);
        if self.wants_events
            && let Some(resident) = self.residents.get_mut(index)
        {
            let walk = resident.slot.walk();
            resident.start = if accepted.is_header {
                Start { walk, time: i64::MIN, cap: i64::MIN }
            } else {
                Glance { valid: resident.slot.valid(), walk: &walk }.start_alone(cap)
            };
            let source = self.lanes.open(false);
            self.lanes.push(source, index, &mut self.residents, &self.common.counters);
        }
        self.attention = true;
        self.check_pressure();
    }

    /// Where the walk over an exhausted buffer ended, and whether it met damage.
    pub(in crate::stream) fn walked(&self, index: usize) -> (usize, bool) {
        self.residents.get(index).map_or((0, false), |resident| (resident.end, resident.is_damaged))
    }

    /// The time that the event that was decided on counts as.
    #[inline]
    pub(in crate::stream) fn time_of(&self, source: usize) -> i64 {
        self.lanes.next(source).map_or(i64::MAX, |(_, known)| known.time)
    }

    /// An event at the very time of the first one of the next buffer leaves before it, if its buffer is the earlier one.
    pub(super) fn before(&mut self, upcoming: Key) -> Option<Decision> {
        let Some(source) = self.lanes.winner_before(upcoming) else {
            return Some(Decision::NeedInput { until: None });
        };
        self.is_handed_out = true;
        (!self.is_limited || self.passes_limits(source)).then_some(Decision::Event(source))
    }
}
