//! `EtlFile`: a file whole, its events in the order of time.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::fmt;
use std::io::{Read, Seek};
use std::path::Path;

use crate::buffer::{BufferHeader, BufferView};
use crate::error::Offset;
use crate::file::accounting::Accounting;
use crate::file::block::{LoadedBuffer, Pool};
use crate::file::damage::{Damage, DamageReport};
use crate::file::error::Error;
use crate::file::file_options::{FileOptions, FileOrder};
use crate::file::found::FoundBuffer;
use crate::file::index::{Entry, Index, Wanted, cap_of};
use crate::file::input::Input;
use crate::file::loader::{Doubt, Loader, Pending, Tools};
use crate::file::sparse::Sparse;
use crate::file::walk::Walk;
use crate::file::workers::Workers;
use crate::merge::Key;
use crate::stream::{self, Brought, Completed, Held, Next, Play, Source, Stats, Step, StreamInfo};
use crate::time::{FileTime, Ticks};
use crate::trace::{Event, LogFileHeader, SessionInfo};

/// What is called when a buffer is no longer in use.
pub(super) type OnComplete = Arc<dyn Fn(Completed<LoadedBuffer>) + Send + Sync>;

/// A log file with its events in the order of time: `OpenTraceFromFile` and `ProcessTrace`.
///
/// Opening it reads the header. The first step makes an index: one look at the header and the first stamp of every buffer,
/// 128 bytes of each, or 392 of a compressed one. From then on each buffer is read when the merge comes to its first event,
/// and given up after its last, so that one buffer for each processor is in memory.
///
/// Order: by raw time stamp, as far as the index tells; events of equal time by processor buffers in the order of the file,
/// within a buffer never changed. The events of the header buffer come first. The k-th buffer of a processor by sequence
/// number counts as lying where its k-th buffer lies, so buffers that changed places are no disorder. Buffers of one
/// processor that overlap in time are merged as those of several are.
///
/// Memory: the buffers in use, [`FileOptions::threads`] and a few more, and 32 bytes for each buffer of the file, of which
/// [`Limits::index_buffers`](crate::Limits::index_buffers) are known at a time. In a file with more, the rest is found
/// while events are delivered, and what that finds too late counts in [`Stats::events_late`]. If so many buffers overlap
/// that they would take more than [`FileOptions::max_held_bytes`], events leave early until there is room: counted in
/// [`Stats::pressure_releases`].
///
/// Damage costs the record or the buffer that it is in, and is in [`EtlFile::damage`]; [`EtlFile::accounting`] has every byte
/// of the file.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut file = etweir::EtlFile::open("fixtures/demo.etl")?;
/// while let Some(event) = file.next_event()? {
///     println!("{:?} {} {}", event.time(), event.provider_id(), event.id());
/// }
/// assert_eq!(file.accounting().total(), file.len());
/// # Ok(())
/// # }
/// ```
pub struct EtlFile<'a> {
    walk: Walk<Sparse<'a>>,
    options: FileOptions,
    index: Index,
    accounting: Accounting,
    on_complete: Option<OnComplete>,
    number: usize,
    workers: Option<Arc<Workers>>,
    run: Option<Run>,
    /// The walk goes over headers alone, and has handed out one with so many bytes behind it.
    by_headers: Option<usize>,
    /// The walk when the file was opened, and when the index was complete: what damage there was, and what was skipped.
    opened: Opened,
    indexed: Option<Indexed>,
}

/// What has to be known to walk again.
#[derive(Debug)]
struct Opened {
    offset: u64,
    skipped: u64,
    damage: DamageReport,
}

/// What an index found besides buffers.
#[derive(Debug)]
struct Indexed {
    accounting: Accounting,
    damage: DamageReport,
}

/// One run over a file.
struct Run {
    play: Play<LoadedBuffer>,
    loader: Loader,
    /// What was asked for, in the order in which it is wanted.
    pending: VecDeque<Pending>,
}

impl fmt::Debug for EtlFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtlFile")
            .field("options", &self.options)
            .field("len", &self.len())
            .field("buffers", &self.index.found())
            .finish_non_exhaustive()
    }
}

impl EtlFile<'static> {
    /// Opens the file at `path` with the default options.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        FileOptions::new().open(path)
    }
}

impl<'a> EtlFile<'a> {
    /// Opens a trace in anything that can be read and seeks, with the default options.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::from_reader`].
    pub fn from_reader(source: impl Read + Seek + Send + 'a) -> Result<Self, Error> {
        FileOptions::new().from_reader(source)
    }

    /// Opens a trace in memory with the default options.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::from_bytes`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, Error> {
        FileOptions::new().from_bytes(bytes)
    }

    pub(super) fn with_source(
        source: crate::file::source::Source<'a>,
        options: FileOptions,
    ) -> Result<Self, Error> {
        let mut walk = Walk::open(Sparse::new(source)?, &options.read)?;
        walk.believes = true;
        let opened =
            Opened { offset: walk.input.offset(), skipped: walk.skipped, damage: walk.damage.clone() };
        Ok(Self {
            walk,
            options,
            index: Index::default(),
            accounting: Accounting::default(),
            on_complete: None,
            number: 0,
            workers: None,
            run: None,
            by_headers: None,
            opened,
            indexed: None,
        })
    }

    /// The log-file header; `None` if it is missing.
    #[must_use]
    pub const fn header(&self) -> Option<&LogFileHeader> {
        self.walk.header.as_ref()
    }

    /// What all events of the trace share.
    #[must_use]
    pub const fn session(&self) -> SessionInfo {
        self.walk.session
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.walk.input.len()
    }

    /// Whether it has none. A trace never is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The damage that was met so far, outside of buffers and inside them.
    #[must_use]
    pub const fn damage(&self) -> &DamageReport {
        &self.walk.damage
    }

    /// Where the bytes of the file went so far.
    #[must_use]
    pub const fn accounting(&self) -> Accounting {
        let mut accounting = self.accounting;
        accounting.skipped = self.walk.skipped;
        accounting.unwritten_tail = self.walk.unwritten_tail;
        accounting.of_file(self.len())
    }

    /// What was counted in this run.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.run.as_ref().map(|run| run.play.stats()).unwrap_or_default()
    }

    /// What the trace says about itself beside the log-file header, once the first step was taken: partition, and times of
    /// lost events.
    #[must_use]
    pub fn info(&self) -> Option<&StreamInfo> {
        Some(self.run.as_ref()?.play.info())
    }

    /// Makes the index, if it is not there: what the first step does otherwise. How many buffers the file has, as far as
    /// they may be known at a time.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Changed`] if somebody else shortens the file.
    pub fn index(&mut self) -> Result<u64, Error> {
        self.peek()?;
        Ok(self.index.found())
    }

    /// Starts over, with other time limits: the index is used again. Events outside of the limits are not delivered, but
    /// for those of the header buffer, and buffers that lie outside of them are not read.
    pub fn restart(&mut self, start_time: Option<FileTime>, end_time: Option<FileTime>) {
        (self.options.start_time, self.options.end_time) = (start_time, end_time);
        self.start_over(true);
        self.on_complete = None;
    }

    /// The next event in the order of time; `None` at the end. Buffers are passed over silently.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read; the run is over then. [`Error::InvalidTime`] if the time limits are the wrong
    /// way round.
    pub fn next_event(&mut self) -> Result<Option<Event<'_>>, Error> {
        let source = loop {
            match self.decide()? {
                Next::Event(source) => break source,
                Next::End(_) | Next::Buffers => return Ok(None),
                next @ Next::Buffer(_) => drop(self.take(next)),
            }
        };
        match self.take(Next::Event(source)) {
            Step::Event(event, _) => Ok(Some(event)),
            _ => Ok(None),
        }
    }

    /// Does what comes next. [`Step::NeedInput`] never does.
    ///
    /// # Errors
    ///
    /// As [`EtlFile::next_event`].
    #[inline]
    pub fn advance(&mut self) -> Result<Step<'_, LoadedBuffer>, Error> {
        let next = self.decide()?;
        Ok(self.take(next))
    }

    /// The next buffer in the order of the file by its header alone, the header buffer first; `None` at the end. The first
    /// call starts over.
    ///
    /// Of each buffer that is all right, only the start is read, so a file of any length takes little time. [`EtlFile::damage`]
    /// then has the damage between buffers, and [`EtlFile::accounting`] their headers; what they hold stays
    /// [`unread`](Accounting::unread). A compressed buffer counts as good if another one follows it where it says that it ends.
    /// The next step towards an event starts over again.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], and [`Error::Changed`] if somebody else shortens the file.
    ///
    /// ```
    /// # fn main() -> Result<(), etweir::Error> {
    /// let mut file = etweir::EtlFile::open("fixtures/demo.etl")?;
    /// while let Some(buffer) = file.next_header()? {
    ///     println!("{} {}", buffer.offset(), buffer.header().processor_index());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn next_header(&mut self) -> Result<Option<FoundBuffer<'_>>, Error> {
        if self.by_headers.is_none() {
            self.forget();
        }
        let before = self.by_headers.replace(0).unwrap_or_default();
        self.walk.input.skip(before)?;
        let Some(found) = self.walk.locate()? else { return Ok(None) };
        self.by_headers = Some(found.have);
        self.accounting.found(found.have, found.have);
        let offset = self.walk.input.offset();
        let bytes = self.walk.input.peek(0, BufferHeader::LEN)?;
        let header = BufferHeader::parse(bytes, self.walk.session.layout())
            .map_err(|_| Error::Changed { at: Offset(offset) })?;
        Ok(Some(FoundBuffer { header, offset, stored_bytes: found.have, compressed: found.compressed }))
    }

    /// Ends the run at the next step; nothing more is delivered.
    pub fn cancel(&self) {
        if let Some(run) = &self.run {
            run.play.cancel();
        }
    }
}

/// The parts of a step.
impl EtlFile<'_> {
    /// What comes next, up to something that can be taken.
    #[inline]
    pub(super) fn decide(&mut self) -> Result<Next, Error> {
        // Ends: each turn brings a buffer or tells that there is none, as long as events are missing.
        loop {
            let Some(run) = &mut self.run else {
                self.start()?;
                continue;
            };
            match run.play.next() {
                Next::Buffers => {
                    if let Err(error) = self.bring() {
                        self.cancel();
                        return Err(error);
                    }
                }
                Next::Buffer(held) => {
                    self.settle(held);
                    return Ok(Next::Buffer(held));
                }
                Next::End(outcome) => {
                    run.loader.rest();
                    return Ok(Next::End(outcome));
                }
                next @ Next::Event(_) => return Ok(next),
            }
        }
    }

    /// Takes what was decided on.
    #[inline]
    pub(super) fn take(&mut self, next: Next) -> Step<'_, LoadedBuffer> {
        match &mut self.run {
            Some(run) => run.play.step(next),
            None => Step::NeedInput { until: None },
        }
    }

    /// The time that an event that was decided on counts as.
    pub(super) fn time_of(&self, source: Source) -> i64 {
        self.run.as_ref().map_or(i64::MAX, |run| run.play.time_of(source))
    }

    /// When the first event counts as logged, that of the header or an older one, once the header buffer has been brought.
    pub(super) fn begins(&self) -> i64 {
        let header = self.header().map_or(i64::MAX, |header| header.time_stamp.0);
        let next = self.run.as_ref().and_then(|run| run.pending.front()).map(|pending| pending.entry.first);
        next.map_or(header, |next| header.min(next))
    }

    /// How much was looked at so far besides the headers of good buffers: places of searches, and bytes that were gone over
    /// to find out how long a buffer is.
    #[cfg(feature = "testkit")]
    pub(crate) const fn work(&self) -> u64 {
        self.walk.work
    }

    /// How many threads it would start.
    pub(super) const fn threads(&self) -> usize {
        self.options.threads
    }

    /// A run from the start on, whatever was read before. Without events, buffers are handed out as they are stored, in the
    /// order of the file.
    pub(super) fn begin(&mut self, wants_events: bool, on_complete: Option<OnComplete>) {
        if self.run.is_some() || self.options.wants_events != wants_events {
            self.start_over(wants_events);
        }
        self.on_complete = on_complete;
    }

    /// Forgets what was read. The index is used again if it knows all buffers, in the order that is wanted.
    fn start_over(&mut self, wants_events: bool) {
        self.run = None;
        let is_same = self.options.wants_events == wants_events;
        self.options.wants_events = wants_events;
        if is_same
            && self.index.rewind()
            && let Some(indexed) = &self.indexed
        {
            self.accounting = indexed.accounting;
            self.walk.damage = indexed.damage.clone();
            return;
        }
        self.forget();
    }

    /// Forgets everything but what opening the file has told.
    fn forget(&mut self) {
        self.run = None;
        self.by_headers = None;
        self.index = Index::default();
        self.indexed = None;
        self.accounting = Accounting::default();
        self.walk.forget();
        self.walk.input.go_to(self.opened.offset);
        self.walk.skipped = self.opened.skipped;
        self.walk.damage = self.opened.damage.clone();
    }

    /// Which of several files it is, and the threads that they share.
    pub(super) fn join(&mut self, number: usize, workers: Option<&Arc<Workers>>) {
        self.number = number;
        self.workers = workers.map(Arc::clone);
    }

    /// Gives up everything that is held, and waits for what others hold if that is wanted.
    pub(super) fn abandon(&mut self, wait_for_retained: bool) -> Option<Box<dyn core::any::Any + Send>> {
        let run = self.run.as_mut()?;
        run.play.abandon();
        if wait_for_retained {
            run.play.wait_for_retained();
        }
        run.play.take_completion_panic()
    }

    #[cold]
    fn start(&mut self) -> Result<(), Error> {
        let FileOptions { start_time, end_time, max_held_bytes, wants_events, threads, .. } = self.options;
        if let Some((start, end)) = start_time.zip(end_time).filter(|(start, end)| end < start) {
            return Err(Error::InvalidTime { start, end });
        }
        let mut options = stream::Options::default().limits(self.walk.limits.clone());
        if let Some(start_time) = start_time {
            options = options.start_time(start_time);
        }
        if let Some(end_time) = end_time {
            options = options.end_time(end_time);
        }
        if let Some(bytes) = max_held_bytes {
            options = options.max_held_bytes(bytes);
        }
        let on_complete: Box<dyn Fn(Completed<LoadedBuffer>) + Send + Sync> = match &self.on_complete {
            Some(on_complete) => {
                let on_complete = Arc::clone(on_complete);
                Box::new(move |done| on_complete(done))
            }
            None => Box::new(drop),
        };
        let pool = Pool::new(threads.saturating_mul(4).saturating_add(SPARE));
        let walk = &self.walk;
        let tools = Tools {
            expander: walk.expander.another(),
            layout: walk.session.layout(),
            expands: wants_events,
            file: self.number,
            pool,
        };
        let workers = match &self.workers {
            Some(workers) => Some(Arc::clone(workers)),
            None => Workers::start(threads)?,
        };
        let loader = Loader::new(tools, workers);
        let play = Play::new(options, wants_events, on_complete, walk.header.clone());
        self.peek()?;
        play.add_sequence_gaps(self.index.sequence_gaps);
        self.run = Some(Run { play, loader, pending: VecDeque::new() });
        Ok(())
    }

    /// The next buffer by the index, without a look at time limits.
    fn peek(&mut self) -> Result<Option<Entry>, Error> {
        if self.by_headers.is_some() {
            self.forget();
        }
        let by_time = self.options.order == FileOrder::Time && self.options.wants_events;
        let limit = if by_time { self.walk.limits.index_buffers.max(2) } else { IN_FILE_ORDER };
        let wanted = Wanted { by_time, whole: !self.options.wants_events, limit };
        let entry = self.index.peek(&mut self.walk, wanted, &mut self.accounting)?;
        if self.index.is_complete && !self.index.is_partial && self.indexed.is_none() {
            self.indexed = Some(Indexed { accounting: self.accounting, damage: self.walk.damage.clone() });
        }
        Ok(entry)
    }

    /// Whether a buffer may hold events within the time limits.
    fn is_wanted(&self, entry: &Entry) -> bool {
        let clock = self.walk.session.clock();
        let time = |ticks| clock.to_file_time(Ticks(ticks));
        let FileOptions { start_time, end_time, .. } = &self.options;
        let too_early = || start_time.is_some_and(|start| time(entry.last).is_some_and(|last| last < start));
        let too_late = || end_time.is_some_and(|end| time(entry.first).is_some_and(|first| first > end));
        entry.is_header() || !self.options.wants_events || !(too_early() || too_late())
    }

    /// Asks for buffers until as many are asked for as should be.
    fn ask_ahead(&mut self) -> Result<(), Error> {
        // Ends: each turn takes an entry of the index.
        while self.run.as_ref().is_some_and(|run| run.pending.len() < run.loader.ahead()) {
            let Some(entry) = self.peek()? else { break };
            self.index.take();
            if !self.is_wanted(&entry) {
                self.accounting.outside(entry.len());
                continue;
            }
            if let Some(run) = &mut self.run {
                let pending = run.loader.ask(entry, &mut self.walk.input.source)?;
                run.pending.push_back(pending);
            }
        }
        Ok(())
    }

    /// Brings the next buffer, or tells that there is none.
    #[cold]
    fn bring(&mut self) -> Result<(), Error> {
        self.ask_ahead()?;
        let Some(run) = &mut self.run else { return Ok(()) };
        if let Some(pending) = run.pending.pop_front() {
            match run.loader.get(&pending, &mut self.walk.input.source)? {
                Ok((buffer, filled)) => {
                    let log_file = self.walk.header.as_ref();
                    let header = BufferHeader::parse(buffer.as_ref(), self.walk.session.layout());
                    let brought = Brought {
                        arrival: pending.entry.arrival(),
                        is_header: pending.entry.is_header(),
                        filled,
                        cap: header.ok().and_then(|header| cap_of(log_file, &header)),
                        session: self.walk.session,
                    };
                    // One without even a header is what a file that was shortened has left of it.
                    let _ = run.play.bring(buffer, &brought);
                }
                Err(Doubt::Damaged(cause)) if !pending.entry.is_believed() => {
                    self.accounting.lost(pending.entry.len());
                    self.walk.lose(&pending.entry, cause);
                }
                Err(_) => self.look_again(&pending.entry)?,
            }
        }
        self.ask_ahead()?;
        let by_time = self.options.order == FileOrder::Time;
        if let Some(run) = &mut self.run {
            let next = run.pending.front().map(|pending| pending.entry);
            run.play.expect(
                next.map(|entry| if by_time { entry.key() } else { Key::new(i64::MAX, entry.arrival()) }),
            );
        }
        Ok(())
    }

    /// A compressed buffer that the index believed in does not expand. What a second look finds in its place takes its turn,
    /// if that is still to come.
    #[cold]
    fn look_again(&mut self, lost: &Entry) -> Result<(), Error> {
        self.index.is_partial = true;
        let found = self.walk.look_again(lost, &mut self.accounting)?;
        let Some(run) = &mut self.run else { return Ok(()) };
        for (number, entry) in found.into_iter().enumerate() {
            let later = run.pending.partition_point(|other| other.entry.key() < entry.key());
            match self.options.order {
                FileOrder::File => run.pending.insert(number, Pending::later(entry)),
                FileOrder::Time if later < run.pending.len() => {
                    run.pending.insert(later, Pending::later(entry));
                }
                FileOrder::Time => self.index.insert(entry),
            }
        }
        Ok(())
    }

    /// Counts a buffer whose events are over.
    fn settle(&mut self, held: Held) {
        let Some((buffer, end, is_damaged)) = self.run.as_ref().and_then(|run| run.play.held(held)) else {
            return;
        };
        let place = buffer.place();
        if !self.options.wants_events {
            self.accounting.passed(place.stored);
            return;
        }
        let bytes = buffer.as_ref();
        let header = BufferHeader::parse(bytes, self.walk.session.layout());
        let filled = u64::from(header.map(|header| header.filled_bytes()).unwrap_or_default());
        let view =
            header.and_then(|header| BufferView::with_size(header, bytes, filled.max(FILLED_AT_LEAST)));
        let Ok(view) = view else { return };
        let mut damaged = 0_u64;
        if is_damaged {
            for damage in view.records().filter_map(Result::err) {
                damaged = damaged.saturating_add(damage.len);
                self.walk.damage.add(Damage::in_buffer_at(Offset(place.offset), place.compressed, damage));
            }
        }
        if place.compressed {
            self.accounting.expanded(place.stored);
        } else {
            self.accounting.gone_over(&view, end, damaged);
        }
    }
}

/// Pieces of memory that are kept beside those of threads.
const SPARE: usize = 4;
/// How many buffers are known at a time where their order is that of the file.
const IN_FILE_ORDER: usize = 1024;
const FILLED_AT_LEAST: u64 = 72;
