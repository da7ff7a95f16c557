//! Stacks in a stream.

use etweir::context::StackWindow;
use etweir::trace::SessionInfo;
use etweir::write::RecordSpec;
use etweir::{Limits, Ticks};

use crate::each;
use crate::stacks::{clr, key, sample, told, walk};

const K: u64 = 0xFFFF_F800_0000_0000;
const U: u64 = 0x7FF6_0000_0000;

type Out = Vec<(Ticks, Option<Vec<u64>>)>;

/// What comes out of the window while `records` go in, and after it was flushed.
fn through(mut window: StackWindow, records: &[RecordSpec]) -> (Out, Out) {
    let (mut early, mut late) = (Out::new(), Out::new());
    let logged: Vec<_> = records.iter().map(|record| (0, record.clone())).collect();
    let out =
        |out: &mut Out, event: &etweir::trace::Event<'_>, stack: Option<etweir::context::CallStack<'_>>| {
            let time = event.time_stamp().expect("a time stamp");
            out.push((time, stack.map(|stack| stack.addresses().collect())));
        };
    each(&logged, SessionInfo::unknown(), |event| {
        window.push(event, |event, stack| out(&mut early, event, stack))
    });
    window.flush(|event, stack| out(&mut late, event, stack));
    assert!(window.is_empty());
    (early, late)
}

#[test]
fn events_come_out_in_their_order_with_the_stacks_that_came_meanwhile() {
    let records =
        [sample(100, 70), walk(100, 105, 70, &[K + 1]), sample(110, 80), walk(100, 120, 70, &[U + 1])];
    let (early, late) = through(StackWindow::new(3, &Limits::default()), &records);
    assert_eq!(early, [(Ticks(100), Some(vec![K + 1, U + 1]))]);
    assert_eq!(late, [(Ticks(105), None), (Ticks(110), None), (Ticks(120), None)]);
}

#[test]
fn a_half_that_comes_too_late_is_lost() {
    let records =
        [sample(100, 70), walk(100, 105, 70, &[K + 1]), sample(110, 80), walk(100, 120, 70, &[U + 1])];
    let (early, _) = through(StackWindow::new(2, &Limits::default()), &records);
    assert_eq!(early, [(Ticks(100), Some(vec![K + 1])), (Ticks(105), None)]);
}

#[test]
fn no_event_is_held_longer_than_is_wanted() {
    let window = StackWindow::new(1000, &Limits::default()).no_longer_than(10);
    let (early, late) =
        through(window, &[sample(100, 70), sample(110, 70), sample(111, 70), sample(500, 70)]);
    assert_eq!(early.iter().map(|(time, _)| time.0).collect::<Vec<_>>(), [100, 110, 111]);
    assert_eq!(late.len(), 1);
}

#[test]
fn a_long_stream_joins_everywhere() {
    let mut records = Vec::new();
    for turn in 0..100_i64 {
        let time = turn * 100;
        let number = turn.unsigned_abs();
        records.extend([
            sample(time, 70),
            walk(time, time + 1, 70, &[K + number]),
            clr(10, time + 2, &[]),
            clr(82, time + 3, &[U + number]),
            sample(time + 4, 80),
            key(37, time + 4, time + 5, 80, 0xAA + number % 3),
            walk(time, time + 6, 70, &[U + number]),
        ]);
    }
    records.insert(0, told(34, -1, 0xAA, &[K + 1000]));
    records.insert(1, told(34, -1, 0xAB, &[K + 1001]));
    for most_events in [7, 8, 13, 100, 10_000] {
        let (mut out, late) = through(StackWindow::new(most_events, &Limits::default()), &records);
        out.extend(late);
        assert_eq!(out.len(), 702);
        for (turn, out) in out[2..].chunks(7).enumerate() {
            let number = u64::try_from(turn).expect("a small number");
            assert_eq!(out[0].1, Some(vec![K + number, U + number]), "{most_events} held, turn {turn}");
            assert_eq!(out[2].1, Some(vec![U + number]), "{most_events} held, turn {turn}");
            let known = [Some(vec![K + 1000]), Some(vec![K + 1001]), Some(vec![])];
            assert_eq!(out[4].1, known[turn % 3], "{most_events} held, turn {turn}");
        }
    }
}
