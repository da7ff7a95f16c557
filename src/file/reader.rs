//! The walk from buffer to buffer.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::buffer::{BufferHeader, BufferView};
use crate::error::Offset;
use crate::file::damage::DamageReport;
use crate::file::error::Error;
use crate::file::input::Input;
use crate::file::options::ReadOptions;
use crate::file::walk::{Found, Walk};
use crate::file::window::Window;
use crate::trace::{Events, LogFileHeader, SessionInfo, TraceBuffer};

/// Reads a log file buffer by buffer, in the order of the file, from anything that can be read to its end.
///
/// Holds one buffer as stored, the start of the next, and one expanded: two buffers' lengths for a file of any length, and
/// [`Limits::buffer_bytes`](crate::Limits::buffer_bytes) more while it searches for the next buffer behind damage. Never
/// seeks, never maps.
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
    walk: Walk<Window<R>>,
    /// Bytes of the buffer that was handed out last.
    handed_out: usize,
    buffers: u64,
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
        Ok(Self { walk: Walk::open(Window::new(source), &options)?, handed_out: 0, buffers: 0 })
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

    /// The damage outside of buffers that was met so far. That inside them is reported by [`FileBuffer::events`].
    #[must_use]
    pub const fn damage(&self) -> &DamageReport {
        &self.walk.damage
    }

    /// Buffers handed out so far.
    #[must_use]
    pub const fn buffers(&self) -> u64 {
        self.buffers
    }

    /// Where the reader stands in the source, in bytes: at the buffer that was handed out last, or at the end.
    #[must_use]
    pub fn offset(&self) -> Offset {
        self.walk.offset()
    }

    /// Bytes of zeros at the end of the file: space that was reserved and never written, which is no damage.
    #[must_use]
    pub const fn unwritten_tail(&self) -> u64 {
        self.walk.unwritten_tail
    }

    /// Bytes that belong to no buffer that was handed out and to no unwritten tail: [`EtlReader::damage`] says why.
    ///
    /// At the end of the source, these, the tail, and the stored bytes of all buffers are its length.
    #[must_use]
    pub const fn skipped_bytes(&self) -> u64 {
        self.walk.skipped
    }

    /// The next buffer in the order of the file, the header buffer first; `None` at the end of the source.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] only; damage is no error.
    pub fn next_buffer(&mut self) -> Result<Option<FileBuffer<'_>>, Error> {
        self.walk.input.skip(self.handed_out)?;
        self.handed_out = 0;
        let Some(found) = self.walk.locate()? else { return Ok(None) };
        if !found.compressed {
            // It is viewed where it lies.
            self.walk.input.available(found.have)?;
        }
        self.handed_out = found.have;
        self.buffers = self.buffers.saturating_add(1);
        Ok(self.view_of(&found))
    }

    /// The buffer that was found. `Some`, since `check` made the same view before.
    fn view_of(&self, found: &Found) -> Option<FileBuffer<'_>> {
        let layout = self.walk.session.layout();
        let bytes = self.walk.input.bytes();
        let stored = bytes.get(..found.have).unwrap_or(bytes);
        let view = if found.compressed {
            self.walk.expander.expanded(layout).ok()
        } else {
            let header = BufferHeader::parse(stored, layout).ok()?;
            BufferView::with_size(header, stored, Offset::from(found.size).get()).ok()
        };
        Some(FileBuffer {
            buffer: TraceBuffer::new(view?, self.walk.session),
            offset: self.offset(),
            stored_bytes: Offset::from(found.have).get(),
            compressed: found.compressed,
        })
    }
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

    /// The events in the order of the buffer, and the damage between them: [`Damage::in_buffer`](crate::file::Damage::in_buffer) gives it its place in the
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
