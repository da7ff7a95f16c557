//! Processes over time: what an id stood for when an event was logged.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::context::texts::Texts;
use crate::context::timeline::{At, Mark, Span, Timeline};
use crate::context::topic::Topic;
use crate::decode::{Decoded, Decoder, Str, Value};
use crate::limits::Limits;
use crate::sid::Sid;
use crate::time::Ticks;
use crate::trace::Event;

/// Names and other facts of processes by their id at a time.
///
/// Learns from the kernel's class `Process` (Start, End, DCStart, DCEnd, Defunct), with any header, and from
/// `Microsoft-Windows-Kernel-Process` (ProcessStart, ProcessStop, ProcessRundown). Where both tell of a process, the kernel's
/// class counts. Events may come in any order: an id that is used again stands for the process that had it at the time, and a
/// process that only the rundown at the end of a trace tells of was there from the start.
///
/// Memory: at most [`Limits::context_entries`] observations of about 250 bytes, of each of three kinds, and
/// [`Limits::context_text_bytes`] of text. Past that, processes that ended long ago are forgotten.
///
/// Source: payload reference on kernel events, "Process".
#[derive(Clone, Debug)]
pub struct Processes {
    /// What is asked first to last: the kernel's class; Kernel-Process; processes that ended before and still have handles.
    sources: [Timeline<u32, Arc<Facts>>; 3],
    texts: Texts,
}

type Found<'a> = (&'a Timeline<u32, Arc<Facts>>, At<'a, Arc<Facts>>);

const KERNEL: usize = 0;
const MANIFEST: usize = 1;
const DEFUNCT: usize = 2;

/// What an event tells of a process.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Facts {
    parent_id: Option<u32>,
    session_id: Option<u32>,
    unique_process_key: Option<u64>,
    image_file_name: Option<Arc<str>>,
    command_line: Option<Arc<str>>,
    package_full_name: Option<Arc<str>>,
    application_id: Option<Arc<str>>,
    user_sid: Option<Box<[u8]>>,
    exit_status: Option<u32>,
}

impl Default for Processes {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Processes {
    /// Knows no process yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let timeline = || Timeline::new(limits.context_entries);
        Self { sources: [timeline(), timeline(), timeline()], texts: Texts::new(limits.context_text_bytes) }
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
            Topic::Process => self.observe_class(event, decoder),
            Topic::KernelProcess => self.observe_manifest(event, decoder),
            _ => Observed::Other,
        }
    }

    fn observe_class(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let (source, mark) = match event.opcode() {
            START => (KERNEL, Mark::Begin),
            END => (KERNEL, Mark::End),
            DC_START | DC_END => (KERNEL, Mark::Alive),
            DEFUNCT_OPCODE => (DEFUNCT, Mark::Alive),
            _ => return Observed::Other,
        };
        let read = Facts::of_class(&decoder.decode(event), mark, &mut self.texts);
        self.keep(event, source, mark, read)
    }

    fn observe_manifest(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let mark = match event.id() {
            PROCESS_START => Mark::Begin,
            PROCESS_STOP => Mark::End,
            PROCESS_RUNDOWN => Mark::Alive,
            _ => return Observed::Other,
        };
        let decoded = decoder.decode(event);
        let read = if decoded.schema().is_some() {
            Facts::of_manifest(&decoded, mark, &mut self.texts)
        } else {
            Facts::of_manifest_unknown(event, &mut self.texts)
        };
        self.keep(event, MANIFEST, mark, read)
    }

    fn keep(&mut self, event: &Event<'_>, source: usize, mark: Mark, read: Option<(u32, Facts)>) -> Observed {
        let read = read.zip(event.time_stamp()).zip(self.sources.get_mut(source));
        let observed = Observed::read(&read);
        if let Some((((id, facts), time), timeline)) = read {
            timeline.insert(id, time, mark, Arc::new(facts));
        }
        observed
    }

    /// The process that had this id at this time.
    ///
    /// After its end it is still the one, until the id is known to be used again: what it did last may be logged later.
    #[must_use]
    pub fn at(&self, id: u32, time: Ticks) -> Option<Process<'_>> {
        let (timeline, at) = self.find(id, time)?;
        self.process(timeline, id, at)
    }

    /// What that process is called: the file name of its image, such as `svchost.exe`.
    #[must_use]
    pub fn name(&self, id: u32, time: Ticks) -> Option<&str> {
        let (timeline, at) = self.find(id, time)?;
        match &at.value.image_file_name {
            // The short way for nearly all.
            Some(name) if !self.is_manifest(timeline) => Some(file_name(name)),
            _ => self.process(timeline, id, at)?.name(),
        }
    }

    fn process<'a>(
        &'a self,
        timeline: &'a Timeline<u32, Arc<Facts>>,
        id: u32,
        at: At<'a, Arc<Facts>>,
    ) -> Option<Process<'a>> {
        let mut story = timeline.story(id, at.observed);
        let first = &**story.next()?;
        let last = story.last().map_or(first, |last| last);
        let nearest = &**at.value;
        // Of Kernel-Process, the events that start tell more than those that stop.
        let facts = if self.is_manifest(timeline) { [first, last, nearest] } else { [nearest, first, last] };
        Some(Process { id, facts, exit_status: last.exit_status, span: timeline.span(id, at.observed) })
    }

    fn is_manifest(&self, timeline: &Timeline<u32, Arc<Facts>>) -> bool {
        let [_, manifest, _] = &self.sources;
        core::ptr::eq(timeline, manifest)
    }

    /// One that is there goes before one that has ended.
    fn find(&self, id: u32, time: Ticks) -> Option<Found<'_>> {
        let mut ended = None;
        for timeline in &self.sources {
            match timeline.at(id, time) {
                Some(at) if at.ended => ended = ended.or(Some((timeline, at))),
                Some(at) => return Some((timeline, at)),
                None => {}
            }
        }
        ended
    }

    /// All processes, by id and then by time. One that the kernel's class and Kernel-Process tell of comes twice.
    pub fn iter(&self) -> impl Iterator<Item = Process<'_>> {
        self.sources.iter().flat_map(move |timeline| {
            let things = timeline.things();
            things.filter_map(move |(id, observed)| self.process(timeline, id, timeline.at(id, observed)?))
        })
    }

    /// How many observations and texts were given up because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.sources.iter().map(Timeline::dropped).fold(self.texts.dropped(), u64::saturating_add)
    }
}

/// A process: what all events that told of it said together. `Copy`, borrowed from [`Processes`].
#[derive(Clone, Copy, Debug)]
pub struct Process<'a> {
    id: u32,
    /// Who is asked for a fact first to last.
    facts: [&'a Facts; 3],
    exit_status: Option<u32>,
    span: Span,
}

impl<'a> Process<'a> {
    fn get<T>(self, fact: impl Fn(&'a Facts) -> Option<T>) -> Option<T> {
        self.facts.into_iter().find_map(fact)
    }

    /// The id, which other processes may have had before and after.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.id
    }

    /// The file name of its image, such as `svchost.exe`. Systems before Windows 8 cut it to 15 characters.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.image_file_name().map(file_name)
    }

    /// `ImageFileName`: a file name from the kernel's class, an NT path from Kernel-Process.
    #[must_use]
    pub fn image_file_name(self) -> Option<&'a str> {
        self.get(|facts| facts.image_file_name.as_deref())
    }

    /// `CommandLine`
    #[must_use]
    pub fn command_line(self) -> Option<&'a str> {
        self.get(|facts| facts.command_line.as_deref())
    }

    /// `PackageFullName`
    #[must_use]
    pub fn package_full_name(self) -> Option<&'a str> {
        self.get(|facts| facts.package_full_name.as_deref())
    }

    /// `ApplicationId`
    #[must_use]
    pub fn application_id(self) -> Option<&'a str> {
        self.get(|facts| facts.application_id.as_deref())
    }

    /// `ParentId`: the id of its creator.
    #[must_use]
    pub fn parent_id(self) -> Option<u32> {
        self.get(|facts| facts.parent_id)
    }

    /// `SessionId`: the terminal session; `None` for 0xFFFFFFFF, which processes of the system have.
    #[must_use]
    pub fn session_id(self) -> Option<u32> {
        self.get(|facts| facts.session_id)
    }

    /// `UniqueProcessKey`: the address of the process object, which handles and other events refer to.
    #[must_use]
    pub fn unique_process_key(self) -> Option<u64> {
        self.get(|facts| facts.unique_process_key)
    }

    /// `UserSID`
    #[must_use]
    pub fn user_sid(self) -> Option<Sid<'a>> {
        self.get(|facts| Sid::parse(facts.user_sid.as_deref()?))
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

    /// `ExitStatus`, if it ended.
    #[must_use]
    pub const fn exit_status(self) -> Option<u32> {
        self.exit_status
    }
}

/// What follows the last separator of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

impl Facts {
    /// `ProcessId` and `ParentId` have the size of pointers in version 0.
    fn of_class(decoded: &Decoded<'_>, mark: Mark, texts: &mut Texts) -> Option<(u32, Self)> {
        let id = decoded.get_u32("ProcessId")?;
        let mut text = |name| texts.keep(decoded.get(name)?.as_str()?);
        let facts = Self {
            image_file_name: text("ImageFileName"),
            command_line: text("CommandLine"),
            package_full_name: text("PackageFullName"),
            application_id: text("ApplicationId"),
            parent_id: decoded.get_u32("ParentId"),
            session_id: decoded.get_u32("SessionId").filter(|&session| session != u32::MAX),
            unique_process_key: decoded.get_u64("UniqueProcessKey").filter(|&key| key != 0),
            user_sid: match decoded.get("UserSID") {
                Some(Value::Sid(sid)) => Some(sid.as_bytes().into()),
                _ => None,
            },
            exit_status: exit_status(decoded, "ExitStatus", mark),
        };
        Some((id, facts))
    }

    fn of_manifest(decoded: &Decoded<'_>, mark: Mark, texts: &mut Texts) -> Option<(u32, Self)> {
        let id = decoded.get_u32("ProcessID")?;
        let mut text = |name| texts.keep(decoded.get(name)?.as_str()?);
        let facts = Self {
            image_file_name: text("ImageName"),
            package_full_name: text("PackageFullName"),
            application_id: text("PackageRelativeAppId"),
            parent_id: decoded.get_u32("ParentProcessID"),
            session_id: decoded.get_u32("SessionID").filter(|&session| session != u32::MAX),
            exit_status: exit_status(decoded, "ExitCode", mark),
            ..Self::default()
        };
        Some((id, facts))
    }

    /// The versions whose layout is known without a schema.
    ///
    /// Source: schemas that traces carry, and recorded payloads. ProcessStop has the name in 8-bit characters, cut short.
    fn of_manifest_unknown(event: &Event<'_>, texts: &mut Texts) -> Option<(u32, Self)> {
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let id = payload.u32()?;
        let _create_time = payload.u64()?;
        let facts = match (event.id(), event.version()) {
            (PROCESS_START, version @ 0..=1) => {
                let (parent_id, session_id) = (payload.u32()?, payload.u32()?);
                let _flags = if version == 0 { 0 } else { payload.u32()? };
                Self {
                    parent_id: Some(parent_id),
                    session_id: Some(session_id).filter(|&session| session != u32::MAX),
                    image_file_name: payload.utf16().and_then(|name| texts.keep_utf16(name)),
                    ..Self::default()
                }
            }
            (PROCESS_STOP, 1) => {
                let _exit_time = payload.u64()?;
                let exit_status = payload.u32()?;
                let name = payload.rest().get(48..)?;
                let mut name = Payload::new(name, event.pointer_size());
                Self {
                    exit_status: Some(exit_status),
                    image_file_name: name.ansi().and_then(|name: Str<'_>| texts.keep(name)),
                    ..Self::default()
                }
            }
            _ => return None,
        };
        Some((id, facts))
    }
}

fn exit_status(decoded: &Decoded<'_>, name: &str, mark: Mark) -> Option<u32> {
    if mark != Mark::End {
        return None;
    }
    // A signed number in the kernel's class.
    let [a, b, c, d, ..] = decoded.get_u64(name)?.to_le_bytes();
    Some(u32::from_le_bytes([a, b, c, d]))
}

// Opcodes of the kernel's class.
const START: u8 = 1;
const END: u8 = 2;
const DC_START: u8 = 3;
const DC_END: u8 = 4;
const DEFUNCT_OPCODE: u8 = 39;
// Ids of Kernel-Process.
const PROCESS_START: u16 = 1;
const PROCESS_STOP: u16 = 2;
const PROCESS_RUNDOWN: u16 = 15;
