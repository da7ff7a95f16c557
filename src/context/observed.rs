//! What a component made of an event.

/// What a component made of an event that it was shown.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Observed {
    /// The event tells nothing of what the component keeps.
    Other,
    /// What it tells is kept.
    Taken,
    /// It would tell something, but the decoder does not know how, or the payload is damaged. A schema that a trace carries
    /// at its end may be known later: show it again then.
    Unreadable,
}

impl Observed {
    /// `Taken` for something that was read.
    pub(super) const fn read<T>(read: &Option<T>) -> Self {
        if read.is_some() { Self::Taken } else { Self::Unreadable }
    }
}
