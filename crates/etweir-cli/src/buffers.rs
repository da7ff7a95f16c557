//! `etweir buffers`: a row per buffer.

use core::ops::ControlFlow;
use std::io::Write;

use anyhow::Result;
use etweir::buffer::BufferFlags;
use etweir::trace::{LogFileHeader, LogFileMode, SessionInfo};
use etweir::{FileTime, Ticks};
use serde::Serialize;

use crate::args::FilesArgs;
use crate::filter::Filter;
use crate::inputs::{self, Input};
use crate::output::Output;
use crate::pass::{Met, Pass, Way};
use crate::progress::Progress;
use crate::report::{FailedFile, Report, chain};
use crate::text::Printable;

pub(crate) fn run(args: &FilesArgs, progress: &Progress, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files, report)?;
    progress.read(inputs::stored(&inputs));
    let filter = Filter::new(&args.filter, &mut inputs, progress, report)?;
    let mut printer = Printer {
        output: Output::standard(),
        json: args.json,
        raw_time: args.read.raw_time,
        with_file: inputs.len() > 1,
        is_first: true,
    };
    printer.begin()?;
    let way = Way { threads: args.read.threads(), limits: filter.limits(), as_stored: true };
    for input in &mut inputs {
        match Pass::open(input, way, progress) {
            Ok(pass) => {
                print_file(input, Rows { pass, filter: &filter, is_quick: args.quick }, &mut printer, report)?
            }
            Err(error) => {
                report.error(Some(&input.name), &*error);
                printer.failed_file(&FailedFile::new(&input.name, &*error))?;
            }
        }
    }
    printer.end()
}

fn print_file(input: &Input, mut rows: Rows<'_>, printer: &mut Printer, report: &mut Report) -> Result<()> {
    printer.begin_file(&input.name)?;
    let end = loop {
        match rows.next() {
            Ok(None) => break None,
            Ok(Some(row)) => printer.row(&row, &input.name)?,
            Err(error) => {
                report.error(Some(&input.name), &error);
                break Some(chain(&error));
            }
        }
        // Whoever pipes a live trace in wants to see it move.
        if input.is_live() {
            printer.output.finish()?;
        }
    };
    report.trace(&input.name, &rows.pass.told());
    printer.end_file(end.as_deref())
}

/// The rows of a file.
struct Rows<'a> {
    pass: Pass,
    filter: &'a Filter<'a>,
    /// By headers alone.
    is_quick: bool,
}

impl Rows<'_> {
    fn next(&mut self) -> Result<Option<Row>, etweir::Error> {
        let (session, relogged) = (self.pass.session(), is_relogged(self.pass.header()));
        if self.is_quick {
            let met = self.pass.next_header()?;
            return Ok(met.map(|met| Row::new(&met, session, relogged)));
        }
        // Each turn takes a buffer.
        loop {
            let before = self.pass.damaged_records();
            let mut records = 0_u64;
            let met = self.pass.next_buffer(|placed| {
                records = records.saturating_add(self.filter.passes(&placed).into());
                ControlFlow::Continue(())
            })?;
            let Some(met) = met else { return Ok(None) };
            // Without matching records a buffer is not what was asked for.
            if records > 0 || self.filter.is_everything() {
                let damaged = self.pass.damaged_records().saturating_sub(before);
                let row = Row::new(&met, session, relogged);
                return Ok(Some(Row { records: Some(records), damaged: Some(damaged), ..row }));
            }
        }
    }
}

fn is_relogged(header: Option<&LogFileHeader>) -> bool {
    header.is_some_and(|header| header.log_file_mode.contains(LogFileMode::RELOG))
}

/// Rows on their way out: none is held back.
struct Printer {
    output: Output,
    json: bool,
    raw_time: bool,
    with_file: bool,
    /// Whether what comes next is the first in its array.
    is_first: bool,
}

impl Printer {
    fn begin(&mut self) -> Result<()> {
        if self.json {
            self.output.line().push(b'[');
        } else {
            append_head(self.output.line(), self.with_file)?;
        }
        Ok(())
    }

    fn failed_file(&mut self, failed: &FailedFile) -> Result<()> {
        if self.json {
            self.separate();
            serde_json::to_writer(self.output.line(), failed)?;
        }
        Ok(())
    }

    fn begin_file(&mut self, name: &str) -> Result<()> {
        if self.json {
            self.separate();
            let line = self.output.line();
            line.extend_from_slice(b"{\"file\":");
            serde_json::to_writer(&mut *line, name)?;
            line.extend_from_slice(b",\"buffers\":[");
            self.is_first = true;
        }
        Ok(())
    }

    fn row(&mut self, row: &Row, file: &str) -> Result<()> {
        if self.json {
            self.separate();
            serde_json::to_writer(self.output.line(), row)?;
        } else {
            append_row(self.output.line(), row, self.raw_time, self.with_file.then_some(file))?;
        }
        self.output.end_line()
    }

    /// `error` is why reading ended before the end.
    fn end_file(&mut self, error: Option<&str>) -> Result<()> {
        if self.json {
            let line = self.output.line();
            line.push(b']');
            if let Some(error) = error {
                line.extend_from_slice(b",\"error\":");
                serde_json::to_writer(&mut *line, error)?;
            }
            line.push(b'}');
            self.is_first = false;
        }
        Ok(())
    }

    fn end(mut self) -> Result<()> {
        if self.json {
            self.output.line().extend_from_slice(b"]\n");
        }
        self.output.finish()
    }

    /// Goes on in an array.
    fn separate(&mut self) {
        if !self.is_first {
            self.output.line().push(b',');
        }
        self.is_first = false;
    }
}

/// The keys of a buffer in JSON.
#[derive(Serialize)]
struct Row {
    /// In the file.
    offset: u64,
    /// Bytes in the file.
    size: u64,
    /// Bytes in use after expansion, the header included.
    filled: u32,
    cpu: u16,
    sequence: Option<i64>,
    /// As RFC 3339.
    flushed: Option<String>,
    /// As stored; 0 where it was not flushed.
    flushed_ticks: i64,
    flags: Vec<&'static str>,
    /// The flags as a number.
    flag_bits: u16,
    /// `null` before Windows 5.2.
    #[serde(rename = "type")]
    buffer_type: Option<String>,
    compressed: bool,
    /// Those that pass the filter, if they were counted.
    records: Option<u64>,
    /// Places of damage inside, if somebody looked.
    damaged: Option<u64>,
}

impl Row {
    fn new(met: &Met, session: SessionInfo, relogged: bool) -> Self {
        Self {
            offset: met.offset.get(),
            size: met.size,
            filled: met.filled,
            cpu: met.processor,
            sequence: met.sequence,
            flushed: flush_time(met.time_stamp, session, relogged).map(|time| time.to_string()),
            flushed_ticks: met.time_stamp.0,
            flags: met.flags.names().collect(),
            flag_bits: met.flags.0,
            buffer_type: met.buffer_type.map(|buffer_type| buffer_type.to_string()),
            compressed: met.is_compressed,
            records: None,
            damaged: None,
        }
    }
}

/// When the buffer was flushed, if it says so in a way that can be shown.
fn flush_time(ticks: Ticks, session: SessionInfo, relogged: bool) -> Option<FileTime> {
    let ticks = Some(ticks).filter(|ticks| ticks.0 != 0)?;
    let time = if relogged { Some(FileTime(ticks.0)) } else { session.clock().to_file_time(ticks) };
    time.filter(|time| time.is_rfc3339())
}

fn append_head(to: &mut Vec<u8>, with_file: bool) -> std::io::Result<()> {
    writeln!(
        to,
        "{:>14} {:>9} {:>9} {:>4} {:>9} {:<28} {:<12} {:>10} {:>8} {:>7} FLAGS{}",
        "OFFSET",
        "SIZE",
        "FILLED",
        "CPU",
        "SEQUENCE",
        "FLUSHED",
        "TYPE",
        "COMPRESSED",
        "RECORDS",
        "DAMAGED",
        if with_file { " FILE" } else { "" }
    )
}

fn append_row(to: &mut Vec<u8>, row: &Row, raw_time: bool, file: Option<&str>) -> std::io::Result<()> {
    let dash = || "-".to_owned();
    let flushed = match &row.flushed {
        _ if row.flushed_ticks == 0 => dash(),
        Some(time) if !raw_time => time.clone(),
        _ => row.flushed_ticks.to_string(),
    };
    write!(
        to,
        "{:>14} {:>9} {:>9} {:>4} {:>9} {:<28} {:<12} {:>10} {:>8} {:>7} {}",
        format!("{:#x}", row.offset),
        row.size,
        row.filled,
        row.cpu,
        row.sequence.map_or_else(dash, |number| number.to_string()),
        flushed,
        row.buffer_type.as_deref().unwrap_or("-"),
        if row.compressed { "yes" } else { "-" },
        row.records.map_or_else(dash, |count| count.to_string()),
        row.damaged.map_or_else(dash, |count| count.to_string()),
        if row.flag_bits == 0 { dash() } else { BufferFlags(row.flag_bits).to_string() },
    )?;
    match file {
        Some(file) => writeln!(to, " {}", Printable(file)),
        None => writeln!(to),
    }
}
