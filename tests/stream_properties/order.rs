//! The order of events, against the slow, plain way.

use super::*;

/// An event by the places that it has: buffer, and record in it.
type Place = (u64, u16);

/// The slow, plain way: all events, sorted by time as far as it may be believed, arrival and offset.
fn sorted(buffers: &[Built]) -> Vec<Place> {
    let mut keyed = Vec::new();
    for (id, built) in (1..).zip(buffers) {
        // No event is later than the flush of its buffer.
        let cap = built.flush;
        // What has no stamp counts as its predecessor, at the start of a buffer as the first that has one.
        let mut time = built.stamps.iter().copied().flatten().next().unwrap_or(cap).min(cap);
        for (place, stamp) in (0..).zip(&built.stamps) {
            time = time.max(stamp.unwrap_or(time).min(cap));
            keyed.push((time, id, place));
        }
    }
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, id, place)| (id, place)).collect()
}

fn build_all(all: &[Data]) -> Vec<Built> {
    let mut flush = 1000;
    (1..)
        .zip(all)
        .map(|(number, data)| {
            flush += data.later;
            data.build(number, flush)
        })
        .collect()
}

/// Runs to the next wait or end, and collects the events but for that of the header; `retired` gets each buffer.
fn collect(session: &mut Session<Vec<u8>>, places: &mut Vec<Place>, mut retired: impl FnMut(&[u8])) {
    loop {
        match session.advance(Duration::ZERO) {
            Step::Event(event, delivery) => {
                let id = delivery.buffer_id().0;
                if id > 0 {
                    let data = event.user_data();
                    places.push((id, u16::from_le_bytes([data[2], data[3]])));
                } else {
                    assert!(places.is_empty(), "the header comes first");
                }
            }
            Step::Buffer(buffer) => retired(buffer.bytes()),
            Step::NeedInput { .. } | Step::End(_) => return,
        }
    }
}

fn exact() -> Session<Vec<u8>> {
    let mut session = Session::new(Options::default().order(Order::Exact), |_| {});
    session.add(header()).expect("accepted");
    session
}

/// Stamps that the merge may rely on: sorted, and after the last flush of the processor.
fn well_formed(all: &[Data]) -> Vec<Built> {
    let mut flush = 1000;
    let mut last = [1000; PROCESSORS as usize + 1];
    let mut built = Vec::new();
    for (number, data) in (1..).zip(all) {
        flush += data.later;
        let since = flush - core::mem::replace(&mut last[usize::from(data.processor)], flush);
        let mut stamps: Vec<i64> = data
            .stamps
            .iter()
            .map(|stamp| match stamp {
                StampSpec::Before(ticks) | StampSpec::After(ticks) => (since - 1).max(0).min(*ticks),
                StampSpec::Farthest | StampSpec::None => 0,
            })
            .collect();
        stamps.sort_unstable_by(|a, b| b.cmp(a));
        let stamps = stamps.into_iter().map(StampSpec::Before).collect();
        built.push(Data { stamps, ..data.clone() }.build(number, flush));
    }
    built
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_session_that_accepts_disorder_keeps_the_order_of_sound_stamps_whatever_the_flush_times(
        all in vec((prop_oneof![8 => -400..600_i64, 1 => (1 << 40)..(1_i64 << 41)], vec(0..40_i64, 0..8), 0..=PROCESSORS), 0..24),
    ) {
        let mut flush = 1000;
        let buffers: Vec<Built> = (1..)
            .zip(all)
            .map(|(number, (later, before, processor))| {
                // One flush time in a while is false.
                let is_false = later > 1 << 39;
                flush += if is_false { 0 } else { later };
                let stamps = before.iter().map(|ticks| StampSpec::Before(ticks * 10 + if is_false { later } else { 0 }));
                let data = Data { processor, later: 0, stamps: stamps.collect(), form: Form::Plain };
                data.build(number, flush + if is_false { later } else { 0 })
            })
            .collect();
        let mut session = Session::new(Options::default().order(Order::Exact).accept_disorder(true), |_| {});
        session.add(header()).expect("accepted");
        for built in &buffers {
            session.add(built.bytes.clone()).expect("accepted");
        }
        session.finish();
        let mut places = Vec::new();
        collect(&mut session, &mut places, |_| {});
        prop_assert_eq!(places, sorted(&buffers));
    }

    #[test]
    fn an_exact_session_delivers_as_a_sort_of_everything_does(
        all in vec(data(intact_form(), 0..200), 0..24),
    ) {
        let buffers = build_all(&all);
        let mut session = exact();
        for built in &buffers {
            session.add(built.bytes.clone()).expect("accepted");
        }
        session.finish();
        let mut places = Vec::new();
        collect(&mut session, &mut places, |_| {});
        prop_assert_eq!(places, sorted(&buffers));
    }

    #[test]
    fn an_exact_session_of_sound_buffers_does_not_mind_when_it_is_advanced(
        all in vec((data(intact_form(), 1..200), any::<bool>()), 0..24),
    ) {
        let (all, advance): (Vec<_>, Vec<_>) = all.into_iter().unzip();
        let mut all = all;
        // A processor that the header does not announce may speak at any time.
        all.iter_mut().for_each(|data| data.processor %= PROCESSORS);
        let buffers = well_formed(&all);
        let mut session = exact();
        let mut places = Vec::new();
        for (built, advance) in buffers.iter().zip(advance) {
            session.add(built.bytes.clone()).expect("accepted");
            if advance {
                collect(&mut session, &mut places, |_| {});
            }
        }
        session.finish();
        collect(&mut session, &mut places, |_| {});
        prop_assert_eq!(session.stats().events_late, 0);
        prop_assert_eq!(places, sorted(&buffers));
    }

    #[test]
    fn a_session_that_is_fed_by_another_delivers_the_same(
        all in vec(data(any_form(), 0..200), 0..24),
        order in order(),
    ) {
        let chained = || {
            let mut session = Session::new(Options::default().order(order), |_| {});
            session.add(header()).expect("accepted");
            session
        };
        let read = |session: &mut Session<Vec<u8>>, mut next: Option<&mut Session<Vec<u8>>>| {
            session.finish();
            let mut log = Vec::new();
            loop {
                match session.advance(Duration::ZERO) {
                    Step::Event(event, delivery) => log.push((delivery.buffer_id(), place_of(&event))),
                    Step::Buffer(buffer) => {
                        if let Some(next) = &mut next {
                            next.add(buffer.bytes().to_vec()).expect("what one hands out, the next takes");
                        }
                    }
                    Step::NeedInput { .. } | Step::End(_) => return log,
                }
            }
        };
        let mut first = chained();
        for built in build_all(&all) {
            first.add(built.bytes).expect("accepted");
        }
        let mut second = Session::new(Options::default().order(order), |_| {});
        let from_first = read(&mut first, Some(&mut second));
        prop_assert_eq!(read(&mut second, None), from_first);
    }
}
