//! A look at the records of a buffer when it arrives: how far it reaches, and what its first event counts as.
//!
//! Source: consumer API reference, "Release rule" and "Hostile and damaged input"; format reference, "Merged and relogged".

use crate::buffer::RecordWalk;
use crate::record::Record;
use crate::stream::engine::lane::Start;
use crate::time::FileTime;
use crate::trace::{Clock, LogFileHeader, LogFileMode};

/// What the header of a stream tells about flush times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FlushClock {
    /// Flush times are the `FILETIME` of the relogging.
    is_relogged: bool,
    /// The stamp of the log-file header, which is one of the events' clock.
    anchor: Option<i64>,
    clock: Clock,
}

/// When a buffer was flushed, and whether it came in the order of that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flush {
    pub(super) time: i64,
    /// It came after one that says that it was flushed later.
    pub(super) is_late: bool,
    /// How far the buffers before reach.
    pub(super) furthest: i64,
}

impl FlushClock {
    pub(super) fn new(header: &LogFileHeader) -> Self {
        Self {
            is_relogged: header.log_file_mode.contains(LogFileMode::RELOG),
            anchor: Some(header.time_stamp.get()),
            clock: header.clock(),
        }
    }

    /// What no event is later than that lies in a buffer with such a flush time of another clock, if it is a `FILETIME`.
    fn ceiling(&self, flush: i64) -> i64 {
        let ticks = self.clock.ticks_at(FileTime(flush)).filter(|_| flush >= LEAST_FILE_TIME);
        ticks.map_or(i64::MAX, |ticks| ticks.0)
    }
}

/// Whether a flush time can be one of the clock that stamped `first`: not before it, and not a `FILETIME` among ticks.
const fn is_plausible(first: i64, flush: i64) -> bool {
    flush >= first && !is_of_another_clock(first, flush)
}

/// Whether a flush time is a `FILETIME` and a stamp is none.
const fn is_of_another_clock(stamp: i64, flush: i64) -> bool {
    flush >= LEAST_FILE_TIME && stamp < LEAST_FILE_TIME
}

/// A time that no event of a buffer counts as earlier than that [`Glance::start_alone`] begins, given the stamp of its first
/// record that has one, if there is one, and its cap.
pub(in crate::stream) fn least_time(first: Option<i64>, cap: Option<i64>) -> i64 {
    match (first, cap) {
        (Some(first), Some(cap)) if !is_of_another_clock(first, cap) => first.min(cap),
        (Some(first), _) => first,
        (None, cap) => cap.unwrap_or(i64::MIN),
    }
}

/// Less is no `FILETIME` of a trace: the year 1917.
const LEAST_FILE_TIME: i64 = 100_000_000_000_000_000;

/// The records of a buffer before its turn.
#[derive(Debug)]
pub(super) struct Glance<'a> {
    pub(super) valid: &'a [u8],
    pub(super) walk: &'a RecordWalk,
}

impl<'a> Glance<'a> {
    fn stamps(&self) -> impl Iterator<Item = i64> + use<'a> {
        let (valid, mut walk) = (self.valid, self.walk.clone());
        core::iter::from_fn(move || walk.next(valid))
            .flatten()
            .filter_map(|record: Record<'a>| record.time_stamp())
    }

    /// The latest stamp up to `cap`.
    pub(super) fn latest_until(&self, cap: i64) -> Option<i64> {
        self.stamps().filter(|stamp| *stamp <= cap).max()
    }

    /// Where the walk over the buffer begins, and what its records do not count as later than: how far it reaches.
    pub(super) fn start(&self, flush: Flush, clock: &FlushClock) -> Start {
        let cap = self.reach(flush, clock);
        // What has no stamp at the start of a buffer counts as the first that has one.
        let time = self.stamps().next().unwrap_or(cap).min(cap);
        Start { walk: self.walk.clone(), time, cap }
    }

    /// The same for a buffer whose reach nobody asks for, so that as a rule only its first record is looked at. `cap` is what
    /// none of its events is later than, as far as that is known.
    pub(super) fn start_alone(&self, cap: Option<i64>) -> Start {
        let (time, cap) = match (self.stamps().next(), cap) {
            (None, cap) => (cap.unwrap_or(i64::MIN), cap.unwrap_or(i64::MIN)),
            (Some(first), Some(cap)) if is_plausible(first, cap) => (first, cap),
            // One stamp that it can be the cap of is enough: the others may be damaged.
            (Some(first), Some(cap)) if self.stamps().any(|stamp| is_plausible(stamp, cap)) => {
                (first.min(cap), cap)
            }
            (Some(first), _) => (first, i64::MAX),
        };
        Start { walk: self.walk.clone(), time, cap }
    }

    /// How far a buffer reaches: its flush time, or where that is no time of the events' clock, the time of its last event.
    fn reach(&self, flush: Flush, clock: &FlushClock) -> i64 {
        if !clock.is_relogged {
            // One stamp that it can be the end of is enough: the others may be damaged.
            let mut stamps = self.stamps().peekable();
            if stamps.peek().is_none() || stamps.any(|stamp| is_plausible(stamp, flush.time)) {
                return flush.time;
            }
            // All stamps are later than the flush, so either is wrong.
            if clock.anchor.is_some_and(|anchor| is_plausible(anchor, flush.time)) {
                return if flush.is_late {
                    // The flush time contradicts its predecessor as well.
                    self.latest_until(flush.furthest).unwrap_or(flush.furthest)
                } else {
                    flush.time
                };
            }
        }
        // Without any stamp that can be it tells nothing, least of all by a flush time of another clock.
        self.latest_until(clock.ceiling(flush.time)).unwrap_or(i64::MIN)
    }
}
