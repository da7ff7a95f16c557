//! How fast payloads become JSON and text: decoded and written straight, through `serde_json`, as words for a line, and the
//! decoding alone.
//!
//! All run over the same payloads in turn, several rounds in one process, since machines differ and are noisy: only the ratio
//! within one run means something. `cargo bench --features json --bench json`.
#![allow(clippy::indexing_slicing, reason = "a panic is how a benchmark fails")]

use core::hint::black_box;
use core::time::Duration;
use std::io::Write;
use std::time::Instant;

use etweir::decode::format::Formatting;
use etweir::decode::{EventNames, InType, OutType, Property, Schema, SchemaKind};

const ROUNDS: usize = 7;
const EVENTS: usize = 100_000;

fn main() {
    println!("{ROUNDS} rounds of {EVENTS} events");
    for shape in [process_start(), thread_start(), registry(), file_create(), rpc(), tracelogging()] {
        shape.measure();
    }
}

/// A schema and a payload of it.
struct Shape {
    name: &'static str,
    schema: Schema,
    payload: Vec<u8>,
}

impl Shape {
    fn new(name: &'static str, fields: Vec<(Property, Vec<u8>)>) -> Self {
        let (properties, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
        let top_level = u16::try_from(properties.len()).expect("few");
        let schema = Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level);
        Self { name, schema: schema.expect("a schema"), payload: values.concat() }
    }

    fn measure(&self) {
        let formatting = Formatting::default();
        let mut line = Vec::with_capacity(4096);
        let mut run = |f: &mut dyn FnMut(&mut Vec<u8>)| {
            let start = Instant::now();
            let mut bytes = 0;
            for _ in 0..EVENTS {
                line.clear();
                f(black_box(&mut line));
                bytes += line.len();
            }
            (start.elapsed(), bytes / EVENTS)
        };
        let [mut walk, mut direct, mut serde, mut text] = [(); 4].map(|()| Best::default());
        for _ in 0..ROUNDS {
            walk.add(run(&mut |_| {
                for field in self.schema.fields(black_box(&self.payload), 8) {
                    black_box(field.expect("a whole payload").value);
                }
            }));
            direct.add(run(&mut |line| {
                let mut fields = self.schema.fields(black_box(&self.payload), 8);
                formatting.write_json_fields(&mut fields, line).expect("a whole payload");
            }));
            serde.add(run(&mut |line| {
                let fields = self.schema.fields(black_box(&self.payload), 8);
                serde_json::to_writer(line, &formatting.json_fields(fields)).expect("memory");
            }));
            text.add(run(&mut |line| {
                for field in self.schema.fields(black_box(&self.payload), 8) {
                    let field = field.expect("a whole payload");
                    let word = formatting.text(field.property, field.value).quoted();
                    write!(line, " {}={word}", field.property.name).expect("memory");
                }
            }));
        }
        println!(
            "{:<14} {:>4} bytes of payload, {:>4} of JSON: decode {:>4.0} ns; direct {:>5.0} ns {:>5.0} MB/s; serde_json {:>5.0} ns, {:.2} times; text {:>5.0} ns {:>5.0} MB/s",
            self.name,
            self.payload.len(),
            direct.bytes,
            walk.nanoseconds(),
            direct.nanoseconds(),
            1000.0 * direct.bytes as f64 / direct.nanoseconds(),
            serde.nanoseconds(),
            serde.nanoseconds() / direct.nanoseconds(),
            text.nanoseconds(),
            1000.0 * text.bytes as f64 / text.nanoseconds(),
        );
    }
}

#[derive(Default)]
struct Best {
    time: Option<Duration>,
    bytes: usize,
}

impl Best {
    fn add(&mut self, (time, bytes): (Duration, usize)) {
        self.time = Some(self.time.map_or(time, |best| best.min(time)));
        self.bytes = bytes;
    }

    fn nanoseconds(&self) -> f64 {
        self.time.unwrap_or_default().as_secs_f64() * 1e9 / EVENTS as f64
    }
}

fn u16_field(name: &'static str, value: u16) -> (Property, Vec<u8>) {
    (Property::new(name, InType::UInt16), value.to_le_bytes().to_vec())
}

fn u32_field(name: &'static str, value: u32) -> (Property, Vec<u8>) {
    (Property::new(name, InType::UInt32), value.to_le_bytes().to_vec())
}

fn u64_field(name: &'static str, value: u64) -> (Property, Vec<u8>) {
    (Property::new(name, InType::UInt64), value.to_le_bytes().to_vec())
}

fn pointer(name: &'static str, value: u64) -> (Property, Vec<u8>) {
    (Property::new(name, InType::Pointer), value.to_le_bytes().to_vec())
}

fn text(name: &'static str, value: &str) -> (Property, Vec<u8>) {
    let bytes = value.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    (Property::new(name, InType::UnicodeString), bytes)
}

fn as_type(out_type: OutType, (property, bytes): (Property, Vec<u8>)) -> (Property, Vec<u8>) {
    (property.shown_as(out_type), bytes)
}

const FILE_TIME: u64 = 132_756_731_757_993_232;
const IMAGE: &str = "\\Device\\HarddiskVolume3\\Windows\\System32\\svchost.exe";

fn file_time(name: &'static str) -> (Property, Vec<u8>) {
    (Property::new(name, InType::FileTime), FILE_TIME.to_le_bytes().to_vec())
}

fn process_start() -> Shape {
    let sid = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0].to_vec();
    Shape::new(
        "Process start",
        vec![
            u32_field("ProcessID", 4712),
            u64_field("ProcessSequenceNumber", 1187),
            file_time("CreateTime"),
            u32_field("ParentProcessID", 812),
            u64_field("ParentProcessSequenceNumber", 14),
            u32_field("SessionID", 0),
            u32_field("Flags", 0),
            u32_field("ProcessTokenElevationType", 1),
            u32_field("ProcessTokenIsElevated", 1),
            (Property::new("MandatoryLabel", InType::Sid), sid),
            text("ImageName", IMAGE),
            as_type(OutType::Hex, u32_field("ImageChecksum", 0x1_4E3F)),
            as_type(OutType::Hex, u32_field("TimeDateStamp", 0xB850_2A33)),
            text("PackageFullName", ""),
            text("PackageRelativeAppId", ""),
            as_type(OutType::NtStatus, u32_field("ExitStatus", 259)),
        ],
    )
}

fn thread_start() -> Shape {
    Shape::new(
        "Thread start",
        vec![
            as_type(OutType::Pid, u32_field("ProcessID", 4712)),
            as_type(OutType::Tid, u32_field("ThreadID", 9120)),
            pointer("StackBase", 0xFFFF_F80E_6A2F_1000),
            pointer("StackLimit", 0xFFFF_F80E_6A2E_A000),
            pointer("UserStackBase", 0x12_3450_0000),
            pointer("UserStackLimit", 0x12_344F_0000),
            pointer("StartAddr", 0x7FF8_1234_5678),
            pointer("Win32StartAddr", 0x7FF8_1234_5678),
            pointer("TebBase", 0x12_3400_0000),
            as_type(OutType::Hex, u32_field("SubProcessTag", 0)),
        ],
    )
}

fn registry() -> Shape {
    Shape::new(
        "Registry",
        vec![
            pointer("BaseObject", 0),
            pointer("KeyObject", 0xFFFF_AB09_1234_5670),
            as_type(OutType::NtStatus, u32_field("Status", 0xC000_0034)),
            u32_field("Disposition", 2),
            text("BaseName", ""),
            text(
                "RelativeName",
                "\\REGISTRY\\MACHINE\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options",
            ),
        ],
    )
}

fn file_create() -> Shape {
    Shape::new(
        "File create",
        vec![
            pointer("Irp", 0xFFFF_AB09_1234_5670),
            pointer("FileObject", 0xFFFF_AB09_7654_3210),
            as_type(OutType::Tid, u32_field("IssuingThreadId", 9120)),
            as_type(OutType::Hex, u32_field("CreateOptions", 0x0120_0000)),
            as_type(OutType::Hex, u32_field("CreateAttributes", 0x80)),
            as_type(OutType::Hex, u32_field("ShareAccess", 7)),
            text("FileName", IMAGE),
        ],
    )
}

fn rpc() -> Shape {
    let interface = (0_u8..16).map(|byte| byte * 17).collect();
    Shape::new(
        "RPC",
        vec![
            (Property::new("InterfaceUuid", InType::Guid), interface),
            u32_field("ProcNum", 11),
            u32_field("Protocol", 3),
            text("NetworkAddress", "NULL"),
            text("Endpoint", "LRPC-0a1b2c3d4e5f607182"),
            text("Options", "NULL"),
            u32_field("AuthenticationLevel", 6),
            u32_field("AuthenticationService", 10),
            u32_field("ImpersonationLevel", 3),
        ],
    )
}

fn tracelogging() -> Shape {
    Shape::new(
        "All kinds",
        vec![
            (Property::new("Double", InType::Double), 0.1_f64.to_le_bytes().to_vec()),
            (Property::new("Boolean", InType::Boolean), 1_u32.to_le_bytes().to_vec()),
            (Property::new("Ansi", InType::AnsiString), b"Microsoft.Windows.Sample\0".to_vec()),
            as_type(OutType::Port, u16_field("Port", 443)),
            as_type(OutType::Ipv4, u32_field("Address", 0x0100_007F)),
            (
                Property::new("Time", InType::SystemTime),
                [0xE5, 7, 9, 0, 4, 0, 9, 0, 14, 0, 59, 0, 35, 0, 31, 3].to_vec(),
            ),
            text("Text", "Grüße aus München – 5 €"),
            (
                Property::new("Binary", InType::CountedBinary),
                [32_u16.to_le_bytes().as_slice(), &[0xA5; 32]].concat(),
            ),
        ],
    )
}
