//! The other way in: a front that knows all buffers ahead brings each when it is asked for, in the order of their first
//! events. Then nothing has to wait, and a buffer is retired as soon as it is exhausted.

use crate::buffer::RecordWalk;
use crate::merge::Key;
use crate::stream::admission::Accepted;
use crate::stream::engine::lane::Start;
use crate::stream::engine::residents::Residents;
use crate::stream::engine::streams::Glance;
use crate::stream::engine::{Decision, Engine};
use crate::stream::slot::Slot;
use crate::trace::LogFileHeader;

impl<B: AsRef<[u8]>> Engine<B> {
    /// Buffers are brought from now on, when [`Decision::NeedInput`] asks for them. Before the first buffer.
    pub(in crate::stream) fn be_brought(&mut self, header: Option<LogFileHeader>) {
        self.is_brought = true;
        self.residents = Residents::new(true);
        self.header = header;
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
        self.completer.add_one();
        self.move_on();
        self.account.arrive(accepted);
        let held = buffer.as_ref().len();
        let Accepted { id, context, filled: valid, is_header, .. } = *accepted;
        let slot = Slot::new(buffer, None, valid, context, id, &self.completer);
        let valid = slot.valid();
        let walk = RecordWalk::new(valid.len(), filled, context.session().layout().shapes());
        let glance = Glance { valid, walk: &walk };
        if is_header {
            self.look_around(&glance);
        }
        let start = if is_header || !self.wants_events {
            Start { walk: walk.clone(), time: i64::MIN, cap: i64::MIN, is_header }
        } else {
            glance.start_alone(flush_time, otherwise)
        };
        let index = self.hold(slot, start, held);
        if self.wants_events {
            let source = self.lanes.open(false);
            self.lanes.push(source, index, &mut self.residents, &mut self.account.stats);
        }
        self.attention = true;
        self.check_pressure();
    }

    /// Where the walk over an exhausted buffer ended, and whether it met damage.
    pub(in crate::stream) fn walked(&self, index: usize) -> (usize, bool) {
        self.residents.get(index).map_or((0, false), |resident| (resident.end, resident.is_damaged))
    }

    /// Adds to the count of missing sequence numbers.
    pub(in crate::stream) fn add_sequence_gaps(&mut self, gaps: u64) {
        let stats = &mut self.account.stats;
        stats.sequence_gaps = stats.sequence_gaps.saturating_add(gaps);
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
