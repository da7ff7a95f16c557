//! Gzip files, zip archives, folders of them.

use std::fs;

use etweir::write::{Damage, FileSpec};
use serde_json::Value;

use crate::support::*;

/// A trace with one event of this id at this place.
fn one(id: u16, after: i64) -> Vec<u8> {
    FileSpec::new(log_file()).buffer(buffer(0, &[event(id, after)])).to_bytes()
}

/// The ids of the events that the log-file headers are left out of.
fn ids(run: &Run) -> Vec<u64> {
    let events = run.events();
    let ids = events.iter().filter(|event| event["kind"] == "event64");
    ids.map(|event| event["id"].as_u64().expect("a number")).collect()
}

/// The part of the `file` key behind the folder.
fn files(run: &Run, folder: &Folder) -> Vec<String> {
    let prefix = format!("{}/", names(folder.path()));
    let name =
        |value: Value| value.as_str().expect("a name").strip_prefix(&*prefix).expect("the folder").to_owned();
    run.column("file").into_iter().map(name).collect()
}

/// What stands in the messages behind the folder.
fn messages(run: &Run, folder: &Folder) -> String {
    run.err.replace(&format!("{}/", names(folder.path())), "")
}

const COMMANDS: [&[&str]; 5] =
    [&["info"], &["info", "--json"], &["buffers"], &["dump", "--order", "file"], &["dump", "-f", "jsonl"]];

#[test]
fn gzip_is_known_by_its_content_and_not_by_its_name() {
    let folder = Folder::new();
    let bytes = two_processors().to_bytes();
    let plain = folder.file("plain.etl.gz", &bytes);
    for name in ["a.etlgz", "a.etl.gz", "a.gz", "a.etl", "a"] {
        let path = folder.file(name, &gzip(&bytes));
        for order in ["time", "file"] {
            let expected = dump(&["--order", order], &plain).expect_silence().out;
            assert_eq!(dump(&["--order", order], &path).expect_silence().out, expected, "{name}");
        }
    }
    let twice = folder.file("twice.etl.gz", &gzip(&gzip(&bytes)));
    assert_eq!(ids(&dump(&[], &twice).expect_silence()), [1, 2, 3, 4, 5, 6]);
    let halves = [gzip(&bytes[..5000]), gzip(&bytes[5000..])].concat();
    let path = folder.file("halves.etl.gz", &halves);
    assert_eq!(ids(&dump(&[], &path).expect_silence()), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn standard_input_may_be_compressed_or_an_archive() {
    let bytes = two_processors().to_bytes();
    let run = run_with_input(["dump", "-f", "jsonl", "-"], &gzip(&bytes)).expect_silence();
    assert_eq!(ids(&run), [1, 2, 3, 4, 5, 6]);
    let archive = zip(&[("b.etl", &*one(2, 20)), ("a.etl", &*one(1, 10)), ("c.etl.gz", &*gzip(&one(3, 30)))]);
    for input in [archive.clone(), gzip(&archive)] {
        let run = run_with_input(["dump", "-f", "jsonl", "-"], &input).expect_silence();
        assert_eq!(ids(&run), [1, 2, 3]);
        assert_eq!(run.column("file")[3..], ["-/a.etl", "-/b.etl", "-/c.etl.gz"]);
    }
    for command in COMMANDS {
        let args = || command.iter().copied();
        let plain = run_with_input(args().chain(["-"]), &bytes).expect_silence();
        assert_eq!(
            run_with_input(args().chain(["-"]), &gzip(&bytes)).expect_silence().out,
            plain.out,
            "{command:?}"
        );
    }
}

#[test]
fn an_archive_gives_every_trace_in_it_whatever_its_name() {
    let folder = Folder::new();
    let inner = zip(&[("deep/g.etl", &*one(7, 70)), ("note.txt", b"no trace")]);
    let bytes = zip(&[
        ("sub/d.etl", &*one(4, 40)),
        ("e", &*one(5, 50)),
        ("readme.txt", b"no trace at all"),
        ("empty.txt", b""),
        ("f.ETL.GZ", &*gzip(&one(6, 60))),
        ("inner.zip", &*inner),
        ("other.zip", &*zip(&[("a.txt", &b"text"[..])])),
        ("broken.zip", b"PK\x03\x04 and nothing else"),
    ]);
    for name in ["a.zip", "a.etl.zip", "a.diagsession"] {
        let path = folder.file(name, &bytes);
        let run = dump(&["--opcode", "2"], &path).expect_silence();
        assert_eq!(ids(&run), [4, 5, 6, 7]);
        let expected =
            ["sub/d.etl", "e", "f.ETL.GZ", "inner.zip/deep/g.etl"].map(|member| format!("{name}/{member}"));
        assert_eq!(files(&run, &folder), expected);
    }
}

#[test]
fn an_archive_of_one_trace_is_that_trace() {
    let folder = Folder::new();
    let bytes = two_processors().to_bytes();
    let plain = dump(&[], folder.file("a.etl", &bytes)).expect_silence();
    let path = folder.file("a.zip", &zip(&[("a.etl", &*bytes)]));
    assert_eq!(dump(&[], &path).expect_silence().out, plain.out, "no name where there is one input");
    // Bytes that are stored as they are.
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("a.etl", options).expect("memory");
    std::io::Write::write_all(&mut archive, &bytes).expect("memory");
    let path = folder.file("b.zip", &archive.finish().expect("memory").into_inner());
    assert_eq!(dump(&[], &path).expect_silence().out, plain.out);
}

#[test]
fn an_archive_of_a_folder_is_read_like_the_folder() {
    let folder = Folder::new();
    let parts =
        [("b/x.etl", one(1, 10)), ("a.etl", one(2, 20)), ("b.etl", one(3, 30)), ("b/w.etl", one(4, 40))];
    for (name, bytes) in &parts {
        folder.file(format!("all/{name}"), bytes);
    }
    let members: Vec<_> = parts.iter().map(|(name, bytes)| (*name, &**bytes)).collect();
    let archive = folder.file("all.zip", &zip(&members));
    let args = ["--order", "file", "--opcode", "2"];
    let of_folder = dump(&args, folder.path().join("all")).expect_silence();
    let of_archive = dump(&args, archive).expect_silence();
    assert_eq!(ids(&of_folder), ids(&of_archive));
    let expected: Vec<_> =
        files(&of_folder, &folder).iter().map(|name| name.replace("all/", "all.zip/")).collect();
    assert_eq!(files(&of_archive, &folder), expected);
}

#[test]
fn folders_are_searched_for_everything_that_traces_lie_in() {
    let folder = Folder::new();
    folder.file("a.etl", &one(1, 10));
    folder.file("b.etlgz", &gzip(&one(2, 20)));
    folder.file("c.etl.gz", &gzip(&one(3, 30)));
    folder.file("d.etl.zip", &zip(&[("x.etl", &*one(4, 40))]));
    folder.file("e.DiagSession", &zip(&[("y.etl", &*one(5, 50))]));
    folder.file("f.zip", &zip(&[("z", &*one(6, 60))]));
    folder.file("g.zip", &zip(&[("a.txt", &b"no trace"[..])]));
    folder.file("h.gz", &gzip(&one(8, 80)));
    let run = dump(&[], folder.path()).expect_silence();
    assert_eq!(ids(&run), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn what_holds_no_trace_is_an_error_if_it_was_named() {
    let folder = Folder::new();
    let good = names(&folder.file("good.etl", &one(1, 10)));
    for (name, bytes, part) in [
        (
            "none.zip",
            zip(&[("a.txt", &b"no trace"[..]), ("b.txt", b"")]),
            "no trace in this archive of 2 files",
        ),
        ("empty.zip", zip::<&str>(&[]), "no trace in this archive of 0 files"),
        ("broken.zip", b"PK\x03\x04 and nothing else".to_vec(), "cannot read the archive"),
        ("text.gz", gzip(b"The quick brown fox"), "The quick brown"),
        ("text.zip", zip(&[("a.etl", &b"The quick brown fox"[..])]), "The quick brown"),
        ("empty.etl.gz", gzip(b""), "the input is empty"),
    ] {
        let path = names(&folder.file(name, &bytes));
        for command in COMMANDS {
            let run = run(command.iter().copied().chain([&*path, &*good])).expect_status(1);
            assert_eq!(run.err.lines().count(), 1, "{name}: {}", run.err);
            assert!(
                run.err.starts_with(&format!("error: {path}")) && run.err.contains(part),
                "{name}: {}",
                run.err
            );
            assert!(run.out.len() > 100, "the other one is read");
        }
    }
}

#[test]
fn of_a_gzip_file_that_was_cut_everything_before_the_cut_is_read() {
    let folder = Folder::new();
    let data = gzip(&two_processors().to_bytes());
    let path = folder.file("a.etl.gz", &data[..data.len() - 20]);
    let run = dump(&["--order", "file"], &path).expect_status(0);
    assert!(ids(&run).starts_with(&[1, 3, 5]), "{}", run.out);
    let message = messages(&run, &folder);
    let first = message.lines().next().expect("a line");
    assert!(first.starts_with("warning: a.etl.gz: damaged gzip data at 0x"), "{message}");
    assert!(first.contains("found the end") && first.contains("that expanded before are read"), "{message}");
    assert!(
        message.contains("damage in 1 file: compressed data or archives damaged in 1 place"),
        "{message}"
    );
    for command in COMMANDS {
        let path = names(&path);
        let with = |option| crate::support::run(command.iter().copied().chain([option, &*path]));
        with("--strict").expect_status(1);
        with("--quiet").expect_silence();
    }
    // A cut behind all bytes of the trace costs nothing but the checksum.
    let path = folder.file("b.etl.gz", &data[..data.len() - 4]);
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(ids(&run), [1, 2, 3, 4, 5, 6]);
    assert_eq!(run.err.lines().count(), 2, "{}", run.err);
    assert_eq!(run_with_input(["dump", "-f", "jsonl", "-"], &data[..data.len() - 4]).expect_status(0).err, {
        messages(&run, &folder).replace("b.etl.gz", "-")
    });
}

/// An archive whose members differ from what their checksum says, and one of which ends in damage.
#[test]
fn of_a_damaged_member_everything_before_the_damage_is_read_and_the_others_whole() {
    let folder = Folder::new();
    let bytes = two_processors().to_bytes();
    let archive = zip(&[("a.etl", &*bytes), ("b.etl", &*one(9, 90))]);
    // Behind 30 bytes of header and the name, the data of the first member.
    let data = 30 + "a.etl".len();
    let mut damaged = archive.clone();
    damaged[data] = 0x07;
    let path = folder.file("a.zip", &damaged);
    let run = dump(&[], &path).expect_status(1);
    assert_eq!(ids(&run), [9]);
    let message = messages(&run, &folder);
    assert!(message.contains("error: a.zip/a.etl: not an ETW trace: "), "{message}");

    let mut wrong_checksum = archive.clone();
    let directory = archive.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a directory");
    wrong_checksum[directory + 16] ^= 0xFF;
    let path = folder.file("b.zip", &wrong_checksum);
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(ids(&run), [1, 2, 3, 4, 5, 6, 9]);
    let message = messages(&run, &folder);
    assert!(
        message.starts_with("warning: b.zip/a.etl: damaged archive: expected a member with the checksum 0x"),
        "{message}"
    );
    assert_eq!(message.lines().count(), 2, "{message}");
    dump(&["--strict"], &path).expect_status(1);

    let mut wrong_size = archive;
    wrong_size[directory + 24] ^= 1;
    let path = folder.file("c.zip", &wrong_size);
    let run = dump(&[], &path).expect_status(0);
    assert!(
        messages(&run, &folder).contains("expected 12,289 bytes, found 12,288, which are read"),
        "{}",
        run.err
    );
}

#[test]
fn without_its_directory_the_members_of_an_archive_are_found() {
    let folder = Folder::new();
    let archive = zip(&[("a.etl", &*one(1, 10)), ("sub/b.etl", &*two_processors().to_bytes())]);
    let directory = archive.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a directory");
    let path = folder.file("a.zip", &archive[..directory]);
    let run = dump(&[], &path).expect_status(0);
    assert_eq!(ids(&run), [1, 1, 2, 3, 4, 5, 6]);
    let message = messages(&run, &folder);
    assert!(
        message.starts_with("warning: a.zip: damaged archive: its directory cannot be read"),
        "{message}"
    );
    assert!(message.contains("2 members are found by their own headers"), "{message}");
    dump(&["--strict"], &path).expect_status(1);
    // The download ended inside the last member.
    let path = folder.file("b.zip", &archive[..directory - 20]);
    let run = dump(&["--order", "file"], &path).expect_status(0);
    assert!(ids(&run).starts_with(&[1, 1, 3, 5]), "{}", run.out);
    assert!(
        messages(&run, &folder).contains("warning: b.zip/sub/b.etl: damaged archive at 0x"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("damage in 2 files: compressed data or archives damaged in 2 places"),
        "{}",
        run.err
    );
}

#[test]
fn sizes_that_follow_the_data_are_no_hindrance() {
    let folder = Folder::new();
    let mut archive = zip(&[("a.etl", &*one(1, 10)), ("b.etl", &*one(2, 20))]);
    let directory = archive.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a directory");
    let second = archive[4..].windows(4).position(|bytes| bytes == b"PK\x03\x04").expect("a header") + 4;
    for at in [0, second] {
        // Flag 3: checksum and sizes are zero here.
        archive[at + 6] |= 8;
        archive[at + 14..at + 26].fill(0);
    }
    for (name, bytes) in [("a.zip", &*archive), ("b.zip", &archive[..directory])] {
        let path = folder.file(name, bytes);
        assert_eq!(ids(&dump(&[], &path).expect_status(0)), [1, 2], "{name}");
    }
}

#[test]
fn what_cannot_be_expanded_is_named_and_the_others_are_read() {
    let folder = Folder::new();
    let archive = zip(&[("a.etl", &*one(1, 10)), ("b.etl", &*one(2, 20)), ("c", &*one(3, 30))]);
    let in_directory = |archive: &[u8], index: usize| {
        let found = archive.windows(4).enumerate().filter(|(_, bytes)| *bytes == b"PK\x01\x02");
        found.map(|(at, _)| at).nth(index).expect("an entry")
    };
    let mut encrypted = archive.clone();
    encrypted[6] |= 1;
    let at = in_directory(&archive, 0);
    encrypted[at + 8] |= 1;
    let mut unknown = archive.clone();
    unknown[8] = 12;
    unknown[at + 10] = 12;
    let mut no_header = archive;
    no_header[0] = b'X';
    for (name, bytes, part) in [
        ("a.zip", encrypted, "the member is encrypted"),
        (
            "b.zip",
            unknown,
            "expected compression method 0 (stored), 8 (deflate) or 9 (deflate64), found 12 (bzip2)",
        ),
        (
            "c.etl.zip",
            [b"PK\x05\x06".to_vec(), no_header].concat(),
            "expected the header of an archive's member at 0x",
        ),
    ] {
        let path = folder.file(name, &bytes);
        for command in COMMANDS {
            let run = run(command.iter().copied().chain([&*names(&path)])).expect_status(1);
            assert_eq!(run.err.lines().count(), 1, "{name}: {}", run.err);
            assert!(
                messages(&run, &folder).starts_with(&format!("error: {name}/a.etl: cannot read: ")),
                "{}",
                run.err
            );
            assert!(run.err.contains(part), "{}", run.err);
        }
        assert_eq!(ids(&dump(&[], &path)), [2, 3], "{name}");
    }
}

#[test]
fn what_expands_to_too_much_is_an_error_with_the_numbers() {
    let folder = Folder::new();
    let file = two_processors().damage(Damage::AppendZeros(2_000_000));
    let bytes = file.to_bytes();
    let good = names(&folder.file("good.etl", &one(1, 10)));
    for (name, bytes) in [
        ("a.etl.gz", gzip(&bytes)),
        ("a.zip", zip(&[("a.etl", &*bytes)])),
        // Each would fit, both do not.
        ("b.zip", zip(&[("a.etl", &bytes[..1_200_000]), ("b.etl", &bytes[..1_200_000])])),
    ] {
        let path = names(&folder.file(name, &bytes));
        for command in COMMANDS {
            let args = ["--expand-limit", "2MB", &*path, &*good];
            let run = run(command.iter().copied().chain(args)).expect_status(1);
            assert!(
                run.err.contains("more than the 2,000,000 bytes (1.9 MiB) that --expand-limit allows"),
                "{}",
                run.err
            );
            assert!(run.out.len() > 100, "the other one is read");
        }
        crate::support::run(["info", "--expand-limit", "3MB", &path]).expect_silence();
    }
    // What is not compressed does not count.
    run(["info", "--expand-limit", "0", &good]).expect_silence();
}

#[test]
fn nothing_is_written_where_the_input_lies() {
    let folder = Folder::new();
    let bytes = zip(&[("a.etl", &*one(1, 10)), ("b.zip", &*zip(&[("c.etl", &*one(2, 20))]))]);
    let path = folder.file("a.zip", &bytes);
    let temporary = Folder::new();
    let output = command().env("TMPDIR", temporary.path()).args(["dump", "-f", "jsonl"]).arg(&path).output();
    assert_eq!(output.expect("the command ends").status.code(), Some(0));
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    assert_eq!(fs::read(&path).expect("the archive"), bytes);
    assert_eq!(fs::read_dir(temporary.path()).expect("a folder").count(), 0, "nothing stays behind");
}

#[test]
fn what_is_packed_too_deep_is_an_error() {
    let folder = Folder::new();
    let mut bytes = one(1, 10);
    for depth in 1..=9 {
        bytes = gzip(&bytes);
        let path = folder.file("a.etl.gz", &bytes);
        let args = ["dump", "-f", "jsonl", "-"];
        for run in [dump(&[], &path), run_with_input(args, &bytes)] {
            if depth <= 8 {
                assert_eq!(ids(&run.expect_silence()), [1], "{depth}");
            } else {
                let run = run.expect_status(1);
                assert!(run.err.contains("in more than 8 gzip files and archives"), "{}", run.err);
            }
        }
    }
}

#[test]
fn packed_traces_are_merged_with_others_and_can_be_asked_for_their_start() {
    let folder = Folder::new();
    let late = FileSpec::new(log_file_at(ANCHOR, 10_000_000)).buffer(buffer(0, &[event(9, 10)])).to_bytes();
    folder.file("a.zip", &zip(&[("x.etl", &*two_processors().to_bytes()), ("y.etl", &*late)]));
    folder.file("b.etl.gz", &gzip(&one(7, 35)));
    assert_eq!(ids(&dump(&[], folder.path()).expect_silence()), [1, 2, 3, 7, 4, 5, 6, 9]);
    let run = dump(&["--opcode", "2", "--from", "+4us", "--to", "+2s"], folder.path()).expect_silence();
    assert_eq!(ids(&run), [4, 5, 6, 9]);
}

#[test]
fn info_tells_what_a_trace_is_wrapped_in() {
    let folder = Folder::new();
    let bytes = two_processors().to_bytes();
    let packed = gzip(&bytes);
    let a = names(&folder.file("a.etl.gz", &packed));
    let b = names(&folder.file("b.zip", &zip(&[("x.etl", &*bytes)])));
    let c = names(&folder.file("c.etl", &bytes));
    let text = run(["info", &a]).expect_silence().out;
    let line = format!("Size            12,288 bytes (12.0 KiB), in {} bytes of gzip", packed.len());
    assert!(text.lines().any(|found| found == line), "{text}");
    let all = run(["info", "--json", &a, &b, &c]).expect_silence().json();
    let facts =
        |index: usize| (&all[index]["container"], &all[index]["file_size"], &all[index]["stored_size"]);
    assert_eq!(facts(0), (&"gzip".into(), &12_288.into(), &packed.len().into()));
    assert_eq!((facts(1).0, facts(1).1), (&"zip".into(), &12_288.into()));
    assert_eq!(facts(2), (&Value::Null, &12_288.into(), &Value::Null));
    assert_eq!(all[1]["file"], format!("{b}/x.etl"));
}

#[test]
fn names_in_an_archive_cannot_steer_the_terminal() {
    let folder = Folder::new();
    let archive = zip(&[("a\u{1b}[31m.etl", &*one(1, 10)), ("b\u{202e}.etl", b"no trace")]);
    let path = names(&folder.file("a.zip", &archive));
    for args in [["info", "--quiet"], ["dump", "--quiet"], ["buffers", "--quiet"]] {
        let run = run(args.into_iter().chain([&*path])).expect_status(1);
        assert!(
            !run.out.contains(['\u{1b}', '\u{202e}']) && !run.err.contains(['\u{1b}', '\u{202e}']),
            "{}",
            run.err
        );
    }
}

#[test]
fn whatever_the_bytes_of_a_wrapping_are_the_command_ends_properly() {
    let folder = Folder::new();
    let bytes = two_processors().to_bytes();
    let archive =
        zip(&[("a.etl", &*bytes), ("b.etl.gz", &*gzip(&bytes)), ("c.zip", &*zip(&[("d.etl", &*bytes)]))]);
    let originals = [gzip(&bytes), archive];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    for round in 0..200 {
        let mut bytes = originals[round % 2].clone();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            bytes[at] = u8::try_from(next(256)).expect("a byte");
        }
        if round % 5 == 0 {
            bytes.truncate(next(bytes.len()));
        }
        let path = folder.file("a.bin", &bytes);
        let args = ["dump", "-f", "jsonl", "--expand-limit", "10MB"];
        let run = if round % 3 == 0 {
            run_with_input(args.into_iter().chain(["-"]), &bytes)
        } else {
            run(args.into_iter().chain([&*names(&path)]))
        };
        assert!([0, 1].contains(&run.status), "round {round}: {}", run.err);
        run.events();
    }
}
