//! What all parts of a session look at, on whatever thread they are.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::stream::completion::{Completed, Completer};
use crate::stream::info::StreamInfo;
use crate::stream::stats::{Counters, Stats};

/// What all parts of a session look at.
#[derive(Debug)]
pub(super) struct Common<B> {
    cancelled: AtomicBool,
    pub(super) counters: Counters,
    pub(super) info: StreamInfo,
    pub(super) completer: Completer<B>,
}

impl<B> Common<B> {
    pub(super) fn new(on_complete: Box<dyn Fn(Completed<B>) + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            cancelled: AtomicBool::new(false),
            counters: Counters::default(),
            info: StreamInfo::default(),
            completer: Completer::new(on_complete),
        })
    }

    /// The session ends at its next step.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// What was counted so far.
    pub(super) fn stats(&self) -> Stats {
        self.counters.stats(&self.completer)
    }
}
