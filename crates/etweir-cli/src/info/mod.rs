//! `etweir info`: what a trace says of itself, and what is in it.

mod facts;
mod text;

use anyhow::Result;

use crate::args::InfoArgs;
use crate::filter::Filter;
use crate::inputs;
use crate::output::Output;
use crate::report::Report;
use crate::walk::damage_report;

use self::facts::Facts;

pub(crate) fn run(args: &InfoArgs, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.files, report)?;
    let filter = Filter::new(&args.filter, &mut inputs);
    let mut output = Output::standard();
    let mut all = Vec::new();
    for (index, input) in inputs.iter_mut().enumerate() {
        let mut reader = match input.open() {
            Ok(reader) => reader,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        let mut damage = damage_report();
        let (facts, end) = Facts::gather(&input.name, &mut reader, &filter, &mut damage);
        if let Err(error) = end {
            report.error(Some(&input.name), &error);
        }
        report.trace(&input.name, &reader, &damage);
        if args.json {
            all.push(facts);
        } else {
            let color = output.color();
            if index > 0 {
                output.line().push(b'\n');
            }
            text::append(output.line(), &facts, color, args.raw_time)?;
            output.finish()?;
        }
    }
    if args.json {
        serde_json::to_writer_pretty(output.line(), &all)?;
        output.line().push(b'\n');
    }
    output.finish()
}
