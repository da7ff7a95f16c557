//! Real traces: everything that is known of them is found again.

use std::fs;

use etweir::testkit::corpus;
use serde_json::Value;

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
            // JSON lines are long: of the largest trace, a part has to do.
            let json = run_with(&["dump", "-f", "jsonl", "--order", "file", "-n", "20000"]);
            assert_eq!(json.out.lines().inspect(|line| assert_is_event(line)).count(), records.min(20_000));
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
    let event: Value = serde_json::from_str(line).expect("JSON");
    for key in ALWAYS {
        assert!(event.get(key).is_some(), "{key}: {line}");
    }
    let is_decoded = event.get("fields").is_some();
    assert_eq!(event.get("schema").is_some(), is_decoded, "{line}");
    assert!(is_decoded || event["payload"].is_string(), "{line}");
    assert!(event.get("error").is_none() || event["payload"].is_string(), "{line}");
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
