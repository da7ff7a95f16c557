//! `Session`: the engine behind its gate, one step at a time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::record::RecordSpan;
use crate::stream::admission::{Accepted, Admission};
use crate::stream::engine::{Decision, Engine, Handed, Outcome};
use crate::stream::error::{AddError, Refusal};
use crate::stream::options::Options;
use crate::stream::slot::{BufferId, Completed, Completer, Retained, Slot};
use crate::stream::stats::Stats;
use crate::time::Ticks;
use crate::trace::{Event, LogFileHeader, PartitionInformation};

/// A processing session over buffers of type `B`, driven step by step: `OpenTraceFromBufferStream` without a thread.
///
/// Buffers are used in place and handed back by value to the completion closure, each exactly once. The closure runs inside
/// [`Session::advance`] or the drop of the session, or, for a buffer with [`Retained`] events, on the thread that drops the
/// last of them. A panic in it is caught; the other buffers come back all the same, and
/// [`Session::take_completion_panic`] has it.
///
/// `as_ref` of a buffer has to give the same bytes each time. Where it does not, events are wrong, and nothing worse.
#[derive(Debug)]
pub struct Session<B: AsRef<[u8]>> {
    admission: Admission,
    engine: Engine<B>,
    completer: Arc<Completer<B>>,
    max_buffers_out: Option<u64>,
}

/// What a session did when it was told to advance.
#[derive(Debug)]
pub enum Step<'a, B> {
    /// The next event, in the order of time.
    Event(Event<'a>, Delivery<'a, B>),
    /// The events of a buffer are over. It is completed at the next call.
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

impl<B: AsRef<[u8]> + 'static> Session<B> {
    /// A session that delivers events and hands buffers back to `on_complete`.
    #[must_use]
    pub fn new(options: Options, on_complete: impl Fn(Completed<B>) + Send + Sync + 'static) -> Self {
        Self::with(options, true, Box::new(on_complete), Arc::default())
    }

    /// A session without events: each buffer is handed out once and back, in the order of arrival, without a look at its
    /// records. For forwarding. Windows does this where the event callback is NULL.
    #[must_use]
    pub fn pass_through(
        options: Options,
        on_complete: impl Fn(Completed<B>) + Send + Sync + 'static,
    ) -> Self {
        Self::with(options, false, Box::new(on_complete), Arc::default())
    }
}

impl<B: AsRef<[u8]>> Session<B> {
    /// `cancelled` ends the session at the next step, from whatever thread it is set.
    pub(super) fn with(
        options: Options,
        wants_events: bool,
        on_complete: Box<dyn Fn(Completed<B>) + Send + Sync>,
        cancelled: Arc<AtomicBool>,
    ) -> Self {
        let completer = Completer::new(on_complete);
        Self {
            max_buffers_out: options.max_buffers_out,
            admission: Admission::new(options.clone()),
            engine: Engine::new(options, wants_events, Arc::clone(&completer), cancelled),
            completer,
        }
    }
}

impl<B: AsRef<[u8]>> Session<B> {
    /// Takes a buffer: `ProcessTraceAddBufferToBufferStream`. Checks its header, never its events.
    ///
    /// Buffers have to come in the order in which they were flushed, the header buffer first.
    ///
    /// # Errors
    ///
    /// [`AddError`] with the buffer in it; [`AddError::code`] is the Win32 code.
    pub fn add(&mut self, buffer: B) -> Result<BufferId, AddError<B>> {
        if self.engine.cancelled().load(Ordering::Relaxed) {
            self.admission.cancel();
        }
        let out = self.buffers_out();
        if self.max_buffers_out.is_some_and(|most| out >= most) {
            return Err(AddError::new(buffer, Refusal::Full { queued: out }));
        }
        match self.admission.admit(buffer.as_ref()) {
            Ok(accepted) => {
                let id = accepted.id;
                self.engine.enqueue(buffer, accepted);
                Ok(id)
            }
            Err(reason) => Err(AddError::new(buffer, reason)),
        }
    }

    /// Where buffers go home.
    pub(super) const fn completer(&self) -> &Arc<Completer<B>> {
        &self.completer
    }

    /// Takes over a buffer that another gate accepted.
    pub(super) fn enqueue(&mut self, buffer: B, accepted: Accepted) {
        self.engine.enqueue(buffer, accepted);
    }

    /// Completes a buffer that another gate accepted and that will not be processed.
    pub(super) fn abandon_buffer(&self, buffer: B, accepted: Accepted) {
        self.completer.add_one();
        let Accepted { id, context, filled, .. } = accepted;
        Slot::release(Slot::new(buffer, None, filled, context, id, &self.completer));
    }

    /// Completes every buffer that is still held, as abandoned.
    pub(super) fn abandon(&mut self) {
        self.engine.abandon();
    }

    /// Whether it has ended with everything delivered.
    pub(super) fn is_finished(&self) -> bool {
        self.engine.outcome() == Some(Outcome::Finished)
    }

    /// Does what comes next. `now` is any clock that does not go back; only the idle release looks at it.
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

    /// No buffer will follow: what was accepted is delivered, and then the session ends. `CloseTrace` while processing.
    pub fn finish(&mut self) {
        self.admission.close();
        self.engine.close();
    }

    /// Ends the session at the next step; nothing more is delivered, and every buffer is completed. A buffer callback of
    /// Windows that returns FALSE.
    pub fn cancel(&mut self) {
        self.admission.cancel();
        self.engine.cancelled().store(true, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        self.engine.stats()
    }

    /// The header of the stream, once its buffer was accepted: `EtwQueryLogFileHeader`.
    #[must_use]
    pub const fn header(&self) -> Option<&LogFileHeader> {
        self.engine.header()
    }

    /// The partition that the trace was taken in, if the header buffer tells: `EtwQueryPartitionInformation`.
    #[must_use]
    pub const fn partition_information(&self) -> Option<&PartitionInformation> {
        self.engine.partition()
    }

    /// When the last event of each processor was lost, in ticks, 0 where none was: `EtwQueryLastDroppedTimes`. Empty if the
    /// header buffer does not tell.
    #[must_use]
    pub fn last_dropped_times(&self) -> &[Ticks] {
        self.engine.last_dropped()
    }

    /// Buffers that are accepted and not completed, retained ones included.
    #[must_use]
    pub fn buffers_out(&self) -> u64 {
        self.completer.live()
    }

    /// Blocks until no buffer is out: until everybody has dropped what they retained. Windows' `ProcessTrace` always waits
    /// so; do not call it on a thread that holds a [`Retained`].
    pub fn wait_for_retained(&self) {
        self.completer.wait();
    }

    /// The first panic of the completion closure, once.
    #[must_use]
    pub fn take_completion_panic(&self) -> Option<Box<dyn core::any::Any + Send>> {
        self.completer.take_panic()
    }
}

/// What the engine decided, as a step.
#[inline]
pub(super) fn step_of<B: AsRef<[u8]>>(engine: &mut Engine<B>, decision: Decision) -> Step<'_, B> {
    match decision {
        Decision::Event(source) => match engine.event(source) {
            Some(handed) => event_step(handed),
            // The engine decided on a resident that it has.
            None => Step::NeedInput { until: None },
        },
        Decision::Buffer(index) => {
            engine.begin_retiring();
            match engine.slot(index) {
                Some(slot) => Step::Buffer(RetiringBuffer {
                    slot,
                    header: engine.header(),
                    stats: engine.stats(),
                    cancelled: engine.cancelled(),
                }),
                None => Step::NeedInput { until: None },
            }
        }
        Decision::NeedInput { until } => Step::NeedInput { until },
        Decision::End(outcome) => Step::End(outcome),
    }
}

#[inline]
fn event_step<B: AsRef<[u8]>>(handed: Handed<'_, B>) -> Step<'_, B> {
    let Handed { slot, span, time, stats, cancelled } = handed;
    Step::Event(slot.context().event(slot.record(span)), Delivery { slot, span, time, stats, cancelled })
}

impl<B: AsRef<[u8]>> Drop for Session<B> {
    /// Completes every buffer that is still held, as abandoned.
    fn drop(&mut self) {
        self.engine.abandon();
    }
}

/// What can be done with an event besides reading it.
pub struct Delivery<'a, B> {
    slot: &'a Arc<Slot<B>>,
    span: RecordSpan,
    time: i64,
    stats: &'a Stats,
    cancelled: &'a AtomicBool,
}

impl<B: AsRef<[u8]>> Delivery<'_, B> {
    /// Keeps the event past this step, and its buffer with it. Costs an atomic increment.
    #[must_use]
    pub fn retain(&self) -> Retained<B> {
        Retained::new(self.slot, self.span)
    }

    /// The time that the event counts as in the order: its time stamp, but never less than that of its predecessor in the
    /// buffer, nor more than the flush time of the buffer. What has no stamp counts as its predecessor; before the first
    /// stamp of the buffer, as that one; in a buffer without any, as the flush time. What lies in the header buffer comes
    /// before everything else: [`i64::MIN`].
    #[must_use]
    pub const fn counts_as(&self) -> Ticks {
        Ticks(self.time)
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

    /// What was counted so far, this event included.
    #[must_use]
    pub const fn stats(&self) -> &Stats {
        self.stats
    }

    /// Ends the session at the next step, as [`Session::cancel`] does.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl<B> fmt::Debug for Delivery<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery").field("span", &self.span).finish_non_exhaustive()
    }
}

/// A buffer whose events are over, before it is completed: what `PETW_BUFFER_CALLBACK` is told.
pub struct RetiringBuffer<'a, B> {
    slot: &'a Arc<Slot<B>>,
    header: Option<&'a LogFileHeader>,
    stats: &'a Stats,
    cancelled: &'a AtomicBool,
}

impl<'a, B: AsRef<[u8]>> RetiringBuffer<'a, B> {
    /// The whole buffer, as it was added.
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

    /// `BuffersRead`: how many buffers were processed, this one included.
    #[must_use]
    pub const fn buffers_read(&self) -> u64 {
        self.stats.buffers_retired
    }

    /// The header of the stream.
    #[must_use]
    pub const fn header(&self) -> Option<&'a LogFileHeader> {
        self.header
    }

    /// What was counted so far.
    #[must_use]
    pub const fn stats(&self) -> &'a Stats {
        self.stats
    }

    /// Ends the session at the next step, as [`Session::cancel`] does.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

impl<B> fmt::Debug for RetiringBuffer<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetiringBuffer")
            .field("buffers_read", &self.stats.buffers_retired)
            .finish_non_exhaustive()
    }
}
