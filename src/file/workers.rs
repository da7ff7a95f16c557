//! Threads that load buffers for any number of files.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::fs::File;
use std::sync::Mutex;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, unbounded};

use crate::error::Offset;
use crate::file::block::LoadedBuffer;
use crate::file::error::Error;
use crate::file::index::Entry;
use crate::file::loader::{Loaded, Tools, work};
use crate::file::source::Seeking;

/// What a worker is to do, with the way back.
pub(super) enum Job {
    /// Read a buffer, and expand it if it is compressed.
    Read {
        entry: Entry,
        source: Arc<Mutex<Seeking<File>>>,
        tools: Arc<Tools>,
        results: Sender<Result<Loaded, Error>>,
    },
    /// Expand a buffer that was read.
    Expand { stored: LoadedBuffer, doubts: bool, tools: Arc<Tools>, results: Sender<Result<Loaded, Error>> },
}

/// The threads. They begin jobs in their order, and end with the last owner of this.
pub(super) struct Workers {
    /// Taken by `drop`, and there until then.
    jobs: Option<Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("count", &self.count()).finish_non_exhaustive()
    }
}

impl Workers {
    /// So many threads; none without any.
    pub(super) fn start(count: usize) -> Result<Option<Arc<Self>>, Error> {
        // Whoever gives jobs bounds them.
        let (sender, jobs) = unbounded::<Job>();
        let mut workers = Self { jobs: Some(sender), threads: Vec::new() };
        for _ in 0..count {
            let jobs = jobs.clone();
            let run = move || {
                let mut memory = Vec::new();
                jobs.into_iter().for_each(|job| work(job, &mut memory));
            };
            let thread = thread::Builder::new().name("etweir-file".into()).spawn(run);
            workers.threads.push(thread.map_err(|source| Error::Io { at: Offset(0), source })?);
        }
        Ok((count > 0).then(|| Arc::new(workers)))
    }

    pub(super) fn count(&self) -> usize {
        self.threads.len()
    }

    /// Gives a job to whoever has time first.
    pub(super) fn give(&self, job: Job) {
        // Without a taker the job is dropped, and with it the way back, which is how that is found out.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(job));
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // Nothing that a worker does panics.
            let _ = thread.join();
        }
    }
}
