//! What the session offers beyond the checklist.

use super::*;

#[test]
fn an_adaptive_window_grows_with_the_delay_of_late_events() {
    let options =
        Options::default().order(Order::Window(Duration::from_micros(1))).adaptive(Duration::from_micros(50));
    let (mut session, log) = session(options);
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 1000, &[900]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e900 b1 c1"), "the window is 10 ticks");
    add(&mut session, buffer(1, 1010, &[500]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e500 b2 c2"));
    assert_eq!((session.stats().events_late, session.stats().most_late), (1, 400));
    // 1.25 times 400 ticks is 500, which is as much as 50 microseconds.
    add(&mut session, buffer(0, 2000, &[1501]).to_bytes());
    assert_eq!(run(&mut session, &log), words(""));
    add(&mut session, buffer(0, 2001, &[1999]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e1501 b3 c3"));
}

#[test]
fn no_more_buffers_are_out_than_may_be_retained_ones_included() {
    let (mut session, log) = session(Options::default().max_buffers_out(2));
    add(&mut session, header(log_file(1)));
    let Step::Event(_, delivery) = session.advance(Duration::ZERO) else { panic!("no event") };
    let kept = delivery.retain();
    assert_eq!(run(&mut session, &log), words("b0"));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    let refused = session.add(buffer(0, 300, &[210]).to_bytes()).expect_err("two are out");
    assert_eq!((refused.code(), refused.reason()), (1816, Refusal::Full { queued: 2 }));
    drop(kept);
    assert!(session.add(refused.into_buffer()).is_ok());
}

#[test]
fn an_owned_event_outlives_its_buffer() {
    let (mut session, _) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110]).to_bytes());
    session.finish();
    let mut owned = Vec::new();
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, _) => owned.push(event.to_owned_event()),
            Step::End(_) => break,
            _ => {}
        }
    }
    drop(session);
    let event = owned[1].event();
    assert_eq!(event.time_stamp(), Some(Ticks(110)));
    assert_eq!(event.record().offset().get(), 72);
    assert_eq!(event.time(), Some(FileTime(132_000_000_000_000_010)));
}

#[test]
fn the_queries_of_windows_are_answered_from_the_header_buffer() {
    use etweir::write::SystemSpec;
    let id = Guid::from_parts(1, 2, 3, [4; 8]);
    // Hook 0x0050: version, padding, type, offset, partition, parent. Hook 0x0052: count, padding, times.
    let partition =
        [&[1, 0, 0, 0, 4, 0, 0, 0][..], &(-5_i64).to_le_bytes(), &id.to_bytes(), &[0; 16]].concat();
    let dropped = [&[2, 0, 0, 0, 0, 0, 0, 0][..], &0_i64.to_le_bytes(), &77_i64.to_le_bytes()].concat();
    let bytes = FileSpec::new(log_file(2))
        .header_record(SystemSpec { hook_id: 0x0050, payload: partition, ..SystemSpec::default() })
        .header_record(PerfSpec { hook_id: 0x0052, version: 2, payload: dropped, ..PerfSpec::default() })
        .header_buffer()
        .to_bytes();
    let (mut session, _) = session(Options::default());
    assert!(session.info().partition_information().is_none() && session.header().is_none());
    add(&mut session, bytes);
    let partition = session.info().partition_information().expect("told");
    assert_eq!((partition.partition_type, partition.qpc_offset_from_root), (4, -5));
    assert_eq!((partition.partition_id, partition.parent_id), (id, Guid::ZERO));
    assert_eq!(session.info().last_dropped_times(), [Ticks(0), Ticks(77)]);
    assert_eq!(session.header().map(|header| header.time_stamp), Some(Ticks(100)));
}

#[test]
fn a_cancelled_session_takes_nothing_even_before_its_next_step() {
    let (mut session, _) = session(Options::default());
    add(&mut session, header(log_file(1)));
    let Step::Event(_, delivery) = session.advance(Duration::ZERO) else { panic!("no event") };
    delivery.cancel();
    assert_eq!(session.add(buffer(0, 200, &[110]).to_bytes()).expect_err("cancelled").code(), 1223);
}

#[test]
fn a_stamp_far_in_the_future_makes_nothing_late() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 200, &[110, i64::MAX]).to_bytes());
    add(&mut session, buffer(0, 300, &[210]).to_bytes());
    session.finish();
    run(&mut session, &log);
    assert_eq!(session.stats().events_late, 0);
}

#[test]
fn a_compression_format_that_nobody_knows_is_refused_by_its_number() {
    let file = FileSpec::new(LogFileSpec { buffer_size: 4096, ..log_file(1) })
        .compressed(Format::Xpress)
        .buffer(buffer(0, 200, &[110]))
        .to_bytes();
    let split = u32::from_le_bytes(file[..4].try_into().expect("four bytes")) as usize;
    let (mut session, _) = session(Options::default());
    let mut header = file[..split].to_vec();
    header[0x2C] = 9;
    add(&mut session, header);
    let refused = session.add(file[split..].to_vec()).expect_err("unknown");
    assert_eq!((refused.code(), refused.reason()), (50, Refusal::Format(9)));
    assert_eq!(refused.to_string(), "compression format 9 is not known");
}

#[test]
fn one_flush_time_far_in_the_future_does_not_make_all_that_follows_disorder() {
    let (mut session, _) = session(Options::default().accept_disorder(true));
    add(&mut session, header(log_file(1)));
    add(&mut session, buffer(0, 1 << 50, &[110]).to_bytes());
    for flush in [200, 300, 400] {
        add(&mut session, buffer(0, flush, &[flush - 1]).to_bytes());
    }
    assert_eq!(session.stats().buffers_in_disorder, 1);
}

#[test]
fn c12_a_slow_processor_whose_old_events_arrive_within_the_window_is_sorted() {
    let (mut session, log) = session(Options::default().order(Order::Window(Duration::from_micros(20))));
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 1000, &[700, 990]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 e700"), "1000 less a window of 200 ticks");
    add(&mut session, buffer(1, 1010, &[850, 1005]).to_bytes());
    session.finish();
    assert_eq!(run(&mut session, &log), words("e850 e990 b1 c1 e1005 b2 c2 end 0"));
    assert_eq!(session.stats().events_late, 0);
}

#[test]
fn c16_a_live_source_delivers_its_tail_after_as_long_a_silence_as_its_window() {
    let second = Duration::from_secs(1);
    let live = LogFileMode(0x0000_0100);
    for (options, log_file_mode, after) in [
        (Options::default(), live, Some(3)),
        (Options::default().live(true), LogFileMode(0), Some(3)),
        (Options::default().flush_timer(5 * second), live, Some(6)),
        (Options::default().order(Order::Window(2 * second)), live, Some(2)),
        (Options::default().idle_release(9 * second), live, Some(9)),
        (Options::default().idle_release(Duration::MAX), live, Some(u64::MAX)),
        (Options::default().order(Order::Exact), live, None),
        (Options::default(), LogFileMode(0), None),
    ] {
        let (mut session, log) = session(options);
        add(&mut session, header(LogFileSpec { log_file_mode, ..log_file(2) }));
        add(&mut session, buffer(0, 200, &[110, 190]).to_bytes());
        assert_eq!(run_at(&mut session, &log, 10 * second), words("e100 b0 c0"));
        let Step::NeedInput { until } = session.advance(10 * second) else { panic!("nothing is due") };
        match after {
            Some(u64::MAX) => assert_eq!(until, Some(Duration::MAX), "never"),
            Some(after) => {
                let until = until.expect("told");
                assert_eq!(until, Duration::from_secs(10 + after));
                assert_eq!(run_at(&mut session, &log, until), words("e110 e190 b1 c1"));
            }
            None => assert_eq!(until, None),
        }
    }
}

#[test]
fn c05_c09_a_bare_session_says_what_became_of_a_call_to_finish() {
    let (mut session, log) = session(Options::default().max_buffers_out(1));
    add(&mut session, header(log_file(1)));
    assert_eq!((session.finish().code(), session.finish().code()), (7007, 6));
    assert_eq!(session.add(vec![0; 100]).expect_err("finished, and full").code(), 6);
    assert_eq!(run(&mut session, &log), words("e100 b0 c0 end 0"));
}

#[test]
fn c17_a_session_that_is_relieved_lets_one_buffer_go() {
    let (mut session, log) = session(Options::default());
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110, 190]).to_bytes());
    add(&mut session, buffer(0, 300, &[210, 290]).to_bytes());
    assert_eq!(run(&mut session, &log), words("e100 b0 c0"));
    session.relieve();
    assert_eq!(run(&mut session, &log), words("e110 e190 b1 c1"), "the other one is held on");
    assert_eq!(session.stats().pressure_releases, 1);
    session.relieve();
    session.relieve();
    assert_eq!(run(&mut session, &log), words("e210 e290 b2 c2"));
    session.relieve();
    assert_eq!(session.stats().pressure_releases, 2, "nothing is held");
}

#[test]
fn c12_a_delivery_tells_by_how_much_its_event_is_late() {
    let (mut session, _) = session(Options::default().order(Order::LowLatency));
    let late = |session: &mut Session<Vec<u8>>| {
        let mut late = Vec::new();
        loop {
            match session.advance(Duration::ZERO) {
                Step::Event(_, delivery) => late.push(delivery.late_by()),
                Step::Buffer(_) => {}
                Step::NeedInput { .. } | Step::End(_) => break late,
            }
        }
    };
    add(&mut session, header(log_file(2)));
    add(&mut session, buffer(0, 200, &[110, 190, 180, 1 << 50]).to_bytes());
    assert_eq!(late(&mut session), [None, None, None, Some(10), None]);
    // What is far in the future counts as 200.
    add(&mut session, buffer(1, 210, &[105, 200, 205]).to_bytes());
    assert_eq!(late(&mut session), [Some(95), None, None]);
    add(&mut session, header(log_file(2)));
    assert_eq!(late(&mut session), [None], "a header that comes again is not late");
    assert_eq!((session.stats().events_late, session.stats().most_late), (2, 95));
}
