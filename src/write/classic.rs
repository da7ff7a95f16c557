//! Classic records: FULL_HEADER and INSTANCE.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::guid::Guid;
use crate::wire::header_full::{RawFullHeader, RawInstanceHeader, RawInstanceInfo, RawOldInstanceHeader};
use crate::wire::{I64, U16, U32, U64};
use crate::write::error::{WriteError, size_field};
use crate::write::record::{MARKER_FLAGS, Width, cpu_time};

/// A FULL_HEADER32 or FULL_HEADER64 record: `TraceEvent` providers.
///
/// The default is a record of 64-bit code with zeros in all fields, without payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of EVENT_TRACE_HEADER; the others say what they are")]
pub struct FullSpec {
    pub width: Width,
    /// `Class.Type`
    pub opcode: u8,
    /// `Class.Level`
    pub level: u8,
    /// `Class.Version`
    pub version: u16,
    /// In Windows 2000 the low half of a 64-bit thread id.
    pub thread_id: u32,
    /// In Windows 2000 the high half of the thread id.
    pub process_id: u32,
    /// Session ticks.
    pub time_stamp: i64,
    /// The class.
    pub guid: Guid,
    /// In private sessions the low half of the processor time.
    pub kernel_time: u32,
    /// In private sessions the high half of the processor time.
    pub user_time: u32,
    pub payload: Vec<u8>,
}

impl FullSpec {
    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if it is longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let header_type = match self.width {
            Width::Bits32 => 0x0A,
            Width::Bits64 => 0x14,
        };
        let size = size_field("FULL_HEADER record", &[size_of::<RawFullHeader>(), self.payload.len()])?;
        Ok([self.header(header_type, size).as_bytes(), &self.payload].concat())
    }

    fn header(&self, header_type: u8, size: u16) -> RawFullHeader {
        RawFullHeader {
            size: U16::new(size),
            header_type,
            marker_flags: MARKER_FLAGS,
            class_type: self.opcode,
            class_level: self.level,
            class_version: U16::new(self.version),
            thread_id: U32::new(self.thread_id),
            process_id: U32::new(self.process_id),
            time_stamp: I64::new(self.time_stamp),
            guid: self.guid.to_bytes(),
            cpu_time: cpu_time(self.kernel_time, self.user_time),
        }
    }
}

/// An INSTANCE32 or INSTANCE64 record: `TraceEventInstance` providers. The long header of Windows 5.2 and later, or the
/// short one of 5.0 and 5.1 where [`InstanceSpec::old`] is given.
///
/// The default is a record of 64-bit code with zeros in all fields, without payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of EVENT_INSTANCE_GUID_HEADER")]
pub struct InstanceSpec {
    /// What the header shares with a FULL_HEADER record; and the payload. An old header has no place for the class.
    pub full: FullSpec,
    pub instance_id: u32,
    pub parent_instance_id: u32,
    /// The parent's class. An old header has no place for it.
    pub parent_guid: Guid,
    /// The header of Windows 5.0 and 5.1 is written, with these handles in place of the classes.
    pub old: Option<OldInstance>,
}

/// What only the instance header of Windows 5.0 and 5.1 has, `EVENT_INSTANCE_HEADER`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of EVENT_INSTANCE_HEADER")]
pub struct OldInstance {
    pub reg_handle: u64,
    pub parent_reg_handle: u64,
}

impl InstanceSpec {
    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if it is longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        const WHAT: &str = "INSTANCE record";
        let Self { full, instance_id, parent_instance_id, .. } = self;
        let payload = &full.payload;
        let header_type = match full.width {
            Width::Bits32 => 0x0B,
            Width::Bits64 => 0x15,
        };
        match self.old {
            None => {
                let size = size_field(WHAT, &[size_of::<RawInstanceHeader>(), payload.len()])?;
                let header = RawInstanceHeader {
                    full: full.header(header_type, size),
                    instance_info: RawInstanceInfo {
                        instance_id: U32::new(*instance_id),
                        parent_instance_id: U32::new(*parent_instance_id),
                        parent_guid: self.parent_guid.to_bytes(),
                    },
                };
                Ok([header.as_bytes(), payload].concat())
            }
            Some(old) => {
                let header = RawOldInstanceHeader {
                    size: U16::new(size_field(WHAT, &[size_of::<RawOldInstanceHeader>(), payload.len()])?),
                    header_type,
                    marker_flags: MARKER_FLAGS,
                    class_type: full.opcode,
                    class_level: full.level,
                    class_version: U16::new(full.version),
                    thread_id: U32::new(full.thread_id),
                    process_id: U32::new(full.process_id),
                    time_stamp: I64::new(full.time_stamp),
                    reg_handle: U64::new(old.reg_handle),
                    instance_id: U32::new(*instance_id),
                    parent_instance_id: U32::new(*parent_instance_id),
                    cpu_time: cpu_time(full.kernel_time, full.user_time),
                    parent_reg_handle: U64::new(old.parent_reg_handle),
                };
                Ok([header.as_bytes(), payload].concat())
            }
        }
    }
}
