//! The threaded front of a session. Numbers in the names are those of the conformance checklist. Nothing sleeps: every wait is
//! for something that comes.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::ops::ControlFlow;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU64, Ordering};
use std::panic::catch_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;

use etweir::stream::{
    BufferOutcome, Completed, Delivery, Feeder, Handler, Options, Outcome, ProcessError, Refusal, Retained,
    RetiringBuffer,
};
use etweir::trace::Event;
use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec};
use etweir::{FileTime, Ticks};

#[path = "stream_threads/ends.rs"]
mod ends;
#[path = "stream_threads/feeding.rs"]
mod feeding;
#[path = "stream_threads/queries.rs"]
mod queries;

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

fn header(processors: u32) -> Vec<u8> {
    let log_file =
        LogFileSpec { number_of_processors: processors, time_stamp: Ticks(0), ..LogFileSpec::default() };
    FileSpec::new(log_file).header_buffer().to_bytes()
}

/// A buffer with two events, at `flush - 2` and `flush - 1`.
fn buffer(processor: u16, flush: i64) -> Vec<u8> {
    let event = |time_stamp| EventSpec { time_stamp, ..EventSpec::default() };
    BufferSpec::new(1024)
        .processor(processor)
        .time_stamp(flush)
        .event(&event(flush - 2))
        .event(&event(flush - 1))
        .to_bytes()
}

type Done = Completed<Vec<u8>>;

/// A channel as the place where buffers come home: completion as a channel.
fn home() -> (Sender<Done>, Receiver<Done>) {
    channel()
}

fn send_home(done: Done, home: &Sender<Done>) {
    home.send(done).expect("somebody waits at home");
}

fn outcomes(home: &Receiver<Done>) -> Vec<(u64, BufferOutcome)> {
    home.try_iter().map(|done| (done.id.0, done.outcome)).collect()
}

fn feed(feeder: &Feeder<Vec<u8>>, buffers: i64) {
    feeder.add(header(1)).expect("accepted");
    for number in 1..=buffers {
        feeder.add(buffer(0, number * 10)).expect("accepted");
    }
}

#[test]
fn c01_c05_what_was_added_before_the_end_is_delivered_and_comes_home() {
    let (sender, home) = home();
    let mut events = 0;
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|_, _| {
            events += 1;
            GO_ON
        })
        .on_complete(sender, send_home)
        .build();
    feed(&feeder, 5);
    feeder.finish();
    assert_eq!(feeder.add(buffer(0, 100)).expect_err("finished").code(), 6);
    let summary = processor.run().expect("processed");
    assert_eq!((summary.outcome, summary.outcome.code()), (Outcome::Finished, 0));
    assert_eq!(summary.stats.buffers_retired, 6);
    assert_eq!(events, 11);
    assert_eq!(outcomes(&home), (0..6).map(|id| (id, BufferOutcome::Delivered)).collect::<Vec<_>>());
    assert_eq!(feeder.add(buffer(0, 100)).expect_err("ended").code(), 6);
}

#[test]
fn c01_dropping_the_last_feeder_is_the_end_of_the_stream() {
    let (feeder, processor) = etweir::stream(Options::default()).on_event(|_, _| GO_ON).build();
    let running = thread::spawn(move || processor.run().expect("processed"));
    let second = feeder.clone();
    feed(&feeder, 3);
    drop(feeder);
    second.add(buffer(0, 1000)).expect("the stream goes on");
    drop(second);
    assert_eq!(running.join().expect("no panic").stats.buffers_retired, 5);
}

#[test]
fn c01_a_processor_that_never_runs_hands_everything_back() {
    let (sender, home) = home();
    let (feeder, processor) =
        etweir::stream(Options::default()).on_event(|_, _| GO_ON).on_complete(sender, send_home).build();
    feed(&feeder, 2);
    drop(processor);
    assert_eq!(outcomes(&home), (0..3).map(|id| (id, BufferOutcome::Abandoned)).collect::<Vec<_>>());
    assert_eq!(feeder.add(buffer(0, 100)).expect_err("nobody is there").code(), 6);
}

#[test]
fn c01_a_panic_in_a_callback_costs_no_buffer_and_goes_on() {
    for in_buffer in [false, true] {
        let (sender, home) = home();
        let (feeder, processor) = etweir::stream(Options::default())
            .on_event(move |event, _| {
                assert!(in_buffer || event.time_stamp() != Some(Ticks(18)), "the event callback panics");
                GO_ON
            })
            .on_buffer(move |buffer| {
                assert!(!in_buffer || buffer.buffers_read() < 3, "the buffer callback panics");
                GO_ON
            })
            .on_complete(sender, send_home)
            .build();
        feed(&feeder, 4);
        let panic = catch_unwind(AssertUnwindSafe(|| processor.run())).expect_err("the panic goes on");
        assert!(panic.downcast_ref::<&str>().is_some_and(|text| text.ends_with("callback panics")));
        let mut home = outcomes(&home);
        home.sort_by_key(|(id, _)| *id);
        assert_eq!(home.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [0, 1, 2, 3, 4], "each once");
        assert_eq!(feeder.add(buffer(0, 100)).expect_err("over").code(), 1223);
    }
}

#[test]
fn c01_a_panic_of_the_completion_goes_on_after_all_buffers_are_home() {
    let count = Arc::new(AtomicU64::new(0));
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|_, _| GO_ON)
        .on_complete(Arc::clone(&count), |done: Completed<Vec<u8>>, count| {
            count.fetch_add(1, Ordering::Relaxed);
            assert!(done.id.0 != 1, "the completion panics");
        })
        .build();
    feed(&feeder, 4);
    drop(feeder);
    assert!(catch_unwind(AssertUnwindSafe(|| processor.run())).is_err());
    assert_eq!(count.load(Ordering::Relaxed), 5);
}

#[test]
fn c03_events_then_the_buffer_callback_then_the_completion() {
    let (log, seen) = channel();
    let (event_log, buffer_log) = (log.clone(), log.clone());
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(move |_, delivery| {
            event_log.send(('e', delivery.buffer_id().0)).expect("logged");
            GO_ON
        })
        .on_buffer(move |buffer| {
            buffer_log.send(('b', buffer.id().0)).expect("logged");
            GO_ON
        })
        .on_complete(log, |done: Completed<Vec<u8>>, log| log.send(('c', done.id.0)).expect("logged"))
        .build();
    feed(&feeder, 2);
    drop(feeder);
    processor.run().expect("processed");
    let seen: Vec<_> = seen.try_iter().collect();
    let expected = [
        ('e', 0),
        ('b', 0),
        ('c', 0),
        ('e', 1),
        ('e', 1),
        ('b', 1),
        ('c', 1),
        ('e', 2),
        ('e', 2),
        ('b', 2),
        ('c', 2),
    ];
    assert_eq!(seen, expected);
}

#[test]
fn c06_break_at_a_buffer_is_the_last_callback_and_all_completions_are_made() {
    let (sender, home) = home();
    let mut callbacks = 0;
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|_, _| GO_ON)
        .on_buffer(|buffer| {
            callbacks += 1;
            if buffer.buffers_read() == 3 { ControlFlow::Break(()) } else { GO_ON }
        })
        .on_complete(sender, send_home)
        .build();
    feed(&feeder, 5);
    let summary = processor.run().expect("processed");
    assert_eq!((summary.outcome, summary.outcome.code(), callbacks), (Outcome::Cancelled, 1223, 3));
    let home = outcomes(&home);
    assert_eq!(home.len(), 6);
    assert_eq!(home[..2], [(0, BufferOutcome::Delivered), (1, BufferOutcome::Delivered)]);
    assert_eq!(feeder.add(buffer(0, 100)).expect_err("cancelled").code(), 1223);
}

#[test]
fn c07_buffers_are_fed_from_inside_every_callback_and_from_another_session() {
    let (feeder, processor) = etweir::stream(Options::default()).on_event(|_, _| GO_ON).build();
    let next = Arc::new(AtomicU64::new(1));
    let add = |feeder: &Feeder<Vec<u8>>, next: &AtomicU64| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number <= 30 {
            feeder.add(buffer(0, i64::try_from(number).expect("small") * 10)).expect("accepted");
        } else {
            feeder.finish();
        }
    };
    let (in_event, in_buffer, in_completion) = (feeder.clone(), feeder.clone(), feeder.clone());
    let (n1, n2, n3) = (Arc::clone(&next), Arc::clone(&next), Arc::clone(&next));
    let (outer, outer_processor) = etweir::stream(Options::default())
        .on_event(move |event, _| {
            if event.hook_id().is_none() {
                add(&in_event, &n1);
            }
            GO_ON
        })
        .on_buffer(move |retiring| {
            if retiring.buffers_read() == 1 {
                in_buffer.add(retiring.bytes().to_vec()).expect("the header passes on");
            }
            add(&in_buffer, &n2);
            GO_ON
        })
        .on_complete((), move |_: Completed<Vec<u8>>, ()| add(&in_completion, &n3))
        .build();
    let running = thread::spawn(move || processor.run().expect("processed"));
    feed(&outer, 20);
    drop((outer, feeder));
    outer_processor.run().expect("processed");
    assert_eq!(running.join().expect("no panic").outcome, Outcome::Finished);
}

#[test]
fn c21_limits_that_end_before_they_start_are_refused() {
    let options = Options::default().start_time(FileTime(2)).end_time(FileTime(1));
    let (feeder, processor) = etweir::stream::<Vec<u8>>(options).on_event(|_, _| GO_ON).build();
    drop(feeder);
    let error = processor.run().expect_err("refused");
    assert_eq!(error, ProcessError::InvalidTime { start: FileTime(2), end: FileTime(1) });
    assert_eq!(error.code(), 1901);
}

#[test]
fn a_full_queue_gives_the_buffer_back_where_waiting_makes_no_room() {
    let (feeder, processor) =
        etweir::stream(Options::default()).on_event(|_, _| GO_ON).queued_buffers(2).build();
    feed(&feeder, 1);
    let refused = feeder.add(buffer(0, 100)).expect_err("nobody processes yet");
    assert_eq!((refused.code(), refused.reason()), (1816, Refusal::Full { queued: 2 }));
    assert_eq!(refused.into_buffer(), buffer(0, 100));
    // While the processor runs, `add` waits for room: a thousand buffers go through a queue of two.
    let running = thread::spawn(move || processor.run().expect("processed"));
    let started = feeder.clone();
    for number in 20..1020 {
        let mut next = buffer(0, number * 10);
        // Until the processor has begun, the answer is `Full` at once.
        while let Err(error) = started.add(next) {
            assert_eq!(error.code(), 1816);
            next = error.into_buffer();
            thread::yield_now();
        }
    }
    drop((feeder, started));
    assert_eq!(running.join().expect("no panic").stats.buffers_retired, 1002);
}

#[test]
fn a_handler_shares_its_state_between_callbacks() {
    #[derive(Default)]
    struct Count {
        events: u64,
        kept: Vec<Retained<Vec<u8>>>,
        buffers: u64,
    }
    struct Shared<'a>(&'a mut Count);
    impl Handler<Vec<u8>> for Shared<'_> {
        fn event(&mut self, _: &Event<'_>, delivery: &Delivery<'_, Vec<u8>>) -> ControlFlow<()> {
            self.0.events += 1;
            self.0.kept.push(delivery.retain());
            GO_ON
        }

        fn buffer(&mut self, _: &RetiringBuffer<'_, Vec<u8>>) -> ControlFlow<()> {
            self.0.buffers += 1;
            GO_ON
        }
    }
    let (sender, home) = home();
    let mut count = Count::default();
    let (feeder, processor) =
        etweir::stream(Options::default()).on_complete(sender, send_home).build_with(Shared(&mut count));
    feed(&feeder, 3);
    drop(feeder);
    processor.run().expect("processed");
    assert_eq!((count.events, count.buffers), (7, 4));
    assert_eq!(outcomes(&home), [], "all are retained");
    count.kept.clear();
    assert_eq!(outcomes(&home).len(), 4);
}

#[test]
fn run_waits_for_retained_events_if_asked_to() {
    let (kept, keeper) = channel();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(move |_, delivery: &Delivery<'_, Vec<u8>>| {
            kept.send(delivery.retain()).expect("kept");
            GO_ON
        })
        .wait_for_retained()
        .build();
    feed(&feeder, 3);
    drop(feeder);
    let running = thread::spawn(move || processor.run().expect("processed"));
    let retained: Vec<_> = keeper.iter().collect();
    assert_eq!(retained.len(), 7);
    assert!(!running.is_finished());
    drop(retained);
    assert_eq!(running.join().expect("no panic").outcome, Outcome::Finished);
}

#[test]
fn many_feeders_and_slow_holders_lose_and_double_nothing() {
    const FEEDERS: i64 = 4;
    const EACH: i64 = 250;
    let completed = Arc::new(AtomicU64::new(0));
    let (kept, keeper) = channel::<Retained<Vec<u8>>>();
    let holder = thread::spawn(move || keeper.iter().count());
    let (feeder, processor) = etweir::stream(Options::default().accept_disorder(true))
        .on_event(move |event, delivery| {
            if event.time_stamp().is_some_and(|stamp| stamp.get() % 7 == 0) {
                kept.send(delivery.retain()).expect("held");
            }
            GO_ON
        })
        .on_complete(Arc::clone(&completed), |_: Completed<Vec<u8>>, completed| {
            completed.fetch_add(1, Ordering::Relaxed);
        })
        .queued_buffers(8)
        .build();
    feeder.add(header(4)).expect("accepted");
    let start = Arc::new(Barrier::new(usize::try_from(FEEDERS).expect("small") + 1));
    let feeders: Vec<_> = (0..FEEDERS)
        .map(|processor| {
            let (feeder, start) = (feeder.clone(), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                for number in 1..=EACH {
                    let processor = u16::try_from(processor).expect("small");
                    let mut next = buffer(processor, number * 10);
                    while let Err(error) = feeder.add(next) {
                        next = error.into_buffer();
                        thread::yield_now();
                    }
                }
            })
        })
        .collect();
    drop(feeder);
    start.wait();
    let summary = processor.run().expect("processed");
    feeders.into_iter().for_each(|feeder| feeder.join().expect("no panic"));
    let buffers = u64::try_from(FEEDERS * EACH + 1).expect("small");
    assert_eq!(summary.stats.buffers_retired, buffers);
    assert_eq!(summary.stats.events_delivered, 2 * (buffers - 1) + 1);
    assert!(holder.join().expect("no panic") > 0);
    assert_eq!(completed.load(Ordering::Relaxed), buffers);
}

#[test]
fn feeders_see_what_was_counted() {
    let (feeder, processor) = etweir::stream(Options::default()).on_event(|_, _| GO_ON).build();
    assert_eq!(feeder.stats().buffers_retired, 0);
    feed(&feeder, 3);
    feeder.finish();
    processor.run().expect("processed");
    assert_eq!((feeder.stats().buffers_retired, feeder.stats().events_delivered), (4, 7));
}

#[test]
fn the_bytes_in_the_queue_are_bounded_but_for_a_single_buffer() {
    let (feeder, _processor) =
        etweir::stream(Options::default()).on_event(|_, _| GO_ON).queued_bytes(1500).build();
    feeder.add(header(1)).expect("one of any size");
    assert_eq!(feeder.try_add(buffer(0, 10)).expect_err("no room").reason(), Refusal::Full { queued: 1 });
}
