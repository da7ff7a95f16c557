//! Decoded events: the keys, the lines, and the options that change them, on `fixtures/described.etl`.

use std::fs;
use std::path::{Path, PathBuf};

use etweir::write::{EventSpec, FileSpec, ItemSpec};
use serde_json::{Value, json};

use crate::support::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn described() -> PathBuf {
    fixture("described.etl")
}

/// The one event that a filter lets through, without the keys that other tests look at.
fn only(args: &[&str]) -> Value {
    let run = dump(args, described()).expect_silence();
    let mut events = run.events();
    assert_eq!(events.len(), 1, "{}", run.out);
    let mut event = events.remove(0);
    let keys = event.as_object_mut().expect("an object");
    for key in
        ["time", "ticks", "cpu", "pid", "tid", "kind", "provider", "version", "level", "opcode", "task"]
    {
        assert!(keys.remove(key).is_some(), "{key}");
    }
    event
}

/// The lines of text with this in them.
fn lines(args: &[&str], with: &str) -> Vec<String> {
    let path = names(&described());
    let run = run(["dump"].iter().chain(args).copied().chain([&*path])).expect_silence();
    run.out.lines().filter(|line| line.contains(with)).map(str::to_owned).collect()
}

#[test]
fn a_line_has_all_keys_in_the_order_of_the_contract() {
    let run = dump(&["--provider", "Contoso-Shop", "--cpu", "1", "-n", "1"], described()).expect_silence();
    assert_eq!(
        run.out,
        concat!(
            r#"{"time":"2026-03-02T09:30:00.0030000Z","ticks":36000030000,"cpu":1,"pid":3020,"tid":3024,"#,
            r#""provider":"54090001-10c2-4a7b-9d1e-001122334455","provider_name":"Contoso-Shop","id":1,"version":1,"#,
            r#""channel":16,"level":4,"opcode":10,"task":1,"keywords":"0x8000000000000003","event":"Sale/Begin","#,
            r#""kind":"event64","level_name":"Information","task_name":"Sale","opcode_name":"Begin","#,
            r#""channel_name":"Contoso-Shop/Operational","keyword_names":["Money","Retail"],"#,
            r#""process_name":"shop.exe","#,
            r#""fields":{"Item":"tea","Price":12500,"Status":"Paid","Options":"Gift|Express|0x10","#,
            r#""Client":"192.0.2.17","Port":8080,"Result":"0xc0000022","When":"2021-09-09T14:59:35.7993232Z"},"#,
            r#""message":"tea sold for 12500 cents, that is 100%.\nThank you.","schema":"trace"}"#,
            "\n"
        )
    );
}

#[test]
fn an_event_that_describes_itself_has_all_that_it_says() {
    assert_eq!(
        only(&["--provider", "Etweir.Fixtures"]),
        json!({
            "provider_name": "Etweir.Fixtures", "id": 0, "channel": 11, "keywords": "0x0000400000000000",
            "event": "Order", "level_name": "win:Warning", "opcode_name": "win:Start", "channel_name": "TraceLogging",
            "process_name": "shop.exe", "activity_id": "ac710001-0000-0000-0000-000000000001",
            "related_activity_id": "ac710000-0000-0000-0000-000000000001",
            "stack": ["0xfffff8064a412300", "0x7ff63a401234"],
            "fields": {
                "id": 7, "price": 2.5, "item": "red\u{1b}[31m\r\n\"tea\"", "buyer": {"name": "Ada", "age": 36},
                "lots": [10, 20, 30], "id_2": 9
            },
            "schema": "tracelogging"
        })
    );
}

#[test]
fn a_manifest_behind_the_events_describes_them() {
    assert_eq!(
        only(&["--provider", "contoso-audit", "--id", "4"]),
        json!({
            "provider_name": "Contoso-Audit", "id": 4, "channel": 0, "keywords": "0x0000000000000000",
            "event": "Login/Start", "process_name": "shop.exe", "level_name": "win:Error", "task_name": "Login", "opcode_name": "win:Start",
            "fields": {"User": "Ada", "Attempts": 3}, "schema": "trace"
        })
    );
}

#[test]
fn kernel_events_have_the_names_of_their_class() {
    assert_eq!(
        only(&["--provider", "Process"]),
        json!({
            "provider_name": "Process", "id": 0, "channel": 0, "keywords": "0x0000000000000000",
            "event": "Process/Start", "task_name": "Process", "opcode_name": "Start",
            "fields": {
                "UniqueProcessKey": "0xffffa00c10000080", "ProcessId": "0xbcc", "ParentId": "0x400", "SessionId": 1,
                "ExitStatus": 259, "DirectoryTableBase": "0x100000000", "Flags": 0, "UserSID": "S-1-5-18",
                "ImageFileName": "shop.exe", "CommandLine": "shop.exe --open \"all day\"", "PackageFullName": "",
                "ApplicationId": ""
            },
            "schema": "kernel"
        })
    );
}

#[test]
fn what_does_not_fit_keeps_the_fields_before_and_its_payload() {
    let run = dump(&["--provider", "Contoso-Shop"], described()).expect_silence();
    let [whole, short, long] = &run.events()[..] else { panic!("three events: {}", run.out) };
    assert_eq!((whole.get("error"), whole.get("payload")), (None, None));
    assert_eq!(short["fields"], json!({"Item": "tea", "Price": 12500, "Status": "Paid"}));
    assert_eq!(short["error"], "Options: property 3, UInt32 at 0xd needs 4 bytes, 2 left");
    assert_eq!(short["payload"], "7400650061000000d4300000021500");
    assert_eq!(long["fields"]["Item"], "cup");
    assert_eq!(long.get("error"), None, "nothing was missing");
    assert!(long["payload"].as_str().expect("hex").ends_with("aabb"), "{long}");
}

#[test]
fn what_nobody_describes_is_shown_in_hexadecimal() {
    assert_eq!(
        only(&["--id", "9"]),
        json!({
            "id": 9, "channel": 0, "keywords": "0x0000000000000020", "level_name": "win:Informational", "process_name": "shop.exe",
            "payload": "dead"
        })
    );
    assert_eq!(
        only(&["--id", "12"]),
        json!({
            "id": 12, "channel": 0, "keywords": "0x0000000000000000", "process_name": "shop.exe", "payload": "2a000000"
        })
    );
    assert_eq!(
        lines(&[], "57a20003-"),
        [
            "2026-03-02T09:30:00.0070000Z   1 shop.exe(3020)/3024          57a20003-10c2-4a7b-9d1e-001122334455 id 0 v0 Informational \
             Message=\"closing at six\"",
            "2026-03-02T09:30:00.0090000Z   1 shop.exe(3020)/3024          57a20003-10c2-4a7b-9d1e-001122334455 id 9 v0 Informational \
             opcode=11 task=5 keywords=0x0000000000000020 payload=dead",
            "2026-03-02T09:30:00.0100000Z   0 shop.exe(3020)/3024          57a20003-10c2-4a7b-9d1e-001122334455 msg 12 v0 \
             payload=2a000000",
        ]
    );
}

#[test]
fn text_shows_names_and_values_on_one_line() {
    assert_eq!(
        lines(&[], " Etweir.Fixtures "),
        [
            "2026-03-02T09:30:00.0020000Z   0 shop.exe(3020)/3024          Etweir.Fixtures Order Warning id=7 price=2.5 \
          item=\"red\\u{1b}[31m\\r\\n\\\"tea\\\"\" buyer={name=\"Ada\", age=36} lots=[10, 20, 30] id_2=9 \
          activity=ac710001-0000-0000-0000-000000000001 related=ac710000-0000-0000-0000-000000000001 \
          stack=0xfffff8064a412300,0x7ff63a401234"
        ]
    );
    assert_eq!(
        lines(&[], "CSwitch"),
        [
            "2026-03-02T09:30:00.0080000Z   0 shop.exe(3020)/3024          Thread/CSwitch NewThreadId=0xbd0 OldThreadId=0x0 \
          NewThreadPriority=8 OldThreadPriority=0 PreviousCState=1 SpareByte=0 OldThreadWaitReason=UserRequest \
          ThreadFlags=0 OldThreadState=Waiting OldThreadWaitIdealProcessor=0 NewThreadWaitTime=0x2 Reserved=0"
        ]
    );
}

#[test]
fn the_lines_in_the_readme_are_printed() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    let shown: Vec<_> = readme.lines().filter(|line| line.starts_with("2026-03-02T")).collect();
    assert_eq!(shown.len(), 2);
    for line in shown {
        assert_eq!(lines(&[], line), [line]);
    }
}

#[test]
fn a_message_stands_for_its_values_and_the_others_follow() {
    let rest = "Status=Paid Options=Gift|Express|0x10 Client=192.0.2.17 Port=8080 \
                Result=0xc0000022(STATUS_ACCESS_DENIED) When=2021-09-09T14:59:35.7993232Z";
    let shop = "Contoso-Shop Sale/Begin(1) Information";
    assert_eq!(
        lines(&[], "Contoso-Shop "),
        [
            format!(
                "2026-03-02T09:30:00.0030000Z   1 shop.exe(3020)/3024          {shop} tea sold for 12500 cents, that is 100%. Thank \
                 you. {rest}"
            ),
            format!(
                "2026-03-02T09:30:00.0040000Z   0 shop.exe(3020)/3024          {shop} tea sold for 12500 cents, that is 100%. Thank \
                 you. Status=Paid error=\"Options: property 3, UInt32 at 0xd needs 4 bytes, 2 left\" \
                 payload=7400650061000000d4300000021500"
            ),
            format!(
                "2026-03-02T09:30:00.0050000Z   1 shop.exe(3020)/3024          {shop} cup sold for 900 cents, that is 100%. Thank \
                 you. {rest} \
                 payload=6300750070000000840300000215000000c00002111f90220000c0101dfa4d8ba5d701aabb"
            ),
        ]
    );
}

#[test]
fn stacks_are_joined_and_named_if_wanted() {
    let sample = only(&["--stacks", "--provider", "PerfInfo"]);
    assert_eq!(sample["process_name"], "shop.exe", "by its thread");
    assert_eq!(sample["stack"], json!(["0x7ffa22104040", "0x7ff63a402000", "0x12345678"]));
    assert_eq!(sample["frames"], json!(["Contoso.Till.Ring", "shop.exe+0x2000", "0x12345678"]));
    let order = only(&["--stacks", "--provider", "Etweir.Fixtures"]);
    assert_eq!(order["frames"], json!(["ntoskrnl.exe+0x412300", "shop.exe+0x1234"]));
    let plain = only(&["--provider", "PerfInfo"]);
    assert_eq!((plain.get("stack"), plain.get("frames")), (None, None));
    let line = lines(&["--stacks"], "SampleProf");
    assert!(line[0].ends_with(" Rank=0 stack=[Contoso.Till.Ring, shop.exe+0x2000, 0x12345678]"), "{line:?}");
    let line = lines(&["--stacks"], " Order ");
    assert!(line[0].ends_with(" stack=[ntoskrnl.exe+0x412300, shop.exe+0x1234]"), "{line:?}");
}

#[test]
fn names_of_processes_belong_to_their_file() {
    let folder = Folder::new();
    let other = FileSpec::new(log_file()).buffer(buffer(0, &[EventSpec { process_id: 3020, ..event(1, 5) }]));
    let path = names(&folder.file("a.etl", &other.to_bytes()));
    let args = ["dump", "-f", "jsonl", "--pid", "3020", "--cpu", "0", "-n", "2", &path, &names(&described())];
    assert_eq!(run(args).expect_silence().column("process_name"), [Value::Null, json!("shop.exe")]);
}

#[test]
fn payloads_are_shown_with_their_values_if_wanted() {
    let event = only(&["--provider", "Contoso-Audit", "--id", "4", "--payload"]);
    assert_eq!(event["fields"]["User"], "Ada");
    assert_eq!(event["payload"], "410064006100000003000000");
    let lines = lines(&["--payload", "--id", "4"], "Login");
    assert!(lines[0].ends_with(" User=Ada Attempts=3 payload=410064006100000003000000"), "{lines:?}");
}

#[test]
fn payloads_are_left_alone_if_wanted() {
    let run = dump(&["--no-decode"], described()).expect_silence();
    assert_eq!(run.events().len(), 22);
    for event in run.events() {
        for key in ["event", "fields", "message", "schema", "task_name", "keyword_names", "process_name"] {
            assert_eq!(event.get(key), None, "{key}: {event}");
        }
        assert!(event["payload"].is_string(), "{event}");
    }
    assert_eq!(
        lines(&["--no-decode", "--opcode", "36"], ""),
        ["2026-03-02T09:30:00.0080000Z   0 -           Thread op 36 v3 \
          payload=d00b0000000000000800010006000500\
          0200000000000000"]
    );
    // Names of providers can be asked for all the same.
    let run = dump(&["--no-decode", "--provider", "Contoso-Shop"], described()).expect_silence();
    assert_eq!(run.column("provider_name"), [Value::Null, Value::Null, Value::Null]);
}

#[test]
fn colours_mark_names_and_change_nothing_else() {
    let path = names(&described());
    let colored = run(["dump", "--color", "always", &path]).expect_silence().out;
    assert!(colored.contains("\u{1b}[36mContoso-Shop\u{1b}[0m \u{1b}[1mSale/Begin(1)\u{1b}[0m"), "{colored}");
    let mut plain = String::new();
    for (index, part) in colored.split('\u{1b}').enumerate() {
        plain.push_str(if index == 0 { part } else { part.split_once('m').expect("a sequence").1 });
    }
    assert_eq!(plain, run(["dump", "--color", "never", &path]).expect_silence().out);
}

#[test]
fn providers_are_asked_for_by_any_name_that_they_have() {
    let count = |provider: &str| dump(&["--provider", provider], described()).expect_silence().events().len();
    assert_eq!(count("Contoso-Shop"), 3);
    assert_eq!(count("CONTOSO-audit"), 3);
    assert_eq!(count("etweir.fixtures"), 1);
    assert_eq!(count("Thread"), 2);
    assert_eq!(count("eventtrace"), 1);
    for command in ["info", "buffers"] {
        let run =
            run([command, "--json", "--provider", "Contoso-Shop", &names(&described())]).expect_silence();
        let json = run.json();
        let records = match json[0]["records"].as_u64() {
            Some(records) => records,
            None => {
                let rows = json[0]["buffers"].as_array().expect("rows");
                rows.iter().filter_map(|row| row["records"].as_u64()).sum()
            }
        };
        assert_eq!(records, 3, "{command}");
    }
}

#[test]
fn a_stream_is_decoded_from_the_moment_on_that_it_is_described() {
    let bytes = fs::read(described()).expect("the fixture");
    let run = run_with_input(["dump", "-f", "jsonl", "-"], &bytes).expect_silence();
    let schemas: Vec<_> =
        run.column("schema").iter().map(|schema| schema.as_str().unwrap_or("-").to_owned()).collect();
    let trace = ["trace"; 2];
    assert_eq!(schemas[..5], ["kernel"; 5]);
    assert_eq!(schemas[6], "tracelogging");
    assert_eq!(schemas[7..11], ["-", "-", "-", "-"], "their descriptions come later");
    assert_eq!(run.column("process_name")[6], "shop.exe", "its start came before");
    assert_eq!(run.events().iter().filter(|event| event["event"] == "ManifestData").count(), trace.len());
    // The same stream twice in one: the second time, everything is known.
    let names = run_with_input(["dump", "-f", "jsonl", "--provider", "Etweir.Fixtures", "-"], &bytes)
        .expect_silence();
    assert_eq!(names.column("event"), ["Order"]);
}

#[test]
fn what_one_file_describes_is_known_for_all() {
    let folder = Folder::new();
    let shop = "54090001-10c2-4a7b-9d1e-001122334455".parse().expect("a GUID");
    let sale = EventSpec {
        provider_id: shop,
        version: 1,
        payload: [&b"t\0e\0a\0\0\0"[..], &[1, 0, 0, 0]].concat(),
        ..event(1, 5)
    };
    let a = folder.file("a.etl", &FileSpec::new(log_file()).buffer(buffer(0, &[sale])).to_bytes());
    let alone = dump(&["--id", "1"], &a).expect_silence();
    assert_eq!(alone.column("schema"), [Value::Null]);
    for order in ["time", "file"] {
        let args = ["dump", "-f", "jsonl", "--order", order, "-n", "2", &names(&a), &names(&described())];
        let run = run(args).expect_silence();
        assert_eq!(run.events()[1]["fields"], json!({"Item": "tea", "Price": 1}), "{}", run.out);
    }
}

#[test]
fn values_are_shown_as_the_contract_says() {
    let folder = Folder::new();
    let fields: [(&str, &[u8], &[u8]); 14] = [
        ("hex", &[0x88, 4], &[0x2A, 0, 0, 0]),
        ("nan", &[12], &f64::NAN.to_le_bytes()),
        ("infinite", &[11], &f32::NEG_INFINITY.to_le_bytes()),
        ("yes", &[13], &[1, 0, 0, 0]),
        ("guid", &[15], &[0x67, 0x45, 0x23, 1, 0xAB, 0x89, 0xEF, 0xCD, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("sid", &[19], &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]),
        ("date", &[17], &132_756_731_757_993_232_u64.to_le_bytes()),
        ("never", &[17], &[0; 8]),
        ("bytes", &[14], &[2, 0, 0xCA, 0xFE]),
        ("half", &[1], &[0x00, 0xD8, 0x41, 0x00, 0, 0]),
        ("win32", &[0x88, 13], &[5, 0, 0, 0]),
        ("negative", &[7], &(-1_i32).to_le_bytes()),
        ("large", &[10], &u64::MAX.to_le_bytes()),
        ("quote\"\n", &[4], &[1]),
    ];
    let schema: Vec<_> = fields.iter().map(|(name, types, _)| (*name, *types)).collect();
    let spec = EventSpec {
        channel: 11,
        items: vec![ItemSpec::schema_tl("Values", &schema)],
        payload: fields.iter().flat_map(|(_, _, bytes)| bytes.to_vec()).collect(),
        ..event(0, 5)
    };
    let path = folder.file("a.etl", &FileSpec::new(log_file()).buffer(buffer(0, &[spec])).to_bytes());
    let run = dump(&["--opcode", "2"], &path).expect_silence();
    assert!(run.out.contains("\"large\":18446744073709551615"), "{}", run.out);
    assert_eq!(
        run.events()[0]["fields"],
        json!({
            "hex": "0x2a", "nan": "NaN", "infinite": "-Infinity", "yes": true,
            "guid": "01234567-89ab-cdef-0102-030405060708", "sid": "S-1-5-18",
            "date": "2021-09-09T14:59:35.7993232Z", "never": null, "bytes": "cafe", "half": "\u{FFFD}A", "win32": "0x5",
            "negative": -1, "large": 18_446_744_073_709_551_615_u64, "quote\"\n": 1
        })
    );
    let text = crate::support::run(["dump", "--opcode", "2", &names(&path)]).expect_silence().out;
    assert!(
        text.contains(" never=- bytes=cafe half=\u{FFFD}A win32=5(ERROR_ACCESS_DENIED) negative=-1 "),
        "{text}"
    );
    assert!(text.ends_with(" \"quote\\\"\\n\"=1\n"), "{text}");
}

#[test]
fn no_name_and_no_value_breaks_a_line() {
    let folder = Folder::new();
    let odd = "a\n\r\u{1b}[2J\u{202e}\u{85}b";
    let spec = EventSpec {
        channel: 11,
        items: vec![ItemSpec::provider_traits(odd, None), ItemSpec::schema_tl(odd, &[(odd, &[2])])],
        payload: odd.bytes().chain([0]).collect(),
        ..event(0, 5)
    };
    let path = names(&folder.file("a.etl", &FileSpec::new(log_file()).buffer(buffer(0, &[spec])).to_bytes()));
    let shown = r"a\n\r\u{1b}[2J\u{202e}\u{85}b";
    let run = run(["dump", "--opcode", "2", &path]).expect_silence();
    assert_eq!(
        run.out,
        format!(
            "2024-01-02T03:04:05.0000005Z   0 100/200     {shown} {shown} Informational \"{shown}\"=\"{shown}\"\n"
        )
    );
    let json = dump(&["--opcode", "2"], &path).expect_silence();
    assert_eq!(json.out.lines().count(), 1);
    assert_eq!(json.events()[0]["fields"][odd], odd);
    let stats = crate::support::run(["stats", "--by", "event", &path]).expect_silence().out;
    assert!(stats.contains(&format!("  {shown} {shown}\n")), "{stats}");
}
