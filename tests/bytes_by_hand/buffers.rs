//! The buffer header. Format reference, sections 1 and 11.1.

use etweir::buffer::{BufferFlags, BufferHeader, BufferType, BufferView, Layout};
use etweir::trace::{EventFlags, SessionInfo, TraceBuffer};
use etweir::{Guid, Offset, ParseError, Ticks};

use crate::{data_buffer, hex, kernel, padded};

/// The worked example, up to where the filler starts.
const EXAMPLE: &str = "
    00 10 00 00  98 00 00 00  98 10 00 00  00 00 00 00 | BufferSize, SavedOffset, CurrentOffset, RefCount
    40 42 0F 00  00 00 00 00  07 00 00 00  00 00 00 00 | TimeStamp = 1,000,000; SequenceNumber = 7
    00 00 00 00  00 00 00 00  03 00 28 00  03 00 00 00 | union; ProcessorIndex 3, LoggerId 0x28; State 3
    98 00 00 00  20 00 00 00  00 00 00 00  00 00 00 00 | Offset = 0x98; flag PROC_INDEX; type GENERIC; ref time
    00 00 00 00  00 00 00 00
    50 00 13 C0  00 00 00 00  34 12 00 00  78 56 00 00 | Size 0x50, C013, Flags, Property, Tid, Pid
    20 A1 07 00  00 00 00 00                           | TimeStamp = 500,000
    11 11 11 11 22 22 33 33 44 44 55 55 55 55 55 55    | ProviderId
    2A 00 01 00 04 00 00 00  01 00 00 00 00 00 00 00   | Id 42, Version 1, Channel 0, Level 4, ... Keyword 1
    00 00 00 00 00 00 00 00                            | KernelTime, UserTime
    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00    | ActivityId
";

const PROVIDER: Guid =
    Guid::from_parts(0x1111_1111, 0x2222, 0x3333, [0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);

fn example() -> Vec<u8> {
    let mut bytes = hex(EXAMPLE);
    assert_eq!(bytes.len(), 0x98);
    bytes.resize(0x1000, 0xFF);
    bytes
}

fn patched(mut bytes: Vec<u8>, at: usize, patch: &[u8]) -> Vec<u8> {
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

#[test]
fn the_worked_example_reads_as_the_description_says() {
    let bytes = example();
    let view = BufferView::parse(&bytes).expect("a whole buffer");
    let header = view.header();
    assert_eq!(header.buffer_size(), Some(0x1000));
    assert_eq!(header.saved_offset(), 0x98);
    assert_eq!(header.time_stamp(), Ticks(1_000_000));
    assert_eq!(header.sequence_number(), Some(7));
    assert_eq!(header.processor_index(), 3);
    assert_eq!(header.logger_id(), 0x28);
    assert_eq!(header.state(), 3);
    assert_eq!(header.filled_bytes(), 0x98);
    assert_eq!(header.buffer_flags(), BufferFlags::PROC_INDEX);
    assert_eq!(header.buffer_type(), Some(BufferType::GENERIC));
    assert_eq!(header.as_bytes(), &bytes[..0x48]);
    assert_eq!(view.valid_bytes(), &bytes[..0x98]);

    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    let event = buffer.events().next().expect("a record").expect("a good one");
    assert_eq!(event.record().offset(), Offset(0x48));
    assert_eq!(event.thread_id(), Some(0x1234));
    assert_eq!(event.process_id(), Some(0x5678));
    assert_eq!(event.time_stamp(), Some(Ticks(500_000)));
    assert_eq!(event.provider_id(), PROVIDER);
    assert_eq!((event.id(), event.version(), event.level(), event.keyword()), (42, 1, 4, 1));
    assert_eq!(event.flags(), EventFlags(0x0240));
    assert_eq!(event.user_data().len(), 0);
    assert_eq!(buffer.events().count(), 1);
}

#[test]
fn the_processor_index_has_16_bits_only_if_the_flag_says_so() {
    for (context, flag, processor) in [
        ([0x03, 0x00], 0x20, 3),
        ([0x2C, 0x01], 0x20, 300),
        ([0xFF, 0x07], 0x20, 2047),
        // The byte beside an 8-bit number is the alignment.
        ([0x03, 0x08], 0x00, 3),
        ([0xFF, 0x08], 0x00, 255),
    ] {
        let bytes = patched(patched(example(), 0x28, &context), 0x34, &[flag, 0]);
        let view = BufferView::parse(&bytes).expect("a whole buffer");
        assert_eq!(view.header().processor_index(), processor, "{context:02x?}");
        let buffer = TraceBuffer::new(view, SessionInfo::unknown());
        let event = buffer.events().next().unwrap().unwrap();
        assert_eq!(event.processor_index(), processor);
        let shown = if flag == 0 { EventFlags(0x0040) } else { EventFlags(0x0240) };
        assert_eq!(event.flags(), shown, "PROCESSOR_INDEX follows the buffer's flag");
    }
}

#[test]
fn flags_and_type_keep_their_numbers() {
    let bytes = patched(example(), 0x34, &[0xA1, 0x00, 0x04, 0x00]);
    let header = BufferHeader::parse(&bytes, Layout::Modern).expect("a header");
    assert!(header.buffer_flags().contains(BufferFlags::FLUSH_MARKER));
    assert!(!header.is_compressed());
    assert_eq!(header.buffer_flags().to_string(), "FLUSH_MARKER|PROC_INDEX|0x80");
    assert_eq!(header.buffer_type(), Some(BufferType::HEADER));
}

#[test]
fn before_windows_6_0_other_fields_lie_in_the_same_bytes() {
    let bytes = hex("
        00 00 00 00             | 00 ReferenceCount
        48 00 00 00             | 04 SavedOffset
        48 00 00 00             | 08 CurrentOffset
        01 00 00 00             | 0C UsePerfClock
        40 42 0F 00 00 00 00 00 | 10 TimeStamp
        01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E 0F 10 | 18 Guid
        02                      | 28 ProcessorNumber
        08                      | 29 Alignment
        01 00                   | 2A LoggerId
        04 00 00 00             | 2C Flags: Flush
        48 00 00 00             | 30 Offset
        78 56 34 12             | 34 EventsLost; in 5.2 BufferFlag and BufferType
        00*16                   | 38 InstanceGuid
    ");
    for layout in [Layout::Windows2000, Layout::WindowsXp] {
        let header = BufferView::parse_with(&bytes, layout).expect("a buffer").header();
        assert_eq!(header.buffer_size(), None);
        assert_eq!(header.sequence_number(), None);
        assert_eq!(header.buffer_flags(), BufferFlags(0));
        assert_eq!(header.buffer_type(), None);
        assert_eq!(header.events_lost(), Some(0x1234_5678));
        assert_eq!(header.processor_index(), 2);
        assert_eq!(header.filled_bytes(), 0x48);
        assert_eq!(header.time_stamp(), Ticks(1_000_000));
    }
    let bytes = patched(bytes, 0x34, &[0x02, 0x00, 0x01, 0x00]);
    let header = BufferView::parse_with(&bytes, Layout::Server2003).expect("a buffer").header();
    assert_eq!(header.buffer_size(), None);
    assert_eq!(header.sequence_number(), None);
    assert_eq!(header.buffer_flags(), BufferFlags::EVENTS_LOST);
    assert_eq!(header.buffer_type(), Some(BufferType(1)));
    assert_eq!(header.events_lost(), None);
}

#[test]
fn a_header_needs_72_bytes() {
    let bytes = example();
    assert!(BufferHeader::parse(&bytes[..72], Layout::Modern).is_ok());
    assert_eq!(
        BufferHeader::parse(&bytes[..71], Layout::Modern).expect_err("a byte is missing"),
        ParseError::Truncated { what: "buffer header", at: Offset(0), need: 72, have: 71 }
    );
}

#[test]
fn the_valid_bytes_end_behind_the_header_and_inside_the_buffer() {
    let parse = |offset: u32| BufferView::parse(&patched(example(), 0x30, &offset.to_le_bytes())).map(|_| ());
    assert!(parse(0x47).is_err());
    assert_eq!(parse(0x48), Ok(()));
    assert_eq!(parse(0x1000), Ok(()));
    assert_eq!(
        parse(0x1001),
        Err(ParseError::OutOfRange {
            what: "buffer header",
            field: "filled bytes",
            at: Offset(0),
            value: 0x1001,
            min: 0x48,
            max: 0x1000
        })
    );
}

#[test]
fn an_empty_buffer_has_no_records_and_no_damage() {
    let bytes = data_buffer(&[]);
    assert_eq!(BufferView::parse(&bytes).expect("a buffer").records().count(), 0);
}

#[test]
fn a_buffer_may_end_at_its_valid_bytes_and_may_be_full_to_the_last() {
    let bytes = example();
    assert_eq!(BufferView::parse(&bytes[..0x98]).expect("a buffer").records().count(), 1);
    assert!(BufferView::parse(&bytes[..0x97]).is_err());
    let full = patched(bytes, 0x00, &[0x98, 0, 0, 0]);
    assert_eq!(BufferView::parse(&full[..0x98]).expect("a buffer").records().count(), 1);
}

#[test]
fn the_saved_offset_is_no_bound() {
    for saved in [0, 0x48, 0x98, 0xFFFF_FFFF_u32] {
        let bytes = patched(example(), 0x04, &saved.to_le_bytes());
        assert_eq!(BufferView::parse(&bytes).expect("a buffer").records().count(), 1);
    }
}

#[test]
fn the_last_record_s_padding_may_lie_behind_the_valid_bytes() {
    let mut record = hex(kernel::SYSTEM64);
    assert_eq!(record.len(), 0x24);
    let two = [padded(record.clone()), core::mem::take(&mut record)].concat();
    let bytes = data_buffer(&two);
    let view = BufferView::parse(&bytes).expect("a buffer");
    assert_eq!(view.header().filled_bytes(), 0x48 + 0x28 + 0x24);
    assert!(view.records().all(|record| record.is_ok()));
    assert_eq!(view.records().count(), 2);
}

#[test]
fn what_lies_between_and_behind_records_does_not_matter() {
    let mut body = hex(kernel::SYSTEM64);
    body.extend(hex("DE AD BE EF"));
    body.extend(hex(kernel::PERF64));
    let mut bytes = data_buffer(&body);
    bytes[0x48 + body.len()..].fill(0x50);
    let view = BufferView::parse(&bytes).expect("a buffer");
    let kinds: Vec<_> = view.records().map(|record| record.expect("good").kind().name()).collect();
    assert_eq!(kinds, ["system64", "perfinfo64"]);
}

#[cfg(feature = "write")]
mod written {
    use etweir::codec::Format;
    use etweir::write::{BufferSpec, EventSpec, WriteError};

    use super::*;

    fn spec() -> BufferSpec {
        let event = EventSpec {
            thread_id: 0x1234,
            process_id: 0x5678,
            time_stamp: 500_000,
            provider_id: PROVIDER,
            id: 42,
            version: 1,
            level: 4,
            keyword: 1,
            ..EventSpec::default()
        };
        BufferSpec::new(0x1000)
            .time_stamp(1_000_000)
            .sequence_number(7)
            .processor(3)
            .logger_id(0x28)
            .event(&event)
    }

    #[test]
    fn the_worked_example_is_written_as_it_is_spelled() {
        assert_eq!(spec().to_bytes(), example());
        assert_eq!(spec().without_filler().to_bytes(), example()[..0x98]);
    }

    #[test]
    fn every_field_of_the_header_is_written_to_its_place() {
        let bytes = BufferSpec::new(0x50)
            .stored_size(0x0101_0101)
            .saved_offset(0x0202_0202)
            .current_offset(0x0303_0303)
            .reference_count(0x0404_0404)
            .time_stamp(0x0505_0505_0505_0505)
            .sequence_number(0x0606_0606_0606_0606)
            .clock_union(0x0707_0707_0707_0707)
            .processor(0x0808)
            .logger_id(0x0909)
            .state(0x0A0A_0A0A)
            .filled_bytes(0x0B0B_0B0B)
            .flags(BufferFlags(0x0C2C))
            .buffer_type(BufferType(0x0D0D))
            .reference_time([0x0E; 16])
            .filler(0xF0)
            .to_bytes();
        let spelled = hex("
            01*4 02*4 03*4 04*4 | BufferSize, SavedOffset, CurrentOffset, ReferenceCount
            05*8 06*8           | TimeStamp, SequenceNumber
            07*8 08*2 09*2 0A*4 | union, processor, LoggerId, State
            0B*4 2C 0C 0D*2     | Offset, BufferFlag, BufferType
            0E*16               | ReferenceTime
            F0*8                | filler
        ");
        assert_eq!(bytes, spelled);
    }

    #[test]
    fn an_old_header_is_written_in_its_layout() {
        let spec = BufferSpec::new(0x48)
            .reference_count(2)
            .time_stamp(1)
            .sequence_number(9)
            .processor(5)
            .logger_id(3)
            .events_lost(0x0403_0201)
            .flags(BufferFlags(0x22))
            .buffer_type(BufferType(1))
            .current_offset(0x48);
        let start = "
            02 00 00 00 48 00 00 00 48 00 00 00 00 00 00 00 | ReferenceCount, two offsets, UsePerfClock
            01 00 00 00 00 00 00 00 00*16                   | TimeStamp, Guid
            05 08 03 00 04 00 00 00                         | ProcessorNumber, Alignment, LoggerId, Flags: Flush
            48 00 00 00                                     | Offset
        ";
        for (layout, lost_or_flags) in [
            (Layout::Windows2000, "01 02 03 04 | EventsLost"),
            (Layout::WindowsXp, "01 02 03 04 | EventsLost"),
            (Layout::Server2003, "02 00 01 00 | BufferFlag without PROC_INDEX, BufferType"),
        ] {
            let spelled = hex(&format!("{start}\n{lost_or_flags}\n00*16"));
            assert_eq!(spec.clone().layout(layout).to_bytes(), spelled, "{layout:?}");
        }
    }

    #[test]
    fn a_header_without_a_16_bit_index_has_an_alignment_and_refuses_processor_256() {
        let spec = BufferSpec::new(0x48).flags(BufferFlags(0));
        assert_eq!(spec.clone().processor(255).to_bytes()[0x28..0x2A], [0xFF, 0x08]);
        assert_eq!(
            spec.processor(256).try_to_bytes(),
            Err(WriteError::OutOfRange {
                what: "a buffer header without PROC_INDEX",
                field: "processor",
                value: 256,
                max: 255
            })
        );
    }

    #[test]
    fn records_are_padded_and_a_full_buffer_is_full() {
        let spec = BufferSpec::new(0x58).padding(0xAB).raw(&[1, 2, 3]).raw(&[4]);
        let bytes = spec.to_bytes();
        assert_eq!(bytes[0x48..], hex("01 02 03 AB*5 04 AB*7"));
        assert_eq!(bytes[0x30..0x34], [0x58, 0, 0, 0]);
        assert_eq!(spec.clone().without_last_padding().to_bytes()[0x30..0x34], [0x51, 0, 0, 0]);
        assert_eq!(
            spec.raw(&[5]).try_to_bytes(),
            Err(WriteError::BufferFull { need: 0x60, buffer_size: 0x58 })
        );
    }

    #[test]
    fn a_record_that_is_too_long_is_told_when_the_buffer_is_made() {
        let long = EventSpec { payload: vec![0; 65_536 - 0x50], ..EventSpec::default() };
        let spec = BufferSpec::new(0x20_0000).event(&long).event(&EventSpec::default());
        let error = WriteError::TooLong { what: "EVENT_HEADER record", len: 65_536, max: 65_535 };
        assert_eq!(spec.error(), Some(error));
        assert_eq!(spec.try_to_bytes(), Err(error));
        let longest = EventSpec { payload: vec![0; 65_535 - 0x50], ..EventSpec::default() };
        let bytes = BufferSpec::new(0x20_0000).event(&longest).to_bytes();
        assert_eq!(BufferView::parse(&bytes).unwrap().records().count(), 1);
    }

    #[test]
    fn a_compressed_buffer_has_a_plain_header_that_tells_both_lengths() {
        for format in Format::ALL {
            let plain = spec().event(&EventSpec { payload: vec![7; 1000], ..EventSpec::default() });
            let bytes = plain.to_compressed_bytes(format);
            let len = u32::try_from(bytes.len()).unwrap();
            assert!(len < 0x200, "{format} compresses");
            assert_eq!(bytes[..4], len.to_le_bytes(), "BufferSize is what is stored");
            // 0x48 + 0x50 + 0x50 + 1000
            assert_eq!(
                bytes[0x30..0x36],
                hex("D0 04 00 00 60 00 | Offset is what it expands to; COMPRESSED")
            );
            let whole = plain.to_bytes();
            assert_eq!(bytes[4..0x30], whole[4..0x30]);
            let mut expanded = vec![0; 0x4D0 - 0x48];
            let made = etweir::codec::decompress(format, &bytes[0x48..], &mut expanded);
            assert_eq!(made, Ok(0x4D0 - 0x48));
            assert_eq!(expanded, whole[0x48..0x4D0]);
            assert!(BufferView::parse(&bytes).is_err(), "a view is of records in the clear");
        }
    }
}
