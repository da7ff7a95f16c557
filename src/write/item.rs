//! Extended data items on their way into an `EVENT_HEADER` record.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::bytes::align8;
use crate::guid::Guid;
use crate::record::ExtendedType;
use crate::wire::U16;
use crate::wire::extended::{LINKAGE, RawExtendedItem};
use crate::write::error::{WriteError, size_field};

/// One extended data item. Its sizes and its link to the next item follow from its data and its place, unless they are
/// given: then they are written as they are, right or wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ItemSpec {
    /// `ExtType`: what the data are.
    pub ext_type: ExtendedType,
    /// The data, without padding.
    pub data: Vec<u8>,
    /// `Size` in place of the length of head and data, rounded up to 8.
    pub size: Option<u16>,
    /// `DataSize` in place of the length of the data.
    pub data_size: Option<u16>,
    /// The linkage word in place of 1 for an item before the last and 0 for the last.
    pub linkage: Option<u16>,
}

impl Default for ItemSpec {
    /// An EVENT_KEY of 0.
    fn default() -> Self {
        Self::new(ExtendedType::EVENT_KEY, [0; 8])
    }
}

impl ItemSpec {
    /// An item with these data.
    #[must_use]
    pub fn new(ext_type: ExtendedType, data: impl Into<Vec<u8>>) -> Self {
        Self { ext_type, data: data.into(), size: None, data_size: None, linkage: None }
    }

    /// RELATED_ACTIVITYID.
    #[must_use]
    pub fn related_activity_id(id: Guid) -> Self {
        Self::new(ExtendedType::RELATED_ACTIVITYID, id.to_bytes())
    }

    /// STACK_TRACE64 with these addresses, innermost first.
    #[must_use]
    pub fn stack64(match_id: u64, frames: &[u64]) -> Self {
        let mut data = match_id.to_le_bytes().to_vec();
        data.extend(frames.iter().flat_map(|frame| frame.to_le_bytes()));
        Self::new(ExtendedType::STACK_TRACE64, data)
    }

    /// STACK_TRACE32 with these addresses, innermost first.
    #[must_use]
    pub fn stack32(match_id: u64, frames: &[u32]) -> Self {
        let mut data = match_id.to_le_bytes().to_vec();
        data.extend(frames.iter().flat_map(|frame| frame.to_le_bytes()));
        Self::new(ExtendedType::STACK_TRACE32, data)
    }

    /// PROV_TRAITS: the provider's name, and its group if it has one.
    ///
    /// Source: format reference, "PROV_TRAITS data". A name that makes the data longer than 65,535 bytes gets a wrong
    /// length inside, and is refused when the record is encoded.
    #[must_use]
    pub fn provider_traits(name: &str, group: Option<Guid>) -> Self {
        let mut rest = name.as_bytes().to_vec();
        rest.push(0);
        if let Some(group) = group {
            // A trait: its length of 3 + 16, its type 1, its data.
            rest.extend([19, 0, 1]);
            rest.extend(group.to_bytes());
        }
        Self::new(ExtendedType::PROV_TRAITS, self_sized(&rest))
    }

    /// EVENT_SCHEMA_TL: the event's name, and of each field its name and its type bytes: the in-type, and what its bits
    /// say that follows.
    ///
    /// Source: format reference, "EVENT_SCHEMA_TL data". Too long data are refused as for
    /// [`ItemSpec::provider_traits`].
    ///
    /// ```
    /// use etweir::write::ItemSpec;
    ///
    /// let item = ItemSpec::schema_tl("Ping", &[("seq", &[0x08])]);
    /// assert_eq!(item.data, b"\x0d\x00\x00Ping\0seq\0\x08");
    /// ```
    #[must_use]
    pub fn schema_tl(event_name: &str, fields: &[(&str, &[u8])]) -> Self {
        // The extension bytes: one, without a bit that says that another follows.
        let mut rest = alloc::vec![0];
        rest.extend(event_name.bytes());
        rest.push(0);
        for (name, types) in fields {
            rest.extend(name.bytes());
            rest.push(0);
            rest.extend(*types);
        }
        Self::new(ExtendedType::EVENT_SCHEMA_TL, self_sized(&rest))
    }

    /// Head, data and padding. `linked` if another item follows.
    fn to_bytes(&self, linked: bool) -> Result<Vec<u8>, WriteError> {
        const WHAT: &str = "extended item";
        let head_len = size_of::<RawExtendedItem>();
        let len = head_len.saturating_add(self.data.len());
        let rounded = size_field(WHAT, &[align8(len)])?;
        let head = RawExtendedItem {
            size: U16::new(self.size.unwrap_or(rounded)),
            ext_type: U16::new(self.ext_type.0),
            linkage: U16::new(self.linkage.unwrap_or(if linked { LINKAGE } else { 0 })),
            data_size: U16::new(self.data_size.map_or_else(|| size_field(WHAT, &[self.data.len()]), Ok)?),
        };
        let mut bytes = [head.as_bytes(), &self.data].concat();
        bytes.resize(align8(len), 0);
        Ok(bytes)
    }
}

/// A `u16` with the length of all, itself included, and the rest.
fn self_sized(rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len().saturating_add(2)).unwrap_or(u16::MAX);
    [&len.to_le_bytes(), rest].concat()
}

/// The chain of `items`, each linked to the next.
pub(super) fn chain(items: &[ItemSpec]) -> Result<Vec<u8>, WriteError> {
    let mut chain = Vec::new();
    let mut left = items.len();
    for item in items {
        left = left.saturating_sub(1);
        chain.extend(item.to_bytes(left > 0)?);
    }
    Ok(chain)
}
