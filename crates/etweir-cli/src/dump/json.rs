//! Events as JSON lines.

use anyhow::Result;
use etweir::ParseError;
use etweir::record::{ExtendedItem, Stack};
use etweir::trace::Event;
use serde::{Serialize, Serializer};

use crate::text::{GuidText, Hex, Hex64, Times};

pub(super) struct JsonLines {
    times: Times,
}

impl JsonLines {
    pub(super) const fn new() -> Self {
        Self { times: Times::new() }
    }

    /// Appends an event as one object and a line break.
    pub(super) fn append(&mut self, to: &mut Vec<u8>, file: Option<&str>, event: &Event<'_>) -> Result<()> {
        let line = Line {
            file,
            time: event.time().and_then(|time| self.times.text(time)),
            ticks: event.time_stamp().map(|ticks| ticks.0),
            cpu: event.processor_index(),
            pid: event.process_id(),
            tid: event.thread_id(),
            provider: GuidText::new(event.provider_id()),
            id: event.id(),
            version: event.version(),
            channel: event.channel(),
            level: event.level(),
            opcode: event.opcode(),
            task: event.task(),
            keywords: Hex64(event.keyword()),
            kind: event.kind().name(),
            activity_id: event.activity_id().map(GuidText::new),
            related_activity_id: event.related_activity_id().map(GuidText::new),
            stack: Frames::of(event),
            error: event.record().damage().map(Damage),
            payload: Hex(event.user_data()),
        };
        serde_json::to_writer(&mut *to, &line)?;
        to.push(b'\n');
        Ok(())
    }
}

/// The keys in their order. Those that are `None` are left out, but for the ones that are always there.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    time: Option<&'a str>,
    ticks: Option<i64>,
    cpu: u16,
    pid: Option<u32>,
    tid: Option<u32>,
    provider: GuidText,
    id: u16,
    version: u8,
    channel: u8,
    level: u8,
    opcode: u8,
    task: u16,
    keywords: Hex64,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_id: Option<GuidText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related_activity_id: Option<GuidText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<Frames<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Damage>,
    payload: Hex<'a>,
}

/// The frames of all stacks of an event.
struct Frames<'a>(Event<'a>);

impl<'a> Frames<'a> {
    fn of(event: &Event<'a>) -> Option<Self> {
        event.extended_data().any(|item| item.stack().is_some()).then_some(Self(*event))
    }
}

impl Serialize for Frames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stacks = self.0.extended_data().filter_map(|item: ExtendedItem<'_>| item.stack());
        serializer.collect_seq(stacks.flat_map(Stack::frames).map(Frame))
    }
}

/// An address, unpadded.
struct Frame(u64);

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:#x}", self.0))
    }
}

/// Why a record is not wholly there.
struct Damage(ParseError);

impl Serialize for Damage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
