//! What is no trace, and what fails.

use std::fs::File;

use crate::support::*;

const COMMANDS: [&[&str]; 6] = [
    &["info"],
    &["info", "--json"],
    &["buffers"],
    &["buffers", "--json"],
    &["dump", "--order", "file"],
    &["dump", "-f", "jsonl"],
];

#[test]
fn what_is_no_trace_costs_one_line_and_the_others_are_read() {
    let folder = Folder::new();
    let good = names(&folder.file("good.etl", &two_processors().to_bytes()));
    let text = "The quick brown fox jumps over the lazy dog, again and again.\n".repeat(100);
    for (name, bytes, part) in [
        ("empty.etl", &b""[..], "empty"),
        ("short.etl", &[0x41; 40], "only 40 bytes"),
        ("text.etl", text.as_bytes(), "The quick brown"),
        ("zeros.etl", &[0; 8192], "00 00"),
    ] {
        let bad = names(&folder.file(name, bytes));
        for command in COMMANDS {
            let run = run(command.iter().copied().chain([&*bad, &*good])).expect_status(1);
            assert_eq!(run.err.lines().count(), 1, "{command:?} {name}: {}", run.err);
            assert!(run.err.starts_with(&format!("error: {bad}: ")), "{command:?} {name}: {}", run.err);
            assert!(run.err.contains(part), "{command:?} {name}: {}", run.err);
            assert!(run.out.len() > 100, "{command:?} {name}: {}", run.out);
        }
    }
}

#[test]
fn a_missing_file_costs_one_line() {
    let folder = Folder::new();
    let path = names(&folder.path().join("missing.etl"));
    for command in COMMANDS {
        let run = run(command.iter().copied().chain([&*path])).expect_status(1);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        assert!(run.err.starts_with(&format!("error: {path}: cannot open: ")), "{}", run.err);
    }
}

#[test]
fn a_folder_without_traces_is_named() {
    let folder = Folder::new();
    let run = dump(&[], folder.path()).expect_status(1);
    assert!(run.err.contains("no .etl file"), "{}", run.err);
}

#[test]
fn json_is_one_document_even_where_nothing_could_be_read() {
    let folder = Folder::new();
    let path = names(&folder.file("empty.etl", b""));
    for command in ["info", "buffers"] {
        let run = run([command, "--json", &path]).expect_status(1);
        assert_eq!(run.json(), serde_json::json!([]));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    let full = File::options().write(true).open("/dev/full").expect("the device");
    let output = command().arg("dump").arg(path).stdout(full).output().expect("the command ends");
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(err.starts_with("error: cannot write to standard output: "), "{err}");
    assert_eq!(err.lines().count(), 1);
}

#[test]
fn completions_and_help_are_printed() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(run(["completions", shell]).expect_silence().out.contains("etweir"));
    }
    assert!(run(["--help"]).expect_silence().out.contains("Exit status"));
    assert!(run(["dump", "--help"]).expect_silence().out.contains("--memory-limit"));
    assert!(run(["--version"]).expect_silence().out.starts_with("etweir "));
}
