//! Stamps and flush times that no clock gave.

use core::cell::Cell;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicU32, Ordering};
use std::panic::catch_unwind;

use etweir::buffer::BufferType;

use super::*;

const FAR: i64 = 1 << 50;

#[test]
fn a_buffer_whose_stamps_all_lie_far_in_the_future_counts_as_its_flush_time() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[FAR, FAR + 2, FAR + 1]).to_bytes());
    add(&mut session, buffer(1, 210, &[105, 205]).to_bytes());
    let future = format!("e{FAR} e{} e{}", FAR + 2, FAR + 1);
    assert_eq!(run(&mut session, &log), words(&format!("e100 b0 c0 e105 {future} b1 c1")), "205 waits");
    add(&mut session, buffer(0, 300, &[220]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e205 b2 c2"), "220 waits for processor 1");
    add(&mut session, buffer(1, 310, &[215]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e215 e220 b3 c3 b4 c4"));
    assert_eq!(session.stats().events_late, 0);
    assert_eq!(session.stats().last_delivered, Some(Ticks(220)));
}

#[test]
fn stamps_far_in_the_future_do_not_open_the_window_for_others() {
    let (mut session, log) = session(Options::default().order(Order::Window(Duration::from_micros(5))));
    add(&mut session, header(log_file(3)));
    add(&mut session, buffer(0, 200, &[FAR]).to_bytes());
    add(&mut session, buffer(1, 220, &[180, 215]).to_bytes());
    // 220 less a window of 50 ticks.
    assert_eq!(run(&mut session, &log), words("e100 b0 c0"));
    add(&mut session, buffer(1, 300, &[290]).to_bytes());
    assert_eq!(run(&mut session, &log), words(&format!("e180 e{FAR} b1 c1 e215 b2 c2")));
}

#[test]
fn stamps_of_a_relogged_buffer_that_lie_after_the_relogging_move_no_horizon() {
    let relogged = LogFileSpec { log_file_mode: LogFileMode::RELOG, ..log_file(2) };
    // 500 ticks of the events after the start.
    let flushed = 132_000_000_000_000_500;
    let (mut session, log) = session(Options::default());
    add(&mut session, header(relogged));
    add(&mut session, buffer(0, flushed, &[110, 190, FAR]).to_bytes());
    add(&mut session, buffer(1, flushed, &[105, 400]).to_bytes());
    assert_eq!(
        run(&mut session, &log),
        words(&format!("e100 b0 c0 e105 e110 e190 e{FAR} b1 c1")),
        "400 waits for processor 0"
    );
}

#[test]
fn a_flush_time_of_another_clock_in_a_source_that_does_not_say_so_is_no_horizon() {
    let flushed = 132_000_000_000_000_500;
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, flushed, &[110, 190]).to_bytes());
    add(&mut session, buffer(1, flushed, &[105, 400]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e105 e110 e190 b1 c1"));
}

#[test]
fn disorder_that_is_accepted_undoes_a_flush_time_far_in_the_future() {
    let (mut session, log) = session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, FAR, &[110, 190]).to_bytes());
    add(&mut session, buffer(1, 210, &[105, 205]).to_bytes());
    // Of processor 0 is there what its stamps prove, and not what its flush time says.
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e105 e110 e190 b1 c1"));
    add(&mut session, buffer(1, 310, &[290, 305]).to_bytes());
    assert_eq!(run(&mut session, &log), words(""), "processor 0 is waited for again");
    add(&mut session, buffer(0, 320, &[220, 300]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e205 b2 c2 e220 e290 e300 e305 b3 c3 b4 c4"));
    let stats = session.stats();
    assert_eq!((stats.buffers_in_disorder, stats.events_late), (1, 0));
}

#[test]
fn disorder_that_is_accepted_closes_the_window_again() {
    let options = Options::default().accept_disorder(true).order(Order::Window(Duration::from_micros(5)));
    let (mut session, log) = session(options);
    add(&mut session, header(log_file(3)));
    add(&mut session, buffer(0, FAR, &[110]).to_bytes());
    add(&mut session, buffer(1, 210, &[105, 205]).to_bytes());
    assert_eq!(
        run(&mut session, &log),
        words("e100 b0 c0 e105 e110 b1 c1"),
        "205 is within the window of 50"
    );
    add(&mut session, buffer(2, 220, &[199]).to_bytes());
    session.finish();
    assert_eq!(run(&mut session, &log), words("e199 e205 b2 c2 b3 c3 end 0"));
}

#[test]
fn disorder_of_sound_buffers_costs_no_delay() {
    // The buffers of each processor are in order, as from one feeder for each.
    let (mut session, log) = session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 1000, &[900, 999]).to_bytes());
    add(&mut session, buffer(1, 500, &[100, 450]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e100 e450"));
    add(&mut session, buffer(1, 1100, &[1000]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e900 e999 b1 c1 b2 c2"), "processor 0 is known up to 999");
}

#[test]
fn a_flush_time_that_contradicts_its_stamps_and_its_predecessor_counts_as_the_predecessor() {
    let (mut session, log) = session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 300, &[210, 290]).to_bytes());
    add(&mut session, buffer(1, 150, &[220, 280, FAR]).to_bytes());
    // What is known of processor 1 are its stamps up to 300.
    assert_eq!(run(&mut session, &log), words(&format!("e100 b0 c0 e210 e220 e280 e{FAR}")));
    add(&mut session, buffer(1, 400, &[350]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e290 b1 c1 b2 c2"));
    assert_eq!((session.stats().buffers_in_disorder, session.stats().events_late), (1, 0));
}

#[test]
fn without_leave_for_disorder_the_refusal_tells_what_was_expected_and_what_came() {
    let (mut session, _) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, FAR, &[110]).to_bytes());
    for flush in [200, 300] {
        let refused =
            session.add(buffer(0, flush, &[flush - 1]).to_bytes()).expect_err("before the last one");
        assert_eq!(refused.reason(), Refusal::OutOfOrder { last: FAR, this: flush, tolerance: 0 });
        assert_eq!(
            refused.to_string(),
            format!(
                "the buffer was flushed at {flush}, before the last one at 1125899906842624 by more than the 0 ticks allowed"
            )
        );
    }
}

#[test]
fn buffer_types_that_nobody_knows_are_one_stream() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    for class in 0..100 {
        let flush = 200 + i64::from(class);
        add(&mut session, buffer(0, flush, &[flush - 1]).buffer_type(BufferType(1000 + class)).to_bytes());
    }
    let events = run(&mut session, &log).iter().filter(|word| word.starts_with('e')).count();
    assert_eq!(events, 101, "each follows the last, and nothing waits for another stream");
}

#[test]
fn events_of_a_buffer_that_changes_under_the_session_are_wrong_and_nothing_worse() {
    struct Shrinking(Vec<u8>, Cell<u32>);
    impl AsRef<[u8]> for Shrinking {
        fn as_ref(&self) -> &[u8] {
            self.1.set(self.1.get() + 1);
            if self.1.get() > 6 { &[] } else { &self.0 }
        }
    }
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    let mut session = Session::new(Options::default(), move |_: Completed<Shrinking>| {
        *counted.lock().expect("no panic") += 1;
    });
    for bytes in [header(log_file(1)), buffer(0, 200, &[110, 120, 130, 140, 150, 160]).to_bytes()] {
        assert!(session.add(Shrinking(bytes, Cell::new(0))).is_ok());
    }
    session.finish();
    let mut events = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, delivery) => events.push((delivery.buffer_id().0, event.time_stamp())),
            Step::Buffer(_) => {}
            Step::NeedInput { .. } => panic!("it goes on"),
            Step::End(outcome) => break assert_eq!(outcome, Outcome::Finished),
        }
    }
    assert!(events.contains(&(1, None)) && events.len() > 2, "{events:?}");
    assert_eq!(*count.lock().expect("no panic"), 2);
}

#[test]
fn c01_a_buffer_whose_own_code_panics_comes_home_all_the_same() {
    /// Panics when it is asked for its bytes for the time of this number.
    struct Panicking(Vec<u8>, Arc<AtomicU32>);
    impl AsRef<[u8]> for Panicking {
        fn as_ref(&self) -> &[u8] {
            let left = self.1.fetch_sub(1, Ordering::Relaxed);
            assert!(left != 1, "no bytes");
            &self.0
        }
    }
    for at in 1..12 {
        let calls = Arc::new(AtomicU32::new(u32::MAX));
        let home = Arc::new(Mutex::new(Vec::new()));
        let at_home = Arc::clone(&home);
        let mut session = Session::new(Options::default(), move |done: Completed<Panicking>| {
            at_home.lock().expect("no panic").push(done.id.0);
        });
        assert!(session.add(Panicking(header(log_file(1)), Arc::clone(&calls))).is_ok());
        calls.store(at, Ordering::Relaxed);
        let bytes = buffer(0, 200, &[110, 120]).to_bytes();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let added = session.add(Panicking(bytes, Arc::clone(&calls)));
            while matches!(session.advance(Duration::ZERO), Step::Event(..) | Step::Buffer(_)) {}
            assert!(added.is_ok());
        }))
        .is_err();
        let accepted = session.stats().buffers_received;
        drop(session);
        let mut home = home.lock().expect("no panic").clone();
        home.sort_unstable();
        assert_eq!(home, (0..accepted).collect::<Vec<_>>(), "panic at call {at}");
        assert!(panicked || at > 6, "panic at call {at}");
    }
}

#[test]
fn what_is_doubted_of_one_buffer_leaves_those_before_it_in_order() {
    let (mut session, log) = session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, FAR, &[110, 500]).to_bytes());
    add(&mut session, buffer(0, FAR + 1, &[150]).to_bytes());
    add(&mut session, buffer(1, 600, &[590]).to_bytes());
    add(&mut session, buffer(0, 700, &[200, 650]).to_bytes());
    session.finish();
    let events: Vec<_> = run(&mut session, &log).into_iter().filter(|word| word.starts_with('e')).collect();
    assert_eq!(events, words("e100 e110 e150 e200 e500 e590 e650 end 0"));
    assert_eq!(session.stats().events_late, 0);
}

#[test]
fn many_small_buffers_count_for_more_than_their_bytes() {
    let (mut session, log) = session(Options::default().max_held_bytes(100_000));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    // Behind that one, which waits for processor 1, come empty ones.
    for flush in 201..1000 {
        let mut empty = buffer(0, flush, &[]).to_bytes();
        empty.truncate(72);
        add(&mut session, empty);
        run(&mut session, &log);
        assert!(session.buffers_out() < 100_000 / 256, "{} are held", session.buffers_out());
    }
    assert!(session.stats().pressure_releases > 0);
}

#[test]
fn many_small_buffers_that_overlap_count_for_even_more() {
    let (mut session, log) = session(Options::default().max_held_bytes(100_000));
    add(&mut session, header(log_file(2)));
    for flush in 1001..1500 {
        // Each begins before the last one was flushed.
        let mut small = buffer(0, flush, &[flush - 500]).to_bytes();
        small.truncate(72 + 0x50);
        add(&mut session, small);
        run(&mut session, &log);
        assert!(session.buffers_out() < 100_000 / 1024, "{} are held", session.buffers_out());
    }
    assert!(session.stats().pressure_releases > 0);
}
