//! Extended data items: the chain between an `EVENT_HEADER` and its payload, and the items that a consumer makes from
//! other records.

use core::{fmt, slice};

use crate::bytes::{align8, slice_at, view};
use crate::error::{Offset, ParseError};
use crate::guid::Guid;
use crate::sid::Sid;
use crate::wire::extended::{LINKAGE, RawExtendedItem};
use crate::wire::header_full::RawInstanceInfo;

/// What an extended item holds, `EVENT_HEADER_EXT_TYPE_*`: a number with names for those that are known.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ExtendedType(pub u16);

macro_rules! extended_types {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $text:literal;)*) => {
        impl ExtendedType {
            $($(#[$doc])* pub const $name: Self = Self($value);)*

            /// The published name without its prefix, if the number has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

extended_types! {
    /// A GUID: the activity that this event relates its own to.
    RELATED_ACTIVITYID = 0x01, "RELATED_ACTIVITYID";
    /// The `SID` of the user.
    SID = 0x02, "SID";
    /// The terminal session, a `u32`.
    TS_ID = 0x03, "TS_ID";
    /// Instance, parent instance and the parent's class, 24 bytes.
    INSTANCE_INFO = 0x04, "INSTANCE_INFO";
    /// A match id and 32-bit addresses.
    STACK_TRACE32 = 0x05, "STACK_TRACE32";
    /// A match id and 64-bit addresses.
    STACK_TRACE64 = 0x06, "STACK_TRACE64";
    /// Index of a precise-event sample, a `u64`.
    PEBS_INDEX = 0x07, "PEBS_INDEX";
    /// Values of performance counters, `u64`s.
    PMC_COUNTERS = 0x08, "PMC_COUNTERS";
    /// Opaque.
    PSM_KEY = 0x09, "PSM_KEY";
    /// A `u64`.
    EVENT_KEY = 0x0A, "EVENT_KEY";
    /// The description of a TraceLogging event.
    EVENT_SCHEMA_TL = 0x0B, "EVENT_SCHEMA_TL";
    /// The provider's name and traits.
    PROV_TRAITS = 0x0C, "PROV_TRAITS";
    /// A `u64` that is unique per process and boot.
    PROCESS_START_KEY = 0x0D, "PROCESS_START_KEY";
    /// A GUID: the registration, when the provider id shows a decode GUID.
    CONTROL_GUID = 0x0E, "CONTROL_GUID";
    /// The performance counter's difference between partitions.
    QPC_DELTA = 0x0F, "QPC_DELTA";
    /// A GUID as 36 ASCII characters.
    CONTAINER_ID = 0x10, "CONTAINER_ID";
    /// A match id and a 32-bit key of a stack.
    STACK_KEY32 = 0x11, "STACK_KEY32";
    /// A match id and a 64-bit key of a stack.
    STACK_KEY64 = 0x12, "STACK_KEY64";
}

impl fmt::Debug for ExtendedType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:02x}", self.0),
        }
    }
}

/// One extended data item, `EVENT_HEADER_EXTENDED_DATA_ITEM`, borrowed from its record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExtendedItem<'a> {
    ext_type: ExtendedType,
    data: &'a [u8],
}

impl<'a> ExtendedItem<'a> {
    /// `ExtType`: what the data are.
    #[must_use]
    pub const fn ext_type(&self) -> ExtendedType {
        self.ext_type
    }

    /// The `DataSize` bytes of data, without the padding.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// The GUID of a RELATED_ACTIVITYID or CONTROL_GUID item.
    #[must_use]
    pub fn guid(&self) -> Option<Guid> {
        match self.ext_type {
            ExtendedType::RELATED_ACTIVITYID | ExtendedType::CONTROL_GUID => {
                self.data.first_chunk().copied().map(Guid::from_bytes)
            }
            _ => None,
        }
    }

    /// The SID of a SID item.
    #[must_use]
    pub fn sid(&self) -> Option<Sid<'a>> {
        if self.ext_type == ExtendedType::SID { Sid::parse(self.data) } else { None }
    }

    /// The frames of a STACK_TRACE32 or STACK_TRACE64 item, innermost first.
    ///
    /// The width follows the operating system, not the record: events of 32-bit processes have 64-bit stacks.
    #[must_use]
    pub fn stack(&self) -> Option<Stack<'a>> {
        let width = match self.ext_type {
            ExtendedType::STACK_TRACE32 => 4,
            ExtendedType::STACK_TRACE64 => 8,
            _ => return None,
        };
        let (match_id, frames) = self.data.split_first_chunk()?;
        Some(Stack { match_id: u64::from_le_bytes(*match_id), frames, width })
    }

    /// Match id and key of a STACK_KEY32 or STACK_KEY64 item: the key stands for a stack that events of the kernel's class
    /// `StackWalk` tell.
    ///
    /// Source: payload reference, "Stacks and symbols".
    #[must_use]
    pub fn stack_key(&self) -> Option<(u64, u64)> {
        let (match_id, key) = self.data.split_first_chunk()?;
        let key = match self.ext_type {
            ExtendedType::STACK_KEY32 => key.first_chunk().copied().map(u32::from_le_bytes)?.into(),
            ExtendedType::STACK_KEY64 => key.first_chunk().copied().map(u64::from_le_bytes)?,
            _ => return None,
        };
        Some((u64::from_le_bytes(*match_id), key))
    }

    /// Instance, parent instance and the parent's class of an INSTANCE_INFO item.
    #[must_use]
    pub fn instance_info(&self) -> Option<(u32, u32, Guid)> {
        if self.ext_type != ExtendedType::INSTANCE_INFO {
            return None;
        }
        let info = view::<RawInstanceInfo>(self.data)?;
        Some((info.instance_id.get(), info.parent_instance_id.get(), Guid::from_bytes(info.parent_guid)))
    }

    /// The number of an item that holds one: TS_ID, PEBS_INDEX, EVENT_KEY, PROCESS_START_KEY.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self.ext_type {
            ExtendedType::TS_ID => self.data.first_chunk().copied().map(u32::from_le_bytes).map(u64::from),
            ExtendedType::PEBS_INDEX | ExtendedType::EVENT_KEY | ExtendedType::PROCESS_START_KEY => {
                self.data.first_chunk().copied().map(u64::from_le_bytes)
            }
            _ => None,
        }
    }
}

/// A call stack out of an extended item.
#[derive(Clone, Copy, Debug)]
pub struct Stack<'a> {
    match_id: u64,
    frames: &'a [u8],
    width: usize,
}

impl<'a> Stack<'a> {
    /// 0 if all frames are here; else another event carries the other half under the same number.
    #[must_use]
    pub const fn match_id(&self) -> u64 {
        self.match_id
    }

    /// The addresses, innermost first.
    #[must_use]
    pub fn frames(self) -> StackFrames<'a> {
        StackFrames(self.frames.chunks_exact(self.width))
    }
}

/// The addresses of a [`Stack`], innermost first.
#[derive(Clone, Debug)]
pub struct StackFrames<'a>(slice::ChunksExact<'a, u8>);

impl Iterator for StackFrames<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        let frame = self.0.next()?;
        Some(match frame {
            [a, b, c, d] => u64::from(u32::from_le_bytes([*a, *b, *c, *d])),
            _ => frame.first_chunk().copied().map_or(0, u64::from_le_bytes),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for StackFrames<'_> {}
impl core::iter::FusedIterator for StackFrames<'_> {}

/// The extended items of an event, in their order. Made by [`Event::extended_data`](crate::trace::Event::extended_data).
#[derive(Clone, Debug)]
pub struct ExtendedItems<'a>(Source<'a>);

#[derive(Clone, Debug)]
enum Source<'a> {
    /// What is left of a chain; `None` once an item said that it is the last.
    Chain(Option<&'a [u8]>),
    /// Items made from the bytes between a header and its payload.
    Made([Option<ExtendedItem<'a>>; 2]),
}

impl<'a> ExtendedItems<'a> {
    /// No items.
    pub(crate) const NONE: Self = Self(Source::Chain(None));

    /// The items of a chain whose first head is at the start of `chain`.
    pub(crate) const fn chain(chain: &'a [u8]) -> Self {
        Self(Source::Chain(Some(chain)))
    }

    /// The items that a consumer makes from extension bits: the PEBS index first, then the counters.
    pub(crate) fn from_extension(pebs_index: Option<&'a [u8]>, pmc_counters: Option<&'a [u8]>) -> Self {
        let item = |ext_type| move |data| ExtendedItem { ext_type, data };
        Self(Source::Made([
            pebs_index.map(item(ExtendedType::PEBS_INDEX)),
            pmc_counters.map(item(ExtendedType::PMC_COUNTERS)),
        ]))
    }

    /// The one item that a consumer makes from an instance header.
    pub(crate) const fn from_instance(data: &'a [u8]) -> Self {
        Self(Source::Made([Some(ExtendedItem { ext_type: ExtendedType::INSTANCE_INFO, data }), None]))
    }
}

impl<'a> Iterator for ExtendedItems<'a> {
    type Item = ExtendedItem<'a>;

    /// Ends: each step of a chain consumes at least the 8 bytes of a head.
    fn next(&mut self) -> Option<ExtendedItem<'a>> {
        match &mut self.0 {
            Source::Chain(rest) => {
                let step = Step::at(rest.take()?).ok()?;
                if step.linked {
                    *rest = Some(step.rest);
                }
                Some(step.item)
            }
            Source::Made(items) => items.iter_mut().find_map(Option::take),
        }
    }
}

/// One item of a chain and what follows it.
struct Step<'a> {
    item: ExtendedItem<'a>,
    linked: bool,
    /// What follows the item and its padding; empty if the record ends within the padding.
    rest: &'a [u8],
}

impl<'a> Step<'a> {
    /// The item at the start of `chain`; the error is what it needs and what there is.
    fn at(chain: &'a [u8]) -> Result<Self, (usize, usize)> {
        let head = view::<RawExtendedItem>(chain).ok_or((HEAD, chain.len()))?;
        let data_size = usize::from(head.data_size.get());
        let needed = HEAD.saturating_add(data_size);
        let data = slice_at(chain, HEAD, data_size).ok_or((needed, chain.len()))?;
        let declared = usize::from(head.size.get());
        // The stored size is the rounded one; where it contradicts the data's length, the data's length is believed.
        let step = if declared >= needed && declared.is_multiple_of(8) { declared } else { align8(needed) };
        // Only the padding may be missing at the record's end.
        if step > chain.len() && step > align8(needed) {
            return Err((step, chain.len()));
        }
        Ok(Self {
            item: ExtendedItem { ext_type: ExtendedType(head.ext_type.get()), data },
            linked: head.linkage.get() & LINKAGE != 0,
            rest: chain.get(step..).unwrap_or_default(),
        })
    }
}

const HEAD: usize = size_of::<RawExtendedItem>();

/// The length of the chain at the start of `chain`, which is where the payload begins, or why it has none.
///
/// `at` is where `chain` lies, for the error.
pub(super) fn chain_len(chain: &[u8], at: usize) -> Result<usize, ParseError> {
    let mut rest = chain;
    loop {
        let done = chain.len().saturating_sub(rest.len());
        let step = Step::at(rest).map_err(|(need, have)| ParseError::Truncated {
            what: "extended item",
            at: Offset::from(at.saturating_add(done)),
            need: Offset::from(need).get(),
            have: Offset::from(have).get(),
        })?;
        rest = step.rest;
        if !step.linked {
            return Ok(chain.len().saturating_sub(rest.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[rustfmt::skip]
    const TWO: [u8; 0x38] = [
        // the chain of the format reference's worked example: a related activity and a stack of two frames
        0x18, 0, 1, 0, 1, 0, 0x10, 0,
        0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55,
        0x20, 0, 6, 0, 0, 0, 0x18, 0,
        0, 0, 0, 0, 0, 0, 0, 0,
        0x10, 0, 0, 0, 0, 0xF8, 0xFF, 0xFF,
        0x20, 0, 0, 0, 0, 0xF8, 0xFF, 0xFF,
    ];

    #[test]
    fn the_linkage_bit_ends_the_chain() {
        assert_eq!(chain_len(&TWO, 0x50), Ok(0x38));
        let items: Vec<_> = ExtendedItems::chain(&TWO).collect();
        assert_eq!(items.len(), 2);
        assert_eq!(
            items[0].guid().expect("a GUID"),
            Guid::from_parts(0x1111_1111, 0x2222, 0x3333, [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55])
        );
        let stack = items[1].stack().expect("a stack");
        assert_eq!(stack.match_id(), 0);
        assert_eq!(stack.frames().collect::<Vec<_>>(), [0xFFFF_F800_0000_0010, 0xFFFF_F800_0000_0020]);
    }

    #[test]
    fn what_follows_the_last_item_is_payload() {
        let mut bytes = TWO.to_vec();
        bytes.extend_from_slice(&[0xAA; 9]);
        assert_eq!(chain_len(&bytes, 0x50), Ok(0x38));
        assert_eq!(ExtendedItems::chain(&bytes).count(), 2);
    }

    #[test]
    fn a_size_that_contradicts_the_data_is_replaced_by_the_rounded_length() {
        for size in [0u8, 7, 0x17, 0x19] {
            let mut bytes = TWO;
            bytes[0] = size;
            assert_eq!(chain_len(&bytes, 0x50), Ok(0x38), "size {size:#x}");
        }
    }

    #[test]
    fn an_item_that_leaves_the_record_is_named_and_those_before_it_stay() {
        let mut bytes = TWO;
        bytes[0x1E] = 0x19; // DataSize of the second item: one more than there is
        assert_eq!(
            chain_len(&bytes, 0x50),
            Err(ParseError::Truncated { what: "extended item", at: Offset(0x68), need: 0x21, have: 0x20 })
        );
        assert_eq!(ExtendedItems::chain(&bytes).count(), 1);
    }

    #[test]
    fn a_size_that_leaves_the_record_is_damage_even_where_the_data_fit() {
        let mut bytes = TWO;
        bytes[0x18] = 0x28;
        assert_eq!(
            chain_len(&bytes, 0x50),
            Err(ParseError::Truncated { what: "extended item", at: Offset(0x68), need: 0x28, have: 0x20 })
        );
    }

    #[test]
    fn padding_that_the_record_does_not_store_is_no_damage() {
        // SID item with 12 bytes of data: the record ends 4 bytes before the rounded length.
        let bytes = [0x18, 0, 2, 0, 0, 0, 12, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];
        assert_eq!(chain_len(&bytes, 0x50), Ok(20));
        let item = ExtendedItems::chain(&bytes).next().expect("one item");
        assert_eq!(item.sid().expect("a SID").sub_authorities().collect::<Vec<_>>(), [18]);
    }
}
