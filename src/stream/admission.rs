//! What is checked before a buffer is taken: its header against the session, never its events.

use crate::buffer::{BufferFlags, BufferHeader, BufferType, Layout};
use crate::codec::Format;
use crate::error::{Offset, ParseError};
use crate::record::Parsed;
use crate::stream::common::Common;
use crate::stream::completion::BufferId;
use crate::stream::error::Refusal;
use crate::stream::options::Options;
use crate::stream::stats::Counters;
use crate::time::Ticks;
use crate::trace::{BufferContext, LogFileHeader, LogFileMode, SessionInfo};

/// The gate of a session: it knows what was accepted, and nothing of what became of it.
#[derive(Debug)]
pub(super) struct Admission {
    options: Options,
    state: State,
    session: SessionInfo,
    /// Bytes of a buffer of the source, if it tells.
    buffer_size: usize,
    /// The number of the compression format that the header buffer names; 0 if it names none.
    format: u16,
    /// Flush time of the last accepted buffer that has one.
    last_flush: Option<i64>,
    /// How much earlier than that the next one may have been flushed, in ticks; 0 as long as no clock is known.
    flush_tolerance: i64,
    highest_sequence: Option<i64>,
    next_id: u64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Open,
    Closed,
    Cancelled,
}

/// What is known of a buffer once it is accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accepted {
    pub(super) id: BufferId,
    /// Bytes that are valid once it is expanded.
    pub(super) filled: usize,
    pub(super) compressed: Option<Format>,
    pub(super) is_header: bool,
    pub(super) context: BufferContext,
    pub(super) flush_time: Ticks,
    pub(super) class: u16,
    /// It ended a flush pass.
    pub(super) is_marker: bool,
    /// It came earlier than its predecessor by more than the tolerance, and was accepted all the same.
    pub(super) disorder: bool,
    /// It brought the log-file header of the stream.
    pub(super) opens: bool,
}

impl Admission {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            state: State::Open,
            session: SessionInfo::unknown(),
            buffer_size: usize::MAX,
            format: 0,
            last_flush: None,
            flush_tolerance: 0,
            highest_sequence: None,
            next_id: 0,
        }
    }

    /// Whether buffers may still be accepted.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// No more buffers; those that were accepted are delivered.
    pub(super) fn close(&mut self) {
        if self.state == State::Open {
            self.state = State::Closed;
        }
    }

    /// No more buffers, and none of the accepted ones is delivered.
    pub(super) fn cancel(&mut self) {
        self.state = State::Cancelled;
    }

    /// Checks a buffer in the order of the consumer API reference, and takes note of it if it is accepted.
    pub(super) fn admit<B>(&mut self, bytes: &[u8], common: &Common<B>) -> Result<Accepted, Refusal> {
        if common.is_cancelled() {
            self.cancel();
        }
        match self.state {
            State::Open => {}
            State::Closed => return Err(Refusal::Closed),
            State::Cancelled => return Err(Refusal::Cancelled),
        }
        let out = common.completer.out();
        if self.options.max_buffers_out.is_some_and(|most| out >= most) {
            // Only the caller knows when what is retained is dropped.
            return Err(Refusal::Full { queued: out });
        }
        if bytes.is_empty() {
            return Err(Refusal::Empty);
        }
        let first = self.next_id == 0;
        let header = BufferHeader::parse(bytes, self.session.layout()).map_err(|_| {
            length("buffer", bytes.len(), BufferHeader::LEN, self.options.limits.buffer_bytes)
        })?;
        if bytes.len() > self.options.limits.buffer_bytes {
            return Err(length("buffer", bytes.len(), BufferHeader::LEN, self.options.limits.buffer_bytes));
        }
        let (filled, compressed) = self.checked_lengths(&header, bytes)?;
        let found = if first { self.log_file_header(bytes)? } else { None };
        let session = found.as_ref().map_or(self.session, SessionInfo::new);
        if session.layout() != Layout::Modern {
            return Err(Refusal::Layout(session.layout()));
        }
        let is_header = header.buffer_type() == Some(BufferType::HEADER) || found.is_some();
        let flush_time = header.time_stamp();
        let disorder = if is_header { false } else { self.checked_order(flush_time)? };
        // From here on it is accepted.
        self.session = session;
        let opens = found.is_some();
        if let Some(found) = found {
            if found.log_file_mode.contains(LogFileMode::COMPRESSED) {
                let [low, high, ..] = header.state().to_le_bytes();
                self.format = u16::from_le_bytes([low, high]);
            }
            self.buffer_size = usize::try_from(found.buffer_size).unwrap_or(usize::MAX);
            self.flush_tolerance = session.clock().ticks_in(self.options.flush_tolerance).unwrap_or(0);
            common.info.set_header(found);
        }
        if is_header && compressed.is_none() {
            common.info.look_around(bytes.get(..filled).unwrap_or_default(), session.layout().shapes());
        }
        if !is_header {
            // One flush time far in the future does not make all that follows disorder.
            let last = self.last_flush.filter(|_| !disorder);
            self.last_flush = Some(last.map_or(flush_time.0, |last| last.max(flush_time.0)));
        }
        let id = BufferId(self.next_id);
        self.next_id = self.next_id.saturating_add(1);
        let flags = header.buffer_flags();
        let counters = &common.counters;
        counters.buffers_in_disorder.add(disorder.into());
        counters.events_lost_flags.add(flags.contains(BufferFlags::EVENTS_LOST).into());
        counters.buffers_lost_flags.add(flags.contains(BufferFlags::BUFFER_LOST).into());
        if let Some(sequence) = header.sequence_number().filter(|_| !is_header) {
            self.count_gaps(sequence, counters);
        }
        common.completer.add_one();
        Ok(Accepted {
            id,
            filled,
            compressed,
            is_header,
            context: BufferContext::new(&header, session),
            flush_time,
            class: header.buffer_type().map_or(0, |class| class.0),
            is_marker: flags.contains(BufferFlags::FLUSH_MARKER),
            disorder,
            opens,
        })
    }

    /// Counts the sequence numbers that were left out before this one.
    fn count_gaps(&mut self, sequence: i64, counters: &Counters) {
        match self.highest_sequence {
            Some(highest) if sequence > highest => {
                let missing = sequence.saturating_sub(highest).saturating_sub(1);
                counters.sequence_gaps.add(missing.unsigned_abs());
                self.highest_sequence = Some(sequence);
            }
            // One that was missed arrives after all.
            Some(_) => counters.sequence_gaps.sub(1),
            None => self.highest_sequence = Some(sequence),
        }
    }

    /// The filled bytes, and the format that they have to be expanded from, if so.
    fn checked_lengths(
        &self,
        header: &BufferHeader<'_>,
        bytes: &[u8],
    ) -> Result<(usize, Option<Format>), Refusal> {
        let filled = usize::try_from(header.filled_bytes()).unwrap_or(usize::MAX);
        let size = usize::try_from(header.buffer_size().unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
        if header.is_compressed() {
            if !(BufferHeader::LEN..=bytes.len()).contains(&size) {
                return Err(length("compressed buffer", size, BufferHeader::LEN, bytes.len()));
            }
            let max = self.buffer_size.min(self.options.limits.decompressed_bytes);
            if !(BufferHeader::LEN..=max).contains(&filled) {
                return Err(contradiction("filled bytes", filled, BufferHeader::LEN, max));
            }
            let format = match (Format::from_number(self.format), self.format) {
                (Some(format), _) => format,
                (None, 0) => Format::Xpress,
                (None, number) => return Err(Refusal::Format(number)),
            };
            return Ok((filled, Some(format)));
        }
        if !(BufferHeader::LEN..=bytes.len()).contains(&filled) {
            return Err(length("filled bytes", filled, BufferHeader::LEN, bytes.len()));
        }
        if size < filled {
            return Err(contradiction("buffer size", size, filled, self.options.limits.buffer_bytes));
        }
        Ok((filled, None))
    }

    /// The header in the first buffer; `None` if it may be missing and is.
    fn log_file_header(&self, bytes: &[u8]) -> Result<Option<LogFileHeader>, Refusal> {
        let parsed = match Parsed::at(bytes, BufferHeader::LEN, Layout::Modern.shapes()) {
            Parsed::Record(record, _) => LogFileHeader::parse(&record),
            Parsed::Bad(cause) | Parsed::Unknown(cause, _) | Parsed::Wnode(cause, _) => Err(cause),
            Parsed::End => Err(ParseError::Unexpected {
                what: "record",
                at: Offset::from(BufferHeader::LEN),
                expected: "a log-file header",
                found: 0,
            }),
        };
        match parsed {
            Ok(header) => Ok(Some(header)),
            Err(_) if self.options.allow_missing_header => Ok(None),
            Err(cause) => Err(Refusal::NoHeader(cause)),
        }
    }

    /// Whether the buffer was flushed so long before its predecessor that it counts as disorder.
    fn checked_order(&self, flush_time: Ticks) -> Result<bool, Refusal> {
        let Some(last) = self.last_flush else { return Ok(false) };
        let tolerance = self.flush_tolerance;
        if flush_time.0 >= last.saturating_sub(tolerance) {
            Ok(false)
        } else if self.options.accept_disorder {
            Ok(true)
        } else {
            Err(Refusal::OutOfOrder { last, this: flush_time.0, tolerance })
        }
    }
}

fn length(what: &'static str, len: usize, min: usize, max: usize) -> Refusal {
    let number = |value| Offset::from(value).get();
    Refusal::Length { what, len: number(len), min: number(min), max: number(max) }
}

fn contradiction(what: &'static str, len: usize, min: usize, max: usize) -> Refusal {
    let number = |value| Offset::from(value).get();
    Refusal::Contradiction { what, len: number(len), min: number(min), max: number(max) }
}
