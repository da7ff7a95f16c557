//! The first look at a source: the header buffer, or whatever stands in its place.

use crate::buffer::{BufferHeader, BufferType, Layout};
use crate::bytes::u16_at;
use crate::codec::Format;
use crate::file::damage::DamageKind;
use crate::file::error::{Error, FirstBytes};
use crate::file::input::Input;
use crate::file::options::ReadOptions;
use crate::file::walk::Walk;
use crate::limits::Limits;
use crate::record::{Parsed, Record};
use crate::trace::{Expander, LogFileHeader, SessionInfo};

impl<I: Input> Walk<I> {
    /// Looks at the start of a source: there has to be a trace, and it has to have a header unless that may be missing.
    pub(super) fn open(input: I, options: &ReadOptions) -> Result<Self, Error> {
        let mut walk = Self::new(input, options.limits.clone());
        walk.live = options.live;
        if !walk.read_header()? {
            let found = FirstBytes::of(walk.input.peek(0, BufferHeader::LEN)?);
            if !walk.find_first_buffer()? {
                return Err(Error::NotATrace { found });
            }
            if walk.header.is_none() && !options.allow_missing_header {
                return Err(Error::MissingHeader { found });
            }
        }
        Ok(walk)
    }

    /// Takes over what the header buffer says, if there is one.
    fn read_header(&mut self) -> Result<bool, Error> {
        let bytes = self.input.peek(0, BufferHeader::LEN.saturating_add(8))?;
        let Some(size) = u16_at(bytes, BufferHeader::LEN.saturating_add(4)) else { return Ok(false) };
        let bytes = self.input.peek(0, BufferHeader::LEN.saturating_add(size.into()))?;
        let Some(record) = first_record(bytes) else { return Ok(false) };
        let Ok(header) = LogFileHeader::parse(&record) else { return Ok(false) };
        self.session = SessionInfo::new(&header);
        let raw = BufferHeader::parse(bytes, Layout::Modern);
        let state = raw.map(|raw| raw.state()).unwrap_or_default();
        let is_modern = raw.is_ok_and(|raw| {
            raw.buffer_type() == Some(BufferType::HEADER) && raw.is_plausible(self.limits.buffer_bytes)
        });
        // Records of Windows before 6.0 have version 1, and no such Windows writes such a header buffer or such others,
        // whatever version a damaged field tells.
        if self.session.layout() != Layout::Modern && u16_at(record.bytes(), 0) == Some(2) {
            let session = core::mem::take(&mut self.session);
            let is_modern = is_modern || self.search().next_start(1)?.is_ok();
            self.session = if is_modern { session.with_layout(Layout::Modern) } else { session };
        }
        // What the mode says of older ones is damage: their buffers have no flag for it.
        let compressed = header.is_compressed() && self.session.layout() == Layout::Modern;
        self.buffer_size = usize::try_from(header.buffer_size).ok().filter(|size| {
            !compressed && (BufferHeader::LEN.saturating_add(1)..=self.limits.buffer_bytes).contains(size)
        });
        // The low half of the state is the number of the format.
        let [low, high, ..] = state.to_le_bytes();
        let format = Format::from_number(u16::from_le_bytes([low, high])).filter(|_| compressed);
        // No buffer expands past the session's buffer size. Ordinary sizes are allowed all the same, since the field that
        // tells it may be the damaged one.
        let session = usize::try_from(header.buffer_size).unwrap_or(usize::MAX).max(ORDINARY_BUFFER);
        let decompressed_bytes = self.limits.decompressed_bytes.min(session);
        self.expander = Expander::new(format, &Limits { decompressed_bytes, ..self.limits.clone() });
        self.header = Some(header);
        self.header_at = Some(self.input.offset());
        Ok(true)
    }

    /// Without a header at the very start: passes over what precedes the first buffer, no more than the length of one. That
    /// may be a header buffer with something before it.
    fn find_first_buffer(&mut self) -> Result<bool, Error> {
        if self.search().is_followed()? || self.search().is_first_of_two()? {
            return Ok(true);
        }
        let Ok(next) = self.search().next_start(0)? else { return Ok(false) };
        if next > 0 {
            self.report(DamageKind::NoBuffer, next, None);
            self.pass(next)?;
            self.read_header()?;
        }
        Ok(true)
    }
}

/// The largest buffer that sessions had before Windows 8, and more than most have since.
const ORDINARY_BUFFER: usize = 1024 * 1024;

/// The record at the place of the log-file header.
fn first_record(bytes: &[u8]) -> Option<Record<'_>> {
    match Parsed::at(bytes, BufferHeader::LEN, Layout::Modern.shapes()) {
        Parsed::Record(record, _) => Some(record),
        _ => None,
    }
}
