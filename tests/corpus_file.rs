//! Every real trace, read whole: its records in the order of time, the same as through a stream, every byte accounted for.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};

use etweir::file::{Accounting, FileOrder};
use etweir::stream::{Options, Order, Session, Step};
use etweir::testkit::corpus;
use etweir::trace::Event;
use etweir::{EtlFile, EtlReader, FileOptions, Ticks};
use serde_json::Value;

/// An event: stamp, processor, and what it carries.
type Seen = (Option<i64>, u16, Vec<u8>);

fn seen(event: &Event<'_>) -> Seen {
    (event.time_stamp().map(Ticks::get), event.processor_index(), event.record().bytes().to_vec())
}

fn traces(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder.join(part))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "etl"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// The buffers of a file in its order, in the clear, with their events.
fn buffers(path: &Path) -> Vec<(Vec<u8>, Vec<Seen>)> {
    let bytes = fs::read(path).expect("a readable file");
    let mut reader = EtlReader::new(&bytes[..]).expect("a trace");
    let mut buffers = Vec::new();
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        let at = usize::try_from(buffer.offset().get()).expect("in memory");
        let len = usize::try_from(buffer.stored_bytes()).expect("in memory");
        let events = buffer.events().map(|event| seen(&event.expect("no damage"))).collect();
        buffers.push((bytes[at..at + len].to_vec(), events));
    }
    buffers
}

/// All events by raw stamp, stable within a processor: what has no stamp counts as its predecessor, and the events of the
/// header buffer come first.
fn sorted(buffers: &[(Vec<u8>, Vec<Seen>)]) -> Vec<Seen> {
    let mut keyed = Vec::new();
    for (arrival, (_, events)) in buffers.iter().enumerate() {
        let mut stamp = events.iter().find_map(|event| event.0);
        for event in events {
            stamp = event.0.or(stamp);
            keyed.push((if arrival == 0 { None } else { stamp }, arrival, event));
        }
    }
    // Equal keys keep the order of the buffer.
    keyed.sort_by_key(|(stamp, arrival, _)| (*stamp, *arrival));
    keyed.into_iter().map(|(_, _, event)| event.clone()).collect()
}

fn events(file: &mut EtlFile<'_>) -> Vec<Seen> {
    let mut events = Vec::new();
    while let Some(event) = file.next_event().expect("a readable file") {
        events.push(seen(&event));
    }
    assert_eq!(file.stats().events_delivered, events.len() as u64);
    events
}

fn through_a_stream(buffers: &[(Vec<u8>, Vec<Seen>)]) -> Vec<Seen> {
    let mut session = Session::new(Options::default().order(Order::Exact), drop);
    for (bytes, _) in buffers {
        session.add(bytes.clone()).expect("accepted");
    }
    session.finish();
    let mut events = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, _) => events.push(seen(&event)),
            Step::Buffer(_) => {}
            Step::NeedInput { .. } | Step::End(_) => return events,
        }
    }
}

fn assert_same(path: &Path, what: &str, found: &[Seen], expected: &[Seen]) {
    let differs = (0..expected.len().max(found.len())).find(|at| found.get(*at) != expected.get(*at));
    if let Some(at) = differs {
        let brief = |events: &[Seen]| events.get(at).map(|event| (event.0, event.1, event.2.len()));
        panic!(
            "{}, {what}: event {at} of {} and {}: {:?}, expected {:?}",
            path.display(),
            found.len(),
            expected.len(),
            brief(found),
            brief(expected),
        );
    }
}

#[test]
fn every_trace_is_delivered_whole_and_in_the_order_of_time_from_any_source_and_with_any_threads() {
    let Some(folder) = corpus::folder(
        "every_trace_is_delivered_whole_and_in_the_order_of_time_from_any_source_and_with_any_threads",
    ) else {
        return;
    };
    for path in traces(&folder, "etl") {
        let buffers = buffers(&path);
        let expected = sorted(&buffers);
        assert_same(&path, "stream", &through_a_stream(&buffers), &expected);
        let bytes = fs::read(&path).expect("a readable file");
        let open: [(&str, EtlFile<'_>); 5] = [
            ("path", EtlFile::open(&path).expect("a trace")),
            ("two threads", FileOptions::new().threads(2).open(&path).expect("a trace")),
            ("bytes", EtlFile::from_bytes(&bytes).expect("a trace")),
            ("bytes, a thread", FileOptions::new().threads(1).from_bytes(&bytes).expect("a trace")),
            ("reader", EtlFile::from_reader(std::io::Cursor::new(&bytes)).expect("a trace")),
        ];
        for (what, mut file) in open {
            assert_same(&path, what, &events(&mut file), &expected);
            assert!(file.damage().is_empty(), "{}: {:?}", path.display(), file.damage());
            let stats = file.stats();
            assert_eq!((stats.events_late, stats.pressure_releases), (0, 0), "{}", path.display());
            assert_eq!(stats.buffers_retired, buffers.len() as u64, "{}", path.display());
            all_is_accounted_for(&file, bytes.len());
            file.restart(None, None);
            assert_same(&path, "again", &events(&mut file), &expected);
            all_is_accounted_for(&file, bytes.len());
        }
        let mut file = FileOptions::new().order(FileOrder::File).threads(1).open(&path).expect("a trace");
        let in_order: Vec<_> = buffers.iter().flat_map(|(_, events)| events.clone()).collect();
        assert_same(&path, "the order of the file", &events(&mut file), &in_order);
        all_is_accounted_for(&file, bytes.len());
    }
}

/// Everything was found, and nothing but buffers.
fn all_is_accounted_for(file: &EtlFile<'_>, len: usize) {
    let accounting = file.accounting();
    assert_eq!(accounting.total(), len as u64, "{accounting:?}");
    let Accounting { skipped, unread, damaged, outside_limits, passed, unwritten_tail, .. } = accounting;
    assert_eq!((skipped, unread, damaged, outside_limits, passed, unwritten_tail), (0, 0, 0, 0, 0, 0));
}

#[test]
fn every_trace_has_as_many_records_and_the_stamps_that_other_decoders_found() {
    let Some(folder) =
        corpus::folder("every_trace_has_as_many_records_and_the_stamps_that_other_decoders_found")
    else {
        return;
    };
    let mut files = 0;
    for entry in fs::read_dir(folder.join("truth/records")).expect("the folder of truth") {
        let path = entry.expect("an entry").path();
        let truth: Value = serde_json::from_slice(&fs::read(&path).expect("a readable file")).expect("JSON");
        let mut file =
            EtlFile::open(folder.join("etl").join(truth["file"].as_str().expect("a name"))).expect("a trace");
        let events = events(&mut file);
        let stamps: Vec<_> = events.iter().filter_map(|event| event.0).collect();
        assert_eq!(events.len() as u64, truth["records"], "{}", path.display());
        assert_eq!(stamps.iter().min().copied(), truth["timestamps"]["min"].as_i64(), "{}", path.display());
        assert_eq!(stamps.iter().max().copied(), truth["timestamps"]["max"].as_i64(), "{}", path.display());
        assert_eq!(stamps.last().copied(), truth["timestamps"]["max"].as_i64(), "{}", path.display());
        assert_eq!(file.stats().buffers_retired, truth["buffers"].as_u64().expect("a number"));
        files += 1;
    }
    assert_eq!(files, 24);
}
