//! What is said on standard error, and the exit status that follows from it.

use core::error::Error;
use core::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use etweir::file::Damage;
use serde::Serialize;

use crate::inputs::Reader;
use crate::text::{Printable, counted, grouped};
use crate::walk::Course;

/// Errors are printed when they happen, warnings at the end: they are many where a file is badly damaged, and concern
/// nobody if there is no output.
#[derive(Debug)]
pub(crate) struct Report {
    quiet: bool,
    strict: bool,
    failed: bool,
    warnings: Vec<String>,
    damaged_files: u64,
    missing_headers: u64,
    buffers: u64,
    records: u64,
    bytes: u64,
    events_lost: u64,
    buffers_lost: u64,
}

/// How many places of damage are named in each file.
const NAMED: usize = 20;

impl Report {
    pub(crate) const fn new(quiet: bool, strict: bool) -> Self {
        Self {
            quiet,
            strict,
            failed: false,
            warnings: Vec::new(),
            damaged_files: 0,
            missing_headers: 0,
            buffers: 0,
            records: 0,
            bytes: 0,
            events_lost: 0,
            buffers_lost: 0,
        }
    }

    /// Something went wrong, with the file `name` if one is to blame: one line, the causes joined.
    pub(crate) fn error(&mut self, name: Option<&str>, error: &dyn Error) {
        self.failed = true;
        let mut line = name.map(|name| format!("{name}: ")).unwrap_or_default();
        line.push_str(&chain(error));
        print("error", AnsiColor::Red, &line);
    }

    /// Something is odd about the file `name`.
    pub(crate) fn warning(&mut self, name: &str, text: &str) {
        self.warnings.push(format!("{name}: {text}"));
    }

    /// The file `name` was read as far as it was wanted: names the damage in it, and counts that and its losses.
    pub(crate) fn trace(&mut self, name: &str, reader: &Reader, course: &Course) {
        let in_buffers = &course.damage;
        match reader.header() {
            Some(header) => {
                self.events_lost = self.events_lost.saturating_add(header.events_lost.into());
                self.buffers_lost = self.buffers_lost.saturating_add(header.buffers_lost.into());
            }
            None => {
                self.missing_headers = self.missing_headers.saturating_add(1);
                self.warning(
                    name,
                    "the header buffer is missing or damaged: there is no time of day, only session ticks",
                );
            }
        }
        let between = reader.damage();
        if reader.header().is_none() || !between.is_empty() || !in_buffers.is_empty() {
            self.damaged_files = self.damaged_files.saturating_add(1);
        }
        self.buffers = self.buffers.saturating_add(between.buffers());
        self.records = self.records.saturating_add(in_buffers.records());
        self.bytes = self.bytes.saturating_add(between.bytes()).saturating_add(in_buffers.bytes());

        let mut entries: Vec<&Damage> = between.entries().iter().chain(in_buffers.entries()).collect();
        entries.sort_by_key(|damage| damage.at);
        for damage in entries.iter().take(NAMED) {
            self.warning(name, &chain(*damage));
        }
        let named = u64::try_from(entries.len().min(NAMED)).unwrap_or(u64::MAX);
        let all = between.count().saturating_add(in_buffers.count());
        if let Some(more) = all.checked_sub(named).filter(|more| *more > 0) {
            self.warning(name, &format!("... and {more} more"));
        }
        if let Some((at, count)) = course.more_headers {
            let more = match count.saturating_sub(1) {
                0 => String::new(),
                more => format!(" and {} more behind it", grouped(more)),
            };
            let text = format!(
                "another log-file header at {at}{more}: times from there on are converted with the clock of the first one \
                 and may be wrong"
            );
            self.warning(name, &text);
        }
    }

    /// Forgets the warnings so far: there will be no output that they could concern.
    pub(crate) fn drop_warnings(&mut self) {
        *self = Self { failed: self.failed, ..Self::new(self.quiet, self.strict) };
    }

    /// Prints what has been gathered, and the summary.
    pub(crate) fn finish(self) -> ExitCode {
        let too_bad = self.strict && self.damaged_files > 0;
        if !self.quiet {
            for line in &self.warnings {
                print("warning", AnsiColor::Yellow, line);
            }
        }
        match self.summary() {
            Some(line) if too_bad => print("error", AnsiColor::Red, &line),
            Some(line) if !self.quiet => print("warning", AnsiColor::Yellow, &line),
            _ => {}
        }
        if self.failed || too_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// One line on all damage and all losses, if there are any.
    fn summary(&self) -> Option<String> {
        let mut parts = Vec::new();
        if self.damaged_files > 0 {
            parts.push(format!(
                "damage in {}: {}",
                counted(self.damaged_files, "file"),
                self.damage().join(", ")
            ));
        }
        if self.events_lost > 0 || self.buffers_lost > 0 {
            parts.push(format!(
                "lost while tracing: {} and {}",
                counted(self.events_lost, "event"),
                counted(self.buffers_lost, "buffer"),
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// What the damage comes to.
    fn damage(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.missing_headers > 0 {
            parts.push(format!("{} missing", counted(self.missing_headers, "header buffer")));
        }
        if self.buffers > 0 || self.records > 0 {
            parts.push(format!(
                "{} and {} damaged or skipped",
                counted(self.buffers, "buffer"),
                counted(self.records, "record"),
            ));
            parts.push(format!("{} lost", counted(self.bytes, "byte")));
        }
        parts
    }
}

/// A file that could not be read, in the place of what JSON would say of it.
#[derive(Serialize)]
pub(crate) struct FailedFile {
    file: String,
    error: String,
}

impl FailedFile {
    pub(crate) fn new(name: &str, error: &dyn Error) -> Self {
        Self { file: name.to_owned(), error: chain(error) }
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(line, ": {cause}");
        next = cause.source();
    }
    line
}

/// A line on standard error. Nothing can be done if that fails.
fn print(tag: &str, color: AnsiColor, line: &str) {
    let style = Style::new().bold().fg_color(Some(color.into()));
    let _ = writeln!(anstream::stderr().lock(), "{style}{tag}:{style:#} {}", Printable(line));
}
