//! Whole files: a header buffer, data buffers, and damage.

use alloc::vec::Vec;

use crate::buffer::{BufferFlags, BufferType};
use crate::codec::Format;
use crate::trace::LogFileMode;
use crate::write::buffer::BufferSpec;
use crate::write::error::{WriteError, or_panic};
use crate::write::log_file::LogFileSpec;
use crate::write::record::RecordSpec;

/// An `.etl` file to be: a header buffer that follows from a log-file header, and data buffers as they are given.
///
/// ```
/// use etweir::write::{BufferSpec, EventSpec, FileSpec, LogFileSpec};
///
/// let data = BufferSpec::new(4096).event(&EventSpec::default());
/// let file = FileSpec::new(LogFileSpec::default()).buffer(data).to_bytes();
/// assert_eq!(file.len(), 2 * 4096);
/// ```
#[derive(Clone, Debug)]
pub struct FileSpec {
    log_file: LogFileSpec,
    logger_id: u16,
    header_records: Vec<RecordSpec>,
    late_records: Vec<RecordSpec>,
    header: Option<BufferSpec>,
    has_header: bool,
    buffers: Vec<BufferSpec>,
    format: Option<Format>,
    damage: Vec<Damage>,
}

/// What is done to a file after it was written. Buffers count from 0, which is the header buffer where there is one.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Damage {
    /// The file ends after so many bytes, if it is longer.
    CutAt(usize),
    /// All bytes of the buffer are zero.
    ZeroBuffer(usize),
    /// The buffers change places.
    SwapBuffers(usize, usize),
    /// The buffer is not there.
    RemoveBuffer(usize),
    /// Bytes of a buffer, from an offset in it, are these; what would lie behind its end is not written.
    Overwrite {
        /// Which buffer.
        buffer: usize,
        /// Where in it.
        at: usize,
        /// What stands there.
        bytes: Vec<u8>,
    },
    /// So many zeros follow.
    AppendZeros(usize),
    /// These bytes follow.
    Append(Vec<u8>),
}

impl FileSpec {
    /// A file with a header buffer and nothing else.
    #[must_use]
    pub const fn new(log_file: LogFileSpec) -> Self {
        Self {
            log_file,
            logger_id: 1,
            header_records: Vec::new(),
            late_records: Vec::new(),
            header: None,
            has_header: true,
            buffers: Vec::new(),
            format: None,
            damage: Vec::new(),
        }
    }

    /// `LoggerId` of the header buffer.
    #[must_use]
    pub const fn logger_id(mut self, logger_id: u16) -> Self {
        self.logger_id = logger_id;
        self
    }

    /// Adds a record to the header buffer, behind the log-file header.
    #[must_use]
    pub fn header_record(mut self, record: impl Into<RecordSpec>) -> Self {
        self.header_records.push(record.into());
        self
    }

    /// Adds a record to the header buffer that was written when the session stopped: it lies behind `SavedOffset`.
    #[must_use]
    pub fn late_record(mut self, record: impl Into<RecordSpec>) -> Self {
        self.late_records.push(record.into());
        self
    }

    /// Takes this header buffer in place of [`FileSpec::header_buffer`].
    #[must_use]
    pub fn header(mut self, header: BufferSpec) -> Self {
        self.header = Some(header);
        self
    }

    /// Leaves out the header buffer.
    #[must_use]
    pub const fn without_header(mut self) -> Self {
        self.has_header = false;
        self
    }

    /// Adds a data buffer.
    #[must_use]
    pub fn buffer(mut self, buffer: BufferSpec) -> Self {
        self.buffers.push(buffer);
        self
    }

    /// Adds data buffers.
    #[must_use]
    pub fn buffers(mut self, buffers: impl IntoIterator<Item = BufferSpec>) -> Self {
        self.buffers.extend(buffers);
        self
    }

    /// Compresses all data buffers, and says so in the header: mode, layout version 2.0, and the format's number in the
    /// state of the header buffer.
    #[must_use]
    pub const fn compressed(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Damages the file, after all damage that was asked for before.
    #[must_use]
    pub fn damage(mut self, damage: Damage) -> Self {
        self.damage.push(damage);
        self
    }

    /// The log-file header as it will be written.
    #[must_use]
    pub fn log_file(&self) -> LogFileSpec {
        let mut log_file = self.log_file.clone();
        if self.format.is_some() {
            log_file.log_file_mode = LogFileMode(log_file.log_file_mode.0 | LogFileMode::COMPRESSED.0);
            log_file.sub_version = 2;
            log_file.sub_minor_version = 0;
        }
        let count = self.buffers.len().saturating_add(usize::from(self.has_header));
        log_file.buffers_written =
            log_file.buffers_written.or_else(|| Some(u32::try_from(count).unwrap_or(u32::MAX)));
        log_file
    }

    /// The header buffer that follows from the log-file header and the version of Windows in it.
    ///
    /// Source: format reference, "The header buffer" and "Relogged files".
    #[must_use]
    pub fn header_buffer(&self) -> BufferSpec {
        let log_file = self.log_file();
        let relogged = log_file.log_file_mode.contains(LogFileMode::RELOG);
        let index = log_file.has_processor_index() && !relogged;
        let index = if index { BufferFlags::PROC_INDEX.0 } else { 0 };
        let mut buffer = BufferSpec::new(log_file.buffer_size)
            .layout(log_file.layout())
            .sequence_number(0)
            .logger_id(if relogged { 0 } else { self.logger_id })
            .flags(BufferFlags(BufferFlags::FLUSH_MARKER.0 | index))
            .buffer_type(BufferType::HEADER)
            .system(&log_file.to_record());
        buffer = self.header_records.iter().fold(buffer, BufferSpec::record);
        let saved = u32::try_from(buffer.end()).unwrap_or(u32::MAX);
        buffer = self.late_records.iter().fold(buffer, BufferSpec::record);
        buffer = buffer.saved_offset(if log_file.has_zero_saved_offset() { 0 } else { saved });
        match self.format {
            Some(format) => buffer = buffer.state(format.number().into()),
            None if relogged => buffer = buffer.state(0),
            None => {}
        }
        if relogged {
            buffer = buffer.current_offset(0);
        }
        if self.format.is_some() {
            // A multiple of 0x200 that is just large enough.
            let size = buffer.end().checked_next_multiple_of(0x200).unwrap_or(usize::MAX);
            buffer = buffer.buffer_size(u32::try_from(size).unwrap_or(u32::MAX));
        }
        buffer
    }

    /// The file.
    ///
    /// # Panics
    ///
    /// Where [`FileSpec::try_to_bytes`] returns an error.
    #[must_use]
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        or_panic(self.try_to_bytes())
    }

    /// The file, or why it cannot be.
    ///
    /// # Errors
    ///
    /// Those of [`BufferSpec::try_to_bytes`]; [`WriteError::NoSuchBuffer`] if one is to be damaged that is not there.
    pub fn try_to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let mut pieces = Vec::new();
        if self.has_header {
            let header = self.header.as_ref().map_or_else(|| self.header_buffer(), BufferSpec::clone);
            pieces.push(header.try_to_bytes()?);
        }
        for buffer in &self.buffers {
            pieces.push(match self.format {
                Some(format) => buffer.try_to_compressed_bytes(format)?,
                None => buffer.try_to_bytes()?,
            });
        }
        for damage in &self.damage {
            damage.apply(&mut pieces)?;
        }
        Ok(pieces.concat())
    }
}

impl Damage {
    fn apply(&self, pieces: &mut Vec<Vec<u8>>) -> Result<(), WriteError> {
        match *self {
            Self::CutAt(len) => {
                let mut left = len;
                for piece in pieces {
                    piece.truncate(left);
                    left = left.saturating_sub(piece.len());
                }
            }
            Self::ZeroBuffer(index) => piece(pieces, index)?.fill(0),
            Self::SwapBuffers(a, b) => {
                piece(pieces, a)?;
                piece(pieces, b)?;
                pieces.swap(a, b);
            }
            Self::RemoveBuffer(index) => {
                piece(pieces, index)?;
                pieces.remove(index);
            }
            Self::Overwrite { buffer, at, ref bytes } => {
                let places = piece(pieces, buffer)?.iter_mut().skip(at);
                for (place, byte) in places.zip(bytes) {
                    *place = *byte;
                }
            }
            Self::AppendZeros(len) => pieces.push(alloc::vec![0; len]),
            Self::Append(ref bytes) => pieces.push(bytes.clone()),
        }
        Ok(())
    }
}

fn piece(pieces: &mut [Vec<u8>], index: usize) -> Result<&mut Vec<u8>, WriteError> {
    let count = pieces.len();
    pieces.get_mut(index).ok_or(WriteError::NoSuchBuffer { index, count })
}
