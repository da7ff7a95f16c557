//! Where buffers may begin.

use core::ops::Range;
use std::io::Read;

use crate::buffer::{BufferHeader, Layout};
use crate::bytes::slice_at;
use crate::error::Offset;
use crate::file::error::Error;
use crate::file::window::Window;
use crate::record::starts_a_record;
use crate::trace::Expander;

/// How much of a buffer shows its first record, in every format: XPRESS_HUFF begins with a table of 256 bytes.
const PEEK: usize = BufferHeader::LEN + 256 + 64;

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
        let have = self.window.fill(at.saturating_add(PEEK))?.len();
        Ok(have == at || self.is_start(at))
    }

    /// Whether there are zeros in place of a header `at` bytes from here, as far as can be seen in what is in memory.
    pub(super) fn is_zeroed(&self, at: usize) -> bool {
        let header = slice_at(self.window.bytes(), at, BufferHeader::LEN);
        header.is_some_and(|header| header.iter().all(|byte| *byte == 0))
    }

    /// Whether what lies here looks like a buffer by its header alone, and another, or the end, follows where it says.
    pub(super) fn is_followed(&mut self) -> Result<bool, Error> {
        let bytes = self.window.fill(BufferHeader::LEN)?;
        let Ok(header) = BufferHeader::parse(bytes, self.layout) else { return Ok(false) };
        let size = header.buffer_size().and_then(|size| usize::try_from(size).ok());
        match size {
            Some(size) if header.is_plausible(self.limit) => self.is_start_or_end(size),
            _ => Ok(false),
        }
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
        let filled = usize::try_from(header.filled_bytes()).unwrap_or(usize::MAX);
        let data = bytes.get(BufferHeader::LEN..).unwrap_or_default();
        let room = filled.saturating_sub(BufferHeader::LEN);
        if header.is_compressed() {
            self.expander.starts_with_a_record(data, room)
        } else if room == 0 {
            // Little tells an empty buffer from other bytes.
            header.saved_offset() == header.filled_bytes()
        } else {
            // Of a buffer that the source cuts off here, the header has to do.
            data.first_chunk().is_none_or(|head| starts_a_record(*head, room))
        }
    }

    /// Whether a buffer begins in this range of places, counted from here.
    pub(super) fn has_start_in(&mut self, places: Range<usize>) -> Result<bool, Error> {
        self.window.fill(places.end.saturating_add(PEEK))?;
        Ok(places.into_iter().any(|at| self.is_start(at)))
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
        let mut at = usize::try_from(self.searched.to.saturating_sub(here)).unwrap_or(usize::MAX);
        let last = from.saturating_add(self.limit);
        while at <= last {
            let block_end = at.saturating_add(BLOCK).min(last.saturating_add(1));
            let have = self.window.fill(block_end.saturating_add(PEEK))?.len();
            // Each place costs a few comparisons; what looks like a header, the expansion of a few bytes besides.
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
