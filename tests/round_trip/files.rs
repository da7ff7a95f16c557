//! Several buffers, and whole files.

use std::collections::BTreeMap;

use etweir::buffer::{BufferFlags, BufferHeader, BufferType, BufferView, Layout};
use etweir::codec::{Format, decompress};
use etweir::trace::{ClockType, LogFileHeader, LogFileMode};
use etweir::write::{LogFileSpec, RecordSpec, TraceSpec, Width};
use etweir::{FileTime, Ticks};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::cases;
use crate::specs::{record, width};

/// The buffers of a file, by the sizes in their headers.
fn buffers(file: &[u8]) -> Vec<&[u8]> {
    let mut buffers = Vec::new();
    let mut rest = file;
    while !rest.is_empty() {
        let header = BufferHeader::parse(rest, Layout::Modern).expect("a header");
        let (buffer, behind) = rest.split_at(usize::try_from(header.buffer_size().unwrap()).unwrap());
        buffers.push(buffer);
        rest = behind;
    }
    buffers
}

fn header_of(buffer: &[u8]) -> BufferHeader<'_> {
    BufferHeader::parse(buffer, Layout::Modern).expect("a header")
}

fn log_file_header(buffer: &[u8]) -> LogFileHeader {
    let view = BufferView::parse(buffer).expect("a buffer");
    LogFileHeader::parse(&view.records().next().expect("a record").expect("a good one")).expect("the header")
}

/// The bytes of records.
type Records = Vec<Vec<u8>>;

fn records_of(buffer: &[u8]) -> Records {
    let view = BufferView::parse(buffer).expect("a buffer");
    view.records().map(|record| record.expect("a good one").bytes().to_vec()).collect()
}

/// The buffer with its records in the clear.
fn expanded(buffer: &[u8], format: Format) -> Vec<u8> {
    let header = header_of(buffer);
    assert!(header.is_compressed());
    let filled = usize::try_from(header.filled_bytes()).unwrap();
    let mut bytes = buffer[..0x48].to_vec();
    bytes.resize(filled, 0);
    assert_eq!(decompress(format, &buffer[0x48..], &mut bytes[0x48..]), Ok(filled - 0x48));
    bytes[0x34] &= !0x40;
    bytes
}

prop_compose! {
    fn log_file()(
        width in width(),
        versions: (u8, u8, u8, u8, u32),
        numbers: (u32, u32, u32, u32, u32, u32, u32, u32, u32),
        times: (i64, i64, i64, i64, i64),
        sources: (u32, u32),
        names in (option::of("[a-zA-Z\u{e4}\u{1F600} ]{0,12}"), option::of("[a-z:\\\\.]{0,20}")),
    ) -> LogFileSpec {
        let (major_version, minor_version, sub_version, sub_minor_version, provider_version) = versions;
        let (processors, resolution, limit, mode, written, lost, speed, clock, buffers_lost) = numbers;
        let (end, boot, perf_freq, start, stamp) = times;
        LogFileSpec {
            width,
            buffer_size: 4096,
            // Older ones have another buffer header.
            major_version: major_version | 0x08,
            minor_version,
            sub_version,
            sub_minor_version,
            provider_version,
            number_of_processors: processors,
            end_time: FileTime(end),
            timer_resolution: resolution,
            maximum_file_size: limit,
            log_file_mode: LogFileMode(mode & !LogFileMode::COMPRESSED.0),
            buffers_written: Some(written),
            events_lost: lost,
            cpu_speed_in_mhz: speed,
            timer_source: sources.0.into(),
            counter_source: sources.1.into(),
            boot_time: FileTime(boot),
            perf_freq,
            start_time: FileTime(start),
            clock_type: ClockType(clock),
            buffers_lost,
            logger_name: names.0,
            log_file_name: names.1,
            time_stamp: Ticks(stamp),
            ..LogFileSpec::default()
        }
    }
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_log_file_header_reads_back_as_it_was_written(spec in log_file()) {
        let file = TraceSpec::new(spec.clone()).to_bytes();
        let header = log_file_header(&file);
        prop_assert_eq!(header.buffer_size, spec.buffer_size);
        prop_assert_eq!(header.major_version, spec.major_version);
        prop_assert_eq!(header.minor_version, spec.minor_version);
        prop_assert_eq!(header.sub_version, spec.sub_version);
        prop_assert_eq!(header.sub_minor_version, spec.sub_minor_version);
        prop_assert_eq!(header.provider_version, spec.provider_version);
        prop_assert_eq!(header.number_of_processors, spec.number_of_processors);
        prop_assert_eq!(header.end_time, spec.end_time);
        prop_assert_eq!(header.timer_resolution, spec.timer_resolution);
        prop_assert_eq!(header.maximum_file_size, spec.maximum_file_size);
        prop_assert_eq!(header.log_file_mode, spec.log_file_mode);
        prop_assert_eq!(Some(header.buffers_written), spec.buffers_written);
        prop_assert_eq!(header.start_buffers, spec.start_buffers);
        prop_assert_eq!(header.pointer_size, if spec.width == Width::Bits32 { 4 } else { 8 });
        prop_assert_eq!(header.events_lost, spec.events_lost);
        prop_assert_eq!(header.cpu_speed_in_mhz, spec.cpu_speed_in_mhz);
        prop_assert_eq!(header.boot_time, spec.boot_time);
        prop_assert_eq!(header.perf_freq, spec.perf_freq);
        prop_assert_eq!(header.start_time, spec.start_time);
        prop_assert_eq!(header.clock_type, spec.clock_type);
        prop_assert_eq!(header.buffers_lost, spec.buffers_lost);
        prop_assert_eq!(header.time_stamp, spec.time_stamp);
        prop_assert_eq!(header.time_zone.bias, spec.time_zone.bias);
        prop_assert_eq!(header.time_zone.standard_name, spec.time_zone.standard_name);
        prop_assert_eq!(header.time_zone.daylight_date, spec.time_zone.daylight_date);
        let log_file_name = if spec.logger_name.is_some() { spec.log_file_name } else { None };
        prop_assert_eq!(header.logger_name, spec.logger_name.unwrap_or_default());
        prop_assert_eq!(header.log_file_name, log_file_name.unwrap_or_default());
    }

    #[test]
    fn the_records_of_a_processor_come_back_in_its_buffers_in_order(
        records in vec((0..5_u16, record()), 0..60), size in 1..8_u32,
    ) {
        let log_file = LogFileSpec { buffer_size: size * 0x400, ..LogFileSpec::default() };
        let trace = TraceSpec::new(log_file).logger_id(5).records(records.clone());
        let file = trace.to_bytes();
        let all = buffers(&file);
        let (header, data) = all.split_first().expect("a header buffer");
        prop_assert_eq!(header_of(header).buffer_type(), Some(BufferType::HEADER));
        prop_assert_eq!(usize::try_from(log_file_header(header).buffers_written), Ok(all.len()));

        let mut by_processor: BTreeMap<u16, Vec<(i64, Records)>> = BTreeMap::new();
        for buffer in data {
            let header = header_of(buffer);
            prop_assert_eq!(header.logger_id(), 5);
            prop_assert_eq!(header.buffer_size(), Some(size * 0x400));
            let number = header.sequence_number().unwrap();
            by_processor.entry(header.processor_index()).or_default().push((number, records_of(buffer)));
        }
        let mut numbers: Vec<_> = by_processor.values().flatten().map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        let count = i64::try_from(data.len()).unwrap();
        prop_assert_eq!(numbers, (1..=count).collect::<Vec<_>>(), "each number once");
        for (processor, buffers) in &by_processor {
            prop_assert!(buffers.is_sorted_by_key(|(number, _)| *number));
            let read: Vec<_> = buffers.iter().flat_map(|(_, records)| records.clone()).collect();
            let written: Vec<_> =
                records.iter().filter(|(cpu, _)| cpu == processor).map(|(_, record)| bytes_of(record)).collect();
            prop_assert_eq!(read, written);
        }
        let marked: Vec<_> = data
            .iter()
            .map(|buffer| header_of(buffer).buffer_flags().contains(BufferFlags::FLUSH_MARKER))
            .collect();
        let last = data.len().wrapping_sub(1);
        prop_assert!(marked.iter().enumerate().all(|(index, marked)| *marked == (index == last)));
    }

    #[test]
    fn a_compressed_file_holds_the_same_records(records in vec((0..3_u16, record()), 0..40)) {
        let file = TraceSpec::new(LogFileSpec::default()).records(records).to_file();
        let plain = file.to_bytes();
        for format in Format::ALL {
            let packed = file.clone().compressed(format).to_bytes();
            let header = log_file_header(&packed);
            prop_assert!(header.log_file_mode.contains(LogFileMode::COMPRESSED));
            prop_assert_eq!((header.sub_version, header.sub_minor_version), (2, 0));
            prop_assert_eq!(header_of(&packed).state(), u32::from(format.number()));
            prop_assert_eq!(header_of(&packed).buffer_size().unwrap() % 0x200, 0);
            let (plain, packed) = (buffers(&plain), buffers(&packed));
            prop_assert_eq!(plain.len(), packed.len());
            for (plain, packed) in plain.iter().zip(&packed).skip(1) {
                let expanded = expanded(packed, format);
                prop_assert_eq!(&expanded[4..], &plain[4..expanded.len()]);
                prop_assert_eq!(packed.len(), usize::try_from(header_of(packed).buffer_size().unwrap()).unwrap());
            }
        }
    }
}

fn bytes_of(record: &RecordSpec) -> Vec<u8> {
    record.to_bytes().expect("short enough")
}
