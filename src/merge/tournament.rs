//! A tournament: which of `k` sources has the least key, found again in log2(k) comparisons when a source moves on.
//!
//! ```text
//!           [ winner ]             Leaves are the keys of the sources. Each inner node keeps the smaller key of the two
//!            /        \            below it. When a source has a new key, only the path from its leaf to the top is
//!      [ least ]    [ least ]      played again, each time against the neighbour, which lies inline beside it.
//!       /    \       /    \
//!     s0     s1    s2     s3
//! ```
//!
//! A loser tree keeps the larger key of each match instead, for which it has to write two selected keys a level where this
//! one writes one; and here the key of any source may change, not only that of the winner.
//!
//! On a busy trace the winner changes every other event, so a branch on each comparison would be mispredicted all the
//! time: the lesser one is found without.

use alloc::vec::Vec;

/// When something happened, and the order in which it arrived, which decides between equal times.
///
/// Compares as (time, arrival). 127 bits, which leaves one for the borrow of a difference: the time in the upper 64, below
/// it the arrival index, and room for the source.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key {
    high: u64,
    low: u64,
}

const SOURCE_BITS: u32 = 24;
const SOURCE_MASK: u64 = (1 << SOURCE_BITS) - 1;
const ARRIVAL_MASK: u64 = (1 << 39) - 1;
const SIGN: u64 = 1 << 63;

impl Key {
    /// Later than every other key: of a source that has nothing.
    pub(crate) const NONE: Self = Self { high: u64::MAX >> 1, low: u64::MAX };

    /// Arrival indices wrap after 2^39 buffers, which is 500 terabytes of the smallest ones.
    #[inline]
    pub(crate) const fn new(time: i64, arrival: u64) -> Self {
        // The order of signed numbers as that of unsigned ones.
        let time = time.cast_unsigned() ^ SIGN;
        Self { high: time >> 1, low: time << 63 | (arrival & ARRIVAL_MASK) << SOURCE_BITS }
    }

    /// The time that it was made with.
    #[inline]
    pub(crate) const fn time(self) -> i64 {
        ((self.high << 1 | self.low >> 63) ^ SIGN).cast_signed()
    }

    /// The key with a source in the low bits. Of [`Self::NONE`] all of them are set already.
    #[inline]
    fn of_source(self, source: usize) -> Self {
        Self { high: self.high, low: self.low | u64::try_from(source).unwrap_or(0) & SOURCE_MASK }
    }

    #[inline]
    fn source(self) -> usize {
        usize::try_from(self.low & SOURCE_MASK).unwrap_or(0)
    }

    /// The lesser one, without a branch.
    #[inline]
    fn least(self, other: Self) -> Self {
        // All ones if `self` is less, from the sign of the difference. Compilers make a branch of anything that looks like
        // a choice.
        let (_, borrow) = self.low.overflowing_sub(other.low);
        let difference = self.high.wrapping_sub(other.high).wrapping_sub(borrow.into());
        let mask = (difference.cast_signed() >> 63).cast_unsigned();
        Self {
            high: other.high ^ (self.high ^ other.high) & mask,
            low: other.low ^ (self.low ^ other.low) & mask,
        }
    }
}

/// The tree. Sources are numbered from 0.
#[derive(Debug)]
pub(crate) struct Tournament {
    winner: Key,
    /// The keys with their sources in the layout of a heap: the winner at 1, the sources in the second half. A power of two
    /// many, or none.
    nodes: Vec<Key>,
}

impl Tournament {
    /// A tree without sources.
    pub(crate) const fn new() -> Self {
        Self { winner: Key::NONE, nodes: Vec::new() }
    }

    /// The time of the least key and its source; `None` if no source has one.
    #[inline]
    pub(crate) fn winner(&self) -> Option<(i64, usize)> {
        // The low half alone tells, since no source has the number of all ones.
        (self.winner.low != Key::NONE.low).then(|| (self.winner.time(), self.winner.source()))
    }

    /// The source of the least key, or where no source has one, a number that none has.
    #[inline]
    pub(crate) fn first(&self) -> usize {
        self.winner.source()
    }

    /// Whether the least key comes before another one.
    pub(crate) fn precedes(&self, key: Key) -> bool {
        self.winner < key
    }

    /// Gives a source its next key.
    #[inline]
    pub(crate) fn set(&mut self, source: usize, key: Key) {
        let mut up = key.of_source(source);
        let mut at = source.wrapping_add(self.nodes.len() >> 1);
        match self.nodes.get_mut(at) {
            Some(leaf) => *leaf = up,
            None => return self.grow(source, key),
        }
        // Ends: the number halves.
        while at > 1 {
            let Some(&neighbour) = self.nodes.get(at ^ 1) else { break };
            up = up.least(neighbour);
            at >>= 1;
            let Some(node) = self.nodes.get_mut(at) else { break };
            *node = up;
        }
        self.winner = up;
    }

    /// Makes room for a source of a higher number.
    #[cold]
    fn grow(&mut self, source: usize, key: Key) {
        let sources = source.saturating_add(1).next_power_of_two();
        let old = self.nodes.get(self.nodes.len() >> 1..).unwrap_or_default().to_vec();
        self.nodes.clear();
        self.nodes.resize(sources.saturating_mul(2), Key::NONE);
        // The source in the low bits is the same as before.
        old.into_iter().enumerate().for_each(|(source, key)| self.set(source, key));
        if source < self.nodes.len() >> 1 {
            self.set(source, key);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BinaryHeap;
    use alloc::vec;
    use core::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_order_by_time_and_then_by_arrival() {
        let ordered = [
            Key::new(i64::MIN, 0),
            Key::new(-1, 5),
            Key::new(0, 0),
            Key::new(0, 1),
            Key::new(1, 0),
            Key::new(i64::MAX, 0),
            Key::NONE,
        ];
        assert!(ordered.is_sorted_by(|a, b| a < b));
        assert_eq!(Key::new(-7, 3).time(), -7);
    }

    #[test]
    fn an_empty_tree_has_no_winner() {
        assert_eq!(Tournament::new().winner(), None);
    }

    #[test]
    fn a_source_alone_wins_until_it_has_nothing() {
        let mut tree = Tournament::new();
        tree.set(0, Key::new(5, 0));
        assert_eq!(tree.winner(), Some((5, 0)));
        tree.set(0, Key::new(6, 0));
        assert_eq!(tree.winner(), Some((6, 0)));
        tree.set(0, Key::NONE);
        assert_eq!(tree.winner(), None);
    }

    /// The slow, plain way.
    fn by_heap(sources: &[Vec<i64>]) -> Vec<(i64, usize)> {
        let mut heap: BinaryHeap<_> = sources
            .iter()
            .enumerate()
            .filter_map(|(source, keys)| Some(Reverse((*keys.first()?, source, 0))))
            .collect();
        let mut merged = Vec::new();
        while let Some(Reverse((time, source, place))) = heap.pop() {
            merged.push((time, source));
            if let Some(next) = sources[source].get(place + 1) {
                heap.push(Reverse((*next, source, place + 1)));
            }
        }
        merged
    }

    proptest! {
        #[test]
        fn the_tree_merges_as_a_heap_does(
            mut sources in prop::collection::vec(prop::collection::vec(-20..20_i64, 0..30), 0..40),
        ) {
            sources.iter_mut().for_each(|keys| keys.sort_unstable());
            let mut tree = Tournament::new();
            let mut next = vec![0; sources.len()];
            let key = |source: usize, place: usize| {
                sources[source].get(place).map_or(Key::NONE, |time| Key::new(*time, source as u64))
            };
            for source in 0..sources.len() {
                tree.set(source, key(source, 0));
            }
            let mut merged = Vec::new();
            while let Some((time, source)) = tree.winner() {
                merged.push((time, source));
                next[source] += 1;
                tree.set(source, key(source, next[source]));
            }
            prop_assert_eq!(merged, by_heap(&sources));
        }
    }
}
