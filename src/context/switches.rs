//! Which thread runs on which processor.

use alloc::collections::BTreeMap;
use alloc::collections::VecDeque;

use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::Event;

/// The thread that each processor ran at a time, from context switches.
///
/// Needs the kernel's class `Thread`, CSwitch; compact switches (CompCS) are not read. Events of one processor have to come
/// about in the order of time, as they lie in a file.
///
/// Memory: 16 bytes for each of the latest [`Limits::context_entries`] switches, over all processors.
///
/// Source: payload reference on kernel events, "Thread".
#[derive(Clone, Debug)]
pub struct ContextSwitches {
    /// By processor, in the order of time.
    switches: BTreeMap<u16, VecDeque<(Ticks, u32)>>,
    count: usize,
    most: usize,
    dropped: u64,
}

impl Default for ContextSwitches {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl ContextSwitches {
    /// Knows no switch yet.
    #[must_use]
    pub const fn new(limits: &Limits) -> Self {
        Self { switches: BTreeMap::new(), count: 0, most: limits.context_entries, dropped: 0 }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) -> Observed {
        if event.hook_id() == Some(CSWITCH) { self.observe_switch(event) } else { Observed::Other }
    }

    fn observe_switch(&mut self, event: &Event<'_>) -> Observed {
        let new_thread_id = Payload::new(event.user_data(), 8).u32();
        let read = new_thread_id.zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some((thread, time)) = read {
            self.insert(event.processor_index(), time, thread);
        }
        observed
    }

    fn insert(&mut self, processor: u16, time: Ticks, thread: u32) {
        if self.count >= self.most {
            self.make_room(processor);
        }
        let switches = self.switches.entry(processor).or_default();
        // Nearly always at the end.
        let late = switches.iter().rev().take(MOST_LATE).take_while(|(at, _)| *at > time).count();
        if late < MOST_LATE && self.count < self.most {
            switches.insert(switches.len().saturating_sub(late), (time, thread));
            self.count = self.count.saturating_add(1);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Gives up the earliest switch of this processor, or of another if this one has none.
    fn make_room(&mut self, processor: u16) {
        let own = self.switches.contains_key(&processor).then_some(processor);
        let Some(from) = own.or_else(|| self.switches.keys().next().copied()) else { return };
        let Some(switches) = self.switches.get_mut(&from) else { return };
        if switches.pop_front().is_some() {
            self.count = self.count.saturating_sub(1);
            self.dropped = self.dropped.saturating_add(1);
        }
        if switches.is_empty() {
            self.switches.remove(&from);
        }
    }

    /// The thread that ran on a processor at this time; 0 for the idle thread, `None` before its first known switch.
    #[must_use]
    pub fn thread_id(&self, processor: u16, time: Ticks) -> Option<u32> {
        let switches = self.switches.get(&processor)?;
        let after = switches.partition_point(|(at, _)| *at <= time);
        switches.get(after.checked_sub(1)?).map(|(_, thread)| *thread)
    }

    /// How many switches were given up because there were too many, or because they came far too late.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// Group THREAD, CSwitch.
const CSWITCH: u16 = 0x0524;
/// A switch that comes later than so many that follow it is not kept.
const MOST_LATE: usize = 4096;
