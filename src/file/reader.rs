//! The walk from buffer to buffer.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::buffer::{BufferHeader, BufferView, Layout};
use crate::bytes::u16_at;
use crate::codec::Format;
use crate::error::{Offset, ParseError};
use crate::file::damage::{Damage, DamageCause, DamageKind, DamageReport};
use crate::file::error::{Error, FirstBytes};
use crate::file::options::ReadOptions;
use crate::file::search::Search;
use crate::file::window::Window;
use crate::limits::Limits;
use crate::record::{Parsed, Record};
use crate::trace::{Events, Expander, LogFileHeader, LogFileMode, SessionInfo, TraceBuffer};

/// Reads a log file buffer by buffer, in the order of the file, from anything that can be read to its end.
///
/// Holds at most one buffer as stored, one expanded, and what lies ahead of it when the next one has to be searched: two
/// buffers' lengths for a file of any length. Never seeks, never maps.
///
/// The number of buffers that the header claims is a hint and not used: the walk goes on to the end of the source. Damage
/// costs the buffer or record that it is in and is reported: that between buffers by [`EtlReader::damage`], that inside a
/// buffer by its events.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut reader = etweir::EtlReader::open("fixtures/demo.etl")?;
/// while let Some(buffer) = reader.next_buffer()? {
///     for event in buffer.events().flatten() {
///         println!("{:?} {} {}", event.time(), event.provider_id(), event.id());
///     }
/// }
/// assert!(reader.damage().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct EtlReader<R> {
    window: Window<R>,
    limits: Limits,
    header: Option<LogFileHeader>,
    session: SessionInfo,
    /// The distance between the buffers of an uncompressed file, once it is known.
    buffer_size: Option<usize>,
    expander: Expander,
    damage: DamageReport,
    /// Bytes of the buffer that was handed out last.
    handed_out: usize,
    buffers: u64,
    unwritten_tail: u64,
}

impl EtlReader<File> {
    /// Opens the file at `path` with the default options.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be opened, and as [`EtlReader::new`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::Io { at: Offset(0), source })?;
        Self::new(file)
    }
}

impl<R: Read> EtlReader<R> {
    /// Opens a trace with the default options. Reads the header buffer, which is delivered again as the first one.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the source cannot be read, [`Error::NotATrace`] if it holds no buffer, and
    /// [`Error::MissingHeader`] if its first buffer is no header buffer: [`ReadOptions::allow_missing_header`] reads on.
    pub fn new(source: R) -> Result<Self, Error> {
        Self::with_options(source, ReadOptions::new())
    }

    pub(super) fn with_options(source: R, options: ReadOptions) -> Result<Self, Error> {
        let ReadOptions { limits, allow_missing_header } = options;
        let mut reader = Self {
            window: Window::new(source),
            header: None,
            session: SessionInfo::unknown(),
            buffer_size: None,
            expander: Expander::new(None, &limits),
            damage: DamageReport::new(limits.damage_entries),
            handed_out: 0,
            buffers: 0,
            unwritten_tail: 0,
            limits,
        };
        if !reader.read_header()? {
            let found = FirstBytes::of(reader.window.bytes());
            if !reader.find_first_buffer()? {
                return Err(Error::NotATrace { found });
            }
            if !allow_missing_header {
                return Err(Error::MissingHeader { found });
            }
        }
        Ok(reader)
    }

    /// The log-file header; `None` if it is missing.
    #[must_use]
    pub const fn header(&self) -> Option<&LogFileHeader> {
        self.header.as_ref()
    }

    /// What all events of the trace share.
    #[must_use]
    pub const fn session(&self) -> SessionInfo {
        self.session
    }

    /// The damage outside of buffers that was met so far. That inside them is reported by [`FileBuffer::events`].
    #[must_use]
    pub const fn damage(&self) -> &DamageReport {
        &self.damage
    }

    /// Buffers handed out so far.
    #[must_use]
    pub const fn buffers(&self) -> u64 {
        self.buffers
    }

    /// Where the reader stands in the source, in bytes: at the buffer that was handed out last, or at the end.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        Offset(self.window.offset())
    }

    /// Bytes of zeros at the end of the file: space that was reserved and never written, which is no damage.
    #[must_use]
    pub const fn unwritten_tail(&self) -> u64 {
        self.unwritten_tail
    }

    /// The next buffer in the order of the file, the header buffer first; `None` at the end of the source.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] only; damage is no error.
    pub fn next_buffer(&mut self) -> Result<Option<FileBuffer<'_>>, Error> {
        self.window.consume(self.handed_out);
        self.handed_out = 0;
        let Some(found) = self.locate()? else { return Ok(None) };
        self.handed_out = found.have;
        self.buffers = self.buffers.saturating_add(1);
        Ok(self.view_of(&found))
    }

    /// The buffer that was found. `Some`, since `check` made the same view before.
    fn view_of(&self, found: &Found) -> Option<FileBuffer<'_>> {
        let layout = self.session.layout();
        let bytes = self.window.bytes();
        let stored = bytes.get(..found.have).unwrap_or(bytes);
        let view = if found.compressed {
            self.expander.expanded(layout).ok()
        } else {
            let header = BufferHeader::parse(stored, layout).ok()?;
            BufferView::with_size(header, stored, Offset::from(found.size).get()).ok()
        };
        Some(FileBuffer {
            buffer: TraceBuffer::new(view?, self.session),
            offset: self.offset(),
            stored_bytes: Offset::from(found.have).get(),
            compressed: found.compressed,
        })
    }

    /// Finds the next buffer that can be delivered, passes over what cannot, and reports that.
    fn locate(&mut self) -> Result<Option<Found>, Error> {
        // Every turn consumes at least one byte or ends the walk.
        loop {
            let have = self.window.fill(BufferHeader::LEN)?.len();
            if have == 0 {
                return Ok(None);
            }
            if self.window.bytes().iter().take(BufferHeader::LEN).all(|byte| *byte == 0) {
                self.pass_zeros()?;
                continue;
            }
            if have < BufferHeader::LEN {
                let missing = BufferHeader::LEN.saturating_sub(have);
                self.report(DamageKind::CutBuffer, missing, None);
                self.window.consume(have);
                return Ok(None);
            }
            match self.size_here()? {
                Size::Believed(size) => {
                    if let Some(found) = self.check(size)? {
                        return Ok(Some(found));
                    }
                }
                Size::Repaired(size, cause) => {
                    if let Some(found) = self.check(size)? {
                        self.report(DamageKind::RepairedSize, 0, Some(DamageCause::Parse(cause)));
                        return Ok(Some(found));
                    }
                }
                Size::None(cause) => {
                    self.pass_garbage(DamageKind::NoBuffer, Some(DamageCause::Parse(cause)))?
                }
            }
        }
    }

    /// How long the buffer here is, with a look at what lies behind it where its own word is in doubt.
    fn size_here(&mut self) -> Result<Size, Error> {
        let layout = self.session.layout();
        let bytes = self.window.fill(BufferHeader::LEN)?;
        let header = BufferHeader::parse(bytes, layout);
        let Some(own) = header.ok().and_then(|header| header.buffer_size()) else {
            // Before 6.0 only the session knows.
            return Ok(match self.buffer_size {
                Some(size) => Size::Believed(size),
                None => Size::None(out_of_range("buffer size of the session", 0, self.limits.buffer_bytes)),
            });
        };
        let compressed = header.is_ok_and(|header| header.is_compressed());
        let cause = out_of_range("buffer size", own.into(), self.limits.buffer_bytes);
        let own = usize::try_from(own)
            .ok()
            .filter(|size| (BufferHeader::LEN..=self.limits.buffer_bytes).contains(size));
        match (own, self.buffer_size) {
            (Some(own), Some(usual)) if own == usual => return Ok(Size::Believed(own)),
            // Compressed buffers have any size; whether they expand tells more than what lies behind them.
            (Some(own), _) if compressed => return Ok(Size::Believed(own)),
            (Some(own), None) if self.header.is_none() && self.buffers == 0 => {
                return Ok(Size::Believed(own));
            }
            _ => {}
        }
        let usual = if compressed { None } else { self.buffer_size };
        if let Some(own) = own
            && self.search().is_start_or_end(own)?
        {
            return Ok(Size::Believed(own));
        }
        if let Some(usual) = usual
            && (self.search().is_start_or_end(usual)? || self.is_last(usual)?)
        {
            return Ok(Size::Repaired(usual, cause));
        }
        Ok(match self.search().next_start(1)? {
            // What comes next tells where this one ends, if it is one at all.
            Ok(next) => match usual {
                Some(usual) if usual <= next => Size::Repaired(usual, cause),
                _ => Size::None(cause),
            },
            Err(_) => match (own, usual) {
                (_, Some(usual)) => Size::Repaired(usual, cause),
                (Some(own), None) => Size::Believed(own),
                (None, None) => Size::None(cause),
            },
        })
    }

    /// Whether the source ends within a buffer of `size` bytes from here.
    fn is_last(&mut self, size: usize) -> Result<bool, Error> {
        Ok(self.window.fill(size.saturating_add(1))?.len() <= size)
    }

    /// The buffer of `size` bytes here, if it can be delivered; otherwise it is reported and passed over.
    fn check(&mut self, size: usize) -> Result<Option<Found>, Error> {
        let layout = self.session.layout();
        let have = self.window.fill(size)?.len();
        let bytes = self.window.bytes();
        let stored = bytes.get(..have).unwrap_or(bytes);
        let header = match BufferHeader::parse(stored, layout) {
            Ok(header) => header,
            Err(cause) => {
                self.pass_garbage(DamageKind::NoBuffer, Some(DamageCause::Parse(cause)))?;
                return Ok(None);
            }
        };
        let missing = size.saturating_sub(have);
        if header.is_compressed() {
            if missing > 0 {
                self.pass_cut_compressed(missing)?;
                return Ok(None);
            }
            return match self.expander.expand(stored, layout) {
                Ok(()) => Ok(Some(Found { size, have, compressed: true })),
                Err(cause) => {
                    self.pass_buffer(DamageKind::Compressed, size, DamageCause::Expand(cause))?;
                    Ok(None)
                }
            };
        }
        match BufferView::with_size(header, stored, Offset::from(size).get()) {
            Ok(view) => {
                let data_missing = view.missing_bytes();
                if self.buffer_size.is_none() && self.header.is_none() && layout == Layout::Modern {
                    self.buffer_size = Some(size);
                }
                // A cut through the unused rest of a buffer costs nothing.
                if data_missing > 0 {
                    self.damage.add(Damage {
                        kind: DamageKind::CutBuffer,
                        at: Offset(self.window.offset()),
                        len: data_missing,
                        cause: None,
                    });
                }
                Ok(Some(Found { size, have, compressed: false }))
            }
            Err(cause) => {
                self.pass_buffer(DamageKind::BadBuffer, size, DamageCause::Parse(cause))?;
                Ok(None)
            }
        }
    }

    /// Passes over a buffer whose content cannot be used: by its size if something begins behind it, else by a search.
    fn pass_buffer(&mut self, kind: DamageKind, size: usize, cause: DamageCause) -> Result<(), Error> {
        let believed = self.buffer_size == Some(size)
            || self.session.layout() != Layout::Modern
            || self.search().is_start_or_end(size)?;
        if believed {
            let len = self.window.fill(size)?.len();
            self.report(kind, len, Some(cause));
            self.window.consume(len);
            Ok(())
        } else {
            self.pass_garbage(kind, Some(cause))
        }
    }

    /// A compressed buffer that reaches past the end of the source: it is cut, unless its size is wrong and another
    /// begins before.
    fn pass_cut_compressed(&mut self, missing: usize) -> Result<(), Error> {
        match self.search().next_start(1)? {
            Ok(next) => {
                let cause = out_of_range("buffer size", 0, next);
                self.report(DamageKind::Compressed, next, Some(DamageCause::Parse(cause)));
                self.window.consume(next);
            }
            Err(none_in) => {
                self.report(DamageKind::CutBuffer, missing, None);
                self.window.consume(none_in);
                self.consume_rest()?;
            }
        }
        Ok(())
    }

    /// Passes over everything up to the next buffer.
    fn pass_garbage(&mut self, kind: DamageKind, cause: Option<DamageCause>) -> Result<(), Error> {
        let at = Offset(self.window.offset());
        let mut len = 0_usize;
        // Every turn passes over a buffer's length or finds where to stop.
        loop {
            let from = usize::from(len == 0);
            let (step, found) = if self.session.layout() == Layout::Modern {
                match self.search().next_start(from)? {
                    Ok(next) => (next, true),
                    Err(none_in) => (none_in, false),
                }
            } else {
                (self.window.fill(BufferHeader::LEN)?.len(), false)
            };
            self.window.consume(step);
            len = len.saturating_add(step);
            if found || step == 0 {
                break;
            }
        }
        self.damage.add(Damage { kind, at, len: Offset::from(len).get(), cause });
        Ok(())
    }

    /// Passes over zeros: an unwritten tail if nothing else follows, damage otherwise.
    fn pass_zeros(&mut self) -> Result<(), Error> {
        let at = Offset(self.window.offset());
        // Where buffers lie at regular distances, a buffer whose header alone is zeroed is not cut in two.
        let cell = self.buffer_size.unwrap_or(1);
        let mut len = 0_u64;
        // Every turn consumes at least one byte or returns.
        loop {
            let block = cell.max(ZERO_BLOCK.checked_div(cell).unwrap_or(1).max(1).saturating_mul(cell));
            let bytes = self.window.fill(block)?;
            let have = bytes.len();
            let zeros = bytes.iter().position(|byte| *byte != 0).unwrap_or(have);
            let at_end = zeros == have && have < block;
            let whole =
                if at_end { zeros } else { zeros.checked_div(cell).unwrap_or(0).saturating_mul(cell) };
            self.window.consume(whole);
            len = len.saturating_add(Offset::from(whole).get());
            if at_end {
                self.unwritten_tail = self.unwritten_tail.saturating_add(len);
                return Ok(());
            }
            if zeros < have {
                break;
            }
        }
        if self.buffer_size.is_some() && len > 0 {
            self.damage.add(Damage { kind: DamageKind::Zeroed, at, len, cause: None });
            return Ok(());
        }
        // No grid tells where the next buffer begins, or only its header is zeroed.
        let from = usize::from(len == 0);
        let (step, cause) = match self.search().next_start(from)? {
            Ok(next) => (next, None),
            Err(none_in) => (none_in, None),
        };
        self.window.consume(step);
        len = len.saturating_add(Offset::from(step).get());
        self.damage.add(Damage { kind: DamageKind::Zeroed, at, len, cause });
        Ok(())
    }

    fn consume_rest(&mut self) -> Result<(), Error> {
        loop {
            let len = self.window.fill(ZERO_BLOCK)?.len();
            if len == 0 {
                return Ok(());
            }
            self.window.consume(len);
        }
    }

    /// Counts damage that starts here.
    fn report(&mut self, kind: DamageKind, len: usize, cause: Option<DamageCause>) {
        let at = Offset(self.window.offset());
        self.damage.add(Damage { kind, at, len: Offset::from(len).get(), cause });
    }

    fn search(&mut self) -> Search<'_, R> {
        Search {
            window: &mut self.window,
            expander: &self.expander,
            layout: self.session.layout(),
            limit: self.limits.buffer_bytes,
        }
    }

    /// Takes over what the header buffer says, if there is one.
    fn read_header(&mut self) -> Result<bool, Error> {
        let bytes = self.window.fill(BufferHeader::LEN.saturating_add(8))?;
        let Some(size) = u16_at(bytes, BufferHeader::LEN.saturating_add(4)) else { return Ok(false) };
        let bytes = self.window.fill(BufferHeader::LEN.saturating_add(size.into()))?;
        let Some(record) = first_record(bytes) else { return Ok(false) };
        let Ok(header) = LogFileHeader::parse(&record) else { return Ok(false) };
        let state =
            BufferHeader::parse(bytes, Layout::Modern).map(|header| header.state()).unwrap_or_default();
        let compressed = header.log_file_mode.contains(LogFileMode::COMPRESSED);
        self.session = SessionInfo::new(&header);
        self.buffer_size = usize::try_from(header.buffer_size).ok().filter(|size| {
            !compressed && (BufferHeader::LEN.saturating_add(1)..=self.limits.buffer_bytes).contains(size)
        });
        if compressed {
            // The low half of the state is the number of the format.
            let [low, high, ..] = state.to_le_bytes();
            self.expander = Expander::new(Format::from_number(u16::from_le_bytes([low, high])), &self.limits);
        }
        self.header = Some(header);
        Ok(true)
    }

    /// Without a header: passes over what precedes the first buffer, no more than the length of one.
    fn find_first_buffer(&mut self) -> Result<bool, Error> {
        let Ok(next) = self.search().next_start(0)? else { return Ok(false) };
        if next > 0 {
            self.report(DamageKind::NoBuffer, next, None);
            self.window.consume(next);
        }
        Ok(true)
    }
}

/// The record at the place of the log-file header.
fn first_record(bytes: &[u8]) -> Option<Record<'_>> {
    match Parsed::at(bytes, BufferHeader::LEN, Layout::Modern.shapes()) {
        Parsed::Record(record, _) => Some(record),
        _ => None,
    }
}

/// How much is read at once where nothing is kept.
const ZERO_BLOCK: usize = 64 * 1024;

fn out_of_range(field: &'static str, value: u64, max: usize) -> ParseError {
    ParseError::OutOfRange {
        what: "buffer header",
        field,
        at: Offset(0),
        value,
        min: Offset::from(BufferHeader::LEN).get(),
        max: Offset::from(max).get(),
    }
}

/// A buffer that can be delivered, at the reader's place.
struct Found {
    /// Bytes to the next buffer.
    size: usize,
    /// Bytes that are there; less if the source ends before.
    have: usize,
    compressed: bool,
}

/// How long a buffer is.
enum Size {
    Believed(usize),
    /// The header's own word contradicts what lies behind.
    Repaired(usize, ParseError),
    /// It is no buffer.
    None(ParseError),
}

/// A buffer of a file, with its place in it.
#[derive(Clone, Copy, Debug)]
pub struct FileBuffer<'a> {
    buffer: TraceBuffer<'a>,
    offset: Offset,
    stored_bytes: u64,
    compressed: bool,
}

impl<'a> FileBuffer<'a> {
    /// The buffer as part of its session.
    #[must_use]
    pub const fn trace_buffer(&self) -> &TraceBuffer<'a> {
        &self.buffer
    }

    /// The header of the buffer, as stored.
    #[must_use]
    pub const fn header(&self) -> BufferHeader<'a> {
        self.buffer.view().header()
    }

    /// The events in the order of the buffer, and the damage between them: [`Damage::in_buffer`] gives it its place in the
    /// file.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        self.buffer.events()
    }

    /// Where the buffer starts in the file.
    #[must_use]
    pub const fn offset(&self) -> Offset {
        self.offset
    }

    /// Bytes that it takes in the file.
    #[must_use]
    pub const fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    /// Whether it was compressed in the file.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compressed
    }
}
