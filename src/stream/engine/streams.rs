//! Which source a buffer belongs to, and how far each stream has come.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The streams of a session: the buffers of one processor and class.
#[derive(Debug, Default)]
pub(super) struct Streams {
    by_key: BTreeMap<(u16, u16), usize>,
    streams: Vec<Stream>,
    /// Up to where everything of each stream has arrived. Beside the streams, since the least is looked for at each buffer.
    horizons: Vec<i64>,
    /// Processors among the announced ones that have spoken.
    spoken: usize,
}

/// What is known of the buffers of one processor and class.
#[derive(Clone, Copy, Debug)]
struct Stream {
    source: usize,
    /// No event of its buffers counts as later.
    bound: i64,
    /// The latest stamp that it had, if that was looked for.
    proved: Option<i64>,
    /// The latest time that an event of its buffers counts as, if that was looked for.
    latest: i64,
}

/// A buffer, as far as its place among the others is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) processor: u16,
    pub(super) class: u16,
    /// What its first event counts as.
    pub(super) first: i64,
    /// Up to where everything of its stream has arrived with it; nothing in it counts as later.
    pub(super) reach: i64,
    /// Its latest stamp, if that was looked for.
    pub(super) proved: Option<i64>,
}

impl Streams {
    pub(super) fn len(&self) -> usize {
        self.streams.len()
    }

    /// Takes note of a buffer, and gives the source that it goes on with; `open` opens one, to keep or not.
    pub(super) fn arrive(
        &mut self,
        arrival: Arrival,
        announced: u16,
        open: impl FnOnce(bool) -> usize,
    ) -> usize {
        let Arrival { processor, first, reach, proved, .. } = arrival;
        // Classes that nobody knows share a stream, so that hostile input cannot make any number of them.
        let class = arrival.class.min(UNKNOWN_CLASS);
        let Some(&index) = self.by_key.get(&(processor, class)) else {
            let is_first = self.by_key.range((processor, 0)..=(processor, UNKNOWN_CLASS)).next().is_none();
            self.spoken = self.spoken.saturating_add((is_first && processor < announced).into());
            let source = open(true);
            self.by_key.insert((processor, class), self.streams.len());
            self.streams.push(Stream { source, bound: reach, proved, latest: proved.unwrap_or(reach) });
            self.horizons.push(reach);
            return source;
        };
        let (Some(stream), Some(horizon)) = (self.streams.get_mut(index), self.horizons.get_mut(index))
        else {
            return open(false);
        };
        *horizon = reach.max(*horizon);
        stream.proved = stream.proved.max(proved);
        // What has no stamp counts as the reach.
        stream.latest = stream.latest.max(proved.unwrap_or(reach));
        if first >= stream.bound {
            stream.bound = reach.max(first);
            stream.source
        } else {
            // It overlaps its predecessor.
            open(false)
        }
    }

    /// Up to where every stream has arrived; `None` as long as not all of the announced processors have spoken.
    pub(super) fn horizon(&self, announced: u16) -> Option<i64> {
        self.horizons.iter().copied().min().filter(|_| self.spoken >= usize::from(announced))
    }

    /// A buffer that was flushed at `flush` arrived after one that says that it was flushed later. What the streams were
    /// taken to reach past that is believed only as far as time stamps prove it. The furthest reach of all then.
    #[cold]
    pub(super) fn doubt(&mut self, flush: i64) -> i64 {
        let mut furthest = flush;
        for (stream, horizon) in self.streams.iter_mut().zip(&mut self.horizons) {
            if *horizon > flush {
                *horizon = stream.proved.map_or(flush, |proved| proved.min(*horizon));
                stream.bound = stream.bound.min(stream.latest);
            }
            furthest = furthest.max(*horizon);
        }
        furthest
    }
}

/// One more than the largest buffer type that is known.
const UNKNOWN_CLASS: u16 = 8;
