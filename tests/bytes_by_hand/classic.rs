//! FULL_HEADER and INSTANCE records, and the opaque kinds. Format reference, sections 2.6, 2.7, 2.10 and 2.11.

use etweir::buffer::Layout;
use etweir::record::{ExtendedType, RecordKind};
use etweir::trace::{CpuTime, EventFlags};
use etweir::{Guid, Ticks};

use crate::{data_buffer, first_record, hex, padded, session, view, with_event, with_event_of};

/// All fields different from each other.
pub(crate) const FULL64: &str = "
    33 00                   | 00 Size: 0x30 and 3 of payload
    14                      | 02 HeaderType
    C0                      | 03 MarkerFlags
    0A                      | 04 Class.Type
    04                      | 05 Class.Level
    02 01                   | 06 Class.Version
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    88 77 66 55 44 33 22 11 | 10 TimeStamp
    11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55 | 18 Guid
    0A 00 00 00             | 28 KernelTime
    0B 00 00 00             | 2C UserTime
    61 62 63                | 30 payload
";

pub(crate) const INSTANCE32: &str = "
    4B 00                   | 00 Size: 0x48 and 3 of payload
    0B                      | 02 HeaderType
    C0                      | 03 MarkerFlags
    0A                      | 04 Class.Type
    04                      | 05 Class.Level
    02 01                   | 06 Class.Version
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    88 77 66 55 44 33 22 11 | 10 TimeStamp
    11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55 | 18 Guid
    0A 00 00 00             | 28 KernelTime
    0B 00 00 00             | 2C UserTime
    07 00 00 00             | 30 InstanceId
    08 00 00 00             | 34 ParentInstanceId
    AA AA AA AA BB BB CC CC DD DD EE EE EE EE EE EE | 38 ParentGuid
    61 62 63                | 48 payload
";

/// As Windows 5.0 and 5.1 write it.
pub(crate) const OLD_INSTANCE32: &str = "
    3B 00                   | 00 Size: 0x38 and 3 of payload
    0B                      | 02 HeaderType
    C0                      | 03 MarkerFlags
    0A                      | 04 Class.Type
    04                      | 05 Class.Level
    02 01                   | 06 Class.Version
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    88 77 66 55 44 33 22 11 | 10 TimeStamp
    99 99 99 99 99 99 99 99 | 18 RegHandle
    07 00 00 00             | 20 InstanceId
    08 00 00 00             | 24 ParentInstanceId
    0A 00 00 00             | 28 KernelTime
    0B 00 00 00             | 2C UserTime
    98 98 98 98 98 98 98 98 | 30 ParentRegHandle
    61 62 63                | 38 payload
";

pub(crate) const ERROR: &str = "
    0B 00                   | 00 Size: 8 and 3
    0D                      | 02 HeaderType
    C0                      | 03
    01 02 03 04             | 04 unknown
    61 62 63                | 08 unknown
";

const CLASS: Guid =
    Guid::from_parts(0x1111_1111, 0x2222, 0x3333, [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);
const PARENT: Guid =
    Guid::from_parts(0xAAAA_AAAA, 0xBBBB, 0xCCCC, [0xDD, 0xDD, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE]);

#[test]
fn a_full_header_is_read_field_by_field() {
    with_event(&padded(hex(FULL64)), |event| {
        assert_eq!(event.kind(), RecordKind::Full64);
        assert_eq!(event.opcode(), 10);
        assert_eq!(event.level(), 4);
        assert_eq!(event.version(), 2, "the low byte of Class.Version");
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.process_id(), Some(0x5678));
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.provider_id(), CLASS);
        assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time: 10, user_time: 11 }));
        assert_eq!(event.user_data(), b"abc");
        assert_eq!((event.id(), event.channel(), event.task(), event.keyword()), (0, 0, 0, 0));
        assert_eq!(event.hook_id(), None);
        assert_eq!(event.flags(), EventFlags(0x0340));
    });
}

#[test]
fn a_full_header_of_32_bits_has_another_type_and_flag() {
    let mut record = hex(FULL64);
    record[2] = 0x0A;
    with_event(&padded(record.clone()), |event| {
        assert_eq!(event.kind(), RecordKind::Full32);
        assert_eq!(event.pointer_size(), 4);
        assert_eq!(event.flags(), EventFlags(0x0320));
    });
    with_event_of(&padded(record), session(10, 0, 0x2002_0801), |event| {
        assert_eq!(event.flags(), EventFlags(0x0322));
        assert_eq!(event.cpu_time(), Some(CpuTime::Processor { processor_time: 0x0000_000B_0000_000A }));
    });
}

#[test]
fn windows_2000_has_a_thread_of_64_bits_and_no_process() {
    let mut record = hex(FULL64);
    record[2] = 0x0A;
    let bytes = data_buffer(&padded(record));
    let session = session(5, 0, 0);
    let buffer = etweir::trace::TraceBuffer::new(view(&bytes, Layout::Windows2000), session);
    let event = buffer.events().next().unwrap().unwrap();
    assert_eq!(event.thread_id(), Some(0x1234));
    assert_eq!(event.process_id(), None);
    // Windows XP has both.
    let session = crate::session(5, 1, 0);
    let buffer = etweir::trace::TraceBuffer::new(view(&bytes, Layout::WindowsXp), session);
    let event = buffer.events().next().unwrap().unwrap();
    assert_eq!(event.process_id(), Some(0x5678));
}

#[test]
fn an_instance_header_shows_its_ids_as_an_item() {
    with_event(&padded(hex(INSTANCE32)), |event| {
        assert_eq!(event.kind(), RecordKind::Instance32);
        assert_eq!(event.opcode(), 10);
        assert_eq!(event.level(), 4);
        assert_eq!(event.version(), 2);
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.process_id(), Some(0x5678));
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.provider_id(), CLASS);
        assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time: 10, user_time: 11 }));
        let item = event.extended_data().next().expect("an item");
        assert_eq!(item.ext_type(), ExtendedType::INSTANCE_INFO);
        assert_eq!(item.instance_info(), Some((7, 8, PARENT)));
        assert_eq!(event.extended_data().count(), 1);
        assert_eq!(event.user_data(), b"abc");
        assert_eq!(event.flags(), EventFlags(0x0321));
    });
}

#[test]
fn the_instance_header_of_windows_xp_is_shorter_and_names_no_class() {
    let bytes = data_buffer(&padded(hex(OLD_INSTANCE32)));
    for (layout, minor) in [(Layout::Windows2000, 0), (Layout::WindowsXp, 1)] {
        let buffer = etweir::trace::TraceBuffer::new(view(&bytes, layout), session(5, minor, 0));
        let event = buffer.events().next().unwrap().unwrap();
        assert_eq!(event.kind(), RecordKind::Instance32);
        assert_eq!(event.opcode(), 10);
        assert_eq!(event.level(), 4);
        assert_eq!(event.version(), 2);
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.provider_id(), Guid::ZERO);
        assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time: 10, user_time: 11 }));
        assert_eq!(event.extended_data().count(), 0);
        assert_eq!(event.user_data(), b"abc");
    }
}

#[test]
fn the_instance_header_of_server_2003_is_the_long_one() {
    let bytes = data_buffer(&padded(hex(INSTANCE32)));
    let view = view(&bytes, Layout::Server2003);
    assert_eq!(first_record(&view).payload(), b"abc");
}

#[test]
fn a_record_whose_layout_is_not_public_is_delivered_as_bytes() {
    for (header_type, kind) in [(0x0C, RecordKind::Timed), (0x0D, RecordKind::Error)] {
        let mut record = hex(ERROR);
        record[2] = header_type;
        with_event(&padded(record.clone()), |event| {
            assert_eq!(event.kind(), kind);
            assert_eq!(event.time_stamp(), None);
            assert_eq!(event.process_id(), None);
            assert_eq!(event.provider_id(), Guid::ZERO);
            assert_eq!(event.user_data(), b"abc");
            assert_eq!(event.record().bytes(), record);
        });
    }
}

#[cfg(feature = "write")]
mod written {
    use etweir::write::{FullSpec, InstanceSpec, OldInstance, OpaqueSpec, Width};

    use super::*;

    fn full() -> FullSpec {
        FullSpec {
            width: Width::Bits64,
            opcode: 10,
            level: 4,
            version: 0x0102,
            thread_id: 0x1234,
            process_id: 0x5678,
            time_stamp: 0x1122_3344_5566_7788,
            guid: CLASS,
            kernel_time: 10,
            user_time: 11,
            payload: b"abc".to_vec(),
        }
    }

    fn instance(old: Option<OldInstance>) -> InstanceSpec {
        InstanceSpec {
            full: FullSpec { width: Width::Bits32, ..full() },
            instance_id: 7,
            parent_instance_id: 8,
            parent_guid: PARENT,
            old,
        }
    }

    #[test]
    fn a_full_header_is_written_as_it_is_spelled() {
        assert_eq!(full().to_bytes(), Ok(hex(FULL64)));
        let mut narrow = hex(FULL64);
        narrow[2] = 0x0A;
        assert_eq!(FullSpec { width: Width::Bits32, ..full() }.to_bytes(), Ok(narrow));
    }

    #[test]
    fn instance_headers_old_and_new_are_written_as_they_are_spelled() {
        assert_eq!(instance(None).to_bytes(), Ok(hex(INSTANCE32)));
        let mut wide = hex(INSTANCE32);
        wide[2] = 0x15;
        assert_eq!(InstanceSpec { full: full(), ..instance(None) }.to_bytes(), Ok(wide));
        let old = OldInstance { reg_handle: 0x9999_9999_9999_9999, parent_reg_handle: 0x9898_9898_9898_9898 };
        assert_eq!(instance(Some(old)).to_bytes(), Ok(hex(OLD_INSTANCE32)));
    }

    #[test]
    fn opaque_records_are_written_as_they_are_spelled() {
        let error = OpaqueSpec { head: [1, 2, 3, 4], payload: b"abc".to_vec(), ..OpaqueSpec::default() };
        assert_eq!(error.to_bytes(), Ok(hex(ERROR)));
        let mut timed = hex(ERROR);
        timed[2] = 0x0C;
        assert_eq!(OpaqueSpec { header_type: OpaqueSpec::TIMED, ..error }.to_bytes(), Ok(timed));
    }
}
