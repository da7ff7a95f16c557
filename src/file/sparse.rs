//! A source of which only that is read that is looked at.

use alloc::vec::Vec;

use crate::error::Offset;
use crate::file::error::Error;
use crate::file::input::Input;
use crate::file::source::Source;

/// Goes over a source by positions, and reads of it what is asked for and little more.
///
/// The length is that of the moment when it was opened: what a session that still runs appends later is not seen.
#[derive(Debug)]
pub(super) struct Sparse<'a> {
    pub(super) source: Source<'a>,
    /// The bytes of the source from `from` on, as many as `have`.
    memory: Vec<u8>,
    from: u64,
    have: usize,
    offset: u64,
    len: u64,
    /// Bytes read so far.
    pub(super) read: u64,
}

/// The least that is read at once: of a buffer that is all right it is its header, and of its first record the time stamp.
pub(super) const LEAST: usize = 128;

/// Memory past this is given back after use.
const KEPT: usize = 256 * 1024;

impl<'a> Sparse<'a> {
    pub(super) fn new(mut source: Source<'a>) -> Result<Self, Error> {
        let len = source.len()?;
        Ok(Self { source, memory: Vec::new(), from: 0, have: 0, offset: 0, len, read: 0 })
    }

    /// Bytes of the source.
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Goes to another place.
    pub(super) fn go_to(&mut self, offset: u64) {
        self.offset = offset.min(self.len);
    }

    /// What lies from `start` to `start + len`, which the source has, out of memory or read into it.
    fn bytes(&mut self, start: u64, len: usize) -> Result<&[u8], Error> {
        let mut at = start.checked_sub(self.from).and_then(|at| usize::try_from(at).ok());
        if at.is_none_or(|at| at.saturating_add(len) > self.have) {
            let rest = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
            let want = len.max(LEAST).min(rest);
            self.have = 0;
            if self.memory.len() < want || self.memory.len() > KEPT.max(want) {
                self.memory = Vec::new();
                self.memory.resize(want, 0);
            }
            let into = self.memory.get_mut(..want).unwrap_or_default();
            self.have = self.source.read_at(start, into)?;
            self.read = self.read.saturating_add(Offset::from(self.have).get());
            self.from = start;
            at = Some(0);
            if self.have < want {
                // The file has become shorter: this is its end now.
                self.len = start.saturating_add(Offset::from(self.have).get());
            }
        }
        let at = at.unwrap_or_default();
        let end = at.saturating_add(len).min(self.have);
        Ok(self.memory.get(at..end).unwrap_or_default())
    }

    fn rest(&self) -> u64 {
        self.len.saturating_sub(self.offset)
    }
}

impl Input for Sparse<'_> {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn peek(&mut self, at: usize, len: usize) -> Result<&[u8], Error> {
        let start = self.offset.saturating_add(Offset::from(at).get());
        let rest = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
        self.bytes(start, len.min(rest))
    }

    fn available(&mut self, len: usize) -> Result<usize, Error> {
        Ok(len.min(usize::try_from(self.rest()).unwrap_or(usize::MAX)))
    }

    fn skip(&mut self, len: usize) -> Result<usize, Error> {
        let len = self.available(len)?;
        self.offset = self.offset.saturating_add(Offset::from(len).get());
        Ok(len)
    }

    /// Looks at samples up to the first that is not all zeros.
    ///
    /// The distance of the samples is a 4,096th of what is left, 256 KiB at least, so a written stretch of twice that length is
    /// never missed. What lies up to the last sample of zeros counts as zeros; of the end, nothing is assumed.
    fn assumed_zeros(&mut self) -> Result<u64, Error> {
        let rest = self.rest();
        if rest < LEAST_SAMPLED {
            return Ok(0);
        }
        let distance = (rest / SAMPLES).max(LEAST_DISTANCE);
        let last = rest.saturating_sub(END_READ);
        let mut zeros = 0_u64;
        // Ends: each turn moves on by the distance.
        while zeros < last {
            let at = zeros.saturating_add(distance).min(last);
            let sample = self.bytes(self.offset.saturating_add(at), SAMPLE)?;
            if sample.iter().any(|byte| *byte != 0) {
                break;
            }
            zeros = at;
        }
        Ok(zeros)
    }
}

/// Less than this is read from start to end.
const LEAST_SAMPLED: u64 = 16 * 1024 * 1024;
/// How many samples are taken of a hole at most.
const SAMPLES: u64 = 4096;
const SAMPLE: usize = 4096;
const LEAST_DISTANCE: u64 = 256 * 1024;
/// How much of the end is read whatever the samples say.
const END_READ: u64 = 64 * 1024;
