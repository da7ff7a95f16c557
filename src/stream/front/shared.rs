//! What feeders and the processor share: the gate, and the bounds of the queue behind it.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::error::Offset;
use crate::stream::admission::{Accepted, Admission};
use crate::stream::common::Common;
use crate::stream::error::Refusal;
use crate::stream::options::Options;

/// What feeders and the processor share.
#[derive(Debug)]
pub(super) struct Shared<B> {
    gate: Mutex<Gate>,
    /// There is room in the queue, or no more use in waiting for it.
    room: Condvar,
    limits: QueueLimits,
    pub(super) common: Arc<Common<B>>,
}

/// What may be let in. The queue has the order of what passes it.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) admission: Admission,
    /// The thread that is inside `run`.
    processing: Option<ThreadId>,
}

/// Bounds of the queue; none by default.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct QueueLimits {
    pub(super) buffers: Option<usize>,
    pub(super) bytes: Option<u64>,
}

/// What goes through the queue.
pub(super) enum Input<B> {
    /// A buffer that was accepted, and its length.
    Buffer(B, u64, Accepted),
    /// Nothing will follow.
    Finish,
    /// Whoever feeds has no buffer left.
    Relieve,
    /// Something other than the queue has changed.
    Wake,
}

impl<B> Shared<B> {
    pub(super) fn new(options: Options, limits: QueueLimits, common: Arc<Common<B>>) -> Self {
        let gate = Mutex::new(Gate { admission: Admission::new(options), processing: None });
        Self { gate, room: Condvar::new(), limits, common }
    }

    /// No code of a user runs under the lock.
    pub(super) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns once the queue has room for so many bytes, or the gate no longer lets anything in. Waits only if it may and
    /// somebody else will make room.
    pub(super) fn wait_for_room<'a>(
        &'a self,
        mut gate: MutexGuard<'a, Gate>,
        bytes: u64,
        may_wait: bool,
    ) -> Result<MutexGuard<'a, Gate>, Refusal> {
        while gate.admission.is_open() && !self.common.is_cancelled() && self.is_full(bytes) {
            let others_process = gate.processing.is_some_and(|thread| thread != thread::current().id());
            if !(may_wait && others_process) {
                return Err(Refusal::Full {
                    queued: self.common.counters.buffers_queued.load(Ordering::Acquire),
                });
            }
            gate = self.room.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(gate)
    }

    /// Whether a buffer of so many bytes has to wait. One alone never has.
    fn is_full(&self, bytes: u64) -> bool {
        let counters = &self.common.counters;
        let queued = counters.buffers_queued.load(Ordering::Acquire);
        let all_bytes = counters.bytes_queued.load(Ordering::Acquire).saturating_add(bytes);
        self.limits.buffers.is_some_and(|most| queued >= Offset::from(most).get())
            || (queued > 0 && self.limits.bytes.is_some_and(|most| all_bytes > most))
    }

    /// A buffer of so many bytes has been put into the queue, by whoever holds the gate.
    pub(super) fn queue(&self, bytes: u64) {
        self.common.counters.buffers_queued.fetch_add(1, Ordering::AcqRel);
        self.common.counters.bytes_queued.fetch_add(bytes, Ordering::AcqRel);
    }

    /// A buffer of so many bytes has been taken out of the queue. Without a bound, nobody waits, and it costs no lock.
    pub(super) fn unqueue(&self, bytes: u64) {
        self.common.counters.buffers_queued.fetch_sub(1, Ordering::AcqRel);
        self.common.counters.bytes_queued.fetch_sub(bytes, Ordering::AcqRel);
        if self.limits.buffers.is_some() || self.limits.bytes.is_some() {
            // Whoever looked before and is about to wait holds the gate until it does.
            drop(self.gate());
            // Those who wait may want room for buffers of different sizes.
            self.room.notify_all();
        }
    }

    /// This thread processes from now on.
    pub(super) fn begin(&self) {
        self.gate().processing = Some(thread::current().id());
    }

    /// Changes what is let in, and tells whether anything was until now. Whoever waits for room looks again.
    pub(super) fn change(&self, change: impl FnOnce(&mut Admission)) -> bool {
        let mut gate = self.gate();
        let was_open = gate.admission.is_open() && !self.common.is_cancelled();
        change(&mut gate.admission);
        drop(gate);
        self.room.notify_all();
        was_open
    }

    /// Nobody processes any longer.
    pub(super) fn end(&self, change: impl FnOnce(&mut Admission)) {
        let mut gate = self.gate();
        gate.processing = None;
        change(&mut gate.admission);
        drop(gate);
        self.room.notify_all();
    }
}
