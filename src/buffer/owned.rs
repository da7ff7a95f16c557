//! A buffer that outlives the memory that it was read into.

use alloc::boxed::Box;

use crate::buffer::header::BufferHeader;
use crate::buffer::layout::Layout;
use crate::buffer::view::BufferView;
use crate::wire::buffer::RawBufferHeader;

/// A copy of a [`BufferView`]: the header as it was stored, and the valid bytes in the clear, expanded if they were
/// compressed. Made by [`BufferView::to_owned_buffer`].
#[derive(Clone, Debug)]
pub struct OwnedBuffer {
    header: RawBufferHeader,
    layout: Layout,
    valid: Box<[u8]>,
    filled: usize,
}

impl OwnedBuffer {
    pub(super) fn new(header: RawBufferHeader, layout: Layout, valid: &[u8], filled: usize) -> Self {
        Self { header, layout, valid: valid.into(), filled }
    }

    /// The buffer that was copied. Costs nothing.
    #[must_use]
    pub fn view(&self) -> BufferView<'_> {
        BufferView::with_filled(&self.valid, BufferHeader::from_raw(&self.header, self.layout), self.filled)
    }
}
