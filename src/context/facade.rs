//! All components together.

use alloc::vec::Vec;
use std::io::Read;

use crate::context::call_stack::CallStack;
use crate::context::files::FileNames;
use crate::context::images::Images;
use crate::context::logger::Named;
use crate::context::methods::ClrMethods;
use crate::context::observed::Observed;
use crate::context::processes::Processes;
use crate::context::registry::RegistryKeys;
use crate::context::stacks::Stacks;
use crate::context::switches::ContextSwitches;
use crate::context::symbolizer::{Frame, Symbolizer};
use crate::context::threads::Threads;
use crate::context::topic::Topic;
use crate::context::volumes::Volumes;
use crate::decode::mof::subject;
use crate::decode::{Decoded, Decoder};
use crate::file::{Error, EtlReader};
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::{Event, EventFlags, OwnedEvent};

/// What the events of a trace mean together.
///
/// Two passes over a whole trace: the first shows all events, in any order; the second asks. In a stream, each event is shown
/// before it is asked for, and what only comes later is not known yet; [`StackWindow`](crate::context::StackWindow) is what
/// joins stacks there.
///
/// Components that are `None` cost nothing and answer nothing. Each has its own limits on memory: see there.
///
/// A context is for one trace. Only files of sessions that ran at the same time with the same clock, such as one of the kernel
/// and one of programs, may share one: time stamps of others cannot be compared.
///
/// ```
/// use etweir::EtlReader;
/// use etweir::context::Context;
/// use etweir::decode::Decoder;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut decoder = Decoder::new();
/// let mut context = Context::new();
/// context.read(&mut EtlReader::open("fixtures/demo.etl")?, &mut decoder)?;
///
/// let mut reader = EtlReader::open("fixtures/demo.etl")?;
/// while let Some(buffer) = reader.next_buffer()? {
///     for event in buffer.events().flatten() {
///         println!("{:?} {:?}", event.time(), context.process_name(&event));
///         for frame in context.frames(&event) {
///             println!("    {frame}");
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Context {
    /// Processes by id.
    pub processes: Option<Processes>,
    /// Threads by id.
    pub threads: Option<Threads>,
    /// Which thread ran on which processor.
    pub switches: Option<ContextSwitches>,
    /// Images by address.
    pub images: Option<Images>,
    /// Stacks by event.
    pub stacks: Option<Stacks>,
    /// Methods of the CLR by address.
    pub methods: Option<ClrMethods>,
    /// Paths with drive letters.
    pub volumes: Option<Volumes>,
    /// File names by object.
    pub files: Option<FileNames>,
    /// Names of registry keys by handle.
    pub registry: Option<RegistryKeys>,
    /// Events that nobody could read yet.
    unread: Vec<OwnedEvent>,
    /// How many bytes of these there may yet be.
    room: usize,
}

impl Default for Context {
    fn default() -> Self {
        Self::new()
    }
}

impl Context {
    /// With all components.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(&Limits::default())
    }

    /// The same within other limits.
    #[must_use]
    pub fn with_limits(limits: &Limits) -> Self {
        Self {
            processes: Some(Processes::new(limits)),
            threads: Some(Threads::new(limits)),
            switches: Some(ContextSwitches::new(limits)),
            images: Some(Images::new(limits)),
            stacks: Some(Stacks::new(limits)),
            methods: Some(ClrMethods::new(limits)),
            volumes: Some(Volumes::new(limits)),
            files: Some(FileNames::new(limits)),
            registry: Some(RegistryKeys::new(limits)),
            ..Self::nothing(limits)
        }
    }

    /// Without any component: those that are wanted are set.
    ///
    /// ```
    /// use etweir::context::{Context, Processes};
    /// use etweir::Limits;
    ///
    /// let limits = Limits::default();
    /// let mut context = Context::nothing(&limits);
    /// context.processes = Some(Processes::new(&limits));
    /// ```
    #[must_use]
    pub const fn nothing(limits: &Limits) -> Self {
        Self {
            processes: None,
            threads: None,
            switches: None,
            images: None,
            stacks: None,
            methods: None,
            volumes: None,
            files: None,
            registry: None,
            unread: Vec::new(),
            room: limits.context_unread_bytes,
        }
    }

    /// Learns from an event, whatever it is: a look at its header, and more only for those that a component wants.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>, decoder: &mut Decoder) {
        let topic = Topic::of(event);
        let observed = self.observe_topic(topic, event, decoder);
        if observed == Observed::Unreadable && topic == Topic::KernelProcess {
            self.keep_unread(event);
        }
    }

    /// Keeps an event whose schema the trace may carry behind it.
    #[cold]
    fn keep_unread(&mut self, event: &Event<'_>) {
        let cost = event.record().bytes().len().saturating_add(size_of::<OwnedEvent>());
        if let Some(room) = self.room.checked_sub(cost) {
            self.room = room;
            self.unread.push(event.to_owned_event());
        }
    }

    #[inline]
    fn observe_topic(&mut self, topic: Topic, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        if let Some(stacks) = &mut self.stacks {
            stacks.observe_topic(topic, event);
        }
        match topic {
            Topic::Other | Topic::StackWalk => Observed::Other,
            Topic::Process => of(&mut self.processes, |it| it.observe_topic(topic, event, decoder)),
            Topic::Thread => {
                of(&mut self.switches, |it| it.observe(event));
                of(&mut self.threads, |it| it.observe_topic(topic, event, decoder))
            }
            Topic::Image | Topic::ImageId => {
                of(&mut self.images, |it| it.observe_topic(topic, event, decoder))
            }
            Topic::FileIo => of(&mut self.files, |it| it.observe_topic(topic, event, decoder)),
            Topic::Registry => of(&mut self.registry, |it| it.observe_topic(topic, event, decoder)),
            Topic::SystemConfigEx => of(&mut self.volumes, |it| it.observe_topic(topic, event)),
            Topic::Clr | Topic::ClrRundown => of(&mut self.methods, |it| it.observe_topic(topic, event)),
            Topic::KernelProcess => {
                let process = of(&mut self.processes, |it| it.observe_topic(topic, event, decoder));
                let thread = of(&mut self.threads, |it| it.observe_topic(topic, event, decoder));
                let image = of(&mut self.images, |it| it.observe_topic(topic, event, decoder));
                // An event is about one of them.
                [process, thread, image].into_iter().find(|it| *it != Observed::Other).unwrap_or(process)
            }
        }
    }

    /// Shows those events again that could not be read when they came: a trace may carry the schemas of its events at its
    /// end. To be called once when all events were shown.
    pub fn finish(&mut self, decoder: &mut Decoder) {
        for event in core::mem::take(&mut self.unread) {
            let event = event.event();
            // Stacks have nothing that could be read later.
            let stacks = self.stacks.take();
            self.observe_topic(Topic::of(&event), &event, decoder);
            self.stacks = stacks;
        }
    }

    /// The first pass over a trace: shows all of its events, and lets the decoder learn the schemas that it carries.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] only; damage is passed over.
    pub fn read<R: Read>(&mut self, reader: &mut EtlReader<R>, decoder: &mut Decoder) -> Result<(), Error> {
        while let Some(buffer) = reader.next_buffer()? {
            for event in buffer.events().flatten() {
                decoder.learn(&event);
                self.observe(&event, decoder);
            }
        }
        self.finish(decoder);
        Ok(())
    }

    /// The thread that an event happened on: as its header says, else its payload, else the context switches of its
    /// processor.
    #[must_use]
    pub fn thread_id(&self, event: &Event<'_>) -> Option<u32> {
        if let Some(thread_id) = event.thread_id() {
            return Some(thread_id);
        }
        match Named::by(event) {
            Some(Named::Thread(thread_id)) => Some(thread_id),
            // It may have been completed on any other.
            Some(Named::Process(_)) => None,
            None => {
                event.hook_id()?;
                self.switches.as_ref()?.thread_id(event.processor_index(), event.time_stamp()?)
            }
        }
    }

    /// The process that an event happened in: as its header says, else its payload, else that of its
    /// [thread](Context::thread_id).
    #[must_use]
    pub fn process_id(&self, event: &Event<'_>) -> Option<u32> {
        if let Some(process_id) = event.process_id() {
            return Some(process_id);
        }
        if let Some(Named::Process(process_id)) = Named::by(event) {
            return Some(process_id);
        }
        let thread_id = self.thread_id(event)?;
        self.threads.as_ref()?.process_id(thread_id, event.time_stamp()?)
    }

    /// The process that an event is about, which may be another than the one that it happened in: a process is started by its
    /// creator. As its payload says, else as [`Context::process_id`].
    ///
    /// `decoded` is what the decoder made of the event.
    #[must_use]
    pub fn subject_process_id(&self, event: &Event<'_>, decoded: &Decoded<'_>) -> Option<u32> {
        let own = || {
            let subject = subject(event.provider_id(), event.opcode())?;
            let process_id = subject.process.and_then(|name| decoded.get_u32(name));
            process_id.or_else(|| {
                let thread_id = decoded.get_u32(subject.thread?)?;
                self.threads.as_ref()?.process_id(thread_id, event.time_stamp()?)
            })
        };
        let is_classic = event.flags().contains(EventFlags::CLASSIC_HEADER);
        is_classic.then(own).flatten().or_else(|| self.process_id(event))
    }

    /// What the process of an event is called: the file name of its image, such as `svchost.exe`.
    #[must_use]
    pub fn process_name(&self, event: &Event<'_>) -> Option<&str> {
        self.processes.as_ref()?.name(self.process_id(event)?, event.time_stamp()?)
    }

    /// The stack of an event; `None` if it has none.
    #[must_use]
    pub fn stack<'a>(&'a self, event: &Event<'a>) -> Option<CallStack<'a>> {
        match &self.stacks {
            Some(stacks) => stacks.stack(event),
            None => CallStack::of_items(event),
        }
    }

    /// The stack of an event with the names that are known; nothing if it has none.
    pub fn frames<'a>(&'a self, event: &Event<'a>) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let stack = self.stack(event);
        let process_id = stack.and_then(CallStack::process_id).or_else(|| self.process_id(event));
        let time = event.time_stamp().unwrap_or_default();
        self.frames_of(stack.unwrap_or_default(), process_id, time)
    }

    /// The frames of a stack that was joined in another way, with the names that are known.
    pub fn frames_of<'a>(
        &'a self,
        stack: CallStack<'a>,
        process_id: Option<u32>,
        time: Ticks,
    ) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let process = process_id.zip(self.processes.as_ref());
        let since = process.and_then(|(process_id, processes)| processes.at(process_id, time)?.start());
        let process_id = process_id.unwrap_or_default();
        self.symbolizer().frames(process_id, stack.addresses(), time, since)
    }

    /// What names single addresses.
    #[must_use]
    pub const fn symbolizer(&self) -> Symbolizer<'_> {
        Symbolizer::new(self.images.as_ref(), self.methods.as_ref())
    }
}

fn of<T>(component: &mut Option<T>, observe: impl FnOnce(&mut T) -> Observed) -> Observed {
    component.as_mut().map_or(Observed::Other, observe)
}
