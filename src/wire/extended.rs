//! Extended data items as they lie between an `EVENT_HEADER` and its payload.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::U16;

/// The head of an item, 8 bytes; its data follow.
///
/// Source: format reference, "Extended data items".
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawExtendedItem {
    /// 0x00 Head and data, rounded up to 8.
    pub(crate) size: U16,
    /// 0x02 `EVENT_HEADER_EXT_TYPE_*`.
    pub(crate) ext_type: U16,
    /// 0x04 Bit 0: another item follows.
    pub(crate) linkage: U16,
    /// 0x06 Bytes of data.
    pub(crate) data_size: U16,
}

const _: () = assert!(size_of::<RawExtendedItem>() == 8);

/// Bit 0 of `linkage`.
pub(crate) const LINKAGE: u16 = 1;
