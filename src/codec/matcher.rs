//! Finds matches for the writers: what is at a place, and lay before within reach.

use alloc::boxed::Box;
use alloc::vec;

/// How far back and how long a format's matches may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// The first byte that a match may repeat.
    pub(super) start: usize,
    /// The greatest distance, at most the matcher's window.
    pub(super) distance: usize,
    /// The greatest length.
    pub(super) length: usize,
}

/// A match, of three bytes or more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Found {
    pub(super) distance: usize,
    pub(super) length: usize,
}

/// The places in one input where the same three bytes lie, each linked to the one before.
///
/// Links only suggest: a match is taken from comparing bytes, so one that a newer place has overwritten does no harm.
#[derive(Debug)]
pub(super) struct Matcher {
    /// By hash of three bytes: the last place that has them.
    heads: Box<[usize]>,
    /// By place, modulo the window: the place before with the same hash.
    links: Box<[usize]>,
    /// The places before this one are in the tables.
    known: usize,
}

impl Matcher {
    /// `window` is a power of two; no link leads farther back.
    pub(super) fn new(window: usize) -> Self {
        Self {
            heads: vec![NOWHERE; 1 << HASH_BITS].into_boxed_slice(),
            links: vec![NOWHERE; window].into_boxed_slice(),
            known: 0,
        }
    }

    /// The longest match for what is at `at`, as far as the last few places tell. The nearest of equally long ones.
    ///
    /// Places come in rising order.
    pub(super) fn find(&mut self, input: &[u8], at: usize, reach: Reach) -> Option<Found> {
        self.learn_up_to(input, at);
        let here = input.get(at..)?;
        let here = here.get(..reach.length).unwrap_or(here);
        let mut best: Option<Found> = None;
        let mut place = self.heads.get(hash(input, at)?).copied()?;
        let mut nearest = 0;
        for _ in 0..TRIES {
            // Distances rise; one that does not comes from a link that is no longer true. `NOWHERE` is behind every place.
            let Some(distance) = at.checked_sub(place) else { break };
            if distance <= nearest || distance > reach.distance || place < reach.start {
                break;
            }
            nearest = distance;
            let length = input.get(place..).map_or(0, |there| common_prefix(there, here));
            if length >= LEAST && best.is_none_or(|best| best.length < length) {
                best = Some(Found { distance, length });
                if length == here.len() {
                    break;
                }
            }
            let Some(&before) = self.links.get(self.link_index(place)) else { break };
            place = before;
        }
        best
    }

    fn learn_up_to(&mut self, input: &[u8], at: usize) {
        for place in self.known..at {
            let index = self.link_index(place);
            let head = hash(input, place).and_then(|hash| self.heads.get_mut(hash));
            if let (Some(head), Some(link)) = (head, self.links.get_mut(index)) {
                *link = *head;
                *head = place;
            }
        }
        self.known = self.known.max(at);
    }

    fn link_index(&self, place: usize) -> usize {
        place & self.links.len().wrapping_sub(1)
    }
}

fn hash(input: &[u8], at: usize) -> Option<usize> {
    let &[a, b, c] = input.get(at..)?.first_chunk()?;
    let mixed = u32::from_le_bytes([a, b, c, 0]).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS);
    usize::try_from(mixed).ok()
}

fn common_prefix(there: &[u8], here: &[u8]) -> usize {
    there.iter().zip(here).take_while(|(there, here)| there == here).count()
}

/// How many places are compared before the longest match so far is taken.
const TRIES: usize = 32;

/// No format has a shorter match.
const LEAST: usize = 3;

const HASH_BITS: u32 = 14;

/// Behind every place.
const NOWHERE: usize = usize::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: Reach = Reach { start: 0, distance: 64, length: 100 };

    #[test]
    fn the_longest_match_wins_and_then_the_nearest() {
        let input = b"abcd_abc_abc_abcd";
        let find = |at, reach| Matcher::new(64).find(input, at, reach);
        assert_eq!(find(13, FAR), Some(Found { distance: 13, length: 4 }));
        assert_eq!(find(9, FAR), Some(Found { distance: 4, length: 7 }));
        assert_eq!(find(13, Reach { start: 1, ..FAR }), Some(Found { distance: 4, length: 3 }));
        assert_eq!(find(13, Reach { distance: 12, ..FAR }), Some(Found { distance: 4, length: 3 }));
        assert_eq!(find(13, Reach { length: 3, ..FAR }), Some(Found { distance: 4, length: 3 }));
        assert_eq!(find(3, FAR), None);
    }

    #[test]
    fn a_match_may_overlap_what_it_makes() {
        let found = Matcher::new(64).find(b"xyxyxyxy", 2, FAR);
        assert_eq!(found, Some(Found { distance: 2, length: 6 }));
    }

    #[test]
    fn two_bytes_at_the_end_match_nothing() {
        assert_eq!(Matcher::new(64).find(b"abab", 2, FAR), None);
    }

    #[test]
    fn links_older_than_the_window_are_not_followed() {
        let mut input = alloc::vec::Vec::from(*b"abc");
        input.resize(70, b'.');
        input.extend(b"abc");
        assert_eq!(Matcher::new(64).find(&input, 70, FAR), None);
        assert_eq!(
            Matcher::new(128).find(&input, 70, Reach { distance: 128, ..FAR }),
            Some(Found { distance: 70, length: 3 })
        );
    }
}
