//! Values of payloads agree with what PerfView printed on Windows, wherever its lines show a field by name.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod manifests;
mod perfview;

use core::net::{Ipv4Addr, Ipv6Addr};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use etweir::EtlReader;
use etweir::decode::format::EventName;
use etweir::decode::{Decoded, Decoder, Field, OutType, SchemaKind, Str, Value, ValueMap, ValueMapKind};
use etweir::prescan::prescan;
use etweir::testkit::corpus;
use perfview::{Line, number, shows_text};

/// What the lines of a baseline show of events with a schema in the trace or in the event.
#[derive(Debug, Default, Eq, PartialEq)]
struct Agreement {
    /// Lines with an event whose fields all agree.
    lines: usize,
    /// Their fields that have a property of the same name.
    fields: usize,
    /// Fields that PerfView computes, or that only newer versions of the event have.
    unnamed: BTreeSet<String>,
    /// Lines that no event agrees with.
    wrong: Vec<String>,
}

#[test]
fn event_lines_of_perfview_show_the_values() {
    let Some(folder) = corpus::folder("event_lines_of_perfview_show_the_values") else { return };
    for (name, lines, fields) in [
        ("perfview-gcevents-circular", 0, 0),
        ("perfview-net45-x86", 46, 132),
        ("perfview-net452-x86-compressed", 248, 1010),
        ("perfview-primitive-types", 5, 60),
    ] {
        let agreement = agreement(&folder, name, Decoder::new());
        println!("{name}: {} lines, {} fields", agreement.lines, agreement.fields);
        assert!(agreement.wrong.is_empty(), "{name}: {:#?}", agreement.wrong);
        let mut unnamed = agreement.unnamed.iter().filter(|name| !WITHOUT_PROPERTY.contains(&&***name));
        assert_eq!(unnamed.next(), None, "{name}");
        assert_eq!((agreement.lines, agreement.fields), (lines, fields), "{name}");
    }
}

#[test]
fn event_lines_of_the_clr_show_the_values_that_its_public_manifest_gives() {
    let Some(folder) =
        corpus::folder("event_lines_of_the_clr_show_the_values_that_its_public_manifest_gives")
    else {
        return;
    };
    for (name, lines, fields) in [("perfview-gcevents-circular", 33, 103), ("perfview-net45-x86", 299, 1646)]
    {
        let mut decoder = Decoder::new();
        let manifest = manifests::read(&folder.join("manifests/ClrEtwAll.man"));
        decoder.push_source(Arc::new(manifests::Providers(manifest.providers().to_vec())));
        let agreement = agreement(&folder, name, decoder);
        println!("{name}: {} lines, {} fields", agreement.lines, agreement.fields);
        // Fields without a property are those of newer versions of the events.
        assert!(agreement.wrong.is_empty(), "{name}: {:#?}", agreement.wrong);
        assert_eq!((agreement.lines, agreement.fields), (lines, fields), "{name}");
    }
}

/// What PerfView computes, calls otherwise than the provider, or knows of newer versions of an event.
const WITHOUT_PROPERTY: [&str; 19] = [
    "AssociatedObjectID",
    "ClientSequenceNumber",
    "CreateDisposition",
    "Depth",
    "DurationNs",
    "FileAttributes",
    "GenerationSize4",
    "IrpPtr",
    "LockID",
    "LockOwnerThreadID",
    "ModuleILFileName",
    "ObjectSize",
    "OptimizationTier",
    "ReJITID",
    "TotalHeapSize",
    "TotalPromoted",
    "TotalPromotedSize4",
    "TypeName",
    "TypeName_0",
];

fn agreement(folder: &Path, name: &str, mut decoder: Decoder) -> Agreement {
    let lines = perfview::lines(&folder.join(format!("truth/perfview/{name}.baseline.txt")));
    let trace = folder.join(format!("etl/{name}.etl"));
    let mut places: BTreeMap<(u16, usize), Vec<usize>> = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        places.entry((line.processor, line.data_len)).or_default().push(index);
    }
    prescan(&mut EtlReader::open(&trace).expect("a trace"), &mut decoder).expect("a readable file");
    let mut reader = EtlReader::open(&trace).expect("a trace");
    let header = reader.header().expect("a header").clone();
    let mut agreement = Agreement::default();
    // The best event of each line: what does not agree of it.
    let mut best: BTreeMap<usize, (usize, Vec<String>)> = BTreeMap::new();
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events().flatten() {
            let place = (event.processor_index(), event.user_data().len());
            let (Some(stamp), Some(candidates)) = (event.time_stamp(), places.get(&place)) else { continue };
            let since = i128::from(stamp.get() - header.time_stamp.get()) * 1_000_000;
            let microseconds = i64::try_from(since / i128::from(header.perf_freq)).expect("in range");
            for &index in candidates.iter().filter(|&&index| lines[index].is_at(microseconds)) {
                let decoded = decoder.decode(&event);
                let is_described = matches!(
                    decoded.kind(),
                    Some(SchemaKind::Trace | SchemaKind::TraceLogging | SchemaKind::Manifest)
                );
                if !is_described || !names_agree(&lines[index], &decoded, event.opcode()) {
                    continue;
                }
                let (fields, wrong) = compare(&lines[index], &decoded, &mut agreement.unnamed);
                if best.get(&index).is_none_or(|(_, known)| wrong.len() < known.len()) {
                    best.insert(index, (fields, wrong));
                }
            }
        }
    }
    for (index, (fields, wrong)) in best {
        agreement.lines += 1;
        agreement.fields += fields;
        agreement.wrong.extend(wrong.iter().map(|wrong| format!("{}: {wrong}", lines[index].name)));
    }
    agreement
}

/// Of EventSources PerfView shows the names of the manifest, of other providers those that it knows itself.
fn names_agree(line: &Line, decoded: &Decoded<'_>, opcode: u8) -> bool {
    let provider = decoded.provider_name().expect("a provider");
    let Some(event) = line.name.strip_prefix(&*provider).and_then(|name| name.strip_prefix('/')) else {
        return false;
    };
    let is_event_source =
        ["PerfView", "System.", "solar_system"].iter().any(|start| provider.starts_with(start));
    if is_event_source {
        let own = EventName::new(decoded.names(), opcode).expect("a name");
        assert_eq!(own.to_string(), event);
    }
    true
}

/// The number of fields that are there by name, and those that do not agree.
fn compare(line: &Line, decoded: &Decoded<'_>, unnamed: &mut BTreeSet<String>) -> (usize, Vec<String>) {
    let (mut found, mut wrong) = (0, Vec::new());
    for (name, shown) in &line.fields {
        // PerfView adds the length of a chunk.
        if name == "PayloadLength" {
            continue;
        }
        let Some(field) = field(decoded, name) else {
            unnamed.insert(name.clone());
            continue;
        };
        found += 1;
        if !shows(shown, &field, line) {
            wrong.push(format!("{name} is {:?}, shown as {shown}", field.value));
        }
    }
    (found, wrong)
}

/// `Name`, or `Name_0` for a member of the first structure of an array.
fn field<'a>(decoded: &Decoded<'a>, name: &str) -> Option<Field<'a>> {
    let is = |field: &Field<'_>, name: &str| field.property.name.eq_ignore_ascii_case(name);
    if let Some(field) = decoded.fields().flatten().find(|field| is(field, name)) {
        return Some(field);
    }
    let name = name.strip_suffix("_0")?;
    let first = decoded.fields().flatten().find_map(|field| match field.value {
        Value::Array(array) => array.iter().next(),
        _ => None,
    })?;
    let Value::Struct(first) = first else { return None };
    first.fields().find(|field| is(field, name))
}

fn shows(shown: &str, field: &Field<'_>, line: &Line) -> bool {
    // PerfView takes the word of this event apart, and shows paths with the letter of their drive.
    if line.name == "Microsoft-Windows-Kernel-File/Create" {
        match (&*field.property.name, field.value) {
            ("CreateOptions", Value::UInt(value)) => return shows_options(shown, value & 0x00FF_FFFF),
            ("ShareAccess", Value::UInt(value)) => {
                return shown
                    == ["", "Read", "Write", "ReadWrite", "", "", "", "ReadWrite, Delete"][value as usize];
            }
            ("FileName", Value::Str(Str::Utf16(text))) => {
                let text = text.to_string().replace("\\Device\\HarddiskVolume2", "C:");
                return shows_text(shown, &text);
            }
            _ => {}
        }
    }
    match (field.value, &field.property.map) {
        (value, Some(map)) => shows_mapped(shown, value.as_u64().expect("a number"), map),
        (Value::Str(Str::Utf16(text)), _) => shows_text(shown, &text.to_string()),
        (Value::Str(Str::Ansi(text)), _) => shows_text(shown, &String::from_utf8_lossy(text)),
        (Value::Bool(value), _) => shown == if value { "True" } else { "False" },
        (Value::UInt(value), _) if field.property.out_type == OutType::Boolean => {
            shown == if value == 0 { "False" } else { "True" }
        }
        (Value::Int(value), _) => number(shown) == Some(value.into()),
        // Numbers that only PerfView has names for.
        (Value::UInt(_), _) if number(shown).is_none() => {
            ["GlobalMechanisms", "Reason", "ReasonCode"].contains(&&*field.property.name)
        }
        // PerfView shows 64-bit numbers and results as signed ones.
        (Value::UInt(value), _) => {
            let signed = [i128::from(value), i128::from(value as i64), i128::from(value as i32)];
            number(shown).is_some_and(|shown| signed.contains(&shown))
        }
        (Value::Pointer(value), _) => number(shown) == Some(value.into()),
        (Value::Guid(guid), _) => shows_text(shown, &guid.to_string()),
        (Value::FileTime(time), _) => {
            shows_text(shown, &time.to_string()[2..].replace('-', "/").replace('T', " "))
        }
        // The fraction of a second is wrong in the baseline: always .03.
        (Value::SystemTime(time), _) => {
            let text = format!(
                "{:02}/{:02}/{:02} {:02}:{:02}:{:02}.",
                time.year - 2000,
                time.month,
                time.day,
                time.hour,
                time.minute,
                time.second
            );
            shown.starts_with(&text)
        }
        (Value::Binary(bytes), _) if field.property.out_type == OutType::SocketAddress => {
            shows_text(shown, &socket_address(bytes))
        }
        _ => false,
    }
}

fn shows_options(shown: &str, options: u64) -> bool {
    // Bit 5 has the name of an attribute there, which is cut.
    match shown {
        "FILE_ATTRIBUTE_ARCHI..." => options & 0x20 != 0,
        _ => number(shown) == Some(options.into()),
    }
}

/// PerfView has its own texts for some maps, which differ in spaces and case.
fn shows_mapped(shown: &str, value: u64, map: &ValueMap) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let mut matching = map.entries().iter().filter(|(entry, _)| match map.kind {
        ValueMapKind::Bits if *entry != 0 => value & u64::from(*entry) == u64::from(*entry),
        _ => value == u64::from(*entry),
    });
    if map.kind == ValueMapKind::Value {
        return match matching.next() {
            Some((_, text)) => letters(text) == letters(shown),
            // A kind of heap that is newer than the manifest.
            None if value == 3 && shown == "PinnedObjectHeap" => true,
            None => number(shown) == Some(value.into()),
        };
    }
    let known = map.entries().iter().fold(0, |known, (bits, _)| known | u64::from(*bits));
    let mut texts: Vec<String> = matching.map(|(_, text)| letters(text)).collect();
    // None of the bits has a text, or one that is set has none.
    if number(shown) == Some(value.into()) || (texts.is_empty() && shown == "None") {
        return true;
    }
    // A bit that is newer than the manifest.
    if value & !known == 16 {
        texts.push("ibcoptimized".to_owned());
    }
    // In another order than that of the map; the last one may be cut.
    let (shown, is_cut) = shown.strip_suffix("...").map_or((shown, false), |shown| (shown, true));
    let parts: Vec<String> = shown.split(['|', ',']).map(letters).collect();
    let (last, first) = parts.split_last().expect("a part");
    let whole = first.iter().all(|part| texts.contains(part)) && (is_cut || parts.len() == texts.len());
    whole && texts.iter().any(|text| if is_cut { text.starts_with(last) } else { text == last })
}

fn socket_address(bytes: &[u8]) -> String {
    let port = u16::from_be_bytes([bytes[2], bytes[3]]);
    match bytes[0] {
        2 => {
            let octets: [u8; 4] = bytes[4..8].try_into().expect("4 bytes");
            format!("{}:{port}", Ipv4Addr::from(octets))
        }
        23 => {
            let octets: [u8; 16] = bytes[8..24].try_into().expect("16 bytes");
            format!("[{}]:{port}", Ipv6Addr::from(octets))
        }
        family => panic!("address family {family}"),
    }
}
