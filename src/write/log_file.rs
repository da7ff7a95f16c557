//! The log-file header: the payload of a file's first record.

use alloc::string::String;
use alloc::vec::Vec;

use zerocopy::IntoBytes;

use crate::buffer::Layout;
use crate::time::{FileTime, Ticks};
use crate::trace::{ClockType, LogFileMode, TimeZoneDate};
use crate::wire::log_file::{RawLogFile32, RawLogFile64, RawLogFileEnd, RawLogFileStart, RawTimeZone};
use crate::wire::{I32, I64, U16, U32, U64};
use crate::write::error::WriteError;
use crate::write::kernel::SystemSpec;
use crate::write::record::Width;

/// A log-file header, `TRACE_LOGFILE_HEADER`, and the record that holds it: SYSTEM with hook 0x0000.
///
/// The default is a closed session of Windows 11 on four processors, with the performance counter as its clock.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of TRACE_LOGFILE_HEADER; the others say what they are")]
pub struct LogFileSpec {
    /// Of the record, and with it the layout of the header.
    pub width: Width,
    /// Bytes in a buffer of the session before compression.
    pub buffer_size: u32,
    pub major_version: u8,
    pub minor_version: u8,
    /// Version of the file's layout, major. 2 is written for compressed files whatever stands here.
    pub sub_version: u8,
    /// Version of the file's layout, minor. 0 is written for compressed files whatever stands here.
    pub sub_minor_version: u8,
    pub provider_version: u32,
    pub number_of_processors: u32,
    pub end_time: FileTime,
    pub timer_resolution: u32,
    pub maximum_file_size: u32,
    /// COMPRESSED is added for compressed files.
    pub log_file_mode: LogFileMode,
    /// `None` has the true number written, or 0 where the header is written on its own.
    pub buffers_written: Option<u32>,
    pub start_buffers: u32,
    /// `None` follows the width.
    pub pointer_size: Option<u32>,
    pub events_lost: u32,
    pub cpu_speed_in_mhz: u32,
    /// `LoggerName`, a source of the clock interrupt since 6.1. The high half is not written in 32-bit headers.
    pub timer_source: u64,
    /// `LogFileName`, the source of the performance counter since 6.1. The high half is not written in 32-bit headers.
    pub counter_source: u64,
    pub time_zone: TimeZoneSpec,
    pub boot_time: FileTime,
    pub perf_freq: i64,
    pub start_time: FileTime,
    pub clock_type: ClockType,
    pub buffers_lost: u32,
    /// `None` leaves out both strings.
    pub logger_name: Option<String>,
    /// `None` leaves it out.
    pub log_file_name: Option<String>,
    /// Stamp of the record: the anchor of all others.
    pub time_stamp: Ticks,
    /// Thread of the record.
    pub thread_id: u32,
    /// Process of the record.
    pub process_id: u32,
}

impl Default for LogFileSpec {
    fn default() -> Self {
        Self {
            width: Width::Bits64,
            buffer_size: 4096,
            major_version: 10,
            minor_version: 0,
            sub_version: 1,
            sub_minor_version: 5,
            provider_version: 26_100,
            number_of_processors: 4,
            end_time: FileTime(START + 20_000_000),
            timer_resolution: 156_250,
            maximum_file_size: 0,
            log_file_mode: LogFileMode(0x0000_0001),
            buffers_written: None,
            start_buffers: 1,
            pointer_size: None,
            events_lost: 0,
            cpu_speed_in_mhz: 2400,
            timer_source: 6,
            counter_source: 6,
            time_zone: TimeZoneSpec::default(),
            boot_time: FileTime(START - 36_000_000_000),
            perf_freq: 10_000_000,
            start_time: FileTime(START),
            clock_type: ClockType::QPC,
            buffers_lost: 0,
            logger_name: Some(String::from("Session")),
            log_file_name: Some(String::from("C:\\Traces\\session.etl")),
            time_stamp: Ticks(36_000_000_000),
            thread_id: 0x1F40,
            process_id: 0x0FA0,
        }
    }
}

impl LogFileSpec {
    /// Windows 2000, 5.0.2195.
    #[must_use]
    pub fn windows_2000() -> Self {
        Self { major_version: 5, provider_version: 2195, ..Self::before_vista() }
    }

    /// Windows XP, 5.1.2600.
    #[must_use]
    pub fn windows_xp() -> Self {
        Self { major_version: 5, minor_version: 1, provider_version: 2600, ..Self::before_vista() }
    }

    /// Windows Server 2003, 5.2.3790.
    #[must_use]
    pub fn server_2003() -> Self {
        Self {
            major_version: 5,
            minor_version: 2,
            sub_minor_version: 2,
            provider_version: 3790,
            ..Self::before_vista()
        }
    }

    /// Windows Vista, 6.0.6002.
    #[must_use]
    pub fn windows_vista() -> Self {
        Self {
            major_version: 6,
            sub_minor_version: 4,
            provider_version: 6002,
            // Stale pointers.
            timer_source: 0x0000_0000_0018_F3A0,
            counter_source: 0x0000_0000_0018_F1D8,
            ..Self::default()
        }
    }

    /// Windows 7, 6.1.7601.
    #[must_use]
    pub fn windows_7() -> Self {
        Self { major_version: 6, minor_version: 1, provider_version: 7601, ..Self::default() }
    }

    /// What 5.0 to 5.2 have in common: 32 bits, the system time as clock, which was told as 0, and no speed.
    fn before_vista() -> Self {
        Self {
            width: Width::Bits32,
            sub_minor_version: 0,
            cpu_speed_in_mhz: 0,
            timer_source: 0x0012_F3A0,
            counter_source: 0x0012_F1D8,
            clock_type: ClockType::RAW,
            time_stamp: Ticks(START),
            ..Self::default()
        }
    }

    /// The layout of the file's buffers.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        Layout::of_version(self.major_version, self.minor_version)
    }

    /// Whether this version's buffer headers have 16-bit processor indices: from Windows 8.
    pub(super) const fn has_processor_index(&self) -> bool {
        self.major_version > 6 || (self.major_version == 6 && self.minor_version >= 2)
    }

    /// Whether this version leaves `SavedOffset` of the header buffer at 0: Vista and 7.
    pub(super) const fn has_zero_saved_offset(&self) -> bool {
        self.major_version == 6 && self.minor_version <= 1
    }

    /// The record that holds the header.
    #[must_use]
    pub fn to_record(&self) -> SystemSpec {
        SystemSpec {
            width: self.width,
            version: if self.major_version < 6 { 1 } else { 2 },
            hook_id: 0x0000,
            thread_id: self.thread_id,
            process_id: self.process_id,
            time_stamp: self.time_stamp.0,
            payload: self.to_payload(),
            ..SystemSpec::default()
        }
    }

    /// The record's bytes, without padding.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLong`] if the names make it longer than 65,535 bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WriteError> {
        self.to_record().to_bytes()
    }

    /// `TRACE_LOGFILE_HEADER` and the two names.
    fn to_payload(&self) -> Vec<u8> {
        let start = RawLogFileStart {
            buffer_size: U32::new(self.buffer_size),
            major_version: self.major_version,
            minor_version: self.minor_version,
            sub_version: self.sub_version,
            sub_minor_version: self.sub_minor_version,
            provider_version: U32::new(self.provider_version),
            number_of_processors: U32::new(self.number_of_processors),
            end_time: I64::new(self.end_time.0),
            timer_resolution: U32::new(self.timer_resolution),
            maximum_file_size: U32::new(self.maximum_file_size),
            log_file_mode: U32::new(self.log_file_mode.0),
            buffers_written: U32::new(self.buffers_written.unwrap_or_default()),
            start_buffers: U32::new(self.start_buffers),
            pointer_size: U32::new(self.pointer_size.unwrap_or_else(|| self.width.pointer_size().into())),
            events_lost: U32::new(self.events_lost),
            cpu_speed_in_mhz: U32::new(self.cpu_speed_in_mhz),
        };
        let end = RawLogFileEnd {
            time_zone: self.time_zone.to_raw(self.layout()),
            padding: U32::new(0),
            boot_time: I64::new(self.boot_time.0),
            perf_freq: I64::new(self.perf_freq),
            start_time: I64::new(self.start_time.0),
            reserved_flags: U32::new(self.clock_type.0),
            buffers_lost: U32::new(self.buffers_lost),
        };
        let mut bytes = match self.width {
            Width::Bits32 => {
                let [logger_name, log_file_name] =
                    [self.timer_source, self.counter_source].map(|source| U32::new(low_half(source)));
                RawLogFile32 { start, logger_name, log_file_name, end }.as_bytes().to_vec()
            }
            Width::Bits64 => {
                let [logger_name, log_file_name] = [self.timer_source, self.counter_source].map(U64::new);
                RawLogFile64 { start, logger_name, log_file_name, end }.as_bytes().to_vec()
            }
        };
        if let Some(logger_name) = &self.logger_name {
            bytes.extend(utf16z(logger_name));
            bytes.extend(self.log_file_name.as_deref().into_iter().flat_map(utf16z));
        }
        bytes
    }
}

/// `TIME_ZONE_INFORMATION`. The default is that of central Europe.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of TIME_ZONE_INFORMATION")]
pub struct TimeZoneSpec {
    pub bias: i32,
    /// At most 32 UTF-16 units are written.
    pub standard_name: String,
    pub standard_date: TimeZoneDate,
    pub standard_bias: i32,
    /// At most 32 UTF-16 units are written.
    pub daylight_name: String,
    pub daylight_date: TimeZoneDate,
    pub daylight_bias: i32,
}

impl Default for TimeZoneSpec {
    fn default() -> Self {
        // The last Sunday of the month.
        let rule = |month, hour| TimeZoneDate { month, hour, day: 5, ..TimeZoneDate::default() };
        Self {
            bias: -60,
            standard_name: String::from("@tzres.dll,-322"),
            standard_date: rule(10, 3),
            standard_bias: 0,
            daylight_name: String::from("@tzres.dll,-321"),
            daylight_date: rule(3, 2),
            daylight_bias: -60,
        }
    }
}

impl TimeZoneSpec {
    fn to_raw(&self, layout: Layout) -> RawTimeZone {
        RawTimeZone {
            bias: I32::new(self.bias),
            standard_name: name(&self.standard_name),
            standard_date: date(self.standard_date, layout),
            standard_bias: I32::new(self.standard_bias),
            daylight_name: name(&self.daylight_name),
            daylight_date: date(self.daylight_date, layout),
            daylight_bias: I32::new(self.daylight_bias),
        }
    }
}

/// A `SYSTEMTIME`; before 6.0 `TIME_FIELDS`, whose weekday comes last.
fn date(date: TimeZoneDate, layout: Layout) -> [U16; 8] {
    let TimeZoneDate { year, month, day_of_week, day, hour, minute, second, milliseconds } = date;
    match layout {
        Layout::Modern => [year, month, day_of_week, day, hour, minute, second, milliseconds],
        _ => [year, month, day, hour, minute, second, milliseconds, day_of_week],
    }
    .map(U16::new)
}

/// The first 32 units of `text`, filled up with zeros.
fn name(text: &str) -> [u8; 64] {
    let mut name = [0; 64];
    for (place, byte) in name.iter_mut().zip(text.encode_utf16().flat_map(u16::to_le_bytes)) {
        *place = byte;
    }
    name
}

/// `text` in UTF-16, zero-terminated.
fn utf16z(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes)
}

fn low_half(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// 2026-03-02T09:30:00Z.
const START: i64 = 134_169_174_000_000_000;

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn the_default_session_starts_on_a_monday_morning() {
        assert_eq!(LogFileSpec::default().start_time.to_string(), "2026-03-02T09:30:00.0000000Z");
    }
}
