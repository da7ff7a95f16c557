//! Files are read where that is needed, and nowhere else.

use etweir::Ticks;
use etweir::codec::Format;
use etweir::write::{BufferSpec, Damage, EventSpec, FileSpec, LogFileSpec};

use crate::support::*;

fn ids(run: &Run) -> Vec<u64> {
    run.events().iter().map(|event| event["id"].as_u64().expect("a number")).collect()
}

/// Three buffers, each 10 us behind the one before. The second record of the first one and of the last one is damaged.
fn damaged_at_both_ends() -> FileSpec {
    let part = |from: i64| {
        let id = u16::try_from(from).expect("small");
        let events = [event(id + 1, from * 10), event(id + 2, from * 10 + 10), event(id + 3, from * 10 + 20)];
        buffer(0, &events).time_stamp(ANCHOR + from * 10 + 30)
    };
    let damage = |buffer| Damage::Overwrite { buffer, at: 72 + 88, bytes: vec![0, 0] };
    FileSpec::new(log_file())
        .buffer(part(0))
        .buffer(part(10))
        .buffer(part(20))
        .damage(damage(1))
        .damage(damage(3))
}

#[test]
fn outside_the_limits_of_time_no_buffer_is_read() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &damaged_at_both_ends().to_bytes());
    for order in ["time", "file"] {
        let all = dump(&["--order", order], &path).expect_status(0);
        assert_eq!(ids(&all), [0, 1, 3, 11, 12, 13, 21, 23]);
        assert!(all.err.contains("2 records damaged"), "{}", all.err);
        let within = |limits: &[&str]| dump(&[&["--order", order], limits].concat(), &path);
        assert_eq!(ids(&within(&["--from", "+10us", "--to", "+12us"]).expect_silence()), [11, 12, 13]);
        let run = within(&["--from", "+10us"]).expect_status(0);
        assert_eq!(ids(&run), [11, 12, 13, 21, 23]);
        assert!(run.err.contains("1 record damaged") && run.err.contains(" at 0x30a0"), "{}", run.err);
        let run = within(&["--to", "+1500ns"]).expect_status(0);
        assert_eq!(ids(&run), [0, 1]);
        assert!(run.err.contains("1 record damaged") && run.err.contains(" at 0x10a0"), "{}", run.err);
    }
    let run = run(["buffers", "--from", "+10us", "--to", "+12us", &names(&path)]).expect_silence();
    assert_eq!(run.out.lines().count(), 2, "{}", run.out);
    // Of the whole file, everything is counted but the records outside.
    let run = crate::support::run(["info", "--json", "--from", "+10us", "--to", "+12us", &names(&path)]);
    let json = run.expect_status(0).json();
    assert_eq!((&json[0]["records"], &json[0]["buffers"]), (&3.into(), &4.into()));
}

#[test]
fn where_enough_is_printed_nothing_more_is_read() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &damaged_at_both_ends().damage(Damage::ZeroBuffer(1)).to_bytes());
    for order in ["time", "file"] {
        let run = dump(&["--order", order, "-n", "3"], &path).expect_status(0);
        assert_eq!(ids(&run), [0, 11, 12]);
        assert!(run.err.contains("1 buffer and 0 records damaged"), "{}", run.err);
    }
}

#[test]
fn threads_change_nothing() {
    let folder = Folder::new();
    let mut file = FileSpec::new(log_file());
    for number in 0..40_u16 {
        let at = i64::from(number / 4) * 100 + i64::from(number % 4);
        let events: Vec<_> = (0..20).map(|step| event(number, at + step * 5)).collect();
        file = file.buffer(buffer(number % 4, &events).time_stamp(ANCHOR + at + 100));
    }
    for (name, bytes) in
        [("a.etl", file.clone().to_bytes()), ("b.etl", file.compressed(Format::Xpress).to_bytes())]
    {
        let path = names(&folder.file(name, &bytes));
        for args in [&["dump", "-f", "jsonl"][..], &["dump", "--order", "file"], &["info"], &["buffers"]] {
            let with = |threads| run(args.iter().copied().chain(["--threads", threads, &*path]));
            let expected = with("0").expect_silence().out;
            for threads in ["1", "3"] {
                assert!(with(threads).expect_silence().out == expected, "{args:?} {name} {threads}");
            }
        }
        assert_eq!(dump(&[], &path).expect_silence().events().len(), 801);
    }
    for threads in ["-1", "65", "many"] {
        let run = run(["dump", "--threads", threads, "a.etl"]).expect_status(2);
        assert!(run.err.contains("--threads") || threads == "-1", "{}", run.err);
    }
}

#[test]
fn the_files_of_a_series_follow_each_other() {
    let folder = Folder::new();
    // A session that begins a new file every now and then, with a header in each and numbers that go on.
    for part in 0..3_u16 {
        let later = i64::from(part) * 100;
        let first = part * 2;
        let events = |number: u16, at| [event(number * 10, at), event(number * 10 + 1, at + 30)];
        let file = FileSpec::new(log_file_at(ANCHOR + later, later))
            .buffer(buffer(0, &events(first, later + 10)).sequence_number((first + 1).into()))
            .buffer(buffer(1, &events(first + 1, later + 20)).sequence_number((first + 2).into()));
        folder.file(format!("part_{part}.etl"), &file.to_bytes());
    }
    let run = dump(&[], folder.path()).expect_silence();
    assert_eq!(ids(&run), [0, 0, 10, 1, 11, 0, 20, 30, 21, 31, 0, 40, 50, 41, 51]);
    assert!(run.column("ticks").is_sorted_by_key(|ticks| ticks.as_i64()));
    let files: Vec<_> = run.column("file").iter().map(|file| file.as_str().map(str::len)).collect();
    assert_eq!(files.len(), 15);
}

#[test]
fn without_its_header_a_file_is_in_the_order_of_ticks() {
    let folder = Folder::new();
    let other = FileSpec::new(log_file()).without_header().buffer(buffer(3, &[event(7, 25), event(8, 70)]));
    let a = names(&folder.file("a.etl", &two_processors().without_header().to_bytes()));
    let b = names(&folder.file("b.etl", &other.to_bytes()));
    assert_eq!(ids(&dump(&[], &a).expect_status(0)), [1, 2, 3, 4, 5, 6]);
    let run = run(["dump", "-f", "jsonl", &a, &b]).expect_status(0);
    assert_eq!(ids(&run), [1, 2, 7, 3, 4, 5, 6, 8], "where no file has a clock, ticks are all there is");
    assert!(run.err.contains("2 header buffers missing"), "{}", run.err);
}

#[test]
fn a_large_packed_trace_is_copied_to_a_file_that_nobody_sees() {
    let folder = Folder::new();
    let mut file = FileSpec::new(log_file());
    for number in 0..1500_u16 {
        file = file.buffer(
            buffer(number % 3, &[event(number % 100, i64::from(number) * 10)])
                .time_stamp(ANCHOR + i64::from(number) * 10 + 5),
        );
    }
    let bytes = file.to_bytes();
    assert!(bytes.len() > 6_000_000);
    let expected = dump(&[], folder.file("a.etl", &bytes)).expect_silence().out;
    let temporary = Folder::new();
    for (name, packed) in [("b.etl.gz", gzip(&bytes)), ("c.zip", zip(&[("c.etl", &*bytes)]))] {
        let path = folder.file(name, &packed);
        let output =
            command().env("TMPDIR", temporary.path()).args(["dump", "-f", "jsonl"]).arg(&path).output();
        let output = output.expect("the command ends");
        assert!(output.status.success(), "{name}");
        assert!(output.stdout == expected.as_bytes(), "{name}");
    }
    assert_eq!(std::fs::read_dir(temporary.path()).expect("a folder").count(), 0);
}

#[cfg(unix)]
#[test]
fn more_files_are_merged_than_may_be_open() {
    let folder = Folder::new();
    for number in 0..250_u16 {
        let later = i64::from(249 - number) * 50;
        let events = [event(number, later + 10), event(number, later + 70)];
        let buffer = buffer(0, &events).time_stamp(ANCHOR + later + 80);
        let file = FileSpec::new(log_file_at(ANCHOR + later, later)).buffer(buffer);
        folder.file(format!("{number:03}.etl"), &file.to_bytes());
    }
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -n 150 && exec \"$0\" dump -f jsonl --opcode 2 \"$1\""])
        .arg(env!("CARGO_BIN_EXE_etweir"))
        .arg(folder.path())
        .output()
        .expect("a shell");
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), &*err), (Some(0), ""));
    let out = String::from_utf8(output.stdout).expect("UTF-8");
    let events: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 500);
    assert!(events.is_sorted_by_key(|event| event["ticks"].as_i64()));
}

/// Buffers of 64 KiB on four processors, whose events overlap in time. The last of them have the id 9.
#[cfg(target_os = "linux")]
fn large(buffers: u16) -> Vec<u8> {
    const SIZE: u32 = 65_536;
    let log_file = LogFileSpec { buffer_size: SIZE, time_stamp: Ticks(ANCHOR), ..log_file() };
    let spec = |number: u16| {
        let at = ANCHOR + i64::from(number) * 10;
        let big = |time_stamp| EventSpec {
            id: if number + 40 > buffers { 9 } else { 1 },
            time_stamp,
            payload: vec![0x55; 20_000],
            ..EventSpec::default()
        };
        let empty = BufferSpec::new(SIZE).processor(number % 4).time_stamp(at + 40);
        empty.event(&big(at)).event(&big(at + 15)).event(&big(at + 35))
    };
    FileSpec::new(log_file).buffers((0..buffers).map(spec)).to_bytes()
}

#[cfg(target_os = "linux")]
#[test]
fn order_by_time_takes_little_memory_whatever_the_size() {
    use std::io::Read;
    use std::process::Stdio;

    let folder = Folder::new();
    let bytes = large(1000);
    assert!(bytes.len() > 65_000_000);
    let path = folder.file("a.etl", &bytes);
    drop(bytes);
    let mut child = command()
        .args(["dump", "--id", "9"])
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut out = child.stdout.take().expect("a pipe");
    // What is printed is more than the pipe and the command hold back, so the command waits, with nearly everything read.
    out.read_exact(&mut [0; 1000]).expect("some output");
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    let mut rest = Vec::new();
    out.read_to_end(&mut rest).expect("the rest");
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), &*output.stderr), (Some(0), &b""[..]));
    assert!(rest.len() > 39 * 3 * 40_000);
    // The program itself is some of it.
    assert!(peak < 24_000, "{peak} KiB");
}
