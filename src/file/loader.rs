//! From an entry of the index to a buffer in memory, here or on other threads.

use alloc::sync::Arc;
use alloc::vec::Vec;

use crossbeam_channel::{Receiver, bounded};

use crate::buffer::{BufferHeader, Layout};
use crate::file::block::{LoadedBuffer, Place, Pool};
use crate::file::error::Error;
use crate::file::index::Entry;
use crate::file::source::{Source, read_shared};
use crate::file::workers::{Job, Workers};
use crate::trace::{ExpandError, Expander, is_likely};

/// What comes of an entry: a buffer and how many bytes it should have, or why it needs a second look.
pub(super) type Loaded = Result<(LoadedBuffer, usize), Doubt>;

/// Why a compressed buffer may not be what the index took it for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Doubt {
    /// It does not expand.
    Damaged(ExpandError),
    /// It expands without its end, where there is room for another one.
    LeftOver,
}

/// What it takes to make buffers of the bytes of a file.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) expander: Expander,
    pub(super) layout: Layout,
    /// Whether compressed buffers are expanded.
    pub(super) expands: bool,
    /// Which of several files it is.
    pub(super) file: usize,
    pub(super) pool: Arc<Pool>,
}

impl Tools {
    /// Reads and expands a buffer. `stored` is memory for compressed data.
    pub(super) fn load(
        &self,
        entry: &Entry,
        stored: &mut Vec<u8>,
        read: impl FnOnce(&mut [u8]) -> Result<usize, Error>,
    ) -> Result<Loaded, Error> {
        let len = entry.len();
        let place = self.place(entry);
        if self.is_expanded(entry) {
            if stored.len() < len {
                stored.resize(len, 0);
            }
            let have = read(stored.get_mut(..len).unwrap_or_default())?;
            let stored = stored.get(..have).unwrap_or_default();
            return Ok(self.expand(stored, place, entry.is_believed()));
        }
        let mut bytes = self.pool.get(len);
        let have = read(bytes.get_mut(..len).unwrap_or_default())?;
        let filled = BufferHeader::parse(&bytes, self.layout).map_or(0, |header| header.filled_bytes());
        let filled = usize::try_from(filled).unwrap_or(usize::MAX).max(BufferHeader::LEN);
        Ok(Ok((self.pool.block(bytes, have, place), filled)))
    }

    /// Expands a buffer that was read; `doubts` is whether all of it has to be needed for that.
    pub(super) fn expand(&self, stored: &[u8], place: Place, doubts: bool) -> Loaded {
        let filled = BufferHeader::parse(stored, self.layout).map_or(0, |header| header.filled_bytes());
        let mut expander = self.expander.another();
        // What a buffer cannot expand to, or hardly, gets memory when it does.
        let filled = usize::try_from(filled).unwrap_or(usize::MAX);
        let sure = filled <= expander.limit() && is_likely(filled, stored.len());
        let mut bytes = if sure { self.pool.get(filled) } else { Vec::new() };
        expander.exchange(&mut bytes);
        let expanded = expander.expand(stored, self.layout);
        let len = expander.exchange(&mut bytes);
        BufferHeader::set_expanded(&mut bytes, len);
        let buffer = self.pool.block(bytes, len, place);
        match expanded {
            Ok(()) if doubts && expander.left() >= BufferHeader::LEN => Err(Doubt::LeftOver),
            Ok(()) => Ok((buffer, len)),
            Err(cause) => Err(Doubt::Damaged(cause)),
        }
    }

    /// Whether a buffer is to be expanded.
    fn is_expanded(&self, entry: &Entry) -> bool {
        self.expands && entry.is_compressed()
    }

    fn place(&self, entry: &Entry) -> Place {
        Place {
            offset: entry.offset(),
            stored: entry.len(),
            compressed: entry.is_compressed(),
            file: self.file,
        }
    }
}

/// Loads the buffers of a file.
#[derive(Debug)]
pub(super) struct Loader {
    tools: Arc<Tools>,
    /// Memory for compressed data.
    stored: Vec<u8>,
    workers: Option<Arc<Workers>>,
}

/// A buffer that was asked for.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) entry: Entry,
    /// Where it comes from, if a worker has it.
    result: Option<Receiver<Result<Loaded, Error>>>,
}

impl Pending {
    /// To be loaded when it is wanted.
    pub(super) const fn later(entry: Entry) -> Self {
        Self { entry, result: None }
    }
}

/// By how many buffers each worker may be ahead.
const AHEAD: usize = 3;

impl Loader {
    pub(super) fn new(tools: Tools, workers: Option<Arc<Workers>>) -> Self {
        Self { tools: Arc::new(tools), stored: Vec::new(), workers }
    }

    /// How many buffers should be asked for before the first of them is wanted.
    pub(super) fn ahead(&self) -> usize {
        let workers = self.workers.as_ref().map_or(0, |workers| workers.count());
        workers.saturating_mul(AHEAD).saturating_add(1)
    }

    /// Asks for a buffer, which is loaded while others are in use if there are threads for that.
    pub(super) fn ask(&self, entry: Entry, source: &mut Source<'_>) -> Result<Pending, Error> {
        let Some(workers) = &self.workers else { return Ok(Pending::later(entry)) };
        let tools = Arc::clone(&self.tools);
        let (results, result) = bounded(1);
        let job = match source {
            Source::Shared(source) => Job::Read { entry, source: Arc::clone(source), tools, results },
            Source::Own(_) if self.tools.is_expanded(&entry) => {
                let mut stored = tools.pool.get(entry.len());
                let into = stored.get_mut(..entry.len()).unwrap_or_default();
                let have = source.read_at(entry.offset(), into)?;
                let stored = tools.pool.block(stored, have, tools.place(&entry));
                Job::Expand { stored, doubts: entry.is_believed(), tools, results }
            }
            Source::Own(_) => return Ok(Pending::later(entry)),
        };
        workers.give(job);
        Ok(Pending { entry, result: Some(result) })
    }

    /// Gives back memory that nothing uses any more.
    pub(super) fn rest(&mut self) {
        self.stored = Vec::new();
        self.tools.pool.clear();
    }

    /// The buffer that was asked for.
    pub(super) fn get(&mut self, pending: &Pending, source: &mut Source<'_>) -> Result<Loaded, Error> {
        let entry = &pending.entry;
        match pending.result.as_ref().and_then(|result| result.recv().ok()) {
            Some(loaded) => loaded,
            // Also what a worker that is gone does not give.
            None => self.tools.load(entry, &mut self.stored, |into| source.read_at(entry.offset(), into)),
        }
    }
}

/// Does a job, on a worker. `memory` is for compressed data.
pub(super) fn work(job: Job, memory: &mut Vec<u8>) {
    let (results, result) = match job {
        Job::Read { entry, source, tools, results } => {
            let result = tools.load(&entry, memory, |into| read_shared(&source, entry.offset(), into));
            (results, result)
        }
        Job::Expand { stored, doubts, tools, results } => {
            (results, Ok(tools.expand(stored.as_ref(), stored.place(), doubts)))
        }
    };
    // Nobody waits for it if its file was given up.
    let _ = results.send(result);
}
