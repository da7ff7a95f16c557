//! Stack walks of the CLR: events of their own, behind the event that they belong to.

use alloc::collections::{BTreeMap, BTreeSet};
use std::collections::HashMap;

use crate::context::stack_table::StackIndex;

/// Which stack walk belongs to which event. Both may come in any order, as buffers lie in a file: a thread may change its
/// processor between an event and its walk.
#[derive(Clone, Debug)]
pub(super) struct ClrWalks {
    /// By thread and time.
    walks: BTreeMap<(u32, i64), ClrWalk>,
    /// The times of the events of each thread that have no walk yet.
    waiting: HashMap<u32, BTreeSet<i64>, foldhash::fast::RandomState>,
    most_walks: usize,
    /// How many events may wait, over all threads.
    room: usize,
    dropped: u64,
    /// Walks before this time are forgotten at the next turn.
    last_turn: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ClrWalk {
    pub(super) stack: StackIndex,
    pub(super) process_id: u32,
    /// The time of the last event of the thread before the walk.
    event_time: Option<i64>,
}

/// So many events of one thread wait; then the earliest goes, which is one that has no walk at all.
const MOST_WAITING: usize = 4096;

impl ClrWalks {
    pub(super) fn new(most_walks: usize, most_waiting: usize) -> Self {
        Self {
            walks: BTreeMap::new(),
            waiting: HashMap::default(),
            most_walks,
            room: most_waiting,
            dropped: 0,
            last_turn: i64::MIN,
        }
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes an event that may have a walk behind it.
    pub(super) fn event(&mut self, thread_id: u32, time: i64) {
        // The walk is there already only if its buffer lies in front.
        let mut later = self.walks.range_mut((thread_id, time)..=(thread_id, i64::MAX));
        if let Some((_, walk)) = later.next().filter(|(_, walk)| walk.event_time < Some(time)) {
            let earlier = walk.event_time.replace(time);
            if let Some(earlier) = earlier {
                self.wait(thread_id, earlier);
            }
            return;
        }
        self.wait(thread_id, time);
    }

    fn wait(&mut self, thread_id: u32, time: i64) {
        if self.room == 0 {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let waiting = self.waiting.entry(thread_id).or_default();
        if waiting.insert(time) {
            if waiting.len() > MOST_WAITING {
                waiting.pop_first();
            } else {
                self.room = self.room.saturating_sub(1);
            }
        }
    }

    /// Takes a walk: it belongs to the last event of the thread before it.
    pub(super) fn walk(&mut self, thread_id: u32, time: i64, process_id: u32, stack: StackIndex) {
        if self.walks.len() >= self.most_walks {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        let mut event_time = None;
        if let Some(waiting) = self.waiting.get_mut(&thread_id) {
            event_time = waiting.range(..=time).next_back().copied();
            if event_time.is_some_and(|event_time| waiting.remove(&event_time)) {
                self.room = self.room.saturating_add(1);
            }
        }
        self.walks.insert((thread_id, time), ClrWalk { stack, process_id, event_time });
    }

    /// The walk of an event.
    pub(super) fn of_event(&self, thread_id: u32, time: i64) -> Option<ClrWalk> {
        let (_, walk) = self.walks.range((thread_id, time)..=(thread_id, i64::MAX)).next()?;
        Some(*walk).filter(|walk| walk.event_time == Some(time))
    }

    /// Forgets the walks from before the last turn, and moves the others' stacks.
    pub(super) fn turn(&mut self, now: i64, mut keep: impl FnMut(StackIndex) -> Option<StackIndex>) {
        let last_turn = core::mem::replace(&mut self.last_turn, now);
        self.walks.retain(|&(_, time), walk| {
            let kept = (time >= last_turn).then(|| keep(walk.stack)).flatten();
            if let Some(stack) = kept {
                walk.stack = stack;
            }
            kept.is_some()
        });
    }
}
