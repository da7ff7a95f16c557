//! Counts as JSON.

use etweir::decode::SchemaKind;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::args::By;
use crate::stats::key::{Form, Key};
use crate::stats::tally::{Counts, Group, Missing, Tally};

/// One file.
#[derive(Serialize)]
pub(super) struct FileStats {
    file: String,
    by: &'static str,
    events: u64,
    bytes: u64,
    /// RFC 3339; of the events that are counted, whatever their order in the file.
    first_time: Option<String>,
    last_time: Option<String>,
    seconds: Option<f64>,
    events_per_second: Option<f64>,
    bytes_per_second: Option<f64>,
    groups: Vec<Map<String, Value>>,
    /// By where the description came from; left out without decoding, as is what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    schemas: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<Map<String, Value>>>,
    /// Why reading ended before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl FileStats {
    pub(super) fn new(file: &str, by: By, tally: &Tally, error: Option<String>) -> Self {
        Self {
            file: file.to_owned(),
            by: by_name(by),
            events: tally.all.events,
            bytes: tally.all.bytes,
            first_time: tally.first.map(|time| time.to_string()),
            last_time: tally.last.map(|time| time.to_string()),
            seconds: tally.seconds(),
            events_per_second: tally.rate(tally.all.events),
            bytes_per_second: tally.rate(tally.all.bytes),
            groups: tally.groups().into_iter().map(|(key, group)| row(tally, key, group)).collect(),
            schemas: tally.decodes().then(|| schemas(tally)),
            missing: tally
                .decodes()
                .then(|| tally.missing().into_iter().map(|(key, missing)| without(key, missing)).collect()),
            error,
        }
    }
}

const fn by_name(by: By) -> &'static str {
    match by {
        By::Provider => "provider",
        By::Event => "event",
        By::Process => "process",
        By::Cpu => "cpu",
        By::Kind => "kind",
    }
}

/// All sources, those that described nothing too, so that scripts find them.
fn schemas(tally: &Tally) -> Map<String, Value> {
    let mut schemas = Map::new();
    let kinds = [
        SchemaKind::TraceLogging,
        SchemaKind::Trace,
        SchemaKind::Kernel,
        SchemaKind::Manifest,
        SchemaKind::Wpp,
    ];
    for kind in kinds.map(Some).into_iter().chain([None]) {
        let counts = tally.schemas.get(&kind).copied().unwrap_or_default();
        let name = kind.map_or("none", SchemaKind::as_str);
        schemas.insert(
            name.to_owned(),
            json!({ "events": counts.events, "bytes": counts.bytes, "partly_decoded": counts.partly }),
        );
    }
    schemas
}

/// A group: what it is, then its counts.
fn row(tally: &Tally, key: Option<&Key>, group: &Group) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    match key {
        Some(Key::Provider(provider)) => {
            put("provider", json!(provider.to_string()));
        }
        Some(Key::Event { provider, form, number, .. }) => {
            put("provider", json!(provider.to_string()));
            put(form.key(), json!(number));
        }
        Some(Key::Process { id, .. }) => {
            put("pid", json!(id));
        }
        Some(Key::Cpu(cpu)) => {
            put("cpu", json!(cpu));
        }
        Some(Key::Kind(kind)) => {
            put("kind", json!(kind.name()));
        }
        None => {
            put("others", json!(true));
        }
    }
    if let Some(name) = &group.provider {
        put("provider_name", json!(name));
    }
    if let Some(name) = &group.event {
        put("event", json!(name));
    }
    if let Some(name) = &group.process {
        put("process_name", json!(name));
    }
    let Counts { events, bytes, decoded, partly, not } = group.counts;
    put("events", json!(events));
    put("bytes", json!(bytes));
    put("events_per_second", json!(tally.rate(events)));
    put("bytes_per_second", json!(tally.rate(bytes)));
    if tally.decodes() {
        put("decoded", json!(decoded));
        put("partly_decoded", json!(partly));
        put("not_decoded", json!(not));
    }
    row
}

/// A provider whose events nothing describes.
fn without(key: Option<&(Form, etweir::Guid)>, missing: &Missing) -> Map<String, Value> {
    let mut row = Map::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    match key {
        Some((form, provider)) => {
            put("wanted", json!(form.wanted()));
            put("provider", json!(provider.to_string()));
            if let Some(name) = &missing.provider {
                put("provider_name", json!(name));
            }
            put(form.keys(), json!(missing.numbers));
        }
        None => {
            put("others", json!(true));
        }
    }
    put("events", json!(missing.events));
    row
}

impl Form {
    /// The key of one number.
    const fn key(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Opcode => "opcode",
            Self::Message => "message_number",
        }
    }

    /// The key of several numbers.
    pub(super) const fn keys(self) -> &'static str {
        match self {
            Self::Id => "ids",
            Self::Opcode => "opcodes",
            Self::Message => "message_numbers",
        }
    }

    /// What would describe such events.
    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Id => "manifest",
            Self::Opcode => "class",
            Self::Message => "tmf",
        }
    }
}
