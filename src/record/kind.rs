//! The kinds of records, and the shape of each header.

use core::fmt;

/// What a record is: its header's family, and the pointer width of its payload.
///
/// The width belongs to the record, not to the file: files mix both.
/// Source: format reference, "The marker: how to tell kinds apart".
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RecordKind {
    /// `SYSTEM_TRACE_HEADER`, header type 1.
    System32,
    /// `SYSTEM_TRACE_HEADER`, header type 2.
    System64,
    /// The first 0x18 bytes of a `SYSTEM_TRACE_HEADER`, header type 3.
    Compact32,
    /// The first 0x18 bytes of a `SYSTEM_TRACE_HEADER`, header type 4.
    Compact64,
    /// `EVENT_TRACE_HEADER`, header type 0x0A.
    Full32,
    /// `EVENT_TRACE_HEADER`, header type 0x14.
    Full64,
    /// `EVENT_INSTANCE_GUID_HEADER`, before Windows 5.2 `EVENT_INSTANCE_HEADER`, header type 0x0B.
    Instance32,
    /// `EVENT_INSTANCE_GUID_HEADER`, header type 0x15.
    Instance64,
    /// Header type 0x0C, which no known system writes; only its size is understood.
    Timed,
    /// Header type 0x0D, "error while logging event"; only its size is understood.
    Error,
    /// `PERFINFO_TRACE_HEADER`, header type 0x10.
    PerfInfo32,
    /// `PERFINFO_TRACE_HEADER`, header type 0x11.
    PerfInfo64,
    /// `EVENT_HEADER`, header type 0x12.
    Event32,
    /// `EVENT_HEADER`, header type 0x13.
    Event64,
    /// `MESSAGE_TRACE_HEADER`: WPP software tracing. The width is in the record's option flags, if anywhere.
    Message,
}

impl RecordKind {
    /// All kinds, in the order of the enumeration.
    pub const ALL: [Self; 15] = [
        Self::System32,
        Self::System64,
        Self::Compact32,
        Self::Compact64,
        Self::Full32,
        Self::Full64,
        Self::Instance32,
        Self::Instance64,
        Self::Timed,
        Self::Error,
        Self::PerfInfo32,
        Self::PerfInfo64,
        Self::Event32,
        Self::Event64,
        Self::Message,
    ];

    /// The kind's name in lower case, as the command prints it: `system64`, `perfinfo64`, `event32`, ...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System32 => "system32",
            Self::System64 => "system64",
            Self::Compact32 => "compact32",
            Self::Compact64 => "compact64",
            Self::Full32 => "full32",
            Self::Full64 => "full64",
            Self::Instance32 => "instance32",
            Self::Instance64 => "instance64",
            Self::Timed => "timed",
            Self::Error => "error",
            Self::PerfInfo32 => "perfinfo32",
            Self::PerfInfo64 => "perfinfo64",
            Self::Event32 => "event32",
            Self::Event64 => "event64",
            Self::Message => "message",
        }
    }

    /// The header type, the byte at 0x02 of the record; `None` for MESSAGE, which is told by its first byte alone.
    #[must_use]
    pub const fn header_type(self) -> Option<u8> {
        Some(match self {
            Self::System32 => 0x01,
            Self::System64 => 0x02,
            Self::Compact32 => 0x03,
            Self::Compact64 => 0x04,
            Self::Full32 => 0x0A,
            Self::Instance32 => 0x0B,
            Self::Timed => 0x0C,
            Self::Error => 0x0D,
            Self::PerfInfo32 => 0x10,
            Self::PerfInfo64 => 0x11,
            Self::Event32 => 0x12,
            Self::Event64 => 0x13,
            Self::Full64 => 0x14,
            Self::Instance64 => 0x15,
            Self::Message => return None,
        })
    }

    /// Bytes of a pointer in the payload, 4 or 8; `None` where the kind does not say.
    #[must_use]
    pub const fn pointer_size(self) -> Option<u8> {
        match self {
            Self::System32
            | Self::Compact32
            | Self::Full32
            | Self::Instance32
            | Self::PerfInfo32
            | Self::Event32 => Some(4),
            Self::System64
            | Self::Compact64
            | Self::Full64
            | Self::Instance64
            | Self::PerfInfo64
            | Self::Event64 => Some(8),
            Self::Timed | Self::Error | Self::Message => None,
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Kinds that share a header layout, whatever their width.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Family {
    System,
    Compact,
    Perf,
    Full,
    Instance,
    /// Instance headers of Windows 5.0 and 5.1.
    OldInstance,
    Event,
    Message,
    /// Only the size is understood.
    Opaque,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_once_under_its_own_name() {
        for (index, kind) in RecordKind::ALL.into_iter().enumerate() {
            for later in RecordKind::ALL.into_iter().skip(index + 1) {
                assert_ne!(kind, later);
                assert_ne!(kind.name(), later.name());
                assert_ne!(kind.header_type(), later.header_type());
            }
        }
    }
}
