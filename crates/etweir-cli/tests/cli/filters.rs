//! The filter options.

use etweir::write::FileSpec;

use crate::support::*;

/// Ids of the events that pass; the log-file header has none.
fn passing(args: &[&str]) -> Vec<u64> {
    let folder = Folder::new();
    let mut events: Vec<_> = (1..=6).map(|id| event(id, i64::from(id) * 10)).collect();
    events[1].level = 2;
    events[2].level = 0;
    events[3].keyword = 0x8000_0000_0000_0021;
    events[4].opcode = 9;
    let file = FileSpec::new(log_file()).buffer(buffer(0, &events[..3])).buffer(buffer(1, &events[3..]));
    let path = folder.file("a.etl", &file.to_bytes());
    let run = dump(args, &path).expect_silence();
    run.column("id").iter().filter_map(|id| id.as_u64()).filter(|id| *id > 0).collect()
}

#[test]
fn an_option_that_is_repeated_allows_more() {
    assert_eq!(passing(&["--id", "2", "--id", "0x5"]), [2, 5]);
    assert_eq!(passing(&["--pid", "103", "--pid", "104"]), [3, 4]);
}

#[test]
fn different_options_have_to_agree() {
    assert_eq!(passing(&["--cpu", "1", "--opcode", "2"]), [4, 6]);
    assert_eq!(passing(&["--cpu", "0", "--tid", "206"]), [0; 0]);
}

#[test]
fn a_level_is_an_upper_limit() {
    assert_eq!(passing(&["--level", "2"]), [2, 3]);
    assert_eq!(passing(&["--level", "4"]), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn one_bit_of_a_keyword_mask_is_enough() {
    assert_eq!(passing(&["--keyword", "0x21"]), [4]);
    assert_eq!(passing(&["--keyword", "0x8000000000000000", "--keyword", "16"]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(passing(&["--keyword", "2"]), [0; 0]);
}

#[test]
fn providers_are_named_by_guid_or_class() {
    assert_eq!(passing(&["--provider", "{11111111-2222-3333-4444-555555555555}"]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(passing(&["--provider", "Process"]), [0; 0]);
}

#[test]
fn a_provider_whose_name_nothing_has_passes_nothing_and_a_warning_says_so() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    for command in ["dump", "stats", "info", "buffers"] {
        let run = run([command, "--provider", "no-such-provider", &path]).expect_status(0);
        assert_eq!(
            run.err,
            "warning: --provider no-such-provider: no event is of a provider with this name; the providers that have a \
             name are EventTraceEvent\n"
        );
    }
}

#[test]
fn limits_of_time_are_inclusive() {
    assert_eq!(
        passing(&["--from", "2024-01-02T03:04:05.0000020Z", "--to", "2024-01-02T03:04:05.000004Z"]),
        [2, 3, 4]
    );
    assert_eq!(passing(&["--from", "2024-01-02T04:04:05.0000021+01:00"]), [3, 4, 5, 6]);
    assert_eq!(passing(&["--from", "+2us", "--to", "+0.000004s"]), [2, 3, 4]);
    assert_eq!(passing(&["--to", "+1999ns"]), [1]);
}

#[test]
fn limits_that_meet_pass_one_time_and_limits_that_cross_are_wrong_usage() {
    assert_eq!(passing(&["--from", "+3us", "--to", "+3us"]), [3]);
    // Between two stamps there is nothing, and nothing wrong.
    assert_eq!(passing(&["--from", "+3010ns", "--to", "+3090ns"]), [0; 0]);
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    for (from, to) in
        [("+3us", "+2us"), ("2024-01-02T03:04:06Z", "2024-01-02T03:04:05Z"), ("+2s", "2024-01-02T03:04:05Z")]
    {
        for command in ["info", "dump", "buffers"] {
            let run = run([command, "--from", from, "--to", to, &path]).expect_status(2);
            assert_eq!(run.out, "");
            assert!(
                run.err.starts_with("error: --from 2024-") && run.err.contains(" lies after --to 2024-"),
                "{}",
                run.err
            );
        }
    }
}

#[test]
fn offsets_count_from_the_earliest_start() {
    let folder = Folder::new();
    let late = FileSpec::new(log_file_at(ANCHOR, 10_000_000)).buffer(buffer(0, &[event(9, 10)]));
    folder.file("a.etl", &late.to_bytes());
    folder.file("b.etl", &two_processors().to_bytes());
    let run = dump(&["--opcode", "2", "--from", "+1s"], folder.path()).expect_silence();
    assert_eq!(run.column("id"), [9]);
}

#[test]
fn without_a_clock_no_event_is_within_limits_and_a_warning_says_so() {
    let folder = Folder::new();
    let file = two_processors().without_header();
    let path = folder.file("a.etl", &file.to_bytes());
    for limit in ["+1s", "2024-01-02T03:04:05Z"] {
        let run = dump(&["--to", limit], &path).expect_status(0);
        assert_eq!(run.out, "");
        assert!(run.err.contains("no event passes --from and --to"), "{}", run.err);
    }
}

#[test]
fn limits_of_time_take_whole_days_and_the_end_of_9999() {
    assert_eq!(passing(&["--from", "+0", "--to", "+1d"]), [1, 2, 3, 4, 5, 6]);
    assert_eq!(passing(&["--from", "+2h30m"]), [0; 0]);
    assert_eq!(passing(&["--to", "9999-12-31T23:59:59Z"]), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_value_that_is_refused_costs_one_line_that_says_what_is_accepted() {
    for (option, value, expected) in [
        (
            "--from",
            "+1,5s",
            "an offset is a `+` and numbers with d, h, m, s, ms, us or ns, in this order, such as +1.5s, +2h30m or +1d",
        ),
        ("--to", "+3650001d", "an offset is at most +3650000d"),
        (
            "--to",
            "inf",
            "neither an offset such as +1.5s nor a date and time (RFC 3339) such as 2011-01-23T22:07:27Z",
        ),
        (
            "--memory-limit",
            "1e9",
            "not a number of bytes below 2^64, plain or with KB, MB, GB, TB, KiB, MiB, GiB or TiB",
        ),
    ] {
        let run = run(["dump", option, value, "a.etl"]).expect_status(2);
        let first = run.err.lines().next().expect("a line");
        assert!(first.starts_with(&format!("error: invalid value '{value}' for '{option} <")), "{first}");
        assert!(first.ends_with(&format!(": {expected}")), "{first}");
    }
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    let folder = Folder::new();
    let path = names(&folder.file("a.etl", &two_processors().to_bytes()));
    for args in [
        ["--id", "65536"],
        ["--level", "x"],
        ["--from", "yesterday"],
        ["-f", "csv"],
        ["--order", "random"],
        ["-n", "few"],
        ["--memory-limit", "much"],
        ["--memory-limit", "inf"],
        ["--memory-limit", "99999999999GiB"],
        ["--from", "+1.5s ago"],
        ["--to", "+-1s"],
        ["--from", "+1,5s"],
        ["--to", "inf"],
        ["--from", "+99999999999999999999d"],
        ["--to", "2024-02-30T00:00:00Z"],
    ] {
        let run = run(["dump", args[0], args[1], &path]).expect_status(2);
        assert_eq!(run.out, "");
        assert!(run.err.contains(args[0]), "{args:?}: {}", run.err);
    }
    run(["dump"]).expect_status(2);
    run(["nothing"]).expect_status(2);
}
