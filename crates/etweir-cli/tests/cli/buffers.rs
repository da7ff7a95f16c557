//! `etweir buffers`.

use core::time::Duration;
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::mpsc;

use etweir::codec::Format;
use serde_json::json;

use crate::support::*;

#[test]
fn there_is_a_head_and_a_row_per_buffer() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let run = run(["buffers", &path]).expect_silence();
    let rows: Vec<Vec<_>> = run.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0][..5], ["OFFSET", "SIZE", "FILLED", "CPU", "SEQUENCE"]);
    assert_eq!(
        rows[3],
        "0x2000 4096 336 1 1 2024-01-02T03:04:05.0001000Z GENERIC - 3 0 PROC_INDEX"
            .split(' ')
            .collect::<Vec<_>>()
    );
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{}", run.out);
}

#[test]
fn json_has_the_rows_of_each_file() {
    let folder = Folder::new();
    let a = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let b = names(&folder.file("b.etl", &two_processors().compressed(Format::Xpress).to_bytes()));
    let run = run(["buffers", "--json", &a, &b]).expect_silence();
    let all = run.json();
    assert_eq!(all[0]["file"], a);
    assert_eq!(all[0]["buffers"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        all[0]["buffers"][1],
        json!({
            "offset": 4096, "size": 4096, "filled": 336, "cpu": 0, "sequence": 1,
            "flushed": "2024-01-02T03:04:05.0001000Z", "flushed_ticks": ANCHOR + 1000,
            "flags": ["PROC_INDEX"], "flag_bits": 32, "type": "GENERIC", "compressed": false, "records": 3, "damaged": 0
        })
    );
    assert_eq!(all[1]["buffers"][1]["compressed"], true);
}

#[test]
fn a_filter_leaves_the_buffers_that_hold_what_was_asked_for() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let run = run(["buffers", "--id", "4", "--raw-time", &path]).expect_silence();
    let rows: Vec<Vec<_>> = run.out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1][0], rows[1][5], rows[1][8]), ("0x2000", "1000001000", "1"));
}

#[test]
fn rows_are_written_as_they_come() {
    let bytes = two_processors().to_bytes();
    for args in [&["buffers", "-"][..], &["buffers", "--json", "-"]] {
        let mut child = command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let mut input = child.stdin.take().expect("a pipe");
        let mut out = child.stdout.take().expect("a pipe");
        let (sender, receiver) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = out.read(&mut piece) {
                text.extend_from_slice(&piece[..length]);
                if text.windows(14).any(|found| found == b"FLUSH_MARKER|P" || found == b"FLUSH_MARKER\",") {
                    let _ = sender.send(());
                }
            }
            text
        });
        input.write_all(&bytes).expect("it reads");
        // The input is still open: what is written now was not held back.
        receiver.recv_timeout(Duration::from_secs(60)).expect("the first row");
        drop(input);
        assert_eq!(child.wait().expect("the command ends").code(), Some(0));
        let text = String::from_utf8(reader.join().expect("no panic")).expect("UTF-8");
        assert!(text.ends_with('\n') && text.contains("PROC_INDEX"), "{text}");
        if args.contains(&"--json") {
            let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            assert_eq!(all[0]["buffers"].as_array().map(Vec::len), Some(3));
        }
    }
}

#[test]
fn quick_rows_have_everything_but_counts() {
    let folder = Folder::new();
    for file in [two_processors(), two_processors().compressed(Format::XpressHuff)] {
        let bytes = file.to_bytes();
        let path = names(&folder.file("a.etl", &bytes));
        let rows = |run: Run| {
            let mut json = run.expect_silence().json();
            json[0]["buffers"]
                .as_array_mut()
                .expect("rows")
                .iter_mut()
                .map(|row| row.take())
                .collect::<Vec<_>>()
        };
        let mut whole = rows(run(["buffers", "--json", &path]));
        assert_eq!(whole[1]["records"], 3);
        for row in &mut whole {
            row["records"] = serde_json::Value::Null;
            row["damaged"] = serde_json::Value::Null;
        }
        assert_eq!(rows(run(["buffers", "--json", "--quick", &path])), whole);
        assert_eq!(rows(run_with_input(["buffers", "--json", "--quick", "-"], &bytes)), whole);
        let text = run(["buffers", "--quick", &path]).expect_silence().out;
        let last: Vec<_> = text.lines().last().expect("a row").split_whitespace().collect();
        assert_eq!(last[8..10], ["-", "-"], "{text}");
    }
}
