//! From the names on the command line to traces: folders are searched, and what traces are wrapped in is opened.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Error, Result, anyhow};
use etweir::EtlReader;
use walkdir::{DirEntry, WalkDir};

use crate::args::{Files, usage};
use crate::inputs::Input;
use crate::inputs::budget::Budget;
use crate::inputs::content::{Bytes, Content, Reading, Wrapping, peek, unread};
use crate::inputs::gzip::Gunzip;
use crate::inputs::wound::Wound;
use crate::inputs::zip::Archive;
use crate::progress::Meter;
use crate::report::Report;

/// The inputs in the order of the command line. What cannot be searched is an input that cannot be opened.
pub(crate) fn find(files: &Files, report: &mut Report) -> Result<Vec<Input>> {
    let mut finder = Finder { limit: files.expand_limit, inputs: Vec::new(), report };
    let mut has_standard = false;
    for path in &files.paths {
        if path.as_os_str() == "-" {
            if has_standard {
                return Err(usage("standard input (-) can be read only once"));
            }
            has_standard = true;
            finder.add_stream("-", Box::new(io::stdin()));
        } else if path.is_dir() {
            finder.search(path);
        } else {
            finder.add_path(path, true);
        }
    }
    Ok(finder.inputs)
}

struct Finder<'a> {
    /// Of bytes that each FILE may expand to.
    limit: u64,
    inputs: Vec<Input>,
    report: &'a mut Report,
}

/// What is known of something before it is looked into.
struct Found {
    name: String,
    /// Whether it is an error if no trace is in it.
    wanted: bool,
    /// In so many gzip files and archives.
    depth: usize,
    budget: Budget,
}

/// Nobody packs deeper on purpose.
const DEEPEST: usize = 8;

impl Finder<'_> {
    /// Adds the traces in a folder and its subfolders, by name.
    fn search(&mut self, folder: &Path) {
        let mut has_any = false;
        for entry in WalkDir::new(folder).sort_by_file_name() {
            match entry {
                Ok(entry) => match Ending::of(&entry.file_name().to_string_lossy()) {
                    Some(ending) if is_file(&entry) => {
                        let before = self.inputs.len();
                        self.add_path(entry.path(), ending != Ending::Zip);
                        has_any |= self.inputs.len() > before;
                    }
                    _ => {}
                },
                Err(error) => {
                    let name = error.path().unwrap_or(folder).to_string_lossy().into_owned();
                    let error = error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into());
                    self.fail(&name, anyhow!(error).context("cannot search"));
                    has_any = true;
                }
            }
        }
        if !has_any {
            let what = "no .etl file in this folder, and no .etlgz, .etl.gz, .etl.zip, .diagsession or .zip with one";
            self.fail(&folder.to_string_lossy(), anyhow!(what));
        }
    }

    fn fail(&mut self, name: &str, error: Error) {
        self.inputs.push(Input::failed(name, error));
    }

    /// What cannot be read in an archive and does not look like a trace is nothing that anybody asked for.
    fn fail_in(&mut self, found: &Found, error: Error) {
        if found.wanted || found.depth == 0 {
            self.fail(&found.name, error);
        }
    }

    fn add_path(&mut self, path: &Path, wanted: bool) {
        let name = path.to_string_lossy().into_owned();
        // What cannot be looked at fails when it is opened.
        if fs::metadata(path).is_ok_and(|data| !data.is_file()) {
            match File::open(path).context("cannot open") {
                Ok(file) => self.add_stream(&name, Box::new(file)),
                Err(error) => self.fail(&name, error),
            }
            return;
        }
        let found = Found { name, wanted, depth: 0, budget: Budget::new(self.limit) };
        self.add(Content::File(path.to_owned()), found);
    }

    /// Takes the wrapping off what can be read only once.
    fn add_stream(&mut self, name: &str, mut bytes: Bytes) {
        let budget = Budget::new(self.limit);
        let wound = Wound::default();
        // Every turn goes a level deeper, or ends.
        for depth in 0..=DEEPEST {
            let start = match peek(&mut bytes, Wrapping::PEEK) {
                Ok(start) => start,
                Err(error) => return self.fail(name, anyhow!(error).context("cannot read")),
            };
            let wrapping = Wrapping::of(&start);
            bytes = unread(start, bytes);
            match wrapping {
                Wrapping::Gzip => bytes = Box::new(Gunzip::new(bytes, budget.clone(), wound.clone())),
                Wrapping::Zip => {
                    let found = Found { name: name.to_owned(), wanted: true, depth, budget };
                    self.add_archive(&Content::stream(bytes), found, &wound);
                    return;
                }
                Wrapping::None => {
                    self.inputs.push(Input::new(name.to_owned(), Content::stream(bytes), budget, wound));
                    return;
                }
            }
        }
        self.fail(name, too_deep());
    }

    /// Adds the traces in a content that can be read again.
    fn add(&mut self, content: Content, found: Found) {
        if found.depth > DEEPEST {
            return self.fail_in(&found, too_deep());
        }
        let wound = Wound::default();
        let reading = Reading { budget: found.budget.clone(), wound: wound.clone(), meter: Meter::none() };
        let start =
            content.open(&reading).and_then(|mut bytes| peek(&mut bytes, START).context("cannot read"));
        let start = match start {
            Ok(start) => start,
            Err(error) => return self.fail_in(&found, error),
        };
        match Wrapping::of(&start) {
            Wrapping::Gzip => {
                self.add(Content::Gzip(Arc::new(content)), Found { depth: found.depth + 1, ..found });
            }
            Wrapping::Zip => self.add_archive(&content, found, &wound),
            Wrapping::None if found.wanted || is_trace(&start) => {
                self.inputs.push(Input::new(found.name, content, found.budget, Wound::default()));
            }
            Wrapping::None => {}
        }
    }

    /// Adds the traces in an archive. What is noted while it is opened concerns all of them.
    fn add_archive(&mut self, content: &Content, found: Found, wound: &Wound) {
        let reading = Reading { budget: found.budget.clone(), wound: wound.clone(), meter: Meter::none() };
        let archive = content.store(&reading).and_then(|store| Archive::open(&store, wound));
        let archive = match archive {
            Ok(archive) => Arc::new(archive),
            Err(error) => return self.fail_in(&found, error),
        };
        let before = self.inputs.len();
        for (index, member) in archive.members.iter().enumerate() {
            let content = Content::Member { archive: Arc::clone(&archive), index };
            let name = format!("{}/{}", found.name, member.name);
            let wanted = matches!(Ending::of(&member.name), Some(ending) if ending != Ending::Zip);
            self.add(content, Found { name, wanted, depth: found.depth + 1, budget: found.budget.clone() });
        }
        let has_any = self.inputs.len() > before;
        if has_any {
            self.report.wrapping(&found.name, wound);
        } else if found.wanted {
            let count = archive.members.len();
            let what =
                format!("no trace in this archive of {count} file{}", if count == 1 { "" } else { "s" });
            self.fail(&found.name, anyhow!(what));
        }
    }
}

/// Bytes that hold a header buffer's records, as far as they are needed to know it.
const START: usize = 4096;

/// Whether a trace begins so, whatever its name is.
fn is_trace(start: &[u8]) -> bool {
    EtlReader::new(start).is_ok()
}

fn too_deep() -> Error {
    anyhow!("cannot read: it lies in more than {DEEPEST} gzip files and archives")
}

/// How the names of files end that are looked into where nobody named them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// What should be a trace, or hold some.
    Trace,
    /// What may hold some.
    Zip,
}

impl Ending {
    fn of(name: &str) -> Option<Self> {
        const TRACES: [&str; 5] = [".etl", ".etlgz", ".etl.gz", ".etl.zip", ".diagsession"];
        let name = name.to_lowercase();
        if TRACES.iter().any(|ending| name.ends_with(ending)) {
            Some(Self::Trace)
        } else {
            name.ends_with(".zip").then_some(Self::Zip)
        }
    }
}

/// Whether it is a file, or a link that leads to one; or to nothing, which is to be told.
fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_file()
        || entry.path_is_symlink() && fs::metadata(entry.path()).map_or(true, |data| data.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_what_is_looked_into() {
        for (name, ending) in [
            ("a.etl", Some(Ending::Trace)),
            ("A.ETL", Some(Ending::Trace)),
            ("a.etlgz", Some(Ending::Trace)),
            ("a.etl.gz", Some(Ending::Trace)),
            ("a.etl.zip", Some(Ending::Trace)),
            ("a.diagsession", Some(Ending::Trace)),
            ("a.zip", Some(Ending::Zip)),
            ("a.gz", None),
            ("etl", None),
            ("a.etl.txt", None),
        ] {
            assert_eq!(Ending::of(name), ending, "{name}");
        }
    }
}
