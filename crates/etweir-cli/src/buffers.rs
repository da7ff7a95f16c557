//! `etweir buffers`: a row per buffer.

use std::io::Write;

use anyhow::Result;
use etweir::FileTime;
use etweir::buffer::{BufferFlags, BufferHeader};
use etweir::file::{DamageReport, FileBuffer};
use etweir::trace::{LogFileMode, SessionInfo};
use serde::Serialize;

use crate::args::BuffersArgs;
use crate::filter::Filter;
use crate::inputs::{self, Input, Reader};
use crate::output::Output;
use crate::report::Report;
use crate::text::Printable;
use crate::walk::{Walk, damage_report};

pub(crate) fn run(args: &BuffersArgs, report: &mut Report) -> Result<()> {
    let mut inputs = inputs::find(&args.files, report)?;
    let filter = Filter::new(&args.filter, &mut inputs);
    let with_file = inputs.len() > 1;
    let mut output = Output::standard();
    let mut tables = Vec::new();
    if !args.json {
        append_head(output.line(), with_file)?;
    }
    for input in &mut inputs {
        let mut reader = match input.open() {
            Ok(reader) => reader,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        let mut table = Table { file: input.name.clone(), buffers: Vec::new() };
        let mut damage = damage_report();
        loop {
            match next_row(&mut reader, &filter, &mut damage) {
                Ok(None) => break,
                // Without matching records a buffer is not what was asked for.
                Ok(Some(row)) if row.records == 0 && !filter.is_everything() => {}
                Ok(Some(row)) if args.json => table.buffers.push(row),
                Ok(Some(row)) => {
                    let file = with_file.then_some(&*input.name);
                    append_row(output.line(), &row, args.raw_time, file)?;
                    output.end_line()?;
                }
                Err(error) => {
                    report.error(Some(&input.name), &error);
                    break;
                }
            }
            flush_live(input, &mut output)?;
        }
        report.trace(&input.name, &reader, &damage);
        tables.push(table);
    }
    if args.json {
        serde_json::to_writer(output.line(), &tables)?;
        output.line().push(b'\n');
    }
    output.finish()
}

/// Whoever pipes a live trace in wants to see it move.
fn flush_live(input: &Input, output: &mut Output) -> Result<()> {
    if input.is_standard() { output.finish() } else { Ok(()) }
}

#[derive(Serialize)]
struct Table {
    file: String,
    buffers: Vec<Row>,
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
    damage: &mut DamageReport,
) -> Result<Option<Row>, etweir::Error> {
    let session = reader.session();
    let relogged = reader.header().is_some_and(|header| header.log_file_mode.contains(LogFileMode::RELOG));
    let Some(buffer) = reader.next_buffer()? else { return Ok(None) };
    let before = damage.count();
    let records = Walk::new(&buffer, damage).filter(|placed| filter.passes(placed)).count();
    let damaged = damage.count().saturating_sub(before);
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
