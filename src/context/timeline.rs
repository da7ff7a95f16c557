//! What was known of things at which time: the memory behind processes, threads, images, methods and names.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use crate::time::Ticks;

/// What an observation says about the life of its thing.
///
/// In this order at the same time: the end of one thing, then the beginning of the next under the same key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Mark {
    /// It ends here: `End`, `UnLoad`, `Delete`.
    End,
    /// It begins here: `Start`, `Load`, `Create`.
    Begin,
    /// It is there, for nobody knows how long: `DCStart`, `DCEnd`, rundown.
    Alive,
}

/// Observations by key and time, in whatever order they come.
///
/// Keys are used again: what is found for a time is the thing that had the key then. A thing that is first seen alive, or at
/// its end, was there before, back to the end of what had the key earlier, or to the beginning: so the rundown at the end of
/// a trace names what was there at its start.
///
/// Each call costs the logarithm of the number of observations, whatever their order. An observation that says nothing new
/// is not kept. When there are as many as may be, what has ended goes, the earlier half of it; while nothing has ended, no
/// more is taken.
#[derive(Clone, Debug)]
pub(super) struct Timeline<K, V> {
    entries: BTreeMap<Place<K>, V>,
    most: usize,
    /// Observations that were not taken, or given up.
    dropped: u64,
    /// So many observations until the next search for what has ended: a search looks at everything.
    patience: usize,
}

type Place<K> = (K, Ticks, Mark);

/// What had a key at a time.
#[derive(Debug)]
pub(super) struct At<'a, V> {
    /// What was said of it, nearest to the time.
    pub(super) value: &'a V,
    /// When that was said.
    pub(super) observed: Ticks,
    /// It ended before the time, and nothing that has the key since is known.
    pub(super) ended: bool,
}

/// How long a thing was there, as far as that was seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Span {
    pub(super) begin: Option<Ticks>,
    pub(super) end: Option<Ticks>,
}

/// Of one thing, at most so many observations are looked at: no true story has more than a handful that differ.
const MOST_STEPS: usize = 64;

impl<K: Copy + Ord, V: PartialEq> Timeline<K, V> {
    pub(super) const fn new(most: usize) -> Self {
        Self { entries: BTreeMap::new(), most, dropped: 0, patience: 0 }
    }

    /// An empty one within the same limit.
    pub(super) const fn like(&self) -> Self {
        Self::new(self.most)
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// All observations by key, then time.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, Ticks, Mark, &V)> {
        self.entries.iter().map(|(&(key, time, mark), value)| (key, time, mark, value))
    }

    /// All things in the order of keys and times, each with the time of its first observation.
    pub(super) fn things(&self) -> impl Iterator<Item = (K, Ticks)> {
        let mut previous = None;
        self.iter().filter_map(move |(key, time, mark, _)| {
            // A thing goes on until it ends or another begins.
            let goes_on = mark != Mark::Begin
                && previous.is_some_and(|(of, last): (K, Mark)| of == key && last != Mark::End);
            previous = Some((key, mark));
            (!goes_on).then_some((key, time))
        })
    }

    /// Takes an observation. `false` if there is no room for it.
    pub(super) fn insert(&mut self, key: K, time: Ticks, mark: Mark, value: V) -> bool {
        if mark == Mark::Alive && self.says_already(key, time, &value) {
            return true;
        }
        let place = (key, time, mark);
        let alive = (key, time, Mark::Alive);
        if mark == Mark::End && self.entries.get(&alive) == Some(&value) {
            // In front of the end, not behind it.
            self.entries.remove(&alive);
        }
        if self.entries.len() >= self.most && !self.entries.contains_key(&place) && !self.make_room() {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.entries.insert(place, value);
        self.patience = self.patience.saturating_sub(1);
        true
    }

    /// Whether anything is kept of a key.
    pub(super) fn has(&self, key: K) -> bool {
        self.entries.range(first(key)..).next().is_some_and(|(&(of, ..), _)| of == key)
    }

    /// What was said at exactly this time.
    pub(super) fn exactly(&mut self, key: K, time: Ticks, mark: Mark) -> Option<&mut V> {
        self.entries.get_mut(&(key, time, mark))
    }

    /// Whether it is said already that the key has this value at this time.
    fn says_already(&self, key: K, time: Ticks, value: &V) -> bool {
        match self.before(key, time) {
            // In the tick of its end it is that thing yet.
            Some((at, Mark::End, known)) => at == time && known == value,
            Some((_, _, known)) => known == value,
            None => {
                let next = self.after(key, time);
                next.is_some_and(|(_, mark, known)| mark != Mark::Begin && known == value)
            }
        }
    }

    /// What had this key at this time.
    pub(super) fn at(&self, key: K, time: Ticks) -> Option<At<'_, V>> {
        let found = |(observed, _, value), ended| At { value, observed, ended };
        // What does not begin later is there already.
        let next = || self.after(key, time).filter(|&(_, mark, _)| mark != Mark::Begin);
        match self.before(key, time) {
            None => next().map(|next| found(next, false)),
            // At its last moment it is still there.
            Some(last @ (at, Mark::End, _)) if at < time => {
                Some(next().map_or_else(|| found(last, true), |next| found(next, false)))
            }
            Some(last) => Some(found(last, false)),
        }
    }

    /// From when to when the thing was there that was observed at `observed`.
    pub(super) fn span(&self, key: K, observed: Ticks) -> Span {
        self.life(key, observed).0
    }

    /// What was said of the thing that was observed at `observed`, in the order of time.
    pub(super) fn story(&self, key: K, observed: Ticks) -> impl Iterator<Item = &V> {
        self.entries.range(self.life(key, observed).1).take(MOST_STEPS).map(|(_, value)| value)
    }

    /// The span of a thing, and between which places its observations lie.
    fn life(&self, key: K, observed: Ticks) -> (Span, RangeInclusive<Place<K>>) {
        let mut span = Span::default();
        let (mut start, mut stop) = (first(key), last(key));
        let earlier = self.entries.range(first(key)..=(key, observed, Mark::Alive)).rev().take(MOST_STEPS);
        for (steps, (&(_, time, mark), _)) in earlier.enumerate() {
            match mark {
                Mark::Alive => {}
                Mark::Begin => {
                    span.begin = Some(time);
                    start = (key, time, Mark::Begin);
                    break;
                }
                // What was observed may be the end itself. Any other is that of another thing.
                Mark::End if steps == 0 && time == observed => {
                    span.end = Some(time);
                    stop = (key, time, Mark::End);
                }
                Mark::End => {
                    start = (key, time, Mark::Begin);
                    break;
                }
            }
        }
        if span.end.is_none()
            && let Some(after) = observed.0.checked_add(1)
        {
            let later = self.entries.range((key, Ticks(after), Mark::End)..=last(key)).take(MOST_STEPS);
            for (&(_, time, mark), _) in later {
                if mark == Mark::Alive {
                    continue;
                }
                span.end = (mark == Mark::End).then_some(time);
                // An end at the time of the next beginning would have come first.
                stop = (key, time, Mark::End);
                break;
            }
        }
        // The first place is no later than what was observed, and the last no earlier.
        (span, start..=stop.max(start))
    }

    // A range with one end open is searched once; what it gives may be of another key.

    #[inline]
    fn before(&self, key: K, time: Ticks) -> Option<(Ticks, Mark, &V)> {
        let (&(of, time, mark), value) = self.entries.range(..=(key, time, Mark::Alive)).next_back()?;
        (of == key).then_some((time, mark, value))
    }

    #[inline]
    fn after(&self, key: K, time: Ticks) -> Option<(Ticks, Mark, &V)> {
        let after = Ticks(time.0.checked_add(1)?);
        let (&(of, time, mark), value) = self.entries.range((key, after, Mark::End)..).next()?;
        (of == key).then_some((time, mark, value))
    }

    /// Gives up the earlier half of what has ended; `false` if that is nothing.
    fn make_room(&mut self) -> bool {
        if let Some(patience) = self.patience.checked_sub(1) {
            self.patience = patience;
            return false;
        }
        // Looking at everything is paid for by as many observations as there are sixteenths.
        self.patience = self.most.checked_div(16).unwrap_or_default();
        let mut ends: Vec<(K, Ticks)> = Vec::new();
        ends.extend(
            self.iter().filter(|(_, _, mark, _)| *mark == Mark::End).map(|(key, time, ..)| (key, time)),
        );
        let mut times: Vec<Ticks> = ends.iter().map(|&(_, time)| time).collect();
        let Some(middle) = times.len().checked_sub(1).and_then(|last| last.checked_div(2)) else {
            return false;
        };
        let (_, &mut horizon, _) = times.select_nth_unstable(middle);
        ends.retain(|&(_, time)| time <= horizon);
        let before = self.entries.len();
        // Both are in the order of keys and times.
        let mut ends = ends.into_iter().peekable();
        self.entries.retain(|&(key, time, mark), _| {
            while ends.next_if(|&(of, end)| (of, end, Mark::End) < (key, time, mark)).is_some() {}
            // What lies in front of an end goes with it.
            ends.peek().is_none_or(|&(of, _)| of != key)
        });
        let gone = before.saturating_sub(self.entries.len());
        self.dropped = self.dropped.saturating_add(u64::try_from(gone).unwrap_or(u64::MAX));
        gone > 0
    }
}

const fn first<K>(key: K) -> Place<K> {
    (key, Ticks(i64::MIN), Mark::End)
}

const fn last<K>(key: K) -> Place<K> {
    (key, Ticks(i64::MAX), Mark::Alive)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    type Names = Timeline<u32, &'static str>;

    fn names(entries: &[(u32, i64, Mark, &'static str)]) -> Names {
        let mut names = Timeline::new(100);
        for &(key, time, mark, value) in entries {
            assert!(names.insert(key, Ticks(time), mark, value));
        }
        names
    }

    fn at(names: &Names, key: u32, time: i64) -> Option<(&'static str, bool)> {
        names.at(key, Ticks(time)).map(|at| (*at.value, at.ended))
    }

    #[test]
    fn a_key_stands_for_what_began_last() {
        let names = names(&[
            (7, 10, Mark::Begin, "first"),
            (7, 20, Mark::End, "first"),
            (7, 30, Mark::Begin, "second"),
            (8, 15, Mark::Begin, "other"),
        ]);
        assert_eq!(at(&names, 7, 9), None);
        assert_eq!(at(&names, 7, 10), Some(("first", false)));
        assert_eq!(at(&names, 7, 20), Some(("first", false)), "at its last moment");
        assert_eq!(at(&names, 7, 21), Some(("first", true)));
        assert_eq!(at(&names, 7, 29), Some(("first", true)));
        assert_eq!(at(&names, 7, 30), Some(("second", false)));
        assert_eq!(at(&names, 9, 30), None);
    }

    #[test]
    fn what_is_first_seen_alive_or_at_its_end_was_there_before() {
        let names = names(&[(7, 10, Mark::End, "first"), (7, 20, Mark::Alive, "second")]);
        assert_eq!(at(&names, 7, i64::MIN), Some(("first", false)));
        // Its beginning is lost, and lies somewhere behind the end of the first.
        assert_eq!(at(&names, 7, 11), Some(("second", false)));
        assert_eq!(at(&names, 7, i64::MAX), Some(("second", false)));
    }

    #[test]
    fn an_end_and_a_beginning_at_one_time_are_of_two_things() {
        let names = names(&[(7, 10, Mark::Begin, "second"), (7, 10, Mark::End, "first")]);
        assert_eq!(at(&names, 7, 9), Some(("first", false)));
        assert_eq!(at(&names, 7, 10), Some(("second", false)));
        assert_eq!(names.span(7, Ticks(10)), Span { begin: Some(Ticks(10)), end: None });
    }

    #[test]
    fn a_span_is_from_the_beginning_to_the_end_of_one_thing() {
        let names = names(&[
            (7, 10, Mark::End, "first"),
            (7, 20, Mark::Begin, "second"),
            (7, 25, Mark::Alive, "renamed"),
            (7, 30, Mark::End, "second"),
            (7, 40, Mark::Alive, "third"),
        ]);
        let span = |observed| names.span(7, Ticks(observed));
        assert_eq!(span(10), Span { begin: None, end: Some(Ticks(10)) });
        for observed in [20, 25, 30] {
            assert_eq!(span(observed), Span { begin: Some(Ticks(20)), end: Some(Ticks(30)) }, "{observed}");
        }
        assert_eq!(span(40), Span::default());
        let story = |observed| names.story(7, Ticks(observed)).copied().collect::<Vec<_>>();
        assert_eq!(story(10), ["first"]);
        assert_eq!(story(25), ["second", "renamed", "second"]);
        assert_eq!(story(40), ["third"]);
        let things: Vec<_> = names.things().map(|(_, time)| time.0).collect();
        assert_eq!(things, [10, 20, 40]);
    }

    #[test]
    fn what_is_seen_in_the_tick_of_its_end_ends() {
        for order in [[Mark::End, Mark::Alive], [Mark::Alive, Mark::End]] {
            let names = names(&order.map(|mark| (7, 10, mark, "first")));
            assert_eq!(
                (at(&names, 7, 10), at(&names, 7, 11)),
                (Some(("first", false)), Some(("first", true)))
            );
        }
    }

    #[test]
    fn what_is_said_already_is_not_kept() {
        let mut names = names(&[(7, 10, Mark::Begin, "a")]);
        for time in [10, 20, 1000] {
            assert!(names.insert(7, Ticks(time), Mark::Alive, "a"));
        }
        assert_eq!(names.len(), 1);
        names.insert(7, Ticks(30), Mark::Alive, "b");
        assert_eq!(names.len(), 2);
        assert_eq!(at(&names, 7, 29), Some(("a", false)));
        assert_eq!(at(&names, 7, 30), Some(("b", false)));
    }

    #[test]
    fn where_there_is_no_room_the_earlier_half_of_what_ended_goes() {
        let mut names = Timeline::new(8);
        names.insert(0, Ticks(0), Mark::Alive, "lives");
        for key in 1..=3 {
            names.insert(key, Ticks(i64::from(key)), Mark::Begin, "gone");
            names.insert(key, Ticks(10 * i64::from(key)), Mark::End, "gone");
        }
        assert_eq!((names.len(), names.dropped()), (7, 0));
        assert!(names.insert(8, Ticks(40), Mark::Begin, "new"));
        assert!(names.insert(9, Ticks(50), Mark::Begin, "new"));
        // Keys 1 and 2 ended first.
        assert_eq!((names.len(), names.dropped()), (5, 4));
        assert_eq!((at(&names, 0, 60), at(&names, 2, 60)), (Some(("lives", false)), None));
        assert_eq!(at(&names, 3, 60), Some(("gone", true)));
    }

    #[test]
    fn while_nothing_ended_no_more_is_taken() {
        let mut names = Timeline::new(4);
        for key in 0..4 {
            assert!(names.insert(key, Ticks(1), Mark::Begin, "lives"));
        }
        assert!(!names.insert(5, Ticks(1), Mark::Begin, "late"));
        assert_eq!((names.len(), names.dropped(), at(&names, 5, 1)), (4, 1, None));
        // What takes no room is taken.
        assert!(names.insert(3, Ticks(2), Mark::Alive, "lives"));
        assert!(names.insert(3, Ticks(1), Mark::Begin, "again"));
    }

    /// The lives of a key, one after the other: begin, end and what is observed between them.
    #[derive(Clone, Debug)]
    struct Lives(Vec<(i64, i64, Vec<i64>)>);

    fn lives() -> impl Strategy<Value = Lives> {
        // Of something that ends within the tick in which it began, the end is taken to be another's.
        let life = (0..5_i64, 1..5_i64, prop::collection::vec(0..5_i64, 0..3));
        prop::collection::vec(life, 1..5).prop_map(|lives| {
            let mut time = 0;
            let mut placed = Vec::new();
            for (gap, len, alive) in lives {
                let begin = time + gap;
                time = begin + len;
                placed.push((begin, time, alive.into_iter().map(|at| begin + at.min(len - 1)).collect()));
            }
            Lives(placed)
        })
    }

    proptest! {
        #[test]
        fn in_any_order_the_same_is_known(
            lives in lives(), first_begins: bool, last_ends: bool, same_value: bool, seed: Vec<prop::sample::Index>,
        ) {
            let Lives(lives) = lives;
            let value = |index: usize| if same_value { 0 } else { index };
            let mut entries = Vec::new();
            for (index, (begin, end, alive)) in lives.iter().enumerate() {
                if index > 0 || first_begins {
                    entries.push((*begin, Mark::Begin, value(index)));
                }
                if index + 1 < lives.len() || last_ends {
                    entries.push((*end, Mark::End, value(index)));
                }
                entries.extend(alive.iter().map(|&at| (at, Mark::Alive, value(index))));
            }
            for (index, at) in seed.iter().enumerate() {
                if !entries.is_empty() {
                    let (a, b) = (index % entries.len(), at.index(entries.len()));
                    entries.swap(a, b);
                }
            }
            let any = !entries.is_empty();
            let mut timeline = Timeline::new(1000);
            for (time, mark, value) in entries {
                timeline.insert(1, Ticks(time), mark, value);
            }
            for time in -1..60 {
                let found = timeline.at(1, Ticks(time)).map(|at| (*at.value, at.ended));
                let last = lives.iter().rposition(|&(begin, ..)| begin <= time);
                let expected = match last {
                    _ if !any => None,
                    None => (!first_begins && known(&lives, last_ends)).then_some((value(0), false)),
                    Some(0) if !first_begins && !known(&lives, last_ends) => None,
                    Some(index) => {
                        let ends = index + 1 < lives.len() || last_ends;
                        Some((value(index), ends && time > lives[index].1))
                    }
                };
                prop_assert_eq!(found, expected, "at {}", time);
            }
        }

        #[test]
        fn no_more_is_kept_than_may_be(
            entries in prop::collection::vec((0..20_u32, 0..30_i64, 0..3_u8), 0..200), most in 1..30_usize,
        ) {
            let mut timeline = Timeline::new(most);
            let mut taken = 0_u64;
            for (key, time, mark) in entries {
                let mark = [Mark::End, Mark::Begin, Mark::Alive][usize::from(mark)];
                taken += 1;
                timeline.insert(key, Ticks(time), mark, key);
                prop_assert!(timeline.len() <= most);
                if let Some(at) = timeline.at(key, Ticks(time)) {
                    prop_assert_eq!(*at.value, key);
                    prop_assert!(timeline.story(key, at.observed).count() > 0);
                }
            }
            prop_assert!(timeline.dropped() <= taken);
            let things = timeline.things().count();
            prop_assert!(things <= timeline.len());
        }
    }

    /// Whether anything was told of the first life when its beginning is left out.
    fn known(lives: &[(i64, i64, Vec<i64>)], last_ends: bool) -> bool {
        let (_, _, alive) = &lives[0];
        !alive.is_empty() || lives.len() > 1 || last_ends
    }

    #[test]
    fn a_long_story_ends() {
        let mut timeline = Timeline::new(1000);
        for time in 0..500 {
            timeline.insert(1, Ticks(time), Mark::Alive, vec![time]);
        }
        assert_eq!(timeline.story(1, Ticks(499)).count(), MOST_STEPS);
    }
}
