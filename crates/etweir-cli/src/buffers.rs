//! `etweir buffers`: a row per buffer.

use std::io::Write;

use anyhow::Result;
use etweir::FileTime;
use etweir::buffer::{BufferFlags, BufferHeader};
use etweir::file::FileBuffer;
use etweir::trace::{LogFileMode, SessionInfo};
use serde::Serialize;

use crate::args::FilesArgs;
use crate::filter::Filter;
use crate::inputs::{self, Input, Reader};
use crate::output::Output;
use crate::progress::Progress;
use crate::report::{FailedFile, Report, Told, chain};
use crate::text::Printable;
use crate::walk::Course;

pub(crate) fn run(args: &FilesArgs, progress: &Progress, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.read.files, report)?;
    progress.read(inputs::stored(&inputs));
    let filter = Filter::new(&args.filter, &mut inputs)?;
    let mut printer = Printer {
        output: Output::standard(),
        json: args.json,
        raw_time: args.read.raw_time,
        with_file: inputs.len() > 1,
        is_first: true,
    };
    printer.begin()?;
    for input in &mut inputs {
        match input.open(progress) {
            Ok(mut reader) => print_file(input, &mut reader, &filter, &mut printer, report)?,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                printer.failed_file(&FailedFile::new(&input.name, &*error))?;
            }
        }
    }
    printer.end()
}

fn print_file(
    input: &Input,
    reader: &mut Reader,
    filter: &Filter<'_>,
    printer: &mut Printer,
    report: &mut Report,
) -> Result<()> {
    printer.begin_file(&input.name)?;
    let mut course = Course::new(reader);
    let end = loop {
        match next_row(reader, filter, &mut course) {
            Ok(None) => break None,
            // Without matching records a buffer is not what was asked for.
            Ok(Some(row)) if row.records == 0 && !filter.is_everything() => {}
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
    report.trace(&input.name, &Told::by(reader, &course, input.wound()));
    printer.end_file(end.as_deref())
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
    /// Those that pass the filter.
    records: u64,
    /// Places of damage inside.
    damaged: u64,
}

fn next_row(
    reader: &mut Reader,
    filter: &Filter<'_>,
    course: &mut Course,
) -> Result<Option<Row>, etweir::Error> {
    let session = reader.session();
    let relogged = reader.header().is_some_and(|header| header.log_file_mode.contains(LogFileMode::RELOG));
    let Some(buffer) = reader.next_buffer()? else { return Ok(None) };
    let before = course.damage.count();
    let records = course.walk(&buffer).filter(|placed| filter.passes(placed)).count();
    let damaged = course.damage.count().saturating_sub(before);
    Ok(Some(Row::new(&buffer, session, relogged, u64::try_from(records).unwrap_or(u64::MAX), damaged)))
}

impl Row {
    fn new(
        buffer: &FileBuffer<'_>,
        session: SessionInfo,
        relogged: bool,
        records: u64,
        damaged: u64,
    ) -> Self {
        let header = buffer.header();
        Self {
            offset: buffer.offset().get(),
            size: buffer.stored_bytes(),
            filled: header.filled_bytes(),
            cpu: header.processor_index(),
            sequence: header.sequence_number(),
            flushed: flush_time(&header, session, relogged).map(|time| time.to_string()),
            flushed_ticks: header.time_stamp().0,
            flags: header.buffer_flags().names().collect(),
            flag_bits: header.buffer_flags().0,
            buffer_type: header.buffer_type().map(|buffer_type| buffer_type.to_string()),
            compressed: buffer.is_compressed(),
            records,
            damaged,
        }
    }
}

/// When the buffer was flushed, if it says so in a way that can be shown.
fn flush_time(header: &BufferHeader<'_>, session: SessionInfo, relogged: bool) -> Option<FileTime> {
    let ticks = Some(header.time_stamp()).filter(|ticks| ticks.0 != 0)?;
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
        row.records,
        row.damaged,
        if row.flag_bits == 0 { dash() } else { BufferFlags(row.flag_bits).to_string() },
    )?;
    match file {
        Some(file) => writeln!(to, " {}", Printable(file)),
        None => writeln!(to),
    }
}
