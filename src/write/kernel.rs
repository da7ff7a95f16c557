//! The kernel's own records: SYSTEM, COMPACT, PERFINFO.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::wire::flags::VERSION_PEBS_INDEX;
use crate::wire::header_perf::RawPerfHeader;
use crate::wire::header_system::{RawCompactHeader, RawSystemHeader};
use crate::wire::{I64, U16, U32};
use crate::write::error::{WriteError, number, size_field};
use crate::write::record::{MARKER_FLAGS, Width};

/// A SYSTEM32 or SYSTEM64 record, or a COMPACT one: kernel events with a thread and a process.
///
/// The default is a SYSTEM64 record with zeros in all fields, without payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of SYSTEM_TRACE_HEADER; the others say what they are")]
pub struct SystemSpec {
    pub width: Width,
    /// COMPACT: the record has no kernel and user time.
    pub compact: bool,
    /// Version of the payload.
    pub version: u8,
    /// Event group in the high byte, event type in the low one.
    pub hook_id: u16,
    pub thread_id: u32,
    pub process_id: u32,
    /// `SystemTime`, in session ticks.
    pub time_stamp: i64,
    pub kernel_time: u32,
    pub user_time: u32,
    /// Stands before the payload, and sets its extension bit in the version.
    pub pebs_index: Option<u64>,
    /// Stand before the payload, and set their extension bits in the version. At most 7.
    pub pmc_counters: Vec<u64>,
    pub payload: Vec<u8>,
}

impl SystemSpec {
    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if it is longer than 65,535 bytes, [`WriteError::OutOfRange`] for more than 7 counters.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let extension = Extension::new(self.version, self.pebs_index, &self.pmc_counters)?;
        let header_len =
            if self.compact { size_of::<RawCompactHeader>() } else { size_of::<RawSystemHeader>() };
        let header = RawSystemHeader {
            compact: RawCompactHeader {
                version: U16::new(extension.version),
                header_type: match (self.compact, self.width) {
                    (false, Width::Bits32) => 1,
                    (false, Width::Bits64) => 2,
                    (true, Width::Bits32) => 3,
                    (true, Width::Bits64) => 4,
                },
                marker_flags: MARKER_FLAGS,
                size: U16::new(size_field(
                    if self.compact { "COMPACT record" } else { "SYSTEM record" },
                    &[header_len, extension.bytes.len(), self.payload.len()],
                )?),
                hook_id: U16::new(self.hook_id),
                thread_id: U32::new(self.thread_id),
                process_id: U32::new(self.process_id),
                system_time: I64::new(self.time_stamp),
            },
            kernel_time: U32::new(self.kernel_time),
            user_time: U32::new(self.user_time),
        };
        let header = if self.compact { header.compact.as_bytes() } else { header.as_bytes() };
        Ok([header, &extension.bytes, &self.payload].concat())
    }
}

/// A PERFINFO32 or PERFINFO64 record: kernel events without thread and process.
///
/// The default is a PERFINFO64 record with zeros in all fields, without payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of PERFINFO_TRACE_HEADER; the others say what they are")]
pub struct PerfSpec {
    pub width: Width,
    /// Version of the payload.
    pub version: u8,
    /// Event group in the high byte, event type in the low one.
    pub hook_id: u16,
    /// Session ticks.
    pub time_stamp: i64,
    /// Stands before the payload, and sets its extension bit in the version.
    pub pebs_index: Option<u64>,
    /// Stand before the payload, and set their extension bits in the version. At most 7.
    pub pmc_counters: Vec<u64>,
    pub payload: Vec<u8>,
}

impl PerfSpec {
    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if it is longer than 65,535 bytes, [`WriteError::OutOfRange`] for more than 7 counters.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let extension = Extension::new(self.version, self.pebs_index, &self.pmc_counters)?;
        let lens = [size_of::<RawPerfHeader>(), extension.bytes.len(), self.payload.len()];
        let header = RawPerfHeader {
            version: U16::new(extension.version),
            header_type: match self.width {
                Width::Bits32 => 0x10,
                Width::Bits64 => 0x11,
            },
            marker_flags: MARKER_FLAGS,
            size: U16::new(size_field("PERFINFO record", &lens)?),
            hook_id: U16::new(self.hook_id),
            time_stamp: I64::new(self.time_stamp),
        };
        Ok([header.as_bytes(), &extension.bytes, &self.payload].concat())
    }
}

/// The version with its extension bits, and what they announce.
struct Extension {
    version: u16,
    bytes: Vec<u8>,
}

impl Extension {
    fn new(version: u8, pebs_index: Option<u64>, pmc_counters: &[u64]) -> Result<Self, WriteError> {
        let counters = match u8::try_from(pmc_counters.len()) {
            Ok(count) if count <= MAX_COUNTERS => count,
            _ => {
                return Err(WriteError::OutOfRange {
                    what: "a kernel record",
                    field: "number of counters",
                    value: number(pmc_counters.len()),
                    max: MAX_COUNTERS.into(),
                });
            }
        };
        let pebs_bit = if pebs_index.is_some() { VERSION_PEBS_INDEX } else { 0 };
        let values = pebs_index.into_iter().chain(pmc_counters.iter().copied());
        Ok(Self {
            version: u16::from_le_bytes([version, counters]) | pebs_bit,
            bytes: values.flat_map(u64::to_le_bytes).collect(),
        })
    }
}

/// The number of counters has 3 bits, 0x0700 of the version.
const MAX_COUNTERS: u8 = 7;
