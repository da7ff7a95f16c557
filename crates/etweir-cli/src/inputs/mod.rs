//! The traces that the command line names: plain, compressed, in archives, from standard input.
//!
//! ```text
//! find     names -> inputs: searches folders, looks into gzip files and archives
//! content  where the bytes of an input come from: file, stream, gzip, member
//! gzip zip what bytes are wrapped in; inflate expands, budget bounds, wound takes note of damage
//! store    bytes that several readers share, in a file or in a copy
//! handles  files of which only some are open at a time
//! ```

mod budget;
mod content;
mod find;
mod gzip;
mod handles;
mod inflate;
mod store;
mod wound;
mod zip;

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Error, Result};
use etweir::trace::{LogFileHeader, SessionInfo};
use etweir::{EtlFile, EtlReader, FileOptions, FileTime, ReadOptions};

use crate::progress::{Meter, Progress};

use self::budget::Budget;
use self::content::{Bytes, Content, Reading};
use self::handles::Handles;
use self::store::{Cursor, Spool, Store};

pub(crate) use self::find::find;
pub(crate) use self::wound::Wound;

/// A reader of any input, from its start to its end.
pub(crate) type Reader = EtlReader<Bytes>;

/// One trace, wherever it lies.
pub(crate) struct Input {
    /// As messages and the `file` key show it.
    pub(crate) name: String,
    source: Source,
}

enum Source {
    Content {
        content: Content,
        budget: Budget,
        wound: Wound,
        spool: Spool,
        /// A copy of its bytes that can be read from any place, once that was wanted.
        copy: Option<Arc<Store>>,
    },
    /// Nothing can be read under the name. `None` once that was told.
    Failed(Option<Error>),
}

/// What files are opened with that are read from any place.
pub(crate) struct Opening {
    options: FileOptions,
    /// If there are many of them.
    handles: Option<Handles>,
}

/// Systems let a process have 256 files open or more.
const MOST_OPEN: usize = 100;

impl Opening {
    /// For so many inputs.
    pub(crate) fn new(inputs: usize, options: FileOptions) -> Self {
        let handles = (inputs > MOST_OPEN).then(|| Handles::new(MOST_OPEN));
        Self { options: options.allow_missing_header(true), handles }
    }
}

impl Input {
    fn new(name: String, content: Content, budget: Budget, wound: Wound, spool: Spool) -> Self {
        Self { name, source: Source::Content { content, budget, wound, spool, copy: None } }
    }

    fn failed(name: &str, error: Error) -> Self {
        Self { name: name.to_owned(), source: Source::Failed(Some(error)) }
    }

    /// Whether it is known already that it cannot be read.
    pub(crate) const fn has_failed(&self) -> bool {
        matches!(self.source, Source::Failed(_))
    }

    /// Whether it may be a live source, whose reader waits for every event.
    pub(crate) const fn is_live(&self) -> bool {
        matches!(&self.source, Source::Content { content, copy: None, .. } if content.is_stream())
    }

    /// Whether it can be read from any place without being copied first.
    pub(crate) const fn is_file(&self) -> bool {
        matches!(
            &self.source,
            Source::Content { content: Content::File(_), .. } | Source::Content { copy: Some(_), .. }
        )
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

    const fn budget(&self) -> Option<&Budget> {
        match &self.source {
            Source::Content { budget, .. } => Some(budget),
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

    /// Opens it to be read from start to end, even where the header buffer is missing.
    pub(crate) fn open(&mut self, progress: &Progress) -> Result<Reader> {
        progress.name(&self.name);
        self.source.open(progress.meter())
    }

    /// Copies it, unless it can be read from any place. Why that fails is told when it is opened.
    fn copy(&mut self, progress: &Progress) {
        progress.name(&self.name);
        if let Err(error) = self.source.copy(progress.meter()) {
            self.source = Source::Failed(Some(error));
        }
    }

    /// Opens it to be read from any place, even where the header buffer is missing. What is no file is copied first, which
    /// takes until its end.
    pub(crate) fn open_file(&mut self, opening: &Opening, progress: &Progress) -> Result<EtlFile<'static>> {
        progress.name(&self.name);
        self.source.open_file(opening, progress.meter())
    }

    /// What its header tells, without anything of it being lost. `None` if it cannot be opened.
    pub(crate) fn look(&self) -> Option<(Option<LogFileHeader>, SessionInfo)> {
        self.source.look()
    }

    /// When it starts, if it tells.
    fn start(&self) -> Option<FileTime> {
        let (header, _) = self.look()?;
        header.map(|header| header.start_time)
    }
}

impl Source {
    fn open(&mut self, meter: Meter) -> Result<Reader> {
        match self {
            Self::Content { copy: Some(copy), .. } => {
                let bytes: Bytes = Box::new(Cursor::new(Arc::clone(copy), 0, meter));
                Ok(ReadOptions::new().allow_missing_header(true).open(bytes)?)
            }
            Self::Content { content, budget, wound, .. } => {
                let reading = Reading { budget: budget.clone(), wound: wound.clone(), meter };
                Ok(options(content).open(content.open(&reading)?)?)
            }
            Self::Failed(error) => Err(take(error)),
        }
    }

    fn open_file(&mut self, opening: &Opening, meter: Meter) -> Result<EtlFile<'static>> {
        let Opening { options, handles } = opening;
        let options = options.clone();
        self.copy(meter)?;
        match self {
            Self::Content { content: Content::File(path), .. } => {
                let file = File::open(&*path).context("cannot open")?;
                Ok(match handles {
                    Some(handles) => options.from_reader(handles.reader(path.clone(), file))?,
                    None => options.from_file(file)?,
                })
            }
            Self::Content { copy: Some(copy), .. } => {
                Ok(options.from_reader(Cursor::new(Arc::clone(copy), 0, Meter::none()))?)
            }
            Self::Content { .. } => Err(Error::msg("cannot open")),
            Self::Failed(error) => Err(take(error)),
        }
    }

    /// Copies the bytes, unless that was done or they can be read from any place anyway.
    fn copy(&mut self, meter: Meter) -> Result<()> {
        match self {
            Self::Content { content: Content::File(_), .. } | Self::Failed(_) => {}
            Self::Content { content, budget, wound, spool, copy } => {
                if copy.is_none() {
                    let reading = Reading { budget: budget.clone(), wound: wound.clone(), meter };
                    *copy = Some(spool.copy_of(content.open(&reading)?)?);
                }
            }
        }
        Ok(())
    }

    fn look(&self) -> Option<(Option<LogFileHeader>, SessionInfo)> {
        let Self::Content { content, budget, wound, copy, .. } = self else { return None };
        let look = |bytes: &mut dyn Read| {
            let reader = options(content).open(bytes).ok()?;
            Some((reader.header().cloned(), reader.session()))
        };
        if let Some(copy) = copy {
            return look(&mut Cursor::new(Arc::clone(copy), 0, Meter::none()));
        }
        let reading = Reading { budget: budget.clone(), wound: wound.clone(), meter: Meter::none() };
        content.look_ahead(&reading, look).ok()?
    }
}

/// How something is read from start to end.
fn options(content: &Content) -> ReadOptions {
    ReadOptions::new().allow_missing_header(true).live(content.is_stream())
}

fn take(error: &mut Option<Error>) -> Error {
    error.take().unwrap_or_else(|| Error::msg("cannot open"))
}

/// Does something with all inputs after which what was expanded counts for nothing: it will be expanded again.
pub(crate) fn beforehand(inputs: &mut [Input], act: impl FnOnce(&mut [Input])) {
    let spent: Vec<_> = inputs.iter().filter_map(|input| input.budget().map(Budget::spent)).collect();
    act(inputs);
    for (budget, spent) in inputs.iter().filter_map(Input::budget).zip(spent) {
        budget.rewind(spent);
    }
}

/// Makes copies of all inputs that can be read only from their start, or only once, for whoever reads them from any place. A
/// single stream stays one. What fails is told when it is opened.
pub(crate) fn copy(inputs: &mut [Input], progress: &Progress) {
    progress.read(to_copy(inputs));
    let is_alone = inputs.len() == 1;
    for input in inputs.iter_mut().filter(|input| !is_alone || !input.is_live()) {
        input.copy(progress);
    }
}

/// The start of the trace that all inputs together are. An input that cannot be opened is reported when its turn comes.
pub(crate) fn earliest_start(inputs: &[Input]) -> Option<FileTime> {
    inputs.iter().filter_map(Input::start).min()
}

/// How many bytes all inputs have, if that is known.
pub(crate) fn stored(inputs: &[Input]) -> Option<u64> {
    sum(inputs.iter())
}

/// How many bytes have to be read before all inputs can be read from any place, if that is known.
pub(crate) fn to_copy(inputs: &[Input]) -> Option<u64> {
    sum(inputs.iter().filter(|input| !input.is_file()))
}

fn sum<'a>(mut inputs: impl Iterator<Item = &'a Input>) -> Option<u64> {
    inputs.try_fold(0_u64, |all, input| Some(all.saturating_add(input.stored()?)))
}
