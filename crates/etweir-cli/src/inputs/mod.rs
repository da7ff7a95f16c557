//! The traces that the command line names: plain, compressed, in archives, from standard input.
//!
//! ```text
//! find     names -> inputs: searches folders, looks into gzip files and archives
//! content  where the bytes of an input come from: file, stream, gzip, member
//! gzip zip what bytes are wrapped in; inflate expands, budget bounds, wound takes note of damage
//! store    bytes that several readers share, in a file or in a copy
//! ```

mod budget;
mod content;
mod find;
mod gzip;
mod inflate;
mod store;
mod wound;
mod zip;

use anyhow::{Error, Result};
use etweir::{EtlReader, FileTime, ReadOptions};

use crate::progress::{Meter, Progress};

use self::budget::Budget;
use self::content::{Bytes, Content, Reading};

pub(crate) use self::find::find;
pub(crate) use self::wound::Wound;

/// A reader of any input.
pub(crate) type Reader = EtlReader<Bytes>;

/// One trace, wherever it lies.
pub(crate) struct Input {
    /// As messages and the `file` key show it.
    pub(crate) name: String,
    source: Source,
    /// Opened before its turn, where that can be done only once.
    opened: Option<Result<Reader>>,
}

enum Source {
    Content {
        content: Content,
        budget: Budget,
        wound: Wound,
    },
    /// Nothing can be read under the name. `None` once that was told.
    Failed(Option<Error>),
}

impl Input {
    fn new(name: String, content: Content, budget: Budget, wound: Wound) -> Self {
        Self { name, source: Source::Content { content, budget, wound }, opened: None }
    }

    fn failed(name: &str, error: Error) -> Self {
        Self { name: name.to_owned(), source: Source::Failed(Some(error)), opened: None }
    }

    /// Whether it is known already that it cannot be read.
    pub(crate) const fn has_failed(&self) -> bool {
        matches!(self.source, Source::Failed(_))
    }

    /// Whether it may be a live source, whose reader waits for every event.
    pub(crate) const fn is_live(&self) -> bool {
        matches!(&self.source, Source::Content { content, .. } if content.is_stream())
    }

    /// How many bytes of it are stored, if that is known.
    pub(crate) fn stored(&self) -> Option<u64> {
        match &self.source {
            Source::Content { content, .. } => content.stored(),
            Source::Failed(_) => Some(0),
        }
    }

    /// What it is wrapped in, as far as that is known: `gzip` or `zip`.
    pub(crate) const fn container(&self) -> Option<&'static str> {
        match &self.source {
            Source::Content { content, .. } => content.container(),
            Source::Failed(_) => None,
        }
    }

    /// What is wrong with what it is wrapped in, as far as it was read.
    pub(crate) fn wound(&self) -> Wound {
        match &self.source {
            Source::Content { wound, .. } => wound.clone(),
            Source::Failed(_) => Wound::default(),
        }
    }

    /// Opens it, even where the header buffer is missing.
    pub(crate) fn open(&mut self, progress: &Progress) -> Result<Reader> {
        progress.name(&self.name);
        self.opened.take().unwrap_or_else(|| self.source.open(progress.meter()))
    }

    /// Takes back what was opened and not read, for the next who opens it.
    pub(crate) fn keep(&mut self, reader: Reader) {
        self.opened = Some(Ok(reader));
    }

    /// When it starts, if it tells.
    fn start(&mut self) -> Option<FileTime> {
        if self.has_failed() {
            return None;
        }
        let reader = self.source.open(Meter::none());
        let start = reader.as_ref().ok().and_then(Reader::header).map(|header| header.start_time);
        if self.is_live() {
            self.opened = Some(reader);
        }
        start
    }
}

impl Source {
    fn open(&mut self, meter: Meter) -> Result<Reader> {
        match self {
            Self::Content { content, budget, wound } => {
                let reading = Reading { budget: budget.clone(), wound: wound.clone(), meter };
                Ok(ReadOptions::new()
                    .allow_missing_header(true)
                    .live(content.is_stream())
                    .open(content.open(&reading)?)?)
            }
            Self::Failed(error) => Err(error.take().unwrap_or_else(|| Error::msg("cannot open"))),
        }
    }
}

/// The start of the trace that all inputs together are. An input that cannot be opened is reported when its turn comes.
pub(crate) fn earliest_start(inputs: &mut [Input]) -> Option<FileTime> {
    inputs.iter_mut().filter_map(Input::start).min()
}

/// How many bytes all inputs have, if that is known.
pub(crate) fn stored(inputs: &[Input]) -> Option<u64> {
    inputs.iter().map(Input::stored).try_fold(0_u64, |all, stored| Some(all.saturating_add(stored?)))
}
