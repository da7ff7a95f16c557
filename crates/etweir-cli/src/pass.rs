//! An input once over in the order of the file, whatever it lies in.

use core::ops::ControlFlow;

use anyhow::Result;
use etweir::buffer::{BufferFlags, BufferHeader, BufferType};
use etweir::file::{Accounting, DamageReport, FileBuffer, FileOrder, FoundBuffer, LoadedBuffer};
use etweir::stream::Step;
use etweir::trace::{LogFileHeader, SessionInfo};
use etweir::{EtlFile, FileOptions, FileTime, Offset, Ticks};

use crate::inputs::{Input, Opening, Reader, Wound};
use crate::progress::{Meter, Progress};
use crate::report::Told;
use crate::walk::{Course, Placed};

/// A way over an input from its start to its end.
pub(crate) struct Pass {
    source: Source,
    pub(crate) course: Course,
    wound: Wound,
    buffers: u64,
}

enum Source {
    /// A file, of which nothing is read that need not be.
    File(Box<FilePass>),
    /// Anything else.
    Reader(Box<Reader>),
}

/// How a file is gone over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Way {
    /// Threads that expand what comes next of a compressed file.
    pub(crate) threads: usize,
    /// Limits of time: buffers outside of them need not be read.
    pub(crate) limits: (Option<FileTime>, Option<FileTime>),
    /// Whether buffers are told of as they lie in the file, and not as they are in memory.
    pub(crate) as_stored: bool,
}

/// What the header of a buffer tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    pub(crate) offset: Offset,
    /// Bytes that it takes in the input.
    pub(crate) size: u64,
    pub(crate) filled: u32,
    pub(crate) processor: u16,
    pub(crate) sequence: Option<i64>,
    /// When it was flushed.
    pub(crate) time_stamp: Ticks,
    pub(crate) flags: BufferFlags,
    pub(crate) buffer_type: Option<BufferType>,
    pub(crate) state: u32,
    pub(crate) is_compressed: bool,
}

impl Met {
    fn new(header: &BufferHeader<'_>, offset: Offset, size: u64, is_compressed: bool) -> Self {
        Self {
            offset,
            size,
            filled: header.filled_bytes(),
            processor: header.processor_index(),
            sequence: header.sequence_number(),
            time_stamp: header.time_stamp(),
            flags: header.buffer_flags(),
            buffer_type: header.buffer_type(),
            state: header.state(),
            is_compressed,
        }
    }

    fn read(buffer: &FileBuffer<'_>) -> Self {
        Self::new(&buffer.header(), buffer.offset(), buffer.stored_bytes(), buffer.is_compressed())
    }

    fn found(found: &FoundBuffer<'_>) -> Self {
        Self::new(&found.header(), found.offset(), found.stored_bytes(), found.is_compressed())
    }

    /// As far as the memory tells: how much there is behind the filled bytes, it does not.
    fn loaded(header: &BufferHeader<'_>, buffer: &LoadedBuffer) -> Self {
        Self::new(header, buffer.offset(), buffer.read_bytes(), buffer.was_compressed())
    }
}

impl Pass {
    /// Opens an input, even where the header buffer is missing.
    pub(crate) fn open(input: &mut Input, way: Way, progress: &Progress) -> Result<Self> {
        let source = if input.is_file() {
            Source::File(Box::new(FilePass::open(input, way, progress)?))
        } else {
            Source::Reader(Box::new(input.open(progress)?))
        };
        let mut pass = Self { source, course: Course::new(None), wound: input.wound(), buffers: 0 };
        pass.course = Course::new(pass.header());
        Ok(pass)
    }

    /// The log-file header; `None` if it is missing.
    pub(crate) fn header(&self) -> Option<&LogFileHeader> {
        match &self.source {
            Source::File(pass) => pass.file.header(),
            Source::Reader(reader) => reader.header(),
        }
    }

    /// What all events share.
    pub(crate) fn session(&self) -> SessionInfo {
        match &self.source {
            Source::File(pass) => pass.file.session(),
            Source::Reader(reader) => reader.session(),
        }
    }

    /// How many buffers were gone over.
    pub(crate) const fn buffers(&self) -> u64 {
        self.buffers
    }

    /// Goes over the next buffer, and tells of it once `each` was told of its good events. `None` at the end, or if `each`
    /// wants no more.
    pub(crate) fn next_buffer(
        &mut self,
        mut each: impl FnMut(Placed<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Met>, etweir::Error> {
        let met = match &mut self.source {
            Source::File(pass) => pass.next(&mut self.course, each)?,
            Source::Reader(reader) => match reader.next_buffer()? {
                Some(buffer) => {
                    let goes_on = self.course.walk(&buffer).try_for_each(&mut each).is_continue();
                    goes_on.then(|| Met::read(&buffer))
                }
                None => None,
            },
        };
        self.buffers = self.buffers.saturating_add(met.is_some().into());
        Ok(met)
    }

    /// The next buffer by its header, of a file without reading anything else of it; `None` at the end. Not together with
    /// [`Self::next_buffer`].
    pub(crate) fn next_header(&mut self) -> Result<Option<Met>, etweir::Error> {
        let met = match &mut self.source {
            Source::File(pass) => pass.file.next_header()?.map(|found| {
                pass.meter.add_bytes(found.stored_bytes());
                self.course.losses.see(&found.header());
                Met::found(&found)
            }),
            Source::Reader(reader) => reader.next_buffer()?.map(|buffer| {
                self.course.account_header(&buffer);
                self.course.losses.see(&buffer.header());
                Met::read(&buffer)
            }),
        };
        self.buffers = self.buffers.saturating_add(met.is_some().into());
        Ok(met)
    }

    /// Bytes of the trace, as far as it was read.
    pub(crate) fn len(&self) -> u64 {
        match &self.source {
            Source::File(pass) => pass.file.len(),
            Source::Reader(reader) => reader.offset().get(),
        }
    }

    /// Where these bytes are.
    pub(crate) fn accounting(&self) -> Accounting {
        match &self.source {
            Source::File(pass) => pass.file.accounting(),
            Source::Reader(reader) => {
                let mut accounting = self.course.accounting;
                accounting.skipped = reader.skipped_bytes();
                accounting.unwritten_tail = reader.unwritten_tail();
                accounting.unread = reader.offset().get().saturating_sub(accounting.total());
                accounting
            }
        }
    }

    /// How much damage there is inside of buffers so far.
    pub(crate) fn damaged_records(&self) -> u64 {
        self.told().damage().into_iter().map(DamageReport::records).fold(0, u64::saturating_add)
    }

    /// What there is to report of it.
    pub(crate) fn told(&self) -> Told<'_> {
        let damage = match &self.source {
            Source::File(pass) => pass.file.damage(),
            Source::Reader(reader) => reader.damage(),
        };
        Told { header: self.header(), damage, course: &self.course, wound: self.wound.clone() }
    }
}

/// A way over a file.
struct FilePass {
    file: EtlFile<'static>,
    /// The same file again, for what its buffers are like where they lie.
    headers: Option<EtlFile<'static>>,
    /// A buffer that the headers told of before its turn.
    ahead: Option<Met>,
    meter: Meter,
    /// Bytes that are dealt with.
    done: u64,
}

impl FilePass {
    fn open(input: &mut Input, way: Way, progress: &Progress) -> Result<Self> {
        let Way { threads, limits: (from, to), as_stored } = way;
        let is_compressed = || input.look().and_then(|(header, _)| Some(header?.is_compressed()));
        // What is only read comes as fast from the system.
        let threads = if threads > 0 && is_compressed() == Some(true) { threads } else { 0 };
        let mut options = FileOptions::new().order(FileOrder::File).threads(threads);
        if let Some(from) = from {
            options = options.start_time(from);
        }
        if let Some(to) = to {
            options = options.end_time(to);
        }
        let opening = Opening::new(1, options);
        let file = input.open_file(&opening, progress)?;
        let headers = if as_stored { Some(input.open_file(&opening, progress)?) } else { None };
        Ok(Self { file, headers, ahead: None, meter: progress.meter(), done: 0 })
    }

    fn next(
        &mut self,
        course: &mut Course,
        each: impl FnMut(Placed<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Met>, etweir::Error> {
        let met = self.walk(course, each)?;
        let done = self.file.len().saturating_sub(self.file.accounting().unread);
        self.meter.add_bytes(done.saturating_sub(core::mem::replace(&mut self.done, done)));
        met.map(|met| self.as_stored(met)).transpose()
    }

    /// Goes over the next buffer.
    fn walk(
        &mut self,
        course: &mut Course,
        mut each: impl FnMut(Placed<'_>) -> ControlFlow<()>,
    ) -> Result<Option<Met>, etweir::Error> {
        let layout = self.file.session().layout();
        // Each turn is a step of the file.
        loop {
            match self.file.advance()? {
                Step::Event(event, delivery) => {
                    let buffer = delivery.buffer();
                    course.meet(&event, buffer.offset(), buffer.was_compressed());
                    let ticks = event.time_stamp().unwrap_or_else(|| delivery.counts_as());
                    if each(Placed { event, ticks }).is_break() {
                        return Ok(None);
                    }
                }
                Step::Buffer(retiring) => {
                    let Ok(header) = BufferHeader::parse(retiring.bytes(), layout) else { continue };
                    course.losses.see(&header);
                    return Ok(Some(Met::loaded(&header, retiring.buffer())));
                }
                Step::NeedInput { .. } | Step::End(_) => return Ok(None),
            }
        }
    }

    /// What the buffer is like where it lies, if that is wanted.
    fn as_stored(&mut self, met: Met) -> Result<Met, etweir::Error> {
        let Some(headers) = &mut self.headers else { return Ok(met) };
        // Each turn goes on in the file.
        loop {
            let found = match self.ahead.take() {
                Some(found) => found,
                None => match headers.next_header()? {
                    Some(found) => Met::found(&found),
                    None => return Ok(met),
                },
            };
            if found.offset == met.offset {
                return Ok(found);
            }
            if found.offset > met.offset {
                // Headers alone do not tell what a damaged compressed buffer hides.
                self.ahead = Some(found);
                return Ok(met);
            }
        }
    }
}
