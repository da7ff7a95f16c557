//! The event lines that PerfView printed on Windows are found at their time, processor and data length.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod perfview;

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use etweir::EtlReader;
use etweir::testkit::corpus;
use perfview::Line;

#[test]
fn every_event_line_of_the_perfview_baselines_is_found() {
    let Some(folder) = corpus::folder("every_event_line_of_the_perfview_baselines_is_found") else { return };
    let mut lines = 0;
    let mut files = 0;
    for entry in fs::read_dir(folder.join("truth/perfview")).expect("the folder of truth") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let trace = folder.join("etl").join(name.replace(".baseline.txt", ".etl"));
        let events = Places::of(&trace);
        let expected = perfview::lines(&path);
        let missing: Vec<_> = expected.iter().filter(|line| !events.have(line)).collect();
        assert!(missing.is_empty(), "{name}: {} of {} missing: {missing:?}", missing.len(), expected.len());
        lines += expected.len();
        files += 1;
    }
    assert_eq!((files, lines), (4, 1056));
}

/// How often each (microsecond since the header, processor, data length) occurs.
struct Places(HashMap<(i64, u16, usize), u64>);

impl Places {
    fn of(trace: &Path) -> Self {
        let mut reader = EtlReader::open(trace).expect("a trace");
        let header = reader.header().expect("a header").clone();
        let mut places = HashMap::new();
        while let Some(buffer) = reader.next_buffer().expect("a readable file") {
            for event in buffer.events() {
                let event = event.expect("no damage");
                let Some(stamp) = event.time_stamp() else { continue };
                let since = i128::from(stamp.get() - header.time_stamp.get());
                let microseconds =
                    i64::try_from(since * 1_000_000 / i128::from(header.perf_freq)).expect("in range");
                *places
                    .entry((microseconds, event.processor_index(), event.user_data().len()))
                    .or_default() += 1;
            }
        }
        Self(places)
    }

    /// The last digit of a line may have been rounded either way.
    fn have(&self, line: &Line) -> bool {
        (-1..=1).any(|delta| self.0.contains_key(&(line.microseconds + delta, line.processor, line.data_len)))
    }
}
