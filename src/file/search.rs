//! Where buffers may begin.

use std::io::Read;

use crate::buffer::{BufferHeader, Layout};
use crate::bytes::u32_at;
use crate::error::Offset;
use crate::file::error::Error;
use crate::file::window::Window;
use crate::record::is_marker;
use crate::trace::Expander;

/// How much of a compressed buffer shows its first marker in every format: XPRESS_HUFF begins with a table of 256 bytes.
const PEEK_COMPRESSED: usize = BufferHeader::LEN + 256 + 64;

/// Looks for buffers by their headers. Only layouts that say how long a buffer is can be searched.
pub(super) struct Search<'a, R> {
    pub(super) window: &'a mut Window<R>,
    pub(super) expander: &'a Expander,
    pub(super) searched: &'a mut Searched,
    pub(super) layout: Layout,
    /// The largest buffer that is accepted.
    pub(super) limit: usize,
}

/// The stretch of the source that was searched last: no buffer begins in `from..to`, in offsets of the source.
///
/// Searches that begin inside it go on where it ends, so that all of them together look at each place once.
#[derive(Debug, Default)]
pub(super) struct Searched {
    from: u64,
    to: u64,
}

impl<R: Read> Search<'_, R> {
    /// Whether a buffer begins `at` bytes from here, or the source ends exactly there.
    pub(super) fn is_start_or_end(&mut self, at: usize) -> Result<bool, Error> {
        let bytes = self.window.fill(at.saturating_add(PEEK_COMPRESSED))?;
        Ok(bytes.len() == at || self.is_start(at))
    }

    /// Whether a buffer begins `at` bytes from here, as far as can be seen in what is in memory.
    ///
    /// Source: format reference, "Reader's algorithm in short", the plausible header.
    fn is_start(&self, at: usize) -> bool {
        let bytes = self.window.bytes().get(at..).unwrap_or_default();
        let Ok(header) = BufferHeader::parse(bytes, self.layout) else { return false };
        if !header.is_plausible(self.limit) {
            return false;
        }
        if header.is_compressed() {
            return self.expander.starts_with_a_record(bytes, self.layout);
        }
        match u32_at(bytes, BufferHeader::LEN) {
            Some(marker) if is_marker(marker) => true,
            // An empty buffer.
            _ => usize::try_from(header.filled_bytes()) == Ok(BufferHeader::LEN),
        }
    }

    /// How far ahead the next buffer begins, `from` bytes from here or later.
    ///
    /// Looks at one buffer's length at most; the inner error is how many bytes from here belong to no buffer for certain.
    pub(super) fn next_start(&mut self, from: usize) -> Result<Result<usize, usize>, Error> {
        let here = self.window.offset();
        let first = here.saturating_add(Offset::from(from).get());
        if !(self.searched.from..=self.searched.to).contains(&first) {
            *self.searched = Searched { from: first, to: first };
        }
        let known = usize::try_from(self.searched.to.saturating_sub(here)).unwrap_or(usize::MAX);
        let last = from.saturating_add(self.limit);
        let mut at = known;
        while at <= last {
            let block_end = at.saturating_add(BLOCK).min(last.saturating_add(1));
            let have = self.window.fill(block_end.saturating_add(PEEK_COMPRESSED))?.len();
            // Each place costs a few comparisons; what looks like a header, the expansion of four bytes besides.
            let found = (at..block_end.min(have)).find(|at| self.is_start(*at));
            let looked_at = found.unwrap_or(block_end.min(have));
            self.searched.to = here.saturating_add(Offset::from(looked_at).get());
            match found {
                Some(found) => return Ok(Ok(found)),
                None if have <= block_end => return Ok(Err(have)),
                None => at = block_end,
            }
        }
        Ok(Err(at))
    }
}

/// How many places are looked at between reads.
const BLOCK: usize = 64 * 1024;
