//! Which events are wanted.

use core::cell::RefCell;

use anyhow::Result;
use etweir::trace::Event;
use etweir::{FileTime, Guid};

use crate::args::{FilterArgs, usage};
use crate::inputs::{Input, earliest_start};
use crate::knowledge::{Knowledge, Wants};
use crate::progress::Progress;
use crate::provider::Provider;
use crate::report::Report;
use crate::walk::Placed;

/// The filter options, ready for use.
pub(crate) struct Filter<'a> {
    args: &'a FilterArgs,
    providers: Providers<'a>,
    level: Option<u8>,
    keywords: u64,
    from: Option<FileTime>,
    to: Option<FileTime>,
    /// A limit counts from a start that no input tells: nothing passes.
    no_start: bool,
    everything: bool,
}

impl<'a> Filter<'a> {
    /// Opens the inputs if offsets count from their start, and reads them if names of providers have to be looked up. Limits
    /// of which the last comes first are wrong usage.
    pub(crate) fn new(
        args: &'a FilterArgs,
        inputs: &mut [Input],
        progress: &Progress,
        report: &mut Report,
    ) -> Result<Self> {
        let needs_look = args.provider.iter().any(Provider::is_open);
        let wants = Wants::default();
        let knowledge =
            if needs_look { Knowledge::read(inputs, wants, 0, progress) } else { Knowledge::new(wants) };
        Self::knowing(args, inputs, &knowledge, report)
    }

    /// The same with what the inputs told already. Names that nothing has are reported.
    pub(crate) fn knowing(
        args: &'a FilterArgs,
        inputs: &mut [Input],
        knowledge: &Knowledge,
        report: &mut Report,
    ) -> Result<Self> {
        let providers = Providers::new(args, inputs, knowledge, report);
        let needs_start = [args.from, args.to].into_iter().flatten().any(|moment| moment.needs_start());
        let start = if needs_start { earliest_start(inputs) } else { None };
        let FilterArgs { provider, id, opcode, level, keyword, pid, tid, cpu, from, to } = args;
        let (from_time, to_time) =
            (from.and_then(|moment| moment.ceil(start)), to.and_then(|moment| moment.floor(start)));
        // Limits may lie between two ticks of 100 ns.
        if let (Some(first), Some(last)) = (from_time, to_time)
            && first.0 > last.0.saturating_add(1)
        {
            return Err(usage(&format!("--from {first} lies after --to {last}")));
        }
        Ok(Self {
            args,
            providers,
            level: level.iter().max().copied(),
            keywords: keyword.iter().fold(0, |all, mask| all | mask),
            from: from_time,
            to: to_time,
            no_start: needs_start && start.is_none(),
            everything: provider.is_empty()
                && id.is_empty()
                && opcode.is_empty()
                && level.is_empty()
                && keyword.is_empty()
                && pid.is_empty()
                && tid.is_empty()
                && cpu.is_empty()
                && from.is_none()
                && to.is_none(),
        })
    }

    /// Whether every event passes.
    pub(crate) const fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether the time of day decides, which not every trace tells.
    pub(crate) const fn needs_time(&self) -> bool {
        self.from.is_some() || self.to.is_some() || self.no_start
    }

    /// Whether the limits of time leave no time.
    pub(crate) fn passes_nothing(&self) -> bool {
        self.no_start || self.from.zip(self.to).is_some_and(|(from, to)| to < from)
    }

    /// The limits of time, both included; none if they leave no time.
    pub(crate) fn limits(&self) -> (Option<FileTime>, Option<FileTime>) {
        if self.passes_nothing() { (None, None) } else { (self.from, self.to) }
    }

    /// Whether the event passes.
    pub(crate) fn passes(&self, placed: &Placed<'_>) -> bool {
        self.everything || (self.passes_fields(placed) && self.passes_time(placed))
    }

    fn passes_fields(&self, placed: &Placed<'_>) -> bool {
        let event = &placed.event;
        let args = self.args;
        self.providers.allow(event)
            && allows(&args.cpu, || Some(event.processor_index()))
            && allows(&args.id, || Some(event.id()))
            && allows(&args.opcode, || Some(event.opcode()))
            && allows(&args.pid, || event.process_id())
            && allows(&args.tid, || event.thread_id())
            && self.level.is_none_or(|level| event.level() <= level)
            && (args.keyword.is_empty() || event.keyword() & self.keywords != 0)
    }

    fn passes_time(&self, placed: &Placed<'_>) -> bool {
        if !self.needs_time() {
            return true;
        }
        let Some(time) = placed.event.context().to_file_time(placed.ticks) else { return false };
        !self.no_start && self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to)
    }
}

/// Which providers are wanted.
struct Providers<'a> {
    wanted: &'a [Provider],
    ids: Vec<Guid>,
    /// Names are looked up as events come along, since there are inputs that cannot be read twice.
    meanwhile: Option<RefCell<Knowledge>>,
}

impl<'a> Providers<'a> {
    fn new(args: &'a FilterArgs, inputs: &[Input], knowledge: &Knowledge, report: &mut Report) -> Self {
        let wanted = &*args.provider;
        let has_live = inputs.iter().any(Input::is_live);
        let mut ids = Vec::new();
        for provider in wanted {
            let called = knowledge.providers_called(provider);
            if called.is_empty() && provider.is_open() && !has_live {
                report.warning(&format!("--provider {provider}"), &nothing_is_called_so(knowledge));
            }
            ids.extend(called);
            ids.extend(provider.well_known());
        }
        let is_open = wanted.iter().any(Provider::is_open);
        let meanwhile = (has_live && is_open).then(|| RefCell::new(knowledge.clone()));
        Self { wanted, ids, meanwhile }
    }

    fn allow(&self, event: &Event<'_>) -> bool {
        let Some(knowledge) = &self.meanwhile else {
            return allows(&self.ids, || Some(event.provider_id()));
        };
        // It may tell of others, whether it is wanted or not.
        let mut knowledge = knowledge.borrow_mut();
        let name = knowledge.decode(event).provider_name();
        self.ids.contains(&event.provider_id())
            || name.is_some_and(|name| self.wanted.iter().any(|wanted| wanted.is_called(&name)))
    }
}

fn nothing_is_called_so(knowledge: &Knowledge) -> String {
    const MOST: usize = 10;
    let names = knowledge.provider_names();
    let mut text = "no event is of a provider with this name".to_owned();
    let mut separator = "; the providers that have a name are ";
    for name in names.iter().take(MOST) {
        text.extend([separator, name]);
        separator = ", ";
    }
    if let Some(more) = names.len().checked_sub(MOST).filter(|more| *more > 0) {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

/// Whether an option that may be repeated allows a value. A record without the value is one that nobody asked for.
fn allows<T: PartialEq>(allowed: &[T], value: impl FnOnce() -> Option<T>) -> bool {
    allowed.is_empty() || value().is_some_and(|value| allowed.contains(&value))
}
