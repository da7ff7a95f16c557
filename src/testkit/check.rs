//! What holds for any bytes: the bodies of the fuzz targets, which plain tests run over traces and their mutations.
//!
//! Each panics if something does not hold, which is how a fuzzer and a test learn of it.
#![allow(clippy::panic, reason = "this is test code, although it lives in the library")]

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::{format, vec};

use crate::buffer::{BufferHeader, BufferView, Layout, RecordDamageKind};
use crate::codec::{Format, decompress};
use crate::decode::format::{Formatting, Printable};
use crate::decode::{
    Decoder, Exactness, Field, Found, ProviderTraits, Query, Schema, SchemaSource, Value, mof,
};
use crate::error::{Offset, ParseError};
use crate::limits::Limits;
use crate::testkit::schema;
pub use crate::testkit::whole_file::{file, work};
use crate::time::FileTime;
use crate::trace::{Event, Expander, LogFileHeader, SessionInfo, TraceBuffer};
use crate::write::{BufferSpec, EventSpec, FullSpec, PerfSpec, RecordSpec, SystemSpec, Width};

/// Records lie in order inside the valid bytes, damage lies between them, and every getter returns.
pub fn buffer(bytes: &[u8]) {
    for layout in [Layout::Windows2000, Layout::WindowsXp, Layout::Server2003, Layout::Modern] {
        if let Ok(view) = BufferView::parse_cut(bytes, layout) {
            records(view);
        }
        let _ = Expander::new(None, &Limits::default()).view(bytes, layout).map(records);
    }
}

/// Any input ends in a count or an error, and a shorter output is a prefix of a longer one.
pub fn codec(bytes: &[u8]) {
    for format in Format::ALL {
        let (mut long, mut short) = (vec![0; 70_000], vec![0; 100]);
        let (whole, prefix) = (decompress(format, bytes, &mut long), decompress(format, bytes, &mut short));
        if let (Ok(whole), Ok(prefix)) = (whole, prefix) {
            assert_eq!(prefix, whole.min(short.len()), "{format}");
            assert_eq!(long.get(..prefix), short.get(..prefix), "{format}");
        }
    }
}

/// Any payload against any schema: the walk ends, costs no more than the payload is worth, and gives the same again.
pub fn decode(bytes: &[u8]) {
    if let Some((schema, payload)) = schema::from_bytes(bytes) {
        for pointer_size in [4, 8] {
            payload_with(&schema, payload, pointer_size);
        }
        by_name(&Arc::new(schema), payload);
    }
}

/// Every value of an event is found by its name, and is the same as in the walk.
fn by_name(schema: &Arc<Schema>, payload: &[u8]) {
    let payload = payload.get(..payload.len().min(60_000)).unwrap_or_default().to_vec();
    let buffer = BufferSpec::new(64 * 1024).event(&EventSpec { payload, ..EventSpec::default() }).to_bytes();
    let Ok(view) = BufferView::parse(&buffer) else { panic!("a written buffer is one") };
    let mut decoder = Decoder::with_sources(vec![Arc::new(Only(Arc::clone(schema)))], &Limits::default());
    for event in TraceBuffer::new(view, SessionInfo::unknown()).events().flatten() {
        let decoded = decoder.decode(&event);
        for field in decoded.fields().flatten() {
            let found = decoded.get(&field.property.name);
            assert_eq!(format!("{found:?}"), format!("{:?}", Some(field.value)), "{}", field.property.name);
        }
    }
}

/// Knows one schema, for all events.
struct Only(Arc<Schema>);

impl SchemaSource for Only {
    fn find(&self, _: &Query<'_>) -> Found {
        Found::one(Arc::clone(&self.0))
    }
}

/// Any values become text on one line, messages that end, and JSON.
pub fn format(bytes: &[u8]) {
    let Some((schema, payload)) = schema::from_bytes(bytes) else { return };
    let formatting = Formatting::default();
    for Field { property, value, .. } in schema.fields(payload, 8).flatten() {
        let text = formatting.text(property, value);
        let line = text.to_string();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert_eq!(Printable(text.exact()).to_string(), line);
        assert!(!text.quoted().to_string().contains(char::is_control), "{line:?}");
    }
    let template = String::from_utf8_lossy(payload);
    let message = formatting.message(&template, schema.fields(payload, 8)).to_string();
    // And an ellipsis.
    assert!(message.len() <= 65_536_usize.saturating_add(3), "{} bytes", message.len());
    #[cfg(feature = "json")]
    {
        let mut json = vec![];
        let result = formatting.write_json_fields(&mut schema.fields(payload, 8), &mut json);
        assert_eq!(result.is_ok(), schema.fields(payload, 8).all(|field| field.is_ok()));
        assert!(json.starts_with(b"{") && json.ends_with(b"}") && core::str::from_utf8(&json).is_ok());
        assert!(json.iter().all(|byte| *byte >= b' '), "{json:02x?}");
    }
}

/// A description of any bytes is a schema or an error inside of it, and the schema takes any payload.
pub fn trace_logging(bytes: &[u8]) {
    let (metadata, payload) = bytes.split_at_checked(bytes.len() / 2).unwrap_or((bytes, &[]));
    for metadata in [bytes, metadata] {
        match Schema::from_trace_logging(metadata, &Limits::default()) {
            Ok(schema) => payload_with(&schema, payload, 8),
            Err(
                ParseError::Truncated { at, .. }
                | ParseError::OutOfRange { at, .. }
                | ParseError::Unexpected { at, .. },
            ) => assert!(at <= Offset::from(metadata.len()), "{at} in {} bytes", metadata.len()),
        }
        if let Ok(traits) = ProviderTraits::parse(metadata) {
            let _ = (traits.name(), traits.name_str(), traits.group(), traits.decode_guid());
            assert!(traits.chunks().count() <= metadata.len());
        }
    }
}

/// A classic record of any identity with any payload: its layout is found, and the walk keeps its promises.
///
/// The bytes are a hook id, opcode and version, a class of the table, the record's kind, then the payload.
pub fn classic(bytes: &[u8]) {
    let [hook0, hook1, opcode, version, class, kind, payload @ ..] = bytes else { return };
    let width = if kind & 1 == 0 { Width::Bits32 } else { Width::Bits64 };
    let (hook_id, version) = (u16::from_le_bytes([*hook0, *hook1]), *version);
    let payload = payload.get(..payload.len().min(60_000)).unwrap_or_default().to_vec();
    // A class for each byte: those of the table again and again.
    let mut classes = mof::classes().cycle().map(|(guid, _)| guid);
    let guid = classes.nth(usize::from(*class)).unwrap_or_default();
    let record: RecordSpec = match kind >> 1 & 3 {
        0 => PerfSpec { width, hook_id, version, payload, ..PerfSpec::default() }.into(),
        1 => SystemSpec { width, hook_id, version, payload, ..SystemSpec::default() }.into(),
        _ => {
            let (opcode, version) = (*opcode, version.into());
            FullSpec { width, guid, opcode, version, payload, ..FullSpec::default() }.into()
        }
    };
    let buffer = BufferSpec::new(64 * 1024).record(&record).to_bytes();
    let Ok(view) = BufferView::parse(&buffer) else { panic!("a written buffer is one") };
    let mut decoder = Decoder::new();
    for event in TraceBuffer::new(view, SessionInfo::unknown()).events().flatten() {
        let decoded = decoder.decode(&event);
        if let Some(schema) = decoded.schema() {
            payload_with(schema, decoded.payload(), decoded.pointer_size());
        }
        let limits = Limits::default();
        let text = mof::document(event.provider_id(), event.opcode(), event.user_data(), &limits);
        if let Some(Ok(text)) = text {
            assert!(
                text.len() <= limits.decompressed_bytes.saturating_mul(3),
                "{} bytes of text",
                text.len()
            );
        }
    }
}

/// The bounds that a walk promises.
pub(super) fn payload_with(schema: &Schema, payload: &[u8], pointer_size: u8) {
    let mut fields = schema.fields(payload, pointer_size);
    let (mut visits, mut delivered, mut error) = (0_usize, 0_usize, None);
    while let Some(field) = fields.next() {
        assert_eq!(error, None, "nothing comes after an error");
        assert!(payload.ends_with(fields.rest()), "what is left is the end of the payload");
        match field {
            Ok(field) => {
                delivered = delivered.saturating_add(1);
                visits = visits.saturating_add(visit(field.value));
            }
            Err(found) => {
                let start = payload.len().saturating_sub(fields.rest().len());
                assert!(found.at() >= Offset::from(start), "{found} before {start}");
                assert!(usize::from(found.property()) < schema.properties().len(), "{found}");
                error = Some(found);
            }
        }
    }
    let most = payload.len().saturating_mul(8).saturating_add(256).saturating_add(delivered);
    assert!(visits <= most, "{visits} values out of {} bytes", payload.len());
    let again: usize = schema.fields(payload, pointer_size).flatten().map(|field| visit(field.value)).sum();
    assert_eq!(visits, again);
}

/// How many values there are in a value, itself included; looks at each.
fn visit(value: Value<'_>) -> usize {
    let inside: usize = match value {
        Value::Array(array) => {
            let elements = array.iter().map(visit);
            let (count, visits) = elements.fold((0_usize, 0_usize), |(count, visits), more| {
                (count.saturating_add(1), visits.saturating_add(more))
            });
            assert_eq!(count, array.len(), "an array has as many elements as it says");
            visits
        }
        Value::Struct(members) => {
            let inside = members.fields().map(|field| visit(field.value));
            inside.fold(0, usize::saturating_add)
        }
        _ => {
            let _ = format!("{value:?}");
            0
        }
    };
    inside.saturating_add(1)
}

fn records(view: BufferView<'_>) {
    let session = SessionInfo::unknown();
    let buffer = TraceBuffer::new(view, session);
    let valid = view.valid_bytes().len();
    let mut end = BufferHeader::LEN;
    let mut searched = false;
    for event in buffer.events() {
        let (start, len) = match event {
            Ok(event) => {
                getters(&event);
                let _ = LogFileHeader::parse(&event.record())
                    .map(|header| header.clock().to_file_time(header.time_stamp));
                (event.record().offset().get(), event.record().bytes().len())
            }
            Err(damage) if damage.kind == RecordDamageKind::ExtendedItems => continue,
            Err(damage) => {
                let search = damage.kind == RecordDamageKind::Resynchronised;
                assert!(!(search && searched), "after a search the rest is good, so one is enough");
                searched |= search;
                (damage.at.get(), usize::try_from(damage.len).unwrap_or(usize::MAX))
            }
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        assert!(start >= end && start % 8 == 0, "{start} follows {end}");
        end = start.saturating_add(len);
        assert!(end <= valid && len > 0, "{start} and {len} bytes in a buffer of {valid}");
    }
}

pub(super) fn decoded(decoder: &mut Decoder, event: &Event<'_>) {
    let decoded = decoder.decode(event);
    let outcome = decoded.outcome();
    assert!(event.user_data().ends_with(outcome.rest));
    assert_eq!(decoded.schema().is_none(), outcome.exactness == Exactness::Not);
    let _ = (decoded.provider_name(), decoded.traits(), decoded.names());
    if let Some(schema) = decoded.schema() {
        payload_with(schema, event.user_data(), decoded.pointer_size());
        for field in decoded.fields().flatten() {
            let same = decoded.field(&field.property.name).map(|found| found.property.in_type);
            assert!(same.is_some(), "{} is not found by its name", field.property.name);
        }
    }
}

pub(super) fn getters(event: &Event<'_>) {
    let payload = event.user_data().len();
    assert!(payload <= event.record().bytes().len());
    assert!(event.extended_data().count() <= event.record().bytes().len());
    let _ = (event.time().map(FileTime::is_rfc3339), event.provider_id(), event.id(), event.version());
    let _ =
        (event.opcode(), event.level(), event.task(), event.keyword(), event.flags(), event.pointer_size());
    let _ =
        (event.process_id(), event.thread_id(), event.cpu_time(), event.channel(), event.event_property());
    let _ = (event.activity_id(), event.related_activity_id());
    for item in event.extended_data() {
        let _ = (item.guid(), item.sid(), item.number(), item.instance_info());
        let _ = item.stack().map(|stack| stack.frames().count());
    }
}
