//! `etweir dump`: the events themselves.

mod json;
mod text;

use anyhow::Result;
use etweir::trace::Event;

use crate::args::{DumpArgs, Format};
use crate::events::{self, Plan, Sink};
use crate::filter::Filter;
use crate::inputs;
use crate::output::Output;
use crate::progress::Progress;
use crate::report::Report;

use self::json::JsonLines;
use self::text::TextLines;

pub(crate) fn run(args: &DumpArgs, progress: &Progress, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files, report)?;
    let filter = Filter::new(&args.filter, &mut inputs)?;
    let mut printer = Printer::new(args, inputs.len() > 1);
    let plan = Plan {
        order: args.read.order,
        filter: &filter,
        memory_limit: args.memory_limit,
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
    left: Option<u64>,
    with_file: bool,
}

enum Lines {
    Text(TextLines),
    Json(JsonLines),
}

impl Printer {
    fn new(args: &DumpArgs, with_file: bool) -> Self {
        let output = Output::standard();
        let width = if args.payload { None } else { output.width() };
        let lines = match args.format {
            Format::Text => Lines::Text(TextLines::new(output.color(), args.read.raw_time, width)),
            Format::Jsonl => Lines::Json(JsonLines::new()),
        };
        Self { output, lines, left: args.read.count, with_file }
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
        let file = self.with_file.then_some(file);
        let line = self.output.line();
        match &mut self.lines {
            Lines::Text(lines) => lines.append(line, file, event)?,
            Lines::Json(lines) => lines.append(line, file, event)?,
        }
        self.output.end_line()
    }

    fn flush(&mut self) -> Result<()> {
        self.output.finish()
    }
}
