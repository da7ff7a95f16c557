//! `etweir info`.

use etweir::buffer::BufferFlags;
use etweir::codec::Format;
use etweir::trace::LogFileMode;
use etweir::write::{Damage, FileSpec, FullSpec, LogFileSpec, PerfSpec, SystemSpec, TimeZoneSpec};
use etweir::{FileTime, Guid};

use crate::support::*;

#[test]
fn the_facts_of_a_trace_are_listed() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    let run = run(["info", &names(&path)]).expect_silence();
    for line in [
        "Session         Session",
        "Windows         10.0 build 26100, 64-bit (log file version 1.5)",
        "Clock           qpc, 10,000,000 ticks per second",
        "Start           2024-01-02T03:04:05.0000000Z",
        "End             2024-01-02T03:04:08.0000000Z",
        "Duration        3s",
        "Mode            0x00000001 FILE_MODE_SEQUENTIAL",
        "Buffers         3",
        "Records         7",
        "  event64       6",
        "Last record     2024-01-02T03:04:05.0000060Z",
        "Lost            nothing",
        "Damage          none",
    ] {
        assert!(run.out.lines().any(|found| found == line), "no {line:?} in\n{}", run.out);
    }
}

#[test]
fn json_has_one_object_per_file_in_their_order() {
    let folder = Folder::new();
    let lab = PerfSpec {
        hook_id: 0x0042,
        time_stamp: ANCHOR,
        payload: b"26100.1.amd64fre.ge_release.240331-1435\0junk".to_vec(),
        ..PerfSpec::default()
    };
    let log_file = LogFileSpec { end_time: FileTime(0), events_lost: 3, ..log_file() };
    let b = FileSpec::new(log_file)
        .header_record(lab)
        .buffer(buffer(0, &[event(1, 10)]))
        .compressed(Format::XpressHuff);
    let b = names(&folder.file("b.etl", &b.to_bytes()));
    let a = names(&folder.file("a.etl", &two_processors().without_header().to_bytes()));
    let run = run(["info", "--json", &b, &a]).expect_status(0);
    let all = run.json();
    let (b, a) = (&all[0], &all[1]);
    assert!(b["file"].as_str().expect("a name").ends_with("b.etl"));
    assert_eq!(b["session"]["end_time"], serde_json::Value::Null);
    assert_eq!(b["session"]["events_lost"], 3);
    assert_eq!(b["compression"], "XPRESS_HUFF");
    assert_eq!(b["compressed_buffers"], 1);
    assert_eq!(b["build_lab"], "26100.1.amd64fre.ge_release.240331-1435");
    assert_eq!(b["records_by_kind"], serde_json::json!({"event64": 1, "perfinfo64": 1, "system64": 1}));
    assert_eq!(a["session"], serde_json::Value::Null);
    assert_eq!(a["first_time"], serde_json::Value::Null);
    assert_eq!(a["first_ticks"], ANCHOR + 10);
    assert_eq!(a["damage"]["header_missing"], true);
}

#[test]
fn filters_count_only_what_passes() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let run = run(["info", "--json", "--cpu", "1", &path]).expect_silence();
    assert_eq!(run.json()[0]["records"], 3);
    assert_eq!(run.json()[0]["buffers"], 3);
}

#[test]
fn names_in_a_trace_cannot_steer_the_terminal() {
    let folder = Folder::new();
    let log_file = LogFileSpec { logger_name: Some("a\u{1b}[31mb".to_owned()), ..log_file() };
    let path = names(&folder.file("a.etl", &FileSpec::new(log_file).to_bytes()));
    assert!(!run(["info", &path]).expect_silence().out.contains('\u{1b}'));
}

#[test]
fn an_unwritten_tail_is_no_damage() {
    let folder = Folder::new();
    let file = two_processors().damage(Damage::AppendZeros(8192));
    let path = names(&folder.file("a.etl", &file.to_bytes()));
    let run = run(["info", "--strict", &path]).expect_silence();
    assert!(run.out.contains("Unwritten tail  8,192 bytes (8.0 KiB)"), "{}", run.out);
}

#[test]
fn stamps_that_are_no_date_are_counted_and_are_no_limits() {
    let folder = Folder::new();
    // The last two become no FILETIME, and a year past 9999.
    let events =
        [event(1, 10), event(2, 20), event(3, i64::MAX - ANCHOR), event(4, 3_000_000_000_000_000_000)];
    let file = FileSpec::new(log_file()).buffer(buffer(0, &events));
    let path = names(&folder.file("a.etl", &file.to_bytes()));
    let json = run(["info", "--json", &path]).expect_silence().json();
    assert_eq!(json[0]["last_time"], "2024-01-02T03:04:05.0000020Z");
    assert_eq!(json[0]["last_ticks"], ANCHOR + 20);
    assert_eq!(json[0]["times_out_of_range"], 2);
    assert_eq!(json[0]["records"], 5);
    let text = run(["info", &path]).expect_silence().out;
    assert!(text.contains("Last record     2024-01-02T03:04:05.0000020Z\n"), "{text}");
    assert!(text.contains("Out of range    2 records with a time stamp that is no date\n"), "{text}");
    // Without a clock, no stamp is odd; and there is nothing to say where all are in range.
    let bare = names(&folder.file("bare.etl", &file.without_header().to_bytes()));
    let good = names(&folder.file("good.etl", &two_processors().to_bytes()));
    let json = run(["info", "--json", &bare, &good]).expect_status(0).json();
    assert_eq!(json[0]["last_ticks"], i64::MAX);
    assert!(json[0].get("times_out_of_range").is_none() && json[1].get("times_out_of_range").is_none());
}

#[test]
fn what_the_header_claims_is_told_only_of_closed_traces() {
    let folder = Folder::new();
    let claim = |end_time| LogFileSpec { end_time, buffers_written: Some(9), ..log_file() };
    let closed = names(&folder.file("a.etl", &FileSpec::new(claim(START)).to_bytes()));
    let open = names(&folder.file("b.etl", &FileSpec::new(claim(FileTime(0))).to_bytes()));
    let buffers = |path: &str| {
        let out = run(["info", path]).expect_silence().out;
        out.lines().find(|line| line.starts_with("Buffers ")).map(str::to_owned)
    };
    assert_eq!(buffers(&closed).as_deref(), Some("Buffers         1 (the header says 9)"));
    assert_eq!(buffers(&open).as_deref(), Some("Buffers         1"));
}

#[test]
fn names_in_a_trace_cannot_turn_the_direction_of_writing() {
    let folder = Folder::new();
    let log_file = LogFileSpec { logger_name: Some("a\u{202e}b".to_owned()), ..log_file() };
    let path = names(&folder.file("a.etl", &FileSpec::new(log_file).to_bytes()));
    let run = run(["info", &path]).expect_silence();
    assert!(run.out.contains("a\\u{202e}b"), "{}", run.out);
}

/// The value of a line, if there is one of this name.
fn line<'a>(out: &'a str, name: &str) -> Option<&'a str> {
    out.lines().find_map(|line| line.strip_prefix(&format!("{name:<15} ")))
}

#[test]
fn losses_are_told_by_everything_that_tells_of_them() {
    let folder = Folder::new();
    let lost =
        Guid::from_parts(0x6A39_9AE0, 0x4BC6, 0x4DE9, [0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E]);
    let loss = FullSpec { guid: lost, opcode: 33, time_stamp: ANCHOR + 20, ..FullSpec::default() };
    let log_file = LogFileSpec { events_lost: 5, ..log_file() };
    let file = FileSpec::new(log_file)
        .buffer(buffer(0, &[event(1, 10)]).sequence_number(4))
        .buffer(buffer(1, &[]).full(&loss).add_flags(BufferFlags::EVENTS_LOST).sequence_number(7));
    let path = names(&folder.file("a.etl", &file.to_bytes()));
    let json = run(["info", "--json", &path]).expect_status(0).json();
    assert_eq!(
        json[0]["losses"],
        serde_json::json!({
            "events_lost_flags": 1, "buffers_lost_flags": 0, "loss_events": 1, "sequence_gaps": 2
        })
    );
    let text = run(["info", &path]).expect_status(0).out;
    assert_eq!(line(&text, "Lost"), Some("5 events, 0 buffers, marks of a loss in 1 buffer, 1 loss event"));
    assert_eq!(line(&text, "Gaps"), Some("2 sequence numbers of buffers missing: lost, or never filled"));
    let good = names(&folder.file("b.etl", &two_processors().to_bytes()));
    let text = run(["info", &good]).expect_silence().out;
    assert_eq!((line(&text, "Lost"), line(&text, "Gaps")), (Some("nothing"), None));
}

#[test]
fn the_machine_is_told_if_the_trace_tells_it() {
    let folder = Folder::new();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let mut cpu = vec![0; 20 + 512 + 268 + 8];
    cpu[8..12].copy_from_slice(&16_384_u32.to_le_bytes());
    cpu[20..30].copy_from_slice(&utf16("HOST1"));
    cpu[532..540].copy_from_slice(&utf16("CORP"));
    let system =
        |hook_id, payload| SystemSpec { hook_id, payload, time_stamp: ANCHOR + 5, ..SystemSpec::default() };
    let platform = utf16("Maker\0Box 7\x0012/07/2018\x00090008\0");
    let file = FileSpec::new(log_file())
        .buffer(buffer(0, &[]).system(&system(0x0B0A, cpu)).system(&system(0x0B19, platform)));
    let path = names(&folder.file("a.etl", &file.to_bytes()));
    // Whatever is counted.
    let text = run(["info", "--id", "7", &path]).expect_silence().out;
    assert_eq!(line(&text, "Computer"), Some("HOST1 in CORP"));
    assert_eq!(line(&text, "Machine"), Some("Maker Box 7, BIOS 090008 of 12/07/2018"));
    assert_eq!(line(&text, "Memory"), Some("16,384 MB"));
    let json = run(["info", "--json", &path]).expect_silence().json();
    assert_eq!(json[0]["host"]["computer_name"], "HOST1");
    assert_eq!(json[0]["host"]["memory"], 16_384);
    let text =
        run(["info", &names(&folder.file("b.etl", &two_processors().to_bytes()))]).expect_silence().out;
    assert_eq!((line(&text, "Computer"), line(&text, "Machine"), line(&text, "Memory")), (None, None, None));
}

#[test]
fn providers_and_processors_are_counted() {
    let folder = Folder::new();
    let mut other = event(7, 70);
    other.provider_id = Guid::from_parts(1, 2, 3, [4; 8]);
    let file = two_processors().buffer(buffer(3, &[other, event(8, 80)]));
    let path = names(&folder.file("a.etl", &file.to_bytes()));
    let text = run(["info", &path]).expect_silence().out;
    assert_eq!(line(&text, "Providers"), Some("3"), "two, and the one of the log-file header");
    assert_eq!(line(&text, "Processors"), Some("4 at 2,400 MHz, 3 of them with buffers in this file"));
    let json = run(["info", "--json", "--cpu", "1", &path]).expect_silence().json();
    assert_eq!((&json[0]["providers"], &json[0]["processors"]), (&1.into(), &3.into()));
}

#[test]
fn the_mode_of_no_bit_and_the_limits_of_a_session_are_in_words() {
    let folder = Folder::new();
    let out = |mode, maximum_file_size, end_time| {
        let log_file =
            LogFileSpec { log_file_mode: LogFileMode(mode), maximum_file_size, end_time, ..log_file() };
        run(["info", &names(&folder.file("a.etl", &FileSpec::new(log_file).to_bytes()))]).expect_silence().out
    };
    let text = out(0, 0, FileTime(0));
    assert_eq!(line(&text, "Mode"), Some("0x00000000 (sequential)"));
    assert_eq!(line(&text, "Size limit"), None);
    assert_eq!(line(&text, "End"), Some("unknown: the trace was never closed"));
    assert_eq!(line(&text, "Timer"), Some("15.625 ms"));
    let text = out(2, 1500, START);
    assert_eq!(line(&text, "Mode"), Some("0x00000002 FILE_MODE_CIRCULAR"));
    assert_eq!(line(&text, "Size limit"), Some("1,500 MB"));
    assert_eq!(line(&out(0x2002, 128, START), "Size limit"), Some("128 KB"));
}

#[test]
fn names_of_time_zones_are_for_people() {
    let folder = Folder::new();
    let zone = |standard: &str, daylight: &str| TimeZoneSpec {
        bias: -60,
        standard_name: standard.to_owned(),
        daylight_name: daylight.to_owned(),
        ..TimeZoneSpec::default()
    };
    for (time_zone, expected) in [
        (zone("@tzres.dll,-322", "@tzres.dll,-321"), "UTC+01:00"),
        (zone("Middle", "Summer"), "UTC+01:00 Middle / Summer"),
    ] {
        let file = FileSpec::new(LogFileSpec { time_zone, ..log_file() });
        let text = run(["info", &names(&folder.file("a.etl", &file.to_bytes()))]).expect_silence().out;
        assert_eq!(line(&text, "Time zone"), Some(expected));
    }
}
