//! The events of a file buffer by buffer, each with its place in time.

use etweir::file::{Damage, DamageReport, FileBuffer};
use etweir::trace::{Event, Events, LogFileMode};
use etweir::{Offset, Ticks};

use crate::inputs::Reader;

/// An event, and when it counts as logged.
#[derive(Clone, Copy)]
pub(crate) struct Placed<'a> {
    pub(crate) event: Event<'a>,
    /// Its time stamp. Where it has none, that of its predecessor in the buffer; before the first stamp of the buffer,
    /// that one; in a buffer without stamps, the buffer's.
    pub(crate) ticks: Ticks,
}

/// What goes with a file from buffer to buffer.
pub(crate) struct Course {
    /// The damage inside the buffers.
    pub(crate) damage: DamageReport,
    /// Where log-file headers are that are not the first: the first of them, and how many there are.
    pub(crate) more_headers: Option<(Offset, u64)>,
    has_header: bool,
    /// In relogged traces, where buffers are stamped by another clock: the last stamp of a record.
    last_before: Option<Ticks>,
}

impl Course {
    pub(crate) fn new(reader: &Reader) -> Self {
        let relogged = |mode: LogFileMode| mode.contains(LogFileMode::RELOG);
        Self {
            // Far more than are named.
            damage: DamageReport::new(1000),
            more_headers: None,
            has_header: reader.header().is_some(),
            last_before: reader
                .header()
                .filter(|header| relogged(header.log_file_mode))
                .map(|header| header.time_stamp),
        }
    }

    /// The good events of the next buffer in its order; damage goes to the report.
    pub(crate) fn walk<'a>(&'a mut self, buffer: &'a FileBuffer<'a>) -> Walk<'a> {
        Walk { buffer, events: buffer.events(), course: self, ticks: None }
    }

    fn add_header(&mut self, at: Offset) {
        let (first, count) = self.more_headers.unwrap_or((at, 0));
        self.more_headers = Some((first, count.saturating_add(1)));
    }
}

/// The good events of a buffer.
pub(crate) struct Walk<'a> {
    buffer: &'a FileBuffer<'a>,
    events: Events<'a>,
    course: &'a mut Course,
    /// When the event before was logged.
    ticks: Option<Ticks>,
}

impl Walk<'_> {
    /// When an event without a time stamp was logged that no event with one precedes in the buffer.
    fn ticks_ahead(&self) -> Ticks {
        let mut ahead = self.events.clone().flatten();
        ahead
            .find_map(|event| event.time_stamp())
            .or(self.course.last_before)
            .unwrap_or_else(|| self.buffer.header().time_stamp())
    }

    /// Notes a log-file header where none belongs.
    fn check_header(&mut self, event: &Event<'_>) {
        let buffer_at = self.buffer.offset();
        if event.hook_id() == Some(0) && buffer_at.get() > 0 && self.course.has_header {
            // Inside a compressed buffer, offsets belong to no place in the file.
            let in_buffer = if self.buffer.is_compressed() { 0 } else { event.record().offset().get() };
            self.course.add_header(Offset(buffer_at.get().saturating_add(in_buffer)));
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        loop {
            match self.events.next()? {
                Ok(event) => {
                    let stamp = event.time_stamp();
                    let ticks = stamp.or(self.ticks).unwrap_or_else(|| self.ticks_ahead());
                    self.ticks = Some(ticks);
                    if let (Some(last), Some(stamp)) = (&mut self.course.last_before, stamp) {
                        *last = stamp;
                    }
                    self.check_header(&event);
                    return Some(Placed { event, ticks });
                }
                Err(damage) => self.course.damage.add(Damage::in_buffer(self.buffer, damage)),
            }
        }
    }
}
