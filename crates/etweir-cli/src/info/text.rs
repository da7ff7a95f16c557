//! The facts for people.

use std::io::{self, Write};

use anstyle::Style;
use bytesize::ByteSize;
use jiff::SignedDuration;
use jiff::fmt::friendly::{FractionalUnit, SpanPrinter};

use crate::info::facts::{Facts, Session, Zone};
use crate::text::{Printable, counted, grouped};

/// Appends a block of lines, a name and a value each.
pub(super) fn append(to: &mut Vec<u8>, facts: &Facts, color: bool, raw_time: bool) -> io::Result<()> {
    let mut block = Block { to, style: if color { Style::new().bold() } else { Style::new() } };
    block.line("File", &facts.file)?;
    block.line("Size", &bytes(facts.file_size))?;
    match &facts.session {
        Some(session) => block.session(session, facts)?,
        None => block.line("Header", "missing or damaged: the session is unknown")?,
    }
    block.contents(facts, raw_time)
}

struct Block<'a> {
    to: &'a mut Vec<u8>,
    style: Style,
}

impl Block<'_> {
    /// One line, or none where there is nothing to say.
    fn line(&mut self, name: &str, value: &str) -> io::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        let style = self.style;
        writeln!(self.to, "{style}{name:<15}{style:#} {}", Printable(value.trim_end()))
    }

    fn session(&mut self, session: &Session, facts: &Facts) -> io::Result<()> {
        self.line("Session", &session.session_name)?;
        self.line("Log file", &session.log_file_name)?;
        let Session { windows_version, windows_build, log_file_version, .. } = session;
        let bits = session.pointer_size.saturating_mul(8);
        self.line(
            "Windows",
            &format!(
                "{windows_version} build {windows_build}, {bits}-bit (log file version {log_file_version})"
            ),
        )?;
        self.line("Build lab", facts.build_lab.as_deref().unwrap_or_default())?;
        let mhz = match session.cpu_mhz {
            0 => String::new(),
            mhz => format!(" at {} MHz", grouped(mhz)),
        };
        self.line("Processors", &format!("{}{mhz}", session.processors))?;
        let rate = session
            .ticks_per_second
            .map(|rate| format!(", {} ticks per second", grouped(rate)))
            .unwrap_or_default();
        self.line("Clock", &format!("{}{rate}", session.clock))?;
        self.line("Boot time", session.boot_time.as_deref().unwrap_or_default())?;
        self.line("Start", session.start_time.as_deref().unwrap_or("unknown"))?;
        self.line("End", session.end_time.as_deref().unwrap_or("never closed"))?;
        self.line("Duration", &session.duration_seconds.and_then(duration).unwrap_or_default())?;
        self.line("Time zone", &zone(&session.time_zone))?;
        let names = session.mode_names.join(" ");
        self.line("Mode", &format!("{} {names}", session.mode))?;
        self.line("Buffer size", &bytes(session.buffer_size.into()))
    }

    fn contents(&mut self, facts: &Facts, raw_time: bool) -> io::Result<()> {
        let mut buffers = grouped(facts.buffers);
        if facts.compressed_buffers > 0 {
            let format = facts.compression.as_deref().map(|name| format!(" as {name}")).unwrap_or_default();
            buffers += &format!(", {} of them compressed{format}", grouped(facts.compressed_buffers));
        }
        match &facts.session {
            // A trace that was never closed claims nothing yet.
            Some(Session { end_time: Some(_), buffers_written: written, .. })
                if u64::from(*written) != facts.buffers =>
            {
                buffers += &format!(" (the header says {})", grouped(*written));
            }
            _ => {}
        }
        self.line("Buffers", &buffers)?;
        self.line("Records", &grouped(facts.records))?;
        let mut kinds: Vec<_> = facts.records_by_kind.iter().collect();
        kinds.sort_by_key(|(_, count)| core::cmp::Reverse(**count));
        let width = kinds.first().map_or(0, |(_, count)| grouped(**count).len());
        for (kind, count) in kinds {
            writeln!(self.to, "  {kind:<13} {:>width$}", grouped(*count))?;
        }
        let stamp = |time: &Option<String>, ticks: Option<i64>| match (time, ticks) {
            (Some(time), _) if !raw_time => time.clone(),
            (_, Some(ticks)) => format!("{ticks} ticks"),
            _ => String::new(),
        };
        self.line("First record", &stamp(&facts.first_time, facts.first_ticks))?;
        self.line("Last record", &stamp(&facts.last_time, facts.last_ticks))?;
        if facts.times_out_of_range > 0 {
            let text =
                format!("{} with a time stamp that is no date", counted(facts.times_out_of_range, "record"));
            self.line("Out of range", &text)?;
        }
        if let Some(session) = &facts.session {
            let lost = (u64::from(session.events_lost), u64::from(session.buffers_lost));
            let text = format!("{}, {}", counted(lost.0, "event"), counted(lost.1, "buffer"));
            self.line("Lost", if lost == (0, 0) { "nothing" } else { &text })?;
        }
        self.line("Damage", &damage(facts))?;
        if facts.unwritten_tail > 0 {
            self.line("Unwritten tail", &bytes(facts.unwritten_tail))?;
        }
        Ok(())
    }
}

fn damage(facts: &Facts) -> String {
    let damage = &facts.damage;
    let mut parts = Vec::new();
    if damage.header_missing {
        parts.push("no header buffer".to_owned());
    }
    if damage.buffers > 0 {
        parts.push(counted(damage.buffers, "buffer"));
    }
    if damage.records > 0 {
        parts.push(counted(damage.records, "record"));
    }
    if parts.is_empty() {
        return "none".to_owned();
    }
    if damage.bytes > 0 {
        parts.push(format!("{} lost", counted(damage.bytes, "byte")));
    }
    parts.join(", ")
}

fn bytes(count: u64) -> String {
    if count < 1024 {
        counted(count, "byte")
    } else {
        format!("{} ({})", counted(count, "byte"), ByteSize(count))
    }
}

fn duration(seconds: f64) -> Option<String> {
    let duration = SignedDuration::try_from_secs_f64(seconds).ok()?;
    let printer = SpanPrinter::new().fractional(Some(FractionalUnit::Second));
    Some(printer.duration_to_string(&duration))
}

/// The offset from UTC in standard time, and the names.
fn zone(zone: &Zone) -> String {
    let minutes = i64::from(zone.bias).saturating_add(i64::from(zone.standard_bias)).saturating_neg();
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
    let names: Vec<_> =
        [&*zone.standard_name, &*zone.daylight_name].into_iter().filter(|name| !name.is_empty()).collect();
    format!("UTC{sign}{hours:02}:{rest:02} {}", names.join(" / ")).trim_end().to_owned()
}
