//! `etweir info`: what a trace says of itself, and what is in it.

mod facts;
mod host;
mod text;

use anyhow::Result;
use serde::Serialize;

use crate::args::FilesArgs;
use crate::filter::Filter;
use crate::inputs::{self, Input};
use crate::output::Output;
use crate::pass::{Pass, Way};
use crate::progress::Progress;
use crate::report::{FailedFile, Report, chain};

use self::facts::Facts;

pub(crate) fn run(args: &FilesArgs, progress: &Progress, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files, report)?;
    progress.read(inputs::stored(&inputs));
    let filter = Filter::new(&args.filter, &mut inputs, progress, report)?;
    // Whatever is counted, the buffers are those of the whole file.
    let way = Way { threads: args.read.threads(), ..Way::default() };
    let mut output = Output::standard();
    let mut all = Vec::new();
    let mut is_first = true;
    for input in &mut inputs {
        let facts = match Pass::open(input, way, progress) {
            Ok(mut pass) => gather(input, &mut pass, &filter, args.quick, report),
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
            // The bar may be on the same terminal.
            progress.beside(|| output.finish())?;
        }
    }
    progress.clear();
    if args.json {
        serde_json::to_writer_pretty(output.line(), &all)?;
        output.line().push(b'\n');
    }
    output.finish()
}

fn gather(input: &Input, pass: &mut Pass, filter: &Filter<'_>, is_quick: bool, report: &mut Report) -> Facts {
    let name = &*input.name;
    let (mut facts, end) =
        if is_quick { Facts::glean(input, pass) } else { Facts::gather(input, pass, filter) };
    if let Err(error) = end {
        report.error(Some(name), &error);
        facts.error = Some(chain(&error));
    }
    report.trace(name, &pass.told());
    facts
}

/// One element of the array.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Read(Box<Facts>),
    Failed(FailedFile),
}
