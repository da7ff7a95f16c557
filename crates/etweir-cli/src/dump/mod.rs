//! `etweir dump`: the events themselves.

mod heads;
mod json;
mod message;
mod text;
mod why;

use anyhow::Result;
use etweir::trace::Event;

use crate::args::{DumpArgs, Format, Order};
use crate::events::{self, Plan, Sink};
use crate::filter::Filter;
use crate::inputs;
use crate::knowledge::{Knowledge, Wants};
use crate::output::Output;
use crate::progress::Progress;
use crate::report::Report;

use self::json::JsonLines;
use self::text::{Look, TextLines};

pub(crate) fn run(args: &DumpArgs, progress: &Progress, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files, report)?;
    let wants = Wants { processes: true, stacks: args.stacks };
    if args.read.order == Order::Time {
        inputs::copy(&mut inputs, progress);
    }
    let threads = args.read.threads();
    let knowledge = (!args.read.no_decode).then(|| Knowledge::read(&mut inputs, wants, threads, progress));
    let filter = match &knowledge {
        Some(knowledge) => Filter::knowing(&args.filter, &mut inputs, knowledge, report)?,
        None => Filter::new(&args.filter, &mut inputs, progress, report)?,
    };
    let mut printer = Printer::new(args, inputs.len() > 1, knowledge);
    let plan = Plan {
        order: args.read.order,
        filter: &filter,
        memory_limit: args.memory_limit,
        threads,
        window: args.reorder_window,
        progress,
    };
    events::deliver(&mut inputs, &plan, &mut printer, report)?;
    printer.output.finish()
}

/// Events on their way out, counted.
struct Printer {
    output: Output,
    lines: Lines,
    /// `None` if payloads are to be left alone.
    knowledge: Option<Knowledge>,
    left: Option<u64>,
    with_file: bool,
}

enum Lines {
    Text(Box<TextLines>),
    Json(Box<JsonLines>),
}

impl Printer {
    fn new(args: &DumpArgs, with_file: bool, knowledge: Option<Knowledge>) -> Self {
        let output = Output::standard();
        let look = Look {
            color: output.color(),
            raw_time: args.read.raw_time,
            width: output.width(),
            has_processes: knowledge.as_ref().is_some_and(Knowledge::has_processes),
            payload: args.payload,
        };
        let lines = match args.format {
            Format::Text => Lines::Text(Box::new(TextLines::new(&look))),
            Format::Jsonl => Lines::Json(Box::new(JsonLines::new(args.payload))),
        };
        Self { output, lines, knowledge, left: args.read.count, with_file }
    }
}

impl Sink for Printer {
    /// Whether as many events as were asked for are printed.
    fn is_done(&self) -> bool {
        self.left == Some(0)
    }

    fn event(&mut self, file: &str, event: &Event<'_>) -> Result<()> {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
        let known = self.knowledge.as_mut().map(|knowledge| knowledge.look(file, event));
        let file = self.with_file.then_some(file);
        let line = self.output.line();
        match &mut self.lines {
            Lines::Text(lines) => lines.append(line, file, event, known.as_ref())?,
            Lines::Json(lines) => lines.append(line, file, event, known.as_ref())?,
        }
        self.output.end_line()
    }

    fn flush(&mut self) -> Result<()> {
        self.output.finish()
    }

    fn pause(&mut self) -> Result<()> {
        self.output.show_what_waits()
    }
}
