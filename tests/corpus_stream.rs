//! Every real trace, fed to a session buffer by buffer, gives the events of the file in the order of time.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::time::Duration;
use std::fs;
use std::path::Path;

use etweir::stream::{Options, Order, Session, Step};
use etweir::testkit::corpus;
use etweir::trace::Event;
use etweir::{EtlReader, Ticks};

/// An event: stamp, processor, and what it carries.
type Seen = (Option<i64>, u16, Vec<u8>);

#[test]
fn an_exact_session_gives_the_events_of_every_file_sorted_by_time() {
    let Some(folder) = corpus::folder("an_exact_session_gives_the_events_of_every_file_sorted_by_time")
    else {
        return;
    };
    let mut problems = Vec::new();
    for trace in traces(&folder) {
        let expected = trace.sorted();
        let (events, stats) = trace.stream(Options::default().order(Order::Exact), false);
        if let Some(at) =
            (0..expected.len().max(events.len())).find(|at| expected.get(*at) != events.get(*at))
        {
            let (want, got) = (expected.get(at).map(stamp_of), events.get(at).map(stamp_of));
            problems.push(format!(
                "{}: event {at} of {} and {}: {want:?}, {got:?}, {stats}",
                trace.name,
                expected.len(),
                events.len()
            ));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_session_that_is_advanced_after_each_buffer_gives_all_events_and_counts_the_late_ones() {
    let Some(folder) = corpus::folder(
        "a_session_that_is_advanced_after_each_buffer_gives_all_events_and_counts_the_late_ones",
    ) else {
        return;
    };
    for trace in traces(&folder) {
        let (mut events, stats) = trace.stream(Options::default(), true);
        let mut latest = i64::MIN;
        // The events of the header buffer take no part in it.
        let late = events[trace.header_events..].iter().filter_map(|event| event.0).filter(|stamp| {
            let late = *stamp < latest;
            latest = latest.max(*stamp);
            late
        });
        assert_eq!(stats, format!("{} late", late.count()), "{}", trace.name);
        let mut expected = trace.sorted();
        expected.sort();
        events.sort();
        assert!(expected == events, "{}: {} and {} events", trace.name, expected.len(), events.len());
    }
}

/// A file that is cut into its buffers, with the events of each.
struct Trace {
    name: String,
    buffers: Vec<(Vec<u8>, Vec<Seen>)>,
    header_events: usize,
}

fn stamp_of(event: &Seen) -> (Option<i64>, u16, usize) {
    (event.0, event.1, event.2.len())
}

fn seen(event: &Event<'_>) -> Seen {
    (event.time_stamp().map(Ticks::get), event.processor_index(), event.user_data().to_vec())
}

fn traces(folder: &Path) -> Vec<Trace> {
    let mut paths: Vec<_> = fs::read_dir(folder.join("etl"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "etl"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| Trace::read(path)).collect()
}

impl Trace {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("a readable file");
        let mut reader = EtlReader::new(&bytes[..]).expect("a trace");
        let mut buffers = Vec::new();
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            let at = usize::try_from(buffer.offset().get()).expect("in memory");
            let len = usize::try_from(buffer.stored_bytes()).expect("in memory");
            let events = buffer.events().filter_map(Result::ok).map(|event| seen(&event)).collect();
            buffers.push((bytes[at..at + len].to_vec(), events));
        }
        let header_events = buffers.first().map_or(0, |(_, events): &(_, Vec<_>)| events.len());
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        Self { name, buffers, header_events }
    }

    /// All events by raw stamp, arrival and offset. What has none counts as its predecessor.
    fn sorted(&self) -> Vec<Seen> {
        let mut keyed = Vec::new();
        for (arrival, (_, events)) in self.buffers.iter().enumerate() {
            let mut stamp = events.iter().find_map(|event| event.0);
            for event in events {
                stamp = event.0.or(stamp);
                keyed.push((stamp, arrival, event.clone()));
            }
        }
        // Equal keys keep the order of the buffer.
        keyed.sort_by_key(|(stamp, arrival, _)| (*stamp, *arrival));
        keyed.into_iter().map(|(_, _, event)| event).collect()
    }

    /// The events that a session gives.
    fn stream(&self, options: Options, eager: bool) -> (Vec<Seen>, String) {
        let mut session = Session::new(options.accept_disorder(true), |_| {});
        let mut events = Vec::new();
        for (bytes, _) in &self.buffers {
            session.add(bytes.clone()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
            if eager {
                run(&mut session, &mut events);
            }
        }
        session.finish();
        run(&mut session, &mut events);
        assert_eq!(session.stats().events_delivered, events.len() as u64, "{}", self.name);
        (events, format!("{} late", session.stats().events_late))
    }
}

fn run(session: &mut Session<Vec<u8>>, events: &mut Vec<Seen>) {
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, delivery) => {
                if events.is_empty() {
                    assert_eq!((delivery.buffer_id().0, event.hook_id(), event.opcode()), (0, Some(0), 0));
                }
                events.push(seen(&event));
            }
            Step::Buffer(_) => {}
            Step::NeedInput { .. } | Step::End(_) => return,
        }
    }
}
