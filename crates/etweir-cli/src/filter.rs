//! Which events are wanted.

use anyhow::Result;
use etweir::{FileTime, Guid};

use crate::args::{FilterArgs, usage};
use crate::inputs::{Input, earliest_start};
use crate::walk::Placed;

/// The filter options, ready for use.
#[derive(Debug)]
pub(crate) struct Filter<'a> {
    args: &'a FilterArgs,
    providers: Vec<Guid>,
    level: Option<u8>,
    keywords: u64,
    from: Option<FileTime>,
    to: Option<FileTime>,
    /// A limit counts from a start that no input tells: nothing passes.
    no_start: bool,
    everything: bool,
}

impl<'a> Filter<'a> {
    /// Opens the inputs if offsets count from their start. Limits of which the last comes first are wrong usage.
    pub(crate) fn new(args: &'a FilterArgs, inputs: &mut [Input]) -> Result<Self> {
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
            providers: provider.iter().map(|provider| provider.0).collect(),
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

    /// Whether the event passes.
    pub(crate) fn passes(&self, placed: &Placed<'_>) -> bool {
        self.everything || (self.passes_fields(placed) && self.passes_time(placed))
    }

    fn passes_fields(&self, placed: &Placed<'_>) -> bool {
        let event = &placed.event;
        let args = self.args;
        allows(&args.cpu, || Some(event.processor_index()))
            && allows(&self.providers, || Some(event.provider_id()))
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

/// Whether an option that may be repeated allows a value. A record without the value is one that nobody asked for.
fn allows<T: PartialEq>(allowed: &[T], value: impl FnOnce() -> Option<T>) -> bool {
    allowed.is_empty() || value().is_some_and(|value| allowed.contains(&value))
}
