//! Buffers whose records are compressed.

use alloc::vec::Vec;

use crate::buffer::{BufferHeader, BufferView, Layout};
use crate::codec::{CodecError, Expanded, Format, decompress, expand};
use crate::error::{Offset, ParseError};
use crate::limits::Limits;
use crate::record::starts_a_record;

/// Gives a view of any buffer: of an uncompressed one in place, of a compressed one in memory of its own.
///
/// The format is the one that the log-file header names, if it does; where it fails, the others are tried, and the one
/// that fits is kept for the buffers to come. Source: format reference, "Compressed buffers".
///
/// Holds one buffer of at most [`Limits::decompressed_bytes`], which is used again for the next.
#[derive(Debug)]
pub struct Expander {
    /// Header and records of the last compressed buffer.
    scratch: Vec<u8>,
    /// How much of it that is.
    filled: usize,
    format: Option<Format>,
    limit: usize,
    /// Bytes at the end of the last compressed buffer that were not needed.
    left: usize,
}

/// Why a compressed buffer could not be expanded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// The buffer's header contradicts itself or the input.
    #[error("the buffer's header is damaged")]
    Header(#[source] ParseError),
    /// The compressed data are damaged.
    #[error("{format} data are damaged")]
    Data {
        /// The format that was tried first.
        format: Format,
        /// Where and why it failed.
        source: CodecError,
    },
    /// The compressed data end too early.
    #[error("{format} data expand to {have} bytes where the header announces {need}")]
    Length {
        /// The format that was tried first.
        format: Format,
        /// Bytes that the header announces, without itself.
        need: u64,
        /// Bytes that came out.
        have: u64,
    },
}

impl Expander {
    /// An expander that tries `format` first. Allocates nothing yet.
    #[must_use]
    pub const fn new(format: Option<Format>, limits: &Limits) -> Self {
        Self { scratch: Vec::new(), filled: 0, format, limit: limits.decompressed_bytes, left: 0 }
    }

    /// Another expander for the same trace.
    #[cfg(feature = "std")]
    pub(crate) const fn another(&self) -> Self {
        Self { scratch: Vec::new(), filled: 0, format: self.format, limit: self.limit, left: 0 }
    }

    /// Tries `format` first from now on, unless another was found to fit before.
    #[cfg(feature = "std")]
    pub(crate) fn prefer(&mut self, format: Format) {
        self.format.get_or_insert(format);
    }

    /// The buffer at the start of `bytes`, expanded if it is compressed. A compressed buffer has to be whole: `bytes` ends
    /// where it ends.
    ///
    /// # Errors
    ///
    /// [`ExpandError`], and then nothing of the buffer can be used.
    pub fn view<'a>(&'a mut self, bytes: &'a [u8], layout: Layout) -> Result<BufferView<'a>, ExpandError> {
        let header = BufferHeader::parse(bytes, layout).map_err(ExpandError::Header)?;
        if header.is_compressed() {
            self.expand(bytes, layout)?;
            self.expanded(layout)
        } else {
            BufferView::parse_with(bytes, layout).map_err(ExpandError::Header)
        }
    }

    /// Expands the compressed buffer `bytes`; [`Self::expanded`] shows the result.
    pub(crate) fn expand(&mut self, bytes: &[u8], layout: Layout) -> Result<(), ExpandError> {
        let header = BufferHeader::parse(bytes, layout).map_err(ExpandError::Header)?;
        let filled = self.checked_filled(&header).map_err(ExpandError::Header)?;
        let data = bytes.get(BufferHeader::LEN..).unwrap_or_default();
        // Memory once had is kept as it is: clearing it would cost more than a small buffer.
        if self.scratch.len() < filled {
            if !is_likely(filled, bytes.len()) {
                self.probe(data, filled)?;
            }
            self.scratch.resize(filled, 0);
        }
        self.filled = filled;
        let (head, output) = self.scratch.split_at_mut_checked(BufferHeader::LEN).unwrap_or_default();
        head.copy_from_slice(header.as_bytes());
        let output = output.get_mut(..filled.saturating_sub(BufferHeader::LEN)).unwrap_or_default();
        // A wrong format may give the right length by chance, but hardly a record.
        let first = self.format.unwrap_or(Format::Xpress);
        let formats = core::iter::once(first).chain(FALLBACKS.into_iter().filter(|format| *format != first));
        for format in formats {
            if let Ok(left) = fill(format, data, output)
                && starts_records(output)
            {
                self.format = Some(format);
                self.left = left;
                return Ok(());
            }
        }
        // Whether any does must not depend on what fitted before.
        let any = FALLBACKS.into_iter().find_map(|format| fill(format, data, output).ok());
        self.left = any.map_or_else(|| fill(first, data, output), Ok)?;
        Ok(())
    }

    /// Bytes at the end of what [`Self::expand`] was given that it did not need.
    #[cfg(feature = "std")]
    pub(crate) const fn left(&self) -> usize {
        self.left
    }

    /// Whether few data expand to much at all, before there is memory for all of it.
    #[cold]
    fn probe(&mut self, data: &[u8], filled: usize) -> Result<(), ExpandError> {
        if self.scratch.len() < PROBE {
            self.scratch.resize(PROBE, 0);
        }
        let output = self.scratch.get_mut(..PROBE).unwrap_or_default();
        if FALLBACKS.into_iter().any(|format| fill(format, data, output).is_ok()) {
            return Ok(());
        }
        let first = self.format.unwrap_or(Format::Xpress);
        let need = Offset::from(filled.saturating_sub(BufferHeader::LEN)).get();
        match fill(first, data, output) {
            Err(ExpandError::Length { format, have, .. }) => Err(ExpandError::Length { format, need, have }),
            Err(other) => Err(other),
            Ok(_) => Ok(()),
        }
    }

    /// What [`Self::expand`] made.
    pub(crate) fn expanded(&self, layout: Layout) -> Result<BufferView<'_>, ExpandError> {
        let bytes = self.scratch.get(..self.filled).unwrap_or_default();
        BufferView::expanded(bytes, layout).map_err(ExpandError::Header)
    }

    /// Whether compressed data seem to expand to records in `room` bytes. Expands the first eight bytes only.
    #[cfg(feature = "std")]
    pub(crate) fn starts_with_a_record(&self, data: &[u8], room: usize) -> bool {
        self.expand_start(data, room, &mut [0; 8])
    }

    /// Fills `head` with the start of what compressed data expand to, if they seem to expand to records in `room` bytes.
    #[cfg(feature = "std")]
    pub(crate) fn expand_start(&self, data: &[u8], room: usize, head: &mut [u8]) -> bool {
        room <= self.limit
            && self.format.into_iter().chain(FALLBACKS).any(|format| {
                decompress(format, data, head) == Ok(head.len())
                    && head.first_chunk().is_some_and(|first| starts_a_record(*first, room))
            })
    }

    /// The most bytes that a buffer expands to.
    #[cfg(feature = "std")]
    pub(crate) const fn limit(&self) -> usize {
        self.limit
    }

    /// Exchanges the memory that holds what [`Self::expand`] made for other memory, and says how many bytes it is.
    #[cfg(feature = "std")]
    pub(crate) const fn exchange(&mut self, memory: &mut Vec<u8>) -> usize {
        core::mem::swap(&mut self.scratch, memory);
        core::mem::replace(&mut self.filled, 0)
    }

    fn checked_filled(&self, header: &BufferHeader<'_>) -> Result<usize, ParseError> {
        header.checked_filled(Offset::from(self.limit).get())
    }
}

/// Whether so many stored bytes may well expand to `filled`: records shrink to a tenth, and seldom to less than a fiftieth.
pub(crate) const fn is_likely(filled: usize, stored: usize) -> bool {
    filled <= PROBE || filled / 64 <= stored
}

/// How much is expanded to see whether there is more.
const PROBE: usize = 64 * 1024;

/// The order in which formats are tried that nothing names.
const FALLBACKS: [Format; 3] = [Format::Xpress, Format::XpressHuff, Format::Lznt1];

/// Whether expanded data begin with a record, or are none.
fn starts_records(output: &[u8]) -> bool {
    output.first_chunk().map_or(output.is_empty(), |head| starts_a_record(*head, output.len()))
}

/// Expands `data` to exactly the length of `output`, and says how many bytes were left over.
fn fill(format: Format, data: &[u8], output: &mut [u8]) -> Result<usize, ExpandError> {
    match expand(format, data, output) {
        Ok(Expanded { made, used }) if made == output.len() => Ok(data.len().saturating_sub(used)),
        Ok(Expanded { made, .. }) => Err(ExpandError::Length {
            format,
            need: Offset::from(output.len()).get(),
            have: Offset::from(made).get(),
        }),
        Err(source) => Err(ExpandError::Data { format, source }),
    }
}
