//! Standard input and pipes: events come while the input flows.

use core::time::Duration;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use etweir::codec::Format;
use etweir::trace::LogFileMode;
use etweir::write::{Damage, FileSpec, LogFileSpec, MessageSpec};

use crate::support::*;

/// A run whose input is still open.
struct Flow {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    reader: JoinHandle<()>,
}

impl Flow {
    fn start(args: &[&str]) -> Self {
        let mut child = command()
            .args(["dump", "-f", "jsonl"])
            .args(args)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let input = child.stdin.take();
        let out = child.stdout.take().expect("a pipe");
        let (sender, lines) = mpsc::channel();
        let reader = thread::spawn(move || {
            use std::io::{BufRead, BufReader};
            for line in BufReader::new(out).lines() {
                let _ = sender.send(line.expect("UTF-8"));
            }
        });
        Self { child, input, lines, reader }
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("an open pipe");
        input.write_all(bytes).expect("it reads");
        input.flush().expect("it reads");
    }

    /// The id of the next event, while the input is open.
    fn next(&self) -> u64 {
        let line = self.lines.recv_timeout(Duration::from_secs(60)).expect("an event");
        let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        event["id"].as_u64().expect("a number")
    }

    /// The ids of the events that follow the end of the input, and what was said.
    fn end(mut self) -> (Vec<u64>, String) {
        drop(self.input.take());
        let mut err = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut err).expect("UTF-8");
        self.reader.join().expect("no panic");
        let id = |line: String| {
            let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            event["id"].as_u64().expect("a number")
        };
        let rest = self.lines.try_iter().map(id).collect();
        assert_eq!(self.child.wait().expect("the command ends").code(), Some(0), "{err}");
        (rest, err)
    }
}

/// The header of a session on two processors.
fn two() -> LogFileSpec {
    LogFileSpec { number_of_processors: 2, ..log_file() }
}

/// The buffers of a file, one by one.
fn pieces(file: &FileSpec) -> Vec<Vec<u8>> {
    file.to_bytes().chunks(4096).map(<[u8]>::to_vec).collect()
}

#[test]
fn events_come_as_soon_as_every_processor_has_moved_on() {
    let file = FileSpec::new(two())
        .buffer(buffer(0, &[event(1, 10), event(3, 30)]).time_stamp(ANCHOR + 35))
        .buffer(buffer(1, &[event(2, 20), event(5, 50)]).time_stamp(ANCHOR + 55))
        .buffer(buffer(0, &[event(4, 40), event(6, 60)]).time_stamp(ANCHOR + 65));
    let pieces = pieces(&file);
    let mut flow = Flow::start(&[]);
    flow.write(&pieces[0]);
    assert_eq!(flow.next(), 0, "the log-file header");
    flow.write(&[&*pieces[1], &*pieces[2]].concat());
    assert_eq!([flow.next(), flow.next(), flow.next()], [1, 2, 3]);
    flow.write(&pieces[3]);
    assert_eq!([flow.next(), flow.next()], [4, 5]);
    assert_eq!(flow.end(), (vec![6], String::new()));
}

#[test]
fn silence_brings_what_is_held() {
    // The header announces four processors, of which one speaks; the pipe is compressed by the session.
    for file in [FileSpec::new(log_file()), FileSpec::new(log_file()).compressed(Format::Xpress)] {
        let bytes = file.buffer(buffer(2, &[event(1, 10), event(2, 20)])).to_bytes();
        let mut flow = Flow::start(&[]);
        flow.write(&bytes);
        assert_eq!([flow.next(), flow.next(), flow.next()], [0, 1, 2]);
        assert_eq!(flow.end(), (vec![], String::new()));
    }
}

#[test]
fn a_window_bounds_how_long_events_are_held_and_late_ones_are_counted() {
    // The second processor's buffer is flushed 10 s after its event, which is long past then.
    let file = FileSpec::new(two())
        .buffer(buffer(0, &[event(1, 10), event(2, 20)]).time_stamp(ANCHOR + 35))
        .buffer(buffer(0, &[event(4, 50_000_000)]).time_stamp(ANCHOR + 60_000_000))
        .buffer(buffer(1, &[event(3, 30)]).time_stamp(ANCHOR + 100_000_000));
    let exact = file.to_bytes();
    let run = run_with_input(["dump", "-f", "jsonl", "-"], &exact).expect_silence();
    assert_eq!(run.column("id"), [0, 1, 2, 3, 4]);
    let args = ["dump", "-f", "jsonl", "--reorder-window", "500ms", "-"];
    let run = run_with_input(args, &exact).expect_status(0);
    assert_eq!(run.column("id"), [0, 1, 2, 4, 3]);
    let late = "warning: 1 event came late, by 4.999997s at most, and is printed after younger ones\n";
    assert_eq!(run.err, late);
    // A real-time session has a window of its own.
    let live = LogFileSpec { log_file_mode: LogFileMode(0x100), ..two() };
    let file = FileSpec::new(live)
        .buffer(buffer(0, &[event(1, 10), event(2, 20)]).time_stamp(ANCHOR + 35))
        .buffer(buffer(0, &[event(4, 50_000_000)]).time_stamp(ANCHOR + 60_000_000))
        .buffer(buffer(0, &[event(5, 110_000_000)]).time_stamp(ANCHOR + 120_000_000))
        .buffer(buffer(1, &[event(3, 30)]).time_stamp(ANCHOR + 130_000_000));
    let run = run_with_input(["dump", "-f", "jsonl", "-"], &file.to_bytes()).expect_status(0);
    assert_eq!(run.column("id"), [0, 1, 2, 4, 3, 5]);
    assert_eq!(run.err, late);
    // Late is no damage, and who does not want to know is not told.
    run_with_input(["dump", "--strict", "-"], &file.to_bytes()).expect_status(0);
    run_with_input(["dump", "--quiet", "-"], &file.to_bytes()).expect_silence();
    // An event that was not asked for is not counted.
    run_with_input(["dump", "--id", "4", "-"], &file.to_bytes()).expect_silence();
}

#[test]
fn past_the_memory_limit_events_leave_early_and_late_ones_are_counted() {
    let mut file = FileSpec::new(two());
    for index in 0..20 {
        let at = 100 + i64::from(index) * 10;
        file = file.buffer(buffer(0, &[event(index, at)]).time_stamp(ANCHOR + at + 5));
    }
    let bytes = file.buffer(buffer(1, &[event(99, 10)]).time_stamp(ANCHOR + 1000)).to_bytes();
    let exact = run_with_input(["dump", "-f", "jsonl", "-"], &bytes).expect_silence();
    assert_eq!(exact.column("id")[..3], [0, 99, 0]);
    let args = ["dump", "-f", "jsonl", "--memory-limit", "1KiB", "-"];
    let run = run_with_input(args, &bytes).expect_status(0);
    assert_eq!(run.events().len(), 22, "nothing is left out");
    let at = run.column("id").iter().position(|id| *id == 99).expect("the event");
    assert!((10..21).contains(&at), "{at}");
    assert!(run.err.starts_with("warning: 1 event came late, by 0.0000"), "{}", run.err);
    // What is held is what counts, not what flows.
    let args = ["dump", "--order", "file", "--memory-limit", "1KiB", "-"];
    run_with_input(args, &bytes).expect_silence();
}

#[test]
fn so_many_events_end_it_while_the_input_is_open() {
    let mut flow = Flow::start(&["-n", "3"]);
    flow.write(&two_processors().to_bytes());
    assert_eq!([flow.next(), flow.next(), flow.next()], [0, 1, 2]);
    assert_eq!(flow.child.wait().expect("the command ends").code(), Some(0));
    flow.reader.join().expect("no panic");
    assert_eq!(flow.lines.try_iter().count(), 0);
}

#[test]
fn damage_in_a_stream_is_named_as_in_a_file() {
    let folder = Folder::new();
    for damage in [
        Damage::Overwrite { buffer: 1, at: 72 + 88, bytes: vec![0, 0] },
        Damage::ZeroBuffer(1),
        Damage::CutAt(2 * 4096 + 200),
        Damage::Overwrite { buffer: 1, at: 0, bytes: vec![0, 0, 0, 0] },
    ] {
        let bytes = two_processors().damage(damage.clone()).to_bytes();
        let path = folder.file("a.etl", &bytes);
        let of_file = dump(&[], &path).expect_status(0);
        let of_stream = run_with_input(["dump", "-f", "jsonl", "-"], &bytes).expect_status(0);
        assert_eq!(of_stream.out, of_file.out, "{damage:?}");
        assert_eq!(of_stream.err, of_file.err.replace(&names(&path), "-"), "{damage:?}");
        run_with_input(["dump", "--strict", "-"], &bytes).expect_status(1);
        run_with_input(["dump", "--quiet", "-"], &bytes).expect_silence();
    }
}

#[test]
fn without_its_header_a_stream_is_ordered_as_far_as_it_is_known() {
    // Nothing tells how many processors there are.
    let bytes = two_processors().without_header().to_bytes();
    let run = run_with_input(["dump", "-f", "jsonl", "-"], &bytes).expect_status(0);
    assert_eq!(run.column("id"), [1, 3, 5, 2, 4, 6]);
    assert!(run.err.contains("header buffer is missing or damaged"), "{}", run.err);
    assert!(run.err.contains("2 events came late, and are printed after younger ones"), "{}", run.err);
    run_with_input(["dump", "--strict", "-"], &bytes).expect_status(1);
}

#[test]
fn limits_of_time_look_at_the_predecessor_of_what_has_no_stamp() {
    let bare = |number| MessageSpec { message_number: number, ..MessageSpec::bare() };
    let first = buffer(0, &[]).message(&bare(11)).message(&bare(12)).event(&event(3, 30)).message(&bare(13));
    let file = FileSpec::new(log_file()).buffer(first).buffer(buffer(1, &[event(1, 29), event(2, 31)]));
    let args = ["dump", "-f", "jsonl", "--from", "+3us", "--to", "+3us", "-"];
    let run = run_with_input(args, &file.to_bytes()).expect_silence();
    assert_eq!(run.column("id"), [11, 12, 3, 13]);
}

#[test]
fn a_stream_of_an_old_windows_is_sorted_whole() {
    use etweir::buffer::Layout;
    use etweir::write::{BufferSpec, FullSpec};

    let log_file = LogFileSpec { time_stamp: etweir::Ticks(ANCHOR), ..LogFileSpec::windows_xp() };
    let full = |opcode, after| FullSpec { opcode, time_stamp: ANCHOR + after, ..FullSpec::default() };
    let old = || BufferSpec::new(4096).layout(Layout::WindowsXp).time_stamp(ANCHOR + 1000);
    let file = FileSpec::new(log_file)
        .buffer(old().full(&full(1, 10)).full(&full(3, 30)))
        .buffer(old().processor(1).full(&full(2, 20)));
    let run = run_with_input(["dump", "-f", "jsonl", "-"], &file.to_bytes()).expect_silence();
    assert_eq!(run.column("opcode"), [0, 1, 2, 3]);
}

#[test]
fn beside_other_files_a_stream_is_read_to_its_end_and_merged() {
    let folder = Folder::new();
    let other = FileSpec::new(log_file()).buffer(buffer(0, &[event(9, 35)])).to_bytes();
    let path = names(&folder.file("a.etl", &other));
    let run =
        run_with_input(["dump", "-f", "jsonl", "--opcode", "2", "-", &path], &two_processors().to_bytes());
    let run = run.expect_silence();
    assert_eq!(run.column("id"), [1, 2, 3, 9, 4, 5, 6]);
    assert_eq!(run.column("file")[3], path);
    assert_eq!(run.column("file")[4], "-");
    // What was looked at for the start is read again.
    for input in [two_processors().to_bytes(), gzip(&two_processors().to_bytes())] {
        let args = ["dump", "-f", "jsonl", "--from", "+3500ns", "--to", "+5us", &path, "-"];
        assert_eq!(run_with_input(args, &input).expect_silence().column("id"), [9, 4, 5]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_flows_like_standard_input() {
    use std::process::Command;

    let folder = Folder::new();
    let pipe = folder.path().join("pipe.etl");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let writer = thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, gzip(&two_processors().to_bytes()))
    });
    let run = dump(&[], &pipe).expect_silence();
    assert_eq!(run.column("id"), [0, 1, 2, 3, 4, 5, 6]);
    writer.join().expect("no panic").expect("all is read");
    // Found in a folder, it is no file.
    let run = dump(&[], folder.path()).expect_status(1);
    assert!(run.err.contains("no .etl file"), "{}", run.err);
}

#[test]
fn real_traces_come_out_of_a_pipe_as_out_of_a_file() {
    use etweir::testkit::corpus;

    let Some(folder) = corpus::folder("real_traces_come_out_of_a_pipe_as_out_of_a_file") else { return };
    for name in [
        "tx-http-server.etl",
        "krabs-powershell.etl",
        "perfview-self-describing-single.etl",
        "tx-kernel-process.etl",
    ] {
        let path = folder.join("etl").join(name);
        let bytes = std::fs::read(&path).expect("the trace");
        // Of a stream, names that only come later are not known.
        let args = ["dump", "-f", "jsonl", "--no-decode", "-"];
        let of_file = dump(&["--no-decode"], &path).expect_silence();
        let of_stream = run_with_input(args, &bytes).expect_silence();
        assert!(of_stream.out == of_file.out, "{name}");
        let packed = run_with_input(args, &gzip(&bytes)).expect_silence();
        assert!(packed.out == of_file.out, "{name}");
    }
}
