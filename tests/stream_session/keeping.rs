//! What is kept past its turn.

use etweir::stream::{RetainedBuffer, RetiringBuffer};

use super::*;

/// Keeps every buffer from its callback on, to the next wait or end.
fn keep_all(session: &mut Session<Vec<u8>>) -> Vec<RetainedBuffer<Vec<u8>>> {
    let mut kept = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(..) => {}
            Step::Buffer(buffer) => kept.push(buffer.retain()),
            Step::NeedInput { .. } | Step::End(_) => break kept,
        }
    }
}

#[test]
fn a_buffer_that_is_retained_in_its_callback_is_completed_by_its_last_holder() {
    let (mut session, log) = session(Options::default());
    let bytes = buffer(0, 200, &[110]).to_bytes();
    add(&mut session, header(log_file(1)));
    add(&mut session, bytes.clone());
    let mut kept = keep_all(&mut session);
    assert_eq!(session.buffers_out(), 2);
    let last = kept.pop().expect("two");
    let clone = last.clone();
    assert_eq!((last.bytes(), last.id().0), (&bytes[..], 1));
    drop(last);
    assert_eq!(*log.lock().expect("no panic"), words(""));
    drop(session);
    assert_eq!(*log.lock().expect("no panic"), words(""), "it outlives its session");
    std::thread::spawn(move || drop(clone)).join().expect("no panic");
    assert_eq!(*log.lock().expect("no panic"), words("c1"));
    drop(kept);
    assert_eq!(*log.lock().expect("no panic"), words("c1 c0"));
}

#[test]
fn a_buffer_that_passes_through_can_be_retained_as_well() {
    let log = Log::default();
    let completions = Arc::clone(&log);
    let mut session = Session::pass_through(Options::default(), move |done: Completed<Vec<u8>>| {
        assert_eq!(done.outcome, BufferOutcome::Passed);
        completions.lock().expect("no panic").push(format!("c{}", done.id));
    });
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    let kept = keep_all(&mut session);
    assert_eq!((kept.len(), session.buffers_out()), (2, 2));
    add(&mut session, buffer(0, 300, &[210]).to_bytes());
    assert_eq!(run(&mut session, &log), words("b2 c2"), "what is kept keeps no other buffer");
    drop(kept);
    assert_eq!(*log.lock().expect("no panic"), words("c0 c1"));
}

#[test]
fn the_buffer_of_a_retained_event_can_be_kept_without_the_event() {
    let (mut session, log) = session(Options::default());
    let bytes = header(log_file(1));
    add(&mut session, bytes.clone());
    let Step::Event(_, delivery) = session.advance(Duration::ZERO) else { panic!("no event") };
    let event = delivery.retain();
    let kept = event.buffer().clone();
    drop(event);
    assert_eq!(run(&mut session, &log), words("b0"));
    assert_eq!(kept.bytes(), bytes);
    drop(kept);
    assert_eq!(*log.lock().expect("no panic"), words("c0"));
}

#[test]
fn retained_buffers_and_panics_of_completions_are_counted_as_of_now() {
    let mut session = Session::new(Options::default(), |done: Completed<Vec<u8>>| {
        assert!(done.id.0 != 1, "this completion panics");
    });
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    let mut kept = keep_all(&mut session);
    let stats = session.stats();
    assert_eq!((stats.buffers_held, stats.buffers_retained, stats.completion_panics), (0, 2, 0));
    drop(kept.pop());
    let stats = session.stats();
    assert_eq!((stats.buffers_retained, stats.completion_panics), (1, 1));
    drop(kept);
    let stats = session.stats();
    assert_eq!((stats.buffers_retained, stats.completion_panics), (0, 1));
}

#[test]
fn a_buffer_that_is_retained_when_the_session_is_cancelled_is_delivered() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    let mut kept = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Buffer(buffer) => {
                kept.push(RetiringBuffer::retain(&buffer));
                buffer.cancel();
            }
            Step::End(outcome) => break assert_eq!(outcome, Outcome::Cancelled),
            _ => {}
        }
    }
    assert_eq!(*log.lock().expect("no panic"), words("a1"));
    drop(kept);
    assert_eq!(*log.lock().expect("no panic"), words("a1 c0"));
}
