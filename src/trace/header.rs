//! `TRACE_LOGFILE_HEADER`: what the first record of a file says about the session.

use alloc::string::{String, ToString};
use core::fmt;

use crate::buffer::Layout;
use crate::bytes::Reader;
use crate::error::ParseError;
use crate::record::{Header, Record, RecordKind};
use crate::time::{FileTime, Ticks};
use crate::trace::clock::{Clock, ClockType};
use crate::utf16::Utf16;
use crate::wire::flags::{MODE_COMPRESSED, MODE_PRIVATE_LOGGER, MODE_RELOG};
use crate::wire::log_file::{RawLogFile32, RawLogFile64, RawLogFileEnd, RawLogFileStart, RawTimeZone};

/// The header of a log file, owned. Fields are as stored, under their Windows names in snake case.
///
/// Source: format reference, "TRACE_LOGFILE_HEADER".
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LogFileHeader {
    /// Bytes in a buffer of the session before compression.
    pub buffer_size: u32,
    /// Windows' version, major.
    pub major_version: u8,
    /// Windows' version, minor.
    pub minor_version: u8,
    /// Version of the file's layout, major: 1, or 2 for compressed files, large buffers and many processors.
    pub sub_version: u8,
    /// Version of the file's layout, minor.
    pub sub_minor_version: u8,
    /// Build of the operating system.
    pub provider_version: u32,
    /// Processors of the machine; 1 for a session without per-processor buffers.
    pub number_of_processors: u32,
    /// When the session was stopped; 0 if the file was never closed.
    pub end_time: FileTime,
    /// Period of the clock interrupt in 100 ns, the unit of kernel and user times.
    pub timer_resolution: u32,
    /// Limit of the file's length in MB, or in KB as the mode says; 0 for none.
    pub maximum_file_size: u32,
    /// How the session logged.
    pub log_file_mode: LogFileMode,
    /// Buffers in the file, the header buffer included; 0 if the file was never closed. A hint, never the truth.
    pub buffers_written: u32,
    /// 1 in all samples.
    pub start_buffers: u32,
    /// Bytes of a pointer in the session, 4 or 8.
    pub pointer_size: u32,
    /// Events that the session could not log.
    pub events_lost: u32,
    /// Rate of the processor's cycle counter; 0 before Windows 6.0.
    pub cpu_speed_in_mhz: u32,
    /// Time zone of the machine.
    pub time_zone: TimeZone,
    /// When the machine was started. No anchor for time stamps.
    pub boot_time: FileTime,
    /// Ticks of the performance counter per second.
    pub perf_freq: i64,
    /// When the session started; belongs to [`Self::time_stamp`].
    pub start_time: FileTime,
    /// `ReservedFlags`: the clock that stamped the records.
    pub clock_type: ClockType,
    /// Buffers that the session could not write.
    pub buffers_lost: u32,
    /// Name of the session; empty if the record has none.
    pub logger_name: String,
    /// Name of the file when it was written; empty if the record has none.
    pub log_file_name: String,
    /// Stamp of the record that holds the header: the anchor of all others.
    pub time_stamp: Ticks,
}

impl LogFileHeader {
    /// The hook of the record that holds the header: group 0, type 0.
    pub(crate) const HOOK_ID: u16 = 0;

    /// The header in a record, which has to be SYSTEM32 or SYSTEM64 with hook 0x0000. The record's kind, not its content,
    /// tells the width of the header.
    ///
    /// # Errors
    ///
    /// [`ParseError::Unexpected`] for another record, [`ParseError::Truncated`] if the payload is shorter than the fixed
    /// part of the header. Missing strings are no error.
    pub fn parse(record: &Record<'_>) -> Result<Self, ParseError> {
        const WHAT: &str = "log-file header";
        let Header::System(system) = record.header() else {
            return Err(Self::unexpected(record, record.kind().header_type().unwrap_or_default().into()));
        };
        if system.compact.hook_id.get() != Self::HOOK_ID {
            return Err(Self::unexpected(record, system.compact.hook_id.get().into()));
        }
        let version = system.compact.version.get();
        if version > u16::from(u8::MAX) {
            // Extension bits, which would shift the header.
            return Err(Self::unexpected(record, version.into()));
        }
        let time_stamp = Ticks(system.compact.system_time.get());
        let payload = record.payload();
        let at = record.bytes().len().saturating_sub(payload.len());
        let at = usize::try_from(record.offset().get()).unwrap_or(usize::MAX).saturating_add(at);
        let mut reader = Reader::new(payload, at);
        if record.kind() == RecordKind::System32 {
            let raw: &RawLogFile32 = reader.view(WHAT)?;
            Ok(Self::from_raw(&raw.start, &raw.end, reader.rest(), time_stamp))
        } else {
            let raw: &RawLogFile64 = reader.view(WHAT)?;
            Ok(Self::from_raw(&raw.start, &raw.end, reader.rest(), time_stamp))
        }
    }

    fn unexpected(record: &Record<'_>, found: u64) -> ParseError {
        ParseError::Unexpected {
            what: "record",
            at: record.offset(),
            expected: "a log-file header (a SYSTEM record with hook 0)",
            found,
        }
    }

    fn from_raw(start: &RawLogFileStart, end: &RawLogFileEnd, strings: &[u8], time_stamp: Ticks) -> Self {
        let (logger_name, rest) = Utf16::until_zero(strings);
        let (log_file_name, _) = Utf16::until_zero(rest);
        let layout = Layout::of_version(start.major_version, start.minor_version);
        Self {
            buffer_size: start.buffer_size.get(),
            major_version: start.major_version,
            minor_version: start.minor_version,
            sub_version: start.sub_version,
            sub_minor_version: start.sub_minor_version,
            provider_version: start.provider_version.get(),
            number_of_processors: start.number_of_processors.get(),
            end_time: FileTime(start.end_time.get()),
            timer_resolution: start.timer_resolution.get(),
            maximum_file_size: start.maximum_file_size.get(),
            log_file_mode: LogFileMode(start.log_file_mode.get()),
            buffers_written: start.buffers_written.get(),
            start_buffers: start.start_buffers.get(),
            pointer_size: start.pointer_size.get(),
            events_lost: start.events_lost.get(),
            cpu_speed_in_mhz: start.cpu_speed_in_mhz.get(),
            time_zone: TimeZone::from_raw(&end.time_zone, layout),
            boot_time: FileTime(end.boot_time.get()),
            perf_freq: end.perf_freq.get(),
            start_time: FileTime(end.start_time.get()),
            clock_type: ClockType(end.reserved_flags.get()),
            buffers_lost: end.buffers_lost.get(),
            logger_name: logger_name.to_string(),
            log_file_name: log_file_name.to_string(),
            time_stamp,
        }
    }

    /// The layout of the file's buffers.
    #[must_use]
    pub const fn layout(&self) -> Layout {
        Layout::of_version(self.major_version, self.minor_version)
    }

    /// The clock that its time stamps follow.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let linear = |per_second| Clock::linear(self.time_stamp, self.start_time, per_second);
        match self.clock_type {
            ClockType::QPC => linear(self.perf_freq),
            ClockType::SYSTEM_TIME => Clock::SYSTEM_TIME,
            ClockType::CPU_CYCLES => linear(i64::from(self.cpu_speed_in_mhz).saturating_mul(1_000_000)),
            ClockType::RAW if self.major_version < 6 => Clock::SYSTEM_TIME,
            ClockType::RAW => Clock::guess(self.time_stamp, self.start_time, self.perf_freq),
            _ => Clock::UNKNOWN,
        }
    }

    /// Whether the buffers behind the header buffer are compressed.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.log_file_mode.contains(LogFileMode::COMPRESSED)
    }

    /// Whether the file was closed properly: a session that ended wrote its end time.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.end_time.0 != 0
    }
}

/// `LogFileMode`: bits, known and unknown.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct LogFileMode(pub u32);

impl LogFileMode {
    /// A private (user-mode) session.
    pub const PRIVATE_LOGGER: Self = Self(MODE_PRIVATE_LOGGER);
    /// Written by the relogger: merged or rewritten.
    pub const RELOG: Self = Self(MODE_RELOG);
    /// Buffers are compressed.
    pub const COMPRESSED: Self = Self(MODE_COMPRESSED);

    /// Published names, `EVENT_TRACE_*` or `EVENT_TRACE_*_MODE`, by their bits. Source: format reference, "LogFileMode".
    const NAMES: [(u32, &'static str); 31] = [
        (0x0000_0001, "FILE_MODE_SEQUENTIAL"),
        (0x0000_0002, "FILE_MODE_CIRCULAR"),
        (0x0000_0004, "FILE_MODE_APPEND"),
        (0x0000_0008, "FILE_MODE_NEWFILE"),
        (0x0000_0010, "USE_MS_FLUSH_TIMER"),
        (0x0000_0020, "FILE_MODE_PREALLOCATE"),
        (0x0000_0040, "NONSTOPPABLE_MODE"),
        (0x0000_0080, "SECURE_MODE"),
        (0x0000_0100, "REAL_TIME_MODE"),
        (0x0000_0200, "DELAY_OPEN_FILE_MODE"),
        (0x0000_0400, "BUFFERING_MODE"),
        (MODE_PRIVATE_LOGGER, "PRIVATE_LOGGER_MODE"),
        (0x0000_1000, "ADD_HEADER_MODE"),
        (0x0000_2000, "USE_KBYTES_FOR_SIZE"),
        (0x0000_4000, "USE_GLOBAL_SEQUENCE"),
        (0x0000_8000, "USE_LOCAL_SEQUENCE"),
        (MODE_RELOG, "RELOG_MODE"),
        (0x0002_0000, "PRIVATE_IN_PROC"),
        (0x0004_0000, "BUFFER_INTERFACE_MODE"),
        (0x0008_0000, "KD_FILTER_MODE"),
        (0x0010_0000, "REALTIME_RELOG_MODE"),
        (0x0020_0000, "LOST_EVENTS_DEBUG_MODE"),
        (0x0040_0000, "STOP_ON_HYBRID_SHUTDOWN"),
        (0x0080_0000, "PERSIST_ON_HYBRID_SHUTDOWN"),
        (0x0100_0000, "USE_PAGED_MEMORY"),
        (0x0200_0000, "SYSTEM_LOGGER_MODE"),
        (MODE_COMPRESSED, "COMPRESSED_MODE"),
        (0x0800_0000, "INDEPENDENT_SESSION_MODE"),
        (0x1000_0000, "NO_PER_PROCESSOR_BUFFERING"),
        (0x2000_0000, "BLOCKING_MODE"),
        (0x8000_0000, "ADDTO_TRIAGE_DUMP"),
    ];

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The names of the known bits that are set, in the order of the bits.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().filter(move |(bit, _)| self.0 & bit != 0).map(|(_, name)| name)
    }
}

impl fmt::Debug for LogFileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogFileMode(0x{:08x})", self.0)
    }
}

/// `TIME_ZONE_INFORMATION` of the machine that wrote the trace.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TimeZone {
    /// Minutes: UTC = local time + bias.
    pub bias: i32,
    /// Name of standard time, or a resource reference such as `@tzres.dll,-112`.
    pub standard_name: String,
    /// When standard time begins.
    pub standard_date: TimeZoneDate,
    /// Minutes that standard time adds to the bias.
    pub standard_bias: i32,
    /// Name of daylight time, or a resource reference.
    pub daylight_name: String,
    /// When daylight time begins.
    pub daylight_date: TimeZoneDate,
    /// Minutes that daylight time adds to the bias.
    pub daylight_bias: i32,
}

impl TimeZone {
    fn from_raw(raw: &RawTimeZone, layout: Layout) -> Self {
        let name = |bytes: &[u8]| Utf16::until_zero(bytes).0.to_string();
        let date = |fields| TimeZoneDate::from_raw(fields, layout);
        Self {
            bias: raw.bias.get(),
            standard_name: name(&raw.standard_name),
            standard_date: date(raw.standard_date.map(zerocopy::little_endian::U16::get)),
            standard_bias: raw.standard_bias.get(),
            daylight_name: name(&raw.daylight_name),
            daylight_date: date(raw.daylight_date.map(zerocopy::little_endian::U16::get)),
            daylight_bias: raw.daylight_bias.get(),
        }
    }
}

/// A rule for a day in the year, in the form of a `SYSTEMTIME`: with a year of 0, `day` is the week of the month (5 for the
/// last) and `day_of_week` counts from Sunday. A month of 0 means that the rule does not exist.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[allow(missing_docs, reason = "the names of SYSTEMTIME say all there is")]
pub struct TimeZoneDate {
    pub year: u16,
    pub month: u16,
    pub day_of_week: u16,
    pub day: u16,
    pub hour: u16,
    pub minute: u16,
    pub second: u16,
    pub milliseconds: u16,
}

impl TimeZoneDate {
    /// Before 6.0 the kernel's `TIME_FIELDS`, whose weekday comes last; since then a `SYSTEMTIME`.
    const fn from_raw(fields: [u16; 8], layout: Layout) -> Self {
        let [year, month, a, b, c, d, e, f] = fields;
        match layout {
            Layout::Modern => {
                Self { year, month, day_of_week: a, day: b, hour: c, minute: d, second: e, milliseconds: f }
            }
            _ => Self { year, month, day: a, hour: b, minute: c, second: d, milliseconds: e, day_of_week: f },
        }
    }
}
