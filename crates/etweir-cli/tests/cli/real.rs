//! Real traces: everything that is known of them is found again.

use std::collections::BTreeMap;
use std::fs;

use etweir::testkit::corpus;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::support::*;

#[test]
fn every_record_of_real_traces_is_printed_in_every_way() {
    let Some(folder) = corpus::folder("every_record_of_real_traces_is_printed_in_every_way") else { return };
    for (name, records) in [
        ("perfview-net452-x86-compressed.etl", 168_298),
        ("tx-kernel-process.etl", 10_344),
        ("tx-http-server.etl", 2042),
        ("s4-cldflt-wpp-systemtime.etl", 17),
    ] {
        let path = names(&folder.join("etl").join(name));
        let run_with = |args: &[&str]| run(args.iter().copied().chain([&*path])).expect_silence();
        let in_file_order = || {
            let buffers = run_with(&["buffers", "--json"]).json();
            let counts = buffers[0]["buffers"].as_array().expect("rows").iter();
            let sum: u64 = counts.filter_map(|row| row["records"].as_u64()).sum();
            assert_eq!(sum, records as u64, "{name}");
            run_with(&["dump", "--raw-time", "--order", "file"])
        };
        let in_time_order = || {
            let info = run_with(&["info", "--json"]).json();
            assert_eq!(info[0]["records"], records, "{name}");
            let run = run_with(&["dump", "--raw-time"]);
            assert_eq!(run.out.lines().count(), records, "{name}");
            assert!(run.out.lines().skip(1).filter_map(ticks).is_sorted(), "{name}");
            run
        };
        let (unsorted, sorted) = both(in_file_order, in_time_order);
        let (unsorted, sorted) = both(|| bag_of_lines(&unsorted), || bag_of_lines(&sorted));
        // Not printed if it fails, since that would be the whole of both.
        assert!(sorted == unsorted, "{name}: the same events in another order");
    }
}

#[test]
fn every_line_of_every_real_trace_is_an_event_in_json() {
    let Some(folder) = corpus::folder("every_line_of_every_real_trace_is_an_event_in_json") else { return };
    let check = |file: fs::DirEntry| {
        let path = file.path();
        let name = file.file_name().into_string().expect("UTF-8");
        let truth = folder.join("truth/records").join(&name).with_extension("json");
        let truth: Value = serde_json::from_slice(&fs::read(truth).expect("the truth")).expect("JSON");
        let run = dump(&[], &path).expect_status(0);
        assert_eq!(
            run.out.lines().inspect(|line| assert_is_event(line)).count() as u64,
            truth["records"],
            "{name}"
        );
    };
    let files = fs::read_dir(folder.join("etl")).expect("a folder").map(|file| file.expect("a file"));
    let (large, small): (Vec<_>, Vec<_>) =
        files.partition(|file| file.file_name() == "perfview-net45-x86.etl");
    assert_eq!((large.len(), small.len()), (1, 23));
    both(|| large.into_iter().for_each(check), || small.into_iter().for_each(check));
}

/// The fields of the first event that the filter lets through.
fn fields(args: &[&str], name: &str) -> Option<(String, Value)> {
    let folder = corpus::folder("fields_of_real_traces_are_those_that_other_readers_show")?;
    let run = dump(&[args, &["-n", "1"]].concat(), folder.join("etl").join(name)).expect_status(0);
    let event = run.events().remove(0);
    assert_eq!(event.get("payload"), None, "decoded to the last byte: {event}");
    Some((event["event"].as_str().expect("a name").to_owned(), event["fields"].clone()))
}

#[test]
fn fields_of_real_traces_are_those_that_other_readers_show() {
    for (args, name, event, expected) in [
        (
            &["--provider", "solar_system"][..],
            "perfview-primitive-types.etl",
            "PrimitiveTypesTest",
            // The program declares `int64_type` as unsigned, and `char_type` as one character.
            json!({
                "string_type": "Mercury", "boolean_type": false, "char_type": "M", "int16_type": -51,
                "int32_type": -102, "uint16_type": 51, "uint32_type": 102, "int64_type": 18_446_744_073_709_551_412_u64,
                "uint64_type": 204, "guid_type": "0ad614c4-0ef4-4225-8013-f44f37cb0397",
                "file_time_type": "2021-09-09T14:59:35.7990000Z", "system_time_type": "2021-09-09T14:59:35.799Z"
            }),
        ),
        (
            &["--provider", "MySource"],
            "perfview-self-describing-single.etl",
            "TestEvent",
            json!({"a": {"b": "Hello", "c": "World!"}}),
        ),
        (&["--provider", "SIHTraceLogging"], "s4-sih.etl", "SIH", json!({"Info": "wmain"})),
        (
            &["--provider", "PerfView", "--id", "11"],
            "perfview-net452-x86-compressed.etl",
            "SessionParameters",
            json!({
                "sessionName": "NT Kernel Logger", "sessionFileName": "net.4.5.2.x86.kernel.etl", "bufferSizeMB": 256,
                "circularBuffSizeMB": 500
            }),
        ),
        (
            &["--provider", "Process", "--opcode", "1"],
            "sawbuck-process-data-64-v2.etl",
            "Process/Start",
            json!({
                "UniqueProcessKey": "0x0", "ProcessId": "0x6f0", "ParentId": "0x3dc", "SessionId": 1,
                "ExitStatus": 259, "UserSID": "S-1-5-21-753675414-103939432-3550797041-1000",
                "ImageFileName": "notepad.exe", "CommandLine": "\"C:\\Windows\\system32\\notepad.exe\" "
            }),
        ),
    ] {
        let Some(found) = fields(args, name) else { return };
        assert_eq!(found, (event.to_owned(), expected), "{name}");
    }
}

#[test]
fn stats_of_a_real_trace_say_what_is_missing() {
    let Some(folder) = corpus::folder("stats_of_a_real_trace_say_what_is_missing") else { return };
    let run = run(["stats", "--json", &names(&folder.join("etl/tx-http-server.etl"))]).expect_silence();
    let stats = &run.json()[0];
    assert_eq!(stats["schemas"]["kernel"]["events"], 1);
    assert_eq!(
        stats["missing"],
        json!([{
            "wanted": "manifest", "provider": "dd5ef90a-6398-47a4-ad34-4dcecdef795f",
            "provider_name": "Microsoft-Windows-HttpService", "ids": [1, 2, 3, 4, 5, 8, 9, 10, 12, 21, 22, 51],
            "events": 2041
        }])
    );
}

/// Does two things at a time.
fn both<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (a.join().expect("no panic"), b)
    })
}

/// One JSON object with the keys that every event has, and a payload wherever it is not decoded.
fn assert_is_event(line: &str) {
    let keys: BTreeMap<&str, IgnoredAny> = serde_json::from_str(line).expect("JSON without a key twice");
    let has = |key: &str| keys.contains_key(key);
    assert!(ALWAYS.iter().all(|key| has(key)), "{line}");
    assert_eq!(has("schema"), has("fields"), "{line}");
    assert!(has("fields") || has("payload"), "{line}");
    assert!(!has("error") || has("payload"), "{line}");
    assert!(!has("message") || has("schema"), "{line}");
}

const ALWAYS: [&str; 14] = [
    "time", "ticks", "cpu", "pid", "tid", "provider", "id", "version", "channel", "level", "opcode", "task",
    "keywords", "kind",
];

/// The first column; of a record without a time stamp a dash.
fn ticks(line: &str) -> Option<i64> {
    let (ticks, _) = line.trim_start().split_once(' ').expect("columns");
    if ticks == "-" { None } else { Some(ticks.parse().expect("ticks")) }
}

/// The lines without the order in which they were printed. Ticks come first in them, so that little is left to sort.
fn bag_of_lines(run: &Run) -> Vec<&str> {
    let mut lines: Vec<_> = run.out.lines().collect();
    lines.sort();
    lines
}

#[test]
fn system_fields_are_those_that_windows_rendered() {
    let Some(folder) = corpus::folder("system_fields_are_those_that_windows_rendered") else { return };
    let truth = fs::read_to_string(folder.join("truth/tx-http-server.windows.jsonl")).expect("the truth");
    let run = dump(&[], folder.join("etl/tx-http-server.etl")).expect_silence();
    let events = run.events();
    assert_eq!(events.len(), 2042);
    assert_eq!(truth.lines().count(), 2041);
    for (index, (line, event)) in truth.lines().zip(&events[1..]).enumerate() {
        let expected: Value = serde_json::from_str(line).expect("JSON");
        for key in ["id", "version", "level", "task", "opcode", "keywords", "pid", "tid", "cpu"] {
            assert_eq!(event[key], expected[key], "event {index}: {key}");
        }
        // Microseconds there, cut and not rounded.
        let time = event["time"].as_str().expect("a time");
        assert_eq!(Some(format!("{}Z", &time[..26]).as_str()), expected["time"].as_str(), "event {index}");
        for key in ["activity_id", "related_activity_id"] {
            let id = expected[key].as_str().map(str::to_lowercase);
            assert_eq!(event.get(key).and_then(Value::as_str).map(str::to_owned), id, "event {index}: {key}");
        }
    }
}

/// Records delivered, and whether there is damage to name.
const HOSTILE: [(&str, usize, bool); 12] = [
    ("buf1-size0.etl", 7, true),
    ("circular-truncated.etl", 25, true),
    ("compressed-bitflips.etl", 3, true),
    ("extdata-size0-linkage.etl", 7, true),
    ("missing-header.etl", 2041, true),
    ("record-size-huge.etl", 6, true),
    ("record-size0.etl", 6, true),
    ("record-unknown-type.etl", 6, true),
    ("swapped-buffers.etl", 2042, false),
    ("trunc-second-buffer.etl", 3, true),
    ("wpp-size-short.etl", 48, true),
    ("zeroed-middle-buffer.etl", 1992, true),
];

#[test]
fn damaged_traces_give_all_that_is_good_and_name_the_rest() {
    let Some(folder) = corpus::folder("damaged_traces_give_all_that_is_good_and_name_the_rest") else {
        return;
    };
    let folder = folder.join("hostile");
    assert_eq!(fs::read_dir(&folder).expect("a folder").count(), HOSTILE.len());
    for (name, records, is_damaged) in HOSTILE {
        let path = folder.join(name);
        for order in ["time", "file"] {
            let run = dump(&["--order", order], &path).expect_status(0);
            assert_eq!(run.events().len(), records, "{name} --order {order}");
            assert_eq!(run.err.contains(name), is_damaged, "{name}: {}", run.err);
            assert_eq!(run.err.contains("damage in 1 file"), is_damaged, "{name}: {}", run.err);
        }
        for command in ["dump", "info", "buffers"] {
            run([command, "--strict", &names(&path)]).expect_status(i32::from(is_damaged));
            run([command, "--quiet", &names(&path)]).expect_silence();
        }
    }
    let run = dump(&[], folder.join("extdata-size0-linkage.etl"));
    assert_eq!(run.events().iter().filter(|event| event["error"].is_string()).count(), 1);
}

#[test]
fn a_folder_of_real_traces_is_one_trace_in_time_order() {
    let Some(folder) = corpus::folder("a_folder_of_real_traces_is_one_trace_in_time_order") else { return };
    let run = dump(&["--kind-of-nothing"], &folder);
    assert_eq!(run.status, 2);
    let run = dump(&["--provider", "EventTrace", "--opcode", "0"], folder.join("etl")).expect_status(0);
    let headers: Vec<_> = run.events().into_iter().filter(|event| event["ticks"].is_i64()).collect();
    assert_eq!(headers.len(), 24);
    assert!(headers.is_sorted_by_key(|event| event["time"].as_str().expect("a time").to_owned()));
}
