//! How long it takes from an event to all of its typed values, and to JSON: nanoseconds an event, for common shapes.
//!
//! The payloads are as long as real ones. Machines are noisy: the best round is shown beside the median one.
//! `cargo bench --features testkit,json --bench decode`.
#![allow(clippy::indexing_slicing, reason = "a panic is how a benchmark fails")]

use core::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use etweir::Guid;
use etweir::buffer::BufferView;
use etweir::decode::format::Formatting;
use etweir::decode::{
    Decoder, EventNames, Exactness, Found, InType, Property, Query, Schema, SchemaKind, SchemaSource, Str,
    Value,
};
use etweir::trace::{Event, SessionInfo, TraceBuffer};
use etweir::write::{BufferSpec, EventSpec, RecordSpec, SystemSpec};

/// Rounds are short, so that some of them run undisturbed.
/// Events of one shape in a buffer, so that they stay in the first-level cache as they do when they were just read.
const EVENTS: usize = 32;
const REPEAT: usize = 200;
const ROUNDS: usize = 500;

fn main() {
    println!("ns an event, {ROUNDS} rounds of {} events: best (median)", EVENTS * REPEAT);
    println!(
        "{:<20} {:>6} {:>5} {:>14} {:>14} {:>14} {:>14}",
        "shape", "fields", "bytes", "all values", "walk alone", "one by name", "to JSON"
    );
    let modern = [process_start(), thread_start(), registry(), file_create(), rpc()];
    let known = Known(modern.iter().map(|shape| (shape.id, Arc::clone(&shape.schema))).collect());
    let decoder = Decoder::with_sources(vec![Arc::new(known)], &etweir::Limits::default());
    measure("five manifest events", &modern, &decoder);
    let decoder = Decoder::new();
    let classic =
        [kernel_process(), kernel_thread(), kernel_registry(), kernel_file_create(), kernel_switch()];
    measure("five kernel events", &classic, &decoder);
}

/// Each shape alone, then all in turn.
fn measure(name: &str, shapes: &[Shape], decoder: &Decoder) {
    for shape in shapes {
        let bytes = buffer(&[shape]);
        let buffer = view(&bytes);
        let events: Vec<Event<'_>> = buffer.events().flatten().collect();
        let mut decoder = decoder.clone();
        let decoded = time(&events, |event| decode_all(&mut decoder, event));
        let alone = time(&events, |event| {
            let fields = shape.schema.fields(event.user_data(), 8);
            fields.flatten().fold(0, |sum, field| sum ^ touch(field.value))
        });
        let one = time(&events, |event| decoder.decode(event).get_u64(shape.wanted).expect("it is there"));
        let (formatting, mut line) = (Formatting::default(), Vec::with_capacity(4096));
        let json = time(&events, |event| {
            line.clear();
            let mut fields = decoder.decode(event).fields();
            formatting.write_json_fields(&mut fields, &mut line).expect("a whole payload");
            line.len() as u64
        });
        let fields = shape.schema.fields(&shape.payload, 8).count();
        println!(
            "{:<20} {fields:>6} {:>5} {decoded:>14} {alone:>14} {one:>14} {json:>14}",
            shape.name,
            shape.payload.len()
        );
    }
    let all: Vec<&Shape> = shapes.iter().collect();
    let bytes = buffer(&all);
    let buffer = view(&bytes);
    let events: Vec<Event<'_>> = buffer.events().flatten().collect();
    let mut decoder = decoder.clone();
    let mixed = time(&events, |event| decode_all(&mut decoder, event));
    println!("{name:<20} {:>6} {:>5} {mixed:>14}", "", "");
}

fn decode_all(decoder: &mut Decoder, event: &Event<'_>) -> u64 {
    let mut sum = 0;
    for field in decoder.decode(event).fields() {
        sum ^= touch(field.expect("a whole payload").value);
    }
    sum
}

/// Something of every value, so that none is left out; what text says is the business of whoever prints it.
fn touch(value: Value<'_>) -> u64 {
    match value {
        Value::UInt(value) | Value::Pointer(value) => value,
        Value::Int(value) => value as u64,
        Value::Bool(value) => value.into(),
        Value::Str(Str::Utf16(text)) => text.as_bytes().len() as u64,
        Value::Str(Str::Ansi(text)) => text.len() as u64,
        Value::FileTime(time) => time.get() as u64,
        Value::Guid(guid) => u128::from_le_bytes(guid.to_bytes()) as u64,
        Value::Sid(sid) => sid.as_bytes().len() as u64,
        _ => 0,
    }
}

struct Shape {
    name: &'static str,
    id: u16,
    /// Of a kernel event its hook id and version.
    hook: Option<(u16, u8)>,
    schema: Arc<Schema>,
    payload: Vec<u8>,
    /// The number that is asked for by name.
    wanted: &'static str,
}

impl Shape {
    fn record(&self) -> RecordSpec {
        let payload = self.payload.clone();
        match self.hook {
            Some((hook_id, version)) => {
                SystemSpec { hook_id, version, payload, ..SystemSpec::default() }.into()
            }
            None => {
                let provider_id = Guid::from_bytes([7; 16]);
                EventSpec { provider_id, id: self.id, payload, ..EventSpec::default() }.into()
            }
        }
    }
}

struct Known(Vec<(u16, Arc<Schema>)>);

impl SchemaSource for Known {
    fn find(&self, query: &Query<'_>) -> Found {
        let known = self.0.iter().find(|(id, _)| *id == query.event().id());
        known.map_or_else(Found::nothing, |(_, schema)| Found::one(Arc::clone(schema)))
    }
}

/// Best and median of the rounds.
fn time(events: &[Event<'_>], mut work: impl FnMut(&Event<'_>) -> u64) -> String {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..REPEAT {
                for event in events {
                    black_box(work(black_box(event)));
                }
            }
            start.elapsed().as_secs_f64() * 1e9 / (REPEAT * events.len()) as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    format!("{:.1} ({:.1})", rounds[0], rounds[ROUNDS / 2])
}

fn buffer(shapes: &[&Shape]) -> Vec<u8> {
    let records = shapes.iter().cycle().take(EVENTS);
    records.fold(BufferSpec::new(65_536), |buffer, shape| buffer.record(&shape.record())).to_bytes()
}

fn view(bytes: &[u8]) -> TraceBuffer<'_> {
    TraceBuffer::new(BufferView::parse(bytes).expect("a good buffer"), SessionInfo::unknown())
}

fn shape(
    name: &'static str,
    id: u16,
    fields: &[(&'static str, InType, &[u8])],
    wanted: &'static str,
) -> Shape {
    let properties: Vec<Property> =
        fields.iter().map(|&(name, in_type, _)| Property::new(name, in_type)).collect();
    let top_level = properties.len() as u16;
    let schema = Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level);
    Shape {
        name,
        id,
        hook: None,
        schema: Arc::new(schema.expect("a valid schema")),
        payload: fields.iter().flat_map(|&(_, _, bytes)| bytes.to_vec()).collect(),
        wanted,
    }
}

/// A kernel event: the schema is that of the library.
fn kernel(name: &'static str, hook_id: u16, version: u8, payload: &[&[u8]], wanted: &'static str) -> Shape {
    let mut shape = Shape {
        name,
        id: 0,
        hook: Some((hook_id, version)),
        schema: Arc::new(Schema::new(SchemaKind::Kernel, EventNames::default(), vec![], 0).expect("valid")),
        payload: payload.concat(),
        wanted,
    };
    let bytes = buffer(&[&shape]);
    let event = view(&bytes);
    let event = event.events().flatten().next().expect("an event");
    let mut decoder = Decoder::new();
    let decoded = decoder.decode(&event);
    assert_eq!(decoded.outcome().exactness, Exactness::Wholly, "{name}");
    shape.schema = Arc::new(decoded.schema().expect("a row of the table").clone());
    shape
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

const POINTER: &[u8] = &[0x10, 0x20, 0x30, 0x40, 0x80, 0xFA, 0xFF, 0xFF];
const NUMBER: &[u8] = &[0x34, 0x12, 0, 0];

fn process_start() -> Shape {
    shape(
        "Process start",
        1,
        &[
            ("ProcessID", InType::UInt32, NUMBER),
            ("ProcessSequenceNumber", InType::UInt64, POINTER),
            ("CreateTime", InType::FileTime, &[0, 0x80, 0x3E, 0xD5, 0xDE, 0xB1, 0x9D, 1]),
            ("ParentProcessID", InType::UInt32, NUMBER),
            ("ParentProcessSequenceNumber", InType::UInt64, POINTER),
            ("SessionID", InType::UInt32, NUMBER),
            ("Flags", InType::UInt32, NUMBER),
            ("ProcessTokenElevationType", InType::UInt32, NUMBER),
            ("ProcessTokenIsElevated", InType::UInt32, NUMBER),
            ("MandatoryLabel", InType::Sid, &[1, 1, 0, 0, 0, 0, 0, 16, 0, 0x20, 0, 0]),
            (
                "ImageName",
                InType::UnicodeString,
                &utf16(r"\Device\HarddiskVolume3\Windows\System32\svchost.exe"),
            ),
            ("ImageChecksum", InType::HexInt32, NUMBER),
            ("TimeDateStamp", InType::HexInt32, NUMBER),
            ("PackageFullName", InType::UnicodeString, &utf16("")),
            ("PackageRelativeAppId", InType::UnicodeString, &utf16("")),
            ("SecurityMitigations", InType::HexInt64, POINTER),
        ],
        "TimeDateStamp",
    )
}

fn thread_start() -> Shape {
    shape(
        "Thread start",
        3,
        &[
            ("ProcessID", InType::UInt32, NUMBER),
            ("ThreadID", InType::UInt32, NUMBER),
            ("StackBase", InType::Pointer, POINTER),
            ("StackLimit", InType::Pointer, POINTER),
            ("UserStackBase", InType::Pointer, POINTER),
            ("UserStackLimit", InType::Pointer, POINTER),
            ("StartAddr", InType::Pointer, POINTER),
            ("Win32StartAddr", InType::Pointer, POINTER),
            ("TebBase", InType::Pointer, POINTER),
            ("SubProcessTag", InType::UInt32, NUMBER),
        ],
        "ThreadID",
    )
}

fn registry() -> Shape {
    shape(
        "Registry",
        10,
        &[
            ("BaseObject", InType::Pointer, POINTER),
            ("KeyObject", InType::Pointer, POINTER),
            ("Status", InType::UInt32, NUMBER),
            ("Disposition", InType::UInt32, NUMBER),
            ("BaseName", InType::UnicodeString, &utf16(r"\REGISTRY\MACHINE")),
            (
                "RelativeName",
                InType::UnicodeString,
                &utf16(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\GRE_Initialize"),
            ),
        ],
        "Status",
    )
}

fn file_create() -> Shape {
    shape(
        "File create",
        12,
        &[
            ("Irp", InType::Pointer, POINTER),
            ("FileObject", InType::Pointer, POINTER),
            ("IssuingThreadId", InType::UInt32, NUMBER),
            ("CreateOptions", InType::HexInt32, NUMBER),
            ("CreateAttributes", InType::HexInt32, NUMBER),
            ("ShareAccess", InType::HexInt32, NUMBER),
            (
                "FileName",
                InType::UnicodeString,
                &utf16(r"\Device\HarddiskVolume3\Users\user\AppData\Local\Temp\a.tmp"),
            ),
        ],
        "IssuingThreadId",
    )
}

fn rpc() -> Shape {
    shape(
        "RPC",
        5,
        &[
            ("InterfaceUuid", InType::Guid, &[0x5A; 16]),
            ("ProcNum", InType::UInt32, NUMBER),
            ("Protocol", InType::UInt32, NUMBER),
            ("NetworkAddress", InType::UnicodeString, &utf16("NULL")),
            ("Endpoint", InType::UnicodeString, &utf16("LRPC-1b4a5c1f27e9c3c2d1")),
            ("Options", InType::UnicodeString, &utf16("")),
            ("AuthenticationLevel", InType::UInt32, NUMBER),
            ("AuthenticationService", InType::UInt32, NUMBER),
            ("ImpersonationLevel", InType::UInt32, NUMBER),
        ],
        "AuthenticationLevel",
    )
}

/// A `TOKEN_USER` and the SID of the local system.
const SYSTEM: &[u8] = &[
    0x10, 0x20, 0x30, 0x40, 0x80, 0xFA, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0,
    0,
];

fn kernel_process() -> Shape {
    let command = utf16(r"C:\Windows\System32\svchost.exe -k netsvcs -p -s Schedule");
    let parts = [
        POINTER,
        NUMBER,
        NUMBER,
        NUMBER,
        NUMBER,
        POINTER,
        NUMBER,
        SYSTEM,
        b"svchost.exe\0",
        &command,
        &[0, 0],
        &[0, 0],
    ];
    kernel("Process/Start v4", 0x0301, 4, &parts, "ParentId")
}

fn kernel_thread() -> Shape {
    let parts = [
        NUMBER,
        NUMBER,
        POINTER,
        POINTER,
        POINTER,
        POINTER,
        POINTER,
        POINTER,
        POINTER,
        NUMBER,
        &[8],
        &[5],
        &[2],
        &[0],
        &[0, 0],
    ];
    kernel("Thread/Start v3", 0x0501, 3, &parts, "TThreadId")
}

fn kernel_registry() -> Shape {
    let key = utf16(r"\REGISTRY\MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion");
    kernel("Registry/Open v2", 0x090B, 2, &[POINTER, NUMBER, NUMBER, POINTER, &key], "Status")
}

fn kernel_file_create() -> Shape {
    let path = utf16(r"\Device\HarddiskVolume3\Users\user\AppData\Local\Temp\a.tmp");
    let parts = [POINTER, POINTER, NUMBER, NUMBER, NUMBER, NUMBER, &path];
    kernel("FileIo/Create v3", 0x0440, 3, &parts, "TTID")
}

fn kernel_switch() -> Shape {
    kernel("Thread/CSwitch v4", 0x0524, 4, &[NUMBER, NUMBER, &[8; 8], NUMBER, NUMBER], "NewThreadId")
}
