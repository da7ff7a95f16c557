//! The events of a file buffer by buffer, each with its place in time, and what there is to tell of the file besides.

use etweir::buffer::{BufferFlags, BufferHeader, BufferType, Records};
use etweir::file::{Accounting, Damage, DamageReport, FileBuffer};
use etweir::record::RecordKind;
use etweir::trace::{Clock, Event, LogFileHeader, LogFileMode};
use etweir::{FileTime, Guid, Offset, Ticks};

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
    /// The damage inside the buffers, as far as they are walked over here.
    pub(crate) damage: DamageReport,
    /// Where the bytes of these went.
    pub(crate) accounting: Accounting,
    /// Where log-file headers are that are not the first: the first of them, and how many there are.
    pub(crate) more_headers: Option<(Offset, u64)>,
    /// What the buffers tell of losses; the log-file header has totals of its own.
    pub(crate) losses: Losses,
    has_header: bool,
    /// Of a relogged trace, whose buffers are stamped with the time of day of the relogging.
    relogged: Option<Clock>,
}

impl Course {
    /// Of a file with this log-file header, if it has one.
    pub(crate) fn new(header: Option<&LogFileHeader>) -> Self {
        let is_relogged = |header: &&LogFileHeader| header.log_file_mode.contains(LogFileMode::RELOG);
        Self {
            // Far more than are named.
            damage: DamageReport::new(1000),
            accounting: Accounting::default(),
            more_headers: None,
            losses: Losses::default(),
            has_header: header.is_some(),
            relogged: header.filter(is_relogged).map(LogFileHeader::clock),
        }
    }

    /// The good events of the next buffer in its order; damage goes to the report.
    pub(crate) fn walk<'a>(&'a mut self, buffer: &'a FileBuffer<'a>) -> Walk<'a> {
        self.losses.see(&buffer.header());
        let records = buffer.trace_buffer().view().records();
        Walk { buffer, records, course: self, ticks: None, damaged: 0, is_over: false }
    }

    /// Takes note of an event of the buffer at `at`.
    #[inline]
    pub(crate) fn meet(&mut self, event: &Event<'_>, at: Offset, is_compressed: bool) {
        if event.hook_id() == Some(0) {
            self.meet_header(event, at, is_compressed);
        }
        self.losses.see_event(event);
    }

    /// Notes a log-file header where none belongs.
    #[cold]
    fn meet_header(&mut self, event: &Event<'_>, at: Offset, is_compressed: bool) {
        if at.get() == 0 || !self.has_header {
            return;
        }
        // Inside a compressed buffer, offsets belong to no place in the file.
        let in_buffer = if is_compressed { 0 } else { event.record().offset().get() };
        let at = Offset(at.get().saturating_add(in_buffer));
        let (first, count) = self.more_headers.unwrap_or((at, 0));
        self.more_headers = Some((first, count.saturating_add(1)));
    }

    /// Counts the header of a buffer whose records nobody looks at.
    pub(crate) fn account_header(&mut self, buffer: &FileBuffer<'_>) {
        let header = buffer.stored_bytes().min(Offset::from(BufferHeader::LEN).get());
        self.accounting.headers = self.accounting.headers.saturating_add(header);
    }

    /// Counts the bytes of a buffer whose records end at `end`, but for those of damage.
    fn account(&mut self, buffer: &FileBuffer<'_>, end: Offset, damaged: u64) {
        let accounting = &mut self.accounting;
        let stored = buffer.stored_bytes();
        let header = stored.min(Offset::from(BufferHeader::LEN).get());
        let behind = stored.saturating_sub(header);
        accounting.headers = accounting.headers.saturating_add(header);
        if buffer.is_compressed() {
            accounting.compressed = accounting.compressed.saturating_add(behind);
            return;
        }
        // The padding of the last record may reach past what is filled.
        let valid = Offset::from(buffer.trace_buffer().view().valid_bytes().len());
        let used = end.min(valid).get().saturating_sub(header).min(behind);
        let damaged = damaged.min(used);
        accounting.damaged = accounting.damaged.saturating_add(damaged);
        accounting.records = accounting.records.saturating_add(used.saturating_sub(damaged));
        accounting.unused = accounting.unused.saturating_add(behind.saturating_sub(used));
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
    /// Takes note of a buffer.
    pub(crate) fn see(&mut self, header: &BufferHeader<'_>) {
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
    records: Records<'a>,
    course: &'a mut Course,
    /// When the event before was logged.
    ticks: Option<Ticks>,
    /// Bytes of damage so far.
    damaged: u64,
    is_over: bool,
}

impl Walk<'_> {
    /// When an event without a time stamp was logged that no event with one precedes in the buffer.
    fn ticks_ahead(&self) -> Ticks {
        let context = self.buffer.trace_buffer().context();
        let mut ahead = self.records.clone().flatten();
        ahead.find_map(|record| context.event(record).time_stamp()).unwrap_or_else(|| self.flushed())
    }

    /// When the buffer was flushed, in ticks.
    fn flushed(&self) -> Ticks {
        let flushed = self.buffer.header().time_stamp();
        let relogged = self.course.relogged.and_then(|clock| clock.ticks_at(FileTime(flushed.0)));
        relogged.unwrap_or(flushed)
    }

    fn end(&mut self) {
        if !core::mem::replace(&mut self.is_over, true) {
            self.course.account(self.buffer, self.records.offset(), self.damaged);
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Placed<'a>;

    fn next(&mut self) -> Option<Placed<'a>> {
        loop {
            let Some(record) = self.records.next() else {
                self.end();
                return None;
            };
            match record {
                Ok(record) => {
                    let event = self.buffer.trace_buffer().context().event(record);
                    let ticks = event.time_stamp().or(self.ticks).unwrap_or_else(|| self.ticks_ahead());
                    self.ticks = Some(ticks);
                    self.course.meet(&event, self.buffer.offset(), self.buffer.is_compressed());
                    return Some(Placed { event, ticks });
                }
                Err(damage) => {
                    self.damaged = self.damaged.saturating_add(damage.len);
                    self.course.damage.add(Damage::in_buffer(self.buffer, damage));
                }
            }
        }
    }
}
