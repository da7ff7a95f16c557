//! Address ranges over time: which image or method lay at an address of a process.

use alloc::collections::BTreeMap;

use crate::context::timeline::{At, Mark, Timeline};
use crate::time::Ticks;

/// A process, and the first address of a range.
pub(super) type Base = (u32, u64);

/// Ranges of addresses by process, over time.
///
/// What lies at an address is looked for downwards from it, range by range, and no further than any range reaches. Ranges
/// that are there at one time do not overlap in true traces, so the search is short; in any other it ends after
/// [`MOST_STEPS`].
#[derive(Clone, Debug)]
pub(super) struct Ranges<V> {
    timeline: Timeline<Base, V>,
    /// Each base, and the last address of all ranges of the process that begin there or below.
    reach: BTreeMap<Base, u64>,
}

/// Something that takes addresses.
pub(super) trait Sized64 {
    /// Bytes.
    fn size(&self) -> u64;
}

/// What lay at an address.
#[derive(Debug)]
pub(super) struct Hit<'a, V> {
    pub(super) value: &'a V,
    pub(super) base: u64,
    pub(super) observed: Ticks,
}

const MOST_STEPS: usize = 64;

impl<V: PartialEq + Sized64> Ranges<V> {
    pub(super) const fn new(most: usize) -> Self {
        Self { timeline: Timeline::new(most), reach: BTreeMap::new() }
    }

    pub(super) const fn timeline(&self) -> &Timeline<Base, V> {
        &self.timeline
    }

    /// Takes an observation of a range. One without bytes is none.
    pub(super) fn insert(&mut self, base: Base, time: Ticks, mark: Mark, value: V) {
        let Some(last) = value.size().checked_sub(1).map(|size| base.1.saturating_add(size)) else { return };
        if !self.timeline.insert(base, time, mark, value) {
            return;
        }
        let (process, address) = base;
        let below = self.reach.range((process, 0)..=base).next_back().map_or(0, |(_, &reach)| reach);
        self.reach.insert(base, last.max(below));
        // Ranges above that this one reaches past: none, unless ranges overlap.
        let Some(above) = address.checked_add(1) else { return };
        let above = self.reach.range_mut((process, above)..=(process, u64::MAX));
        for (_, reach) in above.take_while(|(_, reach)| **reach < last).take(MOST_STEPS) {
            *reach = last;
        }
        self.prune();
    }

    /// Forgets bases of which the timeline has given up everything.
    fn prune(&mut self) {
        // Each base has an observation, so there are more bases only after the timeline has given up some.
        if self.reach.len() > self.timeline.len().saturating_mul(2).saturating_add(MOST_STEPS) {
            let timeline = &self.timeline;
            self.reach.retain(|&base, _| timeline.has(base));
        }
    }

    /// What lay at `address` of the process at this time. What was last told before `since` does not count: it is of an
    /// earlier process.
    pub(super) fn find(
        &self,
        process: u32,
        address: u64,
        time: Ticks,
        since: Option<Ticks>,
    ) -> Option<Hit<'_, V>> {
        let mut best: Option<Hit<'_, V>> = None;
        let below = self.reach.range(..=(process, address)).rev();
        let below = below.take_while(|&(&(of, _), &reach)| of == process && reach >= address);
        for (&(_, base), _) in below.take(MOST_STEPS) {
            let Some(At { value, observed, ended: false }) = self.timeline.at((process, base), time) else {
                continue;
            };
            let offset = address.saturating_sub(base);
            let stale = observed < time && since.is_some_and(|since| observed < since);
            if offset >= value.size() || stale {
                continue;
            }
            // Of several, something was not told to end: what was told last is true.
            if best.as_ref().is_none_or(|best| trust(best.observed, time) < trust(observed, time)) {
                best = Some(Hit { value, base, observed });
            }
        }
        best
    }
}

/// What was told before goes before what is told later, and in both what is nearer goes first.
fn trust(observed: Ticks, time: Ticks) -> (bool, i64) {
    if observed <= time { (true, observed.0) } else { (false, observed.0.saturating_neg()) }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    struct Range(u64, char);

    impl Sized64 for Range {
        fn size(&self) -> u64 {
            self.0
        }
    }

    type Entry = (u32, u64, i64, Mark, Range);

    fn ranges(entries: &[Entry]) -> Ranges<Range> {
        let mut ranges = Ranges::new(1000);
        for &(process, base, time, mark, range) in entries {
            ranges.insert((process, base), Ticks(time), mark, range);
        }
        ranges
    }

    fn find(ranges: &Ranges<Range>, process: u32, address: u64, time: i64) -> Option<char> {
        ranges.find(process, address, Ticks(time), None).map(|hit| hit.value.1)
    }

    #[test]
    fn a_range_has_its_first_and_its_last_address_and_no_more() {
        let ranges = ranges(&[
            (1, 0x1000, 0, Mark::Alive, Range(0x100, 'a')),
            (1, 0x1100, 0, Mark::Alive, Range(0x100, 'b')),
            (2, 0x1000, 0, Mark::Alive, Range(0x300, 'c')),
        ]);
        for (address, expected) in
            [(0xFFF, None), (0x1000, Some('a')), (0x10FF, Some('a')), (0x1100, Some('b')), (0x1200, None)]
        {
            assert_eq!(find(&ranges, 1, address, 5), expected, "{address:#x}");
        }
        assert_eq!(find(&ranges, 2, 0x1200, 5), Some('c'));
        assert_eq!(find(&ranges, 3, 0x1000, 5), None);
    }

    #[test]
    fn a_range_below_is_found_behind_smaller_ones_that_are_gone() {
        let ranges = ranges(&[
            (1, 0x1000, 0, Mark::Alive, Range(0x1000, 'a')),
            (1, 0x1800, -20, Mark::Begin, Range(0x100, 'b')),
            (1, 0x1800, -10, Mark::End, Range(0x100, 'b')),
            (1, 0x1900, -20, Mark::Begin, Range(0x10, 'c')),
            (1, 0x1900, -10, Mark::End, Range(0x10, 'c')),
        ]);
        assert_eq!(find(&ranges, 1, 0x1F00, 5), Some('a'));
        assert_eq!(find(&ranges, 1, 0x1850, 5), Some('a'));
        assert_eq!(find(&ranges, 1, 0x1850, -15), Some('b'), "told later than what lies there since");
    }

    #[test]
    fn what_an_earlier_process_had_does_not_count() {
        let ranges = ranges(&[(1, 0x1000, 10, Mark::Begin, Range(0x1000, 'a'))]);
        let found = |since| ranges.find(1, 0x1010, Ticks(30), Some(Ticks(since))).is_some();
        assert!(found(10));
        assert!(!found(20));
    }

    #[test]
    fn a_range_may_reach_the_end_of_all_addresses() {
        let ranges = ranges(&[(1, u64::MAX - 1, 0, Mark::Alive, Range(u64::MAX, 'a'))]);
        assert_eq!(find(&ranges, 1, u64::MAX, 0), Some('a'));
        assert_eq!(find(&ranges, 1, u64::MAX - 2, 0), None);
    }

    #[test]
    fn a_range_without_bytes_is_none() {
        assert_eq!(find(&ranges(&[(1, 0x1000, 0, Mark::Alive, Range(0, 'a'))]), 1, 0x1000, 0), None);
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let mark = prop::sample::select(&[Mark::End, Mark::Begin, Mark::Alive]);
        let range = (0..12_u64, prop::char::range('a', 'e')).prop_map(|(size, name)| Range(size, name));
        (0..2_u32, 0..20_u64, 0..10_i64, mark, range)
    }

    proptest! {
        #[test]
        fn the_search_finds_what_looking_at_everything_finds(
            entries in prop::collection::vec(entry(), 0..40), time in 0..10_i64, since in prop::option::of(0..10_i64),
        ) {
            let ranges = ranges(&entries);
            let mut bases: Vec<Base> = entries.iter().map(|&(process, base, ..)| (process, base)).collect();
            bases.sort_unstable();
            bases.dedup();
            for address in 0..40 {
                let mut best: Option<(Ticks, char)> = None;
                for &(_, base) in bases.iter().rev().filter(|base| base.0 == 1 && base.1 <= address) {
                    let Some(at) = ranges.timeline().at((1, base), Ticks(time)) else { continue };
                    let stale = since.is_some_and(|since| at.observed.0 < time && at.observed.0 < since);
                    if at.ended || stale || address - base >= at.value.0 {
                        continue;
                    }
                    let better = |observed: Ticks| match (observed.0 <= time, at.observed.0 <= time) {
                        (true, true) => at.observed > observed,
                        (false, false) => at.observed < observed,
                        (before, _) => !before,
                    };
                    if best.is_none_or(|(observed, _)| better(observed)) {
                        best = Some((at.observed, at.value.1));
                    }
                }
                let found = ranges.find(1, address, Ticks(time), since.map(Ticks)).map(|hit| hit.value.1);
                prop_assert_eq!(found, best.map(|(_, name)| name), "address {}", address);
            }
        }

        #[test]
        fn bases_are_forgotten_with_their_observations(
            entries in prop::collection::vec(entry(), 0..300), most in 1..20_usize,
        ) {
            let mut ranges = Ranges::new(most);
            for (process, base, time, mark, range) in entries {
                ranges.insert((process, base), Ticks(time), mark, range);
                prop_assert!(ranges.timeline().len() <= most);
                prop_assert!(ranges.reach.len() <= 2 * most + MOST_STEPS);
            }
        }
    }
}
