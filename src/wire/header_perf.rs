//! `PERFINFO_TRACE_HEADER`: the kernel's short records.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{I64, U16};

/// PERFINFO32 and PERFINFO64 records, 0x10 bytes. No thread, no process.
///
/// Source: format reference, "PERFINFO".
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawPerfHeader {
    /// 0x00 Version of the payload in the low byte, extension bits in the high one.
    pub(crate) version: U16,
    /// 0x02 0x10 or 0x11.
    pub(crate) header_type: u8,
    /// 0x03 0xC0.
    pub(crate) marker_flags: u8,
    /// 0x04 Bytes of header, extension and payload.
    pub(crate) size: U16,
    /// 0x06 Event type in the low byte (the opcode), event group in the high one.
    pub(crate) hook_id: U16,
    /// 0x08 Session ticks.
    pub(crate) time_stamp: I64,
}

const _: () = assert!(size_of::<RawPerfHeader>() == 0x10);
