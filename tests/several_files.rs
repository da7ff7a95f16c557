//! Several files as one trace, and what their events count as.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use etweir::file::{EtlFiles, MergedBy};
use etweir::stream::Step;
use etweir::trace::LogFileMode;
use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec, MessageSpec};
use etweir::{Error, EtlFile, FileTime, Ticks};

const SIZE: u32 = 1024;
/// The clock runs at 10 MHz.
const ANCHOR: i64 = 1_000_000_000;
const START: i64 = 133_486_382_450_000_000;

/// A session that starts `later` units of 100 ns after the first, on a clock that stands at `anchor`.
fn log_file(anchor: i64, later: i64) -> LogFileSpec {
    LogFileSpec {
        buffer_size: SIZE,
        time_stamp: Ticks(anchor),
        start_time: FileTime(START + later),
        boot_time: FileTime(START + later - anchor),
        ..LogFileSpec::default()
    }
}

fn buffer(processor: u16, events: &[(u16, i64)]) -> BufferSpec {
    let flushed = events.iter().map(|(_, stamp)| *stamp).max().unwrap_or(ANCHOR);
    let empty = BufferSpec::new(SIZE).processor(processor).time_stamp(flushed);
    events.iter().fold(empty, |buffer, (id, time_stamp)| {
        buffer.event(&EventSpec { id: *id, time_stamp: *time_stamp, ..EventSpec::default() })
    })
}

/// The files and ids of all events.
fn events(files: &mut EtlFiles<'_>) -> Vec<(usize, u16)> {
    let mut all = Vec::new();
    while let Some((file, event)) = files.next_event().expect("readable files") {
        all.push((file, event.id()));
    }
    all
}

fn open(files: &[Vec<u8>]) -> EtlFiles<'_> {
    let files = files.iter().map(|bytes| EtlFile::from_bytes(bytes).expect("a trace")).collect();
    EtlFiles::new(files).expect("no threads")
}

#[test]
fn the_header_of_a_file_comes_first_of_all_or_when_the_file_begins() {
    // One after the other, of one session, as with a new file every so often.
    let first = FileSpec::new(log_file(ANCHOR, 0)).buffer(buffer(0, &[(1, ANCHOR + 10), (2, ANCHOR + 20)]));
    let second = FileSpec::new(log_file(ANCHOR + 30, 30)).buffer(buffer(0, &[(3, ANCHOR + 40)]));
    // Its events are older than its header.
    let third = FileSpec::new(log_file(ANCHOR + 50, 50)).buffer(buffer(1, &[(4, ANCHOR + 15)]));
    let bytes = [first, second, third].map(|file| file.to_bytes());
    let mut files = open(&bytes).headers_by_time();
    assert_eq!(files.merged_by(), MergedBy::Ticks);
    assert_eq!(events(&mut files), [(0, 0), (0, 1), (2, 0), (2, 4), (0, 2), (1, 0), (1, 3)]);
    assert_eq!(events(&mut open(&bytes)), [(0, 0), (1, 0), (2, 0), (0, 1), (2, 4), (0, 2), (1, 3)]);
}

#[test]
fn files_of_other_clocks_are_merged_by_the_time_of_day_headers_included() {
    let first = FileSpec::new(log_file(ANCHOR, 0)).buffer(buffer(0, &[(1, ANCHOR + 10), (2, ANCHOR + 30)]));
    let second = FileSpec::new(log_file(500, 20)).buffer(buffer(0, &[(3, 505), (4, 515)]));
    let bytes = [first, second].map(|file| file.to_bytes());
    let mut files = open(&bytes).headers_by_time();
    assert_eq!(files.merged_by(), MergedBy::FileTime);
    assert_eq!(events(&mut files), [(0, 0), (0, 1), (1, 0), (1, 3), (0, 2), (1, 4)]);
}

#[test]
fn a_stamp_that_is_no_time_of_day_is_before_or_after_all_others() {
    let first = FileSpec::new(log_file(ANCHOR, 0))
        .buffer(buffer(0, &[(1, i64::MIN + 1), (2, ANCHOR + 10)]))
        .buffer(buffer(1, &[(3, i64::MAX - 1)]));
    let second = FileSpec::new(log_file(500, 0)).buffer(buffer(0, &[(4, 505), (5, 515)]));
    let bytes = [first, second].map(|file| file.to_bytes());
    assert_eq!(events(&mut open(&bytes)), [(0, 0), (1, 0), (0, 1), (1, 4), (0, 2), (1, 5), (0, 3)]);
}

/// A file that cannot be read past a place.
struct Broken {
    bytes: Cursor<Vec<u8>>,
    from: u64,
}

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let end = self.bytes.position() + into.len() as u64;
        // The index looks at 128 bytes.
        if self.bytes.position() >= self.from && into.len() > 128 && end > self.from {
            return Err(io::Error::other("a bad sector"));
        }
        self.bytes.read(into)
    }
}

impl Seek for Broken {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn a_file_that_fails_ends_all_unless_the_others_are_told_to_go_on() {
    let file = |id| {
        let events = |from| [(id, ANCHOR + from), (id + 1, ANCHOR + from + 100)];
        FileSpec::new(log_file(ANCHOR, 0))
            .buffer(buffer(0, &events(10)))
            .buffer(buffer(0, &events(1000)))
            .to_bytes()
    };
    let (good, other) = (file(1), file(5));
    let broken = Broken { bytes: Cursor::new(file(3)), from: u64::from(2 * SIZE) };
    let files = vec![
        EtlFile::from_bytes(&good).expect("a trace"),
        EtlFile::from_reader(broken).expect("a trace"),
        EtlFile::from_bytes(&other).expect("a trace"),
    ];
    let mut files = EtlFiles::new(files).expect("no threads");
    let (mut all, mut errors) = (Vec::new(), Vec::new());
    loop {
        match files.next_event() {
            Ok(Some((file, event))) => all.push((file, event.id())),
            Ok(None) => break,
            Err(error) => {
                assert!(matches!(error, Error::Io { .. }), "{error}");
                errors.push(files.failed());
                assert!(files.next_event().expect("it is over").is_none());
                files.go_on();
                assert_eq!(files.failed(), None);
            }
        }
    }
    assert_eq!(errors, [Some(1)]);
    let first = [(0, 0), (1, 0), (2, 0), (0, 1), (1, 3), (2, 5), (0, 2), (1, 4), (2, 6)];
    let then = [(0, 1), (2, 5), (0, 2), (2, 6)];
    assert_eq!(all, [&first[..], &then].concat());
}

/// What the events of a file count as, by their ids.
fn counted(bytes: &[u8]) -> Vec<(u16, i64)> {
    let mut file = EtlFile::from_bytes(bytes).expect("a trace");
    let mut all = Vec::new();
    loop {
        match file.advance().expect("memory") {
            Step::Event(event, delivery) => all.push((event.id(), delivery.counts_as().0)),
            Step::End(_) => return all,
            _ => {}
        }
    }
}

fn bare(number: u16) -> MessageSpec {
    MessageSpec { message_number: number, ..MessageSpec::bare() }
}

#[test]
fn an_event_without_a_stamp_counts_as_its_neighbour_or_as_its_buffer() {
    let with_stamps = buffer(0, &[])
        .message(&bare(1))
        .event(&EventSpec { id: 2, time_stamp: ANCHOR + 20, ..EventSpec::default() })
        .message(&bare(3))
        // It goes back in time.
        .event(&EventSpec { id: 4, time_stamp: ANCHOR + 10, ..EventSpec::default() })
        .time_stamp(ANCHOR + 50);
    let without = buffer(1, &[]).message(&bare(5)).time_stamp(ANCHOR + 30);
    let bytes = FileSpec::new(log_file(ANCHOR, 0)).buffer(with_stamps).buffer(without).to_bytes();
    assert_eq!(
        counted(&bytes),
        [
            (0, i64::MIN),
            (1, ANCHOR + 20),
            (2, ANCHOR + 20),
            (3, ANCHOR + 20),
            (4, ANCHOR + 20),
            (5, ANCHOR + 30)
        ]
    );
}

#[test]
fn in_a_relogged_file_a_buffer_without_stamps_is_where_it_was_relogged() {
    let log_file =
        LogFileSpec { log_file_mode: LogFileMode(1 | LogFileMode::RELOG.0), ..log_file(ANCHOR, 0) };
    // The relogger stamps buffers with the time of day.
    let without = |number| buffer(0, &[]).message(&bare(number)).time_stamp(START + 1000);
    let bytes = FileSpec::new(log_file)
        .buffer(without(1))
        .buffer(buffer(1, &[(2, ANCHOR + 10), (3, ANCHOR + 20)]).time_stamp(START + 1000))
        .buffer(without(4))
        .buffer(without(5))
        .to_bytes();
    assert_eq!(
        counted(&bytes),
        [
            (0, i64::MIN),
            (2, ANCHOR + 10),
            (3, ANCHOR + 20),
            (1, ANCHOR + 1000),
            (4, ANCHOR + 1000),
            (5, ANCHOR + 1000)
        ]
    );
}
