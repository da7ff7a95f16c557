//! Damage: named, counted, survived.

use etweir::Guid;
use etweir::buffer::BufferFlags;
use etweir::write::{Damage, FileSpec, FullSpec, LogFileSpec};

use crate::support::*;

/// A buffer in which the size of the second record is 0.
fn damaged() -> FileSpec {
    two_processors().damage(Damage::Overwrite { buffer: 1, at: 72 + 88, bytes: vec![0, 0] })
}

#[test]
fn damage_is_a_warning_that_names_the_place() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &damaged().to_bytes());
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(run.column("id"), [0, 1, 2, 4, 5, 6]);
    let lines: Vec<_> = run.err.lines().collect();
    assert_eq!(lines.len(), 2, "{}", run.err);
    assert!(
        lines[0].starts_with(&format!("warning: {}: damaged record at 0x10a0, ", names(&path))),
        "{}",
        run.err
    );
    assert!(lines[1].contains("0 buffers and 1 record damaged or skipped, "), "{}", run.err);
}

#[test]
fn quiet_says_nothing_of_it_and_strict_makes_it_an_error() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &damaged().to_bytes());
    dump(&["--quiet"], &path).expect_silence();
    let strict = dump(&["--strict"], &path).expect_status(1);
    assert_eq!(strict.events().len(), 6, "what is good is printed all the same");
    assert!(strict.err.contains("error: damage in 1 file"), "{}", strict.err);
    let both = dump(&["--strict", "--quiet"], &path).expect_status(1);
    assert_eq!(both.err.lines().count(), 1, "{}", both.err);
}

#[test]
fn much_damage_is_not_all_named() {
    let folder = Folder::new();
    let mut file = FileSpec::new(log_file());
    for index in 0..50 {
        file = file.buffer(buffer(0, &[event(1, index)])).damage(Damage::Overwrite {
            buffer: usize::try_from(index).expect("small") + 1,
            at: 72,
            bytes: vec![0, 0],
        });
    }
    let path = folder.file("a.etl", &file.to_bytes());
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(run.err.lines().count(), 22, "{}", run.err);
    assert!(run.err.contains("... and 30 more"), "{}", run.err);
    assert!(run.err.contains("50 records damaged"), "{}", run.err);
}

#[test]
fn losses_that_the_trace_reports_are_told_but_are_no_damage() {
    let folder = Folder::new();
    let log_file = LogFileSpec { events_lost: 1234, buffers_lost: 1, ..log_file() };
    let path = folder.file("a.etl", &FileSpec::new(log_file).to_bytes());
    let run = dump(&["--strict"], &path).expect_status(0);
    assert_eq!(run.err, "warning: lost while tracing: 1,234 events and 1 buffer\n");
    dump(&["--quiet"], &path).expect_silence();
}

#[test]
fn marks_of_losses_and_loss_events_are_told_too() {
    let folder = Folder::new();
    let lost =
        Guid::from_parts(0x6A39_9AE0, 0x4BC6, 0x4DE9, [0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E]);
    let loss = FullSpec { guid: lost, opcode: 32, time_stamp: ANCHOR + 20, ..FullSpec::default() };
    let file = FileSpec::new(log_file())
        .buffer(buffer(0, &[event(1, 10)]).add_flags(BufferFlags::EVENTS_LOST))
        .buffer(buffer(1, &[]).full(&loss).add_flags(BufferFlags::BUFFER_LOST));
    let path = folder.file("a.etl", &file.to_bytes());
    let expected = "warning: lost while tracing: marks of a loss in 2 buffers, 1 loss event of the session\n";
    for args in [&["dump"][..], &["dump", "--order", "file"], &["info"], &["buffers"]] {
        let run_with = |more: &str| run(args.iter().copied().chain([more, &*names(&path)]));
        assert_eq!(run_with("--strict").expect_status(0).err, expected);
        run_with("--quiet").expect_silence();
    }
    let run = run_with_input(["dump", "-"], &file.to_bytes()).expect_status(0);
    assert_eq!(run.err, expected);
}

#[test]
fn a_trace_without_its_header_is_read_with_a_warning() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().without_header().to_bytes());
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(run.column("id"), [1, 2, 3, 4, 5, 6]);
    assert!(run.column("time").iter().all(serde_json::Value::is_null));
    assert!(run.err.contains("header buffer is missing or damaged"), "{}", run.err);
    dump(&["--strict"], &path).expect_status(1);
}

#[test]
fn a_header_buffer_alone_is_a_trace() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &FileSpec::new(log_file()).to_bytes());
    assert_eq!(dump(&[], &path).expect_silence().events().len(), 1);
}

#[test]
fn another_log_file_header_is_told_but_is_no_damage() {
    let folder = Folder::new();
    let mut bytes = two_processors().to_bytes();
    let second = FileSpec::new(log_file_at(5_000_000, 600_000_000)).buffer(buffer(0, &[event(9, 70)]));
    bytes.extend(second.to_bytes());
    let path = folder.file("a.etl", &bytes);
    let run_strict = dump(&["--strict"], &path).expect_status(0);
    assert_eq!(run_strict.events().len(), 9);
    assert_eq!(
        run_strict.err,
        format!(
            "warning: {}: another log-file header at 0x3048: times from there on are converted with the clock of the first \
             one and may be wrong\n",
            names(&path)
        )
    );
    for command in ["info", "buffers", "dump"] {
        let run = run([command, &names(&path)]).expect_status(0);
        assert!(run.err.contains("another log-file header at 0x3048: "), "{command}: {}", run.err);
    }
    dump(&["--quiet"], &path).expect_silence();
    bytes.extend(second.to_bytes());
    let path = folder.file("b.etl", &bytes);
    let run = dump(&[], &path).expect_status(0);
    assert!(run.err.contains(" at 0x3048 and 1 more behind it: "), "{}", run.err);
}

#[test]
fn whatever_the_bytes_are_the_command_ends_properly() {
    let folder = Folder::new();
    let original = odd_records();
    // A plain generator of numbers: what is mutated is the same in every run.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for round in 0..150 {
        let mut bytes = original.clone();
        for _ in 0..=next(8) {
            // Most bytes are unused: headers and records lie at the start of each buffer.
            let at = next(3) * 4096 + next(300);
            bytes[at] = u8::try_from(next(256)).expect("a byte");
        }
        if round % 4 == 0 {
            bytes.truncate(next(bytes.len()));
        }
        let path = folder.file("a.etl", &bytes);
        let order = if round % 2 == 0 { "time" } else { "file" };
        let args =
            [&["dump", "-f", "jsonl", "--order", order][..], &["dump"], &["info"], &["buffers", "--json"]];
        let args = args[round % 4];
        let run = run(args.iter().copied().chain([&*names(&path)]));
        assert!([0, 1].contains(&run.status), "round {round}: {}", run.err);
        if args.contains(&"jsonl") {
            run.events();
        }
    }
}
