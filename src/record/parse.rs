//! From bytes to a checked record.

use alloc::boxed::Box;
use core::mem::offset_of;

use crate::bytes::{align8, i64_at, slice_at, u32_at, u64_at, view};
use crate::error::{Offset, ParseError};
use crate::record::extended::{ExtendedItems, chain_len};
use crate::record::kind::{Family, RecordKind};
use crate::record::message::{Message, items_len};
use crate::wire::flags::{EVENT_FLAG_EXTENDED_INFO, VERSION_PEBS_INDEX, VERSION_PMC_COUNTERS};
use crate::wire::header_event::RawEventHeader;
use crate::wire::header_full::{RawFullHeader, RawInstanceHeader, RawInstanceInfo, RawOldInstanceHeader};
use crate::wire::header_message::RawMessageHeader;
use crate::wire::header_perf::RawPerfHeader;
use crate::wire::header_system::{RawCompactHeader, RawSystemHeader};

/// One record of a buffer, checked: its header is whole and its size lies inside the buffer.
///
/// This is the record as it lies on disk; [`Event`](crate::trace::Event) is what a consumer makes of it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Exactly the record's size, without padding; never less than the header of its kind.
    bytes: &'a [u8],
    offset: usize,
    shape: &'static Shape,
    /// Where the payload starts in `bytes`, in the low 16 bits, and [`BROKEN_CHAIN`]. One word, written and read as one:
    /// narrow fields written apart and read together stall the processor.
    meta: u64,
}

/// The chain of extended items leaves the record.
const BROKEN_CHAIN: u64 = 1 << 16;

impl<'a> Record<'a> {
    /// What the record is.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.shape.kind
    }

    /// The whole record as it lies in the buffer, header first, without its padding.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the record starts, from the start of its (expanded) buffer.
    #[must_use]
    pub fn offset(&self) -> Offset {
        Offset::from(self.offset)
    }

    /// The payload, `UserData`: what follows the header and its items. For a MESSAGE the arguments only.
    ///
    /// Empty if the chain of extended items is damaged, since then nothing tells where the payload starts; and for TIMED
    /// and ERROR everything after the first 8 bytes.
    #[inline]
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        self.bytes.get(usize::from(low_u16(self.meta))..).unwrap_or_default()
    }

    /// Why the extended items could not all be read, if so. The record's header is good all the same.
    #[must_use]
    pub fn damage(&self) -> Option<ParseError> {
        if self.meta & BROKEN_CHAIN == 0 {
            return None;
        }
        let chain = self.bytes.get(size_of::<RawEventHeader>()..)?;
        chain_len(chain, self.offset.saturating_add(size_of::<RawEventHeader>())).err()
    }

    /// The time stamp that the header holds; `None` for kinds without one.
    #[inline]
    pub(crate) fn time_stamp(&self) -> Option<i64> {
        match self.shape.stamp_at {
            0 => self.message()?.time_stamp(),
            at => i64_at(self.bytes, at.into()),
        }
    }

    /// Where the record lies in its buffer, without the bytes. For records of a walk over a buffer, which lie at multiples
    /// of 8 and, since a buffer's length is a 32-bit number, in the first 4 GiB.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn span(&self) -> RecordSpan {
        RecordSpan::of(self)
    }

    /// The record that `span` was made of, out of the same bytes. Nothing is checked again but that they are there.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn of_span(bytes: &'a [u8], span: RecordSpan) -> Option<Self> {
        let at = span.at();
        let bytes = bytes.get(at..at.wrapping_add(span.len()))?;
        Some(Self { bytes, offset: at, shape: span.shape, meta: span.meta() })
    }

    /// A record of nothing, for bytes that are no longer what they were.
    #[cfg(feature = "std")]
    pub(crate) const NOTHING: Self = Self { bytes: &[], offset: 0, shape: &NOTHING, meta: 0 };

    /// A copy that outlives the buffer: one allocation of the record's size.
    #[must_use]
    pub fn to_owned_record(&self) -> OwnedRecord {
        OwnedRecord { bytes: self.bytes.into(), offset: self.offset, shape: self.shape, meta: self.meta }
    }

    /// The record as a WPP message, if it is one.
    #[must_use]
    pub fn message(&self) -> Option<Message<'a>> {
        (self.shape.family == Family::Message).then(|| Message::new(self.bytes))
    }

    /// The extended items that lie in the record, or that a consumer makes from its header.
    ///
    /// Source: format reference, "Extended data items" and "From records to the consumer's EVENT_RECORD".
    #[must_use]
    pub fn extended_data(&self) -> ExtendedItems<'a> {
        match self.header() {
            Header::Event(header) if header.flags.get() & EVENT_FLAG_EXTENDED_INFO != 0 => {
                ExtendedItems::chain(self.bytes.get(size_of::<RawEventHeader>()..).unwrap_or_default())
            }
            Header::System(header) => {
                self.extension_items(header.compact.version.get(), size_of::<RawSystemHeader>())
            }
            Header::Compact(header) => {
                self.extension_items(header.version.get(), size_of::<RawCompactHeader>())
            }
            Header::Perf(header) => self.extension_items(header.version.get(), size_of::<RawPerfHeader>()),
            Header::Instance(_) => {
                let at = size_of::<RawFullHeader>();
                ExtendedItems::from_instance(
                    slice_at(self.bytes, at, size_of::<RawInstanceInfo>()).unwrap_or_default(),
                )
            }
            _ => ExtendedItems::NONE,
        }
    }

    fn extension_items(&self, version: u16, at: usize) -> ExtendedItems<'a> {
        let (pebs_len, pmc_len) = extension_lens(version);
        let item = |at, len: usize| if len == 0 { None } else { slice_at(self.bytes, at, len) };
        ExtendedItems::from_extension(item(at, pebs_len), item(at.saturating_add(pebs_len), pmc_len))
    }

    /// The header in place.
    #[inline]
    pub(crate) fn header(&self) -> Header<'a> {
        // No arm can fall through to `Opaque` but the last: a record is never shorter than the header of its kind.
        let header = match self.shape.family {
            Family::Event => view(self.bytes).map(Header::Event),
            Family::Perf => view(self.bytes).map(Header::Perf),
            Family::Full => view(self.bytes).map(Header::Full),
            Family::System => view(self.bytes).map(Header::System),
            Family::Compact => view(self.bytes).map(Header::Compact),
            Family::OldInstance => view(self.bytes).map(Header::OldInstance),
            Family::Instance => view(self.bytes).map(Header::Instance),
            Family::Message => Some(Header::Message(Message::new(self.bytes))),
            Family::Opaque => None,
        };
        header.unwrap_or(Header::Opaque)
    }

    /// Whether a record of a known kind starts at `at` that ends past the end of `bytes`, but not past `end`.
    pub(crate) fn would_fit(bytes: &[u8], at: usize, end: usize, shapes: Shapes) -> bool {
        let Some(head) = u64_at(bytes, at) else {
            // Not even the part of a header that tells is there.
            return true;
        };
        let Some(shape) = shapes.of(head) else { return false };
        let size = shape.size(head);
        let record_end = at.saturating_add(size);
        size >= shape.min_len(head) && record_end > bytes.len() && record_end <= end
    }

    /// The record at `at` of a buffer whose valid bytes are `bytes`, and where the next one starts, if it is a good one of
    /// the plain kinds: no extension, no items, no message. The hot path; [`Parsed::at`] takes everything else.
    #[inline]
    pub(crate) fn plain(bytes: &'a [u8], at: usize, shapes: Shapes) -> Option<(Self, usize)> {
        let head = u64_at(bytes, at)?;
        let shape = shapes.of(head)?;
        if head & shape.not_plain != 0 {
            return None;
        }
        let size = shape.size(head);
        let end = at.wrapping_add(size);
        let record = bytes.get(at..end)?;
        if size < usize::from(shape.header_len) {
            return None;
        }
        let record = Self { bytes: record, offset: at, shape, meta: shape.header_len.into() };
        Some((record, align8(end)))
    }
}

/// A copy of a record, independent of its buffer. Made by [`Record::to_owned_record`].
#[derive(Clone, Debug)]
pub struct OwnedRecord {
    bytes: Box<[u8]>,
    offset: usize,
    shape: &'static Shape,
    meta: u64,
}

impl OwnedRecord {
    /// The record that was copied. Costs nothing.
    #[must_use]
    pub fn record(&self) -> Record<'_> {
        Record { bytes: &self.bytes, offset: self.offset, shape: self.shape, meta: self.meta }
    }
}

/// A record without its bytes, for those who keep a buffer and want to come back to it. 16 bytes, since the merge keeps
/// many.
#[cfg(feature = "std")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecordSpan {
    /// From the high bits: 32 where the record starts, 16 its length, 16 where its payload starts. Records start at
    /// multiples of 8, so three bits are free for [`SPAN_BROKEN`] and [`SPAN_MARK`].
    place: u64,
    shape: &'static Shape,
}

/// [`BROKEN_CHAIN`].
#[cfg(feature = "std")]
const SPAN_BROKEN: u64 = 1 << 32;
/// Set by whoever keeps the span.
#[cfg(feature = "std")]
const SPAN_MARK: u64 = 1 << 33;

#[cfg(feature = "std")]
impl RecordSpan {
    /// The span of nothing.
    pub(crate) const NOTHING: Self = Self { place: 0, shape: &NOTHING };

    #[inline]
    fn of(record: &Record<'_>) -> Self {
        let [at, len] = [record.offset, record.bytes.len()].map(|number| u64::try_from(number).unwrap_or(0));
        let meta = record.meta & 0xFFFF | (record.meta & BROKEN_CHAIN) << 16;
        Self { place: at << 32 | len << 16 | meta, shape: record.shape }
    }

    /// The same with a mark, which means what its keeper likes.
    pub(crate) const fn marked(self) -> Self {
        Self { place: self.place | SPAN_MARK, shape: self.shape }
    }

    /// Whether it is [`Self::marked`].
    #[inline]
    pub(crate) const fn is_marked(self) -> bool {
        self.place & SPAN_MARK != 0
    }

    #[inline]
    fn at(self) -> usize {
        usize::try_from(self.place >> 32 & !7).unwrap_or(usize::MAX)
    }

    #[inline]
    fn len(self) -> usize {
        low_u16(self.place >> 16).into()
    }

    #[inline]
    const fn meta(self) -> u64 {
        self.place & 0xFFFF | (self.place & SPAN_BROKEN) >> 16
    }
}

#[cfg(feature = "std")]
const _: () = assert!(SPAN_BROKEN >> 16 == BROKEN_CHAIN);

/// What a record's header says, by its layout.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Header<'a> {
    System(&'a RawSystemHeader),
    Compact(&'a RawCompactHeader),
    Perf(&'a RawPerfHeader),
    Full(&'a RawFullHeader),
    Instance(&'a RawInstanceHeader),
    OldInstance(&'a RawOldInstanceHeader),
    Event(&'a RawEventHeader),
    Message(Message<'a>),
    Opaque,
}

/// What lies at a place where a record should start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parsed<'a> {
    /// A good record, and where the next one starts.
    Record(Record<'a>, usize),
    /// The marker of unused space: nothing more in this buffer.
    End,
    /// A record of no known kind whose size makes sense, and where the next one starts.
    Unknown(ParseError, usize),
    /// What would be a `WNODE_HEADER`, and where it would end.
    Wnode(ParseError, usize),
    /// Neither: only a search can find where records go on.
    Bad(ParseError),
}

impl<'a> Parsed<'a> {
    /// Classifies what lies at `at` of a buffer whose valid bytes are `bytes`.
    ///
    /// Source: format reference, "The marker", "Stepping" and "Reader's algorithm in short", step 4.
    pub(crate) fn at(bytes: &'a [u8], at: usize, shapes: Shapes) -> Self {
        let have = bytes.len().saturating_sub(at);
        let Some(marker) = u32_at(bytes, at) else {
            return Self::Bad(truncated("record marker", at, 4, have));
        };
        if marker == 0 || marker == u32::MAX {
            return Self::End;
        }
        let Some(head) = u64_at(bytes, at) else {
            return Self::Bad(truncated("record header", at, 8, have));
        };
        if marker >> 31 == 0 {
            return Self::wnode(marker, at);
        }
        let Some(shape) = shapes.of(head) else {
            return match (marker >> 24, marker >> 28) {
                (0xC0, _) => Self::unknown(marker, "a known header type", at, have),
                (_, 0xB) => Self::unknown(marker, "a known marker", at, have),
                _ => Self::Bad(unexpected(marker, "a record marker", at)),
            };
        };
        let size = shape.size(head);
        let Some(record) = slice_at(bytes, at, size) else {
            return Self::Bad(truncated("record", at, Offset::from(size).get(), have));
        };
        let Some(meta) = shape.meta(record, head, at) else {
            return Self::Bad(bad_size(size, shape.min_len(head), have, at));
        };
        let record = Record { bytes: record, offset: at, shape, meta };
        Self::Record(record, align8(at.saturating_add(size)))
    }

    /// Where the record after the one at `at` starts, and whether that one is of a known kind; `None` if no walk can step
    /// over what lies there. The same answer as that of [`Self::at`] in a time that does not depend on the record.
    pub(crate) fn step_at(bytes: &'a [u8], at: usize, shapes: Shapes) -> Option<(usize, bool)> {
        let head = u64_at(bytes, at)?;
        let Some(shape) = shapes.of(head) else {
            return match Self::at(bytes, at, shapes) {
                Self::Unknown(_, next) => Some((next, false)),
                _ => None,
            };
        };
        let size = shape.size(head);
        let fits = (shape.min_len(head)..=bytes.len().saturating_sub(at)).contains(&size);
        fits.then(|| (align8(at.saturating_add(size)), true))
    }

    /// A marker without its top bit is the length of a `WNODE_HEADER`, if it can be one.
    fn wnode(marker: u32, at: usize) -> Self {
        let cause = unexpected(marker, "a record marker", at);
        match usize::try_from(marker) {
            Ok(len) if len >= WNODE_LEN => Self::Wnode(cause, align8(at.saturating_add(len))),
            _ => Self::Bad(cause),
        }
    }

    /// A marker of no known kind is stepped over by the size that most kinds have in their first two bytes.
    fn unknown(marker: u32, expected: &'static str, at: usize, have: usize) -> Self {
        let cause = unexpected(marker, expected, at);
        let [low, high, ..] = marker.to_le_bytes();
        let size = usize::from(u16::from_le_bytes([low, high]));
        if size >= 8 && size <= have {
            Self::Unknown(cause, align8(at.saturating_add(size)))
        } else {
            Self::Bad(cause)
        }
    }
}

/// Whether a record of a known kind that fits into `room` bytes may begin with `head`. For searches, so a MESSAGE has to
/// look as all real ones do.
pub(crate) fn starts_a_record(head: [u8; 8], room: usize) -> bool {
    let [_, _, header_type, top, ..] = head;
    let head = u64::from_le_bytes(head);
    matches!((top, header_type), (0xC0, _) | (0x90, 0))
        && Shapes::MODERN
            .of(head)
            .is_some_and(|shape| (shape.min_len(head)..=room).contains(&shape.size(head)))
}

/// The time stamp of a record that begins with `head`, if it fits into `room` bytes and `head` is enough to tell.
#[cfg(feature = "std")]
pub(crate) fn stamp_of_head(head: &[u8], room: usize, shapes: Shapes) -> Option<i64> {
    let first = u64_at(head, 0)?;
    let shape = shapes.of(first)?;
    let size = shape.size(first);
    if !(shape.min_len(first)..=room).contains(&size) {
        return None;
    }
    match (shape.stamp_at, shape.family) {
        (0, Family::Message) => Message::new(head.get(..size).unwrap_or(head)).time_stamp(),
        (0, _) => None,
        (at, _) => i64_at(head, at.into()),
    }
}

/// Bytes of a `WNODE_HEADER`.
const WNODE_LEN: usize = 48;

fn truncated(what: &'static str, at: usize, need: u64, have: usize) -> ParseError {
    ParseError::Truncated { what, at: Offset::from(at), need, have: Offset::from(have).get() }
}

fn unexpected(marker: u32, expected: &'static str, at: usize) -> ParseError {
    ParseError::Unexpected { what: "record", at: Offset::from(at), expected, found: marker.into() }
}

fn bad_size(size: usize, min: usize, max: usize, at: usize) -> ParseError {
    ParseError::OutOfRange {
        what: "record",
        field: "size",
        at: Offset::from(at),
        value: Offset::from(size).get(),
        min: Offset::from(min).get(),
        max: Offset::from(max).get(),
    }
}

/// What distinguishes the headers of one kind. 16 bytes.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Bits of the first eight bytes that must be clear for the payload to follow the header at once.
    not_plain: u64,
    /// Bytes of the header without items and extensions.
    header_len: u8,
    /// Where the size lies in the first eight bytes, in bits: 0, or 32 in the families that start with a version.
    size_shift: u8,
    /// Where the time stamp lies; 0 if the header has none in a fixed place.
    stamp_at: u8,
    kind: RecordKind,
    family: Family,
}

impl Shape {
    /// The record's size out of its first eight bytes.
    #[inline]
    fn size(&self, head: u64) -> usize {
        usize::from(low_u16(head.wrapping_shr(self.size_shift.into())))
    }

    /// Where the payload of `record` starts and whether its extended items are damaged, as a record keeps it; `None` if the
    /// record is shorter than its header and what the header announces.
    fn meta(&self, record: &[u8], head: u64, at: usize) -> Option<u64> {
        let min_len = self.min_len(head);
        if record.len() < min_len {
            return None;
        }
        let mut payload_at = min_len;
        let mut flags = 0;
        if self.family == Family::Event && head & self.not_plain != 0 {
            let chain = record.get(min_len..)?;
            match chain_len(chain, at.saturating_add(min_len)) {
                Ok(len) => payload_at = min_len.saturating_add(len),
                Err(_) => {
                    flags = BROKEN_CHAIN;
                    payload_at = record.len();
                }
            }
        }
        Some(u64::from(u16::try_from(payload_at).ok()?) | flags)
    }

    /// Bytes of the header with its extension or its message items, but without extended items.
    fn min_len(&self, head: u64) -> usize {
        match self.family {
            Family::Message => items_len(low_u16(head.wrapping_shr(48))),
            Family::System | Family::Compact | Family::Perf => {
                let (pebs_len, pmc_len) = extension_lens(low_u16(head));
                usize::from(self.header_len).saturating_add(pebs_len).saturating_add(pmc_len)
            }
            _ => self.header_len.into(),
        }
    }
}

/// Bytes of the PEBS index and of the counter values that the extension bits of `version` announce.
///
/// Source: format reference, "Extension bits in Version".
fn extension_lens(version: u16) -> (usize, usize) {
    let pebs = usize::from(version & VERSION_PEBS_INDEX != 0);
    let counters = usize::from((version & VERSION_PMC_COUNTERS).wrapping_shr(8));
    (pebs.saturating_mul(8), counters.saturating_mul(8))
}

#[inline]
fn low_u16(value: u64) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// The shapes by header type, for one age of the format.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shapes(&'static [Option<Shape>; TYPES]);

/// One more than the largest header type.
const TYPES: usize = 0x16;

impl Shapes {
    /// Windows 5.2 and later.
    pub(crate) const MODERN: Self = Self(&MODERN);
    /// Windows 5.0 and 5.1, with the short instance headers.
    pub(crate) const OLD_INSTANCE: Self = Self(&OLD_INSTANCE);

    /// The shape of a record with these first eight bytes, if they tell of a known kind.
    #[inline]
    fn of(self, head: u64) -> Option<&'static Shape> {
        let [_, _, header_type, top, ..] = head.to_le_bytes();
        if top == 0xC0 {
            self.0.get(usize::from(header_type))?.as_ref()
        } else if top >> 4 == 9 {
            Some(&MESSAGE)
        } else {
            None
        }
    }
}

static MODERN: [Option<Shape>; TYPES] = table(Family::Instance, size_of::<RawInstanceHeader>());
static OLD_INSTANCE: [Option<Shape>; TYPES] = table(Family::OldInstance, size_of::<RawOldInstanceHeader>());
static MESSAGE: Shape = Shape {
    not_plain: u64::MAX,
    header_len: len(size_of::<RawMessageHeader>()),
    size_shift: 0,
    stamp_at: 0,
    kind: RecordKind::Message,
    family: Family::Message,
};
/// Of no record.
#[cfg(feature = "std")]
static NOTHING: Shape = Shape {
    not_plain: u64::MAX,
    header_len: 0,
    size_shift: 0,
    stamp_at: 0,
    kind: RecordKind::Error,
    family: Family::Opaque,
};

/// In the families that start with a version, the high byte of it.
const EXTENSION: u64 = 0x8700;
/// In EVENT_HEADER, EXTENDED_INFO of the flags at 0x04.
const EXTENDED_INFO: u64 = 1 << 32;

const _: () = assert!(EXTENSION == 0x8000 | 0x0700 && VERSION_PEBS_INDEX | VERSION_PMC_COUNTERS == 0x8700);

#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler: a wrong index does not build")]
const fn table(instance: Family, instance_len: usize) -> [Option<Shape>; TYPES] {
    const fn versioned(
        kind: RecordKind,
        family: Family,
        header_len: usize,
        stamp_at: usize,
    ) -> Option<Shape> {
        let (header_len, stamp_at) = (len(header_len), len(stamp_at));
        Some(Shape { not_plain: EXTENSION, header_len, size_shift: 32, stamp_at, kind, family })
    }
    const fn sized(kind: RecordKind, family: Family, header_len: usize, stamp_at: usize) -> Option<Shape> {
        let not_plain = if matches!(family, Family::Event) { EXTENDED_INFO } else { 0 };
        let (header_len, stamp_at) = (len(header_len), len(stamp_at));
        Some(Shape { not_plain, header_len, size_shift: 0, stamp_at, kind, family })
    }
    const SYSTEM: usize = offset_of!(RawSystemHeader, compact) + offset_of!(RawCompactHeader, system_time);
    const COMPACT: usize = offset_of!(RawCompactHeader, system_time);
    const PERF: usize = offset_of!(RawPerfHeader, time_stamp);
    const FULL: usize = offset_of!(RawFullHeader, time_stamp);
    const EVENT: usize = offset_of!(RawEventHeader, time_stamp);
    const INSTANCE: usize = offset_of!(RawInstanceHeader, full) + FULL;
    const _: () = assert!(INSTANCE == offset_of!(RawOldInstanceHeader, time_stamp));
    let mut table = [None; TYPES];
    table[0x01] = versioned(RecordKind::System32, Family::System, size_of::<RawSystemHeader>(), SYSTEM);
    table[0x02] = versioned(RecordKind::System64, Family::System, size_of::<RawSystemHeader>(), SYSTEM);
    table[0x03] = versioned(RecordKind::Compact32, Family::Compact, size_of::<RawCompactHeader>(), COMPACT);
    table[0x04] = versioned(RecordKind::Compact64, Family::Compact, size_of::<RawCompactHeader>(), COMPACT);
    table[0x0A] = sized(RecordKind::Full32, Family::Full, size_of::<RawFullHeader>(), FULL);
    table[0x0B] = sized(RecordKind::Instance32, instance, instance_len, INSTANCE);
    table[0x0C] = sized(RecordKind::Timed, Family::Opaque, OPAQUE_LEN, 0);
    table[0x0D] = sized(RecordKind::Error, Family::Opaque, OPAQUE_LEN, 0);
    table[0x10] = versioned(RecordKind::PerfInfo32, Family::Perf, size_of::<RawPerfHeader>(), PERF);
    table[0x11] = versioned(RecordKind::PerfInfo64, Family::Perf, size_of::<RawPerfHeader>(), PERF);
    table[0x12] = sized(RecordKind::Event32, Family::Event, size_of::<RawEventHeader>(), EVENT);
    table[0x13] = sized(RecordKind::Event64, Family::Event, size_of::<RawEventHeader>(), EVENT);
    table[0x14] = sized(RecordKind::Full64, Family::Full, size_of::<RawFullHeader>(), FULL);
    table[0x15] = sized(RecordKind::Instance64, instance, instance_len, INSTANCE);
    table
}

/// The least size of records whose layout is not public.
const OPAQUE_LEN: usize = 8;

/// A header's length as a byte; all are below 0x50.
#[allow(clippy::as_conversions, reason = "evaluated by the compiler, with the range checked before")]
const fn len(header_len: usize) -> u8 {
    assert!(header_len <= 0x50);
    header_len as u8
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Bytes that often begin as records do.
    fn almost_records() -> impl Strategy<Value = alloc::vec::Vec<u8>> {
        let header_type = prop_oneof![0..0x18_u8, any::<u8>()];
        let top = prop_oneof![4 => Just(0xC0), 2 => Just(0x90), 1 => any::<u8>()];
        (0..0x90_u8, header_type, top, 0..0x90_u8, vec(0..0x30_u8, 0..0x90)).prop_map(
            |(size, header_type, top, upper_size, rest)| {
                let mut bytes = alloc::vec![size, 0, header_type, top, upper_size, 0];
                bytes.extend(rest);
                bytes
            },
        )
    }

    proptest! {
        #[test]
        fn the_step_that_a_search_takes_is_that_of_the_walk(bytes in almost_records(), old: bool) {
            let shapes = if old { Shapes::OLD_INSTANCE } else { Shapes::MODERN };
            let step = match Parsed::at(&bytes, 0, shapes) {
                Parsed::Record(_, next) => Some((next, true)),
                Parsed::Unknown(_, next) => Some((next, false)),
                _ => None,
            };
            prop_assert_eq!(Parsed::step_at(&bytes, 0, shapes), step);
        }

        #[cfg(feature = "std")]
        #[test]
        fn the_head_of_a_record_tells_the_stamp_that_the_record_has(bytes in almost_records(), old: bool) {
            let shapes = if old { Shapes::OLD_INSTANCE } else { Shapes::MODERN };
            let stamp = match Parsed::at(&bytes, 0, shapes) {
                Parsed::Record(record, _) => record.time_stamp(),
                _ => None,
            };
            prop_assert_eq!(stamp_of_head(&bytes, bytes.len(), shapes), stamp);
            for head in 0..bytes.len() {
                let found = stamp_of_head(&bytes[..head], bytes.len(), shapes);
                prop_assert!(found.is_none() || found == stamp, "{head} bytes");
            }
        }

        #[test]
        fn the_fast_way_finds_what_the_plain_one_does(bytes in almost_records(), old: bool) {
            let shapes = if old { Shapes::OLD_INSTANCE } else { Shapes::MODERN };
            if let Some((fast, next)) = Record::plain(&bytes, 0, shapes) {
                let Parsed::Record(slow, slow_next) = Parsed::at(&bytes, 0, shapes) else { panic!("no record") };
                prop_assert_eq!(next, slow_next);
                prop_assert_eq!((fast.bytes(), fast.payload()), (slow.bytes(), slow.payload()));
                prop_assert_eq!((fast.kind(), fast.offset(), fast.damage()), (slow.kind(), slow.offset(), slow.damage()));
            }
        }
    }
}
