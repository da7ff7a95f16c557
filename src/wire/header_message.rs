//! `MESSAGE_TRACE_HEADER`: WPP software tracing.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::U16;

/// The fixed start of MESSAGE records, 8 bytes; optional items follow as `option_flags` says.
///
/// Source: format reference, "MESSAGE".
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawMessageHeader {
    /// 0x00 Bytes of header, items and arguments.
    pub(crate) size: U16,
    /// 0x02 0.
    pub(crate) reserved: u8,
    /// 0x03 0x90.
    pub(crate) marker_flags: u8,
    /// 0x04
    pub(crate) message_number: U16,
    /// 0x06 Which items follow, and the pointer width of the arguments.
    pub(crate) option_flags: U16,
}

const _: () = assert!(size_of::<RawMessageHeader>() == 8);
