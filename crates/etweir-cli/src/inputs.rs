//! The files that the command line names, folders searched.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::error::ErrorKind;
use etweir::{EtlReader, FileTime, ReadOptions};
use walkdir::{DirEntry, WalkDir};

use crate::args::{Args, Files};

/// A reader of any input.
pub(crate) type Reader = EtlReader<Box<dyn Read>>;

/// One input: a file, or standard input.
pub(crate) struct Input {
    /// As messages and the `file` key show it.
    pub(crate) name: String,
    source: Source,
    /// Opened before its turn, where that can be done only once.
    opened: Option<Result<Reader>>,
}

enum Source {
    /// A regular file.
    File(PathBuf),
    /// A pipe, a device and the like: what was read once is gone.
    Stream(PathBuf),
    /// Standard input.
    Standard,
    /// Nothing was found under the name: `opened` says why.
    Nothing,
}

impl Input {
    fn file(path: PathBuf) -> Self {
        // What cannot be looked at fails when it is opened.
        let is_stream = fs::metadata(&path).is_ok_and(|data| !data.is_file());
        let name = path.to_string_lossy().into_owned();
        let source = if is_stream { Source::Stream(path) } else { Source::File(path) };
        Self { name, source, opened: None }
    }

    fn standard() -> Self {
        Self { name: "-".to_owned(), source: Source::Standard, opened: None }
    }

    fn failed(name: &Path, error: anyhow::Error) -> Self {
        let name = name.to_string_lossy().into_owned();
        Self { name, source: Source::Nothing, opened: Some(Err(error)) }
    }

    const fn is_standard(&self) -> bool {
        matches!(self.source, Source::Standard)
    }

    /// Whether it may be a live source, whose reader waits for every event.
    pub(crate) const fn is_live(&self) -> bool {
        matches!(self.source, Source::Standard | Source::Stream(_))
    }

    /// Opens it, even where the header buffer is missing.
    pub(crate) fn open(&mut self) -> Result<Reader> {
        if let Some(opened) = self.opened.take() {
            return opened;
        }
        let source: Box<dyn Read> = match &self.source {
            Source::File(path) | Source::Stream(path) => Box::new(File::open(path).context("cannot open")?),
            Source::Standard => Box::new(io::stdin().lock()),
            Source::Nothing => return Err(anyhow!("cannot open")),
        };
        Ok(ReadOptions::new().allow_missing_header(true).open(source)?)
    }

    /// When it starts, if it tells.
    fn start(&mut self) -> Option<FileTime> {
        let reader = self.open();
        let start = reader.as_ref().ok().and_then(Reader::header).map(|header| header.start_time);
        if !matches!(self.source, Source::File(_)) {
            self.opened = Some(reader);
        }
        start
    }
}

/// The start of the trace that all inputs together are. An input that cannot be opened is reported when its turn comes.
pub(crate) fn earliest_start(inputs: &mut [Input]) -> Option<FileTime> {
    inputs.iter_mut().filter_map(Input::start).min()
}

/// The inputs in the order of the command line. What cannot be searched is an input that cannot be opened.
pub(crate) fn find(files: &Files) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in &files.paths {
        if path.as_os_str() == "-" {
            if inputs.iter().any(Input::is_standard) {
                return Err(usage("standard input (-) can be read only once"));
            }
            inputs.push(Input::standard());
        } else if path.is_dir() {
            search(path, &mut inputs);
        } else {
            inputs.push(Input::file(path.clone()));
        }
    }
    Ok(inputs)
}

/// Adds the traces in a folder and its subfolders, by name.
fn search(folder: &Path, inputs: &mut Vec<Input>) {
    let before = inputs.len();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            Ok(entry) if is_trace(entry.path()) && is_file(&entry) => {
                inputs.push(Input::file(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                let name = error.path().unwrap_or(folder).to_owned();
                let error = error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into());
                inputs.push(Input::failed(&name, anyhow!(error).context("cannot search")));
            }
        }
    }
    if inputs.len() == before {
        inputs.push(Input::failed(folder, anyhow!("no .etl file in this folder")));
    }
}

/// Whether it is a file, or a link that leads to one; or to nothing, which is to be told.
fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_file()
        || entry.path_is_symlink() && fs::metadata(entry.path()).map_or(true, |data| data.is_file())
}

fn is_trace(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|ending| ending.eq_ignore_ascii_case("etl"))
}

/// A mistake on the command line that only shows now.
fn usage(text: &str) -> anyhow::Error {
    use clap::CommandFactory;
    Args::command().error(ErrorKind::ValueValidation, text).into()
}
