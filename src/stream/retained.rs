//! What is kept of a buffer past its turn.

use alloc::sync::Arc;
use core::fmt;

use crate::record::{Record, RecordSpan};
use crate::stream::completion::BufferId;
use crate::stream::slot::Slot;
use crate::trace::Event;

/// A share of a buffer that was kept past its callback: `ProcessTraceBufferIncrementReference`, and with its drop
/// `ProcessTraceBufferDecrementReference`. Clones share; each costs an atomic increment.
///
/// The buffer is completed when its session has retired it and the last share is dropped, on the thread that drops it. Made
/// by [`RetiringBuffer::retain`](crate::stream::RetiringBuffer::retain). It may outlive the session. Holds the whole buffer
/// in memory, and its expansion if it was compressed; [`Stats::buffers_retained`](crate::stream::Stats) counts such buffers.
pub struct RetainedBuffer<B> {
    /// Taken by `drop`, and there until then.
    slot: Option<Arc<Slot<B>>>,
}

impl<B: AsRef<[u8]>> RetainedBuffer<B> {
    pub(super) fn new(slot: &Arc<Slot<B>>) -> Self {
        Self { slot: Some(Arc::clone(slot)) }
    }

    /// The whole buffer as it was added.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.slot.as_ref().map_or(&[], |slot| slot.bytes())
    }

    /// Which buffer of its session it is.
    #[must_use]
    pub fn id(&self) -> BufferId {
        self.slot.as_ref().map_or(BufferId(0), |slot| slot.id())
    }
}

impl<B> Clone for RetainedBuffer<B> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone() }
    }
}

impl<B> fmt::Debug for RetainedBuffer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetainedBuffer").field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl<B> Drop for RetainedBuffer<B> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            Slot::release(slot);
        }
    }
}

/// An event that was kept, and with it a share of its buffer. Clones share; each costs an atomic increment.
///
/// The buffer is completed when its session has retired it and the last share is dropped, on the thread that drops it. Made
/// by [`Delivery::retain`](crate::stream::Delivery::retain). It may outlive the session.
pub struct Retained<B> {
    buffer: RetainedBuffer<B>,
    span: RecordSpan,
}

impl<B: AsRef<[u8]>> Retained<B> {
    pub(super) fn new(slot: &Arc<Slot<B>>, span: RecordSpan) -> Self {
        Self { buffer: RetainedBuffer::new(slot), span }
    }

    /// The event. Parses nothing again.
    ///
    /// `None` only if the buffer's `as_ref` no longer gives the bytes that it gave.
    #[must_use]
    pub fn event(&self) -> Option<Event<'_>> {
        let slot = self.buffer.slot.as_ref()?;
        Some(slot.context().event(Record::of_span(slot.valid(), self.span)?))
    }

    /// The buffer that the event lies in. A clone of it keeps the buffer without the event.
    #[must_use]
    pub const fn buffer(&self) -> &RetainedBuffer<B> {
        &self.buffer
    }

    /// Which buffer of its session it is.
    #[must_use]
    pub fn id(&self) -> BufferId {
        self.buffer.id()
    }
}

impl<B> Clone for Retained<B> {
    fn clone(&self) -> Self {
        Self { buffer: self.buffer.clone(), span: self.span }
    }
}

impl<B> fmt::Debug for Retained<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retained").field("buffer", &self.buffer).finish_non_exhaustive()
    }
}
