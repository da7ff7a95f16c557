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
    /// A buffer and the next one are looked at in turns.
    blocks: [Block; 2],
    /// Which one was used last.
    last: bool,
    offset: u64,
    len: u64,
    /// Bytes read so far.
    pub(super) read: u64,
}

/// What was read of a source.
#[derive(Debug, Default)]
struct Block {
    memory: Vec<u8>,
    /// Where it begins.
    from: u64,
    /// How many bytes are there.
    have: usize,
}

/// The least that is read at once: of a buffer that is all right it is its header, and of its first record the time stamp.
pub(super) const LEAST: usize = 128;

/// Memory past this is given back after use.
const KEPT: usize = 256 * 1024;

impl Block {
    /// Where in it the `len` bytes from `start` on are, if they are.
    fn find(&self, start: u64, len: usize) -> Option<usize> {
        let at = usize::try_from(start.checked_sub(self.from)?).ok()?;
        (at.saturating_add(len) <= self.have).then_some(at)
    }

    /// Becomes the `want` bytes from `start` on, or as many as there are.
    fn fill(&mut self, source: &mut Source<'_>, start: u64, want: usize) -> Result<(), Error> {
        self.have = 0;
        if self.memory.len() < want || self.memory.len() > KEPT.max(want) {
            self.memory = Vec::new();
            self.memory.resize(want, 0);
        }
        let into = self.memory.get_mut(..want).unwrap_or_default();
        self.have = source.read_at(start, into)?;
        self.from = start;
        Ok(())
    }
}

impl<'a> Sparse<'a> {
    pub(super) fn new(mut source: Source<'a>) -> Result<Self, Error> {
        let len = source.len()?;
        Ok(Self { source, blocks: Default::default(), last: false, offset: 0, len, read: 0 })
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
        let [a, b] = &mut self.blocks;
        let (used, other) = if self.last { (b, a) } else { (a, b) };
        let (block, at) = if let Some(at) = used.find(start, len) {
            (used, at)
        } else {
            self.last = !self.last;
            if let Some(at) = other.find(start, len) {
                (other, at)
            } else {
                let rest = usize::try_from(self.len.saturating_sub(start)).unwrap_or(usize::MAX);
                let want = len.max(LEAST).min(rest);
                other.fill(&mut self.source, start, want)?;
                self.read = self.read.saturating_add(Offset::from(other.have).get());
                if other.have < want {
                    // The file has become shorter: this is its end now.
                    self.len = start.saturating_add(Offset::from(other.have).get());
                }
                (other, 0)
            }
        };
        let end = at.saturating_add(len).min(block.have);
        Ok(block.memory.get(at..end).unwrap_or_default())
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
