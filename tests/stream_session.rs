//! The buffer-stream session, step by step. Numbers in the names are those of the conformance checklist.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::time::Duration;
use std::sync::{Arc, Mutex};

use etweir::buffer::{BufferFlags, BufferView};
use etweir::codec::Format;
use etweir::stream::{BufferOutcome, Completed, Options, Order, Outcome, Refusal, Retained, Session, Step};
use etweir::trace::{ClockType, LogFileMode};
use etweir::write::{BufferSpec, EventSpec, FileSpec, FullSpec, LogFileSpec, MessageSpec, PerfSpec, Width};
use etweir::{FileTime, Guid, Ticks};

#[path = "stream_session/beyond.rs"]
mod beyond;
#[path = "stream_session/hostile.rs"]
mod hostile;
#[path = "stream_session/keeping.rs"]
mod keeping;

/// What happened, in its order: `e105` an event of time 105, `b1` the callback of buffer 1, `c1` its completion, `a1` its
/// completion without delivery.
type Log = Arc<Mutex<Vec<String>>>;

fn session(options: Options) -> (Session<Vec<u8>>, Log) {
    let log = Log::default();
    let completions = Arc::clone(&log);
    let session = Session::new(options, move |done: Completed<Vec<u8>>| {
        let sign = if done.outcome == BufferOutcome::Abandoned { 'a' } else { 'c' };
        completions.lock().expect("no panic").push(format!("{sign}{}", done.id));
    });
    (session, log)
}

/// Runs until nothing more happens and returns what did.
fn run(session: &mut Session<Vec<u8>>, log: &Log) -> Vec<String> {
    run_at(session, log, Duration::ZERO)
}

fn run_at(session: &mut Session<Vec<u8>>, log: &Log, now: Duration) -> Vec<String> {
    loop {
        match session.advance(now) {
            Step::Event(event, _) => {
                let stamp = event.time_stamp().map_or_else(|| "-".to_owned(), |stamp| stamp.to_string());
                log.lock().expect("no panic").push(format!("e{stamp}"));
            }
            Step::Buffer(buffer) => log.lock().expect("no panic").push(format!("b{}", buffer.id())),
            Step::NeedInput { .. } => break,
            Step::End(outcome) => {
                let mut log = log.lock().expect("no panic");
                if log.last().is_none_or(|last| !last.starts_with("end")) {
                    log.push(format!("end {}", outcome.code()));
                }
                break;
            }
        }
    }
    core::mem::take(&mut *log.lock().expect("no panic"))
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if let Some(at) = words.iter().position(|word| word == "end") {
        let code = words.remove(at + 1);
        words[at] = format!("end {code}");
    }
    words
}

fn log_file(processors: u32) -> LogFileSpec {
    LogFileSpec {
        number_of_processors: processors,
        time_stamp: Ticks(100),
        perf_freq: 10_000_000,
        start_time: FileTime(132_000_000_000_000_000),
        ..LogFileSpec::default()
    }
}

fn header(log_file: LogFileSpec) -> Vec<u8> {
    FileSpec::new(log_file).header_buffer().to_bytes()
}

/// A buffer of `processor` that was flushed at `flush` and holds events of these times.
fn buffer(processor: u16, flush: i64, times: &[i64]) -> BufferSpec {
    let spec = BufferSpec::new(4096).processor(processor).time_stamp(flush).sequence_number(flush);
    times.iter().fold(spec, |spec, time| spec.event(&EventSpec { time_stamp: *time, ..EventSpec::default() }))
}

fn add(session: &mut Session<Vec<u8>>, bytes: Vec<u8>) {
    session.add(bytes).expect("accepted");
}

#[test]
fn c12a_the_worked_example_step_by_step() {
    let (mut session, log) = session(Options::default());
    for (bytes, steps) in [
        (header(log_file(2)), "e100 b0 c0"),
        (buffer(0, 200, &[110, 150, 190]).to_bytes(), ""),
        (buffer(1, 210, &[105, 120, 205]).to_bytes(), "e105 e110 e120 e150 e190 b1 c1"),
        (buffer(0, 300, &[220, 290]).to_bytes(), "e205 b2 c2"),
        (buffer(1, 305, &[230, 300]).to_bytes(), "e220 e230 e290 b3 c3 e300 b4 c4"),
    ] {
        add(&mut session, bytes);
        assert_eq!(run(&mut session, &log), words(steps));
    }
    session.finish();
    assert_eq!(run(&mut session, &log), words("end 0"));
    assert_eq!(session.stats().buffers_retired, 5);
}

#[test]
fn c12a_a_buffer_that_is_exhausted_first_retires_after_those_that_arrived_before() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110, 150, 190]).to_bytes());
    add(&mut session, buffer(1, 210, &[105, 120]).to_bytes());
    session.finish();
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e105 e110 e120 e150 e190 b1 c1 b2 c2 end 0"));
}

#[test]
fn c12a_a_silent_processor_is_waited_for_no_longer_than_the_window() {
    let (mut session, log) = session(Options::default().order(Order::Window(Duration::from_micros(10))));
    add(&mut session, header(log_file(2)));
    assert_eq!(run(&mut session, &log), words("e100 b0 c0"));
    add(&mut session, buffer(0, 200, &[110, 150, 190]).to_bytes());
    assert_eq!(run(&mut session, &log), words(""), "200 less a window of 100 ticks");
    add(&mut session, buffer(0, 300, &[220, 290]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e110 e150 e190 b1 c1"));
}

#[test]
fn c01_every_accepted_buffer_completes_exactly_once_however_it_ends() {
    // Finished, finished before the first step, cancelled, dropped.
    let fill = |session: &mut Session<Vec<u8>>| {
        add(session, header(log_file(2)));
        add(session, buffer(0, 200, &[110, 150]).to_bytes());
        add(session, buffer(1, 210, &[105]).to_bytes());
    };
    let (mut first, log) = session(Options::default());
    fill(&mut first);
    first.finish();
    assert_eq!(run(&mut first, &log), words("e100 b0 c0 e105 e110 e150 b1 c1 b2 c2 end 0"));
    drop(first);
    assert_eq!(*log.lock().expect("no panic"), words(""));

    let (mut second, log) = session(Options::default());
    fill(&mut second);
    second.cancel();
    assert_eq!(run(&mut second, &log), words("a0 a1 a2 end 1223"));

    let (mut third, log) = session(Options::default());
    fill(&mut third);
    drop(third);
    assert_eq!(*log.lock().expect("no panic"), words("a0 a1 a2"));
}

#[test]
fn a_buffer_whose_callback_ran_is_delivered_even_if_the_session_is_dropped_then() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    while !matches!(session.advance(Duration::ZERO), Step::Buffer(_)) {}
    drop(session);
    assert_eq!(*log.lock().expect("no panic"), words("c0 a1"));
}

#[test]
fn c02_a_refused_buffer_comes_back_and_never_completes() {
    let (mut session, log) = session(Options::default());
    let bytes = buffer(0, 200, &[110]).to_bytes();
    let error = session.add(bytes.clone()).expect_err("no header buffer yet");
    assert_eq!(error.code(), 13);
    assert_eq!(error.into_buffer(), bytes);
    session.finish();
    assert_eq!(run(&mut session, &log), words("end 0"));
}

#[test]
fn c04_the_header_event_is_the_first_event_and_its_buffer_the_first_buffer() {
    let (mut session, _) = session(Options::default());
    add(&mut session, header(log_file(2)));
    let Step::Event(event, _) = session.advance(Duration::ZERO) else { panic!("no event") };
    assert_eq!((event.hook_id(), event.opcode()), (Some(0), 0));
    assert_eq!(event.time(), Some(FileTime(132_000_000_000_000_000)));
    let Step::Buffer(buffer) = session.advance(Duration::ZERO) else { panic!("no buffer") };
    assert_eq!(buffer.buffers_read(), 1);
    assert_eq!(buffer.header().map(|header| header.number_of_processors), Some(2));
}

#[test]
fn c06_cancelling_in_a_buffer_callback_ends_it_there() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    add(&mut session, buffer(0, 300, &[210]).to_bytes());
    loop {
        match session.advance(Duration::ZERO) {
            Step::Buffer(buffer) if buffer.buffers_read() == 2 => buffer.cancel(),
            Step::End(outcome) => {
                assert_eq!(outcome, Outcome::Cancelled);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(*log.lock().expect("no panic"), words("c0 c1 a2"));
    assert_eq!(session.add(vec![0; 100]).expect_err("cancelled").code(), 1223);
}

#[test]
fn c09_nothing_is_taken_after_the_end() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    session.finish();
    assert_eq!(session.add(buffer(0, 200, &[110]).to_bytes()).expect_err("finished").code(), 6);
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 end 0"));
    assert_eq!(session.add(buffer(0, 200, &[110]).to_bytes()).expect_err("finished").code(), 6);
}

#[test]
fn c10_refusals_have_the_codes_of_windows_and_say_the_numbers() {
    let (mut session, _) = session(Options::default());
    assert_eq!(session.add(vec![]).expect_err("empty").code(), 87);
    assert_eq!(session.add(vec![0; 71]).expect_err("short").code(), 24);
    let refused = |session: &mut Session<Vec<u8>>, spec: BufferSpec, len: usize| {
        let mut bytes = spec.to_bytes();
        bytes.truncate(len);
        session.add(bytes).expect_err("refused")
    };
    assert_eq!(refused(&mut session, buffer(0, 1, &[1]).filled_bytes(71), 4096).code(), 24);
    assert_eq!(refused(&mut session, buffer(0, 1, &[1]).filled_bytes(4097), 4096).code(), 24);
    assert_eq!(refused(&mut session, buffer(0, 1, &[1]), 4096).code(), 13, "no header");
    add(&mut session, header(log_file(1)));
    assert_eq!(
        refused(&mut session, buffer(0, 1, &[1]).stored_size(100), 4096).code(),
        13,
        "less than filled"
    );
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    let error = refused(&mut session, buffer(0, 199, &[120]), 4096);
    assert_eq!(error.code(), 1901);
    assert_eq!(error.reason(), Refusal::OutOfOrder { last: 200, this: 199, tolerance: 0 });
    assert_eq!(
        error.to_string(),
        "the buffer was flushed at 199, before the last one at 200 by more than the 0 ticks allowed"
    );
}

#[test]
fn c10_disorder_within_the_tolerance_is_accepted_and_beyond_it_counted_if_asked_for() {
    let (mut session, _) = session(Options::default().flush_tolerance(Duration::from_micros(1)));
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    add(&mut session, buffer(0, 190, &[120]).to_bytes());
    assert_eq!(session.add(buffer(0, 189, &[120]).to_bytes()).expect_err("11 ticks").code(), 1901);
    let (mut session, _) = self::session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    add(&mut session, buffer(0, 100, &[90]).to_bytes());
    assert_eq!(session.stats().buffers_in_disorder, 1);
}

#[test]
fn c11_two_processors_in_the_order_of_flushing_leave_in_the_order_of_time() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    for round in 0..20 {
        let base = 1000 * (round + 1);
        add(&mut session, buffer(0, base + 500, &[base + 1, base + 30, base + 400]).to_bytes());
        add(&mut session, buffer(1, base + 600, &[base, base + 200, base + 599]).to_bytes());
    }
    session.finish();
    let times: Vec<i64> =
        run(&mut session, &log).iter().filter_map(|word| word.strip_prefix('e')?.parse().ok()).collect();
    assert_eq!(times.len(), 121);
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn c12_late_events_are_delivered_and_counted() {
    let (mut session, log) = session(Options::default().order(Order::LowLatency));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110, 190]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e110 e190 b1 c1"));
    add(&mut session, buffer(1, 210, &[105, 205]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e105 e205 b2 c2"));
    assert_eq!((session.stats().events_late, session.stats().most_late), (1, 85));
}

#[test]
fn c12_a_processor_that_flushes_only_at_the_end_is_exact_without_a_window() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    for flush in 2..=20 {
        add(&mut session, buffer(0, flush * 100, &[flush * 100 - 50]).to_bytes());
    }
    assert_eq!(run(&mut session, &log), words("e100 b0 c0"));
    add(&mut session, buffer(1, 2001, &[155, 1955]).to_bytes());
    session.finish();
    let events: Vec<i64> = run(&mut session, &log)
        .iter()
        .filter_map(|word| word.strip_prefix('e').and_then(|time| time.parse().ok()))
        .collect();
    assert!(events.is_sorted() && events.len() == 21, "{events:?}");
    assert_eq!(session.stats().events_late, 0);
}

#[test]
fn c13_equal_times_leave_in_the_order_of_arrival() {
    let (mut session, _) = session(Options::default());
    add(&mut session, header(log_file(3)));
    for (processor, id) in [(2, 1), (0, 2), (1, 3)] {
        let spec = [id, id + 10].iter().fold(buffer(processor, 200, &[]), |spec, id| {
            spec.event(&EventSpec { time_stamp: 150, id: *id, ..EventSpec::default() })
        });
        add(&mut session, spec.to_bytes());
    }
    session.finish();
    let mut ids = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, _) => ids.push(event.id()),
            Step::End(_) => break,
            _ => {}
        }
    }
    assert_eq!(ids, [0, 1, 11, 2, 12, 3, 13]);
}

#[test]
fn c14_what_one_session_hands_out_is_valid_input_for_the_next() {
    let (mut first, first_log) = session(Options::default());
    add(&mut first, header(log_file(2)));
    for (processor, flush, times) in
        [(0, 200, [110, 190]), (1, 210, [105, 205]), (1, 300, [230, 240]), (0, 310, [215, 305])]
    {
        add(&mut first, buffer(processor, flush, &times).to_bytes());
    }
    first.finish();
    let (mut second, second_log) = session(Options::default());
    loop {
        match first.advance(Duration::ZERO) {
            Step::Event(event, _) => {
                let stamp = event.time_stamp().expect("a stamp").get();
                first_log.lock().expect("no panic").push(format!("e{stamp}"));
            }
            Step::Buffer(buffer) => add(&mut second, buffer.bytes().to_vec()),
            Step::End(_) => break,
            _ => {}
        }
    }
    second.finish();
    let events = |log: Vec<String>| log.into_iter().filter(|word| word.starts_with('e')).collect::<Vec<_>>();
    let mut first_events = events(core::mem::take(&mut *first_log.lock().expect("no panic")));
    first_events.push("end 0".to_owned());
    assert_eq!(events(run(&mut second, &second_log)), first_events);
}

#[test]
fn c15_without_events_buffers_pass_in_the_order_of_arrival_and_none_is_held() {
    let log = Log::default();
    let completions = Arc::clone(&log);
    let mut session = Session::pass_through(Options::default(), move |done: Completed<Vec<u8>>| {
        assert_eq!(done.outcome, BufferOutcome::Passed);
        completions.lock().expect("no panic").push(format!("c{}", done.id));
    });
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    assert_eq!(run(&mut session, &log), words("b0 c0 b1 c1"));
    assert_eq!(session.stats().buffers_held, 0);
}

#[test]
fn c16_silence_releases_what_is_held_if_asked_for() {
    let second = Duration::from_secs(1);
    let (mut session, log) = session(Options::default().idle_release(3 * second));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110, 190]).to_bytes());
    assert_eq!(run_at(&mut session, &log, 10 * second), words("e100 b0 c0"));
    match session.advance(11 * second) {
        Step::NeedInput { until } => assert_eq!(until, Some(13 * second)),
        other => panic!("{other:?}"),
    }
    assert_eq!(run_at(&mut session, &log, 13 * second), words("e110 e190 b1 c1"));
    assert_eq!(session.stats().idle_releases, 1);
    // The next buffer is held again.
    add(&mut session, buffer(0, 300, &[210]).to_bytes());
    assert_eq!(run_at(&mut session, &log, 14 * second), words(""));
}

#[test]
fn c17_a_pool_of_one_buffer_more_than_may_be_held_never_deadlocks() {
    let max_held = 4;
    let (mut session, log) = session(Options::default().max_held_buffers(max_held));
    add(&mut session, header(log_file(2)));
    let mut out = Vec::new();
    for flush in 2..100 {
        // Processor 1 never speaks.
        add(&mut session, buffer(0, flush * 100, &[flush * 100 - 50]).to_bytes());
        out.extend(run(&mut session, &log));
        assert!(
            session.buffers_out() <= u64::try_from(max_held).expect("small"),
            "{}",
            session.buffers_out()
        );
    }
    assert!(session.stats().pressure_releases > 0);
    assert!(out.iter().filter(|word| word.starts_with('c')).count() > 90);
}

#[test]
fn c18_a_source_of_one_stream_keeps_the_order_of_writing() {
    let mode = LogFileMode(0x1000_0000);
    let (mut session, log) = session(Options::default());
    add(&mut session, header(LogFileSpec { log_file_mode: mode, ..log_file(1) }));
    assert_eq!(run(&mut session, &log), words("e100 b0 c0"));
    add(&mut session, buffer(0, 200, &[110, 190]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e110 e190 b1 c1"));
    add(&mut session, buffer(0, 300, &[195, 290]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e195 e290 b2 c2"));
}

#[test]
fn c19_stamps_of_every_clock_are_converted() {
    let start = 132_000_000_000_000_000;
    for (clock_type, perf_freq, cpu_speed_in_mhz, stamp, time) in [
        (ClockType::QPC, 10_000_000, 0, 150, Some(start + 50)),
        (ClockType::QPC, 3_000_000_000, 0, 100 + 3_000_000_000 * 86_400, Some(start + 864_000_000_000)),
        (ClockType::QPC, 0, 0, 150, None),
        (ClockType::SYSTEM_TIME, 0, 0, start, Some(start)),
        (ClockType::CPU_CYCLES, 1, 2000, 100 + 2000, Some(start + 10)),
        (ClockType::QPC, 1, 0, i64::MAX, None),
        (ClockType::QPC, i64::MAX, 0, i64::MAX, Some(start + 9_999_999)),
    ] {
        let (mut session, _) = session(Options::default());
        add(&mut session, header(LogFileSpec { clock_type, perf_freq, cpu_speed_in_mhz, ..log_file(1) }));
        add(&mut session, buffer(0, stamp, &[stamp]).to_bytes());
        session.finish();
        let mut times = Vec::new();
        while let Step::Event(..) | Step::Buffer(_) = {
            let step = session.advance(Duration::ZERO);
            if let Step::Event(event, _) = &step {
                times.push(event.time().map(FileTime::get));
            }
            step
        } {}
        let header_time = match (clock_type, perf_freq) {
            (ClockType::SYSTEM_TIME, _) => Some(100),
            (ClockType::QPC, 0) => None,
            _ => Some(start),
        };
        assert_eq!(times, [header_time, time], "{clock_type} at {perf_freq}, stamp {stamp}");
    }
}

#[test]
fn c20_flush_times_are_raw_and_stamps_untouched() {
    let (mut session, _) = session(Options::default());
    add(&mut session, header(LogFileSpec { clock_type: ClockType::SYSTEM_TIME, ..log_file(1) }));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    session.finish();
    let mut seen = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, _) => seen.push((event.time_stamp().map(|stamp| stamp.get()), event.time())),
            Step::Buffer(buffer) => {
                let view = BufferView::parse(buffer.bytes()).expect("a buffer");
                seen.push((Some(view.header().time_stamp().get()), None));
            }
            Step::End(_) => break,
            _ => {}
        }
    }
    assert_eq!(seen[2..], [(Some(110), Some(FileTime(110))), (Some(200), None)]);
}

#[test]
fn c21_time_limits_are_inclusive_and_spare_what_describes_the_trace() {
    let start = 132_000_000_000_000_000;
    let options = Options::default().start_time(FileTime(start + 10)).end_time(FileTime(start + 90));
    let (mut session, log) = session(options);
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[109, 110, 190, 191]).to_bytes());
    session.finish();
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e110 e190 b1 c1 end 0"));
    assert_eq!(session.stats().events_filtered, 2);
}

#[test]
fn c22_losses_show_from_flags_gaps_and_loss_events() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    let lost =
        Guid::from_parts(0x6A39_9AE0, 0x4BC6, 0x4DE9, [0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E]);
    let loss = FullSpec { guid: lost, opcode: 32, time_stamp: 110, ..FullSpec::default() };
    let flags = BufferFlags(BufferFlags::EVENTS_LOST.0 | BufferFlags::BUFFER_LOST.0);
    add(&mut session, buffer(0, 200, &[]).sequence_number(1).add_flags(flags).full(&loss).to_bytes());
    add(&mut session, buffer(0, 300, &[210]).sequence_number(5).to_bytes());
    add(&mut session, buffer(0, 400, &[310]).sequence_number(3).to_bytes());
    session.finish();
    run(&mut session, &log);
    let stats = session.stats();
    assert_eq!((stats.events_lost_flags, stats.buffers_lost_flags, stats.loss_events), (1, 1, 1));
    assert_eq!(stats.sequence_gaps, 2, "2, 3 and 4 were missed, and 3 came after all");
}

#[test]
fn c23_headers_of_both_widths_tell_the_same() {
    let headers = [Width::Bits32, Width::Bits64].map(|width| {
        let (mut session, _) = session(Options::default());
        add(&mut session, header(LogFileSpec { width, pointer_size: Some(8), ..log_file(2) }));
        session.header().cloned().expect("a header")
    });
    assert_eq!(headers[0], headers[1]);
}

#[test]
fn c24_a_buffer_of_any_bytes_behind_a_good_header_is_delivered_or_counted() {
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    let (mut session, log) = session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(1)));
    let mut accepted = 1;
    for round in 0..500_u32 {
        let mut bytes = buffer(0, 1000, &[500, 600]).to_bytes();
        let from = if round % 2 == 0 { 72 } else { 0 };
        bytes[from..].iter_mut().step_by(3).for_each(|byte| *byte = random());
        match session.add(bytes) {
            Ok(_) => accepted += 1,
            Err(error) => assert!([13, 24, 50, 1901].contains(&error.code()), "{error}"),
        }
        run(&mut session, &log);
    }
    session.finish();
    run(&mut session, &log);
    assert_eq!((session.stats().buffers_retired, session.buffers_out()), (accepted, 0));
    assert!(session.stats().damaged_records > 100);
}

#[test]
fn c25_c26_trimmed_and_unaligned_buffers_give_the_same_events() {
    /// A buffer at an odd address.
    struct Odd(Vec<u8>);
    impl AsRef<[u8]> for Odd {
        fn as_ref(&self) -> &[u8] {
            &self.0[1..]
        }
    }
    let events = |trim: bool| {
        let mut session = Session::new(Options::default(), |_: Completed<Odd>| {});
        for (bytes, filled) in
            [(header(log_file(1)), None), (buffer(0, 200, &[110, 120]).to_bytes(), Some(()))]
        {
            let filled = filled.filter(|()| trim).map_or(bytes.len(), |()| 72 + 2 * 0x50);
            assert!(session.add(Odd([&[0], &bytes[..filled]].concat())).is_ok());
        }
        session.finish();
        let mut events = Vec::new();
        loop {
            match session.advance(Duration::ZERO) {
                Step::Event(event, _) => events.push((event.time_stamp(), event.user_data().to_vec())),
                Step::End(_) => break events,
                _ => {}
            }
        }
    };
    assert_eq!(events(true), events(false));
    assert_eq!(events(true).len(), 3);
}

#[test]
fn compressed_buffers_are_expanded_by_the_session_and_come_back_as_they_were_added() {
    let file = FileSpec::new(LogFileSpec { buffer_size: 4096, ..log_file(1) })
        .compressed(Format::Xpress)
        .buffer(buffer(0, 200, &[110, 120]))
        .to_bytes();
    let split = u32::from_le_bytes(file[..4].try_into().expect("four bytes")) as usize;
    let back = Arc::new(Mutex::new(Vec::new()));
    let home = Arc::clone(&back);
    let mut session = Session::new(Options::default(), move |done: Completed<Vec<u8>>| {
        home.lock().expect("no panic").push(done.buffer)
    });
    add(&mut session, file[..split].to_vec());
    add(&mut session, file[split..].to_vec());
    session.finish();
    let mut stamps = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, _) => stamps.push(event.time_stamp().expect("a stamp").get()),
            Step::End(_) => break,
            _ => {}
        }
    }
    assert_eq!(stamps, [100, 110, 120]);
    assert_eq!(*back.lock().expect("no panic"), [&file[..split], &file[split..]]);
}

#[test]
fn a_retained_event_keeps_its_buffer_out_past_the_end_of_the_session() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110, 120]).to_bytes());
    session.finish();
    let mut kept: Vec<Retained<Vec<u8>>> = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, delivery) if event.time_stamp().is_some_and(|stamp| stamp.get() == 110) => {
                kept.push(delivery.retain());
                kept.push(delivery.retain().clone());
            }
            Step::End(_) => break,
            _ => {}
        }
    }
    assert_eq!(*log.lock().expect("no panic"), words("c0"));
    assert_eq!(session.buffers_out(), 1);
    drop(session);
    kept.pop();
    let last = kept.pop().expect("one");
    assert_eq!(last.event().and_then(|event| event.time_stamp()).map(|stamp| stamp.get()), Some(110));
    assert_eq!(last.id().0, 1);
    assert_eq!(*log.lock().expect("no panic"), words("c0"));
    std::thread::spawn(move || drop(last)).join().expect("no panic");
    assert_eq!(*log.lock().expect("no panic"), words("c0 c1"));
}

#[test]
fn a_panic_of_the_completion_closure_costs_no_other_buffer() {
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    let mut session = Session::new(Options::default(), move |done: Completed<Vec<u8>>| {
        *counted.lock().expect("no panic while it is held") += 1;
        assert!(done.id.0 != 0, "the first buffer is bad luck");
    });
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    session.finish();
    while !matches!(session.advance(Duration::ZERO), Step::End(_)) {}
    assert_eq!(*count.lock().expect("no panic"), 2);
    assert_eq!(session.stats().completion_panics, 1);
    assert!(session.take_completion_panic().is_some());
    assert!(session.take_completion_panic().is_none());
}

#[test]
fn a_relogged_source_is_merged_by_the_events_since_its_flush_times_are_no_horizon() {
    let relogged = LogFileSpec { log_file_mode: LogFileMode::RELOG, ..log_file(2) };
    let flushed = 132_000_000_500_000_000;
    let (mut session, log) = session(Options::default());
    add(&mut session, header(relogged));
    assert_eq!(run(&mut session, &log), words("e100 b0 c0"));
    add(&mut session, buffer(0, flushed, &[110, 150, 190]).to_bytes());
    add(&mut session, buffer(1, flushed, &[105, 120, 205]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e105 e110 e120 e150 e190 b1 c1"));
    session.finish();
    assert_eq!(run(&mut session, &log), words("e205 b2 c2 end 0"));
}

#[test]
fn a_relogged_buffer_without_stamps_moves_no_horizon() {
    let relogged = LogFileSpec { log_file_mode: LogFileMode::RELOG, ..log_file(2) };
    let flushed = 132_000_000_500_000_000;
    let (mut session, log) = session(Options::default());
    add(&mut session, header(relogged));
    add(&mut session, buffer(0, flushed, &[]).to_bytes());
    add(&mut session, buffer(1, flushed, &[110]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 b1 c1"), "110 waits for processor 0");
}

#[test]
fn overlapping_buffers_of_one_processor_are_merged_all_the_same() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 300, &[110, 250]).to_bytes());
    add(&mut session, buffer(0, 310, &[150, 305]).to_bytes());
    session.finish();
    assert_eq!(run(&mut session, &log)[3..], words("e110 e150 e250 b1 c1 e305 b2 c2 end 0"));
}

#[test]
fn a_stamp_far_in_the_future_does_not_stall_the_merge() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110, i64::MAX, 190]).to_bytes());
    add(&mut session, buffer(1, 210, &[105, 120]).to_bytes());
    let steps = run(&mut session, &log);
    assert_eq!(steps[3..], words(&format!("e105 e110 e120 e{} e190 b1 c1 b2 c2", i64::MAX)));
}

#[test]
fn a_first_stamp_far_in_the_future_does_not_move_the_horizon() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[i64::MAX, 190]).to_bytes());
    add(&mut session, buffer(1, 300, &[210, 290]).to_bytes());
    let steps = run(&mut session, &log);
    assert_eq!(steps[3..], words(&format!("e{} e190 b1 c1", i64::MAX)), "210 waits for processor 0");
}

#[test]
fn a_message_without_a_stamp_counts_as_the_first_event_with_one() {
    let (mut session, _) = session(Options::default());
    let message = |spec: BufferSpec| spec.message(&MessageSpec::bare());
    let stamped =
        |spec: BufferSpec, time_stamp| spec.event(&EventSpec { time_stamp, ..EventSpec::default() });
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[150]).to_bytes());
    add(&mut session, message(buffer(1, 200, &[])).to_bytes());
    add(&mut session, stamped(message(buffer(0, 300, &[])), 290).to_bytes());
    add(&mut session, buffer(1, 310, &[250]).to_bytes());
    session.finish();
    let mut events = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, delivery) => {
                events.push((delivery.buffer_id().0, event.time_stamp().map(Ticks::get)));
            }
            Step::End(_) => break,
            _ => {}
        }
    }
    let expected = [(0, Some(100)), (1, Some(150)), (2, None), (4, Some(250)), (3, None), (3, Some(290))];
    assert_eq!(events, expected, "a buffer without any stamp counts as its flush time");
}

#[test]
fn damage_inside_a_buffer_is_counted_and_the_buffer_retires() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    let spec = buffer(0, 200, &[110])
        .raw(&[0, 0, 0x63, 0xC0, 1, 2, 3, 4])
        .perf(&PerfSpec { time_stamp: 120, ..PerfSpec::default() });
    add(&mut session, spec.to_bytes());
    session.finish();
    assert_eq!(run(&mut session, &log)[3..], words("e110 e120 b1 c1 end 0"));
    assert_eq!((session.stats().damaged_records, session.stats().damaged_bytes), (1, 8));
}
