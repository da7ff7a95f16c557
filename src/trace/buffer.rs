//! One buffer seen as part of its session: the facts of the session and of the buffer, and the events.

use crate::buffer::{BufferHeader, BufferView, RecordDamage, Records};
use crate::record::Record;
use crate::time::{FileTime, Ticks};
use crate::trace::event::Event;
use crate::trace::session::SessionInfo;
use crate::wire::flags::{BUFFER_FLAG_PROC_INDEX, EVENT_FLAG_PROCESSOR_INDEX};

/// What every event of a buffer shares: its session, and the `ETW_BUFFER_CONTEXT` out of the buffer's header. `Copy`, and
/// independent of the buffer's bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct BufferContext {
    session: SessionInfo,
    processor_index: u16,
    logger_id: u16,
    /// PROCESSOR_INDEX, if the buffer's header has a 16-bit index.
    index_flag: u16,
}

impl BufferContext {
    /// The context of a buffer of the session that `session` describes.
    #[must_use]
    pub fn new(header: &BufferHeader<'_>, session: SessionInfo) -> Self {
        let has_index = header.buffer_flags().0 & BUFFER_FLAG_PROC_INDEX != 0;
        Self {
            session,
            processor_index: header.processor_index(),
            logger_id: header.logger_id(),
            index_flag: if has_index { EVENT_FLAG_PROCESSOR_INDEX } else { 0 },
        }
    }

    /// What its session says of itself.
    #[must_use]
    pub const fn session(&self) -> SessionInfo {
        self.session
    }

    /// The processor whose events these are; 0 in a session without per-processor buffers.
    #[must_use]
    pub const fn processor_index(&self) -> u16 {
        self.processor_index
    }

    /// The session's slot in the system.
    #[must_use]
    pub const fn logger_id(&self) -> u16 {
        self.logger_id
    }

    /// The time of day of a stamp of this session. `None` if the trace has no anchor, or the result is no `FILETIME`.
    #[must_use]
    pub fn to_file_time(&self, ticks: Ticks) -> Option<FileTime> {
        self.session.clock().to_file_time(ticks)
    }

    /// A record of the buffer as an event.
    #[inline]
    #[must_use]
    pub const fn event<'a>(&'a self, record: Record<'a>) -> Event<'a> {
        Event::new(self, record)
    }

    /// The flag that a consumer adds to all events of the buffer.
    pub(super) const fn index_flag(&self) -> u16 {
        self.index_flag
    }
}

/// A buffer of a session: its records as events.
#[derive(Clone, Copy, Debug)]
pub struct TraceBuffer<'a> {
    view: BufferView<'a>,
    context: BufferContext,
}

impl<'a> TraceBuffer<'a> {
    /// `view` as part of the session that `session` describes.
    #[must_use]
    pub fn new(view: BufferView<'a>, session: SessionInfo) -> Self {
        Self { view, context: BufferContext::new(&view.header(), session) }
    }

    /// The buffer without its session.
    #[must_use]
    pub const fn view(&self) -> BufferView<'a> {
        self.view
    }

    /// What its events share.
    #[must_use]
    pub const fn context(&self) -> &BufferContext {
        &self.context
    }

    /// The events in the order of the buffer, and the damage between them.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events { context: &self.context, records: self.view.records() }
    }
}

/// The events of a buffer in its order. Made by [`TraceBuffer::events`]; allocates nothing for a good buffer.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    context: &'a BufferContext,
    records: Records<'a>,
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, RecordDamage>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.map(|record| Event::new(self.context, record)))
    }
}

impl core::iter::FusedIterator for Events<'_> {}
