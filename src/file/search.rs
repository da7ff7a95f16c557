//! Where buffers may begin.

use core::ops::Range;

use crate::buffer::{BufferHeader, Layout};
use crate::bytes::u32_at;
use crate::error::Offset;
use crate::file::error::Error;
use crate::file::input::Input;
use crate::record::starts_a_record;
use crate::trace::Expander;

/// How much of a buffer shows its first record, in every format: XPRESS_HUFF begins with a table of 256 bytes.
const PEEK: usize = BufferHeader::LEN + 256 + 64;
/// How much shows it where nothing is compressed.
const PEEK_PLAIN: usize = BufferHeader::LEN + 8;

/// Looks for buffers by their headers.
pub(super) struct Search<'a, I> {
    pub(super) input: &'a mut I,
    pub(super) expander: &'a Expander,
    pub(super) searched: &'a mut Searched,
    pub(super) layout: Layout,
    /// The largest buffer that is accepted.
    pub(super) limit: usize,
    /// The length of the session's buffers, where none is compressed.
    pub(super) usual: Option<usize>,
    /// Whether the file is compressed, as far as its header tells.
    pub(super) compressed: bool,
    /// Counts places looked at.
    pub(super) work: &'a mut u64,
}

/// The stretches of the source that were searched last, for buffers of the usual length and for any.
#[derive(Debug, Default)]
pub(super) struct Searched {
    usual: Stretch,
    any: Stretch,
}

/// A stretch that was searched: no buffer begins in `from..to`, in offsets of the source.
///
/// Searches that begin inside it go on where it ends, so that all of them together look at each place once.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    from: u64,
    to: u64,
}

impl<I: Input> Search<'_, I> {
    /// Whether a buffer begins `at` bytes from here, or the source ends exactly there.
    pub(super) fn is_start_or_end(&mut self, at: usize) -> Result<bool, Error> {
        let have = self.input.available(at.saturating_add(1))?;
        Ok(have == at || have > at && self.is_start_at(at)?)
    }

    /// Whether what lies here looks like a buffer by its header alone, and another, or the end, follows where it says.
    pub(super) fn is_followed(&mut self) -> Result<bool, Error> {
        match self.size_at(0)? {
            Some(size) => self.is_start_or_end(size),
            None => Ok(false),
        }
    }

    /// Whether what begins `at` bytes from here ends before the header of another buffer, or so that nothing of another one
    /// can follow.
    pub(super) fn is_before_another(&mut self, at: usize) -> Result<bool, Error> {
        let Some(size) = self.size_at(at)? else { return Ok(false) };
        let end = at.saturating_add(size);
        let header = self.input.peek(end, BufferHeader::LEN)?;
        let is_plausible =
            BufferHeader::parse(header, self.layout).is_ok_and(|header| header.is_plausible(self.limit));
        let is_last = header.len() < BufferHeader::LEN && self.input.available(end)? == end;
        Ok(is_plausible || is_last)
    }

    /// The length that a plausible header `at` bytes from here tells.
    pub(super) fn size_at(&mut self, at: usize) -> Result<Option<usize>, Error> {
        let bytes = self.input.peek(at, BufferHeader::LEN)?;
        let header = BufferHeader::parse(bytes, self.layout).ok();
        let header = header.filter(|header| header.is_plausible(self.limit));
        Ok(header.and_then(|header| usize::try_from(header.buffer_size()?).ok()))
    }

    /// Whether two headers of buffers of the same length follow each other here, whatever lies behind each.
    pub(super) fn is_first_of_two(&mut self) -> Result<bool, Error> {
        match self.size_at(0)? {
            Some(size) => self.is_start_but_for_length(size, size),
            None => Ok(false),
        }
    }

    /// Whether a buffer of this length begins `at` bytes from here by its header, but that this may tell another length.
    pub(super) fn is_start_but_for_length(&mut self, at: usize, len: usize) -> Result<bool, Error> {
        let bytes = self.input.peek(at, BufferHeader::LEN)?;
        Ok(BufferHeader::parse(bytes, self.layout).is_ok_and(|header| header.is_plausible_with(len, len)))
    }

    /// Whether a buffer begins `at` bytes from here.
    pub(super) fn is_start_at(&mut self, at: usize) -> Result<bool, Error> {
        *self.work = self.work.saturating_add(1);
        let (layout, limit) = (self.layout, self.limit);
        let mut bytes = self.input.peek(at, if self.compressed { PEEK } else { PEEK_PLAIN })?;
        let compressed = BufferHeader::parse(bytes, layout).is_ok_and(|header| header.is_compressed());
        if compressed && bytes.len() < PEEK {
            bytes = self.input.peek(at, PEEK)?;
        }
        Ok(is_start(bytes, layout, limit, self.expander))
    }

    /// Whether a buffer begins in this range of places, counted from here.
    pub(super) fn has_start_in(&mut self, places: Range<usize>) -> Result<bool, Error> {
        let mut at = places.start;
        // Ends: each turn moves on by a block.
        while at < places.end {
            let block_end = at.saturating_add(BLOCK).min(places.end);
            if self.first_start_in(at, block_end, self.usual)?.0.is_some() {
                return Ok(true);
            }
            at = block_end;
        }
        Ok(false)
    }

    /// The first place from `at` to before `end` where a buffer begins, of a certain length if one is given, and how many
    /// bytes from here there are, as far as they were looked at.
    fn first_start_in(
        &mut self,
        at: usize,
        end: usize,
        len: Option<usize>,
    ) -> Result<(Option<usize>, usize), Error> {
        let places = end.saturating_sub(at);
        let bytes = self.input.peek(at, places.saturating_add(PEEK))?;
        // Each place costs a few comparisons; what looks like a header, the expansion of a few bytes besides.
        let found = (0..places.min(bytes.len())).find(|place| {
            let bytes = bytes.get(*place..).unwrap_or_default();
            let has_length = |len| u32_at(bytes, 0).is_some_and(|size| usize::try_from(size) == Ok(len));
            len.is_none_or(has_length)
                && is_start(bytes.get(..PEEK).unwrap_or(bytes), self.layout, self.limit, self.expander)
        });
        let have = at.saturating_add(bytes.len());
        let looked_at = found.unwrap_or(places.min(bytes.len()));
        *self.work = self.work.saturating_add(Offset::from(looked_at).get());
        Ok((found.map(|place| at.saturating_add(place)), have))
    }

    /// How far ahead the next buffer begins, `from` bytes from here or later: one of the usual length, if there is one, since
    /// what looks like another one may be the content of a record.
    ///
    /// Looks at one buffer's length at most; the inner error is how many bytes from here belong to no buffer for certain.
    pub(super) fn next_start(&mut self, from: usize) -> Result<Result<usize, usize>, Error> {
        if self.usual.is_some() {
            let mut stretch = self.searched.usual;
            let found = self.next_start_of(from, self.usual, &mut stretch)?;
            self.searched.usual = stretch;
            if found.is_ok() {
                return Ok(found);
            }
        }
        let mut stretch = self.searched.any;
        let found = self.next_start_of(from, None, &mut stretch)?;
        self.searched.any = stretch;
        Ok(found)
    }

    /// The same for buffers of a certain length, if one is given, and the stretch that was searched for those.
    fn next_start_of(
        &mut self,
        from: usize,
        len: Option<usize>,
        stretch: &mut Stretch,
    ) -> Result<Result<usize, usize>, Error> {
        let here = self.input.offset();
        let first = here.saturating_add(Offset::from(from).get());
        if !(stretch.from..=stretch.to).contains(&first) {
            *stretch = Stretch { from: first, to: first };
        }
        let mut at = usize::try_from(stretch.to.saturating_sub(here)).unwrap_or(usize::MAX);
        let last = from.saturating_add(self.limit);
        // Ends: each turn moves on by a block.
        while at <= last {
            let block_end = at.saturating_add(BLOCK).min(last.saturating_add(1));
            let (found, have) = self.first_start_in(at, block_end, len)?;
            let looked_at = found.unwrap_or(block_end.min(have));
            stretch.to = here.saturating_add(Offset::from(looked_at).get());
            match found {
                Some(found) => return Ok(Ok(found)),
                None if have <= block_end => return Ok(Err(have)),
                None => at = block_end,
            }
        }
        Ok(Err(at))
    }
}

/// Whether a buffer begins with `bytes`, which are [`PEEK`] of them unless the source ends before.
///
/// Source: format reference, "Reader's algorithm in short", the plausible header.
fn is_start(bytes: &[u8], layout: Layout, limit: usize, expander: &Expander) -> bool {
    let Ok(header) = BufferHeader::parse(bytes, layout) else { return false };
    if !header.is_plausible(limit) {
        return false;
    }
    let filled = usize::try_from(header.filled_bytes()).unwrap_or(usize::MAX);
    let data = bytes.get(BufferHeader::LEN..).unwrap_or_default();
    let room = filled.saturating_sub(BufferHeader::LEN);
    if header.is_compressed() {
        expander.starts_with_a_record(data, room)
    } else if room == 0 {
        // Little tells an empty buffer from other bytes.
        header.saved_offset() == header.filled_bytes()
    } else {
        // Of a buffer that the source cuts off here, the header has to do.
        data.first_chunk().is_none_or(|head| starts_a_record(*head, room))
    }
}

/// How many places are looked at between reads.
const BLOCK: usize = 64 * 1024;
