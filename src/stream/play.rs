//! The engine for fronts that know all buffers ahead: they bring each when it is asked for, in the order of time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::any::Any;
use core::time::Duration;

use crate::buffer::{BufferFlags, BufferHeader, BufferView};
use crate::merge::Key;
use crate::stream::admission::Accepted;
use crate::stream::common::Common;
use crate::stream::completion::{BufferId, Completed};
use crate::stream::engine::{Decision, Engine, least_time};
use crate::stream::info::StreamInfo;
use crate::stream::options::Options;
use crate::stream::outcome::Outcome;
use crate::stream::session::step_of;
use crate::stream::stats::Stats;
use crate::stream::step::Step;
use crate::trace::{BufferContext, LogFileHeader, SessionInfo};

/// A session without a gate. What is brought has been checked by whoever brings it.
#[derive(Debug)]
pub(crate) struct Play<B: AsRef<[u8]>> {
    engine: Engine<B>,
    common: Arc<Common<B>>,
}

/// What a front knows of a buffer that it brings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brought {
    /// Its place in the order of arrival, which decides between events of the same time.
    pub(crate) arrival: u64,
    /// The header buffer of the trace, whose events come before all others.
    pub(crate) is_header: bool,
    /// How many bytes should be there; fewer are if the source is cut.
    pub(crate) filled: usize,
    /// What none of its events is later than, as far as that is known.
    pub(crate) cap: Option<i64>,
    pub(crate) session: SessionInfo,
}

/// What happens next. An event or a buffer is there to be taken as a step.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Next {
    /// An event.
    Event(Source),
    /// A buffer whose events are over.
    Buffer(Held),
    /// A buffer is asked for.
    Buffers,
    /// The end.
    End(Outcome),
}

/// Where an event is that was decided on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source(usize);

/// Where a buffer is whose events are over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held(usize);

impl<B: AsRef<[u8]>> Play<B> {
    pub(crate) fn new(
        options: Options,
        wants_events: bool,
        on_complete: Box<dyn Fn(Completed<B>) + Send + Sync>,
        header: Option<LogFileHeader>,
    ) -> Self {
        let common = Common::new(on_complete);
        if let Some(header) = header {
            common.info.set_header(header);
        }
        let mut engine = Engine::new(options, wants_events, Arc::clone(&common));
        engine.be_brought();
        Self { engine, common }
    }

    /// What the first event of the next buffer counts as; `None` if no further one will be brought.
    pub(crate) fn expect(&mut self, next: Option<Key>) {
        self.engine.expect(next);
    }

    /// Takes over a buffer. One without a header is nothing, and comes back.
    pub(crate) fn bring(&mut self, buffer: B, brought: &Brought) -> Result<(), B> {
        let Brought { arrival, is_header, filled, cap, session } = *brought;
        let bytes = buffer.as_ref();
        let Ok(header) = BufferHeader::parse(bytes, session.layout()) else { return Err(buffer) };
        let flags = header.buffer_flags();
        let accepted = Accepted {
            id: BufferId(arrival),
            filled,
            compressed: None,
            is_header,
            context: BufferContext::new(&header, session),
            flush_time: header.time_stamp(),
            class: header.buffer_type().map_or(0, |class| class.0),
            is_marker: flags.contains(BufferFlags::FLUSH_MARKER),
            disorder: false,
            opens: false,
        };
        if is_header && !header.is_compressed() {
            self.common.info.look_around(bytes.get(..filled).unwrap_or(bytes), session.layout().shapes());
        }
        let counters = &self.common.counters;
        counters.events_lost_flags.add(flags.contains(BufferFlags::EVENTS_LOST).into());
        counters.buffers_lost_flags.add(flags.contains(BufferFlags::BUFFER_LOST).into());
        self.common.completer.add_one();
        self.engine.bring(buffer, &accepted, cap);
        Ok(())
    }

    /// What happens next. What was decided on before counts as dealt with.
    #[inline]
    pub(crate) fn next(&mut self) -> Next {
        match self.engine.decide(Duration::ZERO) {
            Decision::Event(source) => Next::Event(Source(source)),
            Decision::Buffer(index) => Next::Buffer(Held(index)),
            Decision::NeedInput { .. } => Next::Buffers,
            Decision::End(outcome) => Next::End(outcome),
        }
    }

    /// Takes what was decided on.
    #[inline]
    pub(crate) fn step(&mut self, next: Next) -> Step<'_, B> {
        let decision = match next {
            Next::Event(Source(source)) => Decision::Event(source),
            Next::Buffer(Held(index)) => Decision::Buffer(index),
            Next::Buffers => Decision::NeedInput { until: None },
            Next::End(outcome) => Decision::End(outcome),
        };
        step_of(&mut self.engine, decision)
    }

    /// The time that an event that was decided on counts as: never less than that of its predecessor in the buffer.
    #[inline]
    pub(crate) fn time_of(&self, source: Source) -> i64 {
        self.engine.time_of(source.0)
    }

    /// A buffer whose events are over, where the walk over it ended, and whether it met damage.
    pub(crate) fn held(&self, held: Held) -> Option<(&B, usize, bool)> {
        let (end, is_damaged) = self.engine.walked(held.0);
        Some((self.engine.slot(held.0)?.buffer(), end, is_damaged))
    }

    pub(crate) fn info(&self) -> &StreamInfo {
        &self.common.info
    }

    pub(crate) fn stats(&self) -> Stats {
        self.common.stats()
    }

    pub(crate) fn add_sequence_gaps(&self, gaps: u64) {
        self.common.counters.sequence_gaps.add(gaps);
    }

    /// The next step is the end; nothing more is delivered.
    pub(crate) fn cancel(&self) {
        self.common.cancel();
    }

    /// Completes every buffer that is still held, as abandoned.
    pub(crate) fn abandon(&mut self) {
        self.engine.abandon();
    }

    /// Blocks until no buffer is out.
    pub(crate) fn wait_for_retained(&self) {
        self.common.completer.wait();
    }

    pub(crate) fn take_completion_panic(&self) -> Option<Box<dyn Any + Send>> {
        self.common.completer.take_panic()
    }
}

impl<B: AsRef<[u8]>> Drop for Play<B> {
    fn drop(&mut self) {
        self.engine.abandon();
    }
}

/// A time that no event of a buffer counts as earlier than, given the stamp of its first record that has one, if there is one,
/// and what none of its events is later than, as far as that is known.
pub(crate) fn least_time_of(first: Option<i64>, cap: Option<i64>) -> i64 {
    least_time(first, cap)
}

/// The first stamp of the records of a buffer.
pub(crate) fn first_stamp(view: &BufferView<'_>) -> Option<i64> {
    view.records().flatten().find_map(|record| record.time_stamp())
}
