//! `etweir dump`: the events themselves.

mod json;
mod order;
mod text;

use anyhow::Result;
use etweir::trace::Event;

use crate::args::{DumpArgs, Format, Order};
use crate::filter::Filter;
use crate::inputs::{self, Input};
use crate::output::Output;
use crate::report::Report;
use crate::walk::Course;

use self::json::JsonLines;
use self::order::{Sorted, Sorter};
use self::text::TextLines;

pub(crate) fn run(args: &DumpArgs, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files)?;
    let filter = Filter::new(&args.filter, &mut inputs);
    let mut printer = Printer::new(args, inputs.len() > 1);
    match args.read.order {
        Order::File => in_file_order(&mut inputs, &filter, &mut printer, report)?,
        Order::Time => {
            in_time_order(&mut inputs, &filter, &mut printer, report, args.memory_limit)?;
        }
    }
    printer.output.finish()
}

/// Prints as it reads.
fn in_file_order(
    inputs: &mut [Input],
    filter: &Filter<'_>,
    printer: &mut Printer,
    report: &mut Report,
) -> Result<()> {
    for input in inputs {
        let mut reader = match input.open() {
            Ok(reader) => reader,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        let mut course = Course::new(&reader);
        while !printer.is_done() {
            match reader.next_buffer() {
                Ok(Some(buffer)) => {
                    for placed in course.walk(&buffer) {
                        if filter.passes(&placed) && !printer.is_done() {
                            printer.print(&input.name, &placed.event)?;
                        }
                    }
                    if input.is_live() {
                        printer.output.finish()?;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    report.error(Some(&input.name), &error);
                    break;
                }
            }
        }
        report.trace(&input.name, &reader, &course);
        warn_without_clock(input, &reader, filter, report);
        if printer.is_done() {
            break;
        }
    }
    Ok(())
}

/// Reads everything, sorts, prints.
fn in_time_order(
    inputs: &mut [Input],
    filter: &Filter<'_>,
    printer: &mut Printer,
    report: &mut Report,
    limit: u64,
) -> Result<()> {
    let mut sorter = Sorter::new(limit);
    for (index, input) in inputs.iter_mut().enumerate() {
        let mut reader = match input.open() {
            Ok(reader) => reader,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        sorter.begin_file(index, &reader);
        let mut course = Course::new(&reader);
        loop {
            match reader.next_buffer() {
                Ok(Some(buffer)) => {
                    let events = course.walk(&buffer).filter(|placed| filter.passes(placed));
                    sorter.add(buffer.trace_buffer(), events);
                }
                Ok(None) => break,
                Err(error) => {
                    report.error(Some(&input.name), &error);
                    break;
                }
            }
        }
        report.trace(&input.name, &reader, &course);
        warn_without_clock(input, &reader, filter, report);
    }
    let sorted = match sorter.sort() {
        Ok(sorted) => sorted,
        Err(refusal) => {
            report.drop_warnings();
            report.error(None, &refusal);
            return Ok(());
        }
    };
    print_sorted(&sorted, inputs, printer)
}

fn print_sorted(sorted: &Sorted, inputs: &[Input], printer: &mut Printer) -> Result<()> {
    let buffers = sorted.buffers();
    for (file, event) in sorted.events(&buffers) {
        if printer.is_done() {
            break;
        }
        let name = inputs.get(file).map_or("", |input| &input.name);
        printer.print(name, &event)?;
    }
    Ok(())
}

fn warn_without_clock(input: &Input, reader: &inputs::Reader, filter: &Filter<'_>, report: &mut Report) {
    if filter.needs_time() && !reader.session().clock().is_known() {
        report.warning(&input.name, "nothing tells the time of day here, so no event passes --from and --to");
    }
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

    /// Whether as many events as were asked for are printed.
    const fn is_done(&self) -> bool {
        matches!(self.left, Some(0))
    }

    fn print(&mut self, file: &str, event: &Event<'_>) -> Result<()> {
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
}
