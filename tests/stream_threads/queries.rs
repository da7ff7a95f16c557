//! What can be asked, where and when.

use etweir::Guid;
use etweir::stream::StreamInfo;
use etweir::write::{PerfSpec, SystemSpec};

use super::*;

/// A header buffer that tells of a partition and of lost events.
fn telling_header() -> Vec<u8> {
    let id = Guid::from_parts(1, 2, 3, [4; 8]);
    // Hook 0x0050: version, padding, type, offset, partition, parent. Hook 0x0052: count, padding, times.
    let partition =
        [&[1, 0, 0, 0, 4, 0, 0, 0][..], &(-5_i64).to_le_bytes(), &id.to_bytes(), &[0; 16]].concat();
    let dropped = [&[2, 0, 0, 0, 0, 0, 0, 0][..], &0_i64.to_le_bytes(), &77_i64.to_le_bytes()].concat();
    FileSpec::new(LogFileSpec { number_of_processors: 1, time_stamp: Ticks(0), ..LogFileSpec::default() })
        .header_record(SystemSpec { hook_id: 0x0050, payload: partition, ..SystemSpec::default() })
        .header_record(PerfSpec { hook_id: 0x0052, version: 2, payload: dropped, ..PerfSpec::default() })
        .header_buffer()
        .to_bytes()
}

fn check(info: &StreamInfo) {
    let header = info.header().expect("known");
    assert_eq!((header.time_stamp, header.number_of_processors), (Ticks(0), 1));
    let partition = info.partition_information().expect("told");
    assert_eq!((partition.partition_type, partition.qpc_offset_from_root), (4, -5));
    let as_text = info.partition_information_v2().expect("told");
    assert_eq!((as_text.partition_type, as_text.qpc_offset_from_root), (4, -5));
    assert_eq!(as_text.partition_id, "00000001-0002-0003-0404-040404040404");
    assert_eq!(as_text.parent_id, "00000000-0000-0000-0000-000000000000");
    assert_eq!(info.last_dropped_times(), [Ticks(0), Ticks(77)]);
}

#[test]
fn the_stream_tells_about_itself_at_both_ends_in_callbacks_and_afterwards() {
    let (feeder, processor) = etweir::stream::<Vec<u8>>(Options::default())
        .on_event(|_, delivery| {
            check(delivery.info());
            GO_ON
        })
        .on_buffer(|buffer| {
            check(buffer.info());
            GO_ON
        })
        .build();
    for info in [feeder.info(), processor.info()] {
        assert!(info.header().is_none() && info.partition_information().is_none());
        assert!(info.partition_information_v2().is_none() && info.last_dropped_times().is_empty());
    }
    feeder.add(telling_header()).expect("accepted");
    check(processor.info());
    let asking = feeder.clone();
    thread::spawn(move || check(asking.info())).join().expect("known on any thread, before it is processed");
    feeder.finish();
    let summary = processor.run().expect("processed");
    check(summary.info());
    check(feeder.info());
    assert_eq!(feeder.header().map(|header| header.number_of_processors), Some(1));
}

#[test]
fn without_a_header_buffer_the_stream_tells_nothing() {
    let options = Options::default().allow_missing_header(true);
    let (feeder, processor) = etweir::stream(options).on_event(|_, _| GO_ON).build();
    feeder.add(buffer(0, 100)).expect("accepted");
    drop(feeder);
    let summary = processor.run().expect("processed");
    assert!(summary.info().header().is_none());
    assert_eq!(summary.stats.events_delivered, 2);
}

#[test]
fn feeders_see_what_is_counted_while_an_event_is_handled() {
    let (here, there) = channel();
    let (go_on, wait) = channel();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(move |_, delivery| {
            here.send(delivery.stats().events_delivered).expect("told");
            wait.recv().expect("told");
            GO_ON
        })
        .build();
    feeder.add(header(1)).expect("accepted");
    feeder.add(buffer(0, 10)).expect("accepted");
    let before = feeder.stats();
    assert_eq!((before.buffers_received, before.buffers_queued, before.buffers_held), (2, 2, 0));
    assert_eq!(before.bytes_queued, u64::try_from(header(1).len() + buffer(0, 10).len()).expect("small"));
    let running = thread::spawn(move || processor.run().expect("processed"));
    // No buffer has retired when the first event is handled, and one when the second and third are.
    for (events, held, retired, last) in [(1, 1, 0, None), (2, 1, 1, Some(8)), (3, 1, 1, Some(9))] {
        assert_eq!(there.recv().expect("told"), events);
        let stats = feeder.stats();
        assert_eq!(
            (stats.events_delivered, stats.buffers_held, stats.buffers_retired),
            (events, held, retired)
        );
        assert_eq!((stats.buffers_retained, stats.last_delivered), (0, last.map(Ticks)));
        go_on.send(()).expect("told");
    }
    feeder.finish();
    let summary = running.join().expect("no panic");
    assert_eq!(summary.stats, feeder.stats());
    assert_eq!((summary.stats.buffers_retired, summary.stats.bytes_held), (2, 0));
}
