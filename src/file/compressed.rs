//! Compressed buffers: how long one is, only its expansion tells for certain.

use crate::buffer::BufferHeader;
use crate::error::Offset;
use crate::file::damage::{DamageCause, DamageKind};
use crate::file::error::Error;
use crate::file::input::Input;
use crate::file::walk::{Found, Walk, out_of_range};
use crate::trace::ExpandError;

impl<I: Input> Walk<I> {
    /// The compressed buffer here, which claims `size` bytes. Whether they expand to the announced length and something
    /// begins behind them tells whether that is true; if not, a shorter one that ends where the next begins may be.
    pub(super) fn check_compressed(
        &mut self,
        size: usize,
        have: usize,
        believes: bool,
    ) -> Result<Option<Found>, Error> {
        let whole = have == size;
        // Where a long claim proved false before, another one is not believed: trying all of them would take a time that
        // grows with the square of the length.
        let mut expands = false;
        if self.offset().get() >= self.doubtful_until {
            if believes && whole && self.search().is_start_or_end(size)? {
                return Ok(Some(Found { size, have, compressed: true, believed: true }));
            }
            expands = self.expand(have)?.is_ok() && !self.hides_another(have)?;
            if whole && expands && (self.live || self.search().is_start_or_end(size)?) {
                return Ok(Some(Found { size, have, compressed: true, believed: false }));
            }
            self.doubtful_until = self.offset().get().saturating_add(Offset::from(have).get());
        }
        let next = self.search().next_start(1)?;
        if !whole && next.is_err() {
            self.report(DamageKind::CutBuffer, size.saturating_sub(have), None);
            self.pass(have)?;
            return Ok(None);
        }
        // What begins inside comes first: data that hold a buffer's bytes do not expand to the right length up to there.
        let next = next.unwrap_or_else(|end| end);
        let shorter = next.min(size);
        if self.expand(shorter)?.is_ok() {
            if shorter < size {
                self.report_false_size(size, shorter);
            }
            return Ok(Some(Found { size: shorter, have: shorter, compressed: true, believed: false }));
        }
        // What begins inside is none if none follows it and it does not expand, since these bytes are needed. In doubt that is
        // looked at where it costs little.
        if whole
            && (expands || size / 2 <= next)
            && !self.search().is_before_another(next)?
            && !self.expands_at(next)?
            && self.expand(size)?.is_ok()
        {
            return Ok(Some(Found { size, have, compressed: true, believed: false }));
        }
        self.check_up_to(size, next)
    }

    /// The compressed buffer here, whose claim of `size` bytes cannot be true: it may reach to the `next`.
    fn check_up_to(&mut self, size: usize, next: usize) -> Result<Option<Found>, Error> {
        match self.expand(next)? {
            Ok(()) => {
                self.report_false_size(size, next);
                Ok(Some(Found { size: next, have: next, compressed: true, believed: false }))
            }
            Err(cause) => {
                // Where buffers lie at regular distances, the next one is not looked for further on.
                let len = self.buffer_size.map_or(next, |usual| usual.min(next));
                self.report(DamageKind::Compressed, len, Some(DamageCause::Expand(cause)));
                self.pass(len)?;
                Ok(None)
            }
        }
    }

    /// The buffer here claims `size` bytes and has `found`.
    fn report_false_size(&mut self, size: usize, found: usize) {
        let cause = out_of_range("buffer size", Offset::from(size).get(), found);
        self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
    }

    /// Whether another buffer begins in what the expansion of the `len` bytes here left over.
    fn hides_another(&mut self, len: usize) -> Result<bool, Error> {
        match self.expander.left() {
            left if left >= BufferHeader::LEN => self.search().has_start_in(len.saturating_sub(left)..len),
            _ => Ok(false),
        }
    }

    /// Whether a compressed buffer begins `at` bytes from here that is whole and expands.
    pub(super) fn expands_at(&mut self, at: usize) -> Result<bool, Error> {
        let layout = self.session.layout();
        let header = BufferHeader::parse(self.input.peek(at, BufferHeader::LEN)?, layout).ok();
        let size = header.filter(|header| header.is_compressed()).and_then(|header| header.buffer_size());
        let Some(size) = size.and_then(|size| usize::try_from(size).ok()) else { return Ok(false) };
        let end = at.saturating_add(size);
        Ok(self.input.available(end)? == end && self.expand_at(at, size)?.is_ok())
    }

    /// Whether the `len` bytes here expand.
    fn expand(&mut self, len: usize) -> Result<Result<(), ExpandError>, Error> {
        self.expand_at(0, len)
    }

    /// Whether the `len` bytes expand that begin `at` bytes from here.
    fn expand_at(&mut self, at: usize, len: usize) -> Result<Result<(), ExpandError>, Error> {
        let layout = self.session.layout();
        let header = self.input.peek(at, BufferHeader::LEN)?;
        let most = BufferHeader::parse(header, layout).map_or(0, |header| most_stored(header.filled_bytes()));
        let stored = self.input.peek(at, len.min(most))?;
        self.work = self.work.saturating_add(Offset::from(stored.len()).get());
        Ok(self.expander.expand(stored, layout))
    }
}

/// How many bytes of a compressed buffer can matter that expands to `filled` bytes, whatever it says of its own length. No
/// format takes more than two bytes for each that comes out, but for tables.
pub(super) fn most_stored(filled: u32) -> usize {
    usize::try_from(filled).unwrap_or(usize::MAX).saturating_mul(2).saturating_add(4096)
}
