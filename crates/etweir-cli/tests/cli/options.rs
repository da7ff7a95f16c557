//! Options that every reading command takes.

use crate::support::*;

const READING: [&str; 4] = ["info", "dump", "stats", "buffers"];

#[test]
fn every_reading_command_takes_the_common_options() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    let common = [
        "-n 3 --order file --no-decode --raw-time --strict --quiet --color never --expand-limit 1GiB --threads 1",
        "--provider PerfInfo --id 1 --opcode 1 --level 1 --keyword 1 --pid 1 --tid 1 --cpu 1 --from +0 --to +1d",
    ];
    for command in READING {
        for options in common {
            run([command].into_iter().chain(options.split(' ')).chain([&*path])).expect_silence();
        }
    }
}

#[test]
fn help_says_where_an_option_has_no_effect() {
    for command in READING {
        let help = run([command, "--help"]).expect_silence().out;
        for option in ["-n <N>", "--order <ORDER>", "--no-decode"] {
            let (_, text) = help.split_once(option).expect(option);
            let (text, _) = text.split_once("\n\n").expect("another option");
            assert!(text.contains("no effect"), "{command} {option}: {text}");
        }
        assert!(!help.contains("needs no memory"), "{help}");
    }
}

#[test]
fn options_that_do_nothing_there_change_nothing() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    for command in ["info", "buffers"] {
        let plain = run([command, &path]).expect_silence().out;
        let with = run([command, "-n", "1", "--order", "file", "--no-decode", &path]).expect_silence().out;
        assert_eq!(plain, with);
    }
}

#[test]
fn of_an_option_with_one_value_the_last_counts() {
    let folder = Folder::new();
    let path = folder.file("a.etl", &two_processors().to_bytes());
    let args = [
        "-n",
        "5",
        "--order",
        "time",
        "--order",
        "file",
        "-n",
        "3",
        "--quiet",
        "--quiet",
        "--color",
        "always",
        "--color",
        "never",
        "--from",
        "+1s",
        "--from",
        "+0",
        "--memory-limit",
        "1",
        "--memory-limit",
        "1MiB",
        "--payload",
        "--payload",
        "-f",
        "text",
        "-f",
        "jsonl",
    ];
    let run = dump(&args, &path).expect_silence();
    assert_eq!(run.column("id"), [0, 1, 3]);
}
