//! What is said on standard error, and the exit status that follows from it.

use core::error::Error;
use core::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use etweir::file::{Damage, DamageReport};
use etweir::trace::LogFileHeader;
use jiff::SignedDuration;
use serde::Serialize;

use crate::inputs::{Reader, Wound};
use crate::progress::Progress;
use crate::text::{Printable, counted, duration, grouped};
use crate::walk::Course;

/// Errors are printed when they happen, warnings at the end: they are many where a file is badly damaged, and concern
/// nobody if there is no output.
pub(crate) struct Report {
    quiet: bool,
    strict: bool,
    progress: Progress,
    failed: bool,
    warnings: Vec<String>,
    sums: Sums,
}

/// What the summary tells, over all files.
#[derive(Default)]
struct Sums {
    damaged_files: u64,
    missing_headers: u64,
    /// Places of damage in gzip data and archives.
    wounds: u64,
    buffers: u64,
    records: u64,
    bytes: u64,
    events_lost: u64,
    buffers_lost: u64,
    /// Buffers whose flags tell of a loss before them.
    loss_flags: u64,
    loss_events: u64,
    late_events: u64,
    most_late: Option<SignedDuration>,
}

/// How many places of damage are named in each file.
const NAMED: usize = 20;

/// What there is to tell of a file that was read as far as it was wanted.
pub(crate) struct Told<'a> {
    pub(crate) header: Option<&'a LogFileHeader>,
    /// The damage outside of buffers.
    pub(crate) between: &'a DamageReport,
    pub(crate) course: &'a Course,
    /// The damage of what the file is wrapped in.
    pub(crate) wound: Wound,
}

impl<'a> Told<'a> {
    pub(crate) const fn by(reader: &'a Reader, course: &'a Course, wound: Wound) -> Self {
        Self { header: reader.header(), between: reader.damage(), course, wound }
    }
}

impl Report {
    /// The bar of `progress` makes way for what is printed.
    pub(crate) fn new(quiet: bool, strict: bool, progress: Progress) -> Self {
        Self { quiet, strict, progress, failed: false, warnings: Vec::new(), sums: Sums::default() }
    }

    /// Something went wrong, with the file `name` if one is to blame: one line, the causes joined.
    pub(crate) fn error(&mut self, name: Option<&str>, error: &dyn Error) {
        self.failed = true;
        let mut line = name.map(|name| format!("{name}: ")).unwrap_or_default();
        line.push_str(&chain(error));
        self.progress.beside(|| print("error", AnsiColor::Red, &line));
    }

    /// Something is odd about the file `name`.
    pub(crate) fn warning(&mut self, name: &str, text: &str) {
        self.warnings.push(format!("{name}: {text}"));
    }

    /// What traces are wrapped in is damaged.
    pub(crate) fn wrapping(&mut self, name: &str, wound: &Wound) {
        let notes = wound.notes();
        self.sums.damaged_files += u64::from(!notes.is_empty());
        for note in &notes {
            self.sums.wounds = self.sums.wounds.saturating_add(1);
            self.warning(name, note);
        }
    }

    /// The file `name` was read: names the damage in it, and counts that and its losses.
    pub(crate) fn trace(&mut self, name: &str, told: &Told<'_>) {
        let Told { header, between, course, wound } = told;
        let in_buffers = &course.damage;
        let before = self.sums.damaged_files;
        self.wrapping(name, wound);
        match header {
            Some(header) => {
                self.sums.events_lost = self.sums.events_lost.saturating_add(header.events_lost.into());
                self.sums.buffers_lost = self.sums.buffers_lost.saturating_add(header.buffers_lost.into());
            }
            None => {
                self.sums.missing_headers = self.sums.missing_headers.saturating_add(1);
                self.warning(
                    name,
                    "the header buffer is missing or damaged: expected a log-file header at 0x48, found none; there is no time \
                     of day, only session ticks",
                );
            }
        }
        if header.is_none() || !between.is_empty() || !in_buffers.is_empty() {
            // Once, whatever is wrong with it.
            self.sums.damaged_files = before.saturating_add(1);
        }
        self.sums.buffers = self.sums.buffers.saturating_add(between.buffers());
        self.sums.records = self.sums.records.saturating_add(in_buffers.records());
        self.sums.bytes = self.sums.bytes.saturating_add(between.bytes()).saturating_add(in_buffers.bytes());
        let losses = &course.losses;
        let flags = losses.events_lost_flags.saturating_add(losses.buffers_lost_flags);
        self.sums.loss_flags = self.sums.loss_flags.saturating_add(flags);
        self.sums.loss_events = self.sums.loss_events.saturating_add(losses.loss_events);
        self.name_damage(name, between, in_buffers);
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

    /// A line for each place of damage, by their order in the file.
    fn name_damage(&mut self, name: &str, between: &DamageReport, in_buffers: &DamageReport) {
        let mut entries: Vec<&Damage> = between.entries().iter().chain(in_buffers.entries()).collect();
        entries.sort_by_key(|damage| damage.at);
        for damage in entries.iter().take(NAMED) {
            self.warning(name, &chain(*damage));
        }
        let named = u64::try_from(entries.len().min(NAMED)).unwrap_or(u64::MAX);
        let all = between.count().saturating_add(in_buffers.count());
        if let Some(more) = all.checked_sub(named).filter(|more| *more > 0) {
            self.warning(name, &format!("... and {} more", grouped(more)));
        }
    }

    /// So many events were printed after younger ones, by so much at most, if a clock tells that.
    pub(crate) fn late(&mut self, events: u64, most: Option<SignedDuration>) {
        self.sums.late_events = self.sums.late_events.saturating_add(events);
        self.sums.most_late = self.sums.most_late.max(most);
    }

    /// Forgets the warnings so far: there will be no output that they could concern.
    pub(crate) fn drop_warnings(&mut self) {
        self.warnings.clear();
        self.sums = Sums::default();
    }

    /// Prints what has been gathered, and the summary.
    pub(crate) fn finish(self) -> ExitCode {
        self.progress.clear();
        let too_bad = self.strict && self.sums.damaged_files > 0;
        if !self.quiet {
            for line in &self.warnings {
                print("warning", AnsiColor::Yellow, line);
            }
        }
        match self.sums.summary() {
            Some(line) if too_bad => print("error", AnsiColor::Red, &line),
            Some(line) if !self.quiet => print("warning", AnsiColor::Yellow, &line),
            _ => {}
        }
        if self.failed || too_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

impl Sums {
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
        let losses = self.losses();
        if !losses.is_empty() {
            parts.push(format!("lost while tracing: {}", losses.join(", ")));
        }
        if self.late_events > 0 {
            parts.push(format!(
                "{} came late{}, and {} printed after younger ones",
                counted(self.late_events, "event"),
                self.most_late.map(|most| format!(", by {} at most", duration(most))).unwrap_or_default(),
                if self.late_events == 1 { "is" } else { "are" },
            ));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// What the damage comes to.
    fn damage(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.wounds > 0 {
            parts.push(format!("compressed data or archives damaged in {}", counted(self.wounds, "place")));
        }
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

    /// What the traces themselves tell of losses.
    fn losses(&self) -> Vec<String> {
        let mut parts = Vec::new();
        if self.events_lost > 0 || self.buffers_lost > 0 {
            parts.push(format!(
                "{} and {}",
                counted(self.events_lost, "event"),
                counted(self.buffers_lost, "buffer")
            ));
        }
        if self.loss_flags > 0 {
            parts.push(format!("marks of a loss in {}", counted(self.loss_flags, "buffer")));
        }
        if self.loss_events > 0 {
            parts.push(format!("{} of the session", counted(self.loss_events, "loss event")));
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
