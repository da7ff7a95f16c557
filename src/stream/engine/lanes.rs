//! All sources, and which of them has the next event.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::merge::{Key, Tournament};
use crate::stream::engine::lane::{Known, Lane};
use crate::stream::engine::residents::Residents;
use crate::stream::slot::Slot;
use crate::stream::stats::Counters;

/// The sources of the merge, by number.
#[derive(Debug)]
pub(super) struct Lanes<B> {
    lanes: Vec<Lane<B>>,
    queues: Vec<Queue>,
    /// Sources that are idle and that nobody keeps.
    spare: Vec<usize>,
    /// Sources that are in use and that nobody keeps.
    extra: u64,
    tree: Tournament,
}

/// What a source is read on to, once the buffer in its lane is exhausted.
#[derive(Debug, Default)]
struct Queue {
    /// Residents, in their order.
    waiting: VecDeque<usize>,
    /// A stream keeps the source for the buffers to come.
    is_kept: bool,
}

impl<B> Lanes<B> {
    pub(super) const fn new() -> Self {
        Self { lanes: Vec::new(), queues: Vec::new(), spare: Vec::new(), extra: 0, tree: Tournament::new() }
    }

    /// The source of the next event, and its time. It stays so until [`Self::step`] or [`Self::push`].
    #[inline]
    pub(super) fn winner(&self) -> Option<(i64, usize)> {
        self.tree.winner()
    }

    /// The source of the next event, if that comes before `key`.
    pub(super) fn winner_before(&self, key: Key) -> Option<usize> {
        self.tree.precedes(key).then(|| self.tree.first())
    }

    /// The next event of a source, and its buffer.
    #[inline]
    pub(super) fn next(&self, source: usize) -> Option<(&Arc<Slot<B>>, Known)> {
        self.lanes.get(source)?.next()
    }

    /// A source without buffers; `keep` it for a stream, or it is given away again once it has been read.
    pub(super) fn open(&mut self, keep: bool) -> usize {
        let source = self.spare.pop().unwrap_or_else(|| {
            self.lanes.push(Lane::idle());
            self.queues.push(Queue::default());
            self.lanes.len().saturating_sub(1)
        });
        if let Some(queue) = self.queues.get_mut(source) {
            queue.is_kept = keep;
        }
        self.extra = self.extra.saturating_add((!keep).into());
        source
    }

    /// How many sources are in use for a single buffer each.
    pub(super) const fn extra(&self) -> u64 {
        self.extra
    }

    /// Lets go of everything. No slot is the last of its buffer.
    pub(super) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(Lane::leave);
        *self = Self::new();
    }
}

impl<B: AsRef<[u8]>> Lanes<B> {
    /// Puts a buffer behind those that a source has.
    pub(super) fn push(
        &mut self,
        source: usize,
        resident: usize,
        residents: &mut Residents<B>,
        counters: &Counters,
    ) {
        let Some(queue) = self.queues.get_mut(source) else { return };
        queue.waiting.push_back(resident);
        if self.lanes.get(source).is_some_and(Lane::is_idle)
            && let Some(key) = self.read_on(source, residents, counters)
        {
            self.tree.set(source, key);
        }
    }

    /// Steps over the event of the winner. Whether its buffer is exhausted by that.
    #[inline]
    pub(super) fn step(&mut self, residents: &mut Residents<B>, counters: &Counters) -> bool {
        let source = self.tree.first();
        let Some(lane) = self.lanes.get_mut(source) else { return false };
        if let Some(key) = lane.step().or_else(|| lane.refill(counters)) {
            self.tree.set(source, key);
            return false;
        }
        self.finish_buffer(source, residents, counters);
        true
    }

    /// The buffer in a lane is exhausted: the next one of the source takes its place.
    #[cold]
    fn finish_buffer(&mut self, source: usize, residents: &mut Residents<B>, counters: &Counters) {
        if let Some(lane) = self.lanes.get_mut(source) {
            lane.leave();
            residents.exhaust(lane.resident(), lane.end(), lane.is_damaged());
        }
        let key = self.read_on(source, residents, counters).unwrap_or(Key::NONE);
        self.tree.set(source, key);
    }

    /// Goes on with the first waiting buffer of an idle source that has an event.
    ///
    /// `None` if there is none.
    fn read_on(&mut self, source: usize, residents: &mut Residents<B>, counters: &Counters) -> Option<Key> {
        let (lane, queue) = (self.lanes.get_mut(source)?, self.queues.get_mut(source)?);
        // Ends: each turn takes one from the queue.
        while let Some(index) = queue.waiting.pop_front() {
            let Some(resident) = residents.get(index) else { continue };
            if let Some(key) = lane.begin(index, &resident.slot, &resident.start, counters) {
                return Some(key);
            }
            lane.leave();
            residents.exhaust(index, lane.end(), lane.is_damaged());
        }
        if !queue.is_kept {
            self.spare.push(source);
            self.extra = self.extra.saturating_sub(1);
        }
        None
    }
}
