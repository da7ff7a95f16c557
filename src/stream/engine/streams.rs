//! Which source a buffer belongs to, and how far each stream has come.

use alloc::collections::BTreeMap;

use crate::buffer::RecordWalk;
use crate::record::Record;
use crate::stream::engine::lane::Start;

/// The streams of a session: the buffers of one processor and class.
#[derive(Debug, Default)]
pub(super) struct Streams {
    by_key: BTreeMap<(u16, u16), Stream>,
}

/// What is known of the buffers of one processor and class.
#[derive(Clone, Copy, Debug)]
struct Stream {
    source: usize,
    /// Everything up to this time has arrived.
    horizon: i64,
    /// No event of its buffers counts as later.
    bound: i64,
}

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Takes note of a buffer of a stream that reaches so far and whose first event counts as `first`. The source that it
    /// goes on with; `open` opens one, to keep or not.
    pub(super) fn arrive(
        &mut self,
        key: (u16, u16),
        first: i64,
        reach: i64,
        open: impl FnOnce(bool) -> usize,
    ) -> usize {
        match self.by_key.get_mut(&key) {
            Some(stream) => {
                stream.horizon = stream.horizon.max(reach);
                if first >= stream.bound {
                    stream.bound = reach.max(first);
                    stream.source
                } else {
                    // It overlaps its predecessor.
                    open(false)
                }
            }
            None => {
                let source = open(true);
                self.by_key.insert(key, Stream { source, horizon: reach, bound: reach });
                source
            }
        }
    }

    /// Up to where every stream has arrived; `None` as long as not all of the announced processors have spoken.
    pub(super) fn horizon(&self, announced: u16) -> Option<i64> {
        let mut last = None;
        let seen = self
            .by_key
            .keys()
            .map(|(processor, _)| *processor)
            .filter(|processor| last.replace(*processor) != Some(*processor) && *processor < announced)
            .count();
        let horizon = self.by_key.values().map(|stream| stream.horizon).min();
        horizon.filter(|_| seen >= usize::from(announced))
    }
}

/// A look at the records of a buffer before its turn.
#[derive(Debug)]
pub(super) struct Glance<'a> {
    pub(super) valid: &'a [u8],
    pub(super) walk: &'a RecordWalk,
}

impl<'a> Glance<'a> {
    /// The good records.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let (valid, mut walk) = (self.valid, self.walk.clone());
        core::iter::from_fn(move || walk.next(valid)).flatten()
    }

    fn stamps(&self) -> impl Iterator<Item = i64> + use<'a> {
        self.records().filter_map(|record| record.time_stamp())
    }

    /// Where the walk over the buffer begins and how late its records may count, given its flush time.
    pub(super) fn start(&self, flush_time: i64, relogged: bool) -> Start {
        let cap = self.reach(flush_time, relogged);
        // What has no stamp at the start of a buffer counts as the first that has one.
        let time = self.stamps().next().unwrap_or(cap).min(cap);
        Start { walk: self.walk.clone(), time, cap, is_header: false }
    }

    /// The same for a buffer whose reach nobody asks for, so that as a rule only its first record is looked at. `flush_time`
    /// is none if it is not of the events' clock for certain; `otherwise` is for one without stamps then.
    pub(super) fn start_alone(&self, flush_time: Option<i64>, otherwise: i64) -> Start {
        let (time, cap) = match (self.stamps().next(), flush_time) {
            (Some(first), None) => (first, i64::MAX),
            (Some(first), Some(flush_time)) if plausible_flush(first, flush_time) => (first, flush_time),
            (Some(_), Some(flush_time)) => return self.start(flush_time, false),
            (None, flush_time) => {
                let time = flush_time.unwrap_or(otherwise);
                (time, time)
            }
        };
        Start { walk: self.walk.clone(), time, cap, is_header: false }
    }

    /// How far a buffer reaches: its flush time, or where that is no time of the events' clock, the time of its last event.
    fn reach(&self, flush_time: i64, relogged: bool) -> i64 {
        // One stamp that it can be the end of is enough: the others may be damaged.
        let mut stamps = self.stamps().peekable();
        let plausible = stamps.peek().is_none() || stamps.any(|stamp| plausible_flush(stamp, flush_time));
        if !relogged && plausible {
            return flush_time;
        }
        // Without any stamp it tells nothing, least of all by a flush time of another clock.
        self.stamps().max().unwrap_or(i64::MIN)
    }
}

/// A time that no event of a buffer counts as earlier than, given the stamp of its first record that has one, if there is
/// one, and the flush time, if that is of the events' clock as far as is known.
pub(in crate::stream) const fn least_time(first: Option<i64>, flush_time: Option<i64>) -> i64 {
    match (first, flush_time) {
        (Some(first), Some(flush_time)) if flush_time < first && !is_of_another_clock(first, flush_time) => {
            flush_time
        }
        (Some(first), _) => first,
        (None, Some(flush_time)) => flush_time,
        (None, None) => i64::MIN,
    }
}

/// Whether a flush time can be one of the clock that stamped `first`: not before it, and not a `FILETIME` among ticks.
const fn plausible_flush(first: i64, flush: i64) -> bool {
    flush >= first && !is_of_another_clock(first, flush)
}

/// Whether a flush time is a `FILETIME` and a stamp is none.
const fn is_of_another_clock(stamp: i64, flush: i64) -> bool {
    const LEAST_FILE_TIME: i64 = 100_000_000_000_000_000;
    flush >= LEAST_FILE_TIME && stamp < LEAST_FILE_TIME
}
