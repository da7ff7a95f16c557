//! A buffer while it is in use: shared, and handed back by its last holder.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU8, Ordering};

use crate::buffer::RecordWalk;
use crate::record::{Record, RecordSpan};
use crate::stream::admission::Accepted;
use crate::stream::common::Common;
use crate::stream::completion::{BufferId, BufferOutcome, Completed};
use crate::trace::BufferContext;

/// An accepted buffer, with what its events need.
pub(super) struct Slot<B> {
    buffer: B,
    /// The records in the clear, if the buffer is compressed.
    expanded: Option<Box<[u8]>>,
    filled: usize,
    context: BufferContext,
    id: BufferId,
    is_header: bool,
    outcome: AtomicU8,
    common: Arc<Common<B>>,
}

impl<B> fmt::Debug for Slot<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("id", &self.id).field("filled", &self.filled).finish_non_exhaustive()
    }
}

/// An accepted buffer without its slot yet. Goes home if it never gets one, as when its `as_ref` panics.
pub(super) struct Arriving<'a, B> {
    buffer: Option<B>,
    accepted: &'a Accepted,
    common: &'a Arc<Common<B>>,
}

impl<'a, B> Arriving<'a, B> {
    pub(super) const fn new(buffer: B, accepted: &'a Accepted, common: &'a Arc<Common<B>>) -> Self {
        Self { buffer: Some(buffer), accepted, common }
    }

    /// Its slot, which counts as abandoned until something else is said. `None` has no buffer. A share of what is common is
    /// made, unless there is a spare one.
    pub(super) fn into_slot(
        mut self,
        expanded: Option<Box<[u8]>>,
        spare: Option<Arc<Common<B>>>,
    ) -> Option<Arc<Slot<B>>> {
        let Accepted { id, context, filled, is_header, .. } = *self.accepted;
        Some(Arc::new(Slot {
            buffer: self.buffer.take()?,
            filled: expanded.as_ref().map_or(filled, |bytes| bytes.len()),
            expanded,
            context,
            id,
            is_header,
            outcome: AtomicU8::new(ABANDONED),
            common: spare.unwrap_or_else(|| Arc::clone(self.common)),
        }))
    }
}

impl<B: AsRef<[u8]>> Arriving<'_, B> {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], AsRef::as_ref)
    }
}

impl<B> Drop for Arriving<'_, B> {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            let outcome = BufferOutcome::Abandoned;
            self.common.completer.complete(Completed { buffer, id: self.accepted.id, outcome });
        }
    }
}

impl<B: AsRef<[u8]>> Slot<B> {
    /// The buffer as it was added.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.as_ref()
    }

    /// The value that was added.
    pub(super) const fn buffer(&self) -> &B {
        &self.buffer
    }

    /// The valid bytes in the clear: what records lie in.
    #[inline]
    pub(super) fn valid(&self) -> &[u8] {
        match &self.expanded {
            None => {
                let bytes = self.buffer.as_ref();
                // All that there is, if a file cuts the buffer.
                bytes.get(..self.filled).unwrap_or(bytes)
            }
            Some(expanded) => expanded,
        }
    }

    /// The record at `span`; one of nothing if `as_ref` gives other bytes than it gave.
    #[inline]
    pub(super) fn record(&self, span: RecordSpan) -> Record<'_> {
        let bytes = match &self.expanded {
            None => self.buffer.as_ref(),
            Some(expanded) => expanded,
        };
        Record::of_span(bytes, span).unwrap_or(Record::NOTHING)
    }

    /// A walk over its records.
    pub(super) fn walk(&self) -> RecordWalk {
        RecordWalk::new(self.valid().len(), self.filled, self.context.session().layout().shapes())
    }

    /// What its events share.
    pub(super) const fn context(&self) -> &BufferContext {
        &self.context
    }

    pub(super) const fn id(&self) -> BufferId {
        self.id
    }

    /// Whether it is a header buffer, whose events take no part in the order.
    pub(super) const fn is_header(&self) -> bool {
        self.is_header
    }

    /// What it shares with the other parts of its session.
    pub(super) fn common(&self) -> &Common<B> {
        &self.common
    }
}

impl<B> Slot<B> {
    pub(super) fn set_outcome(&self, outcome: BufferOutcome) {
        let number = match outcome {
            BufferOutcome::Delivered => DELIVERED,
            BufferOutcome::Passed => PASSED,
            BufferOutcome::Abandoned => ABANDONED,
        };
        self.outcome.store(number, Ordering::Release);
    }

    /// Lets go of a share. The last holder hands the buffer back, whoever that is, and is left with a share of what is
    /// common.
    pub(super) fn release(slot: Arc<Self>) -> Option<Arc<Common<B>>> {
        let Self { buffer, id, outcome, common, .. } = Arc::into_inner(slot)?;
        let outcome = match outcome.into_inner() {
            DELIVERED => BufferOutcome::Delivered,
            PASSED => BufferOutcome::Passed,
            _ => BufferOutcome::Abandoned,
        };
        common.completer.complete(Completed { buffer, id, outcome });
        Some(common)
    }
}

const DELIVERED: u8 = 0;
const PASSED: u8 = 1;
const ABANDONED: u8 = 2;
