//! The events of a buffer, each with its place in time.

use etweir::Ticks;
use etweir::file::{Damage, DamageReport, FileBuffer};
use etweir::trace::{Event, Events};

/// An event, and when it counts as logged.
#[derive(Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) event: Event<'a>,
    /// Its time stamp. Where it has none, that of its predecessor in the buffer, or of the buffer.
    pub(crate) ticks: Ticks,
}

/// The good events of a buffer in its order; damage goes to a report.
pub(crate) struct Walk<'a> {
    buffer: &'a FileBuffer<'a>,
    events: Events<'a>,
    damage: &'a mut DamageReport,
    ticks: Ticks,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(buffer: &'a FileBuffer<'a>, damage: &'a mut DamageReport) -> Self {
        Self { buffer, events: buffer.events(), damage, ticks: buffer.header().time_stamp() }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        loop {
            match self.events.next()? {
                Ok(event) => {
                    self.ticks = event.time_stamp().unwrap_or(self.ticks);
                    return Some(Placed { event, ticks: self.ticks });
                }
                Err(damage) => self.damage.add(Damage::in_buffer(self.buffer, damage)),
            }
        }
    }
}

/// A report of the damage inside the buffers of one file.
pub(crate) const fn damage_report() -> DamageReport {
    // Far more than are named.
    DamageReport::new(1000)
}
