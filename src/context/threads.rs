//! Threads over time: which process a thread id belonged to when an event was logged.

use alloc::sync::Arc;

use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::context::texts::Texts;
use crate::context::timeline::{Mark, Span, Timeline};
use crate::context::topic::Topic;
use crate::decode::{Decoded, Decoder};
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::Event;

/// The process, name and start address of threads by their id at a time.
///
/// Learns from the kernel's class `Thread` (Start, End, DCStart, DCEnd, SetName), with any header, and from
/// `Microsoft-Windows-Kernel-Process` (ThreadStart, ThreadStop). What is said of [`Processes`](crate::context::Processes)
/// about order and ids that are used again holds here.
///
/// Memory: at most [`Limits::context_entries`] observations of about 100 bytes, of each of two kinds, and
/// [`Limits::context_text_bytes`] of names.
///
/// Source: payload reference on kernel events, "Thread".
#[derive(Clone, Debug)]
pub struct Threads {
    /// The kernel's class, then Kernel-Process.
    sources: [Timeline<u32, Facts>; 2],
    texts: Texts,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Facts {
    process_id: u32,
    start_address: Option<u64>,
    name: Option<Arc<str>>,
}

impl Default for Threads {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Threads {
    /// Knows no thread yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let timeline = || Timeline::new(limits.context_entries);
        Self { sources: [timeline(), timeline()], texts: Texts::new(limits.context_text_bytes) }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        self.observe_topic(Topic::of(event), event, decoder)
    }

    #[inline]
    pub(super) fn observe_topic(
        &mut self,
        topic: Topic,
        event: &Event<'_>,
        decoder: &mut Decoder,
    ) -> Observed {
        match topic {
            Topic::Thread => self.observe_class(event, decoder),
            Topic::KernelProcess => self.observe_manifest(event),
            _ => Observed::Other,
        }
    }

    fn observe_class(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let mark = match event.opcode() {
            START => Mark::Begin,
            END => Mark::End,
            DC_START | DC_END | SET_NAME => Mark::Alive,
            _ => return Observed::Other,
        };
        let Self { sources: [timeline, _], texts } = self;
        let decoded = decoder.decode(event);
        let read = read(&decoded, texts).zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some(((id, mut facts), time)) = read {
            if event.opcode() == SET_NAME {
                facts.start_address = timeline.at(id, time).and_then(|at| at.value.start_address);
            }
            timeline.insert(id, time, mark, facts);
        }
        observed
    }

    /// ThreadStart and ThreadStop have both ids in front, in all versions.
    fn observe_manifest(&mut self, event: &Event<'_>) -> Observed {
        let mark = match event.id() {
            THREAD_START => Mark::Begin,
            THREAD_STOP => Mark::End,
            _ => return Observed::Other,
        };
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let read = payload.u32().zip(payload.u32()).zip(event.time_stamp());
        let observed = Observed::read(&read);
        let Self { sources: [_, timeline], .. } = self;
        if let Some(((process_id, id), time)) = read {
            timeline.insert(id, time, mark, Facts { process_id, start_address: None, name: None });
        }
        observed
    }

    /// The thread that had this id at this time; after its end, until the id is known to be used again.
    #[must_use]
    pub fn at(&self, id: u32, time: Ticks) -> Option<Thread<'_>> {
        let all = self.sources.iter().filter_map(|timeline| Some((timeline, timeline.at(id, time)?)));
        let (timeline, at) = all.min_by_key(|(_, at)| at.ended)?;
        Some(Thread::new(timeline, id, at.observed, at.value))
    }

    /// The process of the thread that had this id at this time. Thread 0 is one of the idle threads, of process 0.
    #[must_use]
    pub fn process_id(&self, id: u32, time: Ticks) -> Option<u32> {
        if id == 0 {
            return Some(0);
        }
        let all = self.sources.iter().filter_map(|timeline| timeline.at(id, time));
        all.min_by_key(|at| at.ended).map(|at| at.value.process_id)
    }

    /// All threads, by id and then by time. One that the kernel's class and Kernel-Process tell of comes twice.
    pub fn iter(&self) -> impl Iterator<Item = Thread<'_>> {
        self.sources.iter().flat_map(|timeline| {
            let things = timeline.things();
            things.filter_map(move |(id, observed)| {
                let at = timeline.at(id, observed)?;
                Some(Thread::new(timeline, id, observed, at.value))
            })
        })
    }

    /// How many observations and names were given up because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.sources.iter().map(Timeline::dropped).fold(self.texts.dropped(), u64::saturating_add)
    }
}

/// A thread. `Copy`, borrowed from [`Threads`].
#[derive(Clone, Copy, Debug)]
pub struct Thread<'a> {
    id: u32,
    facts: &'a Facts,
    span: Span,
}

impl<'a> Thread<'a> {
    fn new(timeline: &Timeline<u32, Facts>, id: u32, observed: Ticks, facts: &'a Facts) -> Self {
        Self { id, facts, span: timeline.span(id, observed) }
    }

    /// The id, which other threads may have had before and after.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.id
    }

    /// `ProcessId`: the process that it belongs to.
    #[must_use]
    pub const fn process_id(self) -> u32 {
        self.facts.process_id
    }

    /// `ThreadName`, as of the time that was asked for.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.facts.name.as_deref()
    }

    /// `Win32StartAddr`: the function that it was started with.
    #[must_use]
    pub const fn start_address(self) -> Option<u64> {
        self.facts.start_address
    }

    /// When it started; `None` if it was there before the trace, or the event is lost.
    #[must_use]
    pub const fn start(self) -> Option<Ticks> {
        self.span.begin
    }

    /// When it ended; `None` if it was there after the trace, or the event is lost.
    #[must_use]
    pub const fn end(self) -> Option<Ticks> {
        self.span.end
    }
}

fn read(decoded: &Decoded<'_>, texts: &mut Texts) -> Option<(u32, Facts)> {
    // SetName calls it otherwise.
    let id = decoded.get_u32("TThreadId").or_else(|| decoded.get_u32("ThreadId"))?;
    let name = decoded.get("ThreadName").and_then(|name| texts.keep(name.as_str()?));
    let process_id = decoded.get_u32("ProcessId")?;
    Some((id, Facts { process_id, start_address: decoded.get_u64("Win32StartAddr"), name }))
}

// Opcodes of the kernel's class.
const START: u8 = 1;
const END: u8 = 2;
const DC_START: u8 = 3;
const DC_END: u8 = 4;
const SET_NAME: u8 = 72;
// Ids of Kernel-Process.
const THREAD_START: u16 = 3;
const THREAD_STOP: u16 = 4;
