//! Events as lines for people: columns first, then what only some events have.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use etweir::record::RecordKind;
use etweir::trace::Event;

use crate::kernel::class_name;
use crate::text::{GuidText, Hex, Times, Word};

pub(super) struct TextLines {
    times: Times,
    raw_time: bool,
    styles: Styles,
    /// The columns of a terminal, past which payloads are cut off.
    width: Option<usize>,
}

/// However narrow the terminal is, so many bytes of a payload are shown.
const LEAST_BYTES: usize = 16;

/// Empty styles where there are no colours.
#[derive(Default)]
struct Styles {
    time: Style,
    provider: Style,
    event: Style,
    error: Style,
    warning: Style,
    payload: Style,
}

impl Styles {
    fn colored() -> Self {
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        Self {
            time: Style::new().dimmed(),
            provider: color(AnsiColor::Cyan),
            event: Style::new().bold(),
            error: color(AnsiColor::Red),
            warning: color(AnsiColor::Yellow),
            payload: Style::new().dimmed(),
        }
    }
}

impl TextLines {
    pub(super) fn new(color: bool, raw_time: bool, width: Option<usize>) -> Self {
        let styles = if color { Styles::colored() } else { Styles::default() };
        Self { times: Times::new(), raw_time, styles, width }
    }

    /// Appends an event as one line.
    pub(super) fn append(
        &mut self,
        to: &mut Vec<u8>,
        file: Option<&str>,
        event: &Event<'_>,
    ) -> io::Result<()> {
        let start = to.len();
        self.append_time(to, event)?;
        write!(to, " {:>3} ", event.processor_index())?;
        append_id(to, event.process_id())?;
        append_id(to, event.thread_id())?;
        write!(to, "{:<10} ", event.kind().name())?;
        self.append_provider(to, event)?;
        self.append_identity(to, event)?;
        self.append_rest(to, event)?;
        if let Some(file) = file {
            write!(to, " file={}", Word(file))?;
        }
        // Last, since it may be very long.
        self.append_payload(to, start, event.user_data())?;
        to.push(b'\n');
        Ok(())
    }

    /// The time of day, or ticks where these are wanted or nothing else is known.
    fn append_time(&mut self, to: &mut Vec<u8>, event: &Event<'_>) -> io::Result<()> {
        let Styles { time: style, .. } = self.styles;
        let time = if self.raw_time { None } else { event.time() };
        match (time.and_then(|time| self.times.text(time)), event.time_stamp()) {
            (Some(text), _) => write!(to, "{style}{text}{style:#}"),
            (None, Some(ticks)) if self.raw_time => write!(to, "{style}{:>18}{style:#}", ticks.0),
            (None, Some(ticks)) => write!(to, "{style}{:>28}{style:#}", ticks.0),
            (None, None) if self.raw_time => write!(to, "{:>18}", "-"),
            (None, None) => write!(to, "{:>28}", "-"),
        }
    }

    fn append_provider(&self, to: &mut Vec<u8>, event: &Event<'_>) -> io::Result<()> {
        let Styles { provider: style, .. } = self.styles;
        let id = event.provider_id();
        match class_name(id) {
            Some(name) => write!(to, "{style}{name:<36}{style:#} "),
            None => write!(to, "{style}{}{style:#} ", GuidText::new(id).as_str()),
        }
    }

    /// What tells the events of a provider apart: the id, the number of a message, or the event type.
    fn append_identity(&self, to: &mut Vec<u8>, event: &Event<'_>) -> io::Result<()> {
        let Styles { event: style, error, warning, .. } = &self.styles;
        let (what, number) = match event.kind() {
            RecordKind::Event32 | RecordKind::Event64 => ("id", u32::from(event.id())),
            RecordKind::Message => ("msg", u32::from(event.id())),
            RecordKind::Timed | RecordKind::Error => ("op", 0),
            _ => ("op", u32::from(event.opcode())),
        };
        write!(to, "{style}{what:<3}{number:>5}{style:#} v{:<3} ", event.version())?;
        let style = match event.level() {
            1 | 2 => error,
            3 => warning,
            _ => &Style::new(),
        };
        write!(to, "{style}L{}{style:#}", event.level())
    }

    /// What is left out where it is zero or does not exist.
    fn append_rest(&self, to: &mut Vec<u8>, event: &Event<'_>) -> io::Result<()> {
        let Styles { error, .. } = &self.styles;
        if matches!(event.kind(), RecordKind::Event32 | RecordKind::Event64) {
            append_number(to, "opcode", event.opcode().into())?;
            append_number(to, "task", event.task())?;
            append_number(to, "channel", event.channel().into())?;
            if event.keyword() != 0 {
                write!(to, " keywords={:#018x}", event.keyword())?;
            }
        }
        if let Some(id) = event.activity_id() {
            write!(to, " activity={}", GuidText::new(id).as_str())?;
        }
        if let Some(id) = event.related_activity_id() {
            write!(to, " related={}", GuidText::new(id).as_str())?;
        }
        for stack in event.extended_data().filter_map(|item| item.stack()) {
            for (index, frame) in stack.frames().enumerate() {
                write!(to, "{}{frame:#x}", if index == 0 { " stack=" } else { "," })?;
            }
        }
        if let Some(damage) = event.record().damage() {
            write!(to, " {error}error=\"{damage}\"{error:#}")?;
        }
        Ok(())
    }

    /// Appends to the line that starts at `start`.
    fn append_payload(&self, to: &mut Vec<u8>, start: usize, payload: &[u8]) -> io::Result<()> {
        const NAME: &str = " payload=";
        if payload.is_empty() {
            return Ok(());
        }
        let line = to.get(start..).unwrap_or_default();
        let room = self.width.map(|width| width.saturating_sub(columns(line)).saturating_sub(NAME.len()));
        let Styles { payload: style, .. } = self.styles;
        match room.and_then(|room| cut(payload, room)) {
            Some((shown, mark)) => write!(to, "{NAME}{style}{}{style:#}{mark}", Hex(shown)),
            None => write!(to, "{NAME}{style}{}{style:#}", Hex(payload)),
        }
    }
}

/// As much of a payload as fits the columns with a mark behind it; `None` if all of it fits.
fn cut(payload: &[u8], room: usize) -> Option<(&[u8], String)> {
    let digits = payload.len().saturating_mul(2);
    let mark = format!("...({} bytes)", payload.len());
    let shown = (room.saturating_sub(mark.len()) / 2).max(LEAST_BYTES);
    // A mark that is as long as what it stands for is of no use.
    let is_shorter = shown.saturating_mul(2).saturating_add(mark.len()) < digits;
    if digits <= room || !is_shorter { None } else { Some((payload.get(..shown)?, mark)) }
}

/// The columns that a line takes, without the sequences that colour it.
fn columns(line: &[u8]) -> usize {
    let mut columns = 0_usize;
    let mut in_sequence = false;
    for byte in line {
        match byte {
            0x1B => in_sequence = true,
            b'm' if in_sequence => in_sequence = false,
            // The further bytes of a character.
            0x80..=0xBF => {}
            _ => columns = columns.saturating_add(usize::from(!in_sequence)),
        }
    }
    columns
}

/// A process or thread id in its column.
fn append_id(to: &mut Vec<u8>, id: Option<u32>) -> io::Result<()> {
    match id {
        Some(id) => write!(to, "{id:>6} "),
        None => to.write_all(b"     - "),
    }
}

fn append_number(to: &mut Vec<u8>, name: &str, number: u16) -> io::Result<()> {
    if number == 0 { Ok(()) } else { write!(to, " {name}={number}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_that_fits_is_whole() {
        assert_eq!(cut(&[0; 50], 100), None);
        assert_eq!(cut(&[0; 16], 0), None);
        // 17 bytes and a mark are longer than 20 bytes.
        assert_eq!(cut(&[0; 20], 30), None);
    }

    #[test]
    fn a_payload_is_cut_so_that_its_mark_fits_too() {
        let payload = [7; 412];
        assert_eq!(cut(&payload, 100), Some((&payload[..43], "...(412 bytes)".to_owned())));
        assert_eq!(cut(&payload, 99).map(|(shown, _)| shown.len()), Some(42));
        assert_eq!(cut(&payload, 97).map(|(shown, _)| shown.len()), Some(41));
        assert_eq!(cut(&payload, 0).map(|(shown, _)| shown.len()), Some(16));
        assert_eq!(cut(&payload, 824), None);
        assert_eq!(cut(&payload, 823).map(|(shown, _)| shown.len()), Some(404));
    }

    #[test]
    fn columns_are_characters_without_colours() {
        assert_eq!(columns("\u{1b}[1;31mab\u{1b}[0m \u{e9}".as_bytes()), 4);
    }
}
