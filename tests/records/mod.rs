//! Single records, decoded.
#![allow(dead_code, reason = "each test uses its part of this module")]

use etweir::Guid;
use etweir::buffer::BufferView;
use etweir::decode::{Certainty, Decoded, Decoder, Str, Value};
use etweir::trace::{SessionInfo, TraceBuffer};
use etweir::write::{BufferSpec, FullSpec, PerfSpec, RecordSpec, Width};

/// Decodes a record as the only one of a buffer.
pub(crate) fn decode<R>(record: impl Into<RecordSpec>, check: impl FnOnce(&Decoded<'_>) -> R) -> R {
    let bytes = BufferSpec::new(128 * 1024).record(&record.into()).to_bytes();
    let view = BufferView::parse(&bytes).expect("a buffer");
    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    let event = buffer.events().next().expect("a record").expect("a good record");
    let mut decoder = Decoder::new();
    check(&decoder.decode(&event))
}

/// A record of the class with this GUID.
pub(crate) fn full(guid: &str, opcode: u8, version: u8, pointer: u8, payload: &[u8]) -> FullSpec {
    FullSpec {
        width: width(pointer),
        guid: guid.parse::<Guid>().expect("a GUID"),
        opcode,
        version: version.into(),
        payload: payload.into(),
        ..FullSpec::default()
    }
}

/// A kernel record with this hook.
pub(crate) fn perf(hook_id: u16, version: u8, pointer: u8, payload: &[u8]) -> PerfSpec {
    PerfSpec { width: width(pointer), hook_id, version, payload: payload.into(), ..PerfSpec::default() }
}

fn width(pointer: u8) -> Width {
    if pointer == 8 { Width::Bits64 } else { Width::Bits32 }
}

/// What an event is called, its fields as `name=value`, and how many bytes are left over or why decoding stopped.
pub(crate) fn show(decoded: &Decoded<'_>) -> String {
    let mut text = decoded.names().event.as_deref().unwrap_or("?").to_owned();
    match decoded.certainty() {
        Certainty::Sure => {}
        Certainty::LowerVersion => text.push_str(" (lower version)"),
        _ => text.push_str(" (guess)"),
    }
    let mut fields = decoded.fields();
    for field in fields.by_ref() {
        match field {
            Ok(field) => text.push_str(&format!(" {}={}", field.property.name, value(field.value))),
            Err(error) => text.push_str(&format!(" error: {error}")),
        }
    }
    if !fields.rest().is_empty() {
        text.push_str(&format!(" +{}", fields.rest().len()));
    }
    text
}

fn value(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::UInt(number) => number.to_string(),
        Value::Pointer(number) => format!("0x{number:x}"),
        Value::Str(Str::Utf16(text)) => format!("{text:?}"),
        Value::Str(Str::Ansi(text)) => format!("a{:?}", String::from_utf8_lossy(text)),
        Value::Binary(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        Value::Guid(guid) => guid.to_string(),
        Value::FileTime(time) => time.to_string(),
        Value::Sid(sid) => sid.to_string(),
        Value::Ticks(ticks) => format!("t{ticks}"),
        Value::Array(array) => {
            let elements: Vec<_> = array.iter().map(self::value).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Struct(structure) => {
            let members = structure
                .fields()
                .map(|member| format!("{}={}", member.property.name, self::value(member.value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        other => format!("{other:?}"),
    }
}

/// Bytes of several parts.
#[macro_export]
macro_rules! payload {
    ($($part:expr),* $(,)?) => {{
        let mut bytes: Vec<u8> = Vec::new();
        $(bytes.extend_from_slice(&($part)[..]);)*
        bytes
    }};
}

/// UTF-16 with a zero.
pub(crate) fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}
