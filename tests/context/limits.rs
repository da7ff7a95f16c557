//! What is kept stays within its limits, whatever comes.

use etweir::context::{ContextSwitches, FileNames, Images, Processes, Stacks, Volumes};
use etweir::decode::Decoder;
use etweir::trace::SessionInfo;
use etweir::write::RecordSpec;
use etweir::{Limits, Ticks};

use crate::{each, images, payload, perf, processes, stacks, system, u32s, u64s};

fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

fn show(records: impl IntoIterator<Item = RecordSpec>, observe: impl FnMut(&etweir::trace::Event<'_>)) {
    let logged: Vec<_> = records.into_iter().map(|record| (0, record)).collect();
    each(&logged, SessionInfo::unknown(), observe);
}

fn process(hook: u16, time: i64, id: u32) -> RecordSpec {
    system(hook, 3, time, (1, 2), &processes::payload(id, 1, 0, &format!("{id}.exe"))).into()
}

#[test]
fn processes_that_ended_long_ago_make_room_and_those_that_live_stay() {
    let mut known = Processes::new(&limits(|limits| limits.context_entries = 100));
    let mut decoder = Decoder::new();
    let mut records = vec![process(0x0303, 0, 4)];
    for id in 100..1100 {
        records.extend([process(0x0301, id.into(), id), process(0x0302, i64::from(id) + 1, id)]);
    }
    show(records, |event| {
        known.observe(event, &mut decoder);
    });
    assert!(known.iter().count() <= 100);
    assert!(known.dropped() > 1800);
    assert_eq!(known.name(4, Ticks(5000)), Some("4.exe"));
    assert_eq!(known.name(1099, Ticks(1099)), Some("1099.exe"));
    assert_eq!(known.name(100, Ticks(100)), None);
}

#[test]
fn text_stays_within_its_limit() {
    let mut known = Processes::new(&limits(|limits| limits.context_text_bytes = 1000));
    let mut decoder = Decoder::new();
    show((100..200).map(|id| process(0x0301, 0, id)), |event| {
        known.observe(event, &mut decoder);
    });
    let named = known.iter().filter(|process| process.name().is_some()).count();
    assert!((2..20).contains(&named), "{named}");
    assert_eq!(known.iter().count(), 100, "what has no name is known all the same");
    assert!(known.dropped() > 0);
}

#[test]
fn text_that_nobody_has_any_more_makes_room() {
    let mut known = Processes::new(&limits(|limits| {
        limits.context_text_bytes = 4000;
        limits.context_entries = 10;
    }));
    let mut decoder = Decoder::new();
    let lives =
        (100..400).flat_map(|id| [process(0x0301, id.into(), id), process(0x0302, i64::from(id) + 1, id)]);
    show(lives, |event| {
        known.observe(event, &mut decoder);
    });
    assert_eq!(known.name(399, Ticks(399)), Some("399.exe"));
}

#[test]
fn images_files_switches_and_volumes_stay_within_their_limits() {
    let limits = limits(|limits| {
        limits.context_entries = 10;
        limits.context_volumes = 3;
    });
    let mut decoder = Decoder::new();
    let mut images = Images::new(&limits);
    let load =
        |base: u32| perf(0x030A, 2, 0, &images::payload(7, u64::from(base) << 16, 0x1000, "a.dll")).into();
    show((0..50).map(load), |event| {
        images.observe(event, &mut decoder);
    });
    assert_eq!((images.iter().count(), images.dropped()), (10, 40));

    let mut files = FileNames::new(&limits);
    let name = |key: u32| perf(0x0420, 2, 0, &payload!(u64s(&[key.into()]), [b'a', 0, 0, 0])).into();
    show((0..50).map(name), |event| {
        files.observe(event, &mut decoder);
    });
    assert_eq!((files.iter().count(), files.dropped()), (10, 40));

    let mut switches = ContextSwitches::new(&limits);
    let switch = |thread: u32| perf(0x0524, 2, thread.into(), &u32s(&[thread, 0])).into();
    show((0..50).map(switch), |event| {
        switches.observe(event);
    });
    assert_eq!(switches.dropped(), 40);
    assert_eq!((switches.thread_id(0, Ticks(39)), switches.thread_id(0, Ticks(49))), (None, Some(49)));

    // A processor that comes late takes from another.
    each(&[(9, switch(100))], SessionInfo::unknown(), |event| {
        switches.observe(event);
    });
    assert_eq!((switches.thread_id(9, Ticks(100)), switches.thread_id(0, Ticks(49))), (Some(100), Some(49)));
    assert_eq!((switches.dropped(), switches.thread_id(0, Ticks(40))), (41, None));

    let mut volumes = Volumes::new(&limits);
    for number in 0..10 {
        volumes.map(&format!("\\Device\\{number}\\"), "X:\\");
    }
    assert_eq!(volumes.iter().count(), 3);
}

#[test]
fn stacks_stay_within_their_limit_and_the_same_stack_is_kept_once() {
    let mut stacks = Stacks::new(&limits(|limits| limits.context_stack_bytes = 10_000));
    let deep: Vec<u64> = (0..100).collect();
    show((0..100).map(|time| stacks::walk(time, time, 70, &deep)), |event| {
        stacks.observe(event);
    });
    assert_eq!(stacks.dropped(), 0, "100 walks of one stack");
    let mut stacks = Stacks::new(&limits(|limits| limits.context_stack_bytes = 10_000));
    let other = |time: i64| stacks::walk(time, time, 70, &[&deep[..], &[time.unsigned_abs()]].concat());
    show((0..100).map(other), |event| {
        stacks.observe(event);
    });
    assert!((85..95).contains(&stacks.dropped()), "{}", stacks.dropped());
    show([stacks::sample(0, 70)], |event| assert!(stacks.stack(event).is_some()));
    show([stacks::sample(99, 70)], |event| assert!(stacks.stack(event).is_none()));
}
