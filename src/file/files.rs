//! Several files as one trace.

use alloc::vec::Vec;
use core::fmt;
use std::path::Path;

use crate::file::block::LoadedBuffer;
use crate::file::error::Error;
use crate::file::etl::EtlFile;
use crate::file::file_options::FileOptions;
use crate::file::workers::Workers;
use crate::merge::{Key, Tournament};
use crate::stream::{Next, Outcome, Stats, Step};
use crate::time::{FileTime, Ticks};
use crate::trace::{ClockType, Event, LogFileHeader};

/// Several log files as one trace: the user and the kernel part of a recording, the files of a `NEWFILE` series, or any
/// others. `ProcessTrace` with several handles, of which it takes 64; here there may be any number.
///
/// Events come out merged by time. Where all files have the same clock - same type, rate and boot of the same machine - by
/// their ticks, otherwise by the time of day, to which the ticks are converted as far as each header allows. Where times are
/// equal, the file that was named first comes first. The events of the header buffers come first of all, unless
/// [`EtlFiles::headers_by_time`] says otherwise. A file without a clock, whose header is missing, comes after all others, or if
/// none has one, all are merged by their ticks.
///
/// [`Delivery::buffer`](crate::stream::Delivery::buffer) tells which file an event comes from:
/// [`LoadedBuffer::file`](crate::file::LoadedBuffer::file). What [`Delivery::stats`](crate::stream::Delivery::stats) and
/// [`RetiringBuffer`](crate::stream::RetiringBuffer) count is counted for each file.
///
/// Each file is held open, with the memory of an [`EtlFile`]; threads are shared.
///
/// ```
/// # fn main() -> Result<(), etweir::Error> {
/// let mut files = etweir::EtlFiles::open(["fixtures/demo.etl", "fixtures/windows_11.etl"])?;
/// while let Some((file, event)) = files.next_event()? {
///     println!("{file} {:?} {}", event.time(), event.provider_id());
/// }
/// # Ok(())
/// # }
/// ```
pub struct EtlFiles<'a> {
    files: Vec<EtlFile<'a>>,
    merge: MergedBy,
    tree: Tournament,
    /// What each file does next, if that was found out and has not been taken.
    next: Vec<Option<Next>>,
    /// A file whose next step has to be found out, unless there are several.
    stale: Stale,
    cancelled: bool,
    headers_by_time: bool,
    failed: Option<usize>,
}

/// By what the events of several files are merged.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum MergedBy {
    /// All files have the same clock: by raw time stamps.
    Ticks,
    /// By the time of day.
    FileTime,
}

/// Files whose next step is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stale {
    None,
    One(usize),
    /// This one and all that follow.
    From(usize),
}

impl fmt::Debug for EtlFiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtlFiles")
            .field("files", &self.files)
            .field("merge", &self.merge)
            .finish_non_exhaustive()
    }
}

impl EtlFiles<'static> {
    /// Opens the files at `paths` with the default options.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::open_all`].
    pub fn open(paths: impl IntoIterator<Item = impl AsRef<Path>>) -> Result<Self, Error> {
        FileOptions::new().open_all(paths)
    }
}

impl FileOptions {
    /// Opens the files at `paths` as one trace. The options are those of each; the threads are shared.
    ///
    /// # Errors
    ///
    /// As [`FileOptions::open`], for the first file that cannot be opened.
    pub fn open_all(
        self,
        paths: impl IntoIterator<Item = impl AsRef<Path>>,
    ) -> Result<EtlFiles<'static>, Error> {
        let files = paths.into_iter().map(|path| self.clone().open(path));
        EtlFiles::new(files.collect::<Result<_, _>>()?)
    }
}

impl<'a> EtlFiles<'a> {
    /// Files that are open as one trace, before their first step. They share the threads of the first one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the threads cannot be started.
    pub fn new(mut files: Vec<EtlFile<'a>>) -> Result<Self, Error> {
        let threads = files.first().map_or(0, |file| file.threads());
        let workers = Workers::start(threads)?;
        for (number, file) in files.iter_mut().enumerate() {
            file.join(number, workers.as_ref());
        }
        let headers: Vec<_> = files.iter().map(EtlFile::header).collect();
        let same = headers.iter().zip(headers.iter().skip(1)).all(|(a, b)| have_same_clock(*a, *b));
        let merge = if same { MergedBy::Ticks } else { MergedBy::FileTime };
        let next = files.iter().map(|_| None).collect();
        Ok(Self {
            files,
            merge,
            tree: Tournament::new(),
            next,
            stale: Stale::From(0),
            cancelled: false,
            headers_by_time: false,
            failed: None,
        })
    }

    /// Lets the events of a header buffer come when their file begins: at the time of its header, or of the file's first event
    /// if that is older. Default: they come first of all.
    #[must_use]
    pub const fn headers_by_time(mut self) -> Self {
        self.headers_by_time = true;
        self
    }

    /// The files, in their order.
    #[must_use]
    pub fn files(&self) -> &[EtlFile<'a>] {
        &self.files
    }

    /// By what their events are merged.
    #[must_use]
    pub const fn merged_by(&self) -> MergedBy {
        self.merge
    }

    /// Which file the error came from that ended the run, if one did.
    #[must_use]
    pub const fn failed(&self) -> Option<usize> {
        self.failed
    }

    /// Goes on after an error, without the file that it came from: what that one held is lost, the others go on where they were.
    pub fn go_on(&mut self) {
        if let Some(file) = self.failed.take() {
            self.tree.set(file, Key::NONE);
            self.cancelled = false;
        }
    }

    /// What was counted in all files together.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut all = Stats::default();
        for file in &self.files {
            all.add(&file.stats());
        }
        all
    }

    /// As [`EtlFile::restart`], for all files.
    pub fn restart(&mut self, start_time: Option<FileTime>, end_time: Option<FileTime>) {
        self.start_over(|file| file.restart(start_time, end_time));
    }

    /// Forgets what was found out, once `each` file did.
    pub(super) fn start_over(&mut self, each: impl FnMut(&mut EtlFile<'a>)) {
        self.for_each_mut(each);
        self.tree = Tournament::new();
        self.next.iter_mut().for_each(|next| *next = None);
        self.stale = Stale::From(0);
        self.cancelled = false;
        self.failed = None;
    }

    /// The next event in the order of time and the number of its file; `None` at the end.
    ///
    /// # Errors
    ///
    /// As [`EtlFile::next_event`], for any of the files. The run is over then, unless [`EtlFiles::go_on`] is called.
    pub fn next_event(&mut self) -> Result<Option<(usize, Event<'_>)>, Error> {
        let (file, next) = loop {
            match self.decide()? {
                Some((file, next @ Next::Event(_))) => break (file, next),
                Some((file, next)) => drop(self.take(file, next)),
                None => return Ok(None),
            }
        };
        match self.take(file, next) {
            Step::Event(event, _) => Ok(Some((file, event))),
            _ => Ok(None),
        }
    }

    /// Does what comes next. [`Step::NeedInput`] never does.
    ///
    /// # Errors
    ///
    /// As [`EtlFiles::next_event`].
    #[inline]
    pub fn advance(&mut self) -> Result<Step<'_, LoadedBuffer>, Error> {
        Ok(match self.decide()? {
            Some((file, next)) => self.take(file, next),
            None if self.cancelled => Step::End(Outcome::Cancelled),
            None => Step::End(Outcome::Finished),
        })
    }

    /// Ends the run at the next step; nothing more is delivered.
    pub fn cancel(&self) {
        self.files.iter().for_each(EtlFile::cancel);
    }

    pub(super) fn for_each_mut(&mut self, each: impl FnMut(&mut EtlFile<'a>)) {
        self.files.iter_mut().for_each(each);
    }

    /// The next step and the file that does it; `None` at the end.
    #[inline]
    fn decide(&mut self) -> Result<Option<(usize, Next)>, Error> {
        // Ends: each turn finds out what a file does next.
        loop {
            let file = match self.stale {
                _ if self.cancelled => break,
                Stale::None => break,
                Stale::One(file) => file,
                Stale::From(file) if file < self.files.len() => file,
                Stale::From(_) => {
                    self.stale = Stale::None;
                    break;
                }
            };
            let found = self.find_next(file);
            if let Ok(Some(next)) = found {
                // A buffer whose events are over takes its turn at once.
                return Ok(Some((file, next)));
            }
            self.stale = match self.stale {
                Stale::From(file) => Stale::From(file.saturating_add(1)),
                _ => Stale::None,
            };
            if let Err(error) = found {
                self.failed = Some(file);
                self.cancelled = true;
                return Err(error);
            }
        }
        let Some((_, file)) = self.tree.winner().filter(|_| !self.cancelled) else { return Ok(None) };
        let next = self.next.get_mut(file).and_then(Option::take);
        self.stale = Stale::One(file);
        Ok(next.map(|next| (file, next)))
    }

    /// Finds out what a file does next and when that is. Gives what has no time.
    #[inline]
    fn find_next(&mut self, number: usize) -> Result<Option<Next>, Error> {
        let Some(file) = self.files.get_mut(number) else { return Ok(None) };
        let next = file.decide()?;
        let key = match next {
            Next::Event(source) => {
                let ticks = match file.time_of(source) {
                    i64::MIN if self.headers_by_time => file.begins(),
                    ticks => ticks,
                };
                let time = match self.merge {
                    // Headers that come first do so whatever the clock.
                    MergedBy::FileTime if ticks > i64::MIN => time_of_day(file, ticks),
                    _ => ticks,
                };
                Key::new(time, u64::try_from(number).unwrap_or(u64::MAX))
            }
            Next::Buffer(_) => return Ok(Some(next)),
            Next::End(outcome) => {
                if outcome == Outcome::Cancelled {
                    self.cancel();
                    self.cancelled = true;
                }
                Key::NONE
            }
            Next::Buffers => Key::NONE,
        };
        if let Some(place) = self.next.get_mut(number) {
            *place = Some(next);
        }
        self.tree.set(number, key);
        Ok(None)
    }

    #[inline]
    fn take(&mut self, file: usize, next: Next) -> Step<'_, LoadedBuffer> {
        match self.files.get_mut(file) {
            Some(file) => file.take(next),
            None => Step::NeedInput { until: None },
        }
    }
}

/// The time of day of a stamp. One that is none is before or after all times, as it is before or after the header; without
/// a clock, after all.
#[inline]
fn time_of_day(file: &EtlFile<'_>, ticks: i64) -> i64 {
    let clock = file.session().clock();
    let header = || file.header().map_or(i64::MIN, |header| header.time_stamp.0);
    match clock.to_file_time(Ticks(ticks)) {
        Some(time) => time.get(),
        None if clock.is_known() && ticks < header() => i64::MIN,
        None => i64::MAX,
    }
}

/// Whether the ticks of two traces are of one clock: the same counter of the same machine since the same boot, or the time of
/// day in both.
///
/// The instant of boot tells machines and boots apart, since it counts in 100 ns. Two headers that do not tell the clock are
/// taken for the same, as nothing else is left to compare.
fn have_same_clock(a: Option<&LogFileHeader>, b: Option<&LogFileHeader>) -> bool {
    let (a, b) = match (a, b) {
        (Some(a), Some(b)) => (a, b),
        (None, None) => return true,
        _ => return false,
    };
    if a.clock_type != b.clock_type {
        return false;
    }
    let same_boot = a.boot_time == b.boot_time && a.boot_time.get() != 0;
    match a.clock_type {
        ClockType::SYSTEM_TIME => true,
        ClockType::QPC => same_boot && a.perf_freq == b.perf_freq,
        ClockType::CPU_CYCLES => same_boot && a.cpu_speed_in_mhz == b.cpu_speed_in_mhz,
        ClockType::RAW if a.major_version < 6 && b.major_version < 6 => true,
        _ => false,
    }
}
