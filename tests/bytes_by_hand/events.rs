//! EVENT_HEADER records and extended items. Format reference, sections 2.8 and 3.

use etweir::record::{ExtendedType, RecordKind};
use etweir::trace::{CpuTime, EventFlags};
use etweir::{Guid, Ticks};

use crate::{hex, padded, session, with_event, with_event_of};

/// All fields different from each other.
pub(crate) const EVENT32: &str = "
    55 00                   | 00 Size: 0x50 and 5 of payload
    12 C0                   | 02 HeaderType
    04 00                   | 04 Flags: STRING_ONLY
    01 00                   | 06 EventProperty: XML
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    88 77 66 55 44 33 22 11 | 10 TimeStamp
    11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55 | 18 ProviderId
    2A 00                   | 28 Id
    01                      | 2A Version
    10                      | 2B Channel
    05                      | 2C Level
    02                      | 2D Opcode
    34 00                   | 2E Task
    07 00 00 00 00 00 00 80 | 30 Keyword
    0A 00 00 00             | 38 KernelTime
    0B 00 00 00             | 3C UserTime
    66 66 66 66 77 77 88 88 99 99 AA AA AA AA AA AA | 40 ActivityId
    01 02 03 04 05          | 50 payload
";

/// The chain of the worked example: a related activity and a stack of two frames; then 3 bytes of payload.
pub(crate) const EVENT64_ITEMS: &str = "
    8B 00                   | 00 Size: 0x50, 0x38 of items, 3 of payload
    13 C0                   | 02 HeaderType
    01 00                   | 04 Flags: EXTENDED_INFO
    00 00                   | 06 EventProperty
    01 00 00 00             | 08 ThreadId
    02 00 00 00             | 0C ProcessId
    03 00 00 00 00 00 00 00 | 10 TimeStamp
    00*16                   | 18 ProviderId
    00 00 00 0B 00 00 00 00 | 28 Id, Version, Channel 11, Level, Opcode, Task
    00 00 00 00 00 00 00 00 | 30 Keyword
    00 00 00 00 00 00 00 00 | 38 KernelTime, UserTime
    00*16                   | 40 ActivityId
    18 00                   | 50 item 1: Size 8 + 16
    01 00                   | 52 ExtType: RELATED_ACTIVITYID
    01 00                   | 54 Linkage: another follows
    10 00                   | 56 DataSize
    AA AA AA AA BB BB CC CC DD DD EE EE EE EE EE EE | 58 GUID
    20 00                   | 68 item 2: Size 8 + 24
    06 00                   | 6A ExtType: STACK_TRACE64
    00 00                   | 6C Linkage: the last
    18 00                   | 6E DataSize
    09 00 00 00 00 00 00 00 | 70 MatchId
    00 10 00 40 01 00 00 00 | 78 frame
    00 20 00 00 00 F8 FF FF | 80 frame
    61 62 63                | 88 payload
";

const ACTIVITY: Guid =
    Guid::from_parts(0x6666_6666, 0x7777, 0x8888, [0x99, 0x99, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA]);
const PROVIDER: Guid =
    Guid::from_parts(0x1111_1111, 0x2222, 0x3333, [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);
const RELATED: Guid =
    Guid::from_parts(0xAAAA_AAAA, 0xBBBB, 0xCCCC, [0xDD, 0xDD, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE]);

/// An event of 64-bit code whose chain is `items`, then `payload`.
fn event_with_items(items: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut record = hex(EVENT64_ITEMS);
    record.truncate(0x50);
    record.extend(items);
    record.extend(payload);
    let size = u16::try_from(record.len()).unwrap();
    record[..2].copy_from_slice(&size.to_le_bytes());
    record
}

#[test]
fn an_event_header_is_read_field_by_field() {
    with_event(&padded(hex(EVENT32)), |event| {
        assert_eq!(event.kind(), RecordKind::Event32);
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.process_id(), Some(0x5678));
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.provider_id(), PROVIDER);
        assert_eq!(event.id(), 42);
        assert_eq!(event.version(), 1);
        assert_eq!(event.channel(), 16);
        assert_eq!(event.level(), 5);
        assert_eq!(event.opcode(), 2);
        assert_eq!(event.task(), 0x34);
        assert_eq!(event.keyword(), 0x8000_0000_0000_0007);
        assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time: 10, user_time: 11 }));
        assert_eq!(event.activity_id(), Some(ACTIVITY));
        assert_eq!(event.event_property(), 1);
        assert_eq!(event.user_data(), [1, 2, 3, 4, 5]);
        assert_eq!(event.processor_index(), 3);
        assert_eq!(event.logger_id(), 0x28);
        assert_eq!(event.pointer_size(), 4);
        assert_eq!(event.hook_id(), None);
        assert_eq!(event.related_activity_id(), None);
    });
}

#[test]
fn the_consumer_s_flags_of_an_event_keep_those_on_disk_and_add_width_and_processor_index() {
    with_event(&padded(hex(EVENT32)), |event| assert_eq!(event.flags(), EventFlags(0x0224)));
    with_event(&padded(hex(EVENT64_ITEMS)), |event| assert_eq!(event.flags(), EventFlags(0x0241)));
}

#[test]
fn an_event_of_a_private_session_has_its_flag_and_a_processor_time() {
    with_event_of(&padded(hex(EVENT32)), session(10, 0, 0x0000_0800), |event| {
        assert_eq!(event.flags(), EventFlags(0x0226));
        assert_eq!(event.cpu_time(), Some(CpuTime::Processor { processor_time: 0x0000_000B_0000_000A }));
    });
}

#[test]
fn the_flag_for_items_is_shown_only_where_an_item_is_delivered() {
    // EXTENDED_INFO is set on disk, but the only item is cut off.
    let record = event_with_items(&hex("18 00 01 00 00 00 10 00 | and no data"), &[]);
    let bytes = crate::data_buffer(&record);
    let view = crate::view(&bytes, etweir::buffer::Layout::Modern);
    let buffer = etweir::trace::TraceBuffer::new(view, etweir::trace::SessionInfo::unknown());
    let event = buffer.events().next().unwrap().unwrap();
    assert_eq!(event.flags(), EventFlags(0x0240));
}

#[test]
fn a_chain_of_items_is_followed_by_its_links() {
    with_event(&padded(hex(EVENT64_ITEMS)), |event| {
        assert_eq!(event.related_activity_id(), Some(RELATED));
        let items: Vec<_> = event.extended_data().collect();
        assert_eq!(
            items.iter().map(|item| item.ext_type()).collect::<Vec<_>>(),
            [ExtendedType::RELATED_ACTIVITYID, ExtendedType::STACK_TRACE64]
        );
        let stack = items[1].stack().expect("a stack");
        assert_eq!(stack.match_id(), 9);
        assert_eq!(stack.frames().collect::<Vec<_>>(), [0x0000_0001_4000_1000, 0xFFFF_F800_0000_2000]);
        assert_eq!(event.user_data(), b"abc");
    });
}

#[test]
fn an_item_s_data_may_end_with_the_record_and_not_one_byte_behind() {
    // DataSize 9 rounds to 0x18; the record ends after the data.
    let whole = hex("18 00 0A 00 00 00 09 00 01 02 03 04 05 06 07 08 09");
    with_event(&padded(event_with_items(&whole, &[])), |event| {
        assert_eq!(event.extended_data().next().expect("an item").data(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(event.user_data(), b"");
    });
    let cut = &whole[..whole.len() - 1];
    let bytes = crate::data_buffer(&padded(event_with_items(cut, &[])));
    let view = crate::view(&bytes, etweir::buffer::Layout::Modern);
    let record = crate::first_record(&view);
    assert!(record.damage().is_some());
    assert_eq!(record.extended_data().count(), 0);
    assert_eq!(record.payload(), b"");
}

#[test]
fn the_data_s_length_is_believed_where_the_stored_size_contradicts_it() {
    for size in ["00 00", "0C 00", "10 00", "11 00"] {
        // Size; EVENT_KEY; the last; DataSize 8; data. 0x10 is right, the others are too small or odd.
        let item = hex(&format!("{size} 0A 00 00 00 08 00 01 00 00 00 00 00 00 00"));
        with_event(&padded(event_with_items(&item, b"payload")), |event| {
            assert_eq!(event.extended_data().next().expect("an item").number(), Some(1), "size {size}");
            assert_eq!(event.user_data(), b"payload", "size {size}");
        });
    }
    // A larger multiple of 8 is believed.
    let item = hex("18 00 0A 00 00 00 08 00 01 00 00 00 00 00 00 00 EE*8");
    with_event(&padded(event_with_items(&item, b"payload")), |event| {
        assert_eq!(event.user_data(), b"payload");
    });
}

#[test]
fn only_the_lowest_bit_of_the_linkage_links() {
    let chain = hex("
        10 00 0A 00 FE FF 08 00 | Linkage 0xFFFE: the last
        01 00 00 00 00 00 00 00 | data
    ");
    with_event(&padded(event_with_items(&chain, b"p")), |event| {
        assert_eq!(event.extended_data().count(), 1);
        assert_eq!(event.user_data(), b"p");
    });
}

#[test]
fn every_type_of_item_gives_what_it_holds() {
    let chain = hex("
        10 00 03 00 01 00 04 00  07 00 00 00 00 00 00 00 | TS_ID: session 7
        18 00 02 00 01 00 0C 00  01 01 00 00 00 00 00 05 12 00 00 00 EE*4 | SID: S-1-5-18
        20 00 04 00 01 00 18 00  01 00 00 00 02 00 00 00 03 00 00 00 00*12 | INSTANCE_INFO
        18 00 05 00 01 00 10 00  00 00 00 00 00 00 00 00 11 11 11 11 22 22 22 22 | STACK_TRACE32
        10 00 0D 00 01 00 08 00  08 07 06 05 04 03 02 01 | PROCESS_START_KEY
        18 00 0E 00 00 00 10 00  AA AA AA AA BB BB CC CC DD DD EE EE EE EE EE EE | CONTROL_GUID
    ");
    with_event(&event_with_items(&chain, &[]), |event| {
        let items: Vec<_> = event.extended_data().collect();
        assert_eq!(items.len(), 6);
        assert_eq!(items[0].number(), Some(7));
        assert_eq!(items[1].sid().expect("a SID").to_string(), "S-1-5-18");
        assert_eq!(
            items[2].instance_info(),
            Some((1, 2, Guid::from_parts(3, 0, 0, [0; 8]))),
            "instance, parent, the parent's class"
        );
        assert_eq!(
            items[3].stack().expect("a stack").frames().collect::<Vec<_>>(),
            [0x1111_1111, 0x2222_2222]
        );
        assert_eq!(items[4].number(), Some(0x0102_0304_0506_0708));
        assert_eq!(items[5].guid(), Some(RELATED));
        // DECODE_GUID comes with a CONTROL_GUID.
        assert_eq!(event.flags(), EventFlags(0x02C1));
    });
}

#[test]
fn a_record_without_the_flag_has_no_items_whatever_its_payload_looks_like() {
    let mut record = hex(EVENT64_ITEMS);
    record[4] = 0;
    with_event(&padded(record), |event| {
        assert_eq!(event.extended_data().count(), 0);
        assert_eq!(event.user_data().len(), 0x3B);
        assert_eq!(event.flags(), EventFlags(0x0240));
    });
}

#[cfg(feature = "write")]
mod written {
    use etweir::write::{EventSpec, ItemSpec, Width};

    use super::*;

    #[test]
    fn an_event_is_written_as_it_is_spelled() {
        let spec = EventSpec {
            width: Width::Bits32,
            flags: 4,
            event_property: 1,
            thread_id: 0x1234,
            process_id: 0x5678,
            time_stamp: 0x1122_3344_5566_7788,
            provider_id: PROVIDER,
            id: 42,
            version: 1,
            channel: 16,
            level: 5,
            opcode: 2,
            task: 0x34,
            keyword: 0x8000_0000_0000_0007,
            kernel_time: 10,
            user_time: 11,
            activity_id: ACTIVITY,
            items: Vec::new(),
            payload: vec![1, 2, 3, 4, 5],
        };
        assert_eq!(spec.to_bytes(), Ok(hex(EVENT32)));
    }

    #[test]
    fn items_are_written_as_they_are_spelled() {
        let spec = EventSpec {
            thread_id: 1,
            process_id: 2,
            time_stamp: 3,
            channel: 11,
            items: vec![
                ItemSpec::related_activity_id(RELATED),
                ItemSpec::stack64(9, &[0x0000_0001_4000_1000, 0xFFFF_F800_0000_2000]),
            ],
            payload: b"abc".to_vec(),
            ..EventSpec::default()
        };
        assert_eq!(spec.to_bytes(), Ok(hex(EVENT64_ITEMS)));
    }

    #[test]
    fn the_data_of_an_item_are_padded_and_their_exact_length_is_kept() {
        let spec = EventSpec {
            items: vec![
                ItemSpec::new(ExtendedType::SID, hex("01 01 00 00 00 00 00 05 12 00 00 00")),
                ItemSpec::provider_traits("My", Some(RELATED)),
                ItemSpec::schema_tl("E", &[("a", &[0x98, 2]), ("b", &[1])]),
            ],
            ..EventSpec::default()
        };
        let bytes = spec.to_bytes().expect("short enough");
        let chain = hex("
            18 00 02 00 01 00 0C 00 | Size 0x18, SID, linked, DataSize 0x0C
            01 01 00 00 00 00 00 05 12 00 00 00 00*4 | data, padding
            20 00 0C 00 01 00 18 00 | Size 0x20, PROV_TRAITS, linked, DataSize 0x18
            18 00 4D 79 00          | the data's length, 'My'
            13 00 01                | a trait of 0x13 bytes: the group
            AA AA AA AA BB BB CC CC DD DD EE EE EE EE EE EE | which it is
            18 00 0B 00 00 00 0C 00 | Size 0x18, EVENT_SCHEMA_TL, the last, DataSize 0x0C
            0C 00 00                | the data's length, no extension
            45 00                   | 'E'
            61 00 98 02             | 'a', a struct of 2 fields
            62 00 01                | 'b', a UTF-16 string
            00*4                    | padding
        ");
        assert_eq!(bytes[0x50..], chain);
        assert_eq!(bytes[..2], [0xA0, 0x00], "0x50 of header, 0x50 of items");
    }
}
