//! Sorting by time in bounded memory: buffers are kept as they are, and each of their events is one small entry.

use core::fmt;
use core::ops::Range;

use anyhow::Result;
use bytesize::ByteSize;
use etweir::buffer::OwnedBuffer;
use etweir::trace::{Clock, ClockType, Event, SessionInfo, TraceBuffer};
use etweir::{Offset, Ticks};

use crate::events::{Plan, Sink, warn_without_clock};
use crate::inputs::{Input, Reader};
use crate::report::{Report, Told};
use crate::walk::{Course, Placed};

/// Reads everything, sorts, delivers.
pub(super) fn deliver(
    inputs: &mut [Input],
    plan: &Plan<'_>,
    sink: &mut impl Sink,
    report: &mut Report,
) -> Result<()> {
    let mut sorter = Sorter::new(plan.memory_limit);
    for (index, input) in inputs.iter_mut().enumerate() {
        let mut reader = match input.open(plan.progress) {
            Ok(reader) => reader,
            Err(error) => {
                report.error(Some(&input.name), &*error);
                continue;
            }
        };
        sorter.begin_file(index, &reader);
        let mut course = Course::new(&reader);
        loop {
            match reader.next_buffer() {
                Ok(Some(buffer)) => {
                    let events = course.walk(&buffer).filter(|placed| plan.filter.passes(placed));
                    sorter.add(buffer.trace_buffer(), events);
                }
                Ok(None) => break,
                Err(error) => {
                    report.error(Some(&input.name), &error);
                    break;
                }
            }
        }
        report.trace(&input.name, &Told::by(&reader, &course, input.wound()));
        warn_without_clock(&input.name, reader.session().clock().is_known(), plan.filter, report);
    }
    let sorted = match sorter.sort() {
        Ok(sorted) => sorted,
        Err(refusal) => {
            report.drop_warnings();
            report.error(None, &refusal);
            return Ok(());
        }
    };
    let buffers = sorted.buffers();
    plan.progress.print(sorted.count());
    let meter = plan.progress.meter();
    for (file, event) in sorted.events(&buffers) {
        if sink.is_done() {
            break;
        }
        let name = inputs.get(file).map_or("", |input| &input.name);
        sink.event(name, &event)?;
        meter.add(1);
    }
    Ok(())
}

/// Where an event is, in the order in which events are printed: the place breaks ties, and rises with the order of the
/// files and in them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Entry {
    /// Ticks while files are read; while they are sorted, ticks of a common clock or a `FILETIME`.
    key: i64,
    /// Which of the kept buffers.
    buffer: u32,
    /// Where in it.
    at: u32,
}

/// A buffer with events that are wanted.
struct Kept {
    buffer: OwnedBuffer,
    /// Which of the files.
    file: usize,
}

/// The part of the entries that belongs to one file.
struct FileEntries {
    /// Which of the inputs.
    input: usize,
    session: SessionInfo,
    entries: Range<usize>,
    /// Whether the first entry is the log-file header, which precedes all others of its file.
    has_header: bool,
    /// Whether its stamps are all of one clock. Of type 0 nothing tells: only converted they can be compared.
    has_one_clock: bool,
}

/// Collects the events of all files.
struct Sorter {
    limit: u64,
    /// Bytes that everything so far needs, kept or not.
    needed: u64,
    entries: Vec<Entry>,
    buffers: Vec<Kept>,
    files: Vec<FileEntries>,
}

/// What an entry costs, in a vector that grows by half.
const ENTRY_COST: u64 = 24;
/// What a buffer costs besides its bytes: the box, and the view while events are printed.
const BUFFER_COST: u64 = 256;

impl Sorter {
    const fn new(limit: u64) -> Self {
        Self { limit, needed: 0, entries: Vec::new(), buffers: Vec::new(), files: Vec::new() }
    }

    /// The buffers that follow belong to the input with this index.
    fn begin_file(&mut self, input: usize, reader: &Reader) {
        let entries = self.entries.len()..self.entries.len();
        let has_one_clock = reader.header().is_none_or(|header| header.clock_type != ClockType::RAW);
        let session = reader.session();
        self.files.push(FileEntries { input, session, entries, has_header: false, has_one_clock });
    }

    /// Takes over those events of a buffer that are wanted. Past the limit it only counts.
    fn add<'a>(&mut self, buffer: &TraceBuffer<'_>, events: impl Iterator<Item = Placed<'a>>) {
        let last = self.files.len().saturating_sub(1);
        let Some(file) = self.files.last_mut() else { return };
        let valid_bytes = Offset::from(buffer.view().valid_bytes().len()).get();
        let index = u32::try_from(self.buffers.len()).unwrap_or(u32::MAX);
        let mut found = false;
        for placed in events {
            if !found {
                self.needed = self.needed.saturating_add(valid_bytes + BUFFER_COST);
                found = true;
            }
            self.needed = self.needed.saturating_add(ENTRY_COST);
            if self.needed > self.limit {
                continue;
            }
            let Ok(at) = u32::try_from(placed.event.record().offset().get()) else { continue };
            if self.entries.len() == self.entries.capacity() {
                self.entries.reserve_exact((self.entries.len() / 2).max(1024));
            }
            if file.entries.is_empty() {
                file.has_header = is_log_file_header(&placed.event);
            }
            self.entries.push(Entry { key: placed.ticks.0, buffer: index, at });
            file.entries.end = self.entries.len();
        }
        if self.needed > self.limit {
            self.entries = Vec::new();
            self.buffers = Vec::new();
            file.entries = 0..0;
        } else if found {
            self.buffers.push(Kept { buffer: buffer.view().to_owned_buffer(), file: last });
        }
    }

    /// Everything in the order of time, or the refusal to sort in less memory than that takes.
    fn sort(mut self) -> core::result::Result<Sorted, Refusal> {
        if self.needed > self.limit {
            return Err(Refusal { limit: self.limit, needed: self.needed });
        }
        let common_clock = self.has_common_clock();
        for file in &self.files {
            let entries = self.entries.get_mut(file.entries.clone()).unwrap_or_default();
            if !common_clock {
                to_file_times(entries, file.session.clock());
            }
            if file.has_header {
                let least = entries.iter().map(|entry| entry.key).min();
                if let (Some(header), Some(least)) = (entries.first_mut(), least) {
                    header.key = least;
                }
            }
        }
        if common_clock || self.files.iter().all(|file| file.session.clock().is_known()) {
            self.entries.sort_unstable();
        } else {
            // Times that nobody knows cannot be compared: such files come last, one after the other.
            let (buffers, files) = (&self.buffers, &self.files);
            let rank = |entry: &Entry| {
                let file = buffers.get(position(entry.buffer)?)?.file;
                let has_clock = files.get(file)?.session.clock().is_known();
                Some(if has_clock { 0 } else { file.saturating_add(1) })
            };
            self.entries.sort_unstable_by_key(|entry| (rank(entry), *entry));
        }
        let sessions = self.files.into_iter().map(|file| (file.input, file.session)).collect();
        Ok(Sorted { entries: self.entries, buffers: self.buffers, sessions })
    }

    /// Whether raw ticks of all files can be compared, which is more exact than times of day.
    fn has_common_clock(&self) -> bool {
        match self.files.as_slice() {
            [] => true,
            [only] => only.has_one_clock,
            [first, rest @ ..] => {
                let clock = first.session.clock();
                clock.is_known()
                    && first.has_one_clock
                    && rest.iter().all(|file| file.has_one_clock && file.session.clock() == clock)
            }
        }
    }
}

fn is_log_file_header(event: &Event<'_>) -> bool {
    event.hook_id() == Some(0)
}

/// A stamp that does not convert counts as its predecessor in the file.
fn to_file_times(entries: &mut [Entry], clock: Clock) {
    if !clock.is_known() {
        return;
    }
    let mut last = i64::MIN;
    for entry in entries {
        last = clock.to_file_time(Ticks(entry.key)).map_or(last, |time| time.0);
        entry.key = last;
    }
}

/// All events in their order.
struct Sorted {
    entries: Vec<Entry>,
    buffers: Vec<Kept>,
    /// By file: which of the inputs it is, and its session.
    sessions: Vec<(usize, SessionInfo)>,
}

impl Sorted {
    fn count(&self) -> u64 {
        Offset::from(self.entries.len()).get()
    }

    /// The kept buffers with the input that each belongs to.
    fn buffers(&self) -> Vec<Option<(usize, TraceBuffer<'_>)>> {
        self.buffers.iter().map(|kept| self.view(kept)).collect()
    }

    fn view<'a>(&self, kept: &'a Kept) -> Option<(usize, TraceBuffer<'a>)> {
        let (input, session) = self.sessions.get(kept.file)?;
        Some((*input, TraceBuffer::new(kept.buffer.view(), *session)))
    }

    /// The events with the input that each belongs to.
    fn events<'a>(
        &'a self,
        buffers: &'a [Option<(usize, TraceBuffer<'a>)>],
    ) -> impl Iterator<Item = (usize, Event<'a>)> {
        self.entries.iter().filter_map(|entry| {
            let (input, buffer) = buffers.get(position(entry.buffer)?)?.as_ref()?;
            let record = buffer.view().record_at(Offset(entry.at.into()))?;
            Some((*input, buffer.context().event(record)))
        })
    }
}

fn position(index: u32) -> Option<usize> {
    usize::try_from(index).ok()
}

/// Sorting would take more memory than allowed.
#[derive(Debug)]
struct Refusal {
    limit: u64,
    needed: u64,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "sorting by time needs {} of memory, more than the {} of --memory-limit: raise it, narrow the events down, \
             or take --order file",
            ByteSize(self.needed),
            ByteSize(self.limit)
        )
    }
}

impl core::error::Error for Refusal {}
