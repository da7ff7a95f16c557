//! The other way in: a front that knows all buffers ahead brings each when it is asked for, in the order of their first
//! events. Then nothing has to wait, and a buffer is retired as soon as it is exhausted.

use crate::buffer::RecordWalk;
use crate::merge::Key;
use crate::stream::admission::Accepted;
use crate::stream::engine::glance::Glance;
use crate::stream::engine::lane::Start;
use crate::stream::engine::residents::Residents;
use crate::stream::engine::{Decision, Engine};
use crate::stream::slot::Arriving;
use crate::trace::LogFileHeader;

impl<B: AsRef<[u8]>> Engine<B> {
    /// Buffers are brought from now on, when [`Decision::NeedInput`] asks for them. Before the first buffer.
    pub(in crate::stream) fn be_brought(&mut self, header: Option<LogFileHeader>) {
        self.is_brought = true;
        self.residents = Residents::new(true);
        if let Some(header) = header {
            self.common.info.set_header(header);
        }
    }

    /// What the first event of the next buffer counts as; `None` if there is no further buffer. Everything before may leave.
    pub(in crate::stream) fn expect(&mut self, next: Option<Key>) {
        self.upcoming = next;
        match next {
            Some(next) => self.release.expect(next.time()),
            None => self.close(),
        }
    }

    /// Takes over a buffer of which `filled` bytes should be there; `accepted` tells how many are. `flush_time` is there if
    /// it is of the events' clock, as far as is known; where no stamp is either, the events are at `otherwise`.
    ///
    /// It must not begin before what was expected; what does is late.
    pub(in crate::stream) fn bring(
        &mut self,
        buffer: B,
        accepted: &Accepted,
        filled: usize,
        flush_time: Option<i64>,
        otherwise: i64,
    ) {
        self.move_on();
        let arriving = Arriving::new(buffer, accepted, &self.common);
        let held = arriving.bytes().len();
        let Some(slot) = arriving.into_slot(None, self.spare.take()) else { return };
        let index = self.hold(slot, held);
        if let Some(resident) = self.residents.get_mut(index) {
            let valid = resident.slot.valid();
            let shapes = accepted.context.session().layout().shapes();
            if accepted.is_header {
                self.common.info.look_around(valid, shapes);
            }
            if self.wants_events {
                let walk = RecordWalk::new(valid.len(), filled, shapes);
                resident.start = if accepted.is_header {
                    Start { walk, time: i64::MIN, cap: i64::MIN }
                } else {
                    Glance { valid, walk: &walk }.start_alone(flush_time, otherwise, &self.flush_clock)
                };
                let source = self.lanes.open(false);
                self.lanes.push(source, index, &mut self.residents, &self.common.counters);
            }
        }
        self.attention = true;
        self.check_pressure();
    }

    /// Where the walk over an exhausted buffer ended, and whether it met damage.
    pub(in crate::stream) fn walked(&self, index: usize) -> (usize, bool) {
        self.residents.get(index).map_or((0, false), |resident| (resident.end, resident.is_damaged))
    }

    /// The time that the event that was decided on counts as.
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
