//! `Session`: the engine behind its gate, one step at a time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use crate::stream::admission::{Accepted, Admission};
use crate::stream::common::Common;
use crate::stream::completion::{BufferId, Completed};
use crate::stream::engine::{Decision, Engine, Handed};
use crate::stream::error::AddError;
use crate::stream::info::StreamInfo;
use crate::stream::options::Options;
use crate::stream::outcome::{CloseOutcome, Outcome};
use crate::stream::slot::Arriving;
use crate::stream::stats::Stats;
use crate::stream::step::{Delivery, RetiringBuffer, Step};
use crate::trace::LogFileHeader;

/// A processing session over buffers of type `B`, driven step by step: `OpenTraceFromBufferStream` without a thread.
///
/// It has no thread, clock or file: what it does is a function of the calls. No method blocks, but for
/// [`Session::wait_for_retained`].
///
/// Buffers are used in place and handed back by value to the completion closure, each exactly once. The closure runs inside
/// [`Session::advance`] or the drop of the session, or, for a retained buffer, on the thread that drops the last
/// [`Retained`](crate::stream::Retained) or [`RetainedBuffer`](crate::stream::RetainedBuffer) of it. A panic in it is caught;
/// the other buffers come back all the same, and [`Session::take_completion_panic`] has it.
///
/// `as_ref` of a buffer has to give the same bytes each time. Where it does not, events are wrong, and nothing worse. If it
/// panics, the panic leaves the method that was called, and the session can still be dropped, which hands every buffer back.
///
/// It can be moved to another thread if `B` is `Send` and `Sync`. Dropping it at any time completes what it holds, as
/// [`Abandoned`](crate::stream::BufferOutcome::Abandoned): `CloseTrace` before processing.
#[derive(Debug)]
pub struct Session<B: AsRef<[u8]>> {
    admission: Admission,
    engine: Engine<B>,
    common: Arc<Common<B>>,
}

impl<B: AsRef<[u8]> + 'static> Session<B> {
    /// A session that delivers events and hands buffers back to `on_complete`: `PETW_BUFFER_COMPLETION_CALLBACK`.
    #[must_use]
    pub fn new(options: Options, on_complete: impl Fn(Completed<B>) + Send + Sync + 'static) -> Self {
        Self::with(options, true, Common::new(Box::new(on_complete)))
    }

    /// A session without events: each buffer is handed out once and back, in the order of arrival, without a look at its
    /// records. For forwarding. Windows does this where the event callback is NULL.
    #[must_use]
    pub fn pass_through(
        options: Options,
        on_complete: impl Fn(Completed<B>) + Send + Sync + 'static,
    ) -> Self {
        Self::with(options, false, Common::new(Box::new(on_complete)))
    }
}

impl<B: AsRef<[u8]>> Session<B> {
    pub(super) fn with(options: Options, wants_events: bool, common: Arc<Common<B>>) -> Self {
        Self {
            admission: Admission::new(options.clone()),
            engine: Engine::new(options, wants_events, Arc::clone(&common)),
            common,
        }
    }
}

impl<B: AsRef<[u8]>> Session<B> {
    /// Takes a buffer: `ProcessTraceAddBufferToBufferStream`. Checks its header, never its events; only the few records of a
    /// header buffer are looked at.
    ///
    /// Buffers have to come in the order in which they were flushed, the header buffer first. Later header buffers, as after
    /// a reconnect, may come at any place; they are delivered and change nothing. A compressed buffer is expanded here,
    /// unless it passes through.
    ///
    /// # Errors
    ///
    /// [`AddError`] with the buffer in it; [`AddError::code`] is the Win32 code, [`AddError::reason`] has the numbers.
    pub fn add(&mut self, buffer: B) -> Result<BufferId, AddError<B>> {
        match self.admission.admit(buffer.as_ref(), &self.common) {
            Ok(accepted) => {
                self.engine.enqueue(buffer, &accepted);
                Ok(accepted.id)
            }
            Err(reason) => Err(AddError::new(buffer, reason)),
        }
    }

    /// Takes over a buffer that another gate accepted.
    pub(super) fn enqueue(&mut self, buffer: B, accepted: &Accepted) {
        self.engine.enqueue(buffer, accepted);
    }

    /// Completes a buffer that another gate accepted and that will not be processed.
    pub(super) fn abandon_buffer(&self, buffer: B, accepted: &Accepted) {
        drop(Arriving::new(buffer, accepted, &self.common));
    }

    /// Completes every buffer that is still held, as abandoned.
    pub(super) fn abandon(&mut self) {
        self.engine.abandon();
    }

    /// Does what comes next: one step of `ProcessTrace`. What was handed out before counts as dealt with.
    ///
    /// `now` is the time since any moment, on a clock that does not go back; only [`Options::idle_release`] looks at it, so a
    /// replay may always give zero.
    #[inline]
    pub fn advance(&mut self, now: Duration) -> Step<'_, B> {
        let decision = self.engine.decide(now);
        match decision {
            Decision::End(Outcome::Finished) => self.admission.close(),
            Decision::End(Outcome::Cancelled) => self.admission.cancel(),
            _ => {}
        }
        step_of(&mut self.engine, decision)
    }

    /// No buffer will follow: what was accepted is delivered, what was held back for order too, and then the session ends.
    /// `CloseTrace` while processing.
    pub fn finish(&mut self) -> CloseOutcome {
        let was_open = self.admission.is_open() && !self.common.is_cancelled();
        self.admission.close();
        self.engine.close();
        if was_open { CloseOutcome::Pending } else { CloseOutcome::Closed }
    }

    /// Delivers from the oldest event on, whatever the order says, until one buffer can be completed: for who has no buffer
    /// left to add, when the session waits for one. Counted in [`Stats::pressure_releases`]; without a held buffer it does
    /// nothing.
    pub fn relieve(&mut self) {
        self.engine.relieve();
    }

    /// Ends the session at the next step; nothing more is delivered, and every buffer is completed. A buffer callback of
    /// Windows that returns FALSE.
    pub fn cancel(&mut self) {
        self.admission.cancel();
        self.common.cancel();
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.common.stats()
    }

    /// What the stream says about itself: `QueryTraceProcessingHandle`.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.common.info
    }

    /// The header of the stream, once its buffer was accepted: `EtwQueryLogFileHeader`.
    #[must_use]
    pub fn header(&self) -> Option<&LogFileHeader> {
        self.common.info.header()
    }

    /// Buffers that are accepted and not completed: held and retained ones.
    #[must_use]
    pub fn buffers_out(&self) -> u64 {
        self.common.completer.out()
    }

    /// Blocks until no buffer is out: after the end, until everybody has dropped what they retained. Windows' `ProcessTrace`
    /// always waits so. Called on a thread that holds a retained buffer, or while the session holds one, it never returns.
    pub fn wait_for_retained(&self) {
        self.common.completer.wait();
    }

    /// The first panic of the completion closure, once; [`Stats::completion_panics`] counts them all. One on a thread that was
    /// unwinding already is only counted.
    #[must_use]
    pub fn take_completion_panic(&self) -> Option<Box<dyn core::any::Any + Send>> {
        self.common.completer.take_panic()
    }
}

/// What the engine decided, as a step.
#[inline]
pub(super) fn step_of<B: AsRef<[u8]>>(engine: &mut Engine<B>, decision: Decision) -> Step<'_, B> {
    match decision {
        Decision::Event(source) => match engine.event(source) {
            Some(Handed { slot, span, time }) => {
                Step::Event(slot.context().event(slot.record(span)), Delivery::new(slot, span, time))
            }
            // The engine decided on a resident that it has.
            None => Step::NeedInput { until: None },
        },
        Decision::Buffer(index) => {
            engine.begin_retiring();
            match engine.slot(index) {
                Some(slot) => Step::Buffer(RetiringBuffer::new(slot)),
                None => Step::NeedInput { until: None },
            }
        }
        Decision::NeedInput { until } => Step::NeedInput { until },
        Decision::End(outcome) => Step::End(outcome),
    }
}

impl<B: AsRef<[u8]>> Drop for Session<B> {
    /// Completes every buffer that is still held, as abandoned.
    fn drop(&mut self) {
        self.engine.abandon();
    }
}
