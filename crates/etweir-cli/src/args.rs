//! What the command line may say.

use core::time::Duration;
use std::path::PathBuf;
use std::thread;

use clap::error::ErrorKind;
use clap::{ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::amount;
use crate::moment::{self, Moment};
use crate::provider::Provider;

/// Reads Windows ETW traces (.etl files) on any operating system.
///
/// A FILE is a trace (.etl), a gzip file of one (.etl.gz, .etlgz), a zip archive that holds some (.zip, .diagsession), a
/// folder that is searched for these, or `-` for standard input. Traces in an archive are named ARCHIVE/MEMBER.
///
/// Exit status: 0 if done, 1 if an input or output failed (or, with --strict, if an input is damaged), 2 for wrong
/// usage.
#[derive(Debug, Parser)]
#[command(
    name = "etweir",
    version,
    propagate_version = true,
    args_override_self = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Take damage in the input as an error (exit status 1), not as a warning
    #[arg(long, global = true, help_heading = "Messages")]
    pub(crate) strict: bool,
    /// Print errors only, no warnings about damage and losses
    #[arg(long, global = true, help_heading = "Messages")]
    pub(crate) quiet: bool,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, help_heading = "Messages", value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Who made a trace, when, with which clock and mode; buffers, records, losses, damage
    Info(FilesArgs),
    /// Every record, in time order over all processors and files
    Dump(DumpArgs),
    /// Counts, bytes and rates by provider, event, process, processor or kind; what is decoded, and what is missing for the
    /// rest
    Stats(StatsArgs),
    /// A row per buffer: where it lies, how full it is, what it holds
    Buffers(FilesArgs),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// Whether standard output is written while files are read.
    pub(crate) const fn prints_meanwhile(&self) -> bool {
        !matches!(self, Self::Info(_) | Self::Stats(_))
    }
}

/// What the commands take that tell of files and not of events.
#[derive(Debug, clap::Args)]
pub(crate) struct FilesArgs {
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Print a JSON array with one object per file
    #[arg(long)]
    pub(crate) json: bool,
    /// Look at the headers of buffers only: no record is counted, and what is wrong inside buffers is not found
    #[arg(long, conflicts_with = "FilterArgs")]
    pub(crate) quick: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// What is counted together
    #[arg(long, value_name = "GROUP", default_value = "provider")]
    pub(crate) by: By,
    /// Print a JSON array with one object per file
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum By {
    /// The provider, or the class of classic and kernel events
    Provider,
    /// The event of its provider
    Event,
    /// The process that logged it
    Process,
    /// The processor that it was logged on
    Cpu,
    /// What kind of record it is
    Kind,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DumpArgs {
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// How events are printed
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// What order by time may hold of each input in memory: a number of bytes, or with KiB, MiB, GiB. Past it, events
    /// leave early, and those that come late are counted. A file takes a buffer or two for each processor
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = amount::bytes)]
    pub(crate) memory_limit: u64,
    /// How long events of standard input and pipes are held back for older ones of other processors, in the trace's
    /// time, such as 500ms. By default until every processor has moved on, in real-time sessions for 3s at most
    #[arg(long, value_name = "T", value_parser = moment::duration)]
    pub(crate) reorder_window: Option<Duration>,
    /// Show payloads in hexadecimal too, and whole; without it, text on a terminal shows as much as fits
    #[arg(long)]
    pub(crate) payload: bool,
    /// Show call stacks with names: module+0x… or methods of the CLR, also those that the trace has apart from their events;
    /// of standard input and pipes, as far as is known by then
    #[arg(long)]
    pub(crate) stacks: bool,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
}

/// What every command that reads takes, so that one set of options serves them all.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) files: Files,
    /// Stop after N printed events, over all files; no effect on info, stats and buffers, which print none
    #[arg(short = 'n', value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Merged by time over all files, or one file after the other; no effect on info, stats and buffers
    #[arg(long, value_name = "ORDER", default_value = "time")]
    pub(crate) order: Order,
    /// So many threads read and expand what comes next of a file, while it is gone over; by default 2, or fewer where there
    /// are fewer processors
    #[arg(long, value_name = "N", value_parser = amount::threads)]
    threads: Option<usize>,
    /// Show session ticks in place of the time of day (JSON has both anyway); no effect on stats
    #[arg(long)]
    pub(crate) raw_time: bool,
    /// Leave payloads alone: they are shown in hexadecimal, and nothing that only they tell has a name; no effect on
    /// info and buffers
    #[arg(long)]
    pub(crate) no_decode: bool,
}

impl ReadArgs {
    /// How many threads help.
    pub(crate) fn threads(&self) -> usize {
        /// What one thread prints or counts, no more can read.
        const ENOUGH: usize = 2;
        let others = || thread::available_parallelism().map_or(0, |all| all.get().saturating_sub(1));
        self.threads.unwrap_or_else(|| others().min(ENOUGH))
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// One readable line per event
    Text,
    /// One JSON object per event and line
    Jsonl,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Order {
    /// By time stamp; what is equal, in the order of the files
    Time,
    /// As the buffers lie, printed as they are read
    File,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Files {
    /// A trace (.etl), plain, in gzip (.etl.gz, .etlgz) or in a zip archive (.zip, .diagsession); a folder of these; or
    /// `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) paths: Vec<PathBuf>,
    /// What each FILE may expand to that is compressed, all members of an archive together: a number of bytes, or with
    /// KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", default_value = "16GiB", value_parser = amount::bytes)]
    pub(crate) expand_limit: u64,
}

/// Different options have to agree on an event; of one option that is repeated, one value has to.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Filters (repeat an option to allow more)")]
pub(crate) struct FilterArgs {
    /// A provider's GUID, or its name as the trace tells it, or a kernel class such as Process, Thread or PerfInfo
    #[arg(long, value_name = "P")]
    pub(crate) provider: Vec<Provider>,
    /// The event id
    #[arg(long, value_name = "N", value_parser = number::<u16>)]
    pub(crate) id: Vec<u16>,
    /// The opcode; of classic and kernel events the event type
    #[arg(long, value_name = "N", value_parser = number::<u8>)]
    pub(crate) opcode: Vec<u8>,
    /// A level of at most N; 1 is critical, 5 verbose, and 0 passes always
    #[arg(long, value_name = "N", value_parser = number::<u8>)]
    pub(crate) level: Vec<u8>,
    /// At least one of the keyword bits in MASK
    #[arg(long, value_name = "MASK", value_parser = number::<u64>)]
    pub(crate) keyword: Vec<u64>,
    /// The process id in the record's header
    #[arg(long, value_name = "N", value_parser = number::<u32>)]
    pub(crate) pid: Vec<u32>,
    /// The thread id in the record's header
    #[arg(long, value_name = "N", value_parser = number::<u32>)]
    pub(crate) tid: Vec<u32>,
    /// The processor
    #[arg(long, value_name = "N", value_parser = number::<u16>)]
    pub(crate) cpu: Vec<u16>,
    /// At T or later: RFC 3339, or an offset such as +1.5s or +2h30m from the start of the trace (of several,
    /// the earliest)
    #[arg(long, value_name = "T")]
    pub(crate) from: Option<Moment>,
    /// At T or earlier
    #[arg(long, value_name = "T")]
    pub(crate) to: Option<Moment>,
}

/// A mistake on the command line that only shows once more is known.
pub(crate) fn usage(text: &str) -> anyhow::Error {
    Args::command().error(ErrorKind::ValueValidation, text).into()
}

/// A number in decimal, or in hexadecimal after `0x`.
fn number<T: TryFrom<u64>>(text: &str) -> Result<T, String> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let value = match hex {
        Some(digits) if digits.starts_with('+') => None,
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let value = value.ok_or("not a number, decimal or hexadecimal after 0x")?;
    T::try_from(value).map_err(|_| format!("more than {} bits", size_of::<T>() * 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal_and_fit_their_type() {
        assert_eq!(number::<u8>("255"), Ok(255));
        assert_eq!(number::<u64>("0x8000000000000010"), Ok(0x8000_0000_0000_0010));
        assert_eq!(number::<u8>("256").expect_err("too large"), "more than 8 bits");
        for text in ["", "0x", "-1", "0x+1", "12z", "0xg"] {
            assert!(number::<u16>(text).is_err(), "{text:?}");
        }
    }
}
