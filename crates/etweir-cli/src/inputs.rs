//! The files that the command line names, folders searched.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use clap::error::ErrorKind;
use etweir::{EtlReader, FileTime, ReadOptions};
use walkdir::WalkDir;

use crate::args::{Args, Files};
use crate::report::Report;

/// A reader of any input.
pub(crate) type Reader = EtlReader<Box<dyn Read>>;

/// One input: a file, or standard input.
pub(crate) struct Input {
    /// As messages and the `file` key show it.
    pub(crate) name: String,
    /// `None` is standard input.
    path: Option<PathBuf>,
    /// Standard input that was opened before its turn, since it can be opened only once.
    opened: Option<Result<Reader>>,
}

impl Input {
    fn file(path: PathBuf) -> Self {
        Self { name: path.to_string_lossy().into_owned(), path: Some(path), opened: None }
    }

    fn standard() -> Self {
        Self { name: "-".to_owned(), path: None, opened: None }
    }

    /// Whether it may be a live source, whose reader waits for every event.
    pub(crate) const fn is_standard(&self) -> bool {
        self.path.is_none()
    }

    /// Opens it, even where the header buffer is missing.
    pub(crate) fn open(&mut self) -> Result<Reader> {
        if let Some(opened) = self.opened.take() {
            return opened;
        }
        let source: Box<dyn Read> = match &self.path {
            Some(path) => Box::new(File::open(path).context("cannot open")?),
            None => Box::new(io::stdin().lock()),
        };
        Ok(ReadOptions::new().allow_missing_header(true).open(source)?)
    }

    /// When it starts, if it tells.
    fn start(&mut self) -> Option<FileTime> {
        let reader = self.open();
        let start = reader.as_ref().ok().and_then(Reader::header).map(|header| header.start_time);
        if self.is_standard() {
            self.opened = Some(reader);
        }
        start
    }
}

/// The start of the trace that all inputs together are. An input that cannot be opened is reported when its turn comes.
pub(crate) fn earliest_start(inputs: &mut [Input]) -> Option<FileTime> {
    inputs.iter_mut().filter_map(Input::start).min()
}

/// The inputs in the order of the command line. What cannot be searched is reported.
pub(crate) fn find(files: &Files, report: &mut Report) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    for path in &files.paths {
        if path.as_os_str() == "-" {
            if inputs.iter().any(Input::is_standard) {
                return Err(usage("standard input (-) can be read only once"));
            }
            inputs.push(Input::standard());
        } else if path.is_dir() {
            search(path, &mut inputs, report);
        } else {
            inputs.push(Input::file(path.clone()));
        }
    }
    Ok(inputs)
}

/// Adds the traces in a folder and its subfolders, by name.
fn search(folder: &Path, inputs: &mut Vec<Input>, report: &mut Report) {
    let before = inputs.len();
    let mut failed = false;
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            // A link counts if it leads to a file.
            Ok(entry) if is_trace(entry.path()) && entry.path().is_file() => {
                inputs.push(Input::file(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                failed = true;
                let name = error.path().unwrap_or(folder).to_string_lossy().into_owned();
                let error = error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into());
                report.error(Some(&name), &*anyhow!(error).context("cannot search"));
            }
        }
    }
    if inputs.len() == before && !failed {
        report.error(Some(&folder.to_string_lossy()), &*anyhow!("no .etl file in this folder"));
    }
}

fn is_trace(path: &Path) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|ending| ending.eq_ignore_ascii_case("etl"))
}

/// A mistake on the command line that only shows now.
fn usage(text: &str) -> anyhow::Error {
    use clap::CommandFactory;
    Args::command().error(ErrorKind::ValueValidation, text).into()
}
