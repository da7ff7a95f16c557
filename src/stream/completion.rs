//! Buffers on their way home.

use alloc::boxed::Box;
use core::any::Any;
use core::fmt;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use crate::stream::stats::Counter;

/// Which buffer of its session: 0 for the first that was accepted, then in the order of acceptance.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BufferId(pub u64);

impl fmt::Display for BufferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A buffer that the session no longer uses, as it was added: what `PETW_BUFFER_COMPLETION_CALLBACK` is told, with the value
/// itself in place of its address. It can be freed, used again, or added to any session.
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
    /// Its events were delivered, as far as the time limits let them, and the buffer callback ran.
    Delivered,
    /// No events were asked for; the buffer callback ran.
    Passed,
    /// The session was cancelled, panicked or was dropped before it was its turn. Some of its events may have been delivered.
    Abandoned,
}

/// Where buffers go when their last holder lets go.
pub(super) struct Completer<B> {
    callback: Box<dyn Fn(Completed<B>) + Send + Sync>,
    /// Buffers accepted.
    accepted: Counter,
    /// Buffers completed.
    completed: AtomicU64,
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
            .field("accepted", &self.accepted)
            .field("completed", &self.completed)
            .field("panics", &self.panics)
            .finish_non_exhaustive()
    }
}

impl<B> Completer<B> {
    pub(super) fn new(callback: Box<dyn Fn(Completed<B>) + Send + Sync>) -> Self {
        Self {
            callback,
            accepted: Counter::default(),
            completed: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            first_panic: Mutex::new(None),
            waiting: AtomicBool::new(false),
            gate: Mutex::new(()),
            all_home: Condvar::new(),
        }
    }

    /// Hands a buffer back. A panic of the callback is kept for whoever asks for it, so that no other buffer suffers.
    pub(super) fn complete(&self, completed: Completed<B>) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.callback)(completed))) {
            self.panics.fetch_add(1, Ordering::Relaxed);
            // On a thread that is unwinding already, another panic could not be raised anyway.
            if !thread::panicking() {
                self.first_panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
            }
        }
        // Who counts and then sees nobody wait, and who waits and then sees the old count, would miss each other: these four
        // have one order.
        self.completed.fetch_add(1, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) {
            drop(self.gate.lock());
            self.all_home.notify_all();
        }
    }

    /// One more buffer is accepted. Whoever calls this holds the gate, or is the only front.
    pub(super) fn add_one(&self) {
        self.accepted.increment();
    }

    /// Buffers accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.get()
    }

    /// Buffers accepted and not yet completed.
    pub(super) fn out(&self) -> u64 {
        // In this order, or one that comes and goes in between would make it less than it is.
        let completed = self.completed.load(Ordering::SeqCst);
        self.accepted.get().saturating_sub(completed)
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
        self.waiting.store(true, Ordering::SeqCst);
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        while self.out() > 0 {
            gate = self.all_home.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
