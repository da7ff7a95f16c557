//! Real traces give exactly what independent decoders found in them.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use etweir::record::{ExtendedType, RecordKind};
use etweir::testkit::corpus;
use etweir::trace::{Event, LogFileHeader};
use etweir::{EtlReader, FileTime, Ticks};
use serde_json::{Value, json};

#[test]
fn every_trace_has_the_records_and_the_header_that_other_decoders_found() {
    let Some(folder) = corpus::folder("every_trace_has_the_records_and_the_header_that_other_decoders_found")
    else {
        return;
    };
    let mut files = 0;
    for entry in fs::read_dir(folder.join("truth/records")).expect("the folder of truth") {
        let path = entry.expect("an entry").path();
        let truth: Value = serde_json::from_slice(&fs::read(&path).expect("a readable file")).expect("JSON");
        let name = truth["file"].as_str().expect("a name");
        let found = summary(&folder.join("etl").join(name));
        for key in [
            "buffers",
            "compressed_buffers",
            "cpus",
            "records",
            "kinds",
            "timestamps",
            "ext_data_types",
            "counts",
        ] {
            assert_eq!(found[key], truth[key], "{name}: {key}");
        }
        let header = found["header"].as_object().expect("a header");
        for (key, value) in header {
            assert_eq!(value, &truth["header"][key], "{name}: header {key}");
        }
        files += 1;
    }
    assert_eq!(files, 24);
}

fn summary(path: &Path) -> Value {
    let mut reader = EtlReader::open(path).expect("a trace");
    let header = header(reader.header().expect("a header"));
    let mut counts = Counts::default();
    let (mut buffers, mut compressed) = (0, 0);
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        buffers += 1;
        compressed += u64::from(buffer.is_compressed());
        *counts.cpus.entry(buffer.header().processor_index()).or_default() += 1;
        for event in buffer.events() {
            counts.add(&event.expect("no damage"));
        }
    }
    assert!(reader.damage().is_empty(), "{}: {:?}", path.display(), reader.damage());
    assert_eq!(reader.offset().get(), fs::metadata(path).expect("a file").len());
    let stamps = &counts.time_stamps;
    json!({
        "header": header,
        "buffers": buffers,
        "compressed_buffers": compressed,
        "cpus": counts.cpus.keys().collect::<Vec<_>>(),
        "records": counts.records,
        "kinds": counts.kinds,
        "timestamps": {
            "first": stamps.first().map(|stamp| stamp.get()),
            "last": stamps.last().map(|stamp| stamp.get()),
            "min": stamps.iter().min().map(|stamp| stamp.get()),
            "max": stamps.iter().max().map(|stamp| stamp.get()),
        },
        "ext_data_types": counts.items,
        "counts": {
            "system_hooks(group/type/version)": counts.hooks,
            "classic(guid/opcode/version)": counts.classic,
            "event(guid/id/version)": counts.events,
            "wpp(guid/msgno)": counts.messages,
        },
    })
}

fn header(header: &LogFileHeader) -> Value {
    let LogFileHeader { major_version, minor_version, sub_version, sub_minor_version, .. } = header;
    json!({
        "BufferSize": header.buffer_size,
        "Version": format!("{major_version}.{minor_version}.{sub_version}.{sub_minor_version}"),
        "OSBuild": header.provider_version,
        "NumProcs": header.number_of_processors,
        "EndTime": header.end_time.get(),
        "TimerResolution": header.timer_resolution,
        "MaximumFileSize": header.maximum_file_size,
        "LogFileMode": format!("{:#x}", header.log_file_mode.0),
        "BuffersWritten": header.buffers_written,
        "StartBuffers": header.start_buffers,
        "PointerSize": header.pointer_size,
        "EventsLost": header.events_lost,
        "CpuSpeedMHz": header.cpu_speed_in_mhz,
        "BootTime": header.boot_time.get(),
        "PerfFreq": header.perf_freq,
        "StartTime": header.start_time.get(),
        "ClockType": header.clock_type.0,
        "BuffersLost": header.buffers_lost,
        "LoggerName": header.logger_name,
        "LogFileName": header.log_file_name,
        "StartTimeUTC": microseconds(header.start_time),
        "EndTimeUTC": (header.end_time.get() != 0).then(|| microseconds(header.end_time)),
        "HeaderRecordTimestamp": header.time_stamp.get(),
    })
}

/// Six digits, cut, as in the truth.
fn microseconds(time: FileTime) -> String {
    let text = time.to_string();
    format!("{}Z", &text[..text.len() - 2])
}

#[derive(Default)]
struct Counts {
    records: u64,
    cpus: BTreeMap<u16, u64>,
    kinds: BTreeMap<String, u64>,
    time_stamps: Vec<Ticks>,
    items: BTreeMap<String, u64>,
    hooks: BTreeMap<String, u64>,
    classic: BTreeMap<String, u64>,
    events: BTreeMap<String, u64>,
    messages: BTreeMap<String, u64>,
}

impl Counts {
    fn add(&mut self, event: &Event<'_>) {
        self.records += 1;
        self.time_stamps.extend(event.time_stamp());
        for item in event.extended_data() {
            let ExtendedType(number) = item.ext_type();
            *self.items.entry(number.to_string()).or_default() += 1;
        }
        let kind = match event.kind() {
            RecordKind::System32 => "SYSTEM32",
            RecordKind::System64 => "SYSTEM64",
            RecordKind::PerfInfo32 => "PERFINFO32",
            RecordKind::PerfInfo64 => "PERFINFO64",
            RecordKind::Full32 => "FULL_HEADER32",
            RecordKind::Full64 => "FULL_HEADER64",
            RecordKind::Event32 => "EVENT_HEADER32",
            RecordKind::Event64 => "EVENT_HEADER64",
            RecordKind::Message => "MESSAGE",
            other => panic!("no truth has the kind {other}"),
        };
        *self.kinds.entry(kind.to_owned()).or_default() += 1;
        let (provider, id, opcode, version) =
            (event.provider_id(), event.id(), event.opcode(), event.version());
        let (identities, identity) = match (event.hook_id(), event.kind()) {
            (Some(hook), _) => (&mut self.hooks, format!("{:02x}/{opcode:02x}/v{version}", hook >> 8)),
            (_, RecordKind::Message) => (&mut self.messages, format!("{provider}/{id}")),
            (_, RecordKind::Event32 | RecordKind::Event64) => {
                (&mut self.events, format!("{provider}/{id}/v{version}"))
            }
            _ => (&mut self.classic, format!("{provider}/{opcode}/v{version}")),
        };
        *identities.entry(identity).or_default() += 1;
    }
}
