//! Stacks joined to the events that they belong to.

use crate::context::call_stack::{CallStack, StackPart};
use crate::context::clr_walks::ClrWalks;
use crate::context::logger::Named;
use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::context::stack_table::{Joint, Part, PartKind, StackIndex, StackTable};
use crate::context::timeline::{Mark, Timeline};
use crate::context::topic::Topic;
use crate::limits::Limits;
use crate::record::{ExtendedItem, Header};
use crate::time::Ticks;
use crate::trace::{Event, EventFlags};

/// The stacks of a trace, by the events that they belong to. For whole files: the first pass shows all events to
/// [`Stacks::observe`], the second asks for the stack of each. [`StackWindow`](crate::context::StackWindow) does the same in
/// a stream.
///
/// | stack | belongs to |
/// | --- | --- |
/// | extended items STACK_TRACE32, STACK_TRACE64 | their own event, and those with the same match id, if that is not 0 |
/// | extended items STACK_KEY32, STACK_KEY64 | the same; the key is resolved as below |
/// | `StackWalk`, Stack | the event of the thread with the time stamp that the payload has |
/// | `StackWalk`, StackKeyKernel and StackKeyUser | the same; KeyCreate, KeyDelete or KeyRundown have the frames of the key |
/// | CLR, stack walk | the event of the CLR that the thread logged before it |
///
/// The kernel's half comes at once, the user's half when the thread returns to user mode; the frames of keys may come last of
/// all.
///
/// Where two events of a thread have one time stamp, both get the first stack of each half.
///
/// Memory: [`Limits::context_stack_bytes`] for addresses and joints, each stack once; as much again for what keys stand for, and
/// for walks of the CLR; and at most [`Limits::context_entries`] keys. Past that no more stacks are taken.
///
/// Source: payload reference, "Stacks and symbols".
#[derive(Clone, Debug)]
pub struct Stacks {
    table: StackTable,
    /// In a stream, what was learned before the table was begun.
    earlier: Option<StackTable>,
    keys: Timeline<u64, StackIndex>,
    /// The stacks that keys stand for.
    key_table: StackTable,
    clr: ClrWalks,
    /// What earlier tables had no room for.
    dropped: u64,
}

impl Default for Stacks {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Stacks {
    /// Knows no stack yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            table: StackTable::new(limits.context_stack_bytes),
            earlier: None,
            keys: Timeline::new(limits.context_entries),
            key_table: StackTable::new(limits.context_stack_bytes),
            clr: ClrWalks::new(
                limits.context_stack_bytes.checked_div(CLR_WALK_BYTES).unwrap_or_default(),
                limits.context_entries,
            ),
            dropped: 0,
        }
    }

    /// Forgets what was learned before the last turn, except for what keys stand for; these when there are too many.
    pub(super) fn turn(&mut self, now: Ticks) {
        let mut table = self.earlier.take().unwrap_or_else(|| self.table.like());
        table.clear();
        let earlier = core::mem::replace(&mut self.table, table);
        let table = &mut self.table;
        self.clr.turn(now.0, |stack| table.keep(earlier.words(stack).iter().copied()));
        self.earlier = Some(earlier);
        if self.key_table.dropped() > 0 {
            let dropped = self.key_table.dropped().saturating_add(self.keys.dropped());
            self.dropped = self.dropped.saturating_add(dropped);
            self.key_table = self.key_table.like();
            self.keys = self.keys.like();
        }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) -> Observed {
        self.observe_topic(Topic::of(event), event)
    }

    #[inline]
    pub(super) fn observe_topic(&mut self, topic: Topic, event: &Event<'_>) -> Observed {
        match topic {
            Topic::StackWalk => self.observe_walk(event),
            Topic::Clr => self.observe_clr(event),
            _ => self.observe_items(event),
        }
    }

    fn observe_walk(&mut self, event: &Event<'_>) -> Observed {
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let read = match event.opcode() {
            STACK => self.read_walk(event, payload, PartKind::Frames),
            STACK_KEY_KERNEL | STACK_KEY_USER => self.read_walk(event, payload, PartKind::Key),
            KEY_CREATE | KEY_DELETE | KEY_RUNDOWN => {
                let mark = match event.opcode() {
                    KEY_CREATE => Mark::Begin,
                    KEY_DELETE => Mark::End,
                    _ => Mark::Alive,
                };
                let read = payload.pointer().zip(event.time_stamp());
                if let Some((key, time)) = read
                    && let Some(stack) = self.key_table.keep(payload.pointers())
                {
                    self.keys.insert(key, time, mark, stack);
                }
                read.map(|_| ())
            }
            _ => return Observed::Other,
        };
        Observed::read(&read)
    }

    /// The time stamp of the event that the stack belongs to, process and thread, then frames or a key.
    fn read_walk(&mut self, event: &Event<'_>, mut payload: Payload<'_>, kind: PartKind) -> Option<()> {
        let joint = Joint::Time(payload.u64()?.cast_signed());
        let (process_id, thread_id) = (payload.u32()?, payload.u32()?);
        let stack = match kind {
            PartKind::Frames => self.table.keep(payload.pointers()),
            PartKind::Key => self.table.keep([payload.pointer()?, key_time(event)].into_iter()),
        };
        if let Some(stack) = stack {
            let part = Part::new(stack, kind, event.processor_index(), process_id, thread_id);
            self.table.join(joint, part);
        }
        Some(())
    }

    fn observe_clr(&mut self, event: &Event<'_>) -> Observed {
        let Some((thread_id, time)) = event.thread_id().zip(event.time_stamp()) else {
            return Observed::Other;
        };
        if event.id() != CLR_STACK_WALK {
            self.clr.event(thread_id, time.0);
            return self.observe_items(event);
        }
        // `ClrInstanceID` and two reserved bytes, the number of frames, the frames.
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let count = payload.u32().and_then(|_| payload.u32());
        if let Some(count) = count {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            if let Some(stack) = self.table.keep(payload.pointers().take(count)) {
                self.clr.walk(thread_id, time.0, event.process_id().unwrap_or_default(), stack);
            }
        }
        Observed::read(&count)
    }

    /// Halves of stacks whose other half is with another event.
    #[inline]
    fn observe_items(&mut self, event: &Event<'_>) -> Observed {
        let Header::Event(_) = event.record().header() else { return Observed::Other };
        let mut observed = Observed::Other;
        for item in event.extended_data() {
            if let Some(match_id) = match_id(&item).filter(|&match_id| match_id != 0) {
                self.keep_item(event, &item, match_id);
                observed = Observed::Taken;
            }
        }
        observed
    }

    fn keep_item(&mut self, event: &Event<'_>, item: &ExtendedItem<'_>, match_id: u64) {
        let (stack, kind) = match (item.stack(), item.stack_key()) {
            (Some(stack), _) => (self.table.keep(stack.frames()), PartKind::Frames),
            (_, Some((_, key))) => (self.table.keep([key, key_time(event)].into_iter()), PartKind::Key),
            _ => return,
        };
        if let Some(stack) = stack {
            let (process_id, thread_id) = (event.process_id(), event.thread_id());
            let (process_id, thread_id) = (process_id.unwrap_or_default(), thread_id.unwrap_or_default());
            let part = Part::new(stack, kind, event.processor_index(), process_id, thread_id);
            self.table.join(Joint::Match(match_id), part);
        }
    }

    /// The stack of an event; `None` if it has none.
    #[must_use]
    pub fn stack<'a>(&'a self, event: &Event<'a>) -> Option<CallStack<'a>> {
        let mut stack = CallStack::default();
        let time = event.time_stamp()?;
        let topic = Topic::of(event);
        match event.record().header() {
            Header::Event(header) => {
                self.add_items(&mut stack, event);
                if topic == Topic::Clr {
                    self.add_clr(&mut stack, event, time);
                }
                if EventFlags(header.flags.get()).contains(EventFlags::CLASSIC_HEADER) {
                    self.add_joint(&mut stack, event, Joint::Time(time.0));
                }
            }
            Header::Message(_) | Header::Opaque => {}
            // What merging adds has the time stamps of other events.
            _ if matches!(topic, Topic::StackWalk | Topic::ImageId | Topic::SystemConfigEx) => {}
            _ => self.add_joint(&mut stack, event, Joint::Time(time.0)),
        }
        (!stack.is_nothing()).then_some(stack)
    }

    fn add_items<'a>(&'a self, stack: &mut CallStack<'a>, event: &Event<'a>) {
        for item in event.extended_data() {
            let Some(match_id) = match_id(&item) else { continue };
            if let Some(frames) = item.stack() {
                stack.add(StackPart::Item(frames), system_pointer_size(event));
            } else if let (Some((_, key)), Some(time)) = (item.stack_key(), event.time_stamp()) {
                self.add_key(stack, event, key, time);
            }
            if match_id != 0 {
                for (part, words) in self.parts(Joint::Match(match_id)) {
                    self.add_part(stack, event, part, words);
                }
            }
        }
    }

    fn add_clr<'a>(&'a self, stack: &mut CallStack<'a>, event: &Event<'a>, time: Ticks) {
        let Some(thread_id) = event.thread_id() else { return };
        if let Some(walk) = self.clr.of_event(thread_id, time.0) {
            stack.belongs_to(walk.process_id, thread_id);
            stack.add(StackPart::Words(self.table.words(walk.stack)), system_pointer_size(event));
        }
    }

    fn add_joint<'a>(&'a self, stack: &mut CallStack<'a>, event: &Event<'a>, joint: Joint) {
        let mut parts = self.parts(joint).peekable();
        if parts.peek().is_none() {
            return;
        }
        let named = match Named::by(event) {
            Some(Named::Thread(thread_id)) => Some(thread_id),
            _ => None,
        };
        let Some(thread_id) = event.thread_id().or(named).or_else(|| self.only_thread(event, joint)) else {
            return;
        };
        for (part, words) in parts.filter(|(part, _)| part.thread_id == thread_id) {
            stack.belongs_to(part.process_id, part.thread_id);
            self.add_part(stack, event, part, words);
        }
    }

    /// The thread of an event that does not tell its own: all stacks with its time stamp are of this one, or all that were
    /// logged on its processor.
    fn only_thread(&self, event: &Event<'_>, joint: Joint) -> Option<u32> {
        let only = |on: Option<u16>| {
            let mut parts = self.parts(joint).filter(|(part, _)| on.is_none_or(|on| part.processor == on));
            let first = parts.next()?.0.thread_id;
            parts.all(|(part, _)| part.thread_id == first).then_some(first)
        };
        only(None).or_else(|| only(Some(event.processor_index())))
    }

    /// The parts with this joint, and their words.
    fn parts(&self, joint: Joint) -> impl Iterator<Item = (Part, &[u64])> {
        let tables = self.earlier.iter().chain([&self.table]);
        tables.flat_map(move |table| table.parts(joint).map(|part| (part, table.words(part.stack))))
    }

    fn add_part<'a>(&'a self, stack: &mut CallStack<'a>, event: &Event<'a>, part: Part, words: &'a [u64]) {
        match (part.kind, words) {
            (PartKind::Frames, words) => stack.add(StackPart::Words(words), system_pointer_size(event)),
            (PartKind::Key, &[key, time]) => self.add_key(stack, event, key, Ticks(time.cast_signed())),
            (PartKind::Key, _) => {}
        }
    }

    fn add_key<'a>(&'a self, stack: &mut CallStack<'a>, event: &Event<'a>, key: u64, time: Ticks) {
        match self.keys.at(key, time).filter(|at| !at.ended) {
            Some(at) => {
                stack.add(StackPart::Words(self.key_table.words(*at.value)), system_pointer_size(event));
            }
            None => stack.add_missing(),
        }
    }

    /// How many stacks, joints and keys were not taken because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let earlier = self.earlier.as_ref().map_or(0, StackTable::dropped);
        let all = [
            self.table.dropped(),
            earlier,
            self.key_table.dropped(),
            self.keys.dropped(),
            self.clr.dropped(),
            self.dropped,
        ];
        all.into_iter().fold(0, u64::saturating_add)
    }
}

/// The match id of an item that holds a stack or a key.
fn match_id(item: &ExtendedItem<'_>) -> Option<u64> {
    item.stack().map(|stack| stack.match_id()).or_else(|| item.stack_key().map(|(match_id, _)| match_id))
}

fn system_pointer_size(event: &Event<'_>) -> u8 {
    event.context().session().pointer_size()
}

/// When a key was referred to, as a word.
fn key_time(event: &Event<'_>) -> u64 {
    event.time_stamp().map_or(0, |time| time.0.cast_unsigned())
}

const STACK: u8 = 32;
const KEY_CREATE: u8 = 34;
const KEY_DELETE: u8 = 35;
const KEY_RUNDOWN: u8 = 36;
const STACK_KEY_KERNEL: u8 = 37;
const STACK_KEY_USER: u8 = 38;
/// What a walk takes besides its stack, about.
const CLR_WALK_BYTES: usize = 64;
/// Id of the CLR's provider.
const CLR_STACK_WALK: u16 = 82;
