//! Events as lines for people: columns first, then what only some events have.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use etweir::record::RecordKind;
use etweir::trace::Event;

use crate::kernel::class_name;
use crate::text::{GuidText, Hex, Printable, Times};

pub(super) struct TextLines {
    times: Times,
    raw_time: bool,
    styles: Styles,
}

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
    pub(super) fn new(color: bool, raw_time: bool) -> Self {
        let styles = if color { Styles::colored() } else { Styles::default() };
        Self { times: Times::new(), raw_time, styles }
    }

    /// Appends an event as one line.
    pub(super) fn append(
        &mut self,
        to: &mut Vec<u8>,
        file: Option<&str>,
        event: &Event<'_>,
    ) -> io::Result<()> {
        self.append_time(to, event)?;
        write!(to, " {:>3} ", event.processor_index())?;
        append_id(to, event.process_id())?;
        append_id(to, event.thread_id())?;
        write!(to, "{:<10} ", event.kind().name())?;
        self.append_provider(to, event)?;
        self.append_identity(to, event)?;
        self.append_rest(to, event)?;
        if let Some(file) = file {
            write!(to, " file={}", Printable(file))?;
        }
        // Last, since it may be very long.
        self.append_payload(to, event.user_data())?;
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

    fn append_payload(&self, to: &mut Vec<u8>, payload: &[u8]) -> io::Result<()> {
        let Styles { payload: style, .. } = self.styles;
        if payload.is_empty() { Ok(()) } else { write!(to, " payload={style}{}{style:#}", Hex(payload)) }
    }
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
