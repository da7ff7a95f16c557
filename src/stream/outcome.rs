//! How a session ends.

/// How a session ended.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// Everything that was accepted was delivered: ERROR_SUCCESS.
    Finished,
    /// A callback or the caller cancelled it: ERROR_CANCELLED.
    Cancelled,
}

impl Outcome {
    /// The Win32 code.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Finished => 0,
            Self::Cancelled => 1223,
        }
    }
}

/// What became of a call to finish: the result of `CloseTrace`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CloseOutcome {
    /// What was accepted will be delivered, and then the session ends: ERROR_CTX_CLOSE_PENDING, which means success.
    Pending,
    /// Nothing is left to close, since the session was finished or cancelled before: ERROR_INVALID_HANDLE.
    Closed,
}

impl CloseOutcome {
    /// The Win32 code.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Pending => 7007,
            Self::Closed => 6,
        }
    }
}
