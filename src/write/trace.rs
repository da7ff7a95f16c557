//! A session: records in the order in which they were logged, put into the buffers of their processors.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::buffer::BufferFlags;
use crate::bytes::align8;
use crate::trace::LogFileMode;
use crate::write::buffer::BufferSpec;
use crate::write::error::{WriteError, number, or_panic};
use crate::write::file::FileSpec;
use crate::write::log_file::LogFileSpec;
use crate::write::record::RecordSpec;

/// A session to be: records with the processors that log them.
///
/// Every processor fills a buffer of its own. A buffer is written to the file when a record does not fit into it any more,
/// when the flush period ends, and at the end. Numbers are given to buffers when their first record comes, so the file is
/// not in the order of numbers, just as it is not in the order of time.
///
/// ```
/// use etweir::write::{EventSpec, LogFileSpec, TraceSpec};
///
/// let mut trace = TraceSpec::new(LogFileSpec::default());
/// for (cpu, time_stamp) in [(0, 5), (1, 6), (0, 7)] {
///     trace = trace.record(cpu, EventSpec { time_stamp, ..EventSpec::default() });
/// }
/// // One header buffer, one buffer of each processor.
/// assert_eq!(trace.to_bytes().len(), 3 * 4096);
/// ```
#[derive(Clone, Debug)]
pub struct TraceSpec {
    log_file: LogFileSpec,
    logger_id: u16,
    records: Vec<(u16, RecordSpec)>,
    flush_ticks: Option<i64>,
}

impl TraceSpec {
    /// A session without events.
    #[must_use]
    pub const fn new(log_file: LogFileSpec) -> Self {
        Self { log_file, logger_id: 1, records: Vec::new(), flush_ticks: None }
    }

    /// `LoggerId` of all buffers; 0 is written for relogged files.
    #[must_use]
    pub const fn logger_id(mut self, logger_id: u16) -> Self {
        self.logger_id = logger_id;
        self
    }

    /// All buffers are written out each time that so many ticks have passed since the log-file header's stamp.
    #[must_use]
    pub const fn flush_every(mut self, ticks: i64) -> Self {
        self.flush_ticks = Some(ticks);
        self
    }

    /// Logs a record on a processor.
    #[must_use]
    pub fn record(mut self, processor: u16, record: impl Into<RecordSpec>) -> Self {
        self.records.push((processor, record.into()));
        self
    }

    /// Logs records on their processors.
    #[must_use]
    pub fn records(mut self, records: impl IntoIterator<Item = (u16, RecordSpec)>) -> Self {
        self.records.extend(records);
        self
    }

    /// The file of the session.
    ///
    /// # Panics
    ///
    /// Where [`TraceSpec::try_to_file`] returns an error.
    #[must_use]
    #[track_caller]
    pub fn to_file(&self) -> FileSpec {
        or_panic(self.try_to_file())
    }

    /// The bytes of the file of the session.
    ///
    /// # Panics
    ///
    /// Where [`TraceSpec::try_to_file`] or [`FileSpec::try_to_bytes`] returns an error.
    #[must_use]
    #[track_caller]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_file().to_bytes()
    }

    /// The file of the session, or why it cannot be.
    ///
    /// # Errors
    ///
    /// The error of the first record that cannot be encoded, or [`WriteError::BufferFull`] for one that fits into no buffer.
    pub fn try_to_file(&self) -> Result<FileSpec, WriteError> {
        let mut session = Session::new(&self.log_file, self.logger_id, self.flush_ticks);
        for (processor, record) in &self.records {
            session.log(*processor, record)?;
        }
        Ok(FileSpec::new(self.log_file.clone()).logger_id(self.logger_id).buffers(session.stop()))
    }
}

/// The buffers while the session runs.
struct Session<'a> {
    log_file: &'a LogFileSpec,
    logger_id: u16,
    /// By processor; each has at least one record.
    open: BTreeMap<u16, BufferSpec>,
    written: Vec<BufferSpec>,
    next_number: i64,
    /// The latest stamp so far.
    now: i64,
    flush_ticks: Option<i64>,
    next_flush: i64,
}

impl<'a> Session<'a> {
    fn new(log_file: &'a LogFileSpec, logger_id: u16, flush_ticks: Option<i64>) -> Self {
        let now = log_file.time_stamp.0;
        Self {
            log_file,
            logger_id,
            open: BTreeMap::new(),
            written: Vec::new(),
            next_number: 1,
            now,
            flush_ticks,
            next_flush: now.saturating_add(flush_ticks.unwrap_or_default()),
        }
    }

    fn log(&mut self, processor: u16, record: &RecordSpec) -> Result<(), WriteError> {
        let bytes = record.to_bytes()?;
        self.now = self.now.max(record.time_stamp().unwrap_or(self.now));
        if let Some(ticks) = self.flush_ticks.filter(|ticks| *ticks > 0) {
            // Each round moves the next flush on; empty periods flush nothing.
            while self.now >= self.next_flush {
                let at = self.next_flush;
                self.flush_all(at);
                if at == i64::MAX {
                    break;
                }
                self.next_flush = at.saturating_add(ticks);
            }
        }
        let size = usize::try_from(self.log_file.buffer_size).unwrap_or(usize::MAX);
        let buffer = match self.open.remove(&processor) {
            Some(buffer) => {
                let end = buffer.end().saturating_add(align8(bytes.len()));
                if end > size {
                    let reserved = u32::try_from(end).unwrap_or(u32::MAX);
                    self.write(buffer.current_offset(reserved), self.now);
                    self.open(processor)
                } else {
                    buffer
                }
            }
            None => self.open(processor),
        };
        let buffer = buffer.raw(&bytes);
        if buffer.end() > size {
            let buffer_size = self.log_file.buffer_size.into();
            return Err(WriteError::BufferFull { need: number(buffer.end()), buffer_size });
        }
        self.open.insert(processor, buffer);
        Ok(())
    }

    fn open(&mut self, processor: u16) -> BufferSpec {
        let relogged = self.log_file.log_file_mode.contains(LogFileMode::RELOG);
        let flags =
            if self.log_file.has_processor_index() { BufferFlags::PROC_INDEX } else { BufferFlags(0) };
        let number = self.next_number;
        self.next_number = number.saturating_add(1);
        BufferSpec::new(self.log_file.buffer_size)
            .layout(self.log_file.layout())
            .processor(processor)
            .sequence_number(number)
            .logger_id(if relogged { 0 } else { self.logger_id })
            .flags(flags)
    }

    fn flush_all(&mut self, at: i64) {
        for buffer in core::mem::take(&mut self.open).into_values() {
            self.write(buffer, at);
        }
    }

    /// Relogged files have the time of the relogging as a `FILETIME` in place of the flush.
    fn write(&mut self, buffer: BufferSpec, at: i64) {
        let relogged = self.log_file.log_file_mode.contains(LogFileMode::RELOG);
        self.written.push(buffer.time_stamp(if relogged { self.log_file.end_time.0 } else { at }));
    }

    /// The last buffer is marked as the last of a flush.
    fn stop(mut self) -> Vec<BufferSpec> {
        self.flush_all(self.now.saturating_add(1));
        if let Some(last) = self.written.pop() {
            self.written.push(last.add_flags(BufferFlags::FLUSH_MARKER));
        }
        self.written
    }
}
