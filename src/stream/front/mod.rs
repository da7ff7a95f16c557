//! The threaded front: feeders add on any thread, a processor delivers on its own.

mod feeder;
mod processor;
mod shared;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::ops::ControlFlow;

use crossbeam_channel::unbounded;

use crate::stream::common::Common;
use crate::stream::completion::Completed;
use crate::stream::front::shared::{QueueLimits, Shared};
use crate::stream::handler::{Closures, Handler, Nothing, OnBuffer, OnEvent};
use crate::stream::options::Options;
use crate::stream::session::Session;
use crate::stream::step::{Delivery, RetiringBuffer};
use crate::trace::Event;

pub use feeder::Feeder;
pub use processor::{Processor, Summary};

/// A session over buffers of type `B`, to be given its callbacks: `ETW_OPEN_TRACE_OPTIONS`. Nothing happens before
/// [`StreamBuilder::build`].
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

/// Opens a session for buffers that are fed to it: `OpenTraceFromBufferStream`. It cannot fail, and holds nothing yet.
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
    /// Calls `on_event` for every event, in the order of time: `PEVENT_RECORD_CALLBACK`. Without it, buffers are passed
    /// through unread. As [`Handler::event`].
    pub fn on_event<G>(self, on_event: G) -> StreamBuilder<B, OnEvent<G>, F>
    where
        G: FnMut(&Event<'_>, &Delivery<'_, B>) -> ControlFlow<()>,
    {
        let Self { options, handler, on_complete, queue, wait_for_retained } = self;
        let handler = Closures { on_event: OnEvent(on_event), on_buffer: handler.on_buffer };
        StreamBuilder { options, handler, on_complete, queue, wait_for_retained }
    }

    /// Calls `on_buffer` for every buffer once its events are over, in the order of arrival: `PETW_BUFFER_CALLBACK`. As
    /// [`Handler::buffer`].
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
    /// It runs on the thread inside [`Processor::run`]; for a retained buffer on the thread that drops the last share of it,
    /// and for a processor that never runs on the thread that drops it. No lock is held meanwhile. A panic costs no other
    /// buffer; `run` raises the first one again at its end.
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

    /// How many bytes the waiting buffers may have in all. A single buffer of any size may wait. Default: any number.
    #[must_use]
    pub fn queued_bytes(mut self, bytes: u64) -> Self {
        self.queue.bytes = Some(bytes);
        self
    }

    /// Lets [`Processor::run`] return only once all retained events and buffers are dropped, as Windows does: for ever, if
    /// one is kept on the thread that runs, or by whoever waits for it. Default: it does not wait.
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
    let common = Common::new(on_complete);
    let time_limits = options.start_time.zip(options.end_time);
    let shared = Arc::new(Shared::new(options.clone(), queue, Arc::clone(&common)));
    let session = Session::with(options, H::WANTS_EVENTS, common);
    let processor =
        Processor::new(session, handler, inputs, Arc::clone(&shared), time_limits, wait_for_retained);
    (Feeder::new(sender, shared), processor)
}
