//! The log-file header in both widths. Format reference, section 4.3.

use etweir::trace::{ClockType, LogFileMode, TimeZoneDate};
use etweir::{FileTime, ParseError, Ticks};

use crate::{data_buffer, first_record, hex, log_file_header, padded, view};

/// A SYSTEM64 record with the header of a 64-bit session. All fields different from each other.
pub(crate) const RECORD64: &str = "
    02 00                   | 00 Version
    02 C0                   | 02 HeaderType SYSTEM64, Flags
    4E 01                   | 04 Size: 0x20, 0x118, 22 of strings
    00 00                   | 06 HookId 0x0000
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    40 42 0F 00 00 00 00 00 | 10 SystemTime = 1,000,000
    00*8                    | 18 KernelTime, UserTime

    00 00 01 00             | 00 BufferSize
    0A                      | 04 MajorVersion
    01                      | 05 MinorVersion
    02                      | 06 SubVersion
    05                      | 07 SubMinorVersion
    F4 65 00 00             | 08 ProviderVersion = 26,100
    08 00 00 00             | 0C NumberOfProcessors
    00 80 3E D5 DE B1 9D 01 | 10 EndTime = 116,444,736,000,000,000
    5A 62 02 00             | 18 TimerResolution = 156,250
    64 00 00 00             | 1C MaximumFileSize
    01 00 00 02             | 20 LogFileMode
    11 00 00 00             | 24 BuffersWritten
    01 00 00 00             | 28 StartBuffers
    08 00 00 00             | 2C PointerSize
    12 00 00 00             | 30 EventsLost
    60 09 00 00             | 34 CpuSpeedInMHz = 2,400
    06 00 00 00 00 00 00 00 | 38 LoggerName
    07 00 00 00 00 00 00 00 | 40 LogFileName
    C4 FF FF FF             | 48 TimeZone: Bias = -60
    53 00 74 00 64 00 00*58 | 4C StandardName = Std
    00 00 0A 00 00 00 05 00 03 00 00 00 00 00 00 00 | 8C StandardDate: month 10, weekday 0, week 5, hour 3
    00 00 00 00             | 9C StandardBias
    44 00 6C 00 74 00 00*58 | A0 DaylightName = Dlt
    00 00 03 00 01 00 04 00 02 00 1E 00 0F 00 07 00 | E0 DaylightDate: month 3, weekday 1, week 4, 02:30:15.007
    C4 FF FF FF             | F0 DaylightBias = -60
    EE EE EE EE             | F4 padding
    01 00 00 00 00 00 00 01 | F8 BootTime
    80 96 98 00 00 00 00 00 | 100 PerfFreq = 10,000,000
    02 00 00 00 00 00 00 01 | 108 StartTime
    01 00 00 00             | 110 ReservedFlags: QPC
    13 00 00 00             | 114 BuffersLost
    53 00 65 00 73 00 73 00 00 00       | 118 'Sess'
    61 00 2E 00 65 00 74 00 6C 00 00 00 | 122 'a.etl'
";

/// A SYSTEM32 record with the header of a 32-bit session: the two pointers are shorter, nothing else.
pub(crate) const RECORD32: &str = "
    02 00                   | 00 Version
    01 C0                   | 02 HeaderType SYSTEM32, Flags
    46 01                   | 04 Size: 0x20, 0x110, 22 of strings
    00 00                   | 06 HookId 0x0000
    34 12 00 00             | 08 ThreadId
    78 56 00 00             | 0C ProcessId
    40 42 0F 00 00 00 00 00 | 10 SystemTime = 1,000,000
    00*8                    | 18 KernelTime, UserTime

    00 00 01 00             | 00 BufferSize
    0A 01 02 05             | 04 versions
    F4 65 00 00             | 08 ProviderVersion = 26,100
    08 00 00 00             | 0C NumberOfProcessors
    00 80 3E D5 DE B1 9D 01 | 10 EndTime
    5A 62 02 00             | 18 TimerResolution
    64 00 00 00             | 1C MaximumFileSize
    01 00 00 02             | 20 LogFileMode
    11 00 00 00             | 24 BuffersWritten
    01 00 00 00             | 28 StartBuffers
    04 00 00 00             | 2C PointerSize
    12 00 00 00             | 30 EventsLost
    60 09 00 00             | 34 CpuSpeedInMHz
    06 00 00 00             | 38 LoggerName
    07 00 00 00             | 3C LogFileName
    C4 FF FF FF             | 40 TimeZone: Bias
    53 00 74 00 64 00 00*58 | 44 StandardName
    00 00 0A 00 00 00 05 00 03 00 00 00 00 00 00 00 | 84 StandardDate
    00 00 00 00             | 94 StandardBias
    44 00 6C 00 74 00 00*58 | 98 DaylightName
    00 00 03 00 01 00 04 00 02 00 1E 00 0F 00 07 00 | D8 DaylightDate
    C4 FF FF FF             | E8 DaylightBias
    EE EE EE EE             | EC padding
    01 00 00 00 00 00 00 01 | F0 BootTime
    80 96 98 00 00 00 00 00 | F8 PerfFreq
    02 00 00 00 00 00 00 01 | 100 StartTime
    01 00 00 00             | 108 ReservedFlags
    13 00 00 00             | 10C BuffersLost
    53 00 65 00 73 00 73 00 00 00       | 110 'Sess'
    61 00 2E 00 65 00 74 00 6C 00 00 00 | 11A 'a.etl'
";

#[test]
fn the_log_file_header_is_read_field_by_field_in_both_widths() {
    for (record, pointer_size) in [(RECORD64, 8), (RECORD32, 4)] {
        let header = log_file_header(&padded(hex(record)));
        assert_eq!(header.time_stamp, Ticks(1_000_000));
        assert_eq!(header.buffer_size, 0x1_0000);
        assert_eq!((header.major_version, header.minor_version), (10, 1));
        assert_eq!((header.sub_version, header.sub_minor_version), (2, 5));
        assert_eq!(header.provider_version, 26_100);
        assert_eq!(header.number_of_processors, 8);
        assert_eq!(header.end_time, FileTime(116_444_736_000_000_000));
        assert_eq!(header.timer_resolution, 156_250);
        assert_eq!(header.maximum_file_size, 100);
        assert_eq!(header.log_file_mode, LogFileMode(0x0200_0001));
        assert_eq!(header.buffers_written, 17);
        assert_eq!(header.start_buffers, 1);
        assert_eq!(header.pointer_size, pointer_size);
        assert_eq!(header.events_lost, 18);
        assert_eq!(header.cpu_speed_in_mhz, 2400);
        assert_eq!(header.time_zone.bias, -60);
        assert_eq!(header.time_zone.standard_name, "Std");
        assert_eq!(
            header.time_zone.standard_date,
            TimeZoneDate { month: 10, day: 5, hour: 3, ..TimeZoneDate::default() }
        );
        assert_eq!(header.time_zone.standard_bias, 0);
        assert_eq!(header.time_zone.daylight_name, "Dlt");
        assert_eq!(
            header.time_zone.daylight_date,
            TimeZoneDate {
                year: 0,
                month: 3,
                day_of_week: 1,
                day: 4,
                hour: 2,
                minute: 30,
                second: 15,
                milliseconds: 7
            }
        );
        assert_eq!(header.time_zone.daylight_bias, -60);
        assert_eq!(header.boot_time, FileTime(0x0100_0000_0000_0001));
        assert_eq!(header.perf_freq, 10_000_000);
        assert_eq!(header.start_time, FileTime(0x0100_0000_0000_0002));
        assert_eq!(header.clock_type, ClockType::QPC);
        assert_eq!(header.buffers_lost, 19);
        assert_eq!(header.logger_name, "Sess");
        assert_eq!(header.log_file_name, "a.etl");
    }
}

#[test]
fn before_windows_6_0_the_weekday_of_a_rule_comes_last() {
    let mut record = hex(RECORD64);
    record[0x20 + 4] = 5;
    let header = log_file_header(&padded(record));
    assert_eq!(
        header.time_zone.daylight_date,
        TimeZoneDate {
            year: 0,
            month: 3,
            day: 1,
            hour: 4,
            minute: 2,
            second: 30,
            milliseconds: 15,
            day_of_week: 7
        }
    );
}

#[test]
fn stamps_are_anchored_at_the_header_s_own() {
    let header = log_file_header(&padded(hex(RECORD64)));
    let clock = header.clock();
    assert_eq!(clock.to_file_time(Ticks(1_000_000)), Some(FileTime(0x0100_0000_0000_0002)));
    assert_eq!(clock.to_file_time(Ticks(1_000_007)), Some(FileTime(0x0100_0000_0000_0009)));
}

#[test]
fn the_clock_type_and_the_version_choose_the_clock() {
    let at = |clock: u8, major: u8| {
        let mut record = hex(RECORD64);
        record[0x20 + 0x110] = clock;
        record[0x20 + 4] = major;
        log_file_header(&padded(record)).clock().to_file_time(Ticks(1_000_000 + 2400))
    };
    assert_eq!(at(1, 10), Some(FileTime(0x0100_0000_0000_0002 + 2400)), "QPC at 10 MHz");
    assert_eq!(at(2, 10), Some(FileTime(1_002_400)), "the stamp is the time");
    assert_eq!(
        at(3, 10),
        Some(FileTime(0x0100_0000_0000_0002 + 10)),
        "2400 cycles at 2400 MHz are a microsecond"
    );
    assert_eq!(at(0, 5), Some(FileTime(1_002_400)), "before 6.0 the system time was the default");
    assert_eq!(at(4, 10), None, "unknown");
}

#[test]
fn the_fixed_part_is_needed_and_the_strings_are_not() {
    for (record, fixed) in [(RECORD64, 0x20 + 0x118_u16), (RECORD32, 0x20 + 0x110)] {
        for (size, whole) in [(fixed + 22, true), (fixed + 1, true), (fixed, true), (fixed - 1, false)] {
            let mut record = hex(record);
            record.truncate(size.into());
            record[4..6].copy_from_slice(&size.to_le_bytes());
            let bytes = data_buffer(&padded(record));
            let view = view(&bytes, etweir::buffer::Layout::Modern);
            let header = etweir::trace::LogFileHeader::parse(&first_record(&view));
            match header {
                Ok(header) => {
                    assert!(whole, "size {size:#x}");
                    assert_eq!(header.logger_name, if size == fixed + 22 { "Sess" } else { "" });
                }
                Err(error) => {
                    assert!(
                        !whole && matches!(error, ParseError::Truncated { .. }),
                        "size {size:#x}: {error}"
                    );
                }
            }
        }
    }
}

#[test]
fn only_a_system_record_with_hook_0_is_a_log_file_header() {
    let mut other_hook = hex(RECORD64);
    other_hook[6] = 5;
    for record in [other_hook, hex(crate::kernel::PERF64)] {
        let bytes = data_buffer(&padded(record));
        let view = view(&bytes, etweir::buffer::Layout::Modern);
        let error = etweir::trace::LogFileHeader::parse(&first_record(&view)).expect_err("another record");
        assert!(matches!(error, ParseError::Unexpected { .. }), "{error}");
    }
}

#[cfg(feature = "write")]
mod written {
    use etweir::write::{LogFileSpec, TimeZoneSpec, Width};

    use super::*;

    fn spec(width: Width) -> LogFileSpec {
        LogFileSpec {
            width,
            buffer_size: 0x1_0000,
            major_version: 10,
            minor_version: 1,
            sub_version: 2,
            sub_minor_version: 5,
            provider_version: 26_100,
            number_of_processors: 8,
            end_time: FileTime(116_444_736_000_000_000),
            timer_resolution: 156_250,
            maximum_file_size: 100,
            log_file_mode: LogFileMode(0x0200_0001),
            buffers_written: Some(17),
            start_buffers: 1,
            pointer_size: None,
            events_lost: 18,
            cpu_speed_in_mhz: 2400,
            timer_source: 6,
            counter_source: 7,
            time_zone: TimeZoneSpec {
                bias: -60,
                standard_name: "Std".to_owned(),
                standard_date: TimeZoneDate { month: 10, day: 5, hour: 3, ..TimeZoneDate::default() },
                standard_bias: 0,
                daylight_name: "Dlt".to_owned(),
                daylight_date: TimeZoneDate {
                    year: 0,
                    month: 3,
                    day_of_week: 1,
                    day: 4,
                    hour: 2,
                    minute: 30,
                    second: 15,
                    milliseconds: 7,
                },
                daylight_bias: -60,
            },
            boot_time: FileTime(0x0100_0000_0000_0001),
            perf_freq: 10_000_000,
            start_time: FileTime(0x0100_0000_0000_0002),
            clock_type: ClockType::QPC,
            buffers_lost: 19,
            logger_name: Some("Sess".to_owned()),
            log_file_name: Some("a.etl".to_owned()),
            time_stamp: Ticks(1_000_000),
            thread_id: 0x1234,
            process_id: 0x5678,
        }
    }

    #[test]
    fn the_log_file_header_is_written_as_it_is_spelled() {
        for (width, record, padding) in [(Width::Bits64, RECORD64, 0xF4), (Width::Bits32, RECORD32, 0xEC)] {
            let mut spelled = hex(record);
            spelled[0x20 + padding..0x20 + padding + 4].fill(0);
            assert_eq!(spec(width).to_bytes(), Ok(spelled));
        }
    }

    #[test]
    fn before_windows_6_0_the_weekday_of_a_rule_is_written_last() {
        let bytes = LogFileSpec { major_version: 5, ..spec(Width::Bits64) }.to_bytes().expect("short enough");
        assert_eq!(
            bytes[0x20 + 0xE0..0x20 + 0xF0],
            hex("00 00 03 00 04 00 02 00 1E 00 0F 00 07 00 01 00 | year, month, day, hour, ..., weekday")
        );
        assert_eq!(bytes[..2], [1, 0], "the record's version");
    }
}
