//! Where the next buffer is, and what is passed over on the way to it.

use std::io::Read;

use crate::buffer::{BufferHeader, BufferView, Layout};
use crate::error::{Offset, ParseError};
use crate::file::damage::{Damage, DamageCause, DamageKind};
use crate::file::error::Error;
use crate::file::reader::EtlReader;
use crate::file::search::Search;

/// A buffer that can be delivered, at the reader's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The buffer's length, which its filled bytes do not exceed.
    pub(super) size: usize,
    /// How much of it is there; less if the source ends or another buffer begins before.
    pub(super) have: usize,
    pub(super) compressed: bool,
}

/// What the bytes at the reader's place are.
#[derive(Clone, Copy, Debug)]
enum Extent {
    /// A buffer of this length.
    Whole(usize),
    /// A buffer of this length, which its header denies.
    Repaired(usize, ParseError),
    /// A buffer of which so much is there before another begins.
    Shortened { size: usize, have: usize, cause: ParseError },
    /// No buffer.
    None(ParseError),
}

impl<R: Read> EtlReader<R> {
    /// Finds the next buffer that can be delivered, passes over what cannot, and reports that.
    pub(super) fn locate(&mut self) -> Result<Option<Found>, Error> {
        // Every turn consumes at least one byte or ends the walk.
        loop {
            let bytes = self.window.fill(BufferHeader::LEN)?;
            let have = bytes.len();
            if have == 0 {
                return Ok(None);
            }
            if bytes.iter().all(|byte| *byte == 0) {
                self.pass_zeros()?;
                continue;
            }
            if have < BufferHeader::LEN {
                self.report(DamageKind::CutBuffer, BufferHeader::LEN.saturating_sub(have), None);
                self.window.consume(have);
                return Ok(None);
            }
            let extent = self.extent()?;
            let found = match extent {
                Extent::Whole(size) | Extent::Repaired(size, _) => {
                    let have = self.window.fill(size)?.len();
                    self.check(size, have)?
                }
                Extent::Shortened { size, have, cause } => {
                    let before = self.damage.count();
                    let found = self.check(size, have)?;
                    if found.is_some() && self.damage.count() == before {
                        // Nothing is missing, so only the length is wrong.
                        self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
                    }
                    found
                }
                Extent::None(cause) => {
                    self.pass_garbage(DamageKind::NoBuffer, cause)?;
                    None
                }
            };
            if let (Some(_), Extent::Repaired(_, cause)) = (found, extent) {
                self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
            }
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// How long the buffer here is. Its own word counts if another buffer, or the end, follows where it says; else what
    /// follows at the session's usual distance; else where the next buffer is found.
    fn extent(&mut self) -> Result<Extent, Error> {
        let layout = self.session.layout();
        let limit = self.limits.buffer_bytes;
        let header = BufferHeader::parse(self.window.fill(BufferHeader::LEN)?, layout);
        let filled = header.map(|header| header.filled_bytes()).unwrap_or_default();
        let compressed = header.is_ok_and(|header| header.is_compressed());
        let usual = self.buffer_size.filter(|_| !compressed);
        let Some(stored) = header.ok().and_then(|header| header.buffer_size()) else {
            // Before 6.0 only the session knows.
            return Ok(match usual {
                Some(usual) => Extent::Whole(usual),
                None => Extent::None(out_of_range("buffer size of the session", 0, limit)),
            });
        };
        let in_range = |value: u32, max: usize| {
            usize::try_from(value).ok().filter(|value| (BufferHeader::LEN..=max).contains(value))
        };
        let own = in_range(stored, limit);
        let cause = out_of_range("buffer size", stored.into(), limit);
        // Compressed buffers have any size; whether they expand tells more than what lies behind them.
        if let (Some(own), true) = (own, compressed) {
            return Ok(Extent::Whole(own));
        }
        let extent_of =
            |size| if own == Some(size) { Extent::Whole(size) } else { Extent::Repaired(size, cause) };
        // With neither a length nor filled bytes that make sense it is no buffer.
        if own.is_none() && in_range(filled, usual.unwrap_or(limit)).is_none() {
            return Ok(Extent::None(cause));
        }
        // The header buffer of a compressed file has a size of its own.
        if let Some(size) = own.filter(|_| self.live && (own == usual || usual.is_none()))
            && self.intact(size)?.is_some()
        {
            return Ok(Extent::Whole(size));
        }
        // A wrong size may lead to some later buffer by chance, so the smaller one is tried first.
        let mut sizes = [usual, own];
        sizes.sort_unstable();
        for size in sizes.into_iter().flatten() {
            if self.search().is_start_or_end(size)? && (usual.is_some() || !self.hides_a_buffer(size)?) {
                return Ok(extent_of(size));
            }
        }
        // Nothing has to be searched where only unwritten space follows a length that is right anyway.
        if let Some(size) = own.filter(|_| own == usual)
            && self.search().is_zeroed(size)
        {
            return Ok(Extent::Whole(size));
        }
        let next = self.search().next_start(1)?;
        let fits = |size: usize| next.is_err() || next.is_ok_and(|next| size <= next);
        for size in [usual, own].into_iter().flatten() {
            // What begins inside may be the content of a record, unless it lies where no record is.
            if fits(size) || !self.hides_a_buffer(size)? {
                return Ok(extent_of(size));
            }
        }
        Ok(match next {
            // Another begins where there is hardly room for a header: what lies here is none.
            Ok(have) if have <= BufferHeader::LEN => Extent::None(cause),
            Ok(have) => match own.or(usual) {
                Some(size) => Extent::Shortened { size, have, cause },
                None => Extent::Repaired(have, cause),
            },
            // The last of a compressed file.
            Err(have) if compressed => Extent::Repaired(have, cause),
            Err(_) => Extent::None(cause),
        })
    }

    /// Whether another buffer begins inside the `size` bytes here, where no good record of this buffer is.
    fn hides_a_buffer(&mut self, size: usize) -> Result<bool, Error> {
        if !matches!(self.search().next_start(1)?, Ok(next) if next < size) {
            return Ok(false);
        }
        let here = self.offset().get();
        if here < self.doubtful_until {
            return Ok(true);
        }
        let hides = match self.intact(size)? {
            // Behind the filled bytes nothing is stored.
            Some(filled) => self.search().has_start_in(filled..size)?,
            None => true,
        };
        if hides {
            self.doubtful_until = here.saturating_add(Offset::from(size).get());
        }
        Ok(hides)
    }

    /// The filled bytes of an uncompressed buffer of `size` bytes here, if there is one without damage.
    fn intact(&mut self, size: usize) -> Result<Option<usize>, Error> {
        let layout = self.session.layout();
        let bytes = self.window.fill(size)?;
        let view = BufferHeader::parse(bytes, layout)
            .and_then(|header| BufferView::with_size(header, bytes, Offset::from(size).get()));
        let view = view.ok().filter(|view| view.records().all(|record| record.is_ok()));
        Ok(view.map(|view| view.valid_bytes().len()))
    }

    /// The buffer of `size` bytes here, of which `have` are there, if it can be delivered; otherwise it is reported and
    /// passed over.
    fn check(&mut self, size: usize, have: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let stored = self.window.fill(have)?;
        let view = match BufferHeader::parse(stored, layout) {
            Ok(header) if header.is_compressed() => return self.check_compressed(size, have),
            Ok(header) => BufferView::with_size(header, stored, Offset::from(size).get()),
            Err(cause) => Err(cause),
        };
        match view.map(|view| view.missing_bytes()) {
            Ok(missing) => {
                if self.header.is_none() && self.buffer_size.is_none() && layout == Layout::Modern {
                    self.buffer_size = Some(size);
                }
                // A cut through the unused rest of a buffer costs nothing.
                if missing > 0 {
                    let at = self.offset();
                    self.damage.add(Damage { kind: DamageKind::CutBuffer, at, len: missing, cause: None });
                }
                Ok(Some(Found { size, have, compressed: false }))
            }
            Err(cause) => {
                self.report(DamageKind::BadBuffer, have, Some(DamageCause::Parse(cause)));
                self.pass(have)?;
                Ok(None)
            }
        }
    }

    /// The compressed buffer here, which claims `size` bytes. Whether they expand to the announced length and something
    /// begins behind them tells whether that is true; if not, a shorter one that ends where the next begins may be.
    fn check_compressed(&mut self, size: usize, have: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let whole = have == size;
        // Where a long claim proved false before, another one is not believed: trying all of them would take a time that
        // grows with the square of the length.
        if self.offset().get() >= self.doubtful_until {
            let expanded = self.expander.expand(self.window.fill(have)?, layout);
            if whole && expanded.is_ok() && (self.live || self.search().is_start_or_end(size)?) {
                return Ok(Some(Found { size, have, compressed: true }));
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
        if self.expander.expand(self.window.fill(shorter)?, layout).is_ok() {
            if shorter < size {
                self.report_false_size(size, shorter);
            }
            return Ok(Some(Found { size: shorter, have: shorter, compressed: true }));
        }
        self.check_up_to(size, next)
    }

    /// The compressed buffer here, whose claim of `size` bytes cannot be true: it may reach to the `next`.
    fn check_up_to(&mut self, size: usize, next: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let stored = self.window.fill(next)?;
        match self.expander.expand(stored, layout) {
            Ok(()) => {
                self.report_false_size(size, next);
                Ok(Some(Found { size: next, have: next, compressed: true }))
            }
            Err(cause) => {
                self.report(DamageKind::Compressed, next, Some(DamageCause::Expand(cause)));
                self.pass(next)?;
                Ok(None)
            }
        }
    }

    /// The buffer here claims `size` bytes and has `found`.
    fn report_false_size(&mut self, size: usize, found: usize) {
        let cause = out_of_range("buffer size", Offset::from(size).get(), found);
        self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
    }

    /// Passes over everything up to the next buffer.
    fn pass_garbage(&mut self, kind: DamageKind, cause: ParseError) -> Result<(), Error> {
        let at = self.offset();
        let cause = Some(DamageCause::Parse(cause.based_at(at)));
        let mut from = 1;
        // Every turn passes over a buffer's length or finds where to stop.
        loop {
            let next = if self.session.layout() == Layout::Modern {
                self.next_buffer_start(from)?
            } else {
                Err(self.window.fill(ZERO_BLOCK)?.len())
            };
            let step = next.unwrap_or_else(|none_in| none_in);
            self.pass(step)?;
            if next.is_ok() || step == 0 {
                break;
            }
            from = 0;
        }
        let len = self.offset().get().saturating_sub(at.get());
        self.damage.add(Damage { kind, at, len, cause });
        Ok(())
    }

    /// Where the next buffer begins: at the usual distance if one does, so that the content of a record does not pass for
    /// one; else where the search finds it.
    fn next_buffer_start(&mut self, from: usize) -> Result<Result<usize, usize>, Error> {
        if let Some(usual) = self.buffer_size
            && self.search().is_start_or_end(usual)?
        {
            return Ok(Ok(usual));
        }
        self.search().next_start(from)
    }

    /// Passes over zeros: an unwritten tail if nothing else follows, damage otherwise.
    fn pass_zeros(&mut self) -> Result<(), Error> {
        let at = self.offset();
        // Where buffers lie at regular distances, only whole ones are passed over: the next may begin with a zero.
        let cell = self.buffer_size.unwrap_or(1);
        let block = ZERO_BLOCK.checked_next_multiple_of(cell).unwrap_or(ZERO_BLOCK);
        // Every turn consumes at least one byte or ends the loop.
        loop {
            let bytes = self.window.fill(block)?;
            let have = bytes.len();
            let zeros = bytes.iter().position(|byte| *byte != 0).unwrap_or(have);
            if zeros == have && have < block {
                self.window.consume(zeros);
                let len = self.offset().get().saturating_sub(at.get());
                self.unwritten_tail = self.unwritten_tail.saturating_add(len);
                return Ok(());
            }
            self.window.consume(zeros.saturating_sub(zeros.checked_rem(cell).unwrap_or_default()));
            if zeros < have {
                break;
            }
        }
        let passed = self.offset() > at;
        if !passed || self.buffer_size.is_none() {
            // Only a header is zeroed, or no regular distance tells where the next buffer begins.
            let step = match self.buffer_size {
                Some(usual) if self.session.layout() != Layout::Modern => usual,
                _ => self.next_buffer_start(usize::from(!passed))?.unwrap_or_else(|none_in| none_in),
            };
            self.pass(step)?;
        }
        let kind = if passed { DamageKind::Zeroed } else { DamageKind::NoBuffer };
        let len = self.offset().get().saturating_sub(at.get());
        self.damage.add(Damage { kind, at, len, cause: None });
        Ok(())
    }

    /// Consumes `len` bytes, or up to the end of the source.
    pub(super) fn pass(&mut self, len: usize) -> Result<(), Error> {
        let len = self.window.fill(len)?.len();
        self.window.consume(len);
        Ok(())
    }

    /// Counts damage that starts here. Offsets in the cause count from here.
    pub(super) fn report(&mut self, kind: DamageKind, len: usize, cause: Option<DamageCause>) {
        let at = self.offset();
        let cause = cause.map(|cause| cause.based_at(at));
        self.damage.add(Damage { kind, at, len: Offset::from(len).get(), cause });
    }

    pub(super) fn search(&mut self) -> Search<'_, R> {
        Search {
            window: &mut self.window,
            expander: &self.expander,
            searched: &mut self.searched,
            layout: self.session.layout(),
            limit: self.limits.buffer_bytes,
        }
    }
}

/// How much is read at once where nothing is kept.
const ZERO_BLOCK: usize = 64 * 1024;

fn out_of_range(field: &'static str, value: u64, max: usize) -> ParseError {
    ParseError::OutOfRange {
        what: "buffer header",
        field,
        at: Offset(0),
        value,
        min: Offset::from(BufferHeader::LEN).get(),
        max: Offset::from(max).get(),
    }
}
