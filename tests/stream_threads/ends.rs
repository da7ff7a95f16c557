//! How sessions end, for those who feed them.

use core::time::Duration;
use std::sync::mpsc::RecvTimeoutError;

use etweir::stream::CloseOutcome;

use super::*;

/// Runs `work` on a thread and waits for it; what would wait for ever fails.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = channel();
    let worker = thread::spawn(move || _ = done.send(work()));
    match result.recv_timeout(Duration::from_secs(60)) {
        Ok(result) => {
            worker.join().expect("no panic");
            result
        }
        Err(RecvTimeoutError::Timeout) => panic!("it waits for ever"),
        Err(RecvTimeoutError::Disconnected) => {
            worker.join().expect("no panic");
            panic!("no result")
        }
    }
}

#[test]
fn c05_c09_finishing_says_pending_once_and_then_that_there_is_nothing_to_close() {
    let (feeder, processor) = etweir::stream(Options::default()).on_event(|_, _| GO_ON).build();
    feed(&feeder, 2);
    let second = feeder.clone();
    assert_eq!((feeder.finish(), feeder.finish().code()), (CloseOutcome::Pending, 6));
    assert_eq!(CloseOutcome::Pending.code(), 7007);
    let summary = processor.run().expect("processed");
    assert_eq!((summary.outcome.code(), summary.stats.events_delivered), (0, 5));
    assert_eq!(
        (second.finish(), second.add(buffer(0, 100)).expect_err("ended").code()),
        (CloseOutcome::Closed, 6)
    );
}

#[test]
fn c09_after_a_cancel_there_is_nothing_to_close_and_nothing_is_taken() {
    let (feeder, processor) =
        etweir::stream(Options::default()).on_event(|_, _| GO_ON).queued_buffers(1).build();
    feeder.add(header(1)).expect("accepted");
    feeder.cancel();
    assert_eq!(feeder.finish(), CloseOutcome::Closed);
    assert_eq!(feeder.add(buffer(0, 10)).expect_err("cancelled, and full").code(), 1223);
    assert_eq!(processor.run().expect("processed").outcome.code(), 1223);
    assert_eq!(feeder.add(buffer(0, 10)).expect_err("cancelled").code(), 1223);
}

#[test]
fn c09_a_processor_that_is_dropped_or_refused_closes_the_session() {
    let limits = Options::default().start_time(FileTime(2)).end_time(FileTime(1));
    let (feeder, processor) = etweir::stream(limits).on_event(|_, _| GO_ON).build();
    feed(&feeder, 1);
    assert_eq!(processor.run().expect_err("refused").code(), 1901);
    assert_eq!(feeder.add(buffer(0, 100)).expect_err("closed").code(), 6);
    assert_eq!(feeder.finish(), CloseOutcome::Closed);
}

#[test]
fn c05_closing_while_it_runs_delivers_what_is_queued_and_what_is_held_back() {
    let (started, start) = channel();
    let (go_on, wait) = channel();
    let (log, seen) = channel();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(move |event, _| {
            log.send(event.time_stamp().map(Ticks::get)).expect("logged");
            started.send(()).expect("told");
            wait.recv().expect("told");
            GO_ON
        })
        .build();
    feeder.add(header(2)).expect("accepted");
    let running = thread::spawn(move || processor.run().expect("processed"));
    start.recv().expect("told");
    // Processor 1 has not spoken, so this is held back; it never does.
    feeder.add(buffer(0, 100)).expect("accepted");
    feeder.add(buffer(0, 200)).expect("accepted");
    assert_eq!(feeder.finish().code(), 7007);
    for _ in 0..4 {
        go_on.send(()).expect("told");
        start.recv().expect("told");
    }
    go_on.send(()).expect("told");
    assert_eq!(running.join().expect("no panic").outcome.code(), 0);
    assert_eq!(seen.iter().collect::<Vec<_>>(), [0, 98, 99, 198, 199].map(Some));
}

#[test]
fn c08_finishing_and_cancelling_work_inside_every_callback() {
    for place in ['e', 'b', 'c'] {
        for cancel in [false, true] {
            let handle = Arc::new(std::sync::Mutex::new(None::<Feeder<Vec<u8>>>));
            let end = move |here, handle: &std::sync::Mutex<Option<Feeder<Vec<u8>>>>| {
                let Some(feeder) = handle.lock().expect("no panic").take_if(|_| here == place) else {
                    return;
                };
                if cancel {
                    feeder.cancel();
                } else {
                    assert_eq!(feeder.finish().code(), 7007);
                }
            };
            let (h1, h2) = (Arc::clone(&handle), Arc::clone(&handle));
            let mut events = 0;
            let (feeder, processor) = etweir::stream(Options::default())
                .on_event(|_, _| {
                    events += 1;
                    end('e', &h1);
                    GO_ON
                })
                .on_buffer(move |_| {
                    end('b', &h2);
                    GO_ON
                })
                .on_complete(Arc::clone(&handle), move |_: Done, handle| end('c', handle))
                .build();
            feed(&feeder, 3);
            *handle.lock().expect("no panic") = Some(feeder);
            let summary = processor.run().expect("processed");
            assert_eq!(summary.outcome, if cancel { Outcome::Cancelled } else { Outcome::Finished });
            assert_eq!(events, if cancel { 1 } else { 7 }, "{place}");
        }
    }
}

/// What ends a session while a feeder waits for room.
#[derive(Clone, Copy, Debug)]
enum End {
    Finish,
    Cancel,
    Break,
    CancelDelivery,
    Panic,
    PanicInCompletion,
}

#[test]
fn c01_every_end_wakes_a_feeder_that_waits_for_room() {
    for (end, code) in [
        (End::Finish, 6),
        (End::Cancel, 1223),
        (End::Break, 1223),
        (End::CancelDelivery, 1223),
        (End::Panic, 1223),
        // It goes on, and comes out at the end.
        (End::PanicInCompletion, 6),
    ] {
        let (refused, home) = in_time(move || feed_a_full_queue(end));
        assert_eq!(refused, code, "{end:?}");
        assert_eq!(home, (0..3).collect::<Vec<_>>(), "{end:?}");
    }
}

/// The code that a waiting feeder gets, and the buffers that came home.
fn feed_a_full_queue(end: End) -> (u32, Vec<u64>) {
    let (sender, home) = channel();
    let (started, start) = channel();
    let (let_go, gate) = channel::<()>();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(move |event, delivery| {
            if event.hook_id().is_some() {
                return GO_ON;
            }
            // The queue is full behind this event.
            started.send(()).unwrap_or_default();
            gate.recv().unwrap_or_default();
            match end {
                End::Break => ControlFlow::Break(()),
                End::Panic => panic!("the handler panics"),
                End::CancelDelivery => {
                    delivery.cancel();
                    GO_ON
                }
                _ => GO_ON,
            }
        })
        .on_complete(sender, move |done: Done, home| {
            home.send(done.id.0).expect("somebody waits at home");
            assert!(!matches!(end, End::PanicInCompletion), "the completion panics");
        })
        .queued_buffers(1)
        .build();
    let running = thread::spawn(move || catch_unwind(AssertUnwindSafe(|| processor.run())));
    let add = |mut next| {
        while let Err(error) = feeder.add(next) {
            assert_eq!(error.code(), 1816, "the processor has not begun");
            next = error.into_buffer();
            thread::yield_now();
        }
    };
    add(header(1));
    add(buffer(0, 10));
    start.recv().expect("started");
    feeder.add(buffer(0, 20)).expect("room for one");
    // Here a second feeder comes to wait, or soon will.
    let waiting = feeder.clone();
    let (waits, waited) = channel();
    let waiter = thread::spawn(move || {
        waits.send(()).expect("told");
        waiting.add(buffer(0, 30))
    });
    waited.recv().expect("told");
    match end {
        End::Finish | End::PanicInCompletion => _ = feeder.finish(),
        End::Cancel => feeder.cancel(),
        _ => {}
    }
    if matches!(end, End::Finish | End::PanicInCompletion) {
        // The feeder has its answer although the processor still stands.
        let refused = waiter.join().expect("no panic").expect_err("finished").code();
        drop(let_go);
        let result = running.join().expect("caught");
        assert_eq!(result.is_err(), matches!(end, End::PanicInCompletion));
        return (refused, home.try_iter().collect());
    }
    drop(let_go);
    let result = running.join().expect("caught");
    assert_eq!(result.is_err(), matches!(end, End::Panic));
    let refused = waiter.join().expect("no panic").expect_err("ended").code();
    let mut home: Vec<_> = home.try_iter().collect();
    home.sort_unstable();
    (refused, home)
}

#[test]
fn c01_a_retained_buffer_delays_no_end_and_comes_home_after_it() {
    let (sender, home) = home();
    let (kept, keeper) = channel();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|_, _| GO_ON)
        .on_buffer(move |buffer| {
            kept.send(buffer.retain()).expect("kept");
            GO_ON
        })
        .on_complete(sender, send_home)
        .build();
    feed(&feeder, 2);
    feeder.finish();
    let summary = processor.run().expect("processed");
    assert_eq!((summary.stats.buffers_retained, feeder.stats().buffers_retained), (3, 3));
    assert_eq!(outcomes(&home), []);
    drop(keeper);
    assert_eq!(feeder.stats().buffers_retained, 0);
    assert_eq!(outcomes(&home), (0..3).map(|id| (id, BufferOutcome::Delivered)).collect::<Vec<_>>());
}

#[test]
fn a_processor_may_be_built_moved_and_run_on_three_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let built = thread::spawn(|| {
        let (feeder, processor) =
            etweir::stream::<Vec<u8>>(Options::default()).on_event(|_, _| GO_ON).build();
        is_send((feeder, processor))
    });
    let (feeder, processor) = built.join().expect("no panic");
    feed(&feeder, 3);
    drop(feeder);
    let summary = thread::spawn(move || processor.run()).join().expect("no panic").expect("processed");
    assert_eq!(summary.stats.buffers_retired, 4);
}

#[test]
fn c01_many_feeders_and_a_panic_at_any_moment_lose_and_double_nothing() {
    for at in 0..30 {
        let (completed, accepted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (kept, keeper) = channel();
        let mut events = 0;
        let (feeder, processor) = etweir::stream(Options::default().accept_disorder(true))
            .on_event(move |_, delivery| {
                events += 1;
                if events % 5 == 0 {
                    kept.send(delivery.retain()).expect("kept");
                }
                match at % 3 {
                    0 => assert!(events <= at * 7, "the handler panics"),
                    1 if events > at * 7 => return ControlFlow::Break(()),
                    _ => {}
                }
                GO_ON
            })
            .on_complete(Arc::clone(&completed), |_: Done, completed| {
                completed.fetch_add(1, Ordering::Relaxed);
            })
            .queued_buffers(4)
            .build();
        feeder.add(header(4)).expect("accepted");
        accepted.fetch_add(1, Ordering::Relaxed);
        let feeders: Vec<_> = (0..4)
            .map(|processor| {
                let (feeder, accepted) = (feeder.clone(), Arc::clone(&accepted));
                thread::spawn(move || {
                    for number in 1..=50 {
                        let mut next = buffer(processor, number * 10);
                        loop {
                            match feeder.add(next) {
                                Ok(_) => {
                                    accepted.fetch_add(1, Ordering::Relaxed);
                                    break;
                                }
                                Err(error) if error.code() == 1816 => next = error.into_buffer(),
                                Err(error) => return assert_eq!(error.code(), 1223),
                            }
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        drop(feeder);
        let result = catch_unwind(AssertUnwindSafe(|| processor.run()));
        assert_eq!(result.is_err(), at % 3 == 0);
        feeders.into_iter().for_each(|feeder| feeder.join().expect("no panic"));
        let retained: Vec<Retained<Vec<u8>>> = keeper.try_iter().collect();
        let accepted = accepted.load(Ordering::Relaxed);
        let out = retained.iter().map(Retained::id).collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(completed.load(Ordering::Relaxed) + u64::try_from(out).expect("small"), accepted);
        drop(retained);
        assert_eq!(completed.load(Ordering::Relaxed), accepted);
    }
}
