//! Files with callbacks: every event, every buffer, and every buffer's end.

use core::ops::ControlFlow;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;
use std::sync::{Arc, Mutex};

use etweir::codec::Format;
use etweir::file::LoadedBuffer;
use etweir::stream::{
    BufferOutcome, Completed, Delivery, Handler, Options, Outcome, Retained, RetiringBuffer, Session, Step,
};
use etweir::trace::Event;
use etweir::write::FileSpec;
use etweir::{EtlFile, FileOptions};

use crate::support::{T0, assert_complete, buffer, file};

/// Six buffers of three processors whose events alternate.
fn six_buffers() -> FileSpec {
    file((0..6_i64).map(|number| {
        buffer(number as u16 % 3, number + 1, (0..4).map(|event| number / 3 * 100 + event * 10 + number % 3))
    }))
}

/// The times of its events.
fn times() -> Vec<i64> {
    let first_half = (0..4).flat_map(|event| (0..3).map(move |processor| event * 10 + processor));
    first_half.clone().chain(first_half.map(|time| time + 100)).collect()
}

/// Remembers what it was called with: times from the first data buffer on, and where buffers lie.
#[derive(Debug, Default)]
struct Log {
    times: Vec<i64>,
    buffers: Vec<u64>,
    stops_after: Option<usize>,
}

impl Handler<LoadedBuffer> for Log {
    fn event(&mut self, event: &Event<'_>, delivery: &Delivery<'_, LoadedBuffer>) -> ControlFlow<()> {
        if event.hook_id() != Some(0) {
            self.times.push(event.time_stamp().expect("stamped").get() - T0);
            assert_eq!(delivery.buffer().offset().get() % 1024, 0);
            assert_eq!(delivery.buffer().file(), 0);
        }
        match self.stops_after == Some(self.times.len()) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn buffer(&mut self, buffer: &RetiringBuffer<'_, LoadedBuffer>) -> ControlFlow<()> {
        assert_eq!(buffer.header().map(|header| header.buffer_size), Some(1024));
        self.buffers.push(buffer.buffer().offset().get());
        ControlFlow::Continue(())
    }
}

#[test]
fn a_handler_sees_every_event_and_every_buffer_once() {
    let bytes = six_buffers().to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let mut log = Log::default();
    let summary = file.run(&mut log).expect("readable");
    assert_eq!((summary.outcome, summary.outcome.code()), (Outcome::Finished, 0));
    assert_eq!((summary.stats.events_delivered, summary.stats.buffers_retired), (25, 7));
    assert_eq!((summary.stats.sequence_gaps, summary.stats.events_late), (0, 0));
    assert_eq!(log.times, times());
    // In the order in which their events are over.
    assert_eq!(log.buffers, [0, 1, 2, 3, 4, 5, 6].map(|number| number * 1024));
    assert_complete(&file);
}

#[test]
fn every_run_starts_at_the_start_whatever_was_read_before() {
    let bytes = six_buffers().to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    for turn in 0..3 {
        for _ in 0..turn * 4 {
            file.next_event().expect("readable").expect("an event");
        }
        let mut log = Log::default();
        file.run(&mut log).expect("readable");
        assert_eq!(log.times, times());
        assert_complete(&file);
        let mut buffers = 0;
        let count = |_: &RetiringBuffer<'_, LoadedBuffer>| {
            buffers += 1;
            ControlFlow::Continue(())
        };
        file.on_buffer(count).run().expect("readable");
        assert_eq!(buffers, 7);
        assert!(file.next_event().expect("readable").is_none(), "that run is over");
        file.restart(None, None);
        assert!(file.next_event().expect("readable").is_some());
        file.restart(None, None);
    }
}

#[test]
fn closures_are_called_for_events_and_buffers() {
    let bytes = six_buffers().compressed(Format::Lznt1).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let (mut seen, mut buffers) = (Vec::new(), Vec::new());
    let summary = file
        .on_event(|event, delivery| {
            let is_header = delivery.buffer().offset().get() == 0;
            assert_eq!(delivery.buffer().was_compressed(), !is_header);
            if !is_header {
                seen.push(event.time_stamp().expect("stamped").get() - T0);
            }
            ControlFlow::Continue(())
        })
        .on_buffer(|buffer| {
            assert_eq!(buffer.buffers_read(), buffers.len() as u64 + 1, "this one counts");
            // The bytes are the expanded ones, and what was read of the file is less.
            assert!(buffer.buffer().read_bytes() <= buffer.bytes().len() as u64 || buffers.is_empty());
            buffers.push(buffer.id().0);
            ControlFlow::Continue(())
        })
        .run()
        .expect("readable");
    assert_eq!(summary.stats.buffers_retired, 7);
    assert_eq!(seen, times());
    buffers.sort_unstable();
    assert_eq!(buffers, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn without_a_closure_for_events_buffers_come_as_they_are_stored() {
    for spec in [six_buffers(), six_buffers().compressed(Format::XpressHuff)] {
        for threads in [0, 2] {
            let bytes = spec.to_bytes();
            let mut file = FileOptions::new().threads(threads).from_bytes(&bytes).expect("a trace");
            let mut copy = Vec::new();
            let summary = file
                .on_buffer(|buffer| {
                    assert_eq!(buffer.buffer().offset().get(), copy.len() as u64);
                    copy.extend_from_slice(buffer.bytes());
                    ControlFlow::Continue(())
                })
                .run()
                .expect("readable");
            assert_eq!((summary.outcome, summary.stats.events_delivered), (Outcome::Finished, 0));
            assert_eq!(copy, bytes, "to the byte");
            let accounting = assert_complete(&file);
            assert_eq!(accounting.passed + accounting.headers, bytes.len() as u64);
        }
    }
}

#[test]
fn buffers_that_pass_through_a_file_are_what_a_session_takes() {
    let bytes = six_buffers().compressed(Format::Xpress).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let mut session = Session::new(Options::default(), |_: Completed<Vec<u8>>| {});
    let pass = |buffer: &RetiringBuffer<'_, LoadedBuffer>| {
        session.add(buffer.bytes().to_vec()).expect("accepted");
        ControlFlow::Continue(())
    };
    file.on_buffer(pass).run().expect("readable");
    session.finish();
    let mut found = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, _) if event.hook_id() != Some(0) => {
                found.push(event.time_stamp().expect("stamped").get() - T0);
            }
            Step::End(outcome) => break assert_eq!(outcome, Outcome::Finished),
            _ => {}
        }
    }
    assert_eq!(found, times());
}

#[test]
fn breaking_off_ends_the_run_and_completes_every_buffer() {
    for threads in [0, 2] {
        let bytes = six_buffers().to_bytes();
        let mut file = FileOptions::new().threads(threads).from_bytes(&bytes).expect("a trace");
        let mut log = Log { stops_after: Some(5), ..Log::default() };
        let summary = file.run(&mut log).expect("readable");
        assert_eq!((summary.outcome, summary.outcome.code()), (Outcome::Cancelled, 1223));
        assert_eq!(log.times, times()[..5]);
        assert_eq!((summary.stats.buffers_held, summary.stats.buffers_retained), (0, 0));
        let accounting = file.accounting();
        assert_eq!(accounting.total(), file.len());
        assert!(accounting.unread > 0, "{accounting:?}");

        // The same from the loop of steps.
        file.restart(None, None);
        for _ in 0..6 {
            file.next_event().expect("readable").expect("an event");
        }
        file.cancel();
        assert!(matches!(file.advance().expect("readable"), Step::End(Outcome::Cancelled)));
        assert!(file.next_event().expect("readable").is_none());
    }
}

#[test]
fn a_panic_in_a_callback_comes_out_once_every_buffer_is_completed() {
    let bytes = six_buffers().to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let completed = Arc::new(Mutex::new(Vec::new()));
    let playback = file
        .on_event(|event, _| {
            assert!(event.time_stamp().expect("stamped").get() < T0 + 20, "enough");
            ControlFlow::Continue(())
        })
        .on_complete(Arc::clone(&completed), |done, completed| {
            completed.lock().expect("no panic").push(done.outcome);
        });
    let panic = catch_unwind(AssertUnwindSafe(|| playback.run())).expect_err("a panic");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"enough"));
    assert_eq!(
        *completed.lock().expect("no panic"),
        [
            BufferOutcome::Delivered,
            BufferOutcome::Abandoned,
            BufferOutcome::Abandoned,
            BufferOutcome::Abandoned
        ],
        "the header buffer, and one of each processor"
    );
    // The file can be read all the same.
    let mut log = Log::default();
    file.run(&mut log).expect("readable");
    assert_eq!(log.times, times());
}

#[test]
fn a_panic_of_the_completion_callback_comes_out_at_the_end() {
    let bytes = six_buffers().to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let mut events = 0;
    let playback = file
        .on_event(|_, _| {
            events += 1;
            ControlFlow::Continue(())
        })
        .on_complete((), |done, ()| assert!(done.id.0 != 2, "the third"));
    let panic = catch_unwind(AssertUnwindSafe(|| playback.run())).expect_err("a panic");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the third"));
    assert_eq!(events, 25, "no event is lost by it");
}

#[test]
fn every_buffer_is_completed_exactly_once_and_as_soon_as_its_events_are_over() {
    let bytes = six_buffers().to_bytes();
    for threads in [0, 3] {
        let mut file = FileOptions::new().threads(threads).from_bytes(&bytes).expect("a trace");
        let done = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&done);
        let mut events = 0;
        file.on_event(|_, _| {
            events += 1;
            // After the first event of the second half, those of the first are done.
            let finished = seen.lock().expect("no panic").len();
            assert!(finished <= 7 && (events < 15 || finished >= 4), "{finished} at event {events}");
            ControlFlow::Continue(())
        })
        .on_complete(Arc::clone(&done), |completed, done| {
            assert_eq!(completed.outcome, BufferOutcome::Delivered);
            done.lock().expect("no panic").push(completed.buffer.offset().get() / 1024);
        })
        .run()
        .expect("readable");
        assert_eq!(*done.lock().expect("no panic"), [0, 1, 2, 3, 4, 5, 6]);
    }
}

#[test]
fn a_retained_event_outlives_the_run_and_its_buffer_is_completed_after_it() {
    let bytes = six_buffers().compressed(Format::Xpress).to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let done = Arc::new(Mutex::new(Vec::new()));
    let mut kept: Vec<Retained<LoadedBuffer>> = Vec::new();
    let summary = file
        .on_event(|event, delivery| {
            if matches!(event.time_stamp(), Some(stamp) if [T0 + 11, T0 + 132].contains(&stamp.get())) {
                kept.push(delivery.retain());
            }
            ControlFlow::Continue(())
        })
        .on_complete(Arc::clone(&done), |completed, done| {
            done.lock().expect("no panic").push(completed.id.0);
        })
        .run()
        .expect("readable");
    assert_eq!((summary.stats.buffers_retained, summary.stats.events_delivered), (2, 25));
    drop(file);
    let ids: Vec<_> = kept.iter().map(|event| event.id().0).collect();
    let completed = done.lock().expect("no panic").clone();
    assert!(completed.len() == 5 && ids.iter().all(|id| !completed.contains(id)), "{completed:?}");
    let times = kept.iter().map(|event| event.event().expect("there").time_stamp().expect("stamped").get());
    assert!(times.eq([T0 + 11, T0 + 132]));
    drop(kept);
    assert_eq!(done.lock().expect("no panic")[5..], ids);
}

#[test]
fn a_run_can_wait_until_others_let_go_of_its_events() {
    let bytes = six_buffers().to_bytes();
    let mut file = EtlFile::from_bytes(&bytes).expect("a trace");
    let let_go = Arc::new(Mutex::new(false));
    let (sender, receiver) = std::sync::mpsc::channel::<Retained<LoadedBuffer>>();
    let holder = std::thread::spawn({
        let let_go = Arc::clone(&let_go);
        move || {
            let events: Vec<_> = receiver.iter().collect();
            assert_eq!(events.len(), 25);
            *let_go.lock().expect("no panic") = true;
            drop(events);
        }
    });
    let mut sender = Some(sender);
    let mut count = 0;
    let summary = file
        .on_event(|_, delivery| {
            sender.as_ref().expect("there").send(delivery.retain()).expect("a holder");
            count += 1;
            if count == 25 {
                sender = None;
            }
            ControlFlow::Continue(())
        })
        .wait_for_retained()
        .run()
        .expect("readable");
    assert!(*let_go.lock().expect("no panic"));
    assert_eq!(summary.stats.buffers_retained, 0);
    holder.join().expect("no panic");
}

#[test]
fn what_was_read_before_the_end_keeps_its_damage_and_counts() {
    let bytes = six_buffers().to_bytes();
    let mut harmed = bytes.clone();
    // The second record of the buffer of processor 0 has no length.
    harmed[1024 + 72 + 80..][..4].fill(0);
    let mut file = EtlFile::from_bytes(&harmed).expect("a trace");
    let mut log = Log::default();
    let summary = file.run(&mut log).expect("readable");
    assert_eq!((summary.stats.damaged_records, summary.stats.events_delivered), (1, 24));
    assert_eq!(file.damage().count(), 1);
    let accounting = assert_complete(&file);
    assert_eq!(accounting.damaged, summary.stats.damaged_bytes);
    assert_eq!(accounting.damaged, 80);
    log.times.push(10);
    log.times.sort_unstable();
    assert_eq!(log.times, times());
}
