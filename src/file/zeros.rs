//! Zeros: unwritten space at the end of a file, or damage with buffers behind it.

use crate::file::damage::{Damage, DamageKind};
use crate::file::error::Error;
use crate::file::input::Input;
use crate::file::walk::Walk;

impl<I: Input> Walk<I> {
    /// Passes over zeros: an unwritten tail if nothing else follows, damage otherwise.
    pub(super) fn pass_zeros(&mut self) -> Result<(), Error> {
        let at = self.offset();
        // Where buffers lie at regular distances, only whole ones are passed over.
        let cell = self.buffer_size.unwrap_or(1);
        let block = BLOCK.checked_next_multiple_of(cell).unwrap_or(BLOCK);
        let mut looked_at = 0_usize;
        // Every turn consumes at least one byte or ends the loop.
        let zeros = loop {
            let bytes = self.input.peek(0, block.saturating_add(MOST_OF_START))?;
            let have = bytes.len();
            match bytes.iter().position(|byte| *byte != 0) {
                Some(zeros) => break zeros,
                None if have <= block => {
                    self.input.skip(have)?;
                    let len = self.offset().get().saturating_sub(at.get());
                    self.unwritten_tail = self.unwritten_tail.saturating_add(len);
                    return Ok(());
                }
                None => {}
            }
            self.input.skip(block)?;
            looked_at = looked_at.saturating_add(block);
            if looked_at >= READ_FIRST {
                looked_at = 0;
                self.skip_assumed_zeros(cell)?;
            }
        };
        let start = self.start_around(zeros, cell)?;
        let in_cells = zeros.saturating_sub(zeros.checked_rem(cell).unwrap_or_default());
        self.input.skip(start.unwrap_or(in_cells))?;
        self.skipped = self.skipped.saturating_add(self.offset().get().saturating_sub(at.get()));
        let passed = self.offset() > at;
        if start.is_none() && (!passed || self.buffer_size.is_none()) {
            // Only a header is zeroed, or no regular distance tells where the next buffer begins.
            let step = self.next_buffer_start(usize::from(!passed))?.unwrap_or_else(|none_in| none_in);
            self.pass(step)?;
        }
        let kind = if passed { DamageKind::Zeroed } else { DamageKind::NoBuffer };
        let len = self.offset().get().saturating_sub(at.get());
        self.damage.add(Damage { kind, at, len, cause: None });
        Ok(())
    }

    /// Where a buffer begins whose first bytes are the last of so many zeros: at a regular distance if one does there.
    fn start_around(&mut self, zeros: usize, cell: usize) -> Result<Option<usize>, Error> {
        let in_cells = zeros.saturating_sub(zeros.checked_rem(cell).unwrap_or_default());
        let near = zeros.saturating_sub(MOST_OF_START)..=zeros;
        for at in core::iter::once(in_cells).chain(near) {
            if at > 0 && self.search().is_start_at(at)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Passes over what is taken for zeros without being read, in whole cells.
    fn skip_assumed_zeros(&mut self, cell: usize) -> Result<(), Error> {
        let zeros = usize::try_from(self.input.assumed_zeros()?).unwrap_or(usize::MAX);
        self.input.skip(zeros.saturating_sub(zeros.checked_rem(cell).unwrap_or_default()))?;
        Ok(())
    }
}

/// How much is read at once.
const BLOCK: usize = 64 * 1024;
/// How many zeros in a row are read before any are assumed.
const READ_FIRST: usize = 1024 * 1024;
/// How many bytes of a buffer's start may be zeros: it begins with a length of four bytes, which is not 0.
const MOST_OF_START: usize = 3;
