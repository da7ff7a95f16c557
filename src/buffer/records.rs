//! The walk from record to record, and the search for the next good one after damage.

use alloc::vec::Vec;

use crate::buffer::damage::{RecordDamage, RecordDamageKind};
use crate::buffer::header::BufferHeader;
use crate::bytes::u32_at;
use crate::error::{Offset, ParseError};
use crate::record::{Parsed, Record, Shapes};

/// The records of a buffer in its order, and the damage between them. Made by
/// [`BufferView::records`](crate::buffer::BufferView::records).
///
/// Every byte between the header and the end of the valid bytes is in a record (or its padding), in a reported damage, or
/// unused space, zeros or ones up to the end, which ends the walk silently. Allocates nothing, except once when a search is needed:
/// then one bit for each 8 bytes of the buffer. The work is linear in the buffer, damaged or not.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    valid: &'a [u8],
    walk: RecordWalk,
}

impl<'a> Records<'a> {
    pub(super) fn new(valid: &'a [u8], filled: usize, shapes: Shapes) -> Self {
        Self { valid, walk: RecordWalk::new(valid.len(), filled, shapes) }
    }

    /// Where the walk stands: the start of the next record, or where it ended.
    #[must_use]
    pub fn offset(&self) -> Offset {
        Offset::from(self.walk.at)
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordDamage>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next(self.valid)
    }
}

impl core::iter::FusedIterator for Records<'_> {}

/// Where a walk over records stands, without the bytes that it goes over: whoever keeps a buffer can keep this beside it.
#[derive(Clone, Debug)]
pub(crate) struct RecordWalk {
    at: usize,
    /// Where the hot path stops reading: at `end`, or at 0 while the slow path has something to say first.
    fast_end: usize,
    /// Where the walk ends.
    end: usize,
    /// Where the valid bytes should end; past `end` if the input is cut.
    filled: usize,
    shapes: Shapes,
    /// Where a record starts whose damage is to be reported before the next one. No more than that, so that the walk
    /// stays small for those who keep many.
    pending: Option<usize>,
}

impl RecordWalk {
    /// A walk over nothing.
    #[cfg(feature = "std")]
    pub(crate) const EMPTY: Self = Self::new(0, 0, Shapes::MODERN);

    /// A walk over `len` valid bytes, which should be `filled`.
    pub(crate) const fn new(len: usize, filled: usize, shapes: Shapes) -> Self {
        Self { at: BufferHeader::LEN, fast_end: len, end: len, filled, shapes, pending: None }
    }

    /// The start of the next record, or where the walk ended.
    #[cfg(feature = "std")]
    pub(crate) const fn place(&self) -> usize {
        self.at
    }

    /// The next step over `valid`, which has to be the same bytes each time.
    ///
    /// Ends: each call that yields moves at least 8 bytes on, or takes the pending report.
    #[inline]
    pub(crate) fn next<'a>(&mut self, valid: &'a [u8]) -> Option<Result<Record<'a>, RecordDamage>> {
        let fast = valid.get(..self.fast_end).unwrap_or_default();
        match Record::plain(fast, self.at, self.shapes) {
            Some((record, next)) => {
                self.at = next;
                Some(Ok(record))
            }
            None => self.next_slow(valid.get(..self.end).unwrap_or_default()),
        }
    }

    /// The fast part of [`Self::next`] by itself, for those who take several records in a row: once it yields no more, the
    /// walk has to follow it and go on itself.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn plain_run<'a>(&self, valid: &'a [u8]) -> PlainRun<'a> {
        let fast = valid.get(..self.fast_end).unwrap_or_default();
        PlainRun { fast, at: self.at, shapes: self.shapes }
    }

    /// Goes on where a run stopped.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) const fn follow(&mut self, run: &PlainRun<'_>) {
        self.at = run.at;
    }

    /// Everything but a plain record with a plain record's neighbours.
    #[cold]
    fn next_slow<'a>(&mut self, valid: &'a [u8]) -> Option<Result<Record<'a>, RecordDamage>> {
        if let Some(at) = self.pending.take() {
            self.fast_end = self.end;
            if let Parsed::Record(record, _) = Parsed::at(valid, at, self.shapes)
                && let Some(cause) = record.damage()
            {
                let kind = RecordDamageKind::ExtendedItems;
                return Some(Err(RecordDamage { kind, at: record.offset(), len: 0, cause }));
            }
        }
        if self.at >= valid.len() {
            return None;
        }
        match Parsed::at(valid, self.at, self.shapes) {
            Parsed::Record(record, next) => {
                if record.damage().is_some() {
                    self.pending = Some(self.at);
                    self.fast_end = 0;
                }
                self.at = next;
                Some(Ok(record))
            }
            Parsed::End => self.end_or_gap(valid).map(Err),
            Parsed::Unknown(cause, next) => {
                Some(Err(self.skip_to(valid, next, RecordDamageKind::UnknownKind, cause)))
            }
            Parsed::Bad(cause) if self.reaches_past_the_cut(valid, self.at) => {
                Some(Err(self.skip_to(valid, valid.len(), RecordDamageKind::Cut, cause)))
            }
            Parsed::Bad(cause) => Some(Err(self.resynchronise(valid, None, cause))),
            Parsed::Wnode(cause, end) => Some(Err(self.resynchronise(valid, Some(end), cause))),
        }
    }

    /// Behind the marker of unused space only filler should follow, and then the walk ends. The format reference has it end
    /// whatever follows; but where something else does, a part of the buffer was overwritten, as with a zeroed sector, and
    /// the records behind it are good.
    fn end_or_gap(&mut self, valid: &[u8]) -> Option<RecordDamage> {
        let rest = valid.get(self.at..).unwrap_or_default();
        if rest.iter().all(|byte| matches!(byte, 0 | 0xFF)) {
            self.fast_end = 0;
            self.end = self.at;
            return None;
        }
        let cause = ParseError::Unexpected {
            what: "record",
            at: Offset::from(self.at),
            expected: "a record marker, or nothing behind unused space",
            found: u32_at(rest, 0).unwrap_or_default().into(),
        };
        Some(self.resynchronise(valid, None, cause))
    }

    /// Moves on to where records go on, or to the end.
    ///
    /// A `WNODE_HEADER` ends the buffer, so records that begin just where one ends do not count. Records that begin
    /// before show that it is none, but the inside of a record that a false length led to.
    fn resynchronise(&mut self, valid: &[u8], wnode_end: Option<usize>, cause: ParseError) -> RecordDamage {
        match self.find_next(valid) {
            Some(next) if Some(next) != wnode_end => {
                self.skip_to(valid, next, RecordDamageKind::Resynchronised, cause)
            }
            _ => self.skip_to(valid, valid.len(), RecordDamageKind::RestLost, cause),
        }
    }

    /// Moves on to `next`, which lies past the present place, and says what that costs.
    fn skip_to(
        &mut self,
        valid: &[u8],
        next: usize,
        kind: RecordDamageKind,
        cause: ParseError,
    ) -> RecordDamage {
        let next = next.min(valid.len());
        let at = Offset::from(self.at);
        let len = Offset::from(next.saturating_sub(self.at)).get();
        self.at = next;
        RecordDamage { kind, at, len, cause }
    }

    /// Whether the buffer is cut and a record that starts at `at` would end behind the cut and inside the buffer.
    fn reaches_past_the_cut(&self, valid: &[u8], at: usize) -> bool {
        self.filled > valid.len() && Record::would_fit(valid, at, self.filled, self.shapes)
    }

    /// The first place behind the present one from which a chain of good records leads exactly to the end.
    ///
    /// Goes backwards once: a place is good if a record is there whose successor is good, the end, or unused space up to it. Unknown kinds with a
    /// size that makes sense may stand inside a chain, since the walk steps over them, but do not begin one. In a buffer
    /// that the input cuts, a chain ends with the record that the cut goes through.
    fn find_next(&self, valid: &[u8]) -> Option<usize> {
        let first = self.at.checked_add(8)?;
        let end = valid.len();
        let places = end.checked_sub(first)?.div_ceil(8);
        // Unused space at the end is an end as well.
        let used =
            valid.iter().rposition(|byte| !matches!(byte, 0 | 0xFF)).map_or(0, |last| last.saturating_add(1));
        let mut leads_to_end = Bits::zeros(places);
        let mut found = None;
        for place in (0..places).rev() {
            let at = first.saturating_add(place.saturating_mul(8));
            let (next, may_begin) = match Parsed::step_at(valid, at, self.shapes) {
                Some(step) => step,
                None if self.reaches_past_the_cut(valid, at) => (end, false),
                None => continue,
            };
            // The next record is at a multiple of 8 past this one.
            let next_place = next.saturating_sub(first) / 8;
            if next >= used || leads_to_end.get(next_place) {
                leads_to_end.set(place);
                if may_begin {
                    found = Some(at);
                }
            }
        }
        found
    }
}

/// Plain records in a row. Small enough to stay in registers.
#[cfg(feature = "std")]
#[derive(Debug)]
pub(crate) struct PlainRun<'a> {
    fast: &'a [u8],
    at: usize,
    shapes: Shapes,
}

#[cfg(feature = "std")]
impl<'a> PlainRun<'a> {
    /// The next record, if it is plain.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Record<'a>> {
        let (record, next) = Record::plain(self.fast, self.at, self.shapes)?;
        self.at = next;
        Some(record)
    }
}

/// A set of small numbers.
struct Bits(Vec<u64>);

impl Bits {
    fn zeros(len: usize) -> Self {
        Self(alloc::vec![0; len.div_ceil(64)])
    }

    fn get(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word & mask(index) != 0)
    }

    fn set(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= mask(index);
        }
    }
}

const fn mask(index: usize) -> u64 {
    1 << (index % 64)
}
