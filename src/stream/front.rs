//! The threaded front: feeders add on any thread, a processor delivers on its own.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::ops::ControlFlow;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use crate::error::Offset;
use crate::stream::admission::{Accepted, Admission};
use crate::stream::engine::Outcome;
use crate::stream::error::{AddError, ProcessError, Refusal};
use crate::stream::handler::{Closures, Handler, Nothing, OnBuffer, OnEvent};
use crate::stream::options::Options;
use crate::stream::session::{Delivery, RetiringBuffer, Session, Step};
use crate::stream::slot::{BufferId, Completed, Completer};
use crate::stream::stats::Stats;
use crate::trace::Event;

/// A session over buffers of type `B`, to be given its callbacks: `ETW_OPEN_TRACE_OPTIONS`.
///
/// ```
/// use core::ops::ControlFlow;
/// use etweir::stream::{Completed, Options};
///
/// let (pool, free) = std::sync::mpsc::channel();
/// let (feeder, processor) = etweir::stream(Options::default())
///     .on_event(|event, _| {
///         println!("{:?} {}", event.time(), event.provider_id());
///         ControlFlow::Continue(())
///     })
///     .on_complete(pool, |done: Completed<Vec<u8>>, pool| pool.send(done.buffer).unwrap_or_default())
///     .build();
/// let refused = feeder.add(vec![0; 100]).expect_err("no trace buffer");
/// assert_eq!(refused.code(), 24);
/// drop(feeder);
/// assert_eq!(processor.run()?.outcome.code(), 0);
/// assert!(free.recv().is_err(), "a refused buffer is not completed");
/// # Ok::<(), etweir::stream::ProcessError>(())
/// ```
pub struct StreamBuilder<B, E, F> {
    options: Options,
    handler: Closures<E, F>,
    on_complete: Box<dyn Fn(Completed<B>) + Send + Sync>,
    queue: QueueLimits,
    wait_for_retained: bool,
}

impl<B, E, F> fmt::Debug for StreamBuilder<B, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Opens a session for buffers that are fed to it: `OpenTraceFromBufferStream`.
#[must_use]
pub fn stream<B: 'static>(options: Options) -> StreamBuilder<B, Nothing, Nothing> {
    StreamBuilder {
        options,
        handler: Closures { on_event: Nothing, on_buffer: Nothing },
        on_complete: Box::new(drop),
        queue: QueueLimits::default(),
        wait_for_retained: false,
    }
}

impl<B: AsRef<[u8]> + Send + 'static, E, F> StreamBuilder<B, E, F> {
    /// Calls `on_event` for every event, in the order of time. Without it, buffers are passed through unread.
    pub fn on_event<G>(self, on_event: G) -> StreamBuilder<B, OnEvent<G>, F>
    where
        G: FnMut(&Event<'_>, &Delivery<'_, B>) -> ControlFlow<()>,
    {
        let Self { options, handler, on_complete, queue, wait_for_retained } = self;
        let handler = Closures { on_event: OnEvent(on_event), on_buffer: handler.on_buffer };
        StreamBuilder { options, handler, on_complete, queue, wait_for_retained }
    }

    /// Calls `on_buffer` for every buffer once its events are over, in the order of arrival.
    pub fn on_buffer<G>(self, on_buffer: G) -> StreamBuilder<B, E, OnBuffer<G>>
    where
        G: FnMut(&RetiringBuffer<'_, B>) -> ControlFlow<()>,
    {
        let Self { options, handler, on_complete, queue, wait_for_retained } = self;
        let handler = Closures { on_event: handler.on_event, on_buffer: OnBuffer(on_buffer) };
        StreamBuilder { options, handler, on_complete, queue, wait_for_retained }
    }

    /// Hands every buffer back to `on_complete`, with `context`: `PETW_BUFFER_COMPLETION_CALLBACK`. Default: drop it.
    ///
    /// It runs on the thread inside [`Processor::run`]; for a buffer with retained events on the thread that drops the last
    /// of them, and for a processor that never runs on the thread that drops it. No lock is held meanwhile.
    #[must_use]
    pub fn on_complete<C, G>(mut self, context: C, on_complete: G) -> Self
    where
        C: Send + Sync + 'static,
        G: Fn(Completed<B>, &C) + Send + Sync + 'static,
    {
        self.on_complete = Box::new(move |done| on_complete(done, &context));
        self
    }

    /// How many buffers may wait to be processed, besides those that are held for order. Default: any number, since the
    /// caller's pool is the bound.
    #[must_use]
    pub fn queued_buffers(mut self, buffers: usize) -> Self {
        self.queue.buffers = Some(buffers);
        self
    }

    /// How many bytes the waiting buffers may have. A single buffer of any size may wait. Default: any number.
    #[must_use]
    pub fn queued_bytes(mut self, bytes: u64) -> Self {
        self.queue.bytes = Some(bytes);
        self
    }

    /// Lets [`Processor::run`] return only once all retained events are dropped, as Windows does. Default: it does not wait.
    #[must_use]
    pub fn wait_for_retained(mut self) -> Self {
        self.wait_for_retained = true;
        self
    }

    /// The two ends of the session.
    #[must_use]
    pub fn build(self) -> (Feeder<B>, Processor<B, Closures<E, F>>)
    where
        Closures<E, F>: Handler<B>,
    {
        let Self { options, handler, on_complete, queue, wait_for_retained } = self;
        ends(options, handler, on_complete, queue, wait_for_retained)
    }
}

impl<B: AsRef<[u8]> + Send + 'static> StreamBuilder<B, Nothing, Nothing> {
    /// The two ends of the session, with a handler in place of closures.
    #[must_use]
    pub fn build_with<H: Handler<B>>(self, handler: H) -> (Feeder<B>, Processor<B, H>) {
        let Self { options, on_complete, queue, wait_for_retained, .. } = self;
        ends(options, handler, on_complete, queue, wait_for_retained)
    }
}

fn ends<B: AsRef<[u8]>, H: Handler<B>>(
    options: Options,
    handler: H,
    on_complete: Box<dyn Fn(Completed<B>) + Send + Sync>,
    queue: QueueLimits,
    wait_for_retained: bool,
) -> (Feeder<B>, Processor<B, H>) {
    let (sender, inputs) = unbounded();
    let cancelled = Arc::new(AtomicBool::new(false));
    let gate = Gate {
        admission: Admission::new(options.clone()),
        most_out: options.max_buffers_out.unwrap_or(u64::MAX),
        processing: None,
    };
    let time_limits = options.start_time.zip(options.end_time);
    let session = Session::with(options, H::WANTS_EVENTS, on_complete, Arc::clone(&cancelled));
    let shared = Arc::new(Shared {
        gate: Mutex::new(gate),
        room: Condvar::new(),
        cancelled,
        completer: Arc::clone(session.completer()),
        queued: AtomicU64::new(0),
        queued_bytes: AtomicU64::new(0),
        queue,
        stats: Mutex::new(Stats::default()),
    });
    let processor = Processor {
        session,
        handler: Some(handler),
        inputs,
        shared: Arc::clone(&shared),
        time_limits,
        wait_for_retained,
    };
    (Feeder { sender, shared }, processor)
}

/// What feeders and the processor share.
struct Shared<B> {
    gate: Mutex<Gate>,
    /// There is room in the queue, or no more use in waiting for it.
    room: Condvar,
    cancelled: Arc<AtomicBool>,
    completer: Arc<Completer<B>>,
    /// What waits in the queue. Grows under the gate; shrinks without, so that an unbounded queue costs the processor no lock.
    queued: AtomicU64,
    queued_bytes: AtomicU64,
    queue: QueueLimits,
    /// As of the last buffer that retired.
    stats: Mutex<Stats>,
}

struct Gate {
    admission: Admission,
    most_out: u64,
    /// The thread that is inside `run`.
    processing: Option<ThreadId>,
}

impl<B> Shared<B> {
    /// No user code runs under the lock but `as_ref` of a buffer; if that panics, the gate is as it was.
    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a buffer of so many bytes has to wait. One alone never has.
    fn is_full(&self, bytes: u64) -> bool {
        let queued = self.queued.load(Ordering::Acquire);
        let all_bytes = self.queued_bytes.load(Ordering::Acquire).saturating_add(bytes);
        self.queue.buffers.is_some_and(|most| queued >= Offset::from(most).get())
            || (queued > 0 && self.queue.bytes.is_some_and(|most| all_bytes > most))
    }

    /// Shows feeders what was counted.
    fn publish(&self, stats: &Stats) {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone_from(stats);
    }
}

/// Bounds of the queue; none by default.
#[derive(Clone, Copy, Debug, Default)]
struct QueueLimits {
    buffers: Option<usize>,
    bytes: Option<u64>,
}

impl QueueLimits {
    const fn is_bounded(self) -> bool {
        self.buffers.is_some() || self.bytes.is_some()
    }
}

enum Input<B> {
    Buffer(B, Box<Accepted>),
    Finish,
    /// Something other than the queue has changed.
    Wake,
}

/// The end of a session that takes buffers. Clones feed the same session; dropping the last one is the end of the stream.
pub struct Feeder<B> {
    sender: Sender<Input<B>>,
    shared: Arc<Shared<B>>,
}

impl<B: AsRef<[u8]>> Feeder<B> {
    /// Takes a buffer: `ProcessTraceAddBufferToBufferStream`. May be called on any thread, before and while the processor
    /// runs, and inside callbacks.
    ///
    /// With a bounded queue it waits for room while the processor runs on another thread; otherwise it never blocks.
    ///
    /// # Errors
    ///
    /// [`AddError`] with the buffer in it. [`Refusal::Full`] if there is no room and waiting would not make any.
    pub fn add(&self, buffer: B) -> Result<BufferId, AddError<B>> {
        self.offer(buffer, true)
    }

    /// As [`Feeder::add`], but never waits.
    ///
    /// # Errors
    ///
    /// As [`Feeder::add`].
    pub fn try_add(&self, buffer: B) -> Result<BufferId, AddError<B>> {
        self.offer(buffer, false)
    }

    fn offer(&self, buffer: B, wait: bool) -> Result<BufferId, AddError<B>> {
        let mut gate = self.shared.gate();
        if self.shared.cancelled.load(Ordering::Relaxed) {
            gate.admission.cancel();
        }
        let bytes = Offset::from(buffer.as_ref().len()).get();
        while gate.admission.is_open() {
            let queued = self.shared.queued.load(Ordering::Acquire);
            let out = self.shared.completer.live().saturating_add(queued);
            if out >= gate.most_out {
                // Only the caller knows when retained events are dropped.
                return Err(AddError::new(buffer, Refusal::Full { queued: out }));
            }
            if !self.shared.is_full(bytes) {
                break;
            }
            let others = gate.processing.is_some_and(|thread| thread != thread::current().id());
            if !(wait && others) {
                return Err(AddError::new(buffer, Refusal::Full { queued }));
            }
            gate = self.shared.room.wait(gate).unwrap_or_else(PoisonError::into_inner);
        }
        let accepted = match gate.admission.admit(buffer.as_ref()) {
            Ok(accepted) => accepted,
            Err(reason) => return Err(AddError::new(buffer, reason)),
        };
        let id = accepted.id;
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        self.shared.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        // Under the lock, so that the queue has the order of acceptance. The receiver lives as long as the gate is open.
        let _ = self.sender.send(Input::Buffer(buffer, Box::new(accepted)));
        Ok(id)
    }

    /// What was counted so far, as of the buffer that retired last.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the stream: what was added is delivered, then the processor returns. `CloseTrace` while processing.
    pub fn finish(&self) {
        self.shared.gate().admission.close();
        self.shared.room.notify_all();
        let _ = self.sender.send(Input::Finish);
    }

    /// Ends the session as soon as possible: at the next step nothing more is delivered, and every buffer is completed.
    pub fn cancel(&self) {
        self.shared.gate().admission.cancel();
        self.shared.room.notify_all();
        self.shared.cancelled.store(true, Ordering::Relaxed);
        let _ = self.sender.send(Input::Wake);
    }
}

impl<B> Clone for Feeder<B> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), shared: Arc::clone(&self.shared) }
    }
}

impl<B> fmt::Debug for Feeder<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feeder").field("queued", &self.shared.queued).finish_non_exhaustive()
    }
}

/// The end of a session that delivers. It runs once.
pub struct Processor<B: AsRef<[u8]>, H> {
    session: Session<B>,
    /// There until `run` takes it.
    handler: Option<H>,
    inputs: Receiver<Input<B>>,
    shared: Arc<Shared<B>>,
    time_limits: Option<(crate::time::FileTime, crate::time::FileTime)>,
    wait_for_retained: bool,
}

/// How a session went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// Whether everything was delivered. [`Outcome::code`] is what `ProcessTrace` returns.
    pub outcome: Outcome,
    /// What was counted.
    pub stats: Stats,
}

impl<B: AsRef<[u8]>, H: Handler<B>> Processor<B, H> {
    /// Delivers until the stream ends: `ProcessTrace`. Blocks; callbacks run on this thread.
    ///
    /// # Errors
    ///
    /// [`ProcessError::InvalidTime`] if the end of the time limits lies before their start.
    ///
    /// # Panics
    ///
    /// If a callback does: with the same panic, once every buffer is completed.
    pub fn run(mut self) -> Result<Summary, ProcessError> {
        if let Some((start, end)) = self.time_limits.filter(|(start, end)| end < start) {
            return Err(ProcessError::InvalidTime { start, end });
        }
        self.shared.gate().processing = Some(thread::current().id());
        let handler = self.handler.take();
        let processed = catch_unwind(AssertUnwindSafe(|| handler.map(|handler| self.process(handler))));
        self.abandon();
        if let Err(panic) = processed {
            resume_unwind(panic);
        }
        if self.wait_for_retained {
            self.session.wait_for_retained();
        }
        if let Some(panic) = self.session.take_completion_panic() {
            resume_unwind(panic);
        }
        let outcome = processed.ok().flatten().unwrap_or(Outcome::Cancelled);
        Ok(Summary { outcome, stats: self.session.stats().clone() })
    }

    fn process(&mut self, mut handler: H) -> Outcome {
        let start = Instant::now();
        let mut now = Duration::ZERO;
        // Each turn is a step of the session.
        loop {
            let flow = match self.session.advance(now) {
                Step::Event(event, delivery) => handler.event(&event, &delivery),
                Step::Buffer(buffer) => {
                    self.shared.publish(buffer.stats());
                    handler.buffer(&buffer)
                }
                Step::NeedInput { until } => {
                    self.wait(until.map(|until| until.saturating_sub(start.elapsed())));
                    now = start.elapsed();
                    ControlFlow::Continue(())
                }
                Step::End(outcome) => return outcome,
            };
            if flow.is_break() {
                self.session.cancel();
            }
        }
    }

    /// Waits for the next input, or for so long.
    fn wait(&mut self, timeout: Option<Duration>) {
        let input = match timeout {
            Some(timeout) => self.inputs.recv_timeout(timeout),
            None => self.inputs.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match input {
            Ok(Input::Buffer(buffer, accepted)) => {
                self.received(buffer.as_ref().len());
                self.session.enqueue(buffer, *accepted);
            }
            Ok(Input::Finish) | Err(RecvTimeoutError::Disconnected) => self.session.finish(),
            Ok(Input::Wake) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

impl<B: AsRef<[u8]>, H> Processor<B, H> {
    /// There is room for one more in the queue.
    fn received(&self, bytes: usize) {
        self.shared.queued.fetch_sub(1, Ordering::AcqRel);
        self.shared.queued_bytes.fetch_sub(Offset::from(bytes).get(), Ordering::AcqRel);
        if self.shared.queue.is_bounded() {
            // Whoever looked before and is about to wait holds the gate until it does.
            drop(self.shared.gate());
            // Those who wait may want room for buffers of different sizes.
            self.shared.room.notify_all();
        }
    }

    /// Nothing more is taken, and what was taken is completed.
    fn abandon(&mut self) {
        let mut gate = self.shared.gate();
        gate.processing = None;
        if self.session.is_finished() {
            gate.admission.close()
        } else {
            gate.admission.cancel()
        }
        drop(gate);
        self.shared.room.notify_all();
        // The gate is closed, so the queue ends.
        while let Ok(input) = self.inputs.try_recv() {
            if let Input::Buffer(buffer, accepted) = input {
                self.session.abandon_buffer(buffer, *accepted);
            }
        }
        self.session.abandon();
        self.shared.publish(self.session.stats());
    }
}

impl<B: AsRef<[u8]>, H> Drop for Processor<B, H> {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl<B: AsRef<[u8]>, H> fmt::Debug for Processor<B, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processor").field("stats", self.session.stats()).finish_non_exhaustive()
    }
}
