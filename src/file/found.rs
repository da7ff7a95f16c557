//! A buffer of a file by its header alone.

use crate::buffer::BufferHeader;
use crate::error::Offset;

/// A buffer that was found by its header. Made by [`EtlFile::next_header`](crate::EtlFile::next_header).
#[derive(Clone, Copy, Debug)]
pub struct FoundBuffer<'a> {
    pub(super) header: BufferHeader<'a>,
    pub(super) offset: u64,
    pub(super) stored_bytes: usize,
    pub(super) compressed: bool,
}

impl<'a> FoundBuffer<'a> {
    /// The header, as stored.
    #[must_use]
    pub const fn header(&self) -> BufferHeader<'a> {
        self.header
    }

    /// Where the buffer starts in the file.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        Offset(self.offset)
    }

    /// Bytes that it takes in the file.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        Offset::from(self.stored_bytes).get()
    }

    /// Whether it is compressed.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }
}
