//! Who is told of events and buffers.

use core::fmt;
use core::ops::ControlFlow;

use crate::stream::step::{Delivery, RetiringBuffer};
use crate::trace::Event;

/// The callbacks of a session, which share `&mut self` in place of the context pointers of Windows. All run on the thread
/// inside [`Processor::run`](crate::stream::Processor::run), one at a time, and no lock is held meanwhile: they may add
/// buffers to any session, finish and cancel.
///
/// `Break` from either ends the session: no further callback, every buffer completed, outcome
/// [`Outcome::Cancelled`](crate::stream::Outcome::Cancelled). A panic does the same and goes on once every buffer is completed.
/// The handler is dropped before `run` returns.
pub trait Handler<B> {
    /// Whether events are wanted. Without, buffers are passed through without a look at their records, none is held, and
    /// nothing is expanded: `EventCallback` NULL.
    const WANTS_EVENTS: bool = true;

    /// The next event, in the order of time: `PEVENT_RECORD_CALLBACK`. It cannot be kept past the call but by
    /// [`Delivery::retain`] or a copy, [`Event::to_owned_event`].
    fn event(&mut self, event: &Event<'_>, delivery: &Delivery<'_, B>) -> ControlFlow<()> {
        let _ = (event, delivery);
        ControlFlow::Continue(())
    }

    /// A buffer whose events are over, in the order of arrival: `PETW_BUFFER_CALLBACK`, whose FALSE is `Break`. It is
    /// completed when this returns, or when the last share of it is dropped that was retained.
    fn buffer(&mut self, buffer: &RetiringBuffer<'_, B>) -> ControlFlow<()> {
        let _ = buffer;
        ControlFlow::Continue(())
    }
}

impl<B, H: Handler<B>> Handler<B> for &mut H {
    const WANTS_EVENTS: bool = H::WANTS_EVENTS;

    #[inline]
    fn event(&mut self, event: &Event<'_>, delivery: &Delivery<'_, B>) -> ControlFlow<()> {
        (**self).event(event, delivery)
    }

    fn buffer(&mut self, buffer: &RetiringBuffer<'_, B>) -> ControlFlow<()> {
        (**self).buffer(buffer)
    }
}

/// Closures as a [`Handler`]. Made by [`StreamBuilder`](crate::stream::StreamBuilder) and by the playback of a file.
pub struct Closures<E, F> {
    pub(crate) on_event: E,
    pub(crate) on_buffer: F,
}

impl<E, F> fmt::Debug for Closures<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closures").finish_non_exhaustive()
    }
}

/// No closure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

/// A closure for events.
pub struct OnEvent<E>(pub(crate) E);

impl<E> fmt::Debug for OnEvent<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnEvent")
    }
}

/// A closure for buffers.
pub struct OnBuffer<F>(pub(crate) F);

impl<F> fmt::Debug for OnBuffer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnBuffer")
    }
}

/// What [`Closures`] hold for events: [`Nothing`] or [`OnEvent`].
pub trait EventCallback<B> {
    /// Whether there is a closure.
    const WANTED: bool;
    /// Calls it.
    fn call(&mut self, event: &Event<'_>, delivery: &Delivery<'_, B>) -> ControlFlow<()>;
}

impl<B> EventCallback<B> for Nothing {
    const WANTED: bool = false;

    fn call(&mut self, _: &Event<'_>, _: &Delivery<'_, B>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<B, E> EventCallback<B> for OnEvent<E>
where
    E: FnMut(&Event<'_>, &Delivery<'_, B>) -> ControlFlow<()>,
{
    const WANTED: bool = true;

    #[inline]
    fn call(&mut self, event: &Event<'_>, delivery: &Delivery<'_, B>) -> ControlFlow<()> {
        (self.0)(event, delivery)
    }
}

/// What [`Closures`] hold for buffers: [`Nothing`] or [`OnBuffer`].
pub trait BufferCallback<B> {
    /// Calls it, if there is one.
    fn call(&mut self, buffer: &RetiringBuffer<'_, B>) -> ControlFlow<()>;
}

impl<B> BufferCallback<B> for Nothing {
    fn call(&mut self, _: &RetiringBuffer<'_, B>) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<B, F> BufferCallback<B> for OnBuffer<F>
where
    F: FnMut(&RetiringBuffer<'_, B>) -> ControlFlow<()>,
{
    fn call(&mut self, buffer: &RetiringBuffer<'_, B>) -> ControlFlow<()> {
        (self.0)(buffer)
    }
}

impl<B, E: EventCallback<B>, F: BufferCallback<B>> Handler<B> for Closures<E, F> {
    const WANTS_EVENTS: bool = E::WANTED;

    #[inline]
    fn event(&mut self, event: &Event<'_>, delivery: &Delivery<'_, B>) -> ControlFlow<()> {
        self.on_event.call(event, delivery)
    }

    fn buffer(&mut self, buffer: &RetiringBuffer<'_, B>) -> ControlFlow<()> {
        self.on_buffer.call(buffer)
    }
}
