//! Where the next buffer is, and what is passed over on the way to it.

use std::io::Read;

use crate::buffer::{BufferHeader, BufferView, Layout};
use crate::error::{Offset, ParseError};
use crate::file::damage::{Damage, DamageCause, DamageKind};
use crate::file::error::Error;
use crate::file::reader::EtlReader;
use crate::file::search::Search;

/// A buffer that can be delivered, at the reader's place.
pub(super) struct Found {
    /// Bytes to the next buffer.
    pub(super) size: usize,
    /// Bytes that are there; less if the source ends before.
    pub(super) have: usize,
    pub(super) compressed: bool,
}

/// How long a buffer is.
enum Size {
    Believed(usize),
    /// The header's own word contradicts what lies behind.
    Repaired(usize, ParseError),
    /// It is no buffer.
    None(ParseError),
}

impl<R: Read> EtlReader<R> {
    /// Finds the next buffer that can be delivered, passes over what cannot, and reports that.
    pub(super) fn locate(&mut self) -> Result<Option<Found>, Error> {
        // Every turn consumes at least one byte or ends the walk.
        loop {
            let have = self.window.fill(BufferHeader::LEN)?.len();
            if have == 0 {
                return Ok(None);
            }
            if self.window.bytes().iter().take(BufferHeader::LEN).all(|byte| *byte == 0) {
                self.pass_zeros()?;
                continue;
            }
            if have < BufferHeader::LEN {
                let missing = BufferHeader::LEN.saturating_sub(have);
                self.report(DamageKind::CutBuffer, missing, None);
                self.window.consume(have);
                return Ok(None);
            }
            match self.size_here()? {
                Size::Believed(size) => {
                    if let Some(found) = self.check(size)? {
                        return Ok(Some(found));
                    }
                }
                Size::Repaired(size, cause) => {
                    if let Some(found) = self.check(size)? {
                        self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
                        return Ok(Some(found));
                    }
                }
                Size::None(cause) => {
                    self.pass_garbage(DamageKind::NoBuffer, Some(DamageCause::Parse(cause)))?
                }
            }
        }
    }

    /// How long the buffer here is, with a look at what lies behind it where its own word is in doubt.
    fn size_here(&mut self) -> Result<Size, Error> {
        let layout = self.session.layout();
        let bytes = self.window.fill(BufferHeader::LEN)?;
        let header = BufferHeader::parse(bytes, layout);
        let Some(own) = header.ok().and_then(|header| header.buffer_size()) else {
            // Before 6.0 only the session knows.
            return Ok(match self.buffer_size {
                Some(size) => Size::Believed(size),
                None => Size::None(out_of_range("buffer size of the session", 0, self.limits.buffer_bytes)),
            });
        };
        let compressed = header.is_ok_and(|header| header.is_compressed());
        let cause = out_of_range("buffer size", own.into(), self.limits.buffer_bytes);
        let own = usize::try_from(own)
            .ok()
            .filter(|size| (BufferHeader::LEN..=self.limits.buffer_bytes).contains(size));
        match (own, self.buffer_size) {
            (Some(own), Some(usual)) if own == usual => return Ok(Size::Believed(own)),
            // Compressed buffers have any size; whether they expand tells more than what lies behind them.
            (Some(own), _) if compressed => return Ok(Size::Believed(own)),
            (Some(own), None) if self.header.is_none() && self.buffers == 0 => {
                return Ok(Size::Believed(own));
            }
            _ => {}
        }
        // A wrong size may lead to some later buffer by chance, so the usual one is tried first.
        let usual = self.buffer_size;
        if let Some(usual) = usual
            && self.search().is_start_or_end(usual)?
        {
            return Ok(Size::Repaired(usual, cause));
        }
        if let Some(own) = own
            && self.search().is_start_or_end(own)?
        {
            return Ok(Size::Believed(own));
        }
        let next = self.search().next_start(1)?;
        Ok(match (usual, own) {
            // What begins inside tells that this is no buffer, or none of the usual size.
            (Some(usual), _) if next.is_err() || next.is_ok_and(|next| usual <= next) => {
                Size::Repaired(usual, cause)
            }
            (None, Some(own)) if next.is_err() => Size::Believed(own),
            _ => Size::None(cause),
        })
    }

    /// The buffer of `size` bytes here, if it can be delivered; otherwise it is reported and passed over.
    fn check(&mut self, size: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let have = self.window.fill(size)?.len();
        let bytes = self.window.bytes();
        let stored = bytes.get(..have).unwrap_or(bytes);
        let header = match BufferHeader::parse(stored, layout) {
            Ok(header) => header,
            Err(cause) => {
                self.pass_garbage(DamageKind::NoBuffer, Some(DamageCause::Parse(cause)))?;
                return Ok(None);
            }
        };
        if header.is_compressed() {
            return self.check_compressed(size);
        }
        match BufferView::with_size(header, stored, Offset::from(size).get()) {
            Ok(view) => {
                let data_missing = view.missing_bytes();
                if self.buffer_size.is_none() && self.header.is_none() && layout == Layout::Modern {
                    self.buffer_size = Some(size);
                }
                // A cut through the unused rest of a buffer costs nothing.
                if data_missing > 0 {
                    self.damage.add(Damage {
                        kind: DamageKind::CutBuffer,
                        at: Offset(self.window.offset()),
                        len: data_missing,
                        cause: None,
                    });
                }
                Ok(Some(Found { size, have, compressed: false }))
            }
            Err(cause) => {
                self.pass_buffer(size, DamageCause::Parse(cause))?;
                Ok(None)
            }
        }
    }

    /// The compressed buffer here, which claims `size` bytes. Whether they expand to the announced length and something
    /// begins behind them tells whether that is true; if not, a shorter one that ends where the next begins may be.
    fn check_compressed(&mut self, size: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let stored = self.window.fill(size)?;
        let have = stored.len();
        let expanded = self.expander.expand(stored, layout);
        let whole = have == size;
        if whole && expanded.is_ok() && self.search().is_start_or_end(size)? {
            return Ok(Some(Found { size, have, compressed: true }));
        }
        let next = self.search().next_start(1)?;
        if let Ok(next) = next
            && next < size
        {
            return self.check_shortened(size, next);
        }
        if !whole {
            self.report(DamageKind::CutBuffer, size.saturating_sub(have), None);
            self.window.consume(have);
            return Ok(None);
        }
        match expanded {
            Ok(()) => Ok(Some(Found { size, have, compressed: true })),
            Err(cause) => self.pass_damaged(next.unwrap_or(size), DamageCause::Expand(cause)),
        }
    }

    /// The compressed buffer here, which claims `size` bytes, of which only `next` can be its own.
    fn check_shortened(&mut self, size: usize, next: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let stored = self.window.fill(next)?;
        match self.expander.expand(stored, layout) {
            Ok(()) => {
                let cause = out_of_range("buffer size", Offset::from(size).get(), next);
                self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
                Ok(Some(Found { size: next, have: next, compressed: true }))
            }
            Err(cause) => self.pass_damaged(next, DamageCause::Expand(cause)),
        }
    }

    /// Passes over a compressed buffer that does not expand.
    fn pass_damaged(&mut self, len: usize, cause: DamageCause) -> Result<Option<Found>, Error> {
        self.report(DamageKind::Compressed, len, Some(cause));
        self.pass(len)?;
        Ok(None)
    }

    /// Passes over a buffer whose content cannot be used: by its size if something begins behind it, else by a search.
    fn pass_buffer(&mut self, size: usize, cause: DamageCause) -> Result<(), Error> {
        let believed = self.buffer_size == Some(size)
            || self.session.layout() != Layout::Modern
            || self.search().is_start_or_end(size)?;
        if believed {
            let len = self.window.fill(size)?.len();
            self.report(DamageKind::BadBuffer, len, Some(cause));
            self.window.consume(len);
            Ok(())
        } else {
            self.pass_garbage(DamageKind::BadBuffer, Some(cause))
        }
    }

    /// Consumes `len` bytes, or up to the end of the source.
    pub(super) fn pass(&mut self, len: usize) -> Result<(), Error> {
        let len = self.window.fill(len)?.len();
        self.window.consume(len);
        Ok(())
    }

    /// Passes over everything up to the next buffer.
    fn pass_garbage(&mut self, kind: DamageKind, cause: Option<DamageCause>) -> Result<(), Error> {
        let at = Offset(self.window.offset());
        let mut len = 0_usize;
        // Every turn passes over a buffer's length or finds where to stop.
        loop {
            let from = usize::from(len == 0);
            let (step, found) = if self.session.layout() == Layout::Modern {
                match self.search().next_start(from)? {
                    Ok(next) => (next, true),
                    Err(none_in) => (none_in, false),
                }
            } else {
                (self.window.fill(BufferHeader::LEN)?.len(), false)
            };
            self.pass(step)?;
            len = len.saturating_add(step);
            if found || step == 0 {
                break;
            }
        }
        self.damage.add(Damage { kind, at, len: Offset::from(len).get(), cause });
        Ok(())
    }

    /// Passes over zeros: an unwritten tail if nothing else follows, damage otherwise.
    fn pass_zeros(&mut self) -> Result<(), Error> {
        let at = Offset(self.window.offset());
        // Where buffers lie at regular distances, a buffer whose header alone is zeroed is not cut in two.
        let cell = self.buffer_size.unwrap_or(1);
        let mut len = 0_u64;
        // Every turn consumes at least one byte or returns.
        loop {
            let block = cell.max(ZERO_BLOCK.checked_div(cell).unwrap_or(1).max(1).saturating_mul(cell));
            let bytes = self.window.fill(block)?;
            let have = bytes.len();
            let zeros = bytes.iter().position(|byte| *byte != 0).unwrap_or(have);
            let at_end = zeros == have && have < block;
            let whole =
                if at_end { zeros } else { zeros.checked_div(cell).unwrap_or(0).saturating_mul(cell) };
            self.window.consume(whole);
            len = len.saturating_add(Offset::from(whole).get());
            if at_end {
                self.unwritten_tail = self.unwritten_tail.saturating_add(len);
                return Ok(());
            }
            if zeros < have {
                break;
            }
        }
        if self.buffer_size.is_some() && len > 0 {
            self.damage.add(Damage { kind: DamageKind::Zeroed, at, len, cause: None });
            return Ok(());
        }
        // No grid tells where the next buffer begins, or only its header is zeroed.
        let from = usize::from(len == 0);
        let step = match self.search().next_start(from)? {
            Ok(step) | Err(step) => step,
        };
        self.pass(step)?;
        len = len.saturating_add(Offset::from(step).get());
        self.damage.add(Damage { kind: DamageKind::Zeroed, at, len, cause: None });
        Ok(())
    }

    /// Counts damage that starts here.
    pub(super) fn report(&mut self, kind: DamageKind, len: usize, cause: Option<DamageCause>) {
        let at = Offset(self.window.offset());
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
