//! The `etweir` command.
#![forbid(unsafe_code)]

mod amount;
mod args;
mod buffers;
mod dump;
mod filter;
mod info;
mod inputs;
mod kernel;
mod moment;
mod output;
mod report;
mod text;
mod walk;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Args, Command};
use crate::output::Output;
use crate::report::Report;

fn main() -> ExitCode {
    let args = Args::parse();
    output::choose_color(args.color);
    let mut report = Report::new(args.quiet, args.strict);
    match run(&args.command, &mut report) {
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

fn run(command: &Command, report: &mut Report) -> anyhow::Result<()> {
    match command {
        Command::Info(args) => info::run(args, report),
        Command::Dump(args) => dump::run(args, report),
        Command::Buffers(args) => buffers::run(args, report),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "etweir", &mut script);
            let mut output = Output::standard();
            output.line().extend_from_slice(&script);
            output.finish()
        }
    }
}
