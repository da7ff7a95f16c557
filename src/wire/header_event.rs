//! `EVENT_HEADER`: manifest, TraceLogging and EventSource providers.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{I64, RawGuid, U16, U32, U64};

/// EVENT_HEADER32 and EVENT_HEADER64 records, 0x50 bytes.
///
/// Source: format reference, "EVENT_HEADER"; the public `EVENT_HEADER` structure.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawEventHeader {
    /// 0x00 Bytes of header, extended items and payload, without padding.
    pub(crate) size: U16,
    /// 0x02 0xC012 or 0xC013.
    pub(crate) header_type: U16,
    /// 0x04 `EVENT_HEADER_FLAG_*`; on disk only EXTENDED_INFO and STRING_ONLY.
    pub(crate) flags: U16,
    /// 0x06 `EVENT_HEADER_PROPERTY_*`.
    pub(crate) event_property: U16,
    /// 0x08
    pub(crate) thread_id: U32,
    /// 0x0C
    pub(crate) process_id: U32,
    /// 0x10 Session ticks.
    pub(crate) time_stamp: I64,
    /// 0x18
    pub(crate) provider_id: RawGuid,
    /// 0x28 `EVENT_DESCRIPTOR` starts here.
    pub(crate) id: U16,
    /// 0x2A
    pub(crate) version: u8,
    /// 0x2B 11 for TraceLogging.
    pub(crate) channel: u8,
    /// 0x2C
    pub(crate) level: u8,
    /// 0x2D
    pub(crate) opcode: u8,
    /// 0x2E
    pub(crate) task: U16,
    /// 0x30
    pub(crate) keyword: U64,
    /// 0x38 Kernel time in the low, user time in the high half; or the processor time.
    pub(crate) cpu_time: U64,
    /// 0x40 Zero if none.
    pub(crate) activity_id: RawGuid,
}

const _: () = assert!(size_of::<RawEventHeader>() == 0x50);
