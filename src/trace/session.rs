//! What every event of a session shares.

use crate::buffer::Layout;
use crate::trace::clock::Clock;
use crate::trace::header::{LogFileHeader, LogFileMode};
use crate::wire::flags::EVENT_FLAG_PRIVATE_SESSION;

/// What every event of a session shares, out of its log-file header. `Copy`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    #[cfg(feature = "std")]
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

impl Default for SessionInfo {
    /// [`SessionInfo::unknown`].
    fn default() -> Self {
        Self::unknown()
    }
}
