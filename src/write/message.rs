//! MESSAGE records: WPP software tracing.

use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::guid::Guid;
use crate::wire::U16;
use crate::wire::flags::{
    MESSAGE_COMPONENT_ID, MESSAGE_GUID, MESSAGE_POINTER32, MESSAGE_POINTER64, MESSAGE_SEQUENCE,
    MESSAGE_SYSTEMINFO, MESSAGE_TIMESTAMP,
};
use crate::wire::header_message::RawMessageHeader;
use crate::write::error::{WriteError, size_field};
use crate::write::record::Width;

/// A MESSAGE record. Each part that is there sets its bit of the option flags and stands in its place.
///
/// The default has the parts that real records have: a GUID, a time stamp, thread and process, and a width of 64 bits,
/// together option flags of 0x00AA; all zeros, without arguments.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MessageSpec {
    /// `MessageNumber`
    pub message_number: u16,
    /// SEQUENCE.
    pub sequence: Option<u32>,
    /// COMPONENT_ID. Where it is given, the GUID only sets its bit.
    pub component_id: Option<u32>,
    /// GUID: the message GUID.
    pub guid: Option<Guid>,
    /// TIMESTAMP, in session ticks.
    pub time_stamp: Option<i64>,
    /// SYSTEMINFO: thread and process, in this order.
    pub thread_and_process: Option<(u32, u32)>,
    /// POINTER32 or POINTER64: bits of a pointer among the arguments.
    pub width: Option<Width>,
    /// Further bits of the option flags, such as 0x0010. Nothing is written for them.
    pub further_flags: u16,
    /// The arguments.
    pub payload: Vec<u8>,
}

impl Default for MessageSpec {
    fn default() -> Self {
        Self {
            message_number: 0,
            sequence: None,
            component_id: None,
            guid: Some(Guid::ZERO),
            time_stamp: Some(0),
            thread_and_process: Some((0, 0)),
            width: Some(Width::Bits64),
            further_flags: 0,
            payload: Vec::new(),
        }
    }
}

impl MessageSpec {
    /// A message without any optional part.
    #[must_use]
    pub const fn bare() -> Self {
        Self {
            message_number: 0,
            sequence: None,
            component_id: None,
            guid: None,
            time_stamp: None,
            thread_and_process: None,
            width: None,
            further_flags: 0,
            payload: Vec::new(),
        }
    }

    /// The option flags of the parts that are there.
    #[must_use]
    pub fn option_flags(&self) -> u16 {
        let bit = |present, bit| if present { bit } else { 0 };
        let width = match self.width {
            Some(Width::Bits32) => MESSAGE_POINTER32,
            Some(Width::Bits64) => MESSAGE_POINTER64,
            None => 0,
        };
        bit(self.sequence.is_some(), MESSAGE_SEQUENCE)
            | bit(self.component_id.is_some(), MESSAGE_COMPONENT_ID)
            | bit(self.guid.is_some(), MESSAGE_GUID)
            | bit(self.time_stamp.is_some(), MESSAGE_TIMESTAMP)
            | bit(self.thread_and_process.is_some(), MESSAGE_SYSTEMINFO)
            | width
            | self.further_flags
    }

    /// The record without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if it is longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        let mut items = Vec::new();
        items.extend(self.sequence.iter().flat_map(|sequence| sequence.to_le_bytes()));
        match (self.component_id, self.guid) {
            (Some(component_id), _) => items.extend(component_id.to_le_bytes()),
            (None, Some(guid)) => items.extend(guid.to_bytes()),
            (None, None) => {}
        }
        items.extend(self.time_stamp.iter().flat_map(|time_stamp| time_stamp.to_le_bytes()));
        if let Some((thread_id, process_id)) = self.thread_and_process {
            items.extend(thread_id.to_le_bytes());
            items.extend(process_id.to_le_bytes());
        }
        let lens = [size_of::<RawMessageHeader>(), items.len(), self.payload.len()];
        let header = RawMessageHeader {
            size: U16::new(size_field("MESSAGE record", &lens)?),
            reserved: 0,
            marker_flags: 0x90,
            message_number: U16::new(self.message_number),
            option_flags: U16::new(self.option_flags()),
        };
        Ok([header.as_bytes(), &items, &self.payload].concat())
    }
}
