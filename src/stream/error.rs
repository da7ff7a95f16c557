//! Why a buffer is refused, with the number that Windows has for it.

use core::fmt;

use crate::buffer::Layout;
use crate::error::{Offset, ParseError};
use crate::time::FileTime;

/// A buffer that was not accepted, on its way back.
///
/// The session never took it, and no completion will come for it.
#[derive(Clone, PartialEq, Eq)]
pub struct AddError<B> {
    buffer: B,
    reason: Refusal,
}

impl<B> AddError<B> {
    pub(super) const fn new(buffer: B, reason: Refusal) -> Self {
        Self { buffer, reason }
    }

    /// The buffer, as it was given.
    pub fn into_buffer(self) -> B {
        self.buffer
    }

    /// Why it was refused.
    pub const fn reason(&self) -> Refusal {
        self.reason
    }

    /// The Win32 code of the reason.
    pub const fn code(&self) -> u32 {
        self.reason.code()
    }
}

impl<B> fmt::Display for AddError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<B> fmt::Debug for AddError<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddError").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<B> core::error::Error for AddError<B> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.reason {
            Refusal::NoHeader(cause) => Some(cause),
            _ => None,
        }
    }
}

/// Why a session does not take a buffer. Copies freely, allocates nothing.
///
/// Source: consumer API reference, "Validation order and codes".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The session was finished: ERROR_INVALID_HANDLE.
    Closed,
    /// A callback or the caller cancelled the session: ERROR_CANCELLED.
    Cancelled,
    /// There are no bytes: ERROR_INVALID_PARAMETER.
    Empty,
    /// Fewer bytes than a header has, or than the buffer says that it has, or more than the limit: ERROR_BAD_LENGTH.
    Length {
        /// What the length belongs to.
        what: &'static str,
        /// The length.
        len: u64,
        /// The least that would do.
        min: u64,
        /// The most that would do.
        max: u64,
    },
    /// The first buffer is no header buffer: ERROR_INVALID_DATA.
    NoHeader(ParseError),
    /// The lengths in the header contradict each other: ERROR_INVALID_DATA.
    Contradiction {
        /// What the length belongs to.
        what: &'static str,
        /// The length.
        len: u64,
        /// The least that would do.
        min: u64,
        /// The most that would do.
        max: u64,
    },
    /// The stream says that it is of a Windows whose buffers it cannot be told to lay out as: ERROR_INVALID_DATA.
    Layout(Layout),
    /// The buffer is compressed in a format of this number: ERROR_NOT_SUPPORTED.
    Format(u16),
    /// The buffer was flushed before the one accepted last: ERROR_INVALID_TIME.
    OutOfOrder {
        /// Flush time of the last accepted buffer, in ticks of the source.
        last: i64,
        /// Flush time of this one.
        this: i64,
        /// How much earlier it may be.
        tolerance: i64,
    },
    /// The queue is as full as it may be: ERROR_NOT_ENOUGH_QUOTA.
    Full {
        /// Buffers that it holds.
        queued: u64,
    },
}

impl Refusal {
    /// The Win32 code.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Closed => 6,
            Self::Cancelled => 1223,
            Self::Empty => 87,
            Self::Length { .. } => 24,
            Self::NoHeader(_) | Self::Contradiction { .. } | Self::Layout(_) => 13,
            Self::Format(_) => 50,
            Self::OutOfOrder { .. } => 1901,
            Self::Full { .. } => 1816,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the session is finished"),
            Self::Cancelled => f.write_str("the session was cancelled"),
            Self::Empty => f.write_str("the buffer has no bytes"),
            Self::Length { what, len, min, max } | Self::Contradiction { what, len, min, max } => {
                write!(f, "{what} at {}: {len} bytes, outside {min}..={max}", Offset(0))
            }
            Self::NoHeader(_) => f.write_str("the first buffer of a stream has to be its header buffer"),
            Self::Layout(layout) => write!(f, "buffers of {layout:?} do not say what a stream needs"),
            Self::Format(number) => write!(f, "compression format {number} is not known"),
            Self::OutOfOrder { last, this, tolerance } => write!(
                f,
                "the buffer was flushed at {this}, before the last one at {last} by more than the {tolerance} ticks allowed"
            ),
            Self::Full { queued } => write!(f, "{queued} buffers are queued, which is as many as may be"),
        }
    }
}

/// Why a session could not be processed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// The end of the time limits lies before their start: ERROR_INVALID_TIME.
    #[error("the end of the time limits, {end}, lies before their start, {start}")]
    InvalidTime {
        /// The start.
        start: FileTime,
        /// The end.
        end: FileTime,
    },
}

impl ProcessError {
    /// The Win32 code.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::InvalidTime { .. } => 1901,
        }
    }
}
