//! Where the next buffer is, and what is passed over on the way to it.

use crate::buffer::{BufferHeader, BufferView, Layout};
use crate::error::{Offset, ParseError};
use crate::file::damage::{Damage, DamageCause, DamageKind, DamageReport};
use crate::file::error::Error;
use crate::file::input::Input;
use crate::file::search::{Search, Searched};
use crate::limits::Limits;
use crate::trace::{Expander, LogFileHeader, SessionInfo};

/// A walk from buffer to buffer over a source, in the order of the source.
#[derive(Debug)]
pub(super) struct Walk<I> {
    pub(super) input: I,
    pub(super) limits: Limits,
    pub(super) header: Option<LogFileHeader>,
    /// Where the buffer lies that it was read from.
    pub(super) header_at: Option<u64>,
    pub(super) session: SessionInfo,
    /// The distance between the buffers of an uncompressed file, once it is known.
    pub(super) buffer_size: Option<usize>,
    /// Where the buffer lies that told it where no header did.
    pub(super) size_told_at: u64,
    pub(super) expander: Expander,
    searched: Searched,
    /// Up to here, lengths of compressed buffers are not believed before it is known where the next one begins.
    pub(super) doubtful_until: u64,
    /// What follows a good buffer is not waited for, since it may not have been written yet.
    pub(super) live: bool,
    /// Whether a compressed buffer is taken for good unread if another begins where it says that it ends.
    pub(super) believes: bool,
    pub(super) damage: DamageReport,
    /// Bytes that belong to no buffer that was found and to no unwritten tail.
    pub(super) skipped: u64,
    pub(super) unwritten_tail: u64,
    /// Places looked at and bytes gone over, but for what every walk has to look at.
    pub(super) work: u64,
}

/// A buffer that can be delivered, at the reader's place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// The buffer's length, which its filled bytes do not exceed.
    pub(super) size: usize,
    /// How much of it is there; less if the source ends or another buffer begins before.
    pub(super) have: usize,
    pub(super) compressed: bool,
    /// It was taken for good unread.
    pub(super) believed: bool,
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

impl<I: Input> Walk<I> {
    pub(super) fn new(input: I, limits: Limits) -> Self {
        Self {
            input,
            header: None,
            header_at: None,
            session: SessionInfo::unknown(),
            buffer_size: None,
            size_told_at: 0,
            expander: Expander::new(None, &limits),
            searched: Searched::default(),
            doubtful_until: 0,
            live: false,
            believes: false,
            damage: DamageReport::new(limits.damage_entries),
            skipped: 0,
            unwritten_tail: 0,
            work: 0,
            limits,
        }
    }

    /// Forgets what was found, for another walk.
    pub(super) fn forget(&mut self) {
        self.searched = Searched::default();
        self.doubtful_until = 0;
        self.buffer_size = self.buffer_size.filter(|_| self.header.is_some());
        self.skipped = 0;
        self.unwritten_tail = 0;
        self.damage = DamageReport::new(self.limits.damage_entries);
    }

    /// The present place in the source.
    pub(super) fn offset(&self) -> Offset {
        Offset(self.input.offset())
    }

    /// Finds the next buffer that can be delivered, passes over what cannot, and reports that.
    pub(super) fn locate(&mut self) -> Result<Option<Found>, Error> {
        self.locate_before(u64::MAX)
    }

    /// The same, but looks at no place from `end` on.
    pub(super) fn locate_before(&mut self, end: u64) -> Result<Option<Found>, Error> {
        // Every turn consumes at least one byte or ends the walk.
        while self.input.offset() < end {
            let bytes = self.input.peek(0, BufferHeader::LEN)?;
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
                self.pass(have)?;
                return Ok(None);
            }
            let extent = self.extent()?;
            let found = match extent {
                Extent::Whole(size) => {
                    let have = self.input.available(size)?;
                    let found = self.check(size, have, self.believes)?;
                    if let Some(found) = found {
                        self.learn_size(&found)?;
                    }
                    found
                }
                Extent::Repaired(size, _) => {
                    let have = self.input.available(size)?;
                    self.check(size, have, false)?
                }
                Extent::Shortened { size, have, cause } => {
                    let before = self.damage.count();
                    let found = self.check(size, have, false)?;
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
        Ok(None)
    }

    /// How long the buffer here is. Its own word counts if another buffer, or the end, follows where it says; else what
    /// follows at the session's usual distance; else where the next buffer is found.
    fn extent(&mut self) -> Result<Extent, Error> {
        let layout = self.session.layout();
        let limit = self.limits.buffer_bytes;
        let header = BufferHeader::parse(self.input.peek(0, BufferHeader::LEN)?, layout);
        let filled = header.map(|header| header.filled_bytes()).unwrap_or_default();
        let compressed = header.is_ok_and(|header| header.is_compressed());
        let usual = self.buffer_size.filter(|_| !compressed);
        let Some(stored) = header.ok().and_then(|header| header.buffer_size()) else {
            // Before 6.0 only the session knows.
            return match usual {
                Some(usual) => self.extent_by_session(usual),
                None => Ok(Extent::None(out_of_range("buffer size of the session", 0, limit))),
            };
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
            && self.intact(0, size)?.is_some()
        {
            return Ok(Extent::Whole(size));
        }
        // A wrong size may lead to some later buffer by chance, so the smaller one is tried first.
        let mut sizes = [usual, own];
        sizes.sort_unstable();
        for size in sizes.into_iter().flatten() {
            if self.search().is_start_or_end(size)? && (usual == Some(size) || !self.hides_a_buffer(size)?) {
                return Ok(extent_of(size));
            }
        }
        // The next one may be damaged at its start.
        if let Some(size) = own
            && self.search().size_at(size)?.is_some()
            && (usual == own || !self.hides_a_buffer(size)?)
        {
            return Ok(Extent::Whole(size));
        }
        // Nothing further has to be searched if none begins inside a length that is right anyway.
        if let Some(size) = own.filter(|_| own == usual)
            && !self.search().has_start_in(1..size)?
        {
            return Ok(Extent::Whole(size));
        }
        let next = self.search().next_start(1)?;
        let fits = |size: usize| next.is_err() || next.is_ok_and(|next| size <= next);
        // What begins inside, with another one or with filler behind it, is one, since nothing speaks for this length as much.
        let is_whole = match next {
            Ok(next) => self.search().is_before_another(next)? || self.is_filled_up(next, usual, 0)?,
            Err(_) => false,
        };
        for size in [usual, own].into_iter().flatten() {
            if fits(size) || !is_whole && self.is_filled_up(0, Some(size), next.unwrap_or(size))? {
                return Ok(extent_of(size));
            }
        }
        // Else it may be the content of a record, unless it is sound, or lies where no record is.
        if !is_whole && !self.is_good_at(next.unwrap_or_default())? {
            for size in [usual, own].into_iter().flatten() {
                if !self.hides_a_buffer(size)? {
                    return Ok(extent_of(size));
                }
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

    /// How long a buffer is that does not say so: as long as all of its session, unless another begins before.
    fn extent_by_session(&mut self, usual: usize) -> Result<Extent, Error> {
        if self.search().is_start_or_end(usual)? {
            return Ok(Extent::Whole(usual));
        }
        let next = self.search().next_start(1)?;
        let Some(have) = next.ok().filter(|next| *next < usual) else { return Ok(Extent::Whole(usual)) };
        let cause = out_of_range("buffer size of the session", Offset::from(usual).get(), have);
        let is_one = have > BufferHeader::LEN && self.search().is_start_at(0)?;
        Ok(if is_one { Extent::Shortened { size: usual, have, cause } } else { Extent::None(cause) })
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
        let hides = match self.intact(0, size)? {
            // Behind the filled bytes nothing is stored.
            Some(filled) => self.search().has_start_in(filled..size)?,
            None => true,
        };
        if hides {
            self.doubtful_until = here.saturating_add(Offset::from(size).get());
        }
        Ok(hides)
    }

    /// Whether a buffer with records and without damage begins `at` bytes from here. Where that was found out before, it is
    /// taken for granted.
    fn is_good_at(&mut self, at: usize) -> Result<bool, Error> {
        let here = self.offset().get();
        if here < self.doubtful_until {
            return Ok(true);
        }
        let layout = self.session.layout();
        let Ok(header) = BufferHeader::parse(self.input.peek(at, BufferHeader::LEN)?, layout) else {
            return Ok(false);
        };
        let size = header.buffer_size().and_then(|size| usize::try_from(size).ok()).or(self.buffer_size);
        let size = size.unwrap_or_default().min(self.limits.buffer_bytes);
        let is_good = if header.is_compressed() {
            self.expands_at(at)?
        } else {
            self.intact(at, size)?.is_some_and(|filled| filled > BufferHeader::LEN)
        };
        self.doubtful_until = here.saturating_add(Offset::from(at.saturating_add(size)).get());
        Ok(is_good)
    }

    /// Whether an uncompressed buffer without damage begins `at` bytes from here, which has nothing but filler behind its
    /// records, and `inner` bytes into it a record. Of the length that is given, or that it tells. Not again where a length
    /// proved false before.
    fn is_filled_up(&mut self, at: usize, size: Option<usize>, inner: usize) -> Result<bool, Error> {
        if self.offset().get() < self.doubtful_until {
            return Ok(false);
        }
        let size = match size {
            Some(size) => size,
            None => self.search().size_at(at)?.unwrap_or_default(),
        };
        let filled = self.intact(at, size)?.filter(|filled| inner < *filled && *filled < size);
        let Some(filled) = filled else { return Ok(false) };
        // Zeros alone may be anything, and where a header buffer has some, ones follow.
        let rest = size.saturating_sub(filled);
        let filler = self.input.peek(at.saturating_add(filled), rest)?;
        Ok(filler.len() == rest
            && filler.last() == Some(&0xFF)
            && filler.iter().all(|byte| matches!(byte, 0 | 0xFF)))
    }

    /// The filled bytes of an uncompressed buffer of `size` bytes that begins `at` bytes from here, if there is one without
    /// damage.
    fn intact(&mut self, at: usize, size: usize) -> Result<Option<usize>, Error> {
        let layout = self.session.layout();
        let header = self.input.peek(at, BufferHeader::LEN)?;
        let filled = BufferHeader::parse(header, layout).map_or(0, |header| header.filled_bytes());
        let bytes = self.input.peek(at, size.min(usize::try_from(filled).unwrap_or(usize::MAX)))?;
        self.work = self.work.saturating_add(Offset::from(bytes.len()).get());
        let view = BufferHeader::parse(bytes, layout)
            .and_then(|header| BufferView::with_size(header, bytes, Offset::from(size).get()));
        let view = view.ok().filter(|view| view.records().all(|record| record.is_ok()));
        Ok(view.map(|view| view.valid_bytes().len()))
    }

    /// Without a header, the first uncompressed buffer that another one follows tells how long all of them are.
    fn learn_size(&mut self, found: &Found) -> Result<(), Error> {
        let Found { size, compressed, .. } = *found;
        if self.header.is_none()
            && self.buffer_size.is_none()
            && !compressed
            && (self.live
                || self.search().is_start_or_end(size)?
                || self.search().is_start_but_for_length(size, size)?)
        {
            self.buffer_size = Some(size);
            self.size_told_at = self.input.offset();
        }
        Ok(())
    }

    /// The buffer of `size` bytes here, of which `have` are there, if it can be delivered; otherwise it is reported and
    /// passed over. `believes` is whether the length is believed of a compressed one that ends where another begins.
    fn check(&mut self, size: usize, have: usize, believes: bool) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let filled = match BufferHeader::parse(self.input.peek(0, BufferHeader::LEN)?, layout) {
            Ok(header) if header.is_compressed() => return self.check_compressed(size, have, believes),
            Ok(header) => header.checked_filled(Offset::from(size).get()),
            Err(cause) => Err(cause),
        };
        match filled {
            Ok(filled) => {
                // A cut through the unused rest of a buffer costs nothing.
                let missing = filled.saturating_sub(have);
                if missing > 0 {
                    self.report(DamageKind::CutBuffer, missing, None);
                }
                Ok(Some(Found { size, have, compressed: false, believed: false }))
            }
            Err(cause) => {
                self.report(DamageKind::BadBuffer, have, Some(DamageCause::Parse(cause)));
                self.pass(have)?;
                Ok(None)
            }
        }
    }

    /// Passes over everything up to the next buffer.
    fn pass_garbage(&mut self, kind: DamageKind, cause: ParseError) -> Result<(), Error> {
        let at = self.offset();
        let cause = Some(DamageCause::Parse(cause.based_at(at)));
        let mut from = 1;
        // Every turn passes over a buffer's length or finds where to stop.
        loop {
            let next = self.next_buffer_start(from)?;
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
    pub(super) fn next_buffer_start(&mut self, from: usize) -> Result<Result<usize, usize>, Error> {
        let Some(usual) = self.buffer_size else { return self.search().next_start(from) };
        if self.search().is_start_or_end(usual)? {
            return Ok(Ok(usual));
        }
        let next = self.search().next_start(from)?;
        let is_nearer = next.is_ok_and(|next| next <= usual);
        if !is_nearer && self.search().is_start_but_for_length(usual, usual)? {
            return Ok(Ok(usual));
        }
        Ok(next)
    }

    /// Passes over `len` bytes, or up to the end of the source, that nothing comes of.
    pub(super) fn pass(&mut self, len: usize) -> Result<(), Error> {
        let len = self.input.skip(len)?;
        self.skipped = self.skipped.saturating_add(Offset::from(len).get());
        Ok(())
    }

    /// Counts damage that starts here. Offsets in the cause count from here.
    pub(super) fn report(&mut self, kind: DamageKind, len: usize, cause: Option<DamageCause>) {
        let at = self.offset();
        let cause = cause.map(|cause| cause.based_at(at));
        self.damage.add(Damage { kind, at, len: Offset::from(len).get(), cause });
    }

    pub(super) fn search(&mut self) -> Search<'_, I> {
        let layout = self.session.layout();
        // Those who do not say how long they are, are as long as the session has them.
        let limit = if layout == Layout::Modern {
            self.limits.buffer_bytes
        } else {
            self.buffer_size.unwrap_or(self.limits.buffer_bytes)
        };
        Search {
            input: &mut self.input,
            expander: &self.expander,
            searched: &mut self.searched,
            layout,
            limit,
            usual: self.buffer_size.filter(|_| layout == Layout::Modern),
            compressed: self.header.as_ref().is_some_and(LogFileHeader::is_compressed),
            work: &mut self.work,
        }
    }
}

pub(super) fn out_of_range(field: &'static str, value: u64, max: usize) -> ParseError {
    ParseError::OutOfRange {
        what: "buffer header",
        field,
        at: Offset(0),
        value,
        min: Offset::from(BufferHeader::LEN).get(),
        max: Offset::from(max).get(),
    }
}
