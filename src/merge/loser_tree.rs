//! A loser tree: which of `k` sources has the least key, found again in log2(k) comparisons when that source moves on.
//!
//! ```text
//!              winner                 Leaves are the keys of the sources. Each inner node keeps the larger key (the
//!                |                    loser) of the two that met there; the smaller one goes up. When the winner's
//!             [ loser ]               source has a new key, only the path from its leaf to the top is played again,
//!            /         \              against keys that lie inline in the nodes.
//!      [ loser ]     [ loser ]
//!       /    \        /    \
//!     s0     s1     s2     s3
//! ```
//!
//! On a busy trace the winner changes every other event, so a branch on each comparison would be mispredicted all the
//! time: the two keys are exchanged without one.

use alloc::vec::Vec;
use core::hint::select_unpredictable;

/// When something happened, and the order in which it arrived, which decides between equal times.
///
/// Compares as (time, arrival).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Key(u128);

/// Bits of a key for the source, and above them for the arrival index.
const SOURCE_BITS: u32 = 24;
const ARRIVAL_BITS: u32 = 40;
const SOURCE_MASK: u128 = (1 << SOURCE_BITS) - 1;
const SIGN: u64 = 1 << 63;

impl Key {
    /// Later than every other key: of a source that has nothing.
    pub(crate) const NONE: Self = Self(u128::MAX);

    /// Arrival indices wrap after 2^40 buffers, which is a petabyte of the smallest ones.
    #[inline]
    pub(crate) fn new(time: i64, arrival: u64) -> Self {
        // The order of signed numbers as that of unsigned ones.
        let time = time.cast_unsigned() ^ SIGN;
        let arrival = u128::from(arrival) & ((1 << ARRIVAL_BITS) - 1);
        Self(u128::from(time) << 64 | arrival << SOURCE_BITS)
    }

    /// The time that it was made with.
    #[inline]
    pub(crate) fn time(self) -> i64 {
        let [_, _, _, _, _, _, _, _, a, b, c, d, e, f, g, h] = self.0.to_le_bytes();
        (u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ SIGN).cast_signed()
    }
}

/// A key with the number of its source in the low bits.
type Entry = u128;

/// The tree. Sources are numbered from 0.
#[derive(Debug)]
pub(crate) struct LoserTree {
    /// The winner at 0, losers from 1, in the layout of a heap; a power of two many.
    nodes: Vec<Entry>,
    /// The present key of each source, and nothing up to a power of two.
    leaves: Vec<Entry>,
    /// A leaf other than the winner's has changed.
    stale: bool,
}

impl LoserTree {
    /// A tree without sources.
    pub(crate) const fn new() -> Self {
        Self { nodes: Vec::new(), leaves: Vec::new(), stale: false }
    }

    /// Gives a source its key; [`Self::advance`] is for the one that wins. One that had none enters in few steps; another
    /// change, or a source that there is no leaf for yet, costs a rebuild of the tree before the next winner.
    pub(crate) fn set(&mut self, source: usize, key: Key) {
        if source >= self.leaves.len() {
            let len = source.saturating_add(1).next_power_of_two();
            self.leaves.resize(len, Entry::MAX);
            self.stale = true;
        }
        let Some(leaf) = self.leaves.get_mut(source) else { return };
        let new = entry(key, source);
        let old = core::mem::replace(leaf, new);
        if self.stale || old != Entry::MAX {
            self.stale = true;
        } else {
            self.enter(source, new);
        }
    }

    /// Plays the matches of a source that had nothing, from its leaf as far up as it changes anything.
    fn enter(&mut self, source: usize, new: Entry) {
        // What went up from below until now; `new` does instead.
        let mut old = Entry::MAX;
        let mut at = source.wrapping_add(self.nodes.len()) >> 1;
        // Ends: the number halves.
        while at > 0 {
            let here = self.nodes.get(at).copied().unwrap_or(Entry::MAX);
            if here == old {
                // It lost here, or nothing met nothing: what won is to be found above.
                let won = self.winner_of(at);
                let loser = new.max(won);
                if let Some(node) = self.nodes.get_mut(at) {
                    *node = loser;
                }
                if loser == new {
                    return;
                }
                old = won;
            }
            at >>= 1;
        }
        if let Some(top) = self.nodes.first_mut() {
            *top = new;
        }
    }

    /// What won at a node: it lies where it lost above, or at the top. Nothing if all leaves below have nothing.
    fn winner_of(&self, node: usize) -> Entry {
        let below = self.nodes.len().ilog2().saturating_sub(node.ilog2());
        let mut at = node;
        // Ends: the number halves.
        while at > 0 {
            at >>= 1;
            let entry = self.nodes.get(at).copied().unwrap_or(Entry::MAX);
            if entry != Entry::MAX && source_of(entry).wrapping_add(self.nodes.len()) >> below == node {
                return entry;
            }
        }
        Entry::MAX
    }

    /// The least key and its source; `None` if no source has one.
    #[inline]
    pub(crate) fn winner(&mut self) -> Option<(Key, usize)> {
        if self.stale {
            self.rebuild();
        }
        let winner = *self.nodes.first()?;
        // The low half tells, since no source has the number of all ones. The halves were stored apart a moment ago; a load
        // of both together would wait for the cache.
        (low_half(winner) != u64::MAX).then(|| (Key(winner & !SOURCE_MASK), source_of(winner)))
    }

    /// Gives the winner's source its next key.
    #[inline]
    pub(crate) fn advance(&mut self, key: Key) {
        let Some(&winner) = self.nodes.first() else { return };
        let source = source_of(winner);
        let mut up = entry(key, source);
        if let Some(leaf) = self.leaves.get_mut(source) {
            *leaf = up;
        }
        let mut at = source.wrapping_add(self.nodes.len()) >> 1;
        // Ends: the number halves.
        while at > 0 {
            let Some(node) = self.nodes.get_mut(at) else { break };
            let here = *node;
            let goes_up = here < up;
            *node = select_unpredictable(goes_up, up, here);
            up = select_unpredictable(goes_up, here, up);
            at >>= 1;
        }
        if let Some(top) = self.nodes.first_mut() {
            *top = up;
        }
    }

    /// Plays all matches: from the leaves upwards, winners in a second array.
    #[cold]
    fn rebuild(&mut self) {
        self.stale = false;
        let len = self.leaves.len();
        self.nodes.clear();
        self.nodes.resize(len, Entry::MAX);
        let mut winners = self.leaves.clone();
        let mut first = len;
        // Each turn halves the number of those left. The nodes of a row of `n` matches are n to 2n - 1.
        while first > 1 {
            first >>= 1;
            for place in 0..first {
                let left = place.saturating_mul(2);
                let pair = (winners.get(left).copied(), winners.get(left.saturating_add(1)).copied());
                let (Some(left), Some(right)) = pair else { continue };
                if let Some(node) = self.nodes.get_mut(first.saturating_add(place)) {
                    *node = left.max(right);
                }
                if let Some(winner) = winners.get_mut(place) {
                    *winner = left.min(right);
                }
            }
        }
        if let (Some(top), Some(winner)) = (self.nodes.first_mut(), winners.first()) {
            *top = *winner;
        }
    }
}

fn entry(key: Key, source: usize) -> Entry {
    if key == Key::NONE { Entry::MAX } else { key.0 | u128::try_from(source).unwrap_or(0) & SOURCE_MASK }
}

#[inline]
fn source_of(entry: Entry) -> usize {
    usize::try_from(entry & SOURCE_MASK).unwrap_or(0)
}

#[inline]
fn low_half(entry: Entry) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = entry.to_le_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
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
        assert_eq!(LoserTree::new().winner(), None);
    }

    #[test]
    fn a_source_alone_wins_until_it_has_nothing() {
        let mut tree = LoserTree::new();
        tree.set(0, Key::new(5, 0));
        assert_eq!(tree.winner(), Some((Key::new(5, 0), 0)));
        tree.advance(Key::new(6, 0));
        assert_eq!(tree.winner(), Some((Key::new(6, 0), 0)));
        tree.advance(Key::NONE);
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
        fn sources_that_come_and_go_win_when_it_is_their_turn(
            steps in prop::collection::vec((0..40_usize, -20..20_i64), 0..200),
        ) {
            let mut tree = LoserTree::new();
            let mut keys = vec![Key::NONE; 40];
            for (arrival, (source, time)) in steps.into_iter().enumerate() {
                let key = Key::new(time, arrival as u64);
                let winner = tree.winner();
                if keys[source] == Key::NONE {
                    tree.set(source, key);
                    keys[source] = key;
                } else if let Some((_, winner)) = winner {
                    // It moves on, or has nothing more.
                    keys[winner] = if time < 0 { Key::NONE } else { key };
                    tree.advance(keys[winner]);
                }
                let least = keys.iter().copied().zip(0..).min_by_key(|(key, _)| *key);
                prop_assert_eq!(tree.winner(), least.filter(|(key, _)| *key != Key::NONE));
            }
        }

        #[test]
        fn the_tree_merges_as_a_heap_does(
            mut sources in prop::collection::vec(prop::collection::vec(-20..20_i64, 0..30), 0..40),
        ) {
            sources.iter_mut().for_each(|keys| keys.sort_unstable());
            let mut tree = LoserTree::new();
            let mut next = vec![0; sources.len()];
            let key = |source: usize, place: usize| {
                sources[source].get(place).map_or(Key::NONE, |time| Key::new(*time, source as u64))
            };
            for source in 0..sources.len() {
                tree.set(source, key(source, 0));
            }
            let mut merged = Vec::new();
            while let Some((winner, source)) = tree.winner() {
                merged.push((winner.time(), source));
                next[source] += 1;
                tree.advance(key(source, next[source]));
            }
            prop_assert_eq!(merged, by_heap(&sources));
        }
    }
}
