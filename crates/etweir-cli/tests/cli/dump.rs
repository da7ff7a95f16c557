//! `etweir dump`: order, formats, inputs.

use std::io::Read;
use std::process::Stdio;

use etweir::trace::{ClockType, LogFileMode};
use etweir::write::{FileSpec, ItemSpec, LogFileSpec, MessageSpec};
use etweir::{Guid, codec::Format};
use serde_json::{Value, json};

use crate::support::*;

fn ids(run: &Run) -> Vec<u64> {
    run.events().iter().map(|event| event["id"].as_u64().expect("a number")).collect()
}

#[test]
fn events_come_in_time_order_with_the_header_first() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    let run = dump(&[], &path).expect_silence();
    assert_eq!(ids(&run), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(run.events()[0]["kind"], "system64");
}

#[test]
fn file_order_is_the_order_of_the_buffers() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    assert_eq!(ids(&dump(&["--order", "file"], &path).expect_silence()), [0, 1, 3, 5, 2, 4, 6]);
}

#[test]
fn compressed_buffers_sort_like_any_other() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().compressed(Format::Xpress).to_bytes());
    assert_eq!(ids(&dump(&[], &path).expect_silence()), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn equal_times_keep_the_order_of_the_file() {
    let folder = Folder::new();
    let file = FileSpec::new(log_file())
        .buffer(buffer(1, &[event(1, 10), event(2, 10), event(3, 20)]))
        .buffer(buffer(0, &[event(4, 10), event(5, 10)]));
    let path = folder.file("a.etl", &file.to_bytes());
    assert_eq!(ids(&dump(&[], &path)), [0, 1, 2, 4, 5, 3]);
}

#[test]
fn the_header_comes_first_even_where_events_are_older() {
    let folder = Folder::new();
    let file = FileSpec::new(log_file()).buffer(buffer(0, &[event(1, -500), event(2, 5)]));
    let path = folder.file("a.etl", &file.to_bytes());
    assert_eq!(dump(&[], &path).column("kind"), ["system64", "event64", "event64"]);
}

#[test]
fn a_record_without_a_time_stamp_follows_its_predecessor() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &odd_records());
    let run = dump(&[], &path).expect_silence();
    assert_eq!(run.column("kind"), ["system64", "perfinfo64", "event64", "message", "message", "event64"]);
    assert_eq!(ids(&run), [0, 0, 1, 7, 8, 2]);
    let bare = &run.events()[4];
    assert_eq!((&bare["time"], &bare["ticks"]), (&Value::Null, &Value::Null));
}

/// A message without a time stamp.
fn bare(number: u16) -> MessageSpec {
    MessageSpec { message_number: number, ..MessageSpec::bare() }
}

#[test]
fn records_before_the_first_time_stamp_of_a_buffer_have_that_one() {
    let folder = Folder::new();
    // The buffer was flushed at 1000.
    let first = buffer(0, &[]).message(&bare(11)).message(&bare(12)).event(&event(3, 30)).message(&bare(13));
    let file = FileSpec::new(log_file()).buffer(first).buffer(buffer(1, &[event(1, 29), event(2, 31)]));
    let path = folder.file("a.etl", &file.to_bytes());
    assert_eq!(ids(&dump(&[], &path).expect_silence()), [0, 1, 11, 12, 3, 13, 2]);
    let run = dump(&["--from", "+3us", "--to", "+3us"], &path).expect_silence();
    assert_eq!(ids(&run), [11, 12, 3, 13]);
}

#[test]
fn damage_ahead_of_the_first_time_stamp_is_named_once() {
    use etweir::write::Damage;

    let folder = Folder::new();
    let first = buffer(0, &[]).message(&bare(11)).event(&event(4, 20)).event(&event(3, 30));
    let second = buffer(1, &[event(1, 29), event(2, 31)]);
    let at = buffer(0, &[]).message(&bare(11)).end();
    let file = FileSpec::new(log_file()).buffer(first).buffer(second).damage(Damage::Overwrite {
        buffer: 1,
        at,
        bytes: vec![0, 0],
    });
    let path = folder.file("a.etl", &file.to_bytes());
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(ids(&run), [0, 1, 11, 3, 2]);
    assert!(run.err.contains("0 buffers and 1 record damaged"), "{}", run.err);
}

#[test]
fn a_buffer_without_time_stamps_has_its_own() {
    let folder = Folder::new();
    let first = buffer(0, &[]).message(&bare(11)).message(&bare(12));
    let second = buffer(1, &[event(1, 999), event(2, 1001)]);
    let file = FileSpec::new(log_file()).buffer(first).buffer(second);
    let path = folder.file("a.etl", &file.to_bytes());
    assert_eq!(ids(&dump(&[], &path).expect_silence()), [0, 1, 11, 12, 2]);
}

#[test]
fn a_relogged_buffer_without_time_stamps_is_where_it_was_relogged() {
    let folder = Folder::new();
    let log_file = LogFileSpec { log_file_mode: LogFileMode(1 | LogFileMode::RELOG.0), ..log_file() };
    // Flushed, as the relogger writes it, at a FILETIME.
    let stampless = |number| buffer(0, &[]).time_stamp(START.0 + 1000).message(&bare(number));
    let file = FileSpec::new(log_file)
        .buffer(stampless(11))
        .buffer(buffer(1, &[event(1, 10), event(2, 20)]))
        .buffer(stampless(12))
        .buffer(buffer(1, &[event(3, 15), event(4, 30)]));
    let path = folder.file("a.etl", &file.to_bytes());
    assert_eq!(ids(&dump(&[], &path).expect_silence()), [0, 1, 3, 2, 4, 11, 12]);
    for order in ["time", "file"] {
        let within =
            |from, to| ids(&dump(&["--order", order, "--from", from, "--to", to], &path).expect_silence());
        assert_eq!(within("+0", "+1us"), [0, 1], "{order}");
        assert_eq!(within("+100us", "+100us"), [11, 12], "{order}");
    }
}

#[test]
fn files_of_a_clock_that_nothing_names_are_merged_by_the_time_of_day() {
    let folder = Folder::new();
    // Windows reads large ticks as times of day, others as those of the counter.
    let log_file = || LogFileSpec { clock_type: ClockType::RAW, ..log_file() };
    let mut events = [event(1, 10), event(2, 20), event(3, 30)];
    for (event, after) in events.iter_mut().zip([10, 20, 30]) {
        event.time_stamp = START.0 + after;
    }
    let a = FileSpec::new(log_file()).buffer(buffer(0, &events).time_stamp(START.0 + 40));
    let b = FileSpec::new(log_file()).buffer(buffer(0, &[event(4, 15), event(5, 25)]));
    folder.file("a.etl", &a.to_bytes());
    folder.file("b.etl", &b.to_bytes());
    assert_eq!(ids(&dump(&[], folder.path()).expect_silence()), [0, 0, 1, 4, 2, 5, 3]);
}

#[test]
fn an_event_that_is_older_than_its_predecessor_in_the_buffer_stays_behind_it_and_is_counted() {
    let folder = Folder::new();
    let file = FileSpec::new(log_file())
        .buffer(buffer(0, &[event(1, 10), event(2, 40), event(3, 30)]))
        .buffer(buffer(1, &[event(4, 20), event(5, 35), event(6, 50)]));
    let path = folder.file("a.etl", &file.to_bytes());
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(ids(&run), [0, 1, 4, 5, 2, 3, 6]);
    assert_eq!(
        run.err,
        "warning: 1 event came late, by 0.000001s at most, and is printed after younger ones\n"
    );
    dump(&["--strict"], &path).expect_status(0);
    dump(&["--id", "2"], &path).expect_silence();
}

#[test]
fn names_with_spaces_are_quoted() {
    let folder = Folder::new();
    folder.file("a b.etl", &two_processors().to_bytes());
    folder.file("c.etl", &two_processors().to_bytes());
    let run = run(["dump", "--id", "4", &names(folder.path())]).expect_silence();
    let files: Vec<_> = run.out.lines().map(|line| line.split_once(" file=").expect("a name").1).collect();
    assert!(files[0].starts_with('"') && files[0].contains("a b.etl\" payload="), "{}", run.out);
    assert!(!files[1].starts_with('"') && files[1].contains("c.etl payload="), "{}", run.out);
}

#[test]
fn a_long_payload_is_whole_where_no_terminal_is_written_to() {
    let folder = Folder::new();
    let mut long = event(1, 0);
    long.payload = vec![0x5A; 412];
    let path = names(&folder.file("a.etl", &FileSpec::new(log_file()).buffer(buffer(0, &[long])).to_bytes()));
    let hex = format!(" payload={}\n", "5a".repeat(412));
    assert!(run(["dump", "--id", "1", &path]).expect_silence().out.ends_with(&hex));
}

#[test]
fn a_line_has_its_keys_in_the_order_of_the_contract() {
    let folder = Folder::new();
    let mut spec = event(1, 7);
    spec.channel = 11;
    spec.activity_id = Guid::from_parts(1, 2, 3, [4; 8]);
    spec.items =
        vec![ItemSpec::related_activity_id(PROVIDER), ItemSpec::stack64(0, &[0x10, 0xFFFF_F800_0000_0000])];
    let path = folder.file("a.etl", &FileSpec::new(log_file()).buffer(buffer(3, &[spec])).to_bytes());
    let run = dump(&["--id", "1"], &path).expect_silence();
    assert_eq!(
        run.out,
        concat!(
            r#"{"time":"2024-01-02T03:04:05.0000007Z","ticks":1000000007,"cpu":3,"pid":101,"tid":201,"#,
            r#""provider":"11111111-2222-3333-4444-555555555555","id":1,"version":1,"channel":11,"level":4,"#,
            r#""opcode":2,"task":3,"keywords":"0x0000000000000010","kind":"event64","#,
            r#""level_name":"win:Informational","opcode_name":"win:Stop","channel_name":"TraceLogging","#,
            r#""activity_id":"00000001-0002-0003-0404-040404040404","#,
            r#""related_activity_id":"11111111-2222-3333-4444-555555555555","#,
            r#""stack":["0x10","0xfffff80000000000"],"payload":"ab01"}"#,
            "\n"
        )
    );
}

#[test]
fn a_kernel_record_has_its_class_and_no_process() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &odd_records());
    let run = dump(&["--provider", "perfinfo", "--no-decode"], &path).expect_silence();
    assert_eq!(
        run.events(),
        [json!({
            "time": "2024-01-02T03:04:05.0000020Z", "ticks": ANCHOR + 20, "cpu": 0, "pid": null, "tid": null,
            "provider": "ce1dbfb4-137e-4da6-87b0-3f59aa102cbc", "provider_name": "PerfInfo", "id": 0, "version": 0,
            "channel": 0, "level": 0, "opcode": 0x2E, "task": 0, "keywords": "0x0000000000000000",
            "kind": "perfinfo64", "payload": ""
        })]
    );
}

#[test]
fn text_has_one_line_per_event() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &odd_records());
    let run = run(["dump", "--order", "time", &names(&path)]).expect_silence();
    let lines: Vec<_> = run.out.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "2024-01-02T03:04:05.0000020Z   0 -           PerfInfo/SampleProf \
             error=\"InstructionPointer: property 0, Pointer at 0x0 needs 8 bytes, 0 left\"",
            "2024-01-02T03:04:05.0000025Z   1 101/201     11111111-2222-3333-4444-555555555555 \
             id 1 v1 Informational opcode=2 task=3 keywords=0x0000000000000010 payload=ab01",
            "2024-01-02T03:04:05.0000030Z   0 -           11111111-2222-3333-4444-555555555555 msg 7 v0",
            "                           -   0 -           00000000-0000-0000-0000-000000000000 msg 8 v0 payload=01",
            "2024-01-02T03:04:05.0000035Z   1 102/202     11111111-2222-3333-4444-555555555555 \
             id 2 v1 Informational opcode=2 task=3 keywords=0x0000000000000010 payload=ab02",
        ]
    );
}

#[test]
fn raw_time_shows_ticks() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    let run = run(["dump", "--raw-time", "--id", "4", &names(&path)]).expect_silence();
    assert!(run.out.starts_with("        1000000040   1 104/204     11111111-"), "{}", run.out);
}

#[test]
fn several_files_are_merged_by_the_time_of_day_and_named() {
    let folder = Folder::new();
    // The clock of the second file shows other ticks at the same time: its events 2 and 3 come between.
    let a = folder.file("a.etl", &two_processors().to_bytes());
    let mut late = [event(2, 0), event(3, 0)];
    late[0].time_stamp = 5_000_025;
    late[1].time_stamp = 5_000_045;
    let other = FileSpec::new(log_file_at(5_000_000, 0)).buffer(buffer(0, &late));
    let b = folder.file("b.etl", &other.to_bytes());
    let run = run(["dump", "-f", "jsonl", &names(&a), &names(&b)]).expect_silence();
    assert_eq!(ids(&run), [0, 0, 1, 2, 2, 3, 4, 3, 5, 6]);
    let times = run.column("time");
    assert!(times.is_sorted_by_key(|time| time.as_str()));
    let files: Vec<_> =
        run.column("file").iter().map(|file| file.as_str().expect("a name").ends_with("b.etl")).collect();
    assert_eq!(files, [false, true, false, false, true, false, false, true, false, false]);
    assert!(run.out.starts_with("{\"file\":"));
}

#[test]
fn a_file_without_a_clock_comes_last() {
    let folder = Folder::new();
    let bare = FileSpec::new(log_file()).without_header().buffer(buffer(0, &[event(9, 0), event(8, 90)]));
    let a = folder.file("a.etl", &bare.to_bytes());
    let b = folder.file("b.etl", &two_processors().to_bytes());
    let run = run(["dump", "-f", "jsonl", &names(&a), &names(&b)]).expect_status(0);
    assert_eq!(ids(&run), [0, 1, 2, 3, 4, 5, 6, 9, 8]);
    assert_eq!(run.column("time")[7..], [Value::Null, Value::Null]);
}

#[test]
fn folders_are_searched_for_traces_by_name() {
    let folder = Folder::new();
    let one = |id| FileSpec::new(log_file()).buffer(buffer(0, &[event(id, 0)])).to_bytes();
    folder.file("b/x.ETL", &one(3));
    folder.file("a.etl", &one(1));
    folder.file("b/w.etl", &one(2));
    folder.file("c.txt", b"no trace");
    let run = dump(&["--order", "file", "--opcode", "2"], folder.path()).expect_silence();
    assert_eq!(ids(&run), [1, 2, 3]);
}

#[test]
fn standard_input_is_read_like_a_file() {
    let bytes = two_processors().to_bytes();
    for (order, expected) in [("time", [1, 2, 3, 4, 5, 6]), ("file", [1, 3, 5, 2, 4, 6])] {
        let args = ["dump", "-f", "jsonl", "--opcode", "2", "--order", order, "-"];
        assert_eq!(ids(&run_with_input(args, &bytes).expect_silence()), expected);
    }
    run_with_input(["dump", "-", "-"], &bytes).expect_status(2);
}

#[test]
fn standard_input_can_be_asked_for_its_start() {
    let bytes = two_processors().to_bytes();
    let run = run_with_input(["dump", "-f", "jsonl", "--from", "+5us", "-"], &bytes).expect_silence();
    assert_eq!(ids(&run), [5, 6]);
}

#[cfg(target_os = "linux")]
#[test]
fn what_can_be_read_only_once_can_be_asked_for_its_start() {
    use std::process::Command;

    let bytes = two_processors().to_bytes();
    let run =
        run_with_input(["dump", "-f", "jsonl", "--from", "+5us", "/dev/stdin"], &bytes).expect_silence();
    assert_eq!(ids(&run), [5, 6]);

    let folder = Folder::new();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, bytes)
    });
    assert_eq!(ids(&dump(&["--to", "+1us", "--opcode", "2"], &pipe).expect_silence()), [1]);
    writer.join().expect("no panic").expect("all is read");
}

#[test]
fn so_many_events_are_printed_over_all_files() {
    let folder = Folder::new();
    folder.file("a.etl", &two_processors().to_bytes());
    folder.file("b.etl", &two_processors().to_bytes());
    for order in ["time", "file"] {
        for (count, lines) in [("0", 0), ("1", 1), ("9", 9), ("100", 14)] {
            let run = dump(&["--order", order, "-n", count], folder.path()).expect_silence();
            assert_eq!(run.events().len(), lines, "-n {count} --order {order}");
        }
    }
}

#[test]
fn a_file_that_is_missing_is_told_even_if_enough_was_printed_before() {
    let folder = Folder::new();
    let good = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let missing = names(&folder.path().join("b.etl"));
    for order in ["time", "file"] {
        let run = run(["dump", "-n", "2", "--order", order, &good, &missing, &good]).expect_status(1);
        assert_eq!(run.out.lines().count(), 2);
        assert!(run.err.starts_with(&format!("error: {missing}: cannot open: ")), "{}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    }
}

#[test]
fn past_the_memory_limit_events_of_a_file_leave_early_and_late_ones_are_counted() {
    let folder = Folder::new();
    // Both buffers begin before anything in them can leave.
    let file = FileSpec::new(log_file())
        .buffer(buffer(0, &[event(1, 10), event(3, 30), event(5, 50)]))
        .buffer(buffer(1, &[event(2, 20), event(4, 40), event(6, 60)]));
    let path = folder.file("a.etl", &file.to_bytes());
    let run = dump(&["--memory-limit", "300"], &path).expect_status(0);
    assert_eq!(ids(&run), [0, 1, 3, 5, 2, 4, 6]);
    assert_eq!(
        run.err,
        "warning: 2 events came late, by 0.000003s at most, and are printed after younger ones\n"
    );
    // A buffer for each processor is enough.
    assert_eq!(ids(&dump(&["--memory-limit", "64KiB"], &path).expect_silence()), [0, 1, 2, 3, 4, 5, 6]);
    dump(&["--memory-limit", "300", "--order", "file"], &path).expect_silence();
}

#[test]
fn colours_are_for_those_who_ask() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    let run_in = |color: &str| run(["dump", "--color", color, &names(&path)]).expect_silence().out;
    assert!(run_in("always").contains("\u{1b}["));
    assert!(!run_in("never").contains('\u{1b}'));
    assert!(!run_in("auto").contains('\u{1b}'), "a pipe is no terminal");
}

#[test]
fn a_closed_pipe_is_the_end_and_no_failure() {
    let folder = Folder::new();
    let events: Vec<_> = (0..30).map(|index| event(index, index.into())).collect();
    let file = (0..1000).fold(FileSpec::new(log_file()), |file, _| file.buffer(buffer(0, &events)));
    let path = folder.file("a.etl", &file.to_bytes());
    let mut child = command()
        .args(["dump", "--order", "file"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut out = child.stdout.take().expect("a pipe");
    out.read_exact(&mut [0; 10]).expect("some output");
    drop(out);
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}

#[cfg(unix)]
#[test]
fn names_need_not_be_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    folder.file(OsStr::from_bytes(b"\xFF\nodd.etl"), &two_processors().to_bytes());
    folder.file("plain.etl", &two_processors().to_bytes());
    folder.file(OsStr::from_bytes(b"\xFE\ntext.etl"), b"text");
    let run = dump(&[], folder.path()).expect_status(1);
    assert_eq!(run.events().len(), 14);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    assert!(run.column("file")[1].as_str().expect("a name").ends_with("\u{FFFD}\nodd.etl"));
}
