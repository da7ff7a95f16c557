//! Running over a file, or several, with callbacks.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;
use core::fmt;
use core::ops::ControlFlow;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use crate::file::block::LoadedBuffer;
use crate::file::error::Error;
use crate::file::etl::{EtlFile, OnComplete};
use crate::file::files::EtlFiles;
use crate::stream::{
    Closures, Completed, Delivery, Handler, Nothing, OnBuffer, OnEvent, Outcome, RetiringBuffer, Stats, Step,
};
use crate::trace::Event;

/// What a run needs of a file, or of several.
trait Playable {
    fn next_step(&mut self) -> Result<Step<'_, LoadedBuffer>, Error>;
    fn stop(&self);
    /// Everything is still to come.
    fn begin(&mut self, wants_events: bool, on_complete: Option<OnComplete>);
    /// Every buffer is completed but for those that are retained.
    fn give_up(&mut self, wait_for_retained: bool) -> Option<Box<dyn Any + Send>>;
    fn counted(&self) -> Stats;
}

impl Playable for EtlFile<'_> {
    #[inline]
    fn next_step(&mut self) -> Result<Step<'_, LoadedBuffer>, Error> {
        self.advance()
    }

    fn stop(&self) {
        self.cancel();
    }

    fn begin(&mut self, wants_events: bool, on_complete: Option<OnComplete>) {
        Self::begin(self, wants_events, on_complete);
    }

    fn give_up(&mut self, wait_for_retained: bool) -> Option<Box<dyn Any + Send>> {
        self.abandon(wait_for_retained)
    }

    fn counted(&self) -> Stats {
        self.stats()
    }
}

impl Playable for EtlFiles<'_> {
    #[inline]
    fn next_step(&mut self) -> Result<Step<'_, LoadedBuffer>, Error> {
        self.advance()
    }

    fn stop(&self) {
        self.cancel();
    }

    fn begin(&mut self, wants_events: bool, on_complete: Option<OnComplete>) {
        self.start_over(|file| file.begin(wants_events, on_complete.clone()));
    }

    fn give_up(&mut self, wait_for_retained: bool) -> Option<Box<dyn Any + Send>> {
        let mut first = None;
        self.for_each_mut(|file| first = first.take().or(file.abandon(wait_for_retained)));
        first
    }

    fn counted(&self) -> Stats {
        self.stats()
    }
}

/// A run over a file or several, to be given its callbacks. Made by [`EtlFile::on_event`] and the like.
///
/// ```
/// use core::ops::ControlFlow;
///
/// # fn main() -> Result<(), etweir::Error> {
/// let mut file = etweir::EtlFile::open("fixtures/demo.etl")?;
/// let mut events = 0;
/// let summary = file
///     .on_event(|event, delivery| {
///         events += 1;
///         println!("{:?} {} in the buffer at {}", event.time(), event.id(), delivery.buffer().offset());
///         ControlFlow::Continue(())
///     })
///     .run()?;
/// assert_eq!((summary.outcome.code(), summary.stats.events_delivered), (0, events));
/// # Ok(())
/// # }
/// ```
pub struct Playback<'f, 'a, E, F> {
    files: Files<'f, 'a>,
    handler: Closures<E, F>,
    on_complete: Option<OnComplete>,
    wait_for_retained: bool,
}

/// How a run over a file went. What became of its bytes, and its damage, the file itself tells.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FileSummary {
    /// Whether everything was delivered. [`Outcome::code`] is what `ProcessTrace` returns.
    pub outcome: Outcome,
    /// What was counted, in all files together.
    pub stats: Stats,
}

/// What is run over.
enum Files<'f, 'a> {
    One(&'f mut EtlFile<'a>),
    Several(&'f mut EtlFiles<'a>),
}

impl<E, F> fmt::Debug for Playback<'_, '_, E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Playback").finish_non_exhaustive()
    }
}

impl<'f, 'a> Playback<'f, 'a, Nothing, Nothing> {
    const fn new(files: Files<'f, 'a>) -> Self {
        let handler = Closures { on_event: Nothing, on_buffer: Nothing };
        Self { files, handler, on_complete: None, wait_for_retained: false }
    }
}

impl<'f, 'a, E, F> Playback<'f, 'a, E, F> {
    /// Calls `on_event` for every event, in the order of time. Without it, buffers are passed through unread: as they are
    /// stored, in the order of the file.
    pub fn on_event<G>(self, on_event: G) -> Playback<'f, 'a, OnEvent<G>, F>
    where
        G: FnMut(&Event<'_>, &Delivery<'_, LoadedBuffer>) -> ControlFlow<()>,
    {
        let Self { files, handler, on_complete, wait_for_retained } = self;
        let handler = Closures { on_event: OnEvent(on_event), on_buffer: handler.on_buffer };
        Playback { files, handler, on_complete, wait_for_retained }
    }

    /// Calls `on_buffer` for every buffer once its events are over, in the order in which they are.
    pub fn on_buffer<G>(self, on_buffer: G) -> Playback<'f, 'a, E, OnBuffer<G>>
    where
        G: FnMut(&RetiringBuffer<'_, LoadedBuffer>) -> ControlFlow<()>,
    {
        let Self { files, handler, on_complete, wait_for_retained } = self;
        let handler = Closures { on_event: handler.on_event, on_buffer: OnBuffer(on_buffer) };
        Playback { files, handler, on_complete, wait_for_retained }
    }

    /// Gives every buffer to `on_complete` when it is no longer in use, with `context`. Default: its memory is used again,
    /// which is what dropping it does.
    #[must_use]
    pub fn on_complete<C, G>(mut self, context: C, on_complete: G) -> Self
    where
        C: Send + Sync + 'static,
        G: Fn(Completed<LoadedBuffer>, &C) + Send + Sync + 'static,
    {
        self.on_complete = Some(Arc::new(move |done| on_complete(done, &context)));
        self
    }

    /// Lets [`Playback::run`] return only once all retained events are dropped, as Windows does. Default: it does not wait.
    #[must_use]
    pub fn wait_for_retained(mut self) -> Self {
        self.wait_for_retained = true;
        self
    }

    /// Delivers everything, from the start whatever was read before: `ProcessTrace`. Callbacks run on this thread.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if a file cannot be read, [`Error::InvalidTime`] if the time limits are the wrong way round.
    ///
    /// # Panics
    ///
    /// If a callback does: with the same panic, once every buffer is completed.
    pub fn run(self) -> Result<FileSummary, Error>
    where
        Closures<E, F>: Handler<LoadedBuffer>,
    {
        let Self { files, handler, on_complete, wait_for_retained } = self;
        match files {
            Files::One(file) => play(file, handler, on_complete, wait_for_retained),
            Files::Several(files) => play(files, handler, on_complete, wait_for_retained),
        }
    }
}

/// Runs over a file with a handler.
fn play<T: Playable, H: Handler<LoadedBuffer>>(
    file: &mut T,
    mut handler: H,
    on_complete: Option<OnComplete>,
    wait_for_retained: bool,
) -> Result<FileSummary, Error> {
    file.begin(H::WANTS_EVENTS, on_complete);
    let played = catch_unwind(AssertUnwindSafe(|| {
        // Each turn is a step.
        loop {
            let flow = match file.next_step()? {
                Step::Event(event, delivery) => handler.event(&event, &delivery),
                Step::Buffer(buffer) => handler.buffer(&buffer),
                Step::NeedInput { .. } => ControlFlow::Break(()),
                Step::End(outcome) => return Ok(outcome),
            };
            if flow.is_break() {
                file.stop();
            }
        }
    }));
    let completion_panic = file.give_up(wait_for_retained && played.is_ok());
    match (played, completion_panic) {
        (Err(panic), _) | (Ok(_), Some(panic)) => resume_unwind(panic),
        (Ok(outcome), None) => Ok(FileSummary { outcome: outcome?, stats: file.counted() }),
    }
}

macro_rules! callbacks {
    ($($file:ident $files:ident)*) => {$(
        impl<'a> $file<'a> {
            /// Runs from start to end with a handler: `ProcessTrace`. One that wants no events gets the buffers as they are
            /// stored, in the order of the file. A reference to a handler is one as well.
            ///
            /// # Errors
            ///
            /// As [`Playback::run`].
            ///
            /// # Panics
            ///
            /// As [`Playback::run`].
            pub fn run<H: Handler<LoadedBuffer>>(&mut self, handler: H) -> Result<FileSummary, Error> {
                play(self, handler, None, false)
            }

            /// A run that calls `on_event` for every event, in the order of time.
            pub fn on_event<G>(&mut self, on_event: G) -> Playback<'_, 'a, OnEvent<G>, Nothing>
            where
                G: FnMut(&Event<'_>, &Delivery<'_, LoadedBuffer>) -> ControlFlow<()>,
            {
                Playback::new(Files::$files(self)).on_event(on_event)
            }

            /// A run that calls `on_buffer` for every buffer, as it is stored and in the order of the file unless
            /// [`Playback::on_event`] is called as well.
            pub fn on_buffer<G>(&mut self, on_buffer: G) -> Playback<'_, 'a, Nothing, OnBuffer<G>>
            where
                G: FnMut(&RetiringBuffer<'_, LoadedBuffer>) -> ControlFlow<()>,
            {
                Playback::new(Files::$files(self)).on_buffer(on_buffer)
            }
        }
    )*};
}

callbacks!(EtlFile One EtlFiles Several);
