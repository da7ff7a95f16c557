//! Running the command, and small traces to run it on.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec, MessageSpec, PerfSpec};
use etweir::{FileTime, Guid, Ticks};
use serde_json::Value;
use tempfile::TempDir;

/// What a run left behind.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Run {
    /// The objects of JSON lines.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The one document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON")
    }

    /// One key of every event.
    pub(crate) fn column(&self, key: &str) -> Vec<Value> {
        self.events().iter().map(|event| event[key].clone()).collect()
    }

    /// Says on failure what was printed.
    pub(crate) fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "out: {:.1000}\nerr: {:.1000}", self.out, self.err);
        self
    }

    /// Done, with nothing to say.
    pub(crate) fn expect_silence(self) -> Self {
        let run = self.expect_status(0);
        assert_eq!(run.err, "");
        run
    }
}

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_etweir"));
    command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("CLICOLOR");
    command
}

pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Run {
    run_with_input(args, b"")
}

pub(crate) fn run_with_input<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>, input: &[u8]) -> Run {
    let mut child = command()
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // It may end without reading everything.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("the command ends");
    writer.join().expect("no panic");
    Run {
        status: output.status.code().expect("no signal"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// `etweir dump -f jsonl`, further arguments, one file.
pub(crate) fn dump(args: &[&str], path: impl AsRef<Path>) -> Run {
    run(["dump", "-f", "jsonl"]
        .iter()
        .map(OsStr::new)
        .chain(args.iter().map(OsStr::new))
        .chain([path.as_ref().as_os_str()]))
}

/// A folder with files in it.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: impl AsRef<Path>, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        path
    }
}

/// The session's clock runs at 10 MHz and stood at this when the session started.
pub(crate) const ANCHOR: i64 = 1_000_000_000;
/// 2024-01-02T03:04:05.0000000Z
pub(crate) const START: FileTime = FileTime(133_486_382_450_000_000);

pub(crate) const PROVIDER: Guid =
    Guid::from_parts(0x1111_1111, 0x2222, 0x3333, [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);

/// The header of a session that starts `later` units of 100 ns after [`START`] on a clock that stands at `anchor`.
pub(crate) fn log_file_at(anchor: i64, later: i64) -> LogFileSpec {
    LogFileSpec {
        time_stamp: Ticks(anchor),
        start_time: FileTime(START.0 + later),
        end_time: FileTime(START.0 + later + 30_000_000),
        ..LogFileSpec::default()
    }
}

pub(crate) fn log_file() -> LogFileSpec {
    log_file_at(ANCHOR, 0)
}

/// An event with an id, so many ticks after [`ANCHOR`].
pub(crate) fn event(id: u16, after: i64) -> EventSpec {
    EventSpec {
        id,
        version: 1,
        level: 4,
        opcode: 2,
        task: 3,
        keyword: 0x10,
        process_id: 100 + u32::from(id),
        thread_id: 200 + u32::from(id),
        time_stamp: ANCHOR + after,
        provider_id: PROVIDER,
        payload: vec![0xAB, u8::try_from(id).expect("a small id")],
        ..EventSpec::default()
    }
}

pub(crate) fn buffer(processor: u16, events: &[EventSpec]) -> BufferSpec {
    let empty = BufferSpec::new(4096).processor(processor).time_stamp(ANCHOR + 1000);
    events.iter().fold(empty, |buffer, event| buffer.event(event))
}

/// Two processors, whose events interleave: in time order 1 to 6, in file order 1 3 5 2 4 6.
pub(crate) fn two_processors() -> FileSpec {
    FileSpec::new(log_file())
        .buffer(buffer(0, &[event(1, 10), event(3, 30), event(5, 50)]))
        .buffer(buffer(1, &[event(2, 20), event(4, 40), event(6, 60)]))
}

/// A kernel record without process and thread, and messages with and without a time stamp.
pub(crate) fn odd_records() -> Vec<u8> {
    let stamped = MessageSpec {
        message_number: 7,
        guid: Some(PROVIDER),
        time_stamp: Some(ANCHOR + 30),
        ..MessageSpec::bare()
    };
    let bare = MessageSpec { message_number: 8, payload: vec![1], ..MessageSpec::bare() };
    let profile = PerfSpec { hook_id: 0x0F2E, time_stamp: ANCHOR + 20, ..PerfSpec::default() };
    let first = buffer(0, &[]).perf(&profile).message(&stamped).message(&bare);
    let second = buffer(1, &[event(1, 25), event(2, 35)]);
    FileSpec::new(log_file()).buffer(second).buffer(first).to_bytes()
}

/// Gzip data as `gzip` writes them.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::GzBuilder::new().filename("a.etl").write(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// An archive of these files, compressed as usual.
pub(crate) fn zip<N: AsRef<str>>(files: &[(N, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name.as_ref(), options).expect("memory");
        archive.write_all(bytes).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

pub(crate) fn names(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
