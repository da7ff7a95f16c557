//! Which buffers a file has, where and when: what a look at their headers tells.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::buffer::{BufferHeader, BufferType, BufferView};
use crate::error::Offset;
use crate::file::accounting::Accounting;
use crate::file::compressed::most_stored;
use crate::file::error::Error;
use crate::file::input::Input;
use crate::file::sparse::{LEAST, Sparse};
use crate::file::walk::{Found, Walk};
use crate::merge::Key;
use crate::record::stamp_of_head;
use crate::stream::{first_stamp, least_time_of};
use crate::time::{FileTime, Ticks};
use crate::trace::{LogFileHeader, LogFileMode};

/// A buffer of the file. 32 bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// No event counts as earlier.
    pub(super) first: i64,
    /// No event is later, as far as the headers tell.
    pub(super) last: i64,
    /// From the high bits: 48 where the buffer starts, 11 its processor, 5 flags.
    place: u64,
    /// Bytes to be read of it.
    len: u32,
    /// What decides between events of the same time.
    arrival: u32,
}

const _: () = assert!(size_of::<Entry>() == 32);

const COMPRESSED: u64 = 1;
const HEADER: u64 = 2;
/// The flush time is of another clock than the events.
const FOREIGN: u64 = 4;
/// It was taken for good unread.
const BELIEVED: u64 = 8;
const PROCESSOR_SHIFT: u32 = 5;
const OFFSET_SHIFT: u32 = 16;
/// Buffers past this, 256 TiB, are not found.
const MOST_OFFSET: u64 = 1 << (64 - OFFSET_SHIFT);

impl Entry {
    pub(super) fn offset(&self) -> u64 {
        self.place >> OFFSET_SHIFT
    }

    pub(super) fn len(&self) -> usize {
        usize::try_from(self.len).unwrap_or(usize::MAX)
    }

    pub(super) const fn is_compressed(&self) -> bool {
        self.place & COMPRESSED != 0
    }

    /// Whether it is the header buffer of the trace.
    pub(super) const fn is_header(&self) -> bool {
        self.place & HEADER != 0
    }

    const fn has_foreign_flush(&self) -> bool {
        self.place & FOREIGN != 0
    }

    pub(super) fn arrival(&self) -> u64 {
        self.arrival.into()
    }

    /// It was found in the place of another one that turned out to be none.
    pub(super) const fn found_in_place_of(&mut self, other: &Self) {
        self.arrival = other.arrival;
    }

    /// Whether it was taken for good unread, so that it may turn out to be none.
    pub(super) const fn is_believed(&self) -> bool {
        self.place & BELIEVED != 0
    }

    fn processor(&self) -> u16 {
        let [low, high, ..] = (self.place >> PROCESSOR_SHIFT & 0x7FF).to_le_bytes();
        u16::from_le_bytes([low, high])
    }

    /// When its turn is.
    pub(super) fn key(&self) -> Key {
        Key::new(self.first, self.arrival())
    }
}

/// The buffers of a file, or as many of them as may be known at a time.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// In the order in which they are wanted.
    entries: Vec<Entry>,
    /// How many have been taken.
    taken: usize,
    /// Buffers found so far.
    found: u64,
    /// The walk has come to the end of the file.
    pub(super) is_complete: bool,
    /// Entries had to make room before that.
    pub(super) is_partial: bool,
    /// Missing sequence numbers.
    pub(super) sequence_gaps: u64,
}

/// What is wanted of an index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    /// In the order of time, else in that of the file.
    pub(super) by_time: bool,
    /// Whole buffers as they are stored, else only what is filled.
    pub(super) whole: bool,
    /// How many buffers may be known at a time.
    pub(super) limit: usize,
}

/// What is known of a buffer beside its entry, while the index grows.
#[derive(Clone, Copy, Debug)]
struct Sequenced {
    processor: u16,
    number: i64,
    place: u32,
}

impl Index {
    /// How many buffers were found.
    pub(super) const fn found(&self) -> u64 {
        self.found
    }

    /// The next buffer, which stays the next one; the walk goes on if that is needed.
    pub(super) fn peek(
        &mut self,
        walk: &mut Walk<Sparse<'_>>,
        wanted: Wanted,
        accounting: &mut Accounting,
    ) -> Result<Option<Entry>, Error> {
        // Half of what may be known has to be, so that what comes next is hardly ever found too late.
        let left = self.entries.len().saturating_sub(self.taken);
        if !self.is_complete && left <= wanted.limit / 2 {
            self.grow(walk, wanted, accounting)?;
        }
        Ok(self.entries.get(self.taken).copied())
    }

    /// The buffer that was next is taken.
    pub(super) const fn take(&mut self) {
        self.taken = self.taken.saturating_add(1);
    }

    /// A further buffer, in the place of its time.
    pub(super) fn insert(&mut self, entry: Entry) {
        let waiting = self.entries.get(self.taken..).unwrap_or_default();
        let at = self.taken.saturating_add(waiting.partition_point(|other| other.key() < entry.key()));
        if at <= self.entries.len() {
            self.entries.insert(at, entry);
        }
    }

    /// Starts over with what is known, if that is everything.
    pub(super) const fn rewind(&mut self) -> bool {
        if self.is_complete && !self.is_partial {
            self.taken = 0;
            return true;
        }
        false
    }

    /// Goes on with the walk until as many buffers are known as may be.
    fn grow(
        &mut self,
        walk: &mut Walk<Sparse<'_>>,
        wanted: Wanted,
        accounting: &mut Accounting,
    ) -> Result<(), Error> {
        self.is_partial |= self.taken > 0;
        self.entries.drain(..self.taken.min(self.entries.len()));
        self.taken = 0;
        let known = self.entries.len();
        let mut sequence = Vec::new();
        let mut last_of: BTreeMap<u16, usize> = BTreeMap::new();
        // Ends: each turn finds a buffer further on, or the end.
        while self.entries.len() < wanted.limit.max(1) {
            let found = walk.locate()?.filter(|_| walk.input.offset() < MOST_OFFSET);
            let Some(found) = found else {
                self.is_complete = true;
                break;
            };
            let (mut entry, number) = entry_of(walk, &found, wanted.whole, accounting)?;
            entry.arrival = u32::try_from(self.found).unwrap_or(u32::MAX);
            walk.input.skip(found.have)?;
            self.found = self.found.saturating_add(1);
            let here = self.entries.len();
            if entry.has_foreign_flush()
                && let Some(before) = last_of.insert(entry.processor(), here)
                && let Some(before) =
                    self.entries.get_mut(before).filter(|before| before.first <= entry.first)
            {
                // Buffers of a processor follow each other.
                before.last = entry.first;
            }
            if let Some(number) = number.filter(|_| !entry.is_header()) {
                sequence.push(Sequenced { processor: entry.processor(), number, place: entry.arrival });
            }
            self.entries.push(entry);
        }
        let new = self.entries.get_mut(known..).unwrap_or_default();
        self.sequence_gaps = self.sequence_gaps.saturating_add(gaps(&mut sequence));
        order_arrivals(new, sequence);
        if wanted.by_time {
            self.entries.sort_unstable_by_key(Entry::key);
        }
        self.entries.shrink_to_fit();
        Ok(())
    }
}

/// What a buffer that the walk has found needs in the index, and its sequence number.
pub(super) fn entry_of(
    walk: &mut Walk<Sparse<'_>>,
    found: &Found,
    whole: bool,
    accounting: &mut Accounting,
) -> Result<(Entry, Option<i64>), Error> {
    let layout = walk.session.layout();
    let offset = walk.input.offset();
    let bytes = walk.input.peek(0, LEAST.min(found.have))?;
    let Ok(header) = BufferHeader::parse(bytes, layout) else {
        // The file changed under the walk.
        return Err(Error::Changed { at: Offset(offset) });
    };
    let filled = header.filled_bytes();
    let used = usize::try_from(filled).unwrap_or(usize::MAX).max(BufferHeader::LEN);
    let used = if found.compressed { found.have } else { found.have.min(used) };
    let len = if whole { found.have } else { used };
    let is_header = walk.header_at == Some(offset);
    let foreign = has_foreign_flush(walk.header.as_ref(), &header);
    let cap = cap_of(walk.header.as_ref(), &header);
    let processor = header.processor_index();
    let number = header.sequence_number();
    let room = used.saturating_sub(BufferHeader::LEN);
    let head = bytes.get(BufferHeader::LEN..).unwrap_or_default();
    let stamp = if found.compressed { None } else { stamp_of_head(head, room, layout.shapes()) };
    let stamp = match stamp {
        None if found.compressed => stamp_in_compressed(walk, found)?,
        None if room > 0 => stamp_in_plain(walk, found)?,
        stamp => stamp,
    };
    let first = if is_header { i64::MIN } else { least_time_of(stamp, cap) };
    let last = cap.filter(|cap| *cap >= first).unwrap_or(i64::MAX);
    accounting.found(found.have, len);
    let flags =
        [(found.compressed, COMPRESSED), (is_header, HEADER), (foreign, FOREIGN), (found.believed, BELIEVED)];
    let flags = flags.into_iter().filter(|(set, _)| *set).fold(0, |flags, (_, flag)| flags | flag);
    let place = offset << OFFSET_SHIFT | u64::from(processor & 0x7FF) << PROCESSOR_SHIFT | flags;
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    Ok((Entry { first, last, place, len, arrival: 0 }, number))
}

/// Whether the flush time of a buffer is of another clock than its events: in relogged files it is the time of the relogging,
/// and header buffers have none.
fn has_foreign_flush(log_file: Option<&LogFileHeader>, header: &BufferHeader<'_>) -> bool {
    log_file.is_some_and(|log_file| log_file.log_file_mode.contains(LogFileMode::RELOG))
        || header.buffer_type() == Some(BufferType::HEADER)
}

/// What no event of a buffer is later than, as far as its flush time tells.
pub(super) fn cap_of(log_file: Option<&LogFileHeader>, header: &BufferHeader<'_>) -> Option<i64> {
    let flush_time = header.time_stamp();
    if !has_foreign_flush(log_file, header) {
        return Some(flush_time.get());
    }
    let clock = log_file.map(LogFileHeader::clock).filter(|_| flush_time.get() >= LEAST_FILE_TIME)?;
    clock.ticks_at(FileTime(flush_time.get())).map(Ticks::get)
}

/// Less is no `FILETIME` of a trace: the year 1917.
const LEAST_FILE_TIME: i64 = 100_000_000_000_000_000;

/// The first stamp of a buffer whose first record has none or is damaged: the whole buffer is read.
fn stamp_in_plain(walk: &mut Walk<Sparse<'_>>, found: &Found) -> Result<Option<i64>, Error> {
    let layout = walk.session.layout();
    walk.work = walk.work.saturating_add(Offset::from(found.have).get());
    let bytes = walk.input.peek(0, found.have)?;
    let view = BufferHeader::parse(bytes, layout)
        .and_then(|header| BufferView::with_size(header, bytes, Offset::from(found.size).get()));
    Ok(view.ok().and_then(|view| first_stamp(&view)))
}

/// The first stamp of a compressed buffer: of its first record after the expansion of a few bytes, or if those do not show
/// it, of the whole buffer.
fn stamp_in_compressed(walk: &mut Walk<Sparse<'_>>, found: &Found) -> Result<Option<i64>, Error> {
    let layout = walk.session.layout();
    let bytes = walk.input.peek(0, FIRST_STORED.min(found.have))?;
    let filled = BufferHeader::parse(bytes, layout).map_or(0, |header| header.filled_bytes());
    let room = usize::try_from(filled).unwrap_or(usize::MAX).saturating_sub(BufferHeader::LEN);
    let mut memory = [0; FIRST_EXPANDED];
    let head = memory.get_mut(..room.min(FIRST_EXPANDED)).unwrap_or_default();
    let data = bytes.get(BufferHeader::LEN..).unwrap_or_default();
    if walk.expander.expand_start(data, room, head)
        && let Some(stamp) = stamp_of_head(head, room, layout.shapes())
    {
        return Ok(Some(stamp));
    }
    walk.work = walk.work.saturating_add(Offset::from(found.have).get());
    let stored = walk.input.peek(0, found.have.min(most_stored(filled)))?;
    if walk.expander.expand(stored, layout).is_err() {
        // Whoever reads it will find that out again.
        return Ok(None);
    }
    Ok(walk.expander.expanded(layout).ok().and_then(|view| first_stamp(&view)))
}

/// How much is read of a compressed buffer to see its first stamp.
const FIRST_STORED: usize = BufferHeader::LEN + 256 + 64;
/// How much is expanded of it.
const FIRST_EXPANDED: usize = 40;

/// How many numbers are missing between the least and the largest.
fn gaps(sequence: &mut [Sequenced]) -> u64 {
    if !sequence.is_sorted_by_key(|buffer| buffer.number) {
        sequence.sort_by_key(|buffer| buffer.number);
    }
    let pairs = sequence.iter().zip(sequence.iter().skip(1));
    pairs
        .map(|(a, b)| b.number.saturating_sub(a.number).saturating_sub(1).max(0).unsigned_abs())
        .fold(0, u64::saturating_add)
}

/// The k-th buffer of a processor in the order of sequence numbers counts as arrived where its k-th buffer lies in the file.
fn order_arrivals(entries: &mut [Entry], mut sequence: Vec<Sequenced>) {
    let base = entries.first().map_or(0, |entry| entry.arrival);
    sequence.sort_by_key(|buffer| (buffer.processor, buffer.number, buffer.place));
    let in_order = sequence.is_sorted_by_key(|buffer| (buffer.processor, buffer.place));
    if in_order {
        return;
    }
    let mut places: Vec<(u16, u32)> =
        sequence.iter().map(|buffer| (buffer.processor, buffer.place)).collect();
    places.sort_unstable();
    for (buffer, (_, arrival)) in sequence.iter().zip(places) {
        let at = usize::try_from(buffer.place.saturating_sub(base)).unwrap_or(usize::MAX);
        if let Some(entry) = entries.get_mut(at) {
            entry.arrival = arrival;
        }
    }
}
