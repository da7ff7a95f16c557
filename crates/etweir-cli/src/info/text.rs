//! The facts for people.

use std::io::{self, Write};

use anstyle::Style;
use bytesize::ByteSize;
use etweir::Offset;
use jiff::SignedDuration;

use crate::info::facts::{Facts, MOST_PROVIDERS, Session, Zone};
use crate::info::host::Host;
use crate::text::{Printable, counted, duration, grouped};

/// Appends a block of lines, a name and a value each.
pub(super) fn append(to: &mut Vec<u8>, facts: &Facts, color: bool, raw_time: bool) -> io::Result<()> {
    let mut block = Block { to, style: if color { Style::new().bold() } else { Style::new() } };
    block.line("File", &facts.file)?;
    block.line("Size", &size(facts))?;
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
        self.host(&facts.host)?;
        let mhz = match session.cpu_mhz {
            0 => String::new(),
            mhz => format!(" at {} MHz", grouped(mhz)),
        };
        let seen = match usize::try_from(session.processors) {
            Ok(all) if facts.processors > 0 && facts.processors < all => {
                format!(", {} of them with buffers in this file", facts.processors)
            }
            _ => String::new(),
        };
        self.line("Processors", &format!("{}{mhz}{seen}", session.processors))?;
        let rate = session
            .ticks_per_second
            .map(|rate| format!(", {} ticks per second", grouped(rate)))
            .unwrap_or_default();
        self.line("Clock", &format!("{}{rate}", session.clock))?;
        if session.timer_resolution > 0 {
            self.line("Timer", &format!("{} ms", f64::from(session.timer_resolution) / 1e4))?;
        }
        self.line("Boot time", session.boot_time.as_deref().unwrap_or_default())?;
        self.line("Start", session.start_time.as_deref().unwrap_or("unknown"))?;
        self.line("End", session.end_time.as_deref().unwrap_or("unknown: the trace was never closed"))?;
        self.line("Duration", &session.duration_seconds.and_then(in_words).unwrap_or_default())?;
        self.line("Time zone", &zone(&session.time_zone))?;
        let names = session.mode_names.join(" ");
        // No bit stands for the usual mode.
        let names = if session.mode_is_zero() { "(sequential)" } else { &names };
        self.line("Mode", &format!("{} {names}", session.mode))?;
        if session.maximum_file_size > 0 {
            let unit = if session.mode_names.contains(&"USE_KBYTES_FOR_SIZE") { "KB" } else { "MB" };
            self.line("Size limit", &format!("{} {unit}", grouped(session.maximum_file_size)))?;
        }
        self.line("Buffer size", &bytes(session.buffer_size.into()))
    }

    /// What the trace tells of the machine, if it does.
    fn host(&mut self, host: &Host) -> io::Result<()> {
        self.line("Build lab", host.build_lab.as_deref().unwrap_or_default())?;
        let computer = match (&host.computer_name, &host.domain) {
            (Some(name), Some(domain)) => format!("{name} in {domain}"),
            (name, domain) => name.clone().or_else(|| domain.clone()).unwrap_or_default(),
        };
        self.line("Computer", &computer)?;
        let machine: Vec<_> = [&host.manufacturer, &host.product].into_iter().flatten().cloned().collect();
        let mut machine = machine.join(" ");
        if let Some(version) = &host.bios_version {
            machine += &format!(", BIOS {version}");
            if let Some(date) = &host.bios_date {
                machine += &format!(" of {date}");
            }
        }
        self.line("Machine", machine.trim_start_matches(", "))?;
        self.line("Memory", &host.memory.map(|memory| format!("{} MB", grouped(memory))).unwrap_or_default())
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
        let more = if facts.providers < MOST_PROVIDERS { "" } else { " or more" };
        self.line("Providers", &format!("{}{more}", grouped(Offset::from(facts.providers).get())))?;
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
        self.line("Lost", &lost(facts))?;
        let gaps = facts.losses.sequence_gaps;
        if gaps > 0 {
            let text =
                format!("{} of buffers missing: lost, or never filled", counted(gaps, "sequence number"));
            self.line("Gaps", &text)?;
        }
        self.line("Damage", &damage(facts))?;
        if facts.unwritten_tail > 0 {
            self.line("Unwritten tail", &bytes(facts.unwritten_tail))?;
        }
        Ok(())
    }
}

fn size(facts: &Facts) -> String {
    let size = bytes(facts.file_size);
    match (facts.container, facts.stored_size) {
        (Some(container), Some(stored)) => format!("{size}, in {} of {container}", counted(stored, "byte")),
        (Some(container), None) => format!("{size}, in {container}"),
        (None, _) => size,
    }
}

/// What the session's totals, the marks on buffers and the events tell; empty if nothing can.
fn lost(facts: &Facts) -> String {
    let mut parts = Vec::new();
    if let Some(session) = &facts.session
        && (session.events_lost, session.buffers_lost) != (0, 0)
    {
        parts.push(counted(session.events_lost.into(), "event"));
        parts.push(counted(session.buffers_lost.into(), "buffer"));
    }
    let losses = &facts.losses;
    let marked = losses.events_lost_flags.saturating_add(losses.buffers_lost_flags);
    if marked > 0 {
        parts.push(format!("marks of a loss in {}", counted(marked, "buffer")));
    }
    if losses.loss_events > 0 {
        parts.push(counted(losses.loss_events, "loss event"));
    }
    if parts.is_empty() && facts.session.is_some() { "nothing".to_owned() } else { parts.join(", ") }
}

fn damage(facts: &Facts) -> String {
    let damage = &facts.damage;
    let mut parts = Vec::new();
    if let Some(container) = facts.container.filter(|_| damage.container > 0) {
        parts.push(format!("in the {container} data"));
    }
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

fn in_words(seconds: f64) -> Option<String> {
    SignedDuration::try_from_secs_f64(seconds).ok().map(duration)
}

/// Whether it is one for people: most are places in a library of Windows.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('@')
}

/// The offset from UTC in standard time, and the names.
fn zone(zone: &Zone) -> String {
    let minutes = i64::from(zone.bias).saturating_add(i64::from(zone.standard_bias)).saturating_neg();
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, rest) = (minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60);
    let names: Vec<_> =
        [&*zone.standard_name, &*zone.daylight_name].into_iter().filter(|name| is_name(name)).collect();
    format!("UTC{sign}{hours:02}:{rest:02} {}", names.join(" / ")).trim_end().to_owned()
}
