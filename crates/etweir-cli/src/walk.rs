//! The events of a file buffer by buffer, each with its place in time, and what there is to tell of the file besides.

use etweir::buffer::{BufferFlags, BufferType};
use etweir::file::{Damage, DamageReport, FileBuffer};
use etweir::record::RecordKind;
use etweir::trace::{Event, Events, LogFileMode};
use etweir::{Guid, Offset, Ticks};

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
    /// What the buffers tell of losses; the log-file header has totals of its own.
    pub(crate) losses: Losses,
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
            losses: Losses::default(),
            has_header: reader.header().is_some(),
            last_before: reader
                .header()
                .filter(|header| relogged(header.log_file_mode))
                .map(|header| header.time_stamp),
        }
    }

    /// The good events of the next buffer in its order; damage goes to the report.
    pub(crate) fn walk<'a>(&'a mut self, buffer: &'a FileBuffer<'a>) -> Walk<'a> {
        self.losses.see(buffer);
        Walk { buffer, events: buffer.events(), course: self, ticks: None }
    }

    fn add_header(&mut self, at: Offset) {
        let (first, count) = self.more_headers.unwrap_or((at, 0));
        self.more_headers = Some((first, count.saturating_add(1)));
    }
}

/// Traces of losses in the buffers.
///
/// Source: consumer API reference, "Loss reporting"; format reference, "Sequence numbers and loss".
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Losses {
    /// Buffers whose flags say that events were lost before them.
    pub(crate) events_lost_flags: u64,
    /// Buffers whose flags say that a buffer was lost before them.
    pub(crate) buffers_lost_flags: u64,
    /// Events that tell of losses.
    pub(crate) loss_events: u64,
    /// Least and greatest sequence number of the data buffers, and how many have one.
    numbers: Option<(i64, i64, u64)>,
}

/// `{6A399AE0-4BC6-4DE9-870B-3657F8947E7E}`: events that tell of lost ones.
const LOST_EVENT: Guid =
    Guid::from_parts(0x6A39_9AE0, 0x4BC6, 0x4DE9, [0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E]);

impl Losses {
    fn see(&mut self, buffer: &FileBuffer<'_>) {
        let header = buffer.header();
        let flags = header.buffer_flags();
        let has = |flag: BufferFlags| u64::from(flags.contains(flag));
        self.events_lost_flags = self.events_lost_flags.saturating_add(has(BufferFlags::EVENTS_LOST));
        self.buffers_lost_flags = self.buffers_lost_flags.saturating_add(has(BufferFlags::BUFFER_LOST));
        let number = header.sequence_number();
        if let Some(number) = number.filter(|_| header.buffer_type() != Some(BufferType::HEADER)) {
            let (least, greatest, count) = self.numbers.unwrap_or((number, number, 0));
            self.numbers = Some((least.min(number), greatest.max(number), count.saturating_add(1)));
        }
    }

    fn see_event(&mut self, event: &Event<'_>) {
        if matches!(event.kind(), RecordKind::Full32 | RecordKind::Full64)
            && event.provider_id() == LOST_EVENT
        {
            self.loss_events = self.loss_events.saturating_add(1);
        }
    }

    /// Sequence numbers that no buffer has, between the least and the greatest: a hint at buffers that are not here. Some
    /// were empty and never written.
    pub(crate) fn missing_numbers(&self) -> u64 {
        let Some((least, greatest, count)) = self.numbers else { return 0 };
        greatest.abs_diff(least).saturating_add(1).saturating_sub(count)
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
                    self.course.losses.see_event(&event);
                    return Some(Placed { event, ticks });
                }
                Err(damage) => self.course.damage.add(Damage::in_buffer(self.buffer, damage)),
            }
        }
    }
}
