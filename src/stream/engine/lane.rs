//! The hot part of the merge: one source, whose next few events are known ahead.
//!
//! ```text
//! buffer  | header | record | record | record | record | record | record | ...
//!                       |        |        |        |   ^                  ^
//! known              [ time, span ] [ time, span ] ... |                  |
//!                        ^                             the walk           read ahead up to here
//!                        the next event
//! ```
//!
//! The merge takes times from a small array and waits neither for the bytes of a record nor for the length that leads to
//! it. The array is filled by a walk over a few records in a row, which a processor does far faster than one here and one
//! there.

use alloc::sync::Arc;
use core::hint::black_box;

use crate::buffer::RecordWalk;
use crate::guid::Guid;
use crate::merge::Key;
use crate::record::{Header, Record, RecordSpan};
use crate::stream::slot::Slot;
use crate::stream::stats::Counters;

/// How many events are known ahead: a power of two, so that no place needs a check.
const KNOWN: usize = 16;

/// An event that is known ahead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The time that it counts as: never less than that of its predecessor, never more than the buffer's cap.
    pub(super) time: i64,
    /// Marked if there is more to know of the event than `time`: its stamp is another one, or it tells of loss, or it lies
    /// in a header buffer.
    pub(super) span: RecordSpan,
}

impl Known {
    /// What there is to know of a record whose predecessor counts as `at`, which becomes what it counts as itself.
    #[inline(always)]
    fn new(record: &Record<'_>, at: &mut i64, cap: i64) -> Self {
        let stamp = record.time_stamp();
        *at = stamp.unwrap_or(*at).min(cap).max(*at);
        // The cap of a header buffer is less than any stamp.
        let is_plain = stamp == Some(*at) && !tells_of_loss(record);
        let span = record.span();
        Self { time: *at, span: if is_plain { span } else { span.marked() } }
    }
}

/// The next record of a walk, past damage, which is counted and noted.
#[cold]
fn next_good<'a>(
    walk: &mut RecordWalk,
    valid: &'a [u8],
    counters: &Counters,
    is_damaged: &mut bool,
) -> Option<Record<'a>> {
    // Ends: each turn moves on.
    loop {
        match walk.next(valid)? {
            Ok(record) => return Some(record),
            Err(damage) => {
                counters.damaged_records.increment();
                counters.damaged_bytes.add(damage.len);
                *is_damaged = true;
            }
        }
    }
}

/// Where a walk over a buffer begins.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) walk: RecordWalk,
    /// What records count as before the first one with a stamp.
    pub(super) time: i64,
    /// What no record counts as later than.
    pub(super) cap: i64,
}

impl Start {
    /// Of a buffer that is not walked over.
    pub(super) const NOTHING: Self = Self { walk: RecordWalk::EMPTY, time: i64::MIN, cap: i64::MIN };
}

/// A source: the buffers of a stream, one after the other. This is the one that is being read.
#[derive(Debug)]
pub(super) struct Lane<B> {
    /// The place of the next event in `known`.
    at: usize,
    len: usize,
    /// The number of the buffer in the order of arrival.
    arrival: u64,
    /// The buffer that is being read, while there is one.
    slot: Option<Arc<Slot<B>>>,
    known: [Known; KNOWN],
    start: Start,
    /// Up to where the bytes have been read ahead.
    ahead: usize,
    /// The number of the buffer among the residents.
    resident: usize,
    /// The walk over the buffer met damage.
    is_damaged: bool,
}

impl<B> Lane<B> {
    /// A lane without a buffer.
    pub(super) const fn idle() -> Self {
        let start = Start::NOTHING;
        let known = [Known { time: i64::MIN, span: RecordSpan::NOTHING }; KNOWN];
        Self { at: 0, len: 0, arrival: 0, slot: None, known, start, ahead: 0, resident: 0, is_damaged: false }
    }

    /// Whether it has no buffer.
    pub(super) const fn is_idle(&self) -> bool {
        self.slot.is_none()
    }

    /// The number among the residents of the buffer that is being read.
    pub(super) const fn resident(&self) -> usize {
        self.resident
    }

    /// Where the walk over the buffer stands.
    pub(super) const fn end(&self) -> usize {
        self.start.walk.place()
    }

    /// Whether the walk over the buffer met damage.
    pub(super) const fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The next event and its buffer.
    #[inline]
    pub(super) fn next(&self) -> Option<(&Arc<Slot<B>>, Known)> {
        Some((self.slot.as_ref()?, *self.known.get(self.at % KNOWN)?))
    }

    /// Steps over the event that was next, if the one after it is known.
    #[inline]
    pub(super) fn step(&mut self) -> Option<Key> {
        self.at = self.at.wrapping_add(1);
        if self.at >= self.len {
            return None;
        }
        Some(Key::new(self.known.get(self.at % KNOWN)?.time, self.arrival))
    }

    /// Lets go of its buffer, which somebody else holds as well.
    pub(super) fn leave(&mut self) {
        if let Some(slot) = self.slot.take() {
            Slot::release(slot);
        }
    }
}

impl<B: AsRef<[u8]>> Lane<B> {
    /// Begins with a buffer, and gives the key of its first event; `None` if it has none.
    pub(super) fn begin(
        &mut self,
        resident: usize,
        slot: &Arc<Slot<B>>,
        start: &Start,
        counters: &Counters,
    ) -> Option<Key> {
        self.slot = Some(Arc::clone(slot));
        self.start = start.clone();
        self.arrival = slot.id().0;
        self.ahead = 0;
        self.resident = resident;
        self.is_damaged = false;
        self.refill(counters)
    }

    /// Finds out about the next few events, and gives the key of the first of them; `None` if the buffer has no more.
    #[inline(never)]
    pub(super) fn refill(&mut self, counters: &Counters) -> Option<Key> {
        let valid = self.slot.as_ref()?.valid();
        let Start { walk, time, cap, .. } = &mut self.start;
        self.ahead = read_ahead(valid, walk.place(), self.ahead);
        let (mut at, cap) = (*time, *cap);
        let mut run = walk.plain_run(valid);
        let mut len = 0_usize;
        for place in &mut self.known {
            if let Some(record) = run.next() {
                *place = Known::new(&record, &mut at, cap);
            } else {
                walk.follow(&run);
                let next = next_good(walk, valid, counters, &mut self.is_damaged);
                run = walk.plain_run(valid);
                let Some(record) = next else { break };
                *place = Known::new(&record, &mut at, cap);
            }
            len = len.wrapping_add(1);
        }
        walk.follow(&run);
        *time = at;
        (self.at, self.len) = (0, len);
        self.known.get(..len)?.first().map(|known| Key::new(known.time, self.arrival))
    }
}

/// `{6A399AE0-4BC6-4DE9-870B-3657F8947E7E}`: events that tell of lost ones.
const LOST_EVENT: Guid =
    Guid::from_parts(0x6A39_9AE0, 0x4BC6, 0x4DE9, [0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E]);

/// Whether a record is the source's word about lost events.
#[inline]
pub(super) fn tells_of_loss(record: &Record<'_>) -> bool {
    matches!(record.header(), Header::Full(header) if Guid::from_bytes(header.guid) == LOST_EVENT)
}

/// Fetches the bytes that the walk will come to after the next few events, and returns up to where.
///
/// Each step of the walk waits for the record that the last one led to, and of many buffers no hardware guesses the next
/// bytes. Loads that nothing waits for overlap with each other and with the walk over what was fetched the last time.
#[inline(never)]
fn read_ahead(valid: &[u8], at: usize, ahead: usize) -> usize {
    let start = ahead.max(at);
    let end = at.saturating_add(AHEAD).min(valid.len());
    let lines = valid.get(start..end).unwrap_or_default().chunks(CACHE_LINE);
    black_box(lines.filter_map(|line| line.first()).fold(0, |all, byte| all | byte));
    end.max(start)
}

/// How far bytes are read ahead: about what two refills take. That of a hundred sources fits into a second-level cache.
const AHEAD: usize = 4096;
const CACHE_LINE: usize = 64;
