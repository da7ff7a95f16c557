//! Where events come from: every event of the inputs that passes the filter, in the order that was asked for.
//!
//! Files are read as they lie, or merged by time; a single live input comes through a stream session, so that its events are
//! there while it still flows.

mod file_order;
mod files;
mod live;

use core::time::Duration;

use anyhow::Result;
use etweir::buffer::Layout;
use etweir::trace::{Clock, Event, LogFileHeader};
use etweir::{FileTime, Ticks};
use jiff::SignedDuration;

use crate::args::Order;
use crate::filter::Filter;
use crate::inputs::Input;
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

    /// A buffer is over, and something may follow soon: what was taken long ago should be seen.
    fn pause(&mut self) -> Result<()>;
}

/// Which events are wanted, and what getting them may take.
pub(crate) struct Plan<'a> {
    pub(crate) order: Order,
    pub(crate) filter: &'a Filter<'a>,
    /// Bytes that may be held of each input for order.
    pub(crate) memory_limit: u64,
    /// Threads that read and expand what comes next of a file.
    pub(crate) threads: usize,
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
    match (plan.order, inputs) {
        (Order::File, inputs) => file_order::deliver(inputs, plan, sink, report),
        // What is merged with other files has to be whole first; and buffers from before Windows 6.0 do not tell what a
        // stream has to know of them.
        (Order::Time, [only]) if only.is_live() && is_modern(only) => live::deliver(only, plan, sink, report),
        (Order::Time, inputs) => files::deliver(inputs, plan, sink, report),
    }
}

fn is_modern(input: &Input) -> bool {
    input.look().is_none_or(|(_, session)| session.layout() == Layout::Modern)
}

/// Says why nothing of an input passes limits of time.
fn warn_without_clock(name: &str, clock_is_known: bool, filter: &Filter<'_>, report: &mut Report) {
    if filter.needs_time() && !clock_is_known {
        report.warning(name, "nothing tells the time of day here, so no event passes --from and --to");
    }
}

/// How long so many ticks are, if a clock tells.
fn delay(clock: Clock, header: Option<&LogFileHeader>, ticks: i64) -> Option<SignedDuration> {
    let anchor = header?.time_stamp;
    let FileTime(from) = clock.to_file_time(anchor)?;
    let FileTime(to) = clock.to_file_time(Ticks(anchor.0.saturating_add(ticks)))?;
    Some(SignedDuration::from_nanos_i128(i128::from(to.saturating_sub(from)).saturating_mul(100)))
}
