//! `TRACE_LOGFILE_HEADER`: the payload of the first record of a file.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::{I32, I64, U16, U32, U64};

/// The part of the header before the two pointers, the same in both widths, 0x38 bytes.
///
/// Source: format reference, "TRACE_LOGFILE_HEADER"; the public structure of that name.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawLogFileStart {
    /// 0x00 Bytes of a buffer of the session, before compression.
    pub(crate) buffer_size: U32,
    /// 0x04 Windows' version.
    pub(crate) major_version: u8,
    /// 0x05
    pub(crate) minor_version: u8,
    /// 0x06 The file layout's version, major.
    pub(crate) sub_version: u8,
    /// 0x07 The file layout's version, minor.
    pub(crate) sub_minor_version: u8,
    /// 0x08 Build of the operating system.
    pub(crate) provider_version: U32,
    /// 0x0C
    pub(crate) number_of_processors: U32,
    /// 0x10 `FILETIME`; 0 while the session runs.
    pub(crate) end_time: I64,
    /// 0x18 100 ns.
    pub(crate) timer_resolution: U32,
    /// 0x1C MB, or KB as the mode says.
    pub(crate) maximum_file_size: U32,
    /// 0x20 `EVENT_TRACE_*_MODE`.
    pub(crate) log_file_mode: U32,
    /// 0x24 The header buffer included; 0 if the file was never closed.
    pub(crate) buffers_written: U32,
    /// 0x28
    pub(crate) start_buffers: U32,
    /// 0x2C Bytes.
    pub(crate) pointer_size: U32,
    /// 0x30
    pub(crate) events_lost: U32,
    /// 0x34
    pub(crate) cpu_speed_in_mhz: U32,
}

const _: () = assert!(size_of::<RawLogFileStart>() == 0x38);

/// The part after the two pointers, the same in both widths, 0xD0 bytes.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawLogFileEnd {
    /// 0x00
    pub(crate) time_zone: RawTimeZone,
    /// 0xAC
    pub(crate) padding: U32,
    /// 0xB0 `FILETIME`.
    pub(crate) boot_time: I64,
    /// 0xB8 Ticks of the performance counter per second.
    pub(crate) perf_freq: I64,
    /// 0xC0 `FILETIME`; belongs to the time stamp of the record.
    pub(crate) start_time: I64,
    /// 0xC8 The clock type.
    pub(crate) reserved_flags: U32,
    /// 0xCC
    pub(crate) buffers_lost: U32,
}

const _: () = assert!(size_of::<RawLogFileEnd>() == 0xD0);

/// The header of a 32-bit session, 0x110 bytes.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawLogFile32 {
    /// 0x00
    pub(crate) start: RawLogFileStart,
    /// 0x38 `LoggerName`: a stale pointer, or the source of the clock interrupt.
    pub(crate) logger_name: U32,
    /// 0x3C `LogFileName`: a stale pointer, or the source of the performance counter.
    pub(crate) log_file_name: U32,
    /// 0x40
    pub(crate) end: RawLogFileEnd,
}

const _: () = assert!(size_of::<RawLogFile32>() == 0x110);

/// The header of a 64-bit session, 0x118 bytes.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawLogFile64 {
    /// 0x00
    pub(crate) start: RawLogFileStart,
    /// 0x38
    pub(crate) logger_name: U64,
    /// 0x40
    pub(crate) log_file_name: U64,
    /// 0x48
    pub(crate) end: RawLogFileEnd,
}

const _: () = assert!(size_of::<RawLogFile64>() == 0x118);

/// `TIME_ZONE_INFORMATION`, 0xAC bytes.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned)]
#[repr(C)]
pub(crate) struct RawTimeZone {
    /// 0x00 Minutes: UTC = local time + bias.
    pub(crate) bias: I32,
    /// 0x04 UTF-16, zero-terminated.
    pub(crate) standard_name: [u8; 64],
    /// 0x44 `SYSTEMTIME`; before 6.0 `TIME_FIELDS`, whose weekday comes last.
    pub(crate) standard_date: [U16; 8],
    /// 0x54
    pub(crate) standard_bias: I32,
    /// 0x58
    pub(crate) daylight_name: [u8; 64],
    /// 0x98
    pub(crate) daylight_date: [U16; 8],
    /// 0xA8
    pub(crate) daylight_bias: I32,
}

const _: () = assert!(size_of::<RawTimeZone>() == 0xAC);
