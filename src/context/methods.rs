//! Methods of the CLR over time: what code that the JIT compiled is called.

use alloc::sync::Arc;
use core::fmt;

use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::context::processes::file_name;
use crate::context::ranges::{Hit, Ranges, Sized64};
use crate::context::texts::Texts;
use crate::context::timeline::{Mark, Span, Timeline};
use crate::context::topic::Topic;
use crate::guid::Guid;
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::Event;

/// Methods of the CLR by address at a time, of every process.
///
/// Learns from the CLR's provider (MethodLoadVerbose, MethodUnloadVerbose, ModuleLoad, ModuleUnload, DomainModuleLoad) and
/// from its rundown provider (the same as DCStart and DCEnd). Events may come in any order: what the rundown at the end of a
/// trace tells was there from the start, unless a load says otherwise.
///
/// Memory: at most [`Limits::context_entries`] observations of about 250 bytes, as many modules, and
/// [`Limits::context_text_bytes`] of text. Past that, methods that were unloaded long ago are forgotten.
///
/// Source: payload reference, "Stacks and symbols"; the events' fields from the manifest of the CLR, to which later versions
/// only append.
#[derive(Clone, Debug)]
pub struct ClrMethods {
    methods: Ranges<MethodFacts>,
    /// By process and module id.
    modules: Timeline<(u32, u64), ModuleFacts>,
    texts: Texts,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct MethodFacts {
    method_id: u64,
    module_id: u64,
    size: u32,
    token: u32,
    flags: u32,
    namespace: Option<Arc<str>>,
    name: Option<Arc<str>>,
    signature: Option<Arc<str>>,
}

impl Sized64 for MethodFacts {
    fn size(&self) -> u64 {
        self.size.into()
    }
}

#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct ModuleFacts {
    assembly_id: u64,
    il_path: Option<Arc<str>>,
    native_path: Option<Arc<str>>,
    pdb: Option<(Guid, u32, Option<Arc<str>>)>,
}

impl Default for ClrMethods {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl ClrMethods {
    /// Knows no method yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            methods: Ranges::new(limits.context_entries),
            modules: Timeline::new(limits.context_entries),
            texts: Texts::new(limits.context_text_bytes),
        }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>) -> Observed {
        self.observe_topic(Topic::of(event), event)
    }

    #[inline]
    pub(super) fn observe_topic(&mut self, topic: Topic, event: &Event<'_>) -> Observed {
        let told = match topic {
            Topic::Clr => told_by_runtime(event.id()),
            Topic::ClrRundown => told_by_rundown(event.id()),
            _ => return Observed::Other,
        };
        match told {
            Some((Told::Method, mark)) => self.observe_method(event, mark),
            Some((told, mark)) => self.observe_module(event, mark, told == Told::ModuleOfDomain),
            None => Observed::Other,
        }
    }

    fn observe_method(&mut self, event: &Event<'_>, mark: Mark) -> Observed {
        let read = self.read_method(event).zip(event.process_id()).zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some((((start, facts), process), time)) = read {
            self.methods.insert((process, start), time, mark, facts);
        }
        observed
    }

    /// `MethodLoadUnloadVerbose`
    fn read_method(&mut self, event: &Event<'_>) -> Option<(u64, MethodFacts)> {
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let (method_id, module_id, start) = (payload.u64()?, payload.u64()?, payload.u64()?);
        let (size, token, flags) = (payload.u32()?, payload.u32()?, payload.u32()?);
        let mut text = || payload.utf16().and_then(|text| self.texts.keep_utf16(text));
        let (namespace, name, signature) = (text(), text(), text());
        Some((start, MethodFacts { method_id, module_id, size, token, flags, namespace, name, signature }))
    }

    fn observe_module(&mut self, event: &Event<'_>, mark: Mark, of_domain: bool) -> Observed {
        let read = self.read_module(event, of_domain).zip(event.process_id()).zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some((((id, facts), process), time)) = read {
            let key = (process, id);
            // A module is loaded into a domain after it was loaded, of which the event tells less.
            if !of_domain || self.modules.at(key, time).is_none_or(|at| at.ended) {
                self.modules.insert(key, time, mark, facts);
            }
        }
        observed
    }

    /// `ModuleLoadUnload`, or `DomainModuleLoadUnload`, which has the domain as well and no symbols.
    fn read_module(&mut self, event: &Event<'_>, of_domain: bool) -> Option<(u64, ModuleFacts)> {
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let (id, assembly_id) = (payload.u64()?, payload.u64()?);
        if of_domain {
            let _app_domain_id = payload.u64()?;
        }
        let _flags_and_reserved = payload.u64()?;
        let mut facts = ModuleFacts { assembly_id, ..ModuleFacts::default() };
        facts.il_path = payload.utf16().and_then(|path| self.texts.keep_utf16(path));
        facts.native_path = payload.utf16().and_then(|path| self.texts.keep_utf16(path));
        if !of_domain && event.version() >= 2 {
            let _clr_instance_id = payload.u16();
            let pdb = payload.guid().zip(payload.u32()).filter(|(guid, _)| !guid.is_zero());
            facts.pdb = pdb
                .map(|(guid, age)| (guid, age, payload.utf16().and_then(|path| self.texts.keep_utf16(path))));
        }
        Some((id, facts))
    }

    /// The method whose code lay at an address of a process at this time.
    ///
    /// `since` is when the process started, if that is known: methods of an earlier process with the same id do not count.
    #[must_use]
    pub fn at(&self, process_id: u32, address: u64, time: Ticks, since: Option<Ticks>) -> Option<Method<'_>> {
        let hit = self.methods.find(process_id, address, time, since)?;
        Some(self.method(process_id, hit))
    }

    /// All methods, by process and address and then by time.
    pub fn iter(&self) -> impl Iterator<Item = Method<'_>> {
        let timeline = self.methods.timeline();
        timeline.things().filter_map(|((process_id, base), observed)| {
            let value = timeline.at((process_id, base), observed)?.value;
            Some(self.method(process_id, Hit { value, base, observed }))
        })
    }

    const fn method<'a>(&'a self, process_id: u32, hit: Hit<'a, MethodFacts>) -> Method<'a> {
        let Hit { value: facts, base: start_address, observed } = hit;
        Method { methods: self, process_id, start_address, observed, facts }
    }

    /// How many observations and texts were given up because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let observations = self.methods.timeline().dropped().saturating_add(self.modules.dropped());
        observations.saturating_add(self.texts.dropped())
    }
}

/// A method with its code. `Copy`, borrowed from [`ClrMethods`]; what is not asked for costs nothing.
///
/// Prints as `System.String.Concat`: namespace with type, and name.
#[derive(Clone, Copy)]
pub struct Method<'a> {
    methods: &'a ClrMethods,
    process_id: u32,
    start_address: u64,
    observed: Ticks,
    facts: &'a MethodFacts,
}

impl<'a> Method<'a> {
    fn module(self) -> Option<&'a ModuleFacts> {
        let key = (self.process_id, self.facts.module_id);
        self.methods.modules.at(key, self.observed).map(|at| at.value)
    }

    fn span(self) -> Span {
        self.methods.methods.timeline().span((self.process_id, self.start_address), self.observed)
    }

    /// The process that it was compiled in.
    #[must_use]
    pub const fn process_id(self) -> u32 {
        self.process_id
    }

    /// `MethodStartAddress`
    #[must_use]
    pub const fn start_address(self) -> u64 {
        self.start_address
    }

    /// `MethodSize`: bytes of code.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.facts.size
    }

    /// `MethodNamespace`: the full name of the type.
    #[must_use]
    pub fn namespace(self) -> Option<&'a str> {
        self.facts.namespace.as_deref()
    }

    /// `MethodName`
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.facts.name.as_deref()
    }

    /// `MethodSignature`: return type and types of the parameters, such as `void  (class System.String[])`.
    #[must_use]
    pub fn signature(self) -> Option<&'a str> {
        self.facts.signature.as_deref()
    }

    /// `MethodID`: unique within its process.
    #[must_use]
    pub const fn method_id(self) -> u64 {
        self.facts.method_id
    }

    /// `ModuleID`: unique within its process; 0 for a dynamic method.
    #[must_use]
    pub const fn module_id(self) -> u64 {
        self.facts.module_id
    }

    /// `MethodToken`: 0 for a dynamic method.
    #[must_use]
    pub const fn token(self) -> u32 {
        self.facts.token
    }

    /// `MethodFlags`: 1 dynamic, 2 generic, 4 with shared code, 8 compiled by the JIT.
    #[must_use]
    pub const fn flags(self) -> u32 {
        self.facts.flags
    }

    /// `ModuleILPath` of its module, if an event told of that.
    #[must_use]
    pub fn module_il_path(self) -> Option<&'a str> {
        self.module()?.il_path.as_deref()
    }

    /// `ModuleNativePath` of its module, if that is precompiled (NGEN).
    #[must_use]
    pub fn module_native_path(self) -> Option<&'a str> {
        self.module()?.native_path.as_deref()
    }

    /// The file name of its module, such as `mscorlib.dll`.
    #[must_use]
    pub fn module_name(self) -> Option<&'a str> {
        self.module_il_path().map(file_name)
    }

    /// `AssemblyID` of its module.
    #[must_use]
    pub fn assembly_id(self) -> Option<u64> {
        self.module().map(|module| module.assembly_id)
    }

    /// GUID, age and path of the symbols of its module's IL.
    #[must_use]
    pub fn module_pdb(self) -> Option<(Guid, u32, Option<&'a str>)> {
        let (guid, age, path) = self.module()?.pdb.as_ref()?;
        Some((*guid, *age, path.as_deref()))
    }

    /// When it was loaded; `None` if it was there before the trace, or the event is lost.
    #[must_use]
    pub fn load(self) -> Option<Ticks> {
        self.span().begin
    }

    /// When it was unloaded; `None` if it was there after the trace, or the event is lost.
    #[must_use]
    pub fn unload(self) -> Option<Ticks> {
        self.span().end
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(namespace) = self.namespace() {
            write!(f, "{namespace}.")?;
        }
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:08x}", self.token()),
        }
    }
}

impl fmt::Debug for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method")
            .field("process_id", &self.process_id)
            .field("start_address", &self.start_address)
            .field("size", &self.size())
            .field("name", &format_args!("{self}"))
            .finish_non_exhaustive()
    }
}

/// What an event tells about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Told {
    Method,
    Module,
    ModuleOfDomain,
}

/// Source: the manifest of the CLR.
const fn told_by_runtime(id: u16) -> Option<(Told, Mark)> {
    Some(match id {
        // The rundown of CLR 2.
        139 | 140 => (Told::Method, Mark::Alive),
        149 | 150 => (Told::Module, Mark::Alive),
        143 => (Told::Method, Mark::Begin),
        144 => (Told::Method, Mark::End),
        151 => (Told::ModuleOfDomain, Mark::Alive),
        152 => (Told::Module, Mark::Begin),
        153 => (Told::Module, Mark::End),
        _ => return None,
    })
}

const fn told_by_rundown(id: u16) -> Option<(Told, Mark)> {
    Some(match id {
        143 | 144 => (Told::Method, Mark::Alive),
        151 | 152 => (Told::ModuleOfDomain, Mark::Alive),
        153 | 154 => (Told::Module, Mark::Alive),
        _ => return None,
    })
}
