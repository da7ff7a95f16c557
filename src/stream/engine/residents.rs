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
}

/// The buffers that are held, by number.
#[derive(Debug)]
pub(super) struct Residents<B> {
    places: Vec<Option<Resident<B>>>,
    free: Vec<usize>,
    arrivals: VecDeque<usize>,
}

impl<B> Residents<B> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), arrivals: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.arrivals.is_empty()
    }

    /// Takes in the next one in the order of arrival, and gives its number.
    pub(super) fn push(&mut self, resident: Resident<B>) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len().saturating_sub(1)
        });
        if let Some(place) = self.places.get_mut(index) {
            *place = Some(resident);
        }
        self.arrivals.push_back(index);
        index
    }

    pub(super) fn get(&self, index: usize) -> Option<&Resident<B>> {
        self.places.get(index)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Resident<B>> {
        self.places.get_mut(index)?.as_mut()
    }

    /// It has no event left.
    pub(super) fn exhaust(&mut self, index: usize) {
        if let Some(resident) = self.get_mut(index) {
            resident.is_exhausted = true;
        }
    }

    /// The one that arrived first, if it is exhausted.
    pub(super) fn exhausted_first(&self) -> Option<usize> {
        let index = *self.arrivals.front()?;
        self.get(index)?.is_exhausted.then_some(index)
    }

    /// Gives up the one that arrived first: its slot, and the bytes that were held for it.
    pub(super) fn pop(&mut self) -> Option<(Arc<Slot<B>>, u64)> {
        let index = self.arrivals.pop_front()?;
        self.free.push(index);
        let Resident { slot, bytes, .. } = self.places.get_mut(index)?.take()?;
        Some((slot, bytes))
    }
}
