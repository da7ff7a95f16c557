//! `etweir stats`.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::*;

fn described() -> String {
    names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/described.etl"))
}

fn stats(args: &[&str]) -> Value {
    run(["stats", "--json"].iter().chain(args).copied().chain([&*described()])).expect_silence().json()[0]
        .clone()
}

/// Name and count of all groups.
fn groups(args: &[&str], name: &str) -> Vec<(Value, u64)> {
    let stats = stats(args);
    let groups = stats["groups"].as_array().expect("an array");
    groups.iter().map(|group| (group[name].clone(), group["events"].as_u64().expect("a count"))).collect()
}

#[test]
fn events_are_counted_by_provider_unless_something_else_is_wanted() {
    let path = described();
    let run = run(["stats", &path]).expect_silence();
    assert_eq!(
        run.out,
        "\
EVENTS     % BYTES EVENTS/S BYTES/S DECODED PARTLY NOT  PROVIDER
     3  13.6   327      150   16350       1      2   0  Contoso-Shop
     3  13.6   925      150   46250       3      0   0  Contoso-Audit
     3  13.6   236      150   11800       1      0   2  57a20003-10c2-4a7b-9d1e-001122334455
     3  13.6  1042      150   52100       3      0   0  EventMetadata
     2   9.1   154      100    7700       2      0   0  Thread
     2   9.1   320      100   16000       2      0   0  Image
     1   4.5   372    50.00   18600       1      0   0  EventTraceEvent
     1   4.5   161    50.00    8050       1      0   0  Process
     1   4.5   198    50.00    9900       0      0   1  Microsoft-Windows-DotNETRuntime
     1   4.5   290    50.00   14500       1      0   0  Etweir.Fixtures
     1   4.5    32    50.00    1600       1      0   0  PerfInfo
     1   4.5    56    50.00    2800       1      0   0  StackWalk
    22 100.0  4113     1100  205650      17      2   3  total

EVENTS    % PARTLY  SCHEMA
    11 50.0      0  kernel
     7 31.8      2  trace
     1  4.5      0  tracelogging
     3 13.6      0  none

EVENTS   %  WITHOUT A SCHEMA
     1 4.5  manifest of Microsoft-Windows-DotNETRuntime e13c0d23-ccbc-4e12-931b-d9cc2eee27e4 ids=143
     1 4.5  tmf of 57a20003-10c2-4a7b-9d1e-001122334455 message_numbers=12
     1 4.5  manifest of 57a20003-10c2-4a7b-9d1e-001122334455 ids=9
"
    );
}

#[test]
fn every_group_can_be_counted() {
    assert_eq!(
        groups(&["--by", "event"], "event")[..4],
        [
            (json!("Sale/Begin"), 3),
            (json!("Image/Load"), 2),
            (json!("ManifestData"), 2),
            (json!("EventMetadata/MapInfo"), 2)
        ]
    );
    assert_eq!(
        groups(&["--by", "process"], "pid"),
        [(json!(3020), 16), (json!(0), 3), (json!(1024), 2), (json!(4000), 1)]
    );
    assert_eq!(groups(&["--by", "process"], "process_name")[0].0, "shop.exe");
    assert_eq!(groups(&["--by", "cpu"], "cpu"), [(json!(0), 15), (json!(1), 7)]);
    assert_eq!(
        groups(&["--by", "kind"], "kind"),
        [
            (json!("event64"), 10),
            (json!("system64"), 5),
            (json!("perfinfo64"), 3),
            (json!("full64"), 3),
            (json!("message"), 1)
        ]
    );
}

#[test]
fn json_has_the_sums_and_where_descriptions_came_from() {
    let stats = stats(&[]);
    assert_eq!(stats["by"], "provider");
    assert_eq!((&stats["events"], &stats["bytes"]), (&json!(22), &json!(4113)));
    assert_eq!(stats["first_time"], "2026-03-02T09:30:00.0000000Z");
    assert_eq!(stats["last_time"], "2026-03-02T09:30:00.0200000Z");
    assert_eq!(stats["seconds"], 0.02);
    assert_eq!(
        (&stats["events_per_second"], &stats["bytes_per_second"]),
        (&json!(1100.0), &json!(205_650.0))
    );
    assert_eq!(
        stats["groups"][0],
        json!({
            "provider": "54090001-10c2-4a7b-9d1e-001122334455", "provider_name": "Contoso-Shop", "events": 3,
            "bytes": 327, "events_per_second": 150.0, "bytes_per_second": 16_350.0, "decoded": 1, "partly_decoded": 2,
            "not_decoded": 0
        })
    );
    let none = json!({"events": 0, "bytes": 0, "partly_decoded": 0});
    assert_eq!(
        stats["schemas"],
        json!({
            "tracelogging": {"events": 1, "bytes": 290, "partly_decoded": 0},
            "trace": {"events": 7, "bytes": 1362, "partly_decoded": 2},
            "kernel": {"events": 11, "bytes": 2137, "partly_decoded": 0},
            "manifest": none, "wpp": none,
            "none": {"events": 3, "bytes": 324, "partly_decoded": 0}
        })
    );
    assert_eq!(
        stats["missing"],
        json!([
            {
                "wanted": "manifest", "provider": "e13c0d23-ccbc-4e12-931b-d9cc2eee27e4",
                "provider_name": "Microsoft-Windows-DotNETRuntime", "ids": [143], "events": 1
            },
            {"wanted": "tmf", "provider": "57a20003-10c2-4a7b-9d1e-001122334455", "message_numbers": [12], "events": 1},
            {"wanted": "manifest", "provider": "57a20003-10c2-4a7b-9d1e-001122334455", "ids": [9], "events": 1}
        ])
    );
}

#[test]
fn filters_choose_what_is_counted() {
    let stats = stats(&["--provider", "Contoso-Shop", "--cpu", "1"]);
    assert_eq!((&stats["events"], &stats["bytes"]), (&json!(2), &json!(232)));
    assert_eq!(stats["seconds"], 0.002);
    assert_eq!(stats["missing"], json!([]));
}

#[test]
fn without_decoding_records_are_counted_by_their_headers() {
    let stats = stats(&["--no-decode"]);
    assert_eq!(stats["events"], 22);
    assert_eq!(stats.get("schemas"), None);
    assert_eq!(stats["groups"][0].get("decoded"), None);
    let run = run(["stats", "--no-decode", "--by", "kind", &described()]).expect_silence();
    assert!(run.out.starts_with("EVENTS     % BYTES EVENTS/S BYTES/S  KIND\n"), "{}", run.out);
    assert!(!run.out.contains("SCHEMA"), "{}", run.out);
}

#[test]
fn every_file_has_counts_of_its_own() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let missing = names(&folder.path().join("b.etl"));
    let run = run(["stats", "--json", &path, &missing, &described()]).expect_status(1);
    let json = run.json();
    assert_eq!(json.as_array().map(Vec::len), Some(3));
    assert_eq!((&json[0]["file"], &json[0]["events"]), (&json!(path), &json!(7)));
    assert!(json[1]["error"].as_str().expect("an error").starts_with("cannot open"), "{json}");
    assert_eq!(json[2]["events"], 22);
    let text = crate::support::run(["stats", &path, &described()]).expect_silence().out;
    assert!(text.starts_with(&format!("{path}:\nEVENTS ")), "{text}");
    assert!(text.contains(&format!("\n\n{}:\nEVENTS ", described())), "{text}");
}

#[test]
fn a_trace_without_a_clock_has_no_rates() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().without_header().to_bytes()));
    let run = run(["stats", &path]).expect_status(0);
    let line = run.out.lines().nth(1).expect("a row");
    let columns: Vec<_> = line.split_whitespace().collect();
    assert_eq!(columns[..5], ["6", "100.0", "492", "-", "-"], "{}", run.out);
}
