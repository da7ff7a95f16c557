//! The end of a session that delivers.

use alloc::sync::Arc;
use core::fmt;
use core::ops::ControlFlow;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::{catch_unwind, resume_unwind};
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use crate::stream::admission::Admission;
use crate::stream::error::ProcessError;
use crate::stream::front::shared::{Input, Shared};
use crate::stream::handler::Handler;
use crate::stream::info::StreamInfo;
use crate::stream::outcome::Outcome;
use crate::stream::session::Session;
use crate::stream::stats::Stats;
use crate::stream::step::Step;
use crate::time::FileTime;

/// The end of a session that delivers. It runs once.
///
/// It may be moved to another thread before it runs, if `B` is `Sync` and the handler `Send`. Dropped without having run, it
/// hands back everything that was added as [`Abandoned`](crate::stream::BufferOutcome::Abandoned), on the thread that drops
/// it, and nothing more is accepted: `CloseTrace` before `ProcessTrace`.
pub struct Processor<B: AsRef<[u8]>, H> {
    session: Session<B>,
    /// There until `run` takes it.
    handler: Option<H>,
    inputs: Receiver<Input<B>>,
    shared: Arc<Shared<B>>,
    time_limits: Option<(FileTime, FileTime)>,
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
    info: StreamInfo,
}

impl Summary {
    /// What the stream said about itself.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }
}

impl<B: AsRef<[u8]>, H: Handler<B>> Processor<B, H> {
    /// Delivers until the stream ends: `ProcessTrace`. Blocks; callbacks run on this thread, one at a time, and no lock is
    /// held meanwhile.
    ///
    /// It ends when the stream was finished, by [`Feeder::finish`](crate::stream::Feeder::finish) or the drop of the last
    /// feeder, and everything is delivered; or when it was cancelled. Every buffer is completed by then, but for those that
    /// are retained.
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
        self.shared.begin();
        let handler = self.handler.take();
        let processed = catch_unwind(AssertUnwindSafe(|| handler.map(|handler| self.process(handler))));
        let outcome = processed.as_ref().ok().copied().flatten().unwrap_or(Outcome::Cancelled);
        self.end(match outcome {
            Outcome::Finished => Admission::close,
            Outcome::Cancelled => Admission::cancel,
        });
        if let Err(panic) = processed {
            resume_unwind(panic);
        }
        if self.wait_for_retained {
            self.session.wait_for_retained();
        }
        if let Some(panic) = self.session.take_completion_panic() {
            resume_unwind(panic);
        }
        Ok(Summary { outcome, stats: self.session.stats(), info: self.session.info().clone() })
    }

    fn process(&mut self, mut handler: H) -> Outcome {
        let start = Instant::now();
        let mut now = Duration::ZERO;
        // Each turn is a step of the session.
        loop {
            let flow = match self.session.advance(now) {
                Step::Event(event, delivery) => handler.event(&event, &delivery),
                Step::Buffer(buffer) => handler.buffer(&buffer),
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
            Ok(Input::Buffer(buffer, len, accepted)) => {
                self.session.enqueue(buffer, &accepted);
                self.shared.unqueue(len);
            }
            Ok(Input::Finish) | Err(RecvTimeoutError::Disconnected) => {
                self.session.finish();
            }
            Ok(Input::Relieve) => self.session.relieve(),
            Ok(Input::Wake) | Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

impl<B: AsRef<[u8]>, H> Processor<B, H> {
    pub(super) const fn new(
        session: Session<B>,
        handler: H,
        inputs: Receiver<Input<B>>,
        shared: Arc<Shared<B>>,
        time_limits: Option<(FileTime, FileTime)>,
        wait_for_retained: bool,
    ) -> Self {
        Self { session, handler: Some(handler), inputs, shared, time_limits, wait_for_retained }
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.session.stats()
    }

    /// What the stream says about itself: `QueryTraceProcessingHandle`.
    #[must_use]
    pub fn info(&self) -> &StreamInfo {
        self.session.info()
    }

    /// Nothing more is taken, and what was taken is completed.
    fn end(&mut self, change: impl FnOnce(&mut Admission)) {
        self.shared.end(change);
        // The gate is closed, so the queue ends.
        while let Ok(input) = self.inputs.try_recv() {
            if let Input::Buffer(buffer, len, accepted) = input {
                self.shared.unqueue(len);
                self.session.abandon_buffer(buffer, &accepted);
            }
        }
        self.session.abandon();
    }
}

impl<B: AsRef<[u8]>, H> Drop for Processor<B, H> {
    fn drop(&mut self) {
        self.end(Admission::close);
    }
}

impl<B: AsRef<[u8]>, H> fmt::Debug for Processor<B, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Processor").field("stats", &self.stats()).finish_non_exhaustive()
    }
}
