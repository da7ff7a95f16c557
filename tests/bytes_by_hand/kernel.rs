//! SYSTEM, COMPACT and PERFINFO records. Format reference, sections 2.3 to 2.5, 8.2 and 8.3.

use etweir::Ticks;
use etweir::record::{ExtendedType, RecordKind};
use etweir::trace::{CpuTime, EventFlags};

use crate::{hex, padded, session, with_event, with_event_of};

/// All fields different from each other: a process start.
pub(crate) const SYSTEM64: &str = "
    04 00                   | 00 Version
    02                      | 02 HeaderType
    C0                      | 03 Flags
    24 00                   | 04 Size: 0x20 and 4 of payload
    01                      | 06 Type: start
    03                      | 07 Group: PROCESS
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    88 77 66 55 44 33 22 11 | 10 SystemTime
    0A 00 00 00             | 18 KernelTime
    0B 00 00 00             | 1C UserTime
    61 62 63 64             | 20 payload
";

/// The first 0x18 bytes of it, and the payload.
pub(crate) const COMPACT32: &str = "
    04 00                   | 00 Version
    03                      | 02 HeaderType
    C0                      | 03 Flags
    1C 00                   | 04 Size: 0x18 and 4 of payload
    01                      | 06 Type
    03                      | 07 Group
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    88 77 66 55 44 33 22 11 | 10 SystemTime
    61 62 63 64             | 18 payload
";

/// The sampled profile of the worked example.
pub(crate) const PERF64: &str = "
    02 00                   | 00 Version
    11                      | 02 HeaderType
    C0                      | 03 Flags
    20 00                   | 04 Size: 0x10 and 16 of payload
    2E 0F                   | 06 HookId: sampled profile
    20 A1 07 00 00 00 00 00 | 08 TimeStamp = 500,000
    00 10 00 40 01 00 00 00 | 10 payload: InstructionPointer
    D2 04 00 00 01 00 58 00 | 18 payload: ThreadId, Count, flags, rank
";

/// A context switch with both extensions.
pub(crate) const PERF32_EXTENDED: &str = "
    04 82                   | 00 Version 4, PEBS index, two counters
    10                      | 02 HeaderType
    C0                      | 03 Flags
    2B 00                   | 04 Size: 0x10, 0x18 of extension, 3 of payload
    24 05                   | 06 HookId: context switch
    01 00 00 00 00 00 00 00 | 08 TimeStamp
    11 11 11 11 11 11 11 11 | 10 PebsIndex
    22 22 22 22 22 22 22 22 | 18 counter
    33 33 33 33 33 33 33 33 | 20 counter
    61 62 63                | 28 payload
";

/// A record of a hook and nothing else.
fn perf_of_hook(hook_low: u8, hook_high: u8) -> Vec<u8> {
    let mut record = hex("00 00 11 C0 10 00 00 00 01 00 00 00 00 00 00 00");
    record[6] = hook_low;
    record[7] = hook_high;
    record
}

#[test]
fn a_system_record_is_read_field_by_field() {
    with_event(&padded(hex(SYSTEM64)), |event| {
        assert_eq!(event.kind(), RecordKind::System64);
        assert_eq!(event.version(), 4);
        assert_eq!(event.hook_id(), Some(0x0301));
        assert_eq!(event.opcode(), 1);
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.process_id(), Some(0x5678));
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time: 10, user_time: 11 }));
        assert_eq!(event.user_data(), b"abcd");
        assert_eq!(event.provider_id().to_string(), "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c");
        assert_eq!(
            (event.id(), event.channel(), event.level(), event.task(), event.keyword()),
            (0, 0, 0, 0, 0)
        );
        assert_eq!(event.activity_id(), None);
        assert_eq!(event.pointer_size(), 8);
    });
}

#[test]
fn a_compact_record_has_no_cpu_times() {
    with_event(&padded(hex(COMPACT32)), |event| {
        assert_eq!(event.kind(), RecordKind::Compact32);
        assert_eq!(event.hook_id(), Some(0x0301));
        assert_eq!(event.thread_id(), Some(0x1234));
        assert_eq!(event.process_id(), Some(0x5678));
        assert_eq!(event.time_stamp(), Some(Ticks(0x1122_3344_5566_7788)));
        assert_eq!(event.cpu_time(), None);
        assert_eq!(event.user_data(), b"abcd");
        assert_eq!(event.pointer_size(), 4);
    });
}

#[test]
fn the_consumer_s_flags_of_kernel_records_follow_kind_and_width() {
    for (record, header_type, flags) in [
        (SYSTEM64, 0x02, 0x0340),
        (SYSTEM64, 0x01, 0x0320),
        (COMPACT32, 0x03, 0x0330),
        (COMPACT32, 0x04, 0x0350),
        (PERF64, 0x11, 0x0350),
        (PERF64, 0x10, 0x0330),
    ] {
        let mut record = hex(record);
        record[2] = header_type;
        with_event(&padded(record), |event| {
            assert_eq!(event.flags(), EventFlags(flags), "type {header_type:#04x}");
        });
    }
}

#[test]
fn the_private_flag_is_given_to_all_kinds_but_perfinfo() {
    let private = session(10, 0, 0x2002_0801);
    with_event_of(&padded(hex(SYSTEM64)), private, |event| assert_eq!(event.flags(), EventFlags(0x0342)));
    with_event_of(&padded(hex(COMPACT32)), private, |event| assert_eq!(event.flags(), EventFlags(0x0332)));
    with_event_of(&padded(hex(PERF64)), private, |event| assert_eq!(event.flags(), EventFlags(0x0350)));
}

#[test]
fn a_perfinfo_record_has_no_thread_and_no_process() {
    with_event(&hex(PERF64), |event| {
        assert_eq!(event.kind(), RecordKind::PerfInfo64);
        assert_eq!(event.thread_id(), None);
        assert_eq!(event.process_id(), None);
        assert_eq!(event.cpu_time(), None);
        assert_eq!(event.hook_id(), Some(0x0F2E));
        assert_eq!(event.opcode(), 46);
        assert_eq!(event.version(), 2);
        assert_eq!(event.time_stamp(), Some(Ticks(500_000)));
        assert_eq!(event.user_data().len(), 16);
        assert_eq!(event.record().bytes().len(), 0x20);
        assert_eq!(event.provider_id().to_string(), "ce1dbfb4-137e-4da6-87b0-3f59aa102cbc");
    });
}

#[test]
fn a_perfinfo_record_may_have_no_payload() {
    with_event(&perf_of_hook(0x08, 0x00), |event| {
        assert_eq!(event.hook_id(), Some(0x0008));
        assert_eq!(event.user_data(), b"");
    });
}

#[test]
fn ids_of_all_ones_mean_none() {
    let mut record = hex(SYSTEM64);
    record[8..16].fill(0xFF);
    with_event(&padded(record), |event| {
        assert_eq!(event.thread_id(), None);
        assert_eq!(event.process_id(), None);
    });
}

#[test]
fn extension_bits_put_values_before_the_payload_and_show_as_items() {
    with_event(&padded(hex(PERF32_EXTENDED)), |event| {
        assert_eq!(event.version(), 4);
        assert_eq!(event.user_data(), b"abc");
        let items: Vec<_> = event.extended_data().collect();
        assert_eq!(items.len(), 2);
        assert_eq!(items[0].ext_type(), ExtendedType::PEBS_INDEX);
        assert_eq!(items[0].number(), Some(0x1111_1111_1111_1111));
        assert_eq!(items[1].ext_type(), ExtendedType::PMC_COUNTERS);
        assert_eq!(items[1].data(), hex("22*8 33*8"));
        assert_eq!(event.flags(), EventFlags(0x0331));
    });
}

#[test]
fn one_extension_may_come_without_the_other() {
    let mut pebs = hex(PERF32_EXTENDED);
    pebs[1] = 0x80;
    with_event(&padded(pebs), |event| {
        assert_eq!(event.extended_data().count(), 1);
        assert_eq!(event.user_data().len(), 0x2B - 0x18);
    });
    let mut counters = hex(PERF32_EXTENDED);
    counters[1] = 0x03;
    with_event(&padded(counters), |event| {
        assert_eq!(event.extended_data().next().expect("counters").data().len(), 24);
        assert_eq!(event.user_data(), b"abc");
    });
}

#[test]
fn spare_bits_of_the_version_put_nothing_before_the_payload() {
    let mut record = hex(PERF64);
    record[1] = 0x78;
    with_event(&record, |event| {
        assert_eq!(event.version(), 2);
        assert_eq!(event.extended_data().count(), 0);
        assert_eq!(event.user_data().len(), 16);
    });
}

#[test]
fn system_records_tolerate_extension_bits() {
    let mut record = hex(SYSTEM64);
    record[1] = 0x01;
    record[4] = 0x2C;
    record.truncate(0x20);
    record.extend(hex("22*8 61 62 63 64"));
    with_event(&padded(record), |event| {
        assert_eq!(event.extended_data().next().expect("a counter").ext_type(), ExtendedType::PMC_COUNTERS);
        assert_eq!(event.user_data(), b"abcd");
        assert_eq!(event.flags(), EventFlags(0x0341));
    });
}

#[test]
fn hooks_are_delivered_under_the_class_of_their_group() {
    for (low, high, provider_id) in [
        (0x00, 0x00, "68fdd900-4a3e-11d1-84f4-0000f80464e3"),
        (0x0A, 0x01, "3d6fa8d4-fe05-11d0-9dda-00c04fd7ba7c"),
        (0x20, 0x02, "3d6fa8d3-fe05-11d0-9dda-00c04fd7ba7c"),
        (0x01, 0x03, "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c"),
        (0x40, 0x04, "90cbdc39-4a3e-11d1-84f4-0000f80464e3"),
        (0x24, 0x05, "3d6fa8d1-fe05-11d0-9dda-00c04fd7ba7c"),
        (0x0A, 0x06, "9a280ac0-c8e0-11d1-84e2-00c04fb998a2"),
        (0x0A, 0x08, "bf3a50c5-a9c9-4988-a005-2df0b7c80f80"),
        (0x0A, 0x09, "ae53722e-c863-11d2-8659-00c04fa321a1"),
        (0x0A, 0x0B, "01853a65-418f-4f36-aefc-dc0f1d2fd235"),
        (0x2E, 0x0F, "ce1dbfb4-137e-4da6-87b0-3f59aa102cbc"),
        (0x03, 0x14, "2cb15d1d-5fc1-11d2-abe1-00a0c911f518"),
        (0x20, 0x18, "def2fe46-7bd6-4b80-bd94-f57fe20d0ce3"),
        (0x00, 0x1E, "2ce9a149-effe-42f0-a635-a1d39e26c8f2"),
        (0x00, 0x1F, "00000000-0000-0000-0000-000000000000"),
        (0xFF, 0xFF, "00000000-0000-0000-0000-000000000000"),
    ] {
        with_event(&perf_of_hook(low, high), |event| {
            assert_eq!(event.provider_id().to_string(), provider_id, "hook {high:02x}{low:02x}");
            assert_eq!(event.opcode(), low);
        });
    }
}

#[test]
fn an_image_load_of_the_process_group_is_delivered_under_the_image_class() {
    const IMAGE: &str = "2cb15d1d-5fc1-11d2-abe1-00a0c911f518";
    with_event(&perf_of_hook(0x0A, 0x03), |event| {
        assert_eq!(event.provider_id().to_string(), IMAGE);
        assert_eq!(event.opcode(), 10);
        assert_eq!(event.hook_id(), Some(0x030A));
    });
    for neighbour in [0x09, 0x0B] {
        with_event(&perf_of_hook(neighbour, 0x03), |event| {
            assert_ne!(event.provider_id().to_string(), IMAGE)
        });
    }
}

#[cfg(feature = "write")]
mod written {
    use etweir::write::{PerfSpec, SystemSpec, Width};

    use super::*;

    fn system() -> SystemSpec {
        SystemSpec {
            version: 4,
            hook_id: 0x0301,
            thread_id: 0x1234,
            process_id: 0x5678,
            time_stamp: 0x1122_3344_5566_7788,
            kernel_time: 10,
            user_time: 11,
            payload: b"abcd".to_vec(),
            ..SystemSpec::default()
        }
    }

    #[test]
    fn a_system_record_is_written_as_it_is_spelled() {
        assert_eq!(system().to_bytes(), Ok(hex(SYSTEM64)));
        let mut narrow = hex(SYSTEM64);
        narrow[2] = 0x01;
        assert_eq!(SystemSpec { width: Width::Bits32, ..system() }.to_bytes(), Ok(narrow));
    }

    #[test]
    fn a_compact_record_is_written_as_it_is_spelled() {
        let compact = SystemSpec { compact: true, ..system() };
        let mut wide = hex(COMPACT32);
        wide[2] = 0x04;
        assert_eq!(compact.to_bytes(), Ok(wide));
        assert_eq!(SystemSpec { width: Width::Bits32, ..compact }.to_bytes(), Ok(hex(COMPACT32)));
    }

    #[test]
    fn a_perfinfo_record_is_written_as_it_is_spelled() {
        let spec = PerfSpec {
            version: 2,
            hook_id: 0x0F2E,
            time_stamp: 500_000,
            payload: hex("00 10 00 40 01 00 00 00 D2 04 00 00 01 00 58 00"),
            ..PerfSpec::default()
        };
        assert_eq!(spec.to_bytes(), Ok(hex(PERF64)));
    }

    #[test]
    fn extensions_are_written_as_they_are_spelled() {
        let spec = PerfSpec {
            width: Width::Bits32,
            version: 4,
            hook_id: 0x0524,
            time_stamp: 1,
            pebs_index: Some(0x1111_1111_1111_1111),
            pmc_counters: vec![0x2222_2222_2222_2222, 0x3333_3333_3333_3333],
            payload: b"abc".to_vec(),
        };
        assert_eq!(spec.to_bytes(), Ok(hex(PERF32_EXTENDED)));
    }

    #[test]
    fn seven_counters_can_be_told_and_eight_are_refused() {
        let seven = PerfSpec { pmc_counters: vec![0; 7], ..PerfSpec::default() };
        assert_eq!(seven.to_bytes().expect("fits")[..2], [0x00, 0x07]);
        let eight = PerfSpec { pmc_counters: vec![0; 8], ..PerfSpec::default() };
        assert_eq!(
            eight.to_bytes().expect_err("one too many").to_string(),
            "number of counters of a kernel record is 8, at most 7 can be stored"
        );
    }

    #[test]
    fn the_longest_record_has_65535_bytes_and_a_longer_one_is_refused() {
        let mut spec = PerfSpec { payload: vec![0; 65_535 - 16], ..PerfSpec::default() };
        assert_eq!(spec.to_bytes().expect("fits")[4..6], [0xFF, 0xFF]);
        spec.payload.push(0);
        assert_eq!(
            spec.to_bytes().expect_err("one too many").to_string(),
            "PERFINFO record has 65536 bytes, its size field holds at most 65535"
        );
    }
}
