//! Arbitrary records to be written.

use etweir::Guid;
use etweir::record::ExtendedType;
use etweir::write::{
    EventSpec, FullSpec, InstanceSpec, ItemSpec, MessageSpec, OldInstance, OpaqueSpec, PerfSpec, RecordSpec,
    SystemSpec, Width,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

/// Records of every kind that a buffer of today can hold.
pub(crate) fn record() -> impl Strategy<Value = RecordSpec> {
    prop_oneof![
        event().prop_map(RecordSpec::from),
        system().prop_map(RecordSpec::from),
        perf().prop_map(RecordSpec::from),
        full().prop_map(RecordSpec::from),
        instance().prop_map(RecordSpec::from),
        message().prop_map(RecordSpec::from),
        opaque().prop_map(RecordSpec::from),
    ]
}

/// Records in which no place but the first could be taken for a marker, for the end of a buffer, or for the length of a
/// WNODE: numbers are made of the bytes 0x01 to 0x7F. Padding has to be made of such bytes as well.
pub(crate) fn quiet_record() -> impl Strategy<Value = RecordSpec> {
    let payload = || vec(1_u8..0x80, 0..40);
    let quiet_u32 = || [1_u8..0x80, 1..0x80, 1..0x80, 1..0x80].prop_map(u32::from_le_bytes);
    prop_oneof![
        (quiet_u32(), vec(quiet_item(), 0..3), payload(), width()).prop_map(
            |(number, items, payload, width)| {
                EventSpec {
                    width,
                    thread_id: number,
                    process_id: number,
                    time_stamp: quiet_i64(number),
                    provider_id: quiet_guid(number),
                    id: 1,
                    version: 1,
                    channel: 1,
                    level: 1,
                    opcode: 1,
                    task: 1,
                    keyword: 0x0101_0101_0101_0101,
                    kernel_time: number,
                    user_time: number,
                    activity_id: quiet_guid(number),
                    items,
                    payload,
                    ..EventSpec::default()
                }
                .into()
            }
        ),
        (quiet_u32(), payload(), width(), any::<bool>()).prop_map(|(number, payload, width, compact)| {
            SystemSpec {
                width,
                compact,
                version: 4,
                hook_id: 0x0301,
                thread_id: number,
                process_id: number,
                time_stamp: quiet_i64(number),
                kernel_time: number,
                user_time: number,
                payload,
                ..SystemSpec::default()
            }
            .into()
        }),
        (quiet_u32(), option::of(Just(0x0202_0202_0202_0202)), payload(), width()).prop_map(
            |(number, pebs_index, payload, width)| {
                PerfSpec {
                    width,
                    version: 2,
                    hook_id: 0x0F2E,
                    time_stamp: quiet_i64(number),
                    pebs_index,
                    payload,
                    ..PerfSpec::default()
                }
                .into()
            }
        ),
        (quiet_u32(), payload(), width())
            .prop_map(|(number, payload, width)| quiet_full(number, payload, width).into()),
        (quiet_u32(), payload(), width()).prop_map(|(number, payload, width)| {
            InstanceSpec {
                full: quiet_full(number, payload, width),
                instance_id: number,
                parent_instance_id: number,
                parent_guid: quiet_guid(number),
                old: None,
            }
            .into()
        }),
        (quiet_u32(), option::of(quiet_u32()), payload()).prop_map(|(number, sequence, payload)| {
            MessageSpec {
                message_number: 0x0101,
                sequence,
                guid: Some(quiet_guid(number)),
                time_stamp: Some(quiet_i64(number)),
                thread_and_process: Some((number, number)),
                payload,
                ..MessageSpec::default()
            }
            .into()
        }),
    ]
}

fn quiet_full(number: u32, payload: Vec<u8>, width: Width) -> FullSpec {
    FullSpec {
        width,
        opcode: 1,
        level: 1,
        version: 1,
        thread_id: number,
        process_id: number,
        time_stamp: quiet_i64(number),
        guid: quiet_guid(number),
        kernel_time: number,
        user_time: number,
        payload,
    }
}

fn quiet_item() -> impl Strategy<Value = ItemSpec> {
    // Whole multiples of 8, so that no padding follows.
    vec(proptest::array::uniform8(1_u8..0x80), 1..3)
        .prop_map(|data| ItemSpec::new(ExtendedType::EVENT_SCHEMA_TL, data.concat()))
}

fn quiet_i64(number: u32) -> i64 {
    i64::from(number) << 32 | i64::from(number)
}

fn quiet_guid(number: u32) -> Guid {
    let [a, b, c, d] = number.to_le_bytes();
    Guid::from_bytes([a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d])
}

pub(crate) fn width() -> impl Strategy<Value = Width> {
    prop_oneof![Just(Width::Bits32), Just(Width::Bits64)]
}

pub(crate) fn guid() -> impl Strategy<Value = Guid> {
    prop_oneof![4 => any::<[u8; 16]>().prop_map(Guid::from_bytes), 1 => Just(Guid::ZERO)]
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..70)
}

fn item() -> impl Strategy<Value = ItemSpec> {
    (any::<u16>(), vec(any::<u8>(), 0..40))
        .prop_map(|(ext_type, data)| ItemSpec::new(ExtendedType(ext_type), data))
}

pub(crate) fn event() -> impl Strategy<Value = EventSpec> {
    let ids = (any::<u32>(), any::<u32>(), any::<i64>(), guid(), guid());
    let descriptor = any::<(u16, u8, u8, u8, u8, u16, u64)>();
    // EXTENDED_INFO is for the writer to set; a consumer's flags on disk would not be told from its own.
    let flags = (any::<bool>(), any::<u16>());
    (width(), flags, ids, descriptor, any::<(u32, u32)>(), vec(item(), 0..4), payload()).prop_map(
        |(
            width,
            (string_only, event_property),
            ids,
            descriptor,
            (kernel_time, user_time),
            items,
            payload,
        )| {
            let (thread_id, process_id, time_stamp, provider_id, activity_id) = ids;
            let (id, version, channel, level, opcode, task, keyword) = descriptor;
            EventSpec {
                width,
                flags: if string_only { 4 } else { 0 },
                event_property,
                thread_id,
                process_id,
                time_stamp,
                provider_id,
                id,
                version,
                channel,
                level,
                opcode,
                task,
                keyword,
                kernel_time,
                user_time,
                activity_id,
                items,
                payload,
            }
        },
    )
}

pub(crate) fn system() -> impl Strategy<Value = SystemSpec> {
    let numbers = any::<(bool, u8, u16, u32, u32, i64, u32, u32)>();
    (width(), numbers, option::of(any::<u64>()), vec(any::<u64>(), 0..=7), payload()).prop_map(
        |(width, numbers, pebs_index, pmc_counters, payload)| {
            let (compact, version, hook_id, thread_id, process_id, time_stamp, kernel_time, user_time) =
                numbers;
            SystemSpec {
                width,
                compact,
                version,
                hook_id,
                thread_id,
                process_id,
                time_stamp,
                kernel_time,
                user_time,
                pebs_index,
                pmc_counters,
                payload,
            }
        },
    )
}

pub(crate) fn perf() -> impl Strategy<Value = PerfSpec> {
    (width(), any::<(u8, u16, i64)>(), option::of(any::<u64>()), vec(any::<u64>(), 0..=7), payload())
        .prop_map(|(width, (version, hook_id, time_stamp), pebs_index, pmc_counters, payload)| PerfSpec {
            width,
            version,
            hook_id,
            time_stamp,
            pebs_index,
            pmc_counters,
            payload,
        })
}

pub(crate) fn full() -> impl Strategy<Value = FullSpec> {
    (width(), any::<(u8, u8, u16, u32, u32, i64, u32, u32)>(), guid(), payload()).prop_map(
        |(width, numbers, guid, payload)| {
            let (opcode, level, version, thread_id, process_id, time_stamp, kernel_time, user_time) = numbers;
            FullSpec {
                width,
                opcode,
                level,
                version,
                thread_id,
                process_id,
                time_stamp,
                guid,
                kernel_time,
                user_time,
                payload,
            }
        },
    )
}

pub(crate) fn instance() -> impl Strategy<Value = InstanceSpec> {
    (full(), any::<(u32, u32)>(), guid()).prop_map(
        |(full, (instance_id, parent_instance_id), parent_guid)| InstanceSpec {
            full,
            instance_id,
            parent_instance_id,
            parent_guid,
            old: None,
        },
    )
}

pub(crate) fn old_instance() -> impl Strategy<Value = InstanceSpec> {
    (instance(), any::<(u64, u64)>()).prop_map(|(instance, (reg_handle, parent_reg_handle))| InstanceSpec {
        old: Some(OldInstance { reg_handle, parent_reg_handle }),
        ..instance
    })
}

pub(crate) fn message() -> impl Strategy<Value = MessageSpec> {
    let parts = (
        option::of(any::<u32>()),
        option::of(any::<u32>()),
        option::of(guid()),
        option::of(any::<i64>()),
        option::of(any::<(u32, u32)>()),
        option::of(width()),
    );
    // Bits that announce nothing: the obsolete stamp, and those without a name.
    (any::<u16>(), parts, any::<u16>(), payload()).prop_map(|(message_number, parts, further, payload)| {
        let (sequence, component_id, guid, time_stamp, thread_and_process, width) = parts;
        MessageSpec {
            message_number,
            sequence,
            component_id,
            guid,
            time_stamp,
            thread_and_process,
            width,
            further_flags: further & 0xFF10,
            payload,
        }
    })
}

pub(crate) fn opaque() -> impl Strategy<Value = OpaqueSpec> {
    (any::<bool>(), any::<[u8; 4]>(), payload()).prop_map(|(timed, head, payload)| OpaqueSpec {
        header_type: if timed { OpaqueSpec::TIMED } else { OpaqueSpec::ERROR },
        head,
        payload,
    })
}
