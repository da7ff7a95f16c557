//! `SYSTEM_TRACE_HEADER`: the kernel's own records with thread and process.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{I64, U16, U32};

/// COMPACT32 and COMPACT64 records, 0x18 bytes, and the start of SYSTEM records.
///
/// Source: format reference, "SYSTEM and COMPACT".
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawCompactHeader {
    /// 0x00 Version of the payload in the low byte, extension bits in the high one.
    pub(crate) version: U16,
    /// 0x02 1 to 4.
    pub(crate) header_type: u8,
    /// 0x03 0xC0.
    pub(crate) marker_flags: u8,
    /// 0x04 Bytes of header and payload.
    pub(crate) size: U16,
    /// 0x06 Event type in the low byte (the opcode), event group in the high one.
    pub(crate) hook_id: U16,
    /// 0x08
    pub(crate) thread_id: U32,
    /// 0x0C
    pub(crate) process_id: U32,
    /// 0x10 `SystemTime`: session ticks, whatever the name says.
    pub(crate) system_time: I64,
}

const _: () = assert!(size_of::<RawCompactHeader>() == 0x18);

/// SYSTEM32 and SYSTEM64 records, 0x20 bytes.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawSystemHeader {
    /// 0x00
    pub(crate) compact: RawCompactHeader,
    /// 0x18 In units of the timer resolution.
    pub(crate) kernel_time: U32,
    /// 0x1C In units of the timer resolution.
    pub(crate) user_time: U32,
}

const _: () = assert!(size_of::<RawSystemHeader>() == 0x20);
