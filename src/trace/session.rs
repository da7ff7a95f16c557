//! One buffer seen as part of its session: the facts of the session and of the buffer, and the events.

use crate::buffer::{BufferView, Layout, RecordDamage, Records};
use crate::record::Record;
use crate::time::{FileTime, Ticks};
use crate::trace::clock::Clock;
use crate::trace::event::Event;
use crate::trace::header::{LogFileHeader, LogFileMode};
use crate::wire::flags::{BUFFER_FLAG_PROC_INDEX, EVENT_FLAG_PRIVATE_SESSION, EVENT_FLAG_PROCESSOR_INDEX};

/// What every event of a session shares, out of its log-file header. `Copy`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SessionInfo {
    layout: Layout,
    clock: Clock,
    /// PRIVATE_SESSION, if the session is private.
    private_flag: u16,
    pointer_size: u8,
}

impl SessionInfo {
    /// The facts of a log-file header.
    #[must_use]
    pub fn new(header: &LogFileHeader) -> Self {
        let private = header.log_file_mode.contains(LogFileMode::PRIVATE_LOGGER);
        Self {
            layout: header.layout(),
            clock: header.clock(),
            private_flag: if private { EVENT_FLAG_PRIVATE_SESSION } else { 0 },
            pointer_size: if header.pointer_size == 4 { 4 } else { 8 },
        }
    }

    /// Nothing is known, as when the header buffer is missing: time stamps stay raw, the layout is that of Windows 6.0 and
    /// later.
    #[must_use]
    pub const fn unknown() -> Self {
        Self { layout: Layout::Modern, clock: Clock::UNKNOWN, private_flag: 0, pointer_size: 8 }
    }

    /// The same facts with another layout of the buffers.
    pub(crate) const fn with_layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// The layout of the session's buffers.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// The clock that stamped the records.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// Whether it is a private (user-mode) session.
    #[must_use]
    pub const fn is_private(&self) -> bool {
        self.private_flag != 0
    }

    /// Bytes of a pointer, where a record does not say.
    #[must_use]
    pub const fn pointer_size(&self) -> u8 {
        self.pointer_size
    }

    /// The flag that a consumer adds to all events but PERFINFO ones.
    pub(super) const fn private_flag(&self) -> u16 {
        self.private_flag
    }
}

/// A buffer of a session: its records as events.
#[derive(Clone, Copy, Debug)]
pub struct TraceBuffer<'a> {
    view: BufferView<'a>,
    session: SessionInfo,
    processor_index: u16,
    logger_id: u16,
    /// PROCESSOR_INDEX, if the buffer's header has a 16-bit index.
    index_flag: u16,
}

impl<'a> TraceBuffer<'a> {
    /// `view` as part of the session that `session` describes.
    #[must_use]
    pub fn new(view: BufferView<'a>, session: SessionInfo) -> Self {
        let header = view.header();
        let has_index = header.buffer_flags().0 & BUFFER_FLAG_PROC_INDEX != 0;
        Self {
            view,
            session,
            processor_index: header.processor_index(),
            logger_id: header.logger_id(),
            index_flag: if has_index { EVENT_FLAG_PROCESSOR_INDEX } else { 0 },
        }
    }

    /// The buffer without its session.
    #[must_use]
    pub const fn view(&self) -> BufferView<'a> {
        self.view
    }

    /// What its session says of itself.
    #[must_use]
    pub const fn session(&self) -> SessionInfo {
        self.session
    }

    /// The processor whose events these are.
    #[must_use]
    pub const fn processor_index(&self) -> u16 {
        self.processor_index
    }

    /// The session's slot in the system.
    #[must_use]
    pub const fn logger_id(&self) -> u16 {
        self.logger_id
    }

    /// The flag that a consumer adds to all events of the buffer.
    pub(super) const fn index_flag(&self) -> u16 {
        self.index_flag
    }

    /// The time of day of a stamp of this session.
    #[must_use]
    pub fn to_file_time(&self, ticks: Ticks) -> Option<FileTime> {
        self.session.clock.to_file_time(ticks)
    }

    /// The events in the order of the buffer, and the damage between them.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events { buffer: self, records: self.view.records() }
    }

    /// One record of this buffer as an event.
    #[must_use]
    pub const fn event<'b>(&'b self, record: Record<'b>) -> Event<'b> {
        Event::new(self, record)
    }
}

/// The events of a buffer in its order. Made by [`TraceBuffer::events`]; allocates nothing for a good buffer.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    buffer: &'a TraceBuffer<'a>,
    records: Records<'a>,
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, RecordDamage>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.records.next()?.map(|record| Event::new(self.buffer, record)))
    }
}

impl core::iter::FusedIterator for Events<'_> {}
