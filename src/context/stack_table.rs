//! The memory of stacks: addresses, each stack once, and which of them belong to what.

use alloc::vec::Vec;
use core::hash::{BuildHasher, Hash};
use std::collections::HashMap;

/// Stacks and their joints, within a number of bytes.
#[derive(Clone, Debug)]
pub(super) struct StackTable {
    words: Vec<u64>,
    /// Of each stack, where its words begin and how many there are.
    stacks: Vec<(u32, u32)>,
    /// Hash of the words -> the first stack that had it.
    known: HashMap<u64, u32, foldhash::fast::RandomState>,
    parts: Vec<Part>,
    /// Joint -> the first and the last part that have it.
    joints: HashMap<Joint, (u32, u32), foldhash::fast::RandomState>,
    most_bytes: usize,
    dropped: u64,
    scratch: Vec<u64>,
}

/// What joins parts of stacks to events and to each other.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Joint {
    /// The time stamp of the event, and that of StackWalk events behind it.
    Time(i64),
    /// The match id of extended items.
    Match(u64),
}

/// A stack, or half of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) stack: StackIndex,
    pub(super) kind: PartKind,
    pub(super) processor: u16,
    pub(super) process_id: u32,
    pub(super) thread_id: u32,
    /// The next part with the same joint.
    next: u32,
}

/// The place of a stack in its table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct StackIndex(u32);

impl Part {
    pub(super) const fn new(
        stack: StackIndex,
        kind: PartKind,
        processor: u16,
        process_id: u32,
        thread_id: u32,
    ) -> Self {
        Self { stack, kind, processor, process_id, thread_id, next: NONE }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PartKind {
    /// The words are addresses.
    Frames,
    /// The words are a key, and when it was logged.
    Key,
}

const NONE: u32 = u32::MAX;
/// At one time stamp, no more parts are looked at.
const MOST_PARTS: usize = 64;
/// Bytes of a part with its joint, and of a stack besides its words, about.
const PART_BYTES: usize = 56;
const STACK_BYTES: usize = 32;

impl StackTable {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            words: Vec::new(),
            stacks: Vec::new(),
            known: HashMap::default(),
            parts: Vec::new(),
            joints: HashMap::default(),
            most_bytes,
            dropped: 0,
            scratch: Vec::new(),
        }
    }

    /// An empty one within the same limit.
    pub(super) fn like(&self) -> Self {
        Self::new(self.most_bytes)
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn clear(&mut self) {
        self.words.clear();
        self.stacks.clear();
        self.known.clear();
        self.parts.clear();
        self.joints.clear();
    }

    /// About how many bytes are in use.
    fn bytes(&self) -> usize {
        let words = self.words.len().saturating_mul(8);
        let stacks = self.stacks.len().saturating_mul(STACK_BYTES);
        words.saturating_add(stacks).saturating_add(self.parts.len().saturating_mul(PART_BYTES))
    }

    /// Keeps a stack, or finds the same one that is there; `None` if there is no room.
    pub(super) fn keep(&mut self, words: impl Iterator<Item = u64>) -> Option<StackIndex> {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend(words);
        let kept = self.keep_words(&scratch);
        self.scratch = scratch;
        kept
    }

    fn keep_words(&mut self, words: &[u64]) -> Option<StackIndex> {
        let hash = self.known.hasher().hash_one(words);
        let known = self.known.get(&hash).copied().map(StackIndex);
        if let Some(known) = known.filter(|&known| self.words(known) == words) {
            return Some(known);
        }
        let cost = words.len().saturating_mul(8).saturating_add(STACK_BYTES);
        let (start, len) = (u32::try_from(self.words.len()).ok()?, u32::try_from(words.len()).ok()?);
        let index = u32::try_from(self.stacks.len()).ok().filter(|&index| index != NONE)?;
        if self.bytes().saturating_add(cost) > self.most_bytes {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.words.extend_from_slice(words);
        self.stacks.push((start, len));
        // Two stacks with one hash are both kept; only the first is found again.
        self.known.entry(hash).or_insert(index);
        Some(StackIndex(index))
    }

    /// The words of a stack.
    pub(super) fn words(&self, index: StackIndex) -> &[u64] {
        let place = usize::try_from(index.0).ok().and_then(|index| self.stacks.get(index));
        let place =
            place.and_then(|&(start, len)| Some((usize::try_from(start).ok()?, usize::try_from(len).ok()?)));
        place.and_then(|(start, len)| self.words.get(start..)?.get(..len)).unwrap_or_default()
    }

    /// Joins a stack to whatever has this joint.
    pub(super) fn join(&mut self, joint: Joint, part: Part) {
        let Some(index) = u32::try_from(self.parts.len()).ok().filter(|&index| index != NONE) else { return };
        if self.bytes().saturating_add(PART_BYTES) > self.most_bytes {
            self.dropped = self.dropped.saturating_add(1);
            return;
        }
        self.parts.push(Part { next: NONE, ..part });
        let (_, last) = self.joints.entry(joint).or_insert((index, index));
        let previous = core::mem::replace(last, index);
        if previous != index
            && let Ok(previous) = usize::try_from(previous)
            && let Some(previous) = self.parts.get_mut(previous)
        {
            previous.next = index;
        }
    }

    /// The parts that have this joint, in the order in which they came.
    pub(super) fn parts(&self, joint: Joint) -> impl Iterator<Item = Part> {
        let mut next = self.joints.get(&joint).map_or(NONE, |&(first, _)| first);
        core::iter::from_fn(move || {
            let part = *usize::try_from(next).ok().and_then(|next| self.parts.get(next))?;
            next = part.next;
            Some(part)
        })
        .take(MOST_PARTS)
    }
}
