//! Buffers in memory that is used again.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, PoisonError};

use crate::error::Offset;

/// A buffer of a file in memory: its header and its filled bytes, expanded if it was compressed.
///
/// What the handlers of a file get as the `B` of the stream's. Its memory goes back to the file when it is dropped, to be
/// used for another buffer; keeping it costs the file a new piece of memory and nothing else.
///
/// The header is the stored one, but that of a buffer that was expanded: it no longer says that it is compressed, and its
/// `BufferSize` is the length here. So [`AsRef`] gives what a [`Session`](crate::stream::Session) takes.
pub struct LoadedBuffer {
    bytes: Vec<u8>,
    len: usize,
    place: Place,
    home: Arc<Pool>,
}

/// Where a buffer lies.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) stored: usize,
    pub(super) compressed: bool,
    pub(super) file: usize,
}

impl LoadedBuffer {
    /// Where the buffer starts in its file.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        Offset(self.place.offset)
    }

    /// Bytes that were read of the file for it: the whole buffer if it is compressed or passed through, else header and
    /// filled bytes.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        Offset::from(self.place.stored).get()
    }

    /// Whether it was compressed in the file.
    #[must_use]
    pub const fn was_compressed(&self) -> bool {
        self.place.compressed
    }

    /// Which file of several it comes from, from 0; 0 where there is one.
    #[must_use]
    pub const fn file(&self) -> usize {
        self.place.file
    }
}

impl LoadedBuffer {
    pub(super) const fn place(&self) -> Place {
        self.place
    }
}

impl AsRef<[u8]> for LoadedBuffer {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for LoadedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedBuffer")
            .field("place", &self.place)
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl Drop for LoadedBuffer {
    fn drop(&mut self) {
        self.home.put(core::mem::take(&mut self.bytes));
    }
}

/// Memory that no buffer uses.
#[derive(Debug)]
pub(super) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
    most: usize,
}

impl Pool {
    /// Keeps at most so many pieces.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { free: Mutex::new(Vec::new()), most })
    }

    /// Memory of at least `len` bytes, and not of many times as many. Only what the caller writes is its to read.
    pub(super) fn get(&self, len: usize) -> Vec<u8> {
        let most = len.saturating_mul(4).max(SMALL);
        let used = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match used.filter(|bytes| (len..=most).contains(&bytes.len())) {
            Some(bytes) => bytes,
            None => alloc::vec![0; len.checked_next_multiple_of(GRAIN).unwrap_or(len)],
        }
    }

    fn put(&self, bytes: Vec<u8>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < self.most && !bytes.is_empty() {
            free.push(bytes);
        }
    }

    /// Gives all memory back.
    pub(super) fn clear(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// A buffer of the first `len` of `bytes`.
    pub(super) fn block(self: &Arc<Self>, bytes: Vec<u8>, len: usize, place: Place) -> LoadedBuffer {
        LoadedBuffer { bytes, len, place, home: Arc::clone(self) }
    }
}

/// Memory of so many bytes does for any buffer.
const SMALL: usize = 128 * 1024;
const GRAIN: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_for_buffers_of_about_the_same_length() {
        let pool = Pool::new(2);
        let bytes = pool.get(200_000);
        let memory = bytes.as_ptr();
        drop(pool.block(bytes, 200_000, Place::default()));
        let bytes = pool.get(100_000);
        assert_eq!(bytes.as_ptr(), memory);
        drop(pool.block(bytes, 100_000, Place::default()));
        assert!(pool.get(10).len() < 10_000, "a small buffer holds on to no large memory");
        assert_eq!(pool.get(5000).len(), 8192, "that piece was given up");
    }

    #[test]
    fn no_more_pieces_are_kept_than_may_be() {
        let pool = Pool::new(1);
        let blocks = [1, 2, 3].map(|len| pool.block(pool.get(len), len, Place::default()));
        assert_eq!(blocks[1].as_ref().len(), 2);
        drop(blocks);
        assert_eq!(pool.free.lock().expect("no panic").len(), 1);
    }
}
