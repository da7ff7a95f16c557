//! Events as lines for people: when, where, who and what, then the values.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use etweir::Limits;
use etweir::decode::format::{Formatting, Printable};
use etweir::decode::{Decoded, Field, OutType, SchemaKind};
use etweir::record::RecordKind;
use etweir::trace::Event;

use crate::dump::heads::Heads;
use crate::dump::message::{OneLine, inserts};
use crate::dump::why::Why;
use crate::knowledge::Known;
use crate::names::{Names, is_modern};
use crate::text::{GuidText, Hex, Times, Word, append_hexadecimal};

pub(super) struct TextLines {
    times: Times,
    limits: Limits,
    heads: Heads,
    raw_time: bool,
    styles: Styles,
    /// The columns of a terminal, past which payloads are cut off.
    width: Option<usize>,
    /// Payloads are wanted although they are decoded.
    payload: bool,
    message: String,
    /// Of the column of processes, the same for all lines.
    process_width: usize,
}

/// However narrow the terminal is, so many bytes of a payload are shown.
const LEAST_BYTES: usize = 16;
/// On a terminal, longer values are cut off; in bytes.
const LONGEST_VALUE: usize = 512;
/// `12345/12345`; what is longer stands out of its column.
const IDS_WIDTH: usize = 11;
/// The same with a name.
const PROCESS_WIDTH: usize = 28;

/// Empty styles where there are no colours.
#[derive(Default)]
struct Styles {
    time: Style,
    provider: Style,
    event: Style,
    name: Style,
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
            name: Style::new().dimmed(),
            error: color(AnsiColor::Red),
            warning: color(AnsiColor::Yellow),
            payload: Style::new().dimmed(),
        }
    }
}

/// What decides the look of lines.
pub(super) struct Look {
    pub(super) color: bool,
    pub(super) raw_time: bool,
    pub(super) width: Option<usize>,
    pub(super) payload: bool,
    /// Lines may have names of processes.
    pub(super) has_processes: bool,
}

impl TextLines {
    pub(super) fn new(look: &Look) -> Self {
        Self {
            times: Times::new(),
            limits: Limits::default(),
            heads: Heads::new(),
            raw_time: look.raw_time,
            styles: if look.color { Styles::colored() } else { Styles::default() },
            width: look.width.filter(|_| !look.payload),
            payload: look.payload,
            message: String::new(),
            process_width: if look.has_processes { PROCESS_WIDTH } else { IDS_WIDTH },
        }
    }

    /// Appends an event as one line.
    pub(super) fn append<'a>(
        &mut self,
        to: &mut Vec<u8>,
        file: Option<&str>,
        event: &Event<'a>,
        known: Option<&Known<'a>>,
    ) -> io::Result<()> {
        let decoded = known.map(|known| &known.decoded);
        let start = to.len();
        self.append_time(to, event)?;
        write!(to, " {:>3} ", event.processor_index())?;
        self.append_process(to, event, known)?;
        let styles = &self.styles;
        to.extend_from_slice(self.heads.of(event, decoded, |to| styles.append_head(to, event, decoded)));
        let (is_whole, why) = match decoded {
            Some(decoded) => self.append_values(to, event, decoded)?,
            None => (false, None),
        };
        self.append_rest(to, event, known, event.record().damage().map(Why::Damage).or(why))?;
        if let Some(file) = file {
            write!(to, " file={}", Word(file))?;
        }
        if self.payload || !is_whole {
            // Last, since it may be very long.
            self.append_payload(to, start, event.user_data())?;
        }
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

    /// The process and the thread that it happened in.
    fn append_process(
        &self,
        to: &mut Vec<u8>,
        event: &Event<'_>,
        known: Option<&Known<'_>>,
    ) -> io::Result<()> {
        let start = to.len();
        let (process, thread) = match known {
            Some(known) => (known.process_id(event), known.thread_id(event)),
            None => (event.process_id(), event.thread_id()),
        };
        match known.and_then(|known| known.process_name(event)) {
            Some(name) => {
                write!(to, "{}(", Printable(name))?;
                append_id(to, process);
                to.extend_from_slice(b")/");
                append_id(to, thread);
            }
            None if process.is_none() && thread.is_none() => to.push(b'-'),
            None => {
                append_id(to, process);
                to.push(b'/');
                append_id(to, thread);
            }
        }
        let width = columns(to.get(start..).unwrap_or_default());
        to.resize(to.len() + self.process_width.saturating_sub(width) + 1, b' ');
        Ok(())
    }

    /// The event's own text, and the values that have no place there. Whether all of the payload is shown, and why if not.
    fn append_values<'a>(
        &mut self,
        to: &mut Vec<u8>,
        event: &Event<'_>,
        decoded: &Decoded<'a>,
    ) -> io::Result<(bool, Option<Why<'a>>)> {
        let Some(schema) = decoded.schema() else {
            return Ok((false, decoded.damage().map(Why::Damage)));
        };
        let clock = event.context().session().clock();
        let formatting = Formatting::new(clock, &self.limits);
        let mut shown = 0;
        if let Some(template) = &schema.names().message {
            shown = inserts(template);
            self.append_message(to, &formatting.message(template, decoded.fields()))?;
        }
        let mut fields = decoded.fields();
        let mut why = None;
        for (index, field) in fields.by_ref().enumerate() {
            match field {
                Ok(field) if is_bit_set(shown, index) || field.property.out_type == OutType::NoPrint => {}
                Ok(field) => self.append_field(to, &formatting, &field)?,
                Err(error) => why = Some(Why::Decode(schema, error)),
            }
        }
        Ok((why.is_none() && fields.rest().is_empty(), why))
    }

    fn append_message(&mut self, to: &mut Vec<u8>, message: &impl core::fmt::Display) -> io::Result<()> {
        use core::fmt::Write as _;

        self.message.clear();
        // Strings take everything.
        let _ = write!(self.message, "{message}");
        to.push(b' ');
        let start = to.len();
        write!(to, "{}", Printable(OneLine(&self.message)))?;
        self.cut(to, start);
        Ok(())
    }

    fn append_field(&self, to: &mut Vec<u8>, formatting: &Formatting, field: &Field<'_>) -> io::Result<()> {
        let Styles { name: style, .. } = self.styles;
        let Field { property, value, .. } = field;
        write!(to, " {style}{}", Word(&property.name))?;
        if property.repeat() != 0 {
            write!(to, "_{}", property.repeat())?;
        }
        write!(to, "={style:#}")?;
        let start = to.len();
        write!(to, "{}", formatting.text(property, *value).quoted())?;
        self.cut(to, start);
        Ok(())
    }

    /// On a terminal, cuts off what is long.
    fn cut(&self, to: &mut Vec<u8>, start: usize) {
        let shown = to.get(start..).unwrap_or_default();
        if self.width.is_none() || shown.len() <= LONGEST_VALUE {
            return;
        }
        let is_first = |byte: &u8| byte & 0xC0 != 0x80;
        let all = shown.iter().copied().filter(|byte| is_first(byte)).count();
        let end = shown.iter().take(LONGEST_VALUE + 1).rposition(is_first).unwrap_or_default();
        to.truncate(start + end);
        to.extend_from_slice(format!("...({all} characters)").as_bytes());
    }

    /// What is left out where it does not exist.
    fn append_rest<'a>(
        &self,
        to: &mut Vec<u8>,
        event: &Event<'a>,
        known: Option<&Known<'a>>,
        why: Option<Why<'_>>,
    ) -> io::Result<()> {
        let Styles { error, .. } = &self.styles;
        if let Some(id) = event.activity_id() {
            write!(to, " activity={}", GuidText::new(id).as_str())?;
        }
        if let Some(id) = event.related_activity_id() {
            write!(to, " related={}", GuidText::new(id).as_str())?;
        }
        self.append_stack(to, event, known)?;
        if let Some(why) = why {
            write!(to, " {error}error=\"{}\"{error:#}", Printable(why))?;
        }
        Ok(())
    }

    /// The frames with their names if these are wanted, else the addresses that the record has.
    fn append_stack<'a>(
        &self,
        to: &mut Vec<u8>,
        event: &Event<'a>,
        known: Option<&Known<'a>>,
    ) -> io::Result<()> {
        let mut frames = known.into_iter().flat_map(|known| known.frames(event)).peekable();
        if frames.peek().is_some() {
            for (index, frame) in frames.enumerate() {
                write!(to, "{}{}", if index == 0 { " stack=[" } else { ", " }, Printable(frame))?;
            }
            to.push(b']');
            return Ok(());
        }
        for stack in event.extended_data().filter_map(|item| item.stack()) {
            for (index, frame) in stack.frames().enumerate() {
                to.extend_from_slice(if index == 0 { b" stack=" } else { b"," });
                append_hexadecimal(to, frame);
            }
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

impl Styles {
    /// Appends what all events of one identity have in common: provider, event, level, and of an event without a name the
    /// numbers that it has instead.
    fn append_head(&self, to: &mut Vec<u8>, event: &Event<'_>, decoded: Option<&Decoded<'_>>) {
        let names = Names::of(event, decoded);
        // Appending cannot fail.
        let _ = self.append_identity(to, event, decoded, &names);
        let _ = self.append_level(to, event, &names);
        if names.event.is_none() && is_modern(event.kind()) {
            append_number(to, "opcode", event.opcode().into());
            append_number(to, "task", event.task());
            append_number(to, "channel", event.channel().into());
            if event.keyword() != 0 {
                let _ = write!(to, " keywords={:#018x}", event.keyword());
            }
        }
    }

    fn append_identity(
        &self,
        to: &mut Vec<u8>,
        event: &Event<'_>,
        decoded: Option<&Decoded<'_>>,
        names: &Names<'_>,
    ) -> io::Result<()> {
        let Self { provider, event: style, .. } = self;
        // The names of classes begin with their category.
        let is_class = names.event.is_some() && decoded.and_then(Decoded::kind) == Some(SchemaKind::Kernel);
        match &names.provider {
            _ if is_class => {}
            Some(name) => write!(to, "{provider}{}{provider:#} ", Printable(name))?,
            None => write!(to, "{provider}{}{provider:#} ", GuidText::new(event.provider_id()).as_str())?,
        }
        match names.event {
            Some(name) if event.id() != 0 => {
                write!(to, "{style}{}({}){style:#}", Printable(name), event.id())
            }
            Some(name) => write!(to, "{style}{}{style:#}", Printable(name)),
            None => {
                let (what, number) = match event.kind() {
                    RecordKind::Event32 | RecordKind::Event64 => ("id", u32::from(event.id())),
                    RecordKind::Message => ("msg", u32::from(event.id())),
                    RecordKind::Timed | RecordKind::Error => ("op", 0),
                    _ => ("op", u32::from(event.opcode())),
                };
                write!(to, "{style}{what} {number} v{}{style:#}", event.version())
            }
        }
    }

    fn append_level(&self, to: &mut Vec<u8>, event: &Event<'_>, names: &Names<'_>) -> io::Result<()> {
        let style = match event.level() {
            // Nobody chose it.
            0 => return Ok(()),
            1 | 2 => self.error,
            3 => self.warning,
            _ => Style::new(),
        };
        match names.level {
            Some(name) => {
                let name = name.strip_prefix("win:").unwrap_or(name);
                write!(to, " {style}{}{style:#}", Printable(name))
            }
            None => write!(to, " {style}L{}{style:#}", event.level()),
        }
    }
}

fn is_bit_set(bits: u128, index: usize) -> bool {
    u32::try_from(index).ok().and_then(|index| bits.checked_shr(index)).is_some_and(|bits| bits & 1 == 1)
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

/// A process or thread id.
fn append_id(to: &mut Vec<u8>, id: Option<u32>) {
    match id {
        Some(id) => to.extend_from_slice(itoa::Buffer::new().format(id).as_bytes()),
        None => to.push(b'-'),
    }
}

fn append_number(to: &mut Vec<u8>, name: &str, number: u16) {
    if number != 0 {
        // Appending cannot fail.
        let _ = write!(to, " {name}={number}");
    }
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

    #[test]
    fn a_long_value_is_cut_between_characters_on_a_terminal() {
        let look =
            Look { color: false, raw_time: false, width: Some(80), payload: false, has_processes: false };
        let lines = TextLines::new(&look);
        let mut to = format!("a={}{}", "x".repeat(LONGEST_VALUE - 1), "\u{e9}".repeat(5)).into_bytes();
        lines.cut(&mut to, 2);
        assert_eq!(to, format!("a={}...(516 characters)", "x".repeat(LONGEST_VALUE - 1)).into_bytes());
        let lines = TextLines::new(&Look { width: None, ..look });
        let mut to = vec![b'x'; 2000];
        lines.cut(&mut to, 0);
        assert_eq!(to.len(), 2000, "nobody sees where lines end");
    }
}
