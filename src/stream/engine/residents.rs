//! The cold part of the merge: the buffers that are held, in the order of their arrival.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::stream::engine::lane::Start;
use crate::stream::slot::Slot;

/// A buffer that is held.
#[derive(Debug)]
pub(super) struct Resident<B> {
    pub(super) slot: Arc<Slot<B>>,
    /// Where its walk begins.
    pub(super) start: Start,
    /// Bytes that are held for it.
    pub(super) bytes: u64,
    /// It has no event left.
    pub(super) is_exhausted: bool,
    /// Where the walk over it ended, once it is exhausted.
    pub(super) end: usize,
    /// The walk over it met damage.
    pub(super) is_damaged: bool,
}

/// The buffers that are held, by number.
#[derive(Debug)]
pub(super) struct Residents<B> {
    places: Vec<Option<Resident<B>>>,
    free: Vec<usize>,
    held: usize,
    /// The order in which they are retired: all of them as they arrived, or those that are exhausted as they were.
    turns: VecDeque<usize>,
    by_exhaustion: bool,
}

impl<B> Residents<B> {
    /// `by_exhaustion` tells whether a buffer is retired as soon as it is exhausted, whatever arrived before it.
    pub(super) const fn new(by_exhaustion: bool) -> Self {
        Self { places: Vec::new(), free: Vec::new(), held: 0, turns: VecDeque::new(), by_exhaustion }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Takes in the next one in the order of arrival, and gives its number.
    pub(super) fn push(&mut self, resident: Resident<B>) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len().saturating_sub(1)
        });
        if !self.by_exhaustion || resident.is_exhausted {
            self.turns.push_back(index);
        }
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(resident);
            self.held = self.held.saturating_add(1);
        }
        index
    }

    pub(super) fn get(&self, index: usize) -> Option<&Resident<B>> {
        self.places.get(index)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Resident<B>> {
        self.places.get_mut(index)?.as_mut()
    }

    /// It has no event left: its walk ended there, and met damage or not.
    pub(super) fn exhaust(&mut self, index: usize, end: usize, is_damaged: bool) {
        if let Some(resident) = self.get_mut(index) {
            resident.is_exhausted = true;
            resident.end = end;
            resident.is_damaged = is_damaged;
            if self.by_exhaustion {
                self.turns.push_back(index);
            }
        }
    }

    /// The one whose turn it is to be retired, if it is exhausted.
    pub(super) fn exhausted_first(&self) -> Option<usize> {
        let index = *self.turns.front()?;
        self.get(index)?.is_exhausted.then_some(index)
    }

    /// Gives up the one whose turn it is: its slot, and the bytes that were held for it.
    pub(super) fn pop(&mut self) -> Option<(Arc<Slot<B>>, u64)> {
        let index = self.turns.pop_front()?;
        self.free.push(index);
        let Resident { slot, bytes, .. } = self.places.get_mut(index)?.take()?;
        self.held = self.held.saturating_sub(1);
        Some((slot, bytes))
    }

    /// Lets any of them have its turn next, those that have one first; false if there is none. For the end, after which no
    /// buffer is taken in.
    pub(super) fn give_turn(&mut self) -> bool {
        if !self.turns.is_empty() {
            return true;
        }
        // Ends: each turn takes a place away, or finds the last that is taken.
        while let Some(last) = self.places.len().checked_sub(1) {
            if self.get(last).is_some() {
                self.turns.push_back(last);
                return true;
            }
            self.places.pop();
        }
        false
    }
}
