//! MESSAGE records. Format reference, section 2.9.

use etweir::record::RecordKind;
use etweir::trace::EventFlags;
use etweir::{Guid, Ticks};

use crate::{data_buffer, hex, padded, session, view, with_event, with_event_of};

/// As today's systems write it: flags 0x00AA.
pub(crate) const MESSAGE: &str = "
    2B 00                   | 00 Size: 0x28 and 3 of arguments
    00                      | 02 reserved
    90                      | 03
    0B 00                   | 04 MessageNumber
    AA 00                   | 06 OptionFlags: GUID, TIMESTAMP, SYSTEMINFO, POINTER64
    11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55 | 08 message GUID
    88 77 66 55 44 33 22 11 | 18 time stamp
    34 12 00 00             | 20 ThreadId
    78 56 00 00             | 24 ProcessId
    61 62 63                | 28 arguments
";

/// Everything that can be there; the time stamp lies at an odd multiple of 4.
pub(crate) const MESSAGE_ALL: &str = "
    34 00                   | 00 Size: 0x34, no arguments
    00 90                   | 02 reserved, marker
    0C 00                   | 04 MessageNumber
    6B 00                   | 06 OptionFlags: SEQUENCE, GUID, TIMESTAMP, SYSTEMINFO, POINTER32
    05 00 00 00             | 08 sequence number
    11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55 | 0C message GUID
    88 77 66 55 44 33 22 11 | 1C time stamp
    34 12 00 00             | 24 ThreadId
    78 56 00 00             | 28 ProcessId
    00*8                    | 2C arguments
";

/// Both bits: the component id takes the GUID's place.
pub(crate) const MESSAGE_COMPONENT: &str = "
    11 00                   | 00 Size: 8, 8 of items, 1 of arguments
    00 90                   | 02 reserved, marker
    0D 00                   | 04 MessageNumber
    07 00                   | 06 OptionFlags: SEQUENCE, GUID, COMPONENT_ID
    05 00 00 00             | 08 sequence number
    06 00 00 00             | 0C component id
    61                      | 10 arguments
";

/// Nothing but the header.
pub(crate) const MESSAGE_BARE: &str = "
    08 00                   | 00 Size
    00 90                   | 02 reserved, marker
    0E 00                   | 04 MessageNumber
    00 00                   | 06 OptionFlags
";

const MESSAGE_GUID: Guid =
    Guid::from_parts(0x1111_1111, 0x2222, 0x3333, [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);

#[test]
fn a_message_is_read_as_its_option_flags_say() {
    with_event(&padded(hex(MESSAGE)), |event| {
        assert_eq!(event.kind(), RecordKind::Message);
        assert_eq!(event.id(), 11);
        assert_eq!(event.provider_id(), MESSAGE_GUID);
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.process_id(), Some(0x5678));
        assert_eq!(event.user_data(), b"abc");
        assert_eq!(event.pointer_size(), 8);
        assert_eq!(event.opcode(), 0);
        assert_eq!(event.version(), 0);
        assert_eq!(event.cpu_time(), None);
        let message = event.record().message().expect("a message");
        assert_eq!(message.option_flags(), 0x00AA);
        assert_eq!(message.sequence(), None);
        assert_eq!(message.component_id(), None);
    });
}

#[test]
fn every_part_of_a_message_stands_behind_those_before_it() {
    with_event(&padded(hex(MESSAGE_ALL)), |event| {
        let message = event.record().message().expect("a message");
        assert_eq!(message.sequence(), Some(5));
        assert_eq!(message.message_guid(), Some(MESSAGE_GUID));
        assert_eq!(message.time_stamp(), Some(0x1122_3344_5566_7788));
        assert_eq!(message.thread_and_process(), Some((0x1234, 0x5678)));
        assert_eq!(message.pointer_size(), Some(4));
        assert_eq!(event.user_data(), [0; 8]);
    });
}

#[test]
fn a_component_id_wins_over_a_guid() {
    with_event(&padded(hex(MESSAGE_COMPONENT)), |event| {
        let message = event.record().message().expect("a message");
        assert_eq!(message.component_id(), Some(6));
        assert_eq!(message.message_guid(), None);
        assert_eq!(event.provider_id(), Guid::ZERO);
        assert_eq!(event.user_data(), b"a");
    });
}

#[test]
fn a_message_without_parts_has_no_time_and_no_process() {
    with_event(&hex(MESSAGE_BARE), |event| {
        assert_eq!(event.id(), 14);
        assert_eq!(event.time_stamp(), None);
        assert_eq!(event.thread_id(), None);
        assert_eq!(event.process_id(), None);
        assert_eq!(event.pointer_size(), 8, "the session's");
        assert_eq!(event.user_data(), b"");
    });
}

#[test]
fn the_consumer_s_flags_of_a_message_have_a_width_only_if_it_says_so() {
    with_event(&padded(hex(MESSAGE)), |event| assert_eq!(event.flags(), EventFlags(0x0348)));
    with_event(&padded(hex(MESSAGE_ALL)), |event| assert_eq!(event.flags(), EventFlags(0x0328)));
    with_event(&hex(MESSAGE_BARE), |event| assert_eq!(event.flags(), EventFlags(0x0308)));
    with_event_of(&padded(hex(MESSAGE)), session(10, 0, 0x0800), |event| {
        assert_eq!(event.flags(), EventFlags(0x034A));
    });
}

#[test]
fn the_obsolete_time_stamp_flag_takes_no_space() {
    let mut record = hex(MESSAGE);
    record[6] = 0xBA;
    with_event(&padded(record), |event| assert_eq!(event.user_data(), b"abc"));
    let mut bare = hex(MESSAGE_BARE);
    bare[6] = 0x10;
    with_event(&bare, |event| assert_eq!(event.time_stamp(), None));
}

#[test]
fn a_message_has_at_least_the_size_of_its_parts() {
    for (size, good) in [(0x2B, true), (0x28, true), (0x27, false), (0x08, false)] {
        let mut record = hex(MESSAGE);
        record[0] = size;
        let bytes = data_buffer(&padded(record));
        let first = view(&bytes, etweir::buffer::Layout::Modern).records().next().expect("something");
        assert_eq!(first.is_ok(), good, "size {size:#x}");
    }
}

#[cfg(feature = "write")]
mod written {
    use etweir::write::{MessageSpec, Width};

    use super::*;

    #[test]
    fn a_message_is_written_as_it_is_spelled() {
        let spec = MessageSpec {
            message_number: 11,
            guid: Some(MESSAGE_GUID),
            time_stamp: Some(0x1122_3344_5566_7788),
            thread_and_process: Some((0x1234, 0x5678)),
            payload: b"abc".to_vec(),
            ..MessageSpec::default()
        };
        assert_eq!(spec.to_bytes(), Ok(hex(MESSAGE)));
    }

    #[test]
    fn every_part_is_written_as_it_is_spelled() {
        let spec = MessageSpec {
            message_number: 12,
            sequence: Some(5),
            guid: Some(MESSAGE_GUID),
            time_stamp: Some(0x1122_3344_5566_7788),
            thread_and_process: Some((0x1234, 0x5678)),
            width: Some(Width::Bits32),
            payload: vec![0; 8],
            ..MessageSpec::bare()
        };
        assert_eq!(spec.to_bytes(), Ok(hex(MESSAGE_ALL)));
        let component = MessageSpec {
            message_number: 13,
            sequence: Some(5),
            component_id: Some(6),
            guid: Some(MESSAGE_GUID),
            payload: b"a".to_vec(),
            ..MessageSpec::bare()
        };
        assert_eq!(component.to_bytes(), Ok(hex(MESSAGE_COMPONENT)));
        assert_eq!(
            MessageSpec { message_number: 14, ..MessageSpec::bare() }.to_bytes(),
            Ok(hex(MESSAGE_BARE))
        );
    }

    #[test]
    fn further_flags_are_written_and_nothing_for_them() {
        let spec = MessageSpec { message_number: 14, further_flags: 0x0010, ..MessageSpec::bare() };
        assert_eq!(spec.to_bytes(), Ok(hex("08 00 00 90 0E 00 10 00")));
    }
}
