//! What a session hands out at each step.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use crate::record::RecordSpan;
use crate::stream::completion::BufferId;
use crate::stream::info::StreamInfo;
use crate::stream::outcome::Outcome;
use crate::stream::retained::{Retained, RetainedBuffer};
use crate::stream::slot::Slot;
use crate::stream::stats::Stats;
use crate::time::Ticks;
use crate::trace::{Event, LogFileHeader};

/// What a session did when it was told to advance. Lives until the next call: `EVENT_RECORD`s and buffers of Windows are valid
/// no longer either, but here the compiler tells.
#[derive(Debug)]
pub enum Step<'a, B> {
    /// The next event, in the order of time: `PEVENT_RECORD_CALLBACK`.
    Event(Event<'a>, Delivery<'a, B>),
    /// The events of a buffer are over: `PETW_BUFFER_CALLBACK`. Buffers come in the order of arrival. It is completed at the
    /// next call.
    Buffer(RetiringBuffer<'a, B>),
    /// Nothing can be delivered before another buffer arrives, or the session is finished, or, where a time is given, that
    /// time has come.
    NeedInput {
        /// When silence will have lasted long enough to deliver what is held.
        until: Option<Duration>,
    },
    /// The session has ended. Every buffer is completed but for those that are retained.
    End(Outcome),
}

/// What can be done with an event besides reading it. Lives as long as the event.
pub struct Delivery<'a, B> {
    slot: &'a Arc<Slot<B>>,
    span: RecordSpan,
    time: i64,
}

impl<'a, B> Delivery<'a, B> {
    pub(super) const fn new(slot: &'a Arc<Slot<B>>, span: RecordSpan, time: i64) -> Self {
        Self { slot, span, time }
    }
}

impl<B: AsRef<[u8]>> Delivery<'_, B> {
    /// Keeps the event past this step, and its buffer with it. Costs an atomic increment; the completion of the buffer waits
    /// for the drop, and no other buffer does.
    #[must_use]
    pub fn retain(&self) -> Retained<B> {
        Retained::new(self.slot, self.span)
    }

    /// Which buffer of the session the event lies in.
    #[must_use]
    pub fn buffer_id(&self) -> BufferId {
        self.slot.id()
    }

    /// The value that holds the event, as it was added.
    #[must_use]
    pub fn buffer(&self) -> &B {
        self.slot.buffer()
    }

    /// The time that the event counts as in the order: its time stamp, but never less than that of its predecessor in the
    /// buffer, nor more than the flush time of the buffer, if that is of the same clock. What has no stamp counts as its
    /// predecessor; before the first stamp of the buffer, as that one; in a buffer without any, as the flush time. What lies in
    /// the header buffer comes before everything else: [`i64::MIN`].
    #[must_use]
    pub const fn counts_as(&self) -> Ticks {
        Ticks(self.time)
    }

    /// By how many ticks the event is older than one that was delivered before it; `None` if it is not.
    /// [`Stats::events_late`] counts those.
    #[must_use]
    pub fn late_by(&self) -> Option<i64> {
        let stamp = self.slot.record(self.span).time_stamp().filter(|_| !self.slot.is_header())?;
        Some(self.slot.common().counters.latest().saturating_sub(stamp)).filter(|late| *late > 0)
    }

    /// What was counted so far, this event included. Collects some twenty numbers.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.slot.common().stats()
    }

    /// What the stream says about itself: `QueryTraceProcessingHandle`.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.slot.common().info
    }

    /// Ends the session at the next step, as [`Session::cancel`](crate::stream::Session::cancel) does. An extension: an event
    /// callback of Windows cannot.
    pub fn cancel(&self) {
        self.slot.common().cancel();
    }
}

impl<B> fmt::Debug for Delivery<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("span", &self.span).finish_non_exhaustive()
    }
}

/// A buffer whose events are over, before it is completed: what `PETW_BUFFER_CALLBACK` is told, and
/// `ETW_BUFFER_CALLBACK_INFORMATION`. Lives as long as the callback.
pub struct RetiringBuffer<'a, B> {
    slot: &'a Arc<Slot<B>>,
}

impl<'a, B> RetiringBuffer<'a, B> {
    pub(super) const fn new(slot: &'a Arc<Slot<B>>) -> Self {
        Self { slot }
    }
}

impl<'a, B: AsRef<[u8]>> RetiringBuffer<'a, B> {
    /// The whole buffer, as it was added, compressed if it was: `Buffer` and `BufferSize`. The bytes in use end at the header's
    /// `FilledBytes`.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.slot.bytes()
    }

    /// The value that was added, which comes back at the completion.
    #[must_use]
    pub fn buffer(&self) -> &'a B {
        self.slot.buffer()
    }

    /// Which buffer of the session it is.
    #[must_use]
    pub fn id(&self) -> BufferId {
        self.slot.id()
    }

    /// Keeps the buffer past this step: `ProcessTraceBufferIncrementReference`, which Windows refuses for streams. It is
    /// completed once the share and its clones are dropped, on the thread that drops the last. Costs an atomic increment.
    #[must_use]
    pub fn retain(&self) -> RetainedBuffer<B> {
        RetainedBuffer::new(self.slot)
    }

    /// `BuffersRead`: how many buffers were processed, this one included, so 1 for the header buffer.
    #[must_use]
    pub fn buffers_read(&self) -> u64 {
        self.slot.common().counters.buffers_retired.get()
    }

    /// `LogfileHeader`: the header of the stream, as its header buffer has it.
    #[must_use]
    pub fn header(&self) -> Option<&'a LogFileHeader> {
        self.info().header()
    }

    /// What was counted so far, this buffer as retired.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.slot.common().stats()
    }

    /// What the stream says about itself: `QueryTraceProcessingHandle`.
    #[must_use]
    pub fn info(&self) -> &'a StreamInfo {
        &self.slot.common().info
    }

    /// Ends the session at the next step, as [`Session::cancel`](crate::stream::Session::cancel) does: FALSE of a buffer
    /// callback.
    pub fn cancel(&self) {
        self.slot.common().cancel();
    }
}

impl<B> fmt::Debug for RetiringBuffer<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetiringBuffer").field("slot", &self.slot).finish_non_exhaustive()
    }
}
