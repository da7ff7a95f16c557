//! `EVENT_TRACE_HEADER` and the instance headers: classic providers.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{I64, RawGuid, U16, U32, U64};

/// FULL_HEADER32 and FULL_HEADER64 records, 0x30 bytes.
///
/// Source: format reference, "FULL_HEADER"; the public `EVENT_TRACE_HEADER` structure.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawFullHeader {
    /// 0x00 Bytes of header and payload.
    pub(crate) size: U16,
    /// 0x02 0x0A or 0x14; the instance headers 0x0B or 0x15.
    pub(crate) header_type: u8,
    /// 0x03 0xC0.
    pub(crate) marker_flags: u8,
    /// 0x04 `Class.Type`, the opcode.
    pub(crate) class_type: u8,
    /// 0x05 `Class.Level`.
    pub(crate) class_level: u8,
    /// 0x06 `Class.Version`.
    pub(crate) class_version: U16,
    /// 0x08 In Windows 2000 the low half of a 64-bit thread id.
    pub(crate) thread_id: U32,
    /// 0x0C In Windows 2000 the high half of it.
    pub(crate) process_id: U32,
    /// 0x10 Session ticks.
    pub(crate) time_stamp: I64,
    /// 0x18 The class GUID.
    pub(crate) guid: RawGuid,
    /// 0x28 Kernel time in the low, user time in the high half; or the processor time.
    pub(crate) cpu_time: U64,
}

const _: () = assert!(size_of::<RawFullHeader>() == 0x30);

/// INSTANCE32 and INSTANCE64 records of Windows 5.2 and later, 0x48 bytes: `EVENT_INSTANCE_GUID_HEADER`.
///
/// Source: format reference, "INSTANCE".
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawInstanceHeader {
    /// 0x00
    pub(crate) full: RawFullHeader,
    /// 0x30, 0x34, 0x38: data of the `INSTANCE_INFO` item that the consumer shows.
    pub(crate) instance_info: RawInstanceInfo,
}

const _: () = assert!(size_of::<RawInstanceHeader>() == 0x48);

/// `EVENT_EXTENDED_ITEM_INSTANCE`, 24 bytes: the tail of the instance header, and the data of the item.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawInstanceInfo {
    /// 0x00
    pub(crate) instance_id: U32,
    /// 0x04
    pub(crate) parent_instance_id: U32,
    /// 0x08
    pub(crate) parent_guid: RawGuid,
}

/// Instance records of Windows 5.0 and 5.1, 0x38 bytes: `EVENT_INSTANCE_HEADER`, with handles in place of GUIDs.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawOldInstanceHeader {
    /// 0x00 Bytes of header and payload.
    pub(crate) size: U16,
    /// 0x02 0x0B or 0x15.
    pub(crate) header_type: u8,
    /// 0x03 0xC0.
    pub(crate) marker_flags: u8,
    /// 0x04 `Class.Type`, the opcode.
    pub(crate) class_type: u8,
    /// 0x05 `Class.Level`.
    pub(crate) class_level: u8,
    /// 0x06 `Class.Version`.
    pub(crate) class_version: U16,
    /// 0x08
    pub(crate) thread_id: U32,
    /// 0x0C
    pub(crate) process_id: U32,
    /// 0x10 Session ticks.
    pub(crate) time_stamp: I64,
    /// 0x18 The registration, which names the class only while the system runs.
    pub(crate) reg_handle: U64,
    /// 0x20
    pub(crate) instance_id: U32,
    /// 0x24
    pub(crate) parent_instance_id: U32,
    /// 0x28 Kernel time in the low, user time in the high half.
    pub(crate) cpu_time: U64,
    /// 0x30
    pub(crate) parent_reg_handle: U64,
}

const _: () = assert!(size_of::<RawOldInstanceHeader>() == 0x38);
