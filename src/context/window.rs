//! Stacks joined to their events in a stream.

use alloc::collections::VecDeque;

use crate::context::call_stack::CallStack;
use crate::context::stacks::Stacks;
use crate::limits::Limits;
use crate::trace::{Event, OwnedEvent};

/// Holds the events of a stream for a while, and hands each of them out with the stack that came for it meanwhile.
///
/// Events come in the order of time and go out in the same order, all of them. The kernel's half of a stack follows its event
/// at once; the user's half follows when the thread returns to user mode, which can take long: what comes after the event
/// went out is lost. Keys of stacks that the session tells only when it stops stay open: see
/// [`CallStack::is_incomplete`].
///
/// Memory: a copy of as many events as are held, the stacks of twice as many, and the keys.
#[derive(Clone, Debug)]
pub struct StackWindow {
    held: VecDeque<OwnedEvent>,
    stacks: Stacks,
    most_events: usize,
    most_ticks: Option<i64>,
    /// Events since the last turn of what is known of stacks.
    since_turn: usize,
}

impl StackWindow {
    /// Holds so many events, at least one.
    #[must_use]
    pub fn new(most_events: usize, limits: &Limits) -> Self {
        Self {
            held: VecDeque::new(),
            stacks: Stacks::new(limits),
            most_events: most_events.max(1),
            most_ticks: None,
            since_turn: 0,
        }
    }

    /// Holds no event longer than so many ticks of the session's clock, by the stamps of the events that follow.
    #[must_use]
    pub const fn no_longer_than(mut self, ticks: i64) -> Self {
        self.most_ticks = Some(ticks);
        self
    }

    /// Takes the next event, and hands out those that were held long enough.
    pub fn push(&mut self, event: &Event<'_>, mut deliver: impl FnMut(&Event<'_>, Option<CallStack<'_>>)) {
        // What is held at most was learned since the turn before the last.
        if self.since_turn >= self.most_events {
            self.since_turn = 0;
            self.stacks.turn(event.time_stamp().unwrap_or_default());
        }
        self.since_turn = self.since_turn.saturating_add(1);
        self.stacks.observe(event);
        while self.held.len() >= self.most_events || self.is_old(event) {
            let Some(held) = self.held.pop_front() else { break };
            let held = held.event();
            deliver(&held, self.stacks.stack(&held));
        }
        self.held.push_back(event.to_owned_event());
    }

    /// Whether the event that was held longest has been held too long.
    fn is_old(&self, now: &Event<'_>) -> bool {
        let first = self.held.front().and_then(|held| held.event().time_stamp());
        let most = self.most_ticks.zip(now.time_stamp()).zip(first);
        most.is_some_and(|((most, now), first)| now.0.saturating_sub(first.0) > most)
    }

    /// Hands out all that are held: the stream has ended, or pauses.
    pub fn flush(&mut self, mut deliver: impl FnMut(&Event<'_>, Option<CallStack<'_>>)) {
        for held in self.held.drain(..) {
            let held = held.event();
            deliver(&held, self.stacks.stack(&held));
        }
    }

    /// How many stacks, joints and keys were not taken because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.stacks.dropped()
    }

    /// How many events are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no event is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}
