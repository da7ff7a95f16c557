//! `etweir stats`: how many events there are of what, and how many of them could be decoded.

mod json;
mod key;
mod tally;
mod text;

use core::ops::ControlFlow;
use std::io::Write;

use anyhow::Result;
use serde::Serialize;

use crate::args::{By, StatsArgs};
use crate::filter::Filter;
use crate::inputs::{self, Input};
use crate::knowledge::{Knowledge, Wants};
use crate::output::Output;
use crate::pass::{Pass, Way};
use crate::progress::Progress;
use crate::report::{FailedFile, Report, chain};
use crate::text::Printable;

use self::json::FileStats;
use self::tally::Tally;

pub(crate) fn run(args: &StatsArgs, progress: &Progress, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files, report)?;
    let wants = Wants { processes: args.by == By::Process, stacks: false };
    let threads = args.read.threads();
    let mut knowledge =
        (!args.read.no_decode).then(|| Knowledge::read(&mut inputs, wants, threads, progress));
    let filter = match &knowledge {
        Some(knowledge) => Filter::knowing(&args.filter, &mut inputs, knowledge, report)?,
        None => Filter::new(&args.filter, &mut inputs, progress, report)?,
    };
    let way = Way { threads, limits: filter.limits(), as_stored: false };
    progress.read(inputs::stored(&inputs));
    let mut output = Output::standard();
    let mut all = Vec::new();
    let with_file = inputs.len() > 1;
    let mut is_first = true;
    for input in &mut inputs {
        let mut tally = Tally::new(args.by, knowledge.is_some());
        let error = match Pass::open(input, way, progress) {
            Ok(mut pass) => count(input, &mut pass, &filter, knowledge.as_mut(), &mut tally, report),
            Err(error) => {
                report.error(Some(&input.name), &*error);
                if args.json {
                    all.push(Entry::Failed(FailedFile::new(&input.name, &*error)));
                }
                continue;
            }
        };
        if args.json {
            all.push(Entry::Read(Box::new(FileStats::new(&input.name, args.by, &tally, error))));
        } else {
            let line = output.line();
            if !is_first {
                line.push(b'\n');
            }
            is_first = false;
            if with_file {
                writeln!(line, "{}:", Printable(&input.name))?;
            }
            text::append(line, args.by, &tally)?;
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

/// Counts the events of a file up to its end, or to where that fails; why it does comes back.
fn count(
    input: &Input,
    pass: &mut Pass,
    filter: &Filter<'_>,
    mut knowledge: Option<&mut Knowledge>,
    tally: &mut Tally,
    report: &mut Report,
) -> Option<String> {
    // Each turn takes a buffer.
    let end = loop {
        let met = pass.next_buffer(|placed| {
            // It may tell of others, whether it is wanted or not.
            let known = knowledge.as_mut().map(|knowledge| knowledge.look(&input.name, &placed.event));
            if filter.passes(&placed) {
                tally.add(&placed, known.as_ref());
            }
            ControlFlow::Continue(())
        });
        match met {
            Ok(Some(_)) => {}
            Ok(None) => break None,
            Err(error) => {
                report.error(Some(&input.name), &error);
                break Some(chain(&error));
            }
        }
    };
    report.trace(&input.name, &pass.told());
    end
}

/// One element of the array.
#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Read(Box<FileStats>),
    Failed(FailedFile),
}
