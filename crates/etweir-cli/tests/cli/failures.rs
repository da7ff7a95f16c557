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
fn json_has_an_object_for_every_file_that_fails_too() {
    let folder = Folder::new();
    let bad = names(&folder.file("bad/empty.etl", b""));
    let good = names(&folder.file("good.etl", &two_processors().to_bytes()));
    let none = folder.path().join("none");
    std::fs::create_dir(&none).expect("a folder");
    let (none, missing) = (names(&none), names(&folder.path().join("missing.etl")));
    for command in ["info", "buffers"] {
        let run = run([command, "--json", &bad, &good, &none, &missing]).expect_status(1);
        let all = run.json();
        let files: Vec<_> = (0..4).map(|index| all[index]["file"].as_str().expect("a name")).collect();
        assert_eq!(files, [&*bad, &*good, &*none, &*missing], "{command}");
        assert_eq!(all.as_array().map(Vec::len), Some(4), "{command}");
        for (index, part) in [(0, "the input is empty"), (2, "no .etl file"), (3, "cannot open: ")] {
            assert!(
                all[index]["error"].as_str().expect("an error").contains(part),
                "{command}: {}",
                all[index]
            );
            assert_eq!(
                all[index].as_object().map(serde_json::Map::len),
                Some(2),
                "{command}: {}",
                all[index]
            );
        }
        assert_eq!(all[1].get("error"), None, "{command}");
        assert_eq!(run.err.lines().count(), 3, "{command}: {}", run.err);
    }
}

#[test]
fn json_of_one_file_that_fails_is_one_object() {
    let folder = Folder::new();
    let path = names(&folder.file("empty.etl", b""));
    for command in ["info", "buffers"] {
        let run = run([command, "--json", &path]).expect_status(1);
        assert_eq!(run.json().as_array().map(Vec::len), Some(1));
    }
}

#[test]
fn facts_after_a_file_that_fails_begin_without_an_empty_line() {
    let folder = Folder::new();
    let bad = names(&folder.file("bad.etl", b""));
    let good = names(&folder.file("good.etl", &two_processors().to_bytes()));
    let run = run(["info", &bad, &good, &good]).expect_status(1);
    assert!(run.out.starts_with("File "), "{}", run.out);
    assert_eq!(run.out.lines().filter(|line| line.is_empty()).count(), 1);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_an_error() {
    let folder = Folder::new();
    folder.file("good.etl", &two_processors().to_bytes());
    std::os::unix::fs::symlink("gone.etl", folder.path().join("link.etl")).expect("a link");
    std::os::unix::fs::symlink("good.etl", folder.path().join("other.etl")).expect("a link");
    let run = dump(&[], folder.path()).expect_status(1);
    assert_eq!(run.events().len(), 14, "the link that leads to a trace is read");
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    assert!(run.err.contains("link.etl: cannot open: "), "{}", run.err);
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
