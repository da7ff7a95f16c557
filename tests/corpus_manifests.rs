//! Real manifests are read whole, and describe real events as Windows does.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod manifests;

use core::fmt::Write;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use etweir::decode::{Decoder, Exactness, Field, InType, SchemaKind, Str, Value};
use etweir::testkit::corpus;
use etweir::trace::Event;
use etweir::{EtlReader, Limits};
use manifests::Providers;
use serde_json::{Value as Json, json};

/// Events, templates and maps of each provider.
type Counts = &'static [(&'static str, [usize; 3])];

#[test]
fn every_manifest_has_the_events_templates_and_maps_that_are_in_it() {
    let Some(folder) = corpus::folder("every_manifest_has_the_events_templates_and_maps_that_are_in_it")
    else {
        return;
    };
    // By file: each provider with its events, templates and maps. Counted by another XML parser.
    #[rustfmt::skip]
    let expected: [(&str, Counts); 9] = [
        ("ClrEtwAll.man", &[
            ("Microsoft-Windows-DotNETRuntime", [155, 92, 25]),
            ("Microsoft-Windows-DotNETRuntimeRundown", [45, 21, 9]),
            ("Microsoft-Windows-DotNETRuntimeStress", [3, 3, 0]),
            ("Microsoft-Windows-DotNETRuntimePrivate", [181, 54, 4]),
        ]),
        ("chrome_events_win.man", &[("Chrome", [1, 1, 0])]),
        ("etwproviders.man", &[
            ("Multi-Main", [21, 21, 0]),
            ("Multi-Worker", [3, 3, 0]),
            ("Multi-FrameRate", [1, 1, 0]),
            ("Multi-Input", [5, 4, 0]),
        ]),
        ("tx-CSV.man", &[("Microsoft-Windows-CsvFs-Diagnostic", [27, 30, 0])]),
        ("tx-HTTP_Server.man", &[("Microsoft-Windows-HttpService", [85, 62, 3])]),
        ("tx-IE_Client.man", &[("Microsoft-IE", [119, 115, 0]), ("Microsoft-Windows-WinINet", [117, 102, 1])]),
        ("tx-SystemEvents.man", &[
            ("Microsoft-Windows-Kernel-WDI", [14, 10, 0]),
            ("Microsoft-Windows-Kernel-General", [13, 11, 1]),
            ("Microsoft-Windows-Kernel-Process", [16, 11, 1]),
            ("Microsoft-Windows-Kernel-Registry", [15, 9, 0]),
            ("Microsoft-Windows-Kernel-Acpi", [11, 10, 2]),
            ("Microsoft-Windows-International", [55, 21, 0]),
            ("Microsoft-Windows-User-Loader", [4, 4, 0]),
            ("Microsoft-Windows-Kernel-BootDiagnostics", [1, 0, 0]),
            ("Microsoft-Windows-Kernel-Prefetch", [8, 6, 0]),
            ("Microsoft-Windows-UAC", [1, 1, 0]),
            ("Microsoft-Windows-COM", [1, 1, 0]),
            ("Microsoft-Windows-SoftwareRestrictionPolicies", [6, 3, 0]),
            ("Microsoft-Windows-MUI", [28, 14, 0]),
            ("Microsoft-Windows-Kernel-AppCompat", [1, 1, 0]),
            ("Microsoft-Windows-AIT", [6, 5, 0]),
            ("Microsoft-Windows-ApplicationExperience-LookupServiceTrigger", [1, 1, 0]),
            ("Microsoft-Windows-ApplicationExperience-Cache", [5, 5, 0]),
            ("Microsoft-Windows-ApplicationExperience-SwitchBack", [4, 4, 0]),
            ("Microsoft-Windows-Kernel-Network", [22, 7, 0]),
            ("Microsoft-Windows-Kernel-Disk", [3, 2, 0]),
            ("Microsoft-Windows-Kernel-EventTracing", [18, 9, 1]),
            ("Microsoft-Windows-Kernel-Boot", [30, 28, 0]),
            ("Microsoft-Windows-Kernel-File", [39, 14, 0]),
            ("Microsoft-Windows-PCI", [1, 0, 0]),
            ("Microsoft-Windows-Kernel-StoreMgr", [19, 12, 2]),
            ("Microsoft-Windows-Kernel-LicensingSqm", [2, 2, 0]),
            ("Microsoft-Windows-Kernel-Memory", [7, 6, 0]),
            ("Microsoft-Windows-Kernel-ShimEngine", [19, 18, 2]),
            ("Microsoft-Windows-Kernel-Licensing-StartServiceTrigger", [1, 0, 0]),
            ("Microsoft-Windows-Kernel-IoTrace", [4, 0, 0]),
            ("Microsoft-Windows-AppModel-Runtime", [7, 2, 0]),
            ("Microsoft-Windows-AppModel-State", [87, 1, 0]),
            ("Microsoft-Windows-Kernel-WSService-StartServiceTrigger", [1, 0, 0]),
        ]),
        ("tx-asp.man", &[("AspNetTrace", [65, 16, 0]), ("CLRTrace", [14, 3, 0])]),
        ("tx-eventing.man", &[("Prototype-Eventing-Provider", [3, 3, 0])]),
    ];
    for (file, providers) in expected {
        let manifest = manifests::read(&folder.join("manifests").join(file));
        let found: Vec<(&str, [usize; 3])> = manifest
            .providers()
            .iter()
            .map(|provider| {
                let counts = [provider.events().len(), provider.template_count(), provider.map_count()];
                (provider.name(), counts)
            })
            .collect();
        assert_eq!(found, providers, "{file}");
        for provider in manifest.providers() {
            for (id, version) in provider.events() {
                let schema = provider.schema(id, version, SchemaKind::Manifest, &Limits::default());
                schema.expect("an event").unwrap_or_else(|error| panic!("{file} event {id}: {error}"));
            }
        }
    }
}

#[test]
fn http_events_have_the_values_that_windows_rendered() {
    let Some(folder) = corpus::folder("http_events_have_the_values_that_windows_rendered") else { return };
    let mut decoder = decoder(&folder, &["tx-HTTP_Server.man"]);
    let mut expected: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    let truth =
        fs::read_to_string(folder.join("truth/tx-http-server.windows.jsonl")).expect("readable truth");
    for line in truth.lines() {
        let event: Json = serde_json::from_str(line).expect("JSON");
        let key = ["time", "cpu", "id"].map(|key| event[key].to_string()).join(" ");
        expected.entry(key).or_default().push(event);
    }
    let mut fields = 0;
    let mut reader = EtlReader::open(folder.join("etl/tx-http-server.etl")).expect("a trace");
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events().map(|event| event.expect("no damage")).filter(|event| event.id() != 0) {
            let time = event.time().expect("a time").to_string();
            let key = format!("\"{}Z\" {} {}", &time[..time.len() - 2], event.processor_index(), event.id());
            let same = expected.get_mut(&key).unwrap_or_else(|| panic!("{key} is not expected"));
            let decoded = decoder.decode(&event);
            assert_eq!(decoded.outcome().exactness, Exactness::Wholly, "{key}");
            let data: serde_json::Map<String, Json> = decoded
                .fields()
                .flatten()
                .map(|field| (field.property.name.to_string(), rendered(&field)))
                .collect();
            let count = data.len();
            let data = Json::Object(data);
            // Windows left the data of one kind of event out.
            let agrees = |other: &Json| other["data"] == data || other["data"].is_null() && event.id() == 2;
            let place = same.iter().position(|other| system(other, &event) && agrees(other));
            let other =
                same.swap_remove(place.unwrap_or_else(|| panic!("{key}: {data} is none of {same:?}")));
            fields += if other["data"].is_null() { 0 } else { count };
        }
    }
    assert!(expected.values().all(Vec::is_empty), "events of Windows are missing");
    assert_eq!((truth.lines().count(), fields), (2041, 7873));
}

/// Whether the header agrees.
fn system(expected: &Json, event: &Event<'_>) -> bool {
    let keyword = format!("0x{:x}", event.keyword());
    [
        ("version", json!(event.version())),
        ("level", json!(event.level())),
        ("task", json!(event.task())),
        ("opcode", json!(event.opcode())),
        ("keywords", json!(keyword)),
        ("pid", json!(event.process_id())),
        ("tid", json!(event.thread_id())),
    ]
    .iter()
    .all(|(key, value)| expected[key] == *value)
}

/// As the event log has it.
fn rendered(field: &Field<'_>) -> Json {
    match field.value {
        // The out-type does not count there, only the in-type.
        Value::UInt(value) if matches!(field.property.in_type, InType::HexInt32 | InType::HexInt64) => {
            json!(format!("0x{value:x}"))
        }
        Value::UInt(value) => json!(value),
        Value::Pointer(value) => json!(format!("0x{value:x}")),
        Value::Str(Str::Utf16(text)) => json!(text.to_string()),
        Value::Str(Str::Ansi(text)) => json!(String::from_utf8_lossy(text)),
        Value::Binary(bytes) => {
            let mut text = String::new();
            bytes.iter().for_each(|byte| write!(text, "{byte:02X}").expect("a string takes all"));
            json!(text)
        }
        value => panic!("{value:?} is not among them"),
    }
}

#[test]
fn events_of_the_clr_are_read_by_its_public_manifest() {
    let Some(folder) = corpus::folder("events_of_the_clr_are_read_by_its_public_manifest") else { return };
    // Read to the last byte; stack walks, whose description is known to be wrong; those of id 4 of the private provider,
    // which are longer than described; events of other providers, and of versions that are newer than the manifest.
    for (name, expected) in [
        ("perfview-gcevents-circular.etl", [36, 0, 0, 35]),
        ("perfview-net45-x86.etl", [66_930, 54_165, 1050, 63_816]),
        ("perfview-net452-x86-compressed.etl", [34_016, 5206, 80, 128_996]),
        ("perfview-small-32bit-compressed.etl", [1, 0, 0, 1]),
    ] {
        let mut decoder = decoder(&folder, &["ClrEtwAll.man"]);
        let mut reader = EtlReader::open(folder.join("etl").join(name)).expect("a trace");
        let mut counts = [0; 4];
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            for event in buffer.events().map(|event| event.expect("no damage")) {
                let decoded = decoder.decode(&event);
                let is_stack = decoded.schema().is_some_and(|schema| {
                    schema.top_level().last().is_some_and(|property| property.name == "Stack")
                });
                let exactness = decoded.outcome().exactness;
                counts[match decoded.kind() {
                    Some(SchemaKind::Manifest) if is_stack => 1,
                    Some(SchemaKind::Manifest) if exactness == Exactness::Wholly => 0,
                    Some(SchemaKind::Manifest) => {
                        assert_eq!((event.id(), event.version()), (4, 2), "{name}");
                        2
                    }
                    _ => 3,
                }] += 1;
            }
        }
        println!("{name}: {counts:?}");
        assert_eq!(counts, expected, "{name}");
    }
}

/// With these manifests and nothing else.
fn decoder(folder: &Path, names: &[&str]) -> Decoder {
    let manifests = names.iter().map(|name| manifests::read(&folder.join("manifests").join(name)));
    let providers = manifests.flat_map(|manifest| manifest.providers().to_vec()).collect();
    Decoder::with_sources(vec![Arc::new(Providers(providers))], &Limits::default())
}
