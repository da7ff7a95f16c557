//! Buffers on their way home: shared while they are in use, handed back by the last holder.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;
use core::fmt;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use crate::record::{Record, RecordSpan};
use crate::trace::{BufferContext, Event};

/// Which buffer of its session: 0 for the first that was accepted, then in the order of acceptance.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BufferId(pub u64);

impl fmt::Display for BufferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A buffer that the session no longer uses, as it was added.
#[derive(Debug)]
#[non_exhaustive]
pub struct Completed<B> {
    /// The very value that was added.
    pub buffer: B,
    /// Which one it is.
    pub id: BufferId,
    /// What became of it.
    pub outcome: BufferOutcome,
}

/// What became of a buffer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum BufferOutcome {
    /// Its events were delivered, and the buffer callback ran.
    Delivered,
    /// No events were asked for; the buffer callback ran.
    Passed,
    /// The session ended before it was its turn.
    Abandoned,
}

const DELIVERED: u8 = 0;
const PASSED: u8 = 1;
const ABANDONED: u8 = 2;

/// Where buffers go when their last holder lets go.
pub(super) struct Completer<B> {
    callback: Box<dyn Fn(Completed<B>) + Send + Sync>,
    /// Buffers accepted and not yet completed.
    live: AtomicU64,
    panics: AtomicU64,
    first_panic: Mutex<Option<Box<dyn Any + Send>>>,
    waiting: AtomicBool,
    /// Guards nothing but the wait.
    gate: Mutex<()>,
    all_home: Condvar,
}

impl<B> fmt::Debug for Completer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Completer")
            .field("live", &self.live)
            .field("panics", &self.panics)
            .finish_non_exhaustive()
    }
}

impl<B> Completer<B> {
    pub(super) fn new(callback: Box<dyn Fn(Completed<B>) + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            callback,
            live: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            first_panic: Mutex::new(None),
            waiting: AtomicBool::new(false),
            gate: Mutex::new(()),
            all_home: Condvar::new(),
        })
    }

    /// Hands a buffer back. A panic of the callback is kept for whoever asks for it, so that no other buffer suffers.
    fn complete(&self, completed: Completed<B>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.callback)(completed))) {
            self.panics.fetch_add(1, Ordering::Relaxed);
            // On a thread that is unwinding already, another panic could not be raised anyway.
            if !thread::panicking() {
                self.first_panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
            }
        }
        self.live.fetch_sub(1, Ordering::AcqRel);
        if self.waiting.load(Ordering::Acquire) {
            drop(self.gate.lock());
            self.all_home.notify_all();
        }
    }

    /// One more buffer is accepted.
    pub(super) fn add_one(&self) {
        self.live.fetch_add(1, Ordering::AcqRel);
    }

    /// Buffers accepted and not yet completed.
    pub(super) fn live(&self) -> u64 {
        self.live.load(Ordering::Acquire)
    }

    /// Panics of the callback so far.
    pub(super) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// The first panic of the callback, once.
    pub(super) fn take_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.first_panic.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Blocks until every buffer is completed.
    pub(super) fn wait(&self) {
        self.waiting.store(true, Ordering::Release);
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        while self.live() > 0 {
            gate = self.all_home.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// An accepted buffer, with what its events need.
pub(super) struct Slot<B> {
    buffer: B,
    /// The records in the clear, if the buffer is compressed.
    expanded: Option<Box<[u8]>>,
    filled: usize,
    context: BufferContext,
    id: BufferId,
    outcome: AtomicU8,
    completer: Arc<Completer<B>>,
}

impl<B> fmt::Debug for Slot<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("id", &self.id).field("filled", &self.filled).finish_non_exhaustive()
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
            None => self.buffer.as_ref().get(..self.filled).unwrap_or_default(),
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

    /// What its events share.
    pub(super) const fn context(&self) -> &BufferContext {
        &self.context
    }

    pub(super) const fn id(&self) -> BufferId {
        self.id
    }
}

impl<B> Slot<B> {
    /// An accepted buffer, which counts as abandoned until something else is said.
    pub(super) fn new(
        buffer: B,
        expanded: Option<Box<[u8]>>,
        filled: usize,
        context: BufferContext,
        id: BufferId,
        completer: &Arc<Completer<B>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            buffer,
            expanded,
            filled,
            context,
            id,
            outcome: AtomicU8::new(ABANDONED),
            completer: Arc::clone(completer),
        })
    }

    pub(super) fn set_outcome(&self, outcome: BufferOutcome) {
        let number = match outcome {
            BufferOutcome::Delivered => DELIVERED,
            BufferOutcome::Passed => PASSED,
            BufferOutcome::Abandoned => ABANDONED,
        };
        self.outcome.store(number, Ordering::Release);
    }

    /// Lets go of a share. The last holder hands the buffer back, whoever that is.
    pub(super) fn release(slot: Arc<Self>) {
        let Some(Self { buffer, id, outcome, completer, .. }) = Arc::into_inner(slot) else { return };
        let outcome = match outcome.into_inner() {
            DELIVERED => BufferOutcome::Delivered,
            PASSED => BufferOutcome::Passed,
            _ => BufferOutcome::Abandoned,
        };
        completer.complete(Completed { buffer, id, outcome });
    }
}

/// An event that was kept, and with it a share of its buffer. Clones share.
///
/// The buffer is completed when its session has retired it and the last share is dropped, on the thread that drops it.
pub struct Retained<B> {
    /// Taken by `drop`, and there until then.
    slot: Option<Arc<Slot<B>>>,
    span: RecordSpan,
}

impl<B: AsRef<[u8]>> Retained<B> {
    pub(super) fn new(slot: &Arc<Slot<B>>, span: RecordSpan) -> Self {
        Self { slot: Some(Arc::clone(slot)), span }
    }

    /// The event. Parses nothing again.
    ///
    /// `None` only if the buffer's `as_ref` no longer gives the bytes that it gave.
    #[must_use]
    pub fn event(&self) -> Option<Event<'_>> {
        let slot = self.slot.as_ref()?;
        Some(slot.context().event(Record::of_span(slot.valid(), self.span)?))
    }

    /// The whole buffer as it was added.
    #[must_use]
    pub fn buffer(&self) -> &[u8] {
        self.slot.as_ref().map_or(&[], |slot| slot.bytes())
    }

    /// Which buffer of its session it is.
    #[must_use]
    pub fn id(&self) -> BufferId {
        self.slot.as_ref().map_or(BufferId(0), |slot| slot.id())
    }
}

impl<B> Clone for Retained<B> {
    fn clone(&self) -> Self {
        Self { slot: self.slot.clone(), span: self.span }
    }
}

impl<B> fmt::Debug for Retained<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retained").field("span", &self.span).finish_non_exhaustive()
    }
}

impl<B> Drop for Retained<B> {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            Slot::release(slot);
        }
    }
}
