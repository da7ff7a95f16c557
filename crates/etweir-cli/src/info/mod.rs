//! `etweir info`: what a trace says of itself, and what is in it.

mod facts;
mod text;

use anyhow::Result;
use serde::Serialize;

use crate::args::FilesArgs;
use crate::filter::Filter;
use crate::inputs::{self, Reader};
use crate::output::Output;
use crate::report::{FailedFile, Report, chain};
use crate::walk::Course;

use self::facts::Facts;

pub(crate) fn run(args: &FilesArgs, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files)?;
    let filter = Filter::new(&args.filter, &mut inputs);
    let mut output = Output::standard();
    let mut all = Vec::new();
    let mut is_first = true;
    for input in &mut inputs {
        let facts = match input.open() {
            Ok(mut reader) => gather(&input.name, &mut reader, &filter, report),
            Err(error) => {
                report.error(Some(&input.name), &*error);
                if args.json {
                    all.push(Entry::Failed(FailedFile::new(&input.name, &*error)));
                }
                continue;
            }
        };
        if args.json {
            all.push(Entry::Read(Box::new(facts)));
        } else {
            let color = output.color();
            if !is_first {
                output.line().push(b'\n');
            }
            is_first = false;
            text::append(output.line(), &facts, color, args.read.raw_time)?;
            output.finish()?;
        }
    }
    if args.json {
        serde_json::to_writer_pretty(output.line(), &all)?;
        output.line().push(b'\n');
    }
    output.finish()
}

fn gather(name: &str, reader: &mut Reader, filter: &Filter<'_>, report: &mut Report) -> Facts {
    let mut course = Course::new(reader);
    let (mut facts, end) = Facts::gather(name, reader, filter, &mut course);
    if let Err(error) = end {
        report.error(Some(name), &error);
        facts.error = Some(chain(&error));
    }
    report.trace(name, reader, &course);
    facts
}

/// One element of the array.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Read(Box<Facts>),
    Failed(FailedFile),
}
