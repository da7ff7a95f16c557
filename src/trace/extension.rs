//! What the records beside the log-file header tell of the trace.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::bytes::{array_at, i64_at, u32_at};
use crate::guid::Guid;
use crate::record::{Header, Record};
use crate::time::Ticks;

/// `ETW_TRACE_PARTITION_INFORMATION`: the container or virtual machine that a trace was taken in; all zero on a host.
///
/// The payload of hook 0x0050. Source: format reference, "The header buffer".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PartitionInformation {
    /// `PartitionId`
    pub partition_id: Guid,
    /// `ParentId`
    pub parent_id: Guid,
    /// `PartitionType`; 0 on a host.
    pub partition_type: u32,
    /// `QpcOffsetFromRoot`: how far the partition's performance counter is off the root's, in ticks.
    pub qpc_offset_from_root: i64,
}

impl PartitionInformation {
    /// The hook of the records that hold it.
    const HOOK_ID: u16 = 0x0050;

    /// What a record tells, if it is of this kind and whole.
    #[must_use]
    pub fn parse(record: &Record<'_>) -> Option<Self> {
        if hook_id(record)? != Self::HOOK_ID {
            return None;
        }
        let payload = record.payload();
        Some(Self {
            partition_type: u32_at(payload, 4)?,
            qpc_offset_from_root: i64_at(payload, 8)?,
            partition_id: array_at(payload, 16).copied().map(Guid::from_bytes)?,
            parent_id: array_at(payload, 32).copied().map(Guid::from_bytes)?,
        })
    }

    /// The same with ids as text, as [`Guid`]s print.
    #[must_use]
    pub fn to_v2(&self) -> PartitionInformationV2 {
        PartitionInformationV2 {
            qpc_offset_from_root: self.qpc_offset_from_root,
            partition_type: self.partition_type,
            partition_id: self.partition_id.to_string(),
            parent_id: self.parent_id.to_string(),
        }
    }
}

/// `ETW_TRACE_PARTITION_INFORMATION_V2`: [`PartitionInformation`] with ids as text.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct PartitionInformationV2 {
    /// `QpcOffsetFromRoot`: how far the partition's performance counter is off the root's, in ticks.
    pub qpc_offset_from_root: i64,
    /// `PartitionType`; 0 on a host.
    pub partition_type: u32,
    /// `PartitionId`
    pub partition_id: String,
    /// `ParentId`
    pub parent_id: String,
}

/// When the last event of each processor was lost, in ticks; 0 where none was: hook 0x0052, version 2. `None` for other
/// records and for one that is cut short.
///
/// Source: format reference, "The header buffer".
#[must_use]
pub fn last_dropped_times(record: &Record<'_>) -> Option<Vec<Ticks>> {
    const HOOK_ID: u16 = 0x0052;
    if hook_id(record)? != HOOK_ID {
        return None;
    }
    let payload = record.payload();
    let count = usize::try_from(u32_at(payload, 0)?).ok()?;
    // The array follows after four bytes of padding. Its length is checked before anything is made of it.
    let times = payload.get(8..)?.get(..count.checked_mul(8)?)?;
    Some(times.chunks_exact(8).filter_map(|time| i64_at(time, 0)).map(Ticks).collect())
}

fn hook_id(record: &Record<'_>) -> Option<u16> {
    match record.header() {
        Header::System(header) => Some(header.compact.hook_id.get()),
        Header::Compact(header) => Some(header.hook_id.get()),
        Header::Perf(header) => Some(header.hook_id.get()),
        _ => None,
    }
}
