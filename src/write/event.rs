//! `EVENT_HEADER` records.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::guid::Guid;
use crate::wire::flags::EVENT_FLAG_EXTENDED_INFO;
use crate::wire::header_event::RawEventHeader;
use crate::wire::{I64, U16, U32, U64};
use crate::write::error::{WriteError, size_field};
use crate::write::item::{ItemSpec, chain};
use crate::write::record::{Width, cpu_time};

/// An EVENT_HEADER32 or EVENT_HEADER64 record: manifest, TraceLogging and EventSource providers.
///
/// The default is an event of 64-bit code with zeros in all fields, without items and payload.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[allow(
    missing_docs,
    reason = "the fields are those of EVENT_HEADER and EVENT_DESCRIPTOR; the others say what they are"
)]
pub struct EventSpec {
    pub width: Width,
    /// `Flags` as on disk. EXTENDED_INFO is added where there are items.
    pub flags: u16,
    pub event_property: u16,
    pub thread_id: u32,
    pub process_id: u32,
    /// Session ticks.
    pub time_stamp: i64,
    pub provider_id: Guid,
    pub id: u16,
    pub version: u8,
    /// 11 for TraceLogging.
    pub channel: u8,
    pub level: u8,
    pub opcode: u8,
    pub task: u16,
    pub keyword: u64,
    /// In private sessions the low half of the processor time.
    pub kernel_time: u32,
    /// In private sessions the high half of the processor time.
    pub user_time: u32,
    /// Zero for none.
    pub activity_id: Guid,
    /// Extended data items.
    pub items: Vec<ItemSpec>,
    /// `UserData`.
    pub payload: Vec<u8>,
}

impl EventSpec {
    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if the record or an item is longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let chain = chain(&self.items)?;
        let header_type = match self.width {
            Width::Bits32 => 0xC012,
            Width::Bits64 => 0xC013,
        };
        let with_items = if self.items.is_empty() { 0 } else { EVENT_FLAG_EXTENDED_INFO };
        let header_len = size_of::<RawEventHeader>();
        let header = RawEventHeader {
            size: U16::new(size_field(
                "EVENT_HEADER record",
                &[header_len, chain.len(), self.payload.len()],
            )?),
            header_type: U16::new(header_type),
            flags: U16::new(self.flags | with_items),
            event_property: U16::new(self.event_property),
            thread_id: U32::new(self.thread_id),
            process_id: U32::new(self.process_id),
            time_stamp: I64::new(self.time_stamp),
            provider_id: self.provider_id.to_bytes(),
            id: U16::new(self.id),
            version: self.version,
            channel: self.channel,
            level: self.level,
            opcode: self.opcode,
            task: U16::new(self.task),
            keyword: U64::new(self.keyword),
            cpu_time: cpu_time(self.kernel_time, self.user_time),
            activity_id: self.activity_id.to_bytes(),
        };
        Ok([header.as_bytes(), &chain, &self.payload].concat())
    }
}
