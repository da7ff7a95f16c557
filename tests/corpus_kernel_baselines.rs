//! What PerfView printed on Windows of kernel events is what the table of classes gives.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod perfview;

use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use etweir::EtlReader;
use etweir::decode::{Decoded, Decoder, Field, OutType, Str, Value};
use etweir::testkit::corpus;
use perfview::Line;

#[test]
fn every_kernel_field_of_the_perfview_baselines_agrees() {
    let Some(folder) = corpus::folder("every_kernel_field_of_the_perfview_baselines_agrees") else { return };
    let mut sum = Sum::default();
    for entry in fs::read_dir(folder.join("truth/perfview")).expect("the folder of truth") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let lines: Vec<_> = perfview::lines(&path).into_iter().filter(|line| is_kernel(&line.name)).collect();
        sum.compare(&folder.join("etl").join(name.replace(".baseline.txt", ".etl")), &lines);
    }
    assert!(sum.wrong.is_empty(), "{} of {}:\n{}", sum.wrong.len(), sum.agreed, sum.wrong.join("\n"));
    println!("{} fields agree, not compared: {:?}", sum.agreed, sum.not_compared);
    assert_eq!((sum.lines, sum.agreed), (397, 2284));
}

fn is_kernel(name: &str) -> bool {
    ["Windows Kernel/", "KernelTraceControl/", "MSNT_SystemTrace/"]
        .iter()
        .any(|start| name.starts_with(start))
}

/// The event of the table that PerfView calls by this name.
fn event_of(name: &str) -> String {
    let (provider, event) = name.split_once('/').expect("a provider");
    if provider == "KernelTraceControl" {
        return match event {
            "ImageID" => "KernelTraceControl/ImageId",
            "ImageID/None" => "KernelTraceControl/DbgIdNone",
            "ImageID/DbgID_RSDS" => "KernelTraceControl/DbgIdRSDS",
            "ImageID/DbgID_ILRSDS" => "KernelTraceControl/DbgIdILRSDS",
            "ImageID/FileVersion" => "KernelTraceControl/FileVersion",
            "MetaData/EventInfo" => "EventMetadata/EventInfo",
            "MetaData/EventMapInfo" => "EventMetadata/MapInfo",
            other => panic!("no event for {other}"),
        }
        .to_owned();
    }
    let (category, event) = event.split_once('/').unwrap_or((event, "Header"));
    let category = match category {
        "EventTrace" => "EventTraceEvent",
        "Memory" => "PageFault",
        "DiskIO" => "DiskIo",
        "SysConfig" => "SystemConfigEx",
        other => other,
    };
    let event = match (category, event) {
        ("EventTraceEvent", "RundownComplete") => "RDComplete",
        ("Image", "Unload") => "UnLoad",
        ("PerfInfo", "Sample") => "SampleProf",
        ("SystemConfigEx", "Opcode(37)") => "OsVersion",
        ("TcpIp" | "UdpIp", "Send" | "Recv" | "Disconnect" | "Accept") => {
            return format!("{category}/{event}IPV4");
        }
        (_, "Stop") => "End",
        (_, "DCStop") => "DCEnd",
        (_, other) => other,
    };
    format!("{category}/{event}")
}

/// The property that PerfView shows under this name.
fn property_of<'a>(event: &str, name: &'a str) -> &'a str {
    match (event, name) {
        (_, "PageDirectoryBase") => "DirectoryTableBase",
        (_, "MemoryCount") => "PageFaultCount",
        (_, "StartAddr") => "Affinity",
        (_, "GuidSig") => "PdbGuid",
        ("KernelTraceControl/DbgIdRSDS" | "KernelTraceControl/DbgIdILRSDS", "Age") => "PdbAge",
        (_, "SampleSource") => "Source",
        (_, "SessionName") => "SessionNameString",
        ("EventTraceEvent/Header", "LogFileName") => "LogFileNameString",
        (_, "FileKey") => "FileObject",
        ("SystemConfigEx/UnknownVolume", "Value") => "NtPath",
        (_, name) => name,
    }
}

/// What PerfView shows under a field's name is something else in its lines, and why.
const OTHERWISE: [(&str, &str); 4] = [
    // The upper half of the image's size: 0 where the header and the payload say 4.
    ("KernelTraceControl/ImageID", "ProcessID"),
    // What process tracking calls the process, not the text of the payload.
    ("Windows Kernel/SystemConfig/Services", "ProcessName"),
    // The group of the interrupt, which version 3 has in front of its number.
    ("Windows Kernel/SystemConfig/IRQ", "IRQNum"),
    // Nothing, in versions that have a name.
    ("Windows Kernel/SystemConfig/PnP", "PdoName"),
];

#[derive(Default)]
struct Sum {
    lines: usize,
    agreed: usize,
    wrong: Vec<String>,
    /// Fields that PerfView makes of several events, of its own tables of flags, or of the bits of a field.
    not_compared: BTreeMap<String, usize>,
}

/// An event's name, and its fields as a line would show them.
type Shown = (String, Vec<(String, Vec<String>)>);

impl Sum {
    fn compare(&mut self, trace: &Path, lines: &[Line]) {
        let mut by_place: HashMap<(u16, usize), Vec<(i64, Shown)>> = HashMap::new();
        let wanted: HashMap<(u16, usize), Vec<&Line>> =
            lines.iter().fold(HashMap::new(), |mut all: HashMap<_, Vec<_>>, line| {
                all.entry((line.processor, line.data_len)).or_default().push(line);
                all
            });
        let mut reader = EtlReader::open(trace).expect("a trace");
        let header = reader.header().expect("a header").clone();
        let mut decoder = Decoder::new();
        let mut volumes = Vec::new();
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            for event in buffer.events() {
                let event = event.expect("no damage");
                let Some(stamp) = event.time_stamp() else { continue };
                let since = i128::from(stamp.get() - header.time_stamp.get());
                let at = i64::try_from(since * 1_000_000 / i128::from(header.perf_freq)).expect("in range");
                let place = (event.processor_index(), event.user_data().len());
                if !wanted.get(&place).is_some_and(|lines| lines.iter().any(|line| line.is_at(at))) {
                    continue;
                }
                let decoded = decoder.decode(&event);
                if decoded.names().event.as_deref() == Some("SystemConfigEx/VolumeMapping") {
                    volumes.push((text(&decoded, "NtPath"), text(&decoded, "DosPath")));
                }
                by_place.entry(place).or_default().push((at, shown(&decoded)));
            }
        }
        for line in lines {
            let event = event_of(&line.name);
            let place = by_place.get(&(line.processor, line.data_len));
            let candidates: Vec<&Shown> = place
                .into_iter()
                .flatten()
                .filter(|(at, (name, _))| line.is_at(*at) && *name == event)
                .map(|(_, shown)| shown)
                .collect();
            if candidates.is_empty() {
                self.wrong.push(format!("{line:?}: no event"));
                continue;
            }
            // Of several events at one place, that with the fewest differences is the one of the line.
            let outcomes = candidates.iter().map(|(_, fields)| compare(line, &event, fields, &volumes));
            let Some(best) = outcomes.min_by_key(|outcome| outcome.wrong.len()) else { continue };
            self.lines += 1;
            self.agreed += best.agreed;
            self.wrong.extend(best.wrong);
            for (name, count) in best.not_compared {
                *self.not_compared.entry(name).or_default() += count;
            }
        }
    }
}

fn compare(line: &Line, event: &str, fields: &[(String, Vec<String>)], volumes: &[(String, String)]) -> Sum {
    let mut sum = Sum::default();
    for (name, value) in &line.fields {
        if OTHERWISE.contains(&(line.name.as_str(), name.as_str())) {
            continue;
        }
        let property = property_of(event, name);
        let Some((_, texts)) = fields.iter().find(|(own, _)| own.eq_ignore_ascii_case(property)) else {
            *sum.not_compared.entry(name.clone()).or_default() += 1;
            continue;
        };
        let paths: Vec<String> = texts.iter().filter_map(|text| dos_path(text, volumes)).collect();
        let all = || texts.iter().chain(&paths);
        let number = perfview::number(value);
        if all().any(|text| perfview::shows_text(value, text))
            || number.is_some() && all().any(|text| perfview::number(text) == number)
        {
            sum.agreed += 1;
        } else if number.is_none() && texts.iter().any(|text| perfview::number(text).is_some()) {
            // Names of flags.
            *sum.not_compared.entry(name.clone()).or_default() += 1;
        } else {
            sum.wrong.push(format!("{}: {name}={value}, found {texts:?}", line.name));
        }
    }
    sum
}

/// The path under a drive letter, by the longest prefix.
fn dos_path(path: &str, volumes: &[(String, String)]) -> Option<String> {
    let of =
        |(nt, dos): &(String, String)| Some((nt.len(), format!("{dos}{}", path.strip_prefix(nt.as_str())?)));
    if path.starts_with(r"\Windows\") {
        return Some(format!("C:{path}"));
    }
    if let Some(share) = path.strip_prefix(r"\Device\Mup\") {
        return Some(format!(r"\\{share}"));
    }
    volumes.iter().filter_map(of).max_by_key(|(len, _)| *len).map(|(_, path)| path)
}

fn shown(decoded: &Decoded<'_>) -> Shown {
    let name = decoded.names().event.as_deref().unwrap_or_default().to_owned();
    let fields = decoded.fields().map(|field| field.expect("a value"));
    (name, fields.map(|field| (field.property.name.to_string(), texts(&field))).collect())
}

fn text(decoded: &Decoded<'_>, name: &str) -> String {
    let field = decoded.field(name).expect("a field");
    texts(&field).swap_remove(0)
}

/// The ways in which PerfView may show a value.
fn texts(field: &Field<'_>) -> Vec<String> {
    let one = match (field.value, field.property.out_type) {
        (Value::UInt(number), OutType::Port) => {
            u16::try_from(number).expect("a port").swap_bytes().to_string()
        }
        (Value::UInt(number), OutType::Ipv4) => {
            Ipv4Addr::from(u32::try_from(number).expect("an address").to_le_bytes()).to_string()
        }
        (Value::Binary(bytes), OutType::Ipv6) => {
            Ipv6Addr::from(<[u8; 16]>::try_from(bytes).expect("an address")).to_string()
        }
        // Some unsigned numbers are shown as signed ones.
        (Value::UInt(number), _) => {
            return vec![number.to_string(), (number as u32 as i32).to_string(), (number as i64).to_string()];
        }
        (Value::Int(number), _) => number.to_string(),
        (Value::Pointer(number), _) => format!("0x{number:x}"),
        (Value::Bool(flag), _) => u8::from(flag).to_string(),
        (Value::Guid(guid), _) => guid.to_string(),
        // 2016-05-26T20:17:26.9774997Z -> 16/05/26 20:17:26.9774997
        (Value::FileTime(time), _) => {
            time.to_string()[2..].trim_end_matches('Z').replace('-', "/").replace('T', " ")
        }
        (Value::Str(Str::Utf16(text)), _) => text.to_string(),
        (Value::Str(Str::Ansi(text)), _) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    vec![one]
}
