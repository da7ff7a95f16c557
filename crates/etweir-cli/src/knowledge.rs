//! What the events of all inputs tell of each other: what describes them may lie behind them, or in another file; who logged
//! them, and where, other events of their file say.

use core::ops::ControlFlow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use etweir::context::{CallStack, Context, ContextSwitches, Frame, Processes, Threads};
use etweir::decode::{Decoded, Decoder, mof};
use etweir::trace::Event;
use etweir::{Guid, Limits};

use crate::inputs::{self, Input};
use crate::known_providers::KnownProviders;
use crate::pass::{Pass, Way};
use crate::progress::Progress;
use crate::provider::Provider;
use crate::walk::Placed;

/// Descriptions of events, and names.
#[derive(Clone)]
pub(crate) struct Knowledge {
    decoder: Decoder,
    wants: Wants,
    /// Those that have events.
    providers: HashSet<Guid>,
    /// That of the event before, which most events have too.
    last_provider: Option<Guid>,
    files: Vec<FileKnowledge>,
    places: HashMap<Box<str>, usize>,
    /// The place of the file that was asked for last.
    last_file: usize,
}

/// What is to be known of single events besides what describes them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wants {
    /// The names of processes.
    pub(crate) processes: bool,
    /// Call stacks, joined to their events and with names.
    pub(crate) stacks: bool,
}

/// Ids and addresses mean something in one file only.
#[derive(Clone)]
struct FileKnowledge {
    name: Box<str>,
    context: Context,
    /// All of its events were seen before any is asked about.
    is_read: bool,
}

/// Files are hostile: each record may have a provider of its own.
const MOST_PROVIDERS: usize = 100_000;

impl Knowledge {
    /// What is known without a look at any trace.
    pub(crate) fn new(wants: Wants) -> Self {
        let mut decoder = Decoder::new();
        decoder.push_source(Arc::new(KnownProviders));
        Self {
            decoder,
            wants,
            providers: HashSet::new(),
            last_provider: None,
            files: Vec::new(),
            places: HashMap::new(),
            last_file: 0,
        }
    }

    /// The first of two passes: all events of all inputs that can be read twice. What goes wrong is met again in the second.
    pub(crate) fn read(inputs: &mut [Input], wants: Wants, threads: usize, progress: &Progress) -> Self {
        let mut knowledge = Self::new(wants);
        let way = Way { threads, ..Way::default() };
        progress.read(inputs::stored(inputs));
        inputs::beforehand(inputs, |inputs| {
            for input in inputs.iter_mut().filter(|input| !input.is_live() && !input.has_failed()) {
                knowledge.preview(input, way, progress);
            }
        });
        for file in &mut knowledge.files {
            file.context.finish(&mut knowledge.decoder);
            file.is_read = true;
        }
        knowledge
    }

    /// Learns from all events of an input, as its buffers lie. What cannot be read is passed over.
    fn preview(&mut self, input: &mut Input, way: Way, progress: &Progress) {
        let Ok(mut pass) = Pass::open(input, way, progress) else { return };
        let mut each = |placed: Placed<'_>| {
            self.learn(&input.name, &placed.event);
            ControlFlow::Continue(())
        };
        // Each turn takes a buffer.
        while let Ok(Some(_)) = pass.next_buffer(&mut each) {}
    }

    /// Takes in what an event tells of others.
    fn learn(&mut self, file: &str, event: &Event<'_>) {
        self.decoder.learn(event);
        let provider = event.provider_id();
        if self.last_provider != Some(provider) && self.providers.len() < MOST_PROVIDERS {
            self.last_provider = Some(provider);
            self.providers.insert(provider);
        }
        if self.wants.processes {
            let place = self.place(file);
            if let Some(file) = self.files.get_mut(place) {
                file.context.observe(event, &mut self.decoder);
            }
        }
    }

    /// Finds the description of an event, and learns from it, if it tells of others.
    pub(crate) fn decode<'a>(&'a mut self, event: &Event<'a>) -> Decoded<'a> {
        self.decoder.decode(event)
    }

    /// All that is known of an event of the input with this name.
    pub(crate) fn look<'a>(&'a mut self, file: &str, event: &Event<'a>) -> Known<'a> {
        let context = if self.wants.processes { self.context(file, event) } else { None };
        let stacks = self.wants.stacks;
        // The borrow of one field each.
        let context = context.and_then(|place| self.files.get(place)).map(|file| &file.context);
        Known { decoded: self.decoder.decode(event), context, stacks }
    }

    /// Where the context of an event is; what cannot be read twice is learned from now.
    fn context(&mut self, file: &str, event: &Event<'_>) -> Option<usize> {
        let place = self.place(file);
        let file = self.files.get_mut(place)?;
        if !file.is_read {
            file.context.observe(event, &mut self.decoder);
        }
        Some(place)
    }

    /// Where what is known of an input is kept.
    fn place(&mut self, name: &str) -> usize {
        if self.files.get(self.last_file).is_none_or(|file| &*file.name != name) {
            self.last_file = match self.places.get(name) {
                Some(place) => *place,
                None => {
                    let context = self.wants.context();
                    self.places.insert(name.into(), self.files.len());
                    self.files.push(FileKnowledge { name: name.into(), context, is_read: false });
                    self.files.len().saturating_sub(1)
                }
            };
        }
        self.last_file
    }

    /// Whether the name of any process is known.
    pub(crate) fn has_processes(&self) -> bool {
        let mut all = self.files.iter().filter_map(|file| file.context.processes.as_ref());
        all.any(|processes| processes.iter().any(|process| process.name().is_some()))
    }

    /// Those providers with events that are called so.
    pub(crate) fn providers_called(&self, wanted: &Provider) -> Vec<Guid> {
        let is_meant = |id: &&Guid| self.name_of(**id).is_some_and(|name| wanted.is_called(&name));
        let well_known = wanted.well_known();
        let called = self.providers.iter().filter(is_meant).copied();
        called.chain(well_known.into_iter().filter(|id| self.providers.contains(id))).collect()
    }

    /// What the providers with events are called.
    pub(crate) fn provider_names(&self) -> BTreeSet<String> {
        self.providers.iter().filter_map(|id| self.name_of(*id)).collect()
    }

    fn name_of(&self, provider: Guid) -> Option<String> {
        let learned = || self.decoder.provider_name(provider).map(str::to_owned);
        let sources = || self.decoder.sources().iter();
        let described = || sources().find_map(|source| source.provider_name(provider)).map(String::from);
        let class = || mof::category(provider).map(str::to_owned);
        learned().or_else(described).or_else(class)
    }
}

impl Wants {
    fn context(self) -> Context {
        let limits = Limits::default();
        if self.stacks {
            return Context::with_limits(&limits);
        }
        let mut context = Context::nothing(&limits);
        if self.processes {
            context.processes = Some(Processes::new(&limits));
            context.threads = Some(Threads::new(&limits));
            context.switches = Some(ContextSwitches::new(&limits));
        }
        context
    }
}

/// What is known of one event.
pub(crate) struct Known<'a> {
    pub(crate) decoded: Decoded<'a>,
    context: Option<&'a Context>,
    stacks: bool,
}

impl<'a> Known<'a> {
    /// The process that it happened in, although its record may not say so.
    pub(crate) fn process_id(&self, event: &Event<'_>) -> Option<u32> {
        self.context.and_then(|context| context.process_id(event)).or_else(|| event.process_id())
    }

    /// The thread that it happened on, although its record may not say so.
    pub(crate) fn thread_id(&self, event: &Event<'_>) -> Option<u32> {
        self.context.and_then(|context| context.thread_id(event)).or_else(|| event.thread_id())
    }

    /// What that process is called.
    pub(crate) fn process_name(&self, event: &Event<'_>) -> Option<&'a str> {
        self.context?.process_name(event)
    }

    /// The joined stack, if stacks are wanted.
    pub(crate) fn stack(&self, event: &Event<'a>) -> Option<CallStack<'a>> {
        self.context.filter(|_| self.stacks)?.stack(event)
    }

    /// Its frames, if stacks are wanted.
    pub(crate) fn frames(&self, event: &Event<'a>) -> impl Iterator<Item = Frame<'a>> + use<'a> {
        let context = self.context.filter(|_| self.stacks);
        let event = *event;
        context.into_iter().flat_map(move |context| context.frames(&event))
    }
}
