//! The `etweir` command.
#![forbid(unsafe_code)]

mod amount;
mod args;
mod buffers;
mod dump;
mod events;
mod filter;
mod info;
mod inputs;
mod interrupt;
mod knowledge;
mod known_providers;
mod moment;
mod names;
mod output;
mod pass;
mod progress;
mod provider;
mod report;
mod stats;
mod text;
mod walk;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Args, Command};
use crate::output::Output;
use crate::progress::Progress;
use crate::report::Report;

fn main() -> ExitCode {
    let args = Args::parse();
    output::choose_color(args.color);
    let progress = Progress::new(args.quiet, args.command.prints_meanwhile());
    interrupt::end_quietly(&progress);
    let mut report = Report::new(args.quiet, args.strict, progress.clone());
    let done = run(&args.command, &progress, &mut report);
    progress.clear();
    match done {
        Ok(()) => report.finish(),
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<clap::Error>() {
            Some(usage) => usage.exit(),
            None => {
                report.error(None, &*error);
                report.finish()
            }
        },
    }
}

fn run(command: &Command, progress: &Progress, report: &mut Report) -> anyhow::Result<()> {
    match command {
        Command::Info(args) => info::run(args, progress, report),
        Command::Dump(args) => dump::run(args, progress, report),
        Command::Stats(args) => stats::run(args, progress, report),
        Command::Buffers(args) => buffers::run(args, progress, report),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "etweir", &mut script);
            let mut output = Output::standard();
            output.line().extend_from_slice(&script);
            output.finish()
        }
    }
}
