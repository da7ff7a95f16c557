//! How a file is to be read in the order of time.

use alloc::boxed::Box;
use alloc::sync::Arc;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Mutex;

use crate::error::Offset;
use crate::file::error::Error;
use crate::file::etl::EtlFile;
use crate::file::options::ReadOptions;
use crate::file::source::{Seeking, Source};
use crate::limits::Limits;
use crate::time::FileTime;

/// The order in which a file delivers its events.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FileOrder {
    /// By time, over all processors.
    #[default]
    Time,
    /// Buffer by buffer, as they lie in the file.
    File,
}

/// What an [`EtlFile`] accepts and uses.
#[derive(Clone, Debug)]
pub struct FileOptions {
    pub(super) read: ReadOptions,
    pub(super) order: FileOrder,
    pub(super) threads: usize,
    pub(super) max_held_bytes: Option<u64>,
    pub(super) start_time: Option<FileTime>,
    pub(super) end_time: Option<FileTime>,
    pub(super) wants_events: bool,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            read: ReadOptions::new(),
            order: FileOrder::Time,
            threads: 0,
            max_held_bytes: None,
            start_time: None,
            end_time: None,
            wants_events: true,
        }
    }
}

impl FileOptions {
    /// The defaults: [`Limits::default`], the order of time, no threads, everything delivered, and a trace without its
    /// header buffer is refused.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What the file may use.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.read = self.read.limits(limits);
        self
    }

    /// Whether a trace whose header buffer is missing or damaged is read all the same. Its time stamps stay raw, since
    /// nothing tells the clock. Default: no.
    #[must_use]
    pub fn allow_missing_header(mut self, allow: bool) -> Self {
        self.read = self.read.allow_missing_header(allow);
        self
    }

    /// The order of the events. Default: [`FileOrder::Time`].
    #[must_use]
    pub const fn order(mut self, order: FileOrder) -> Self {
        self.order = order;
        self
    }

    /// How many threads read and expand the buffers that come next, while others are delivered. Default: 0, and everything
    /// happens on the thread of the caller.
    ///
    /// Each is ahead by three buffers at most, so it costs the memory of five. The order of events does not depend on it.
    /// What is not a file is read by the caller's thread all the same, and only expanded on others.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// How many bytes the buffers may take that are merged at a time; past that, events leave early. One buffer for each
    /// processor is what a file needs unless its buffers overlap. Default: 1 GiB.
    #[must_use]
    pub const fn max_held_bytes(mut self, bytes: u64) -> Self {
        self.max_held_bytes = Some(bytes);
        self
    }

    /// Deliver no event before this time, but for those of the header buffer. Buffers that end before are not read, as far
    /// as their headers tell that. Default: all.
    #[must_use]
    pub const fn start_time(mut self, time: FileTime) -> Self {
        self.start_time = Some(time);
        self
    }

    /// Deliver no event after this time, but for those of the header buffer. Buffers that begin later are not read. Default:
    /// all.
    #[must_use]
    pub const fn end_time(mut self, time: FileTime) -> Self {
        self.end_time = Some(time);
        self
    }

    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be opened or read, [`Error::NotATrace`] if it holds no buffer, and
    /// [`Error::MissingHeader`] if its first buffer is no header buffer and that is not allowed.
    pub fn open(self, path: impl AsRef<Path>) -> Result<EtlFile<'static>, Error> {
        let file = File::open(path).map_err(|source| Error::Io { at: Offset(0), source })?;
        self.from_file(file)
    }

    /// Opens a trace in a file that is open. Its place is moved.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::open`].
    pub fn from_file(self, file: File) -> Result<EtlFile<'static>, Error> {
        EtlFile::with_source(Source::Shared(Arc::new(Mutex::new(Seeking::new(file)))), self)
    }

    /// Opens a trace in anything that can be read and seeks.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::open`].
    pub fn from_reader<'a>(self, source: impl Read + Seek + Send + 'a) -> Result<EtlFile<'a>, Error> {
        EtlFile::with_source(Source::Own(Box::new(Seeking::new(source))), self)
    }

    /// Opens a trace in memory.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::open`].
    pub fn from_bytes(self, bytes: &[u8]) -> Result<EtlFile<'_>, Error> {
        EtlFile::with_source(Source::Own(Box::new(bytes)), self)
    }
}
