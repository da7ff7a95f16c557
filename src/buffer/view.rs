//! A checked buffer whose records can be walked.

#[cfg(feature = "std")]
use alloc::vec::Vec;

#[cfg(feature = "std")]
use crate::buffer::header::BufferFlags;
use crate::buffer::header::BufferHeader;
use crate::buffer::layout::Layout;
use crate::buffer::owned::OwnedBuffer;
use crate::buffer::records::Records;
use crate::bytes::slice_at;
use crate::error::{Offset, ParseError};
use crate::record::{Parsed, Record};
#[cfg(feature = "std")]
use crate::wire::buffer::RawBufferHeader;

/// One buffer with its records in the clear. Borrows the bytes, copies nothing.
///
/// The bytes may be a buffer of a file or one that a buffer callback handed out, which may end at the filled bytes.
#[derive(Clone, Copy, Debug)]
pub struct BufferView<'a> {
    header: BufferHeader<'a>,
    /// The buffer up to its last valid byte, or to where the input ends.
    valid: &'a [u8],
    /// Where the header says that the valid bytes end; past `valid` if the input is cut.
    filled: usize,
}

impl<'a> BufferView<'a> {
    /// The buffer at the start of `bytes`, laid out as by Windows 6.0 and later. What follows it is ignored.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] if there is no whole header, [`ParseError::OutOfRange`] if the lengths in it contradict
    /// each other or `bytes`, [`ParseError::Unexpected`] if the buffer is compressed: [`Expander`](crate::trace::Expander)
    /// takes those.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        Self::parse_with(bytes, Layout::Modern)
    }

    /// The same with the layout that the log-file header of the trace names.
    ///
    /// # Errors
    ///
    /// As [`BufferView::parse`].
    pub fn parse_with(bytes: &'a [u8], layout: Layout) -> Result<Self, ParseError> {
        let view = Self::parse_cut(bytes, layout)?;
        view.header.checked_filled(Offset::from(bytes.len()).get())?;
        Ok(view)
    }

    /// The same for a buffer of which the input may hold only the beginning, as at the end of a file that was cut off.
    /// Its whole records are delivered, and the one that the cut goes through is reported.
    ///
    /// # Errors
    ///
    /// As [`BufferView::parse`], except that the filled bytes may lie past the end of `bytes`.
    pub fn parse_cut(bytes: &'a [u8], layout: Layout) -> Result<Self, ParseError> {
        let header = BufferHeader::parse(bytes, layout)?;
        Self::with_size(header, bytes, header.buffer_size().map_or(u64::from(u32::MAX), u64::from))
    }

    /// The same, where something better than the header tells how long the whole buffer is.
    pub(crate) fn with_size(
        header: BufferHeader<'a>,
        bytes: &'a [u8],
        size: u64,
    ) -> Result<Self, ParseError> {
        if header.is_compressed() {
            return Err(ParseError::Unexpected {
                what: "buffer header",
                at: Offset(0),
                expected: "an uncompressed buffer",
                found: header.buffer_flags().0.into(),
            });
        }
        let filled = header.checked_filled(size)?;
        Ok(Self::with_filled(bytes, header, filled))
    }

    /// A buffer that an expansion made: the header as it was stored, then the expanded records.
    pub(crate) fn expanded(bytes: &'a [u8], layout: Layout) -> Result<Self, ParseError> {
        let header = BufferHeader::parse(bytes, layout)?;
        let filled = header.checked_filled(Offset::from(bytes.len()).get())?;
        Ok(Self::with_filled(bytes, header, filled))
    }

    pub(super) fn with_filled(bytes: &'a [u8], header: BufferHeader<'a>, filled: usize) -> Self {
        Self { header, valid: slice_at(bytes, 0, filled).unwrap_or(bytes), filled }
    }

    /// The header, as stored.
    #[must_use]
    pub const fn header(&self) -> BufferHeader<'a> {
        self.header
    }

    /// The valid bytes, the header included: up to `FilledBytes`, or to the end of the input if it is cut.
    #[must_use]
    pub const fn valid_bytes(&self) -> &'a [u8] {
        self.valid
    }

    /// How many of the filled bytes are missing because the input ends.
    #[must_use]
    pub fn missing_bytes(&self) -> u64 {
        Offset::from(self.filled.saturating_sub(self.valid.len())).get()
    }

    /// A copy that outlives the bytes, which takes the memory of the valid ones.
    #[must_use]
    pub fn to_owned_buffer(&self) -> OwnedBuffer {
        OwnedBuffer::new(*self.header.raw(), self.header.layout(), self.valid, self.filled)
    }

    /// A copy as a stream takes buffers: in the clear, and with the lengths in its header that it has, whatever was stored.
    ///
    /// Of a buffer that was compressed, cut off, or denied its length, a [`Session`](crate::stream::Session) would refuse the
    /// stored bytes. A session accepts buffers of Windows 6.0 and later only.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn to_stream_buffer(&self) -> Vec<u8> {
        let raw = self.header.raw();
        let len = u32::try_from(self.valid.len()).unwrap_or(u32::MAX);
        let header = RawBufferHeader {
            buffer_size: len.into(),
            filled_bytes: len.into(),
            buffer_flag: (raw.buffer_flag.get() & !BufferFlags::COMPRESSED.0).into(),
            ..*raw
        };
        let mut bytes = Vec::with_capacity(self.valid.len());
        bytes.extend_from_slice(zerocopy::IntoBytes::as_bytes(&header));
        bytes.extend_from_slice(self.valid.get(BufferHeader::LEN..).unwrap_or_default());
        bytes
    }

    /// The record at `offset`, one that [`Self::records`] delivered before; `None` if no record can be there.
    ///
    /// For those who sort records: an offset is all that they need to keep.
    #[must_use]
    pub fn record_at(&self, offset: Offset) -> Option<Record<'a>> {
        let at = usize::try_from(offset.get()).ok().filter(|at| *at >= BufferHeader::LEN)?;
        match Parsed::at(self.valid, at, self.header.layout().shapes()) {
            Parsed::Record(record, _) => Some(record),
            _ => None,
        }
    }

    /// The records in the order of the buffer, and the damage between them.
    #[must_use]
    pub fn records(&self) -> Records<'a> {
        Records::new(self.valid, self.filled, self.header.layout().shapes())
    }
}

#[cfg(all(test, feature = "write"))]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::write::{BufferSpec, EventSpec};

    #[test]
    fn a_copy_shows_what_the_buffer_showed() {
        let bytes = BufferSpec::new(4096).processor(3).event(&EventSpec::default()).to_bytes();
        for cut in [4096, 72 + 0x50, 72 + 0x4F, 72] {
            let view = BufferView::parse_cut(&bytes[..cut], Layout::Modern).expect("a header");
            let owned = view.to_owned_buffer();
            let copy = owned.view();
            assert_eq!(copy.header().as_bytes(), view.header().as_bytes());
            assert_eq!(copy.valid_bytes(), view.valid_bytes());
            assert_eq!(copy.missing_bytes(), view.missing_bytes());
            assert_eq!(copy.records().count(), view.records().count());
        }
    }

    #[cfg(feature = "std")]
    #[test]
    fn a_stream_takes_the_copy_of_a_buffer_that_was_cut_or_compressed() {
        use crate::codec::Format;
        use crate::limits::Limits;
        use crate::stream::{Options, Session};
        use crate::trace::Expander;

        let spec = BufferSpec::new(4096)
            .processor(3)
            .event(&EventSpec { id: 1, ..EventSpec::default() })
            .event(&EventSpec { id: 2, payload: [7; 500].to_vec(), ..EventSpec::default() });
        let whole = spec.to_bytes();
        let packed = spec.to_compressed_bytes(Format::Xpress);
        let mut expander = Expander::new(Some(Format::Xpress), &Limits::default());
        let expanded = expander.view(&packed, Layout::Modern).expect("good data");
        let cut = BufferView::parse_cut(&whole[..400], Layout::Modern).expect("a header");
        for (view, len, records) in [(expanded, 72 + 0x50 + 0x50 + 504, 2), (cut, 400, 1)] {
            let bytes = view.to_stream_buffer();
            assert_eq!(bytes.len(), len);
            let copy = BufferView::parse(&bytes).expect("a good buffer");
            assert_eq!(copy.records().filter(Result::is_ok).count(), records);
            assert_eq!(copy.valid_bytes()[72..], view.valid_bytes()[72..]);
            assert_eq!(copy.header().processor_index(), 3);
            let mut session = Session::new(Options::default().allow_missing_header(true), |_| {});
            session.add(bytes).expect("a buffer that is accepted");
        }
    }

    #[test]
    fn a_record_is_found_again_by_its_offset() {
        let bytes = (1..=3)
            .fold(BufferSpec::new(4096), |buffer, id| {
                buffer.event(&EventSpec { id, payload: [7; 5].to_vec(), ..EventSpec::default() })
            })
            .to_bytes();
        let view = BufferView::parse(&bytes).expect("a good buffer");
        let records: Vec<_> = view.records().map(|record| record.expect("no damage")).collect();
        assert_eq!(records.len(), 3);
        for record in records {
            let again = view.record_at(record.offset()).expect("the record");
            assert_eq!((again.bytes(), again.payload()), (record.bytes(), record.payload()));
        }
        assert!(view.record_at(Offset(0)).is_none(), "the header is no record");
        assert!(view.record_at(Offset(4096)).is_none());
        assert!(view.record_at(Offset(u64::MAX)).is_none());
    }
}
