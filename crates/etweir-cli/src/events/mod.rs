//! Where events come from: every event of the inputs that passes the filter, in the order that was asked for.
//!
//! Files are read as they lie, or sorted by time in memory; a single live input comes through a stream session, so that
//! its events are there while it still flows.

mod file_order;
mod live;
mod sorted;

use core::time::Duration;

use anyhow::Result;
use etweir::trace::Event;

use crate::args::Order;
use crate::filter::Filter;
use crate::inputs::{self, Input};
use crate::progress::Progress;
use crate::report::Report;

/// Who wants events.
pub(crate) trait Sink {
    /// The next event, of the input with this name.
    fn event(&mut self, file: &str, event: &Event<'_>) -> Result<()>;

    /// Whether it has enough.
    fn is_done(&self) -> bool;

    /// Nothing follows for now: what was taken should be seen.
    fn flush(&mut self) -> Result<()>;
}

/// Which events are wanted, and what getting them may take.
pub(crate) struct Plan<'a> {
    pub(crate) order: Order,
    pub(crate) filter: &'a Filter<'a>,
    /// Bytes that may be held for order.
    pub(crate) memory_limit: u64,
    /// How long a live input's events are held, in its own time; `None` as the library finds right.
    pub(crate) window: Option<Duration>,
    pub(crate) progress: &'a Progress,
}

/// Gives `sink` the events of all inputs. A file that fails is reported, and the others are read.
pub(crate) fn deliver(
    inputs: &mut [Input],
    plan: &Plan<'_>,
    sink: &mut impl Sink,
    report: &mut Report,
) -> Result<()> {
    plan.progress.read(inputs::stored(inputs));
    match (plan.order, &mut *inputs) {
        (Order::File, inputs) => file_order::deliver(inputs, plan, sink, report),
        // What is merged with other files has to be whole first.
        (Order::Time, [only]) if only.is_live() => live::deliver(only, plan, sink, report),
        (Order::Time, inputs) => sorted::deliver(inputs, plan, sink, report),
    }
}

/// Says why nothing of an input passes limits of time.
fn warn_without_clock(name: &str, clock_is_known: bool, filter: &Filter<'_>, report: &mut Report) {
    if filter.needs_time() && !clock_is_known {
        report.warning(name, "nothing tells the time of day here, so no event passes --from and --to");
    }
}
