//! Where the optional items of a MESSAGE record lie.

use crate::bytes::{array_at, i64_at, u16_at, u32_at};
use crate::guid::Guid;
use crate::wire::flags::{
    MESSAGE_COMPONENT_ID, MESSAGE_GUID, MESSAGE_POINTER32, MESSAGE_POINTER64, MESSAGE_SEQUENCE,
    MESSAGE_SYSTEMINFO, MESSAGE_TIMESTAMP,
};

/// A checked MESSAGE record, the WPP form of an event.
///
/// The items stand in a fixed order, each only if its bit in the option flags is set: sequence number, component id or
/// message GUID (the component id wins when both bits are set), time stamp, thread and process. Then the arguments,
/// packed and untyped. Bit 0x0010, an obsolete time stamp, takes no space.
/// Source: format reference, "MESSAGE".
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    option_flags: u16,
}

impl<'a> Message<'a> {
    /// `bytes` is a record that [`items_len`] was checked against.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, option_flags: u16_at(bytes, 6).unwrap_or_default() }
    }

    /// `OptionFlags`, as on disk.
    #[must_use]
    pub const fn option_flags(self) -> u16 {
        self.option_flags
    }

    /// `MessageNumber`: which message of its GUID this is.
    #[must_use]
    pub fn message_number(self) -> u16 {
        u16_at(self.bytes, 4).unwrap_or_default()
    }

    /// The sequence number, per session or global as the session's mode says.
    #[must_use]
    pub fn sequence(self) -> Option<u32> {
        u32_at(self.bytes, self.item(MESSAGE_SEQUENCE)?)
    }

    /// The component id, which stands in place of the message GUID.
    #[must_use]
    pub fn component_id(self) -> Option<u32> {
        u32_at(self.bytes, self.item(MESSAGE_COMPONENT_ID)?)
    }

    /// The GUID that, with the message number, names the message's format.
    #[must_use]
    pub fn message_guid(self) -> Option<Guid> {
        array_at(self.bytes, self.item(MESSAGE_GUID)?).copied().map(Guid::from_bytes)
    }

    /// The time stamp in session ticks.
    #[must_use]
    pub fn time_stamp(self) -> Option<i64> {
        i64_at(self.bytes, self.item(MESSAGE_TIMESTAMP)?)
    }

    /// The thread and process that logged the message, in this order.
    #[must_use]
    pub fn thread_and_process(self) -> Option<(u32, u32)> {
        let at = self.item(MESSAGE_SYSTEMINFO)?;
        Some((u32_at(self.bytes, at)?, u32_at(self.bytes, at.checked_add(4)?)?))
    }

    /// Bytes of a pointer among the arguments, if the record says.
    #[must_use]
    pub const fn pointer_size(self) -> Option<u8> {
        if self.option_flags & MESSAGE_POINTER64 != 0 {
            Some(8)
        } else if self.option_flags & MESSAGE_POINTER32 != 0 {
            Some(4)
        } else {
            None
        }
    }

    /// Where the item of `bit` lies: after all that stand before it.
    fn item(self, bit: u16) -> Option<usize> {
        let present = effective(self.option_flags);
        if present & bit == 0 {
            return None;
        }
        let mut at = HEADER_LEN;
        for (item, len) in ITEMS {
            if item == bit {
                return Some(at);
            }
            if present & item != 0 {
                at = at.saturating_add(len);
            }
        }
        None
    }
}

const HEADER_LEN: usize = 8;

/// The items in their order, with their lengths in bytes.
const ITEMS: [(u16, usize); 5] = [
    (MESSAGE_SEQUENCE, 4),
    (MESSAGE_COMPONENT_ID, 4),
    (MESSAGE_GUID, 16),
    (MESSAGE_TIMESTAMP, 8),
    (MESSAGE_SYSTEMINFO, 8),
];

/// Bytes of the header and its items, which is where the arguments start.
pub(super) fn items_len(option_flags: u16) -> usize {
    let present = effective(option_flags);
    ITEMS
        .iter()
        .filter(|(item, _)| present & item != 0)
        .fold(HEADER_LEN, |sum, (_, len)| sum.saturating_add(*len))
}

/// The option flags without the GUID where a component id replaces it.
const fn effective(option_flags: u16) -> u16 {
    if option_flags & MESSAGE_COMPONENT_ID != 0 { option_flags & !MESSAGE_GUID } else { option_flags }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_stand_in_their_order_and_take_their_lengths() {
        for (flags, len) in [
            (0x00, 8),
            (0x01, 12),
            (0x02, 24),
            (0x04, 12),
            (0x06, 12),
            (0x08, 16),
            (0x10, 8),
            (0x20, 16),
            (0xAA, 40),
            (0x2B, 44),
            (0xFF, 8 + 4 + 4 + 8 + 8),
        ] {
            assert_eq!(items_len(flags), len, "flags {flags:#x}");
        }
    }

    #[test]
    fn each_item_is_read_from_after_those_before_it() {
        #[rustfmt::skip]
        let bytes = [
            44, 0, 0, 0x90, 7, 0, 0x2B, 0, // size, marker, message number, flags
            1, 0, 0, 0, // sequence
            0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, // GUID
            9, 0, 0, 0, 0, 0, 0, 0, // time
            3, 0, 0, 0, 4, 0, 0, 0, // thread, process
        ];
        let message = Message::new(&bytes);
        assert_eq!(message.message_number(), 7);
        assert_eq!(message.sequence(), Some(1));
        assert_eq!(message.component_id(), None);
        assert_eq!(
            message.message_guid(),
            Some(Guid::from_parts(
                0x1111_1111,
                0x2222,
                0x3333,
                [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]
            ))
        );
        assert_eq!(message.time_stamp(), Some(9));
        assert_eq!(message.thread_and_process(), Some((3, 4)));
        assert_eq!(message.pointer_size(), None);
    }

    #[test]
    fn a_component_id_takes_the_place_of_the_guid() {
        let bytes = [12, 0, 0, 0x90, 7, 0, 0x06, 0, 5, 0, 0, 0];
        let message = Message::new(&bytes);
        assert_eq!(message.component_id(), Some(5));
        assert_eq!(message.message_guid(), None);
    }
}
