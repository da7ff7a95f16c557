//! Every getter gives back what was written.

use etweir::buffer::{BufferFlags, BufferType, BufferView, Layout};
use etweir::record::{ExtendedType, RecordKind};
use etweir::trace::{CpuTime, Event, SessionInfo, TraceBuffer};
use etweir::write::{
    BufferSpec, EventSpec, FullSpec, InstanceSpec, MessageSpec, OpaqueSpec, RecordSpec, Width,
};
use etweir::{Guid, Ticks};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::specs::{self, record};
use crate::{buffer_of, cases, expected, walk_bytes};

/// Calls `check` with the record as an event.
fn read_back(record: RecordSpec, check: impl FnOnce(&Event<'_>)) {
    read_back_with(record, Layout::Modern, check);
}

fn read_back_with(record: RecordSpec, layout: Layout, check: impl FnOnce(&Event<'_>)) {
    let bytes = buffer_of(&[record]).layout(layout).processor(7).logger_id(9).to_bytes();
    let view = BufferView::parse_with(&bytes, layout).expect("a buffer");
    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    let event = buffer.events().next().expect("a record").expect("a good one");
    assert_eq!(event.processor_index(), 7);
    assert_eq!(event.logger_id(), 9);
    check(&event);
}

fn id(id: u32) -> Option<u32> {
    (id != u32::MAX).then_some(id)
}

fn nonzero(guid: Guid) -> Option<Guid> {
    (guid != Guid::ZERO).then_some(guid)
}

fn low_byte(version: u16) -> u8 {
    version.to_le_bytes()[0]
}

fn check_event(spec: &EventSpec, event: &Event<'_>) {
    let kind = if spec.width == Width::Bits32 { RecordKind::Event32 } else { RecordKind::Event64 };
    assert_eq!(event.kind(), kind);
    assert_eq!(event.pointer_size(), spec.width.pointer_size());
    assert_eq!(event.event_property(), spec.event_property);
    assert_eq!(event.thread_id(), id(spec.thread_id));
    assert_eq!(event.process_id(), id(spec.process_id));
    assert_eq!(event.time_stamp(), Some(Ticks(spec.time_stamp)));
    assert_eq!(event.provider_id(), spec.provider_id);
    assert_eq!(event.id(), spec.id);
    assert_eq!(event.version(), spec.version);
    assert_eq!(event.channel(), spec.channel);
    assert_eq!(event.level(), spec.level);
    assert_eq!(event.opcode(), spec.opcode);
    assert_eq!(event.task(), spec.task);
    assert_eq!(event.keyword(), spec.keyword);
    let (kernel_time, user_time) = (spec.kernel_time, spec.user_time);
    assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time, user_time }));
    assert_eq!(event.activity_id(), nonzero(spec.activity_id));
    let items: Vec<_> = event.extended_data().map(|item| (item.ext_type(), item.data().to_vec())).collect();
    assert_eq!(items, spec.items.iter().map(|item| (item.ext_type, item.data.clone())).collect::<Vec<_>>());
    assert_eq!(event.user_data(), spec.payload);
    let decode = spec.items.iter().any(|item| item.ext_type == ExtendedType::CONTROL_GUID);
    let width = if spec.width == Width::Bits32 { 0x20 } else { 0x40 };
    let expected =
        spec.flags | width | 0x200 | u16::from(!spec.items.is_empty()) | if decode { 0x80 } else { 0 };
    assert_eq!(event.flags().0, expected);
}

/// The items that are made of extension bits.
fn check_extension(event: &Event<'_>, pebs_index: Option<u64>, pmc_counters: &[u64]) {
    let counters: Vec<u8> = pmc_counters.iter().flat_map(|value| value.to_le_bytes()).collect();
    let expected: Vec<_> = pebs_index
        .map(|value| (ExtendedType::PEBS_INDEX, value.to_le_bytes().to_vec()))
        .into_iter()
        .chain((!counters.is_empty()).then_some((ExtendedType::PMC_COUNTERS, counters)))
        .collect();
    let items: Vec<_> = event.extended_data().map(|item| (item.ext_type(), item.data().to_vec())).collect();
    assert_eq!(items, expected);
}

fn check_full(spec: &FullSpec, event: &Event<'_>) {
    assert_eq!(event.pointer_size(), spec.width.pointer_size());
    assert_eq!(event.opcode(), spec.opcode);
    assert_eq!(event.level(), spec.level);
    assert_eq!(event.version(), low_byte(spec.version));
    assert_eq!(event.thread_id(), id(spec.thread_id));
    assert_eq!(event.process_id(), id(spec.process_id));
    assert_eq!(event.time_stamp(), Some(Ticks(spec.time_stamp)));
    let (kernel_time, user_time) = (spec.kernel_time, spec.user_time);
    assert_eq!(event.cpu_time(), Some(CpuTime::KernelUser { kernel_time, user_time }));
    assert_eq!(event.user_data(), spec.payload);
}

fn check_message(spec: &MessageSpec, event: &Event<'_>) {
    assert_eq!(event.kind(), RecordKind::Message);
    assert_eq!(event.id(), spec.message_number);
    let message = event.record().message().expect("a message");
    assert_eq!(message.option_flags(), spec.option_flags());
    assert_eq!(message.sequence(), spec.sequence);
    assert_eq!(message.component_id(), spec.component_id);
    let guid = if spec.component_id.is_some() { None } else { spec.guid };
    assert_eq!(message.message_guid(), guid);
    assert_eq!(event.provider_id(), guid.unwrap_or(Guid::ZERO));
    assert_eq!(message.time_stamp(), spec.time_stamp);
    assert_eq!(event.time_stamp(), spec.time_stamp.map(Ticks));
    assert_eq!(message.thread_and_process(), spec.thread_and_process);
    assert_eq!(event.thread_id(), spec.thread_and_process.and_then(|(thread, _)| id(thread)));
    assert_eq!(event.process_id(), spec.thread_and_process.and_then(|(_, process)| id(process)));
    assert_eq!(message.pointer_size(), spec.width.map(Width::pointer_size));
    assert_eq!(event.user_data(), spec.payload);
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn an_event_reads_back_as_it_was_written(spec in specs::event()) {
        read_back(spec.clone().into(), |event| check_event(&spec, event));
    }

    #[test]
    fn a_system_record_reads_back_as_it_was_written(spec in specs::system()) {
        read_back(spec.clone().into(), |event| {
            let kind = match (spec.compact, spec.width) {
                (false, Width::Bits32) => RecordKind::System32,
                (false, Width::Bits64) => RecordKind::System64,
                (true, Width::Bits32) => RecordKind::Compact32,
                (true, Width::Bits64) => RecordKind::Compact64,
            };
            assert_eq!(event.kind(), kind);
            assert_eq!(event.version(), spec.version);
            assert_eq!(event.hook_id(), Some(spec.hook_id));
            assert_eq!(event.opcode(), low_byte(spec.hook_id));
            assert_eq!(event.thread_id(), id(spec.thread_id));
            assert_eq!(event.process_id(), id(spec.process_id));
            assert_eq!(event.time_stamp(), Some(Ticks(spec.time_stamp)));
            let (kernel_time, user_time) = (spec.kernel_time, spec.user_time);
            let cpu_time = (!spec.compact).then_some(CpuTime::KernelUser { kernel_time, user_time });
            assert_eq!(event.cpu_time(), cpu_time);
            check_extension(event, spec.pebs_index, &spec.pmc_counters);
            assert_eq!(event.user_data(), spec.payload);
        });
    }

    #[test]
    fn a_perfinfo_record_reads_back_as_it_was_written(spec in specs::perf()) {
        read_back(spec.clone().into(), |event| {
            let kind =
                if spec.width == Width::Bits32 { RecordKind::PerfInfo32 } else { RecordKind::PerfInfo64 };
            assert_eq!(event.kind(), kind);
            assert_eq!(event.version(), spec.version);
            assert_eq!(event.hook_id(), Some(spec.hook_id));
            assert_eq!(event.time_stamp(), Some(Ticks(spec.time_stamp)));
            assert_eq!((event.thread_id(), event.process_id(), event.cpu_time()), (None, None, None));
            check_extension(event, spec.pebs_index, &spec.pmc_counters);
            assert_eq!(event.user_data(), spec.payload);
        });
    }

    #[test]
    fn a_full_header_reads_back_as_it_was_written(spec in specs::full()) {
        read_back(spec.clone().into(), |event| {
            assert_eq!(event.kind() == RecordKind::Full32, spec.width == Width::Bits32);
            assert_eq!(event.provider_id(), spec.guid);
            assert_eq!(event.extended_data().count(), 0);
            check_full(&spec, event);
        });
    }

    #[test]
    fn an_instance_header_reads_back_as_it_was_written(spec in specs::instance()) {
        read_back(spec.clone().into(), |event| {
            assert_eq!(event.kind() == RecordKind::Instance32, spec.full.width == Width::Bits32);
            assert_eq!(event.provider_id(), spec.full.guid);
            let InstanceSpec { instance_id, parent_instance_id, parent_guid, .. } = spec;
            let items: Vec<_> = event.extended_data().map(|item| item.instance_info()).collect();
            assert_eq!(items, [Some((instance_id, parent_instance_id, parent_guid))]);
            check_full(&spec.full, event);
        });
    }

    #[test]
    fn an_old_instance_header_reads_back_as_it_was_written(spec in specs::old_instance()) {
        read_back_with(spec.clone().into(), Layout::WindowsXp, |event| {
            assert_eq!(event.provider_id(), Guid::ZERO);
            assert_eq!(event.extended_data().count(), 0);
            check_full(&spec.full, event);
        });
    }

    #[test]
    fn a_message_reads_back_as_it_was_written(spec in specs::message()) {
        read_back(spec.clone().into(), |event| check_message(&spec, event));
    }

    #[test]
    fn an_opaque_record_reads_back_as_it_was_written(spec in specs::opaque()) {
        read_back(spec.clone().into(), |event| {
            let timed = spec.header_type == OpaqueSpec::TIMED;
            assert_eq!(event.kind(), if timed { RecordKind::Timed } else { RecordKind::Error });
            assert_eq!(event.record().bytes()[4..8], spec.head);
            assert_eq!(event.user_data(), spec.payload);
        });
    }

    #[test]
    fn a_buffer_header_reads_back_as_it_was_written(
        numbers: (u32, i64, i64, u16, u32, u16),
        processor in 0..=0x07FF_u16,
        flags: u16,
        filler in 0..100_u32,
    ) {
        let (saved_offset, time_stamp, sequence_number, logger_id, state, buffer_type) = numbers;
        // A compressed buffer is another matter.
        let flags = BufferFlags(flags & !BufferFlags::COMPRESSED.0 | BufferFlags::PROC_INDEX.0);
        let bytes = BufferSpec::new(0x48 + filler)
            .saved_offset(saved_offset)
            .time_stamp(time_stamp)
            .sequence_number(sequence_number)
            .logger_id(logger_id)
            .state(state)
            .buffer_type(BufferType(buffer_type))
            .processor(processor)
            .flags(flags)
            .to_bytes();
        let view = BufferView::parse(&bytes).expect("a buffer");
        let header = view.header();
        prop_assert_eq!(header.buffer_size(), Some(0x48 + filler));
        prop_assert_eq!(header.filled_bytes(), 0x48);
        prop_assert_eq!(header.saved_offset(), saved_offset);
        prop_assert_eq!(header.time_stamp(), Ticks(time_stamp));
        prop_assert_eq!(header.sequence_number(), Some(sequence_number));
        prop_assert_eq!(header.logger_id(), logger_id);
        prop_assert_eq!(header.state(), state);
        prop_assert_eq!(header.buffer_type(), Some(BufferType(buffer_type)));
        prop_assert_eq!(header.processor_index(), processor);
        prop_assert_eq!(header.buffer_flags(), flags);
        prop_assert_eq!(view.records().count(), 0);
    }

    #[test]
    fn records_of_any_kinds_follow_each_other_unchanged(records in vec(record(), 0..12)) {
        let walk = walk_bytes(&buffer_of(&records).to_bytes());
        prop_assert_eq!(walk.records, expected(&records));
        prop_assert_eq!(walk.damage, []);
    }

    #[test]
    fn padding_and_filler_do_not_matter(
        records in vec(record(), 0..12), padding: u8, filler: u8, room in 0..64_u32, pads_last: bool,
    ) {
        let mut buffer = buffer_of(&records).padding(padding).filler(filler);
        if !pads_last {
            buffer = buffer.without_last_padding();
        }
        let size = u32::try_from(buffer.end()).unwrap() + room;
        let bytes = buffer.buffer_size(size).to_bytes();
        let walk = walk_bytes(&bytes);
        prop_assert_eq!(walk.records, expected(&records));
        prop_assert_eq!(walk.damage, []);
    }
}
