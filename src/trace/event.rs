//! `Event`: the one view over all record kinds, as a consumer of `EVENT_RECORD`s sees them.

use core::fmt;

use crate::guid::Guid;
use crate::record::{ExtendedItems, ExtendedType, Header, OwnedRecord, Record, RecordKind};
use crate::time::{FileTime, Ticks};
use crate::trace::buffer::BufferContext;
use crate::trace::groups::provider_of_hook;
use crate::wire::flags::{
    EVENT_FLAG_32_BIT_HEADER, EVENT_FLAG_64_BIT_HEADER, EVENT_FLAG_CLASSIC_HEADER, EVENT_FLAG_DECODE_GUID,
    EVENT_FLAG_EXTENDED_INFO, EVENT_FLAG_NO_CPUTIME, EVENT_FLAG_TRACE_MESSAGE, NO_ID,
};

/// An event: what `EVENT_RECORD` shows of a record of any kind. `Copy`, borrowed from its buffer.
///
/// Every getter reads the record in place and converts only what it returns; nothing is allocated. What a kind does not
/// carry is `None`, or the zero that Windows shows in its place. The record as it lies on disk is always there:
/// [`Event::record`].
///
/// | | EVENT_HEADER | SYSTEM, COMPACT | PERFINFO | FULL_HEADER, INSTANCE | MESSAGE |
/// | --- | --- | --- | --- | --- | --- |
/// | provider id | own | class of the group | class of the group | class GUID | message GUID |
/// | id | own | 0 | 0 | 0 | message number |
/// | opcode | own | type of the hook | type of the hook | class type | 0 |
/// | version | own | low byte | low byte | low byte | 0 |
/// | level | own | 0 | 0 | class level | 0 |
/// | channel, task, keyword | own | 0 | 0 | 0 | 0 |
/// | process, thread | own | own | none | own | if present |
///
/// Source: format reference, "From records to the consumer's `EVENT_RECORD`".
#[derive(Clone, Copy)]
pub struct Event<'a> {
    context: &'a BufferContext,
    record: Record<'a>,
}

const _: () = assert!(size_of::<Event<'_>>() <= 64);

impl<'a> Event<'a> {
    #[inline]
    pub(super) const fn new(context: &'a BufferContext, record: Record<'a>) -> Self {
        Self { context, record }
    }

    /// The record as it lies on disk.
    #[must_use]
    pub const fn record(&self) -> Record<'a> {
        self.record
    }

    /// What it shares with all events of its buffer.
    #[must_use]
    pub const fn context(&self) -> &'a BufferContext {
        self.context
    }

    /// A copy that outlives the buffer: one allocation of the record's size.
    #[must_use]
    pub fn to_owned_event(&self) -> OwnedEvent {
        OwnedEvent { context: *self.context, record: self.record.to_owned_record() }
    }

    /// What the record is.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        self.record.kind()
    }

    /// `TimeStamp` as stored, in the session's ticks. `None` for a MESSAGE without one, and for TIMED and ERROR: such a
    /// record is ordered after its predecessor in the buffer, and before the first record there that has a stamp, if it has
    /// no predecessor with one.
    #[inline]
    #[must_use]
    pub fn time_stamp(&self) -> Option<Ticks> {
        self.record.time_stamp().map(Ticks)
    }

    /// The time of day; `None` without a time stamp or without a clock to convert it.
    #[must_use]
    pub fn time(&self) -> Option<FileTime> {
        self.context.to_file_time(self.time_stamp()?)
    }

    /// `ProviderId`: the provider, the class of a classic or kernel event, or the GUID of a message.
    ///
    /// Zero for kernel groups without a class, for messages without a GUID, and where no such thing exists.
    #[inline]
    #[must_use]
    pub fn provider_id(&self) -> Guid {
        match self.record.header() {
            Header::Event(header) => Guid::from_bytes(header.provider_id),
            Header::Full(header) => Guid::from_bytes(header.guid),
            Header::Instance(header) => Guid::from_bytes(header.full.guid),
            Header::Perf(header) => provider_of_hook(header.hook_id.get()),
            Header::System(header) => provider_of_hook(header.compact.hook_id.get()),
            Header::Compact(header) => provider_of_hook(header.hook_id.get()),
            Header::Message(message) => message.message_guid().unwrap_or(Guid::ZERO),
            Header::OldInstance(_) | Header::Opaque => Guid::ZERO,
        }
    }

    /// `HookId` of a kernel record: event group in the high byte, event type in the low one.
    #[inline]
    #[must_use]
    pub fn hook_id(&self) -> Option<u16> {
        match self.record.header() {
            Header::Perf(header) => Some(header.hook_id.get()),
            Header::System(header) => Some(header.compact.hook_id.get()),
            Header::Compact(header) => Some(header.hook_id.get()),
            _ => None,
        }
    }

    /// `Id`: the event of its provider; of a MESSAGE the message number; 0 for classic and kernel events.
    #[inline]
    #[must_use]
    pub fn id(&self) -> u16 {
        match self.record.header() {
            Header::Event(header) => header.id.get(),
            Header::Message(message) => message.message_number(),
            _ => 0,
        }
    }

    /// `Version` of the payload's layout. The low byte where the record has more.
    #[inline]
    #[must_use]
    pub fn version(&self) -> u8 {
        let version = match self.record.header() {
            Header::Event(header) => return header.version,
            Header::Perf(header) => header.version,
            Header::System(header) => header.compact.version,
            Header::Compact(header) => header.version,
            Header::Full(header) => header.class_version,
            Header::Instance(header) => header.full.class_version,
            Header::OldInstance(header) => header.class_version,
            Header::Message(_) | Header::Opaque => return 0,
        };
        let [low, _] = version.to_bytes();
        low
    }

    /// `Channel`; 11 for TraceLogging.
    #[must_use]
    pub fn channel(&self) -> u8 {
        if let Header::Event(header) = self.record.header() { header.channel } else { 0 }
    }

    /// `Level`, 1 (critical) to 5 (verbose), or 0.
    #[must_use]
    pub fn level(&self) -> u8 {
        match self.record.header() {
            Header::Event(header) => header.level,
            Header::Full(header) => header.class_level,
            Header::Instance(header) => header.full.class_level,
            Header::OldInstance(header) => header.class_level,
            _ => 0,
        }
    }

    /// `Opcode`; of classic and kernel events the event type.
    #[inline]
    #[must_use]
    pub fn opcode(&self) -> u8 {
        match self.record.header() {
            Header::Event(header) => header.opcode,
            Header::Full(header) => header.class_type,
            Header::Instance(header) => header.full.class_type,
            Header::OldInstance(header) => header.class_type,
            _ => {
                let [event_type, _] = self.hook_id().unwrap_or_default().to_le_bytes();
                event_type
            }
        }
    }

    /// `Task`.
    #[must_use]
    pub fn task(&self) -> u16 {
        if let Header::Event(header) = self.record.header() { header.task.get() } else { 0 }
    }

    /// `Keyword`: bits that the provider gives a meaning.
    #[must_use]
    pub fn keyword(&self) -> u64 {
        if let Header::Event(header) = self.record.header() { header.keyword.get() } else { 0 }
    }

    /// `ProcessId`; `None` where the record carries none or says 0xFFFFFFFF, which is what Windows shows in both cases.
    #[inline]
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        let id = match self.record.header() {
            Header::Event(header) => header.process_id.get(),
            Header::System(header) => header.compact.process_id.get(),
            Header::Compact(header) => header.process_id.get(),
            // Windows 2000 has a 64-bit thread id in this place.
            Header::Full(_) | Header::OldInstance(_) if self.is_windows_2000() => return None,
            Header::Full(header) => header.process_id.get(),
            Header::Instance(header) => header.full.process_id.get(),
            Header::OldInstance(header) => header.process_id.get(),
            Header::Message(message) => message.thread_and_process()?.1,
            Header::Perf(_) | Header::Opaque => return None,
        };
        (id != NO_ID).then_some(id)
    }

    /// `ThreadId`; `None` as for [`Event::process_id`].
    #[inline]
    #[must_use]
    pub fn thread_id(&self) -> Option<u32> {
        let id = match self.record.header() {
            Header::Event(header) => header.thread_id.get(),
            Header::System(header) => header.compact.thread_id.get(),
            Header::Compact(header) => header.thread_id.get(),
            Header::Full(header) => header.thread_id.get(),
            Header::Instance(header) => header.full.thread_id.get(),
            Header::OldInstance(header) => header.thread_id.get(),
            Header::Message(message) => message.thread_and_process()?.0,
            Header::Perf(_) | Header::Opaque => return None,
        };
        (id != NO_ID).then_some(id)
    }

    /// The processor that the event was logged on; 0 for all events of a session without per-processor buffers.
    #[must_use]
    pub const fn processor_index(&self) -> u16 {
        self.context.processor_index()
    }

    /// `LoggerId`: the session's slot in the system.
    #[must_use]
    pub const fn logger_id(&self) -> u16 {
        self.context.logger_id()
    }

    /// CPU time that the thread had used; `None` where the record carries none.
    #[must_use]
    pub fn cpu_time(&self) -> Option<CpuTime> {
        let cpu_time = match self.record.header() {
            Header::Event(header) => header.cpu_time.get(),
            Header::Full(header) => header.cpu_time.get(),
            Header::Instance(header) => header.full.cpu_time.get(),
            Header::OldInstance(header) => header.cpu_time.get(),
            Header::System(header) => {
                return Some(CpuTime::KernelUser {
                    kernel_time: header.kernel_time.get(),
                    user_time: header.user_time.get(),
                });
            }
            _ => return None,
        };
        Some(if self.context.session().is_private() {
            CpuTime::Processor { processor_time: cpu_time }
        } else {
            let [a, b, c, d, e, f, g, h] = cpu_time.to_le_bytes();
            CpuTime::KernelUser {
                kernel_time: u32::from_le_bytes([a, b, c, d]),
                user_time: u32::from_le_bytes([e, f, g, h]),
            }
        })
    }

    /// `ActivityId`; `None` if the record carries none or it is zero.
    #[must_use]
    pub fn activity_id(&self) -> Option<Guid> {
        let Header::Event(header) = self.record.header() else { return None };
        Some(Guid::from_bytes(header.activity_id)).filter(|id| !id.is_zero())
    }

    /// The GUID of the RELATED_ACTIVITYID item; `None` without one or if it is zero.
    #[must_use]
    pub fn related_activity_id(&self) -> Option<Guid> {
        let item = self.extended_data().find(|item| item.ext_type() == ExtendedType::RELATED_ACTIVITYID)?;
        item.guid().filter(|id| !id.is_zero())
    }

    /// `ExtendedData`: the items of the record, and those that a consumer makes from extension bits (PEBS_INDEX and
    /// PMC_COUNTERS) and from instance headers (INSTANCE_INFO).
    #[must_use]
    pub fn extended_data(&self) -> ExtendedItems<'a> {
        self.record.extended_data()
    }

    /// `UserData`: the payload, behind the header and all its items. Empty where the extended items are damaged.
    #[inline]
    #[must_use]
    pub fn user_data(&self) -> &'a [u8] {
        self.record.payload()
    }

    /// `EventProperty`.
    #[must_use]
    pub fn event_property(&self) -> u16 {
        if let Header::Event(header) = self.record.header() { header.event_property.get() } else { 0 }
    }

    /// Bytes of a pointer in the payload, 4 or 8: as the record says, else as the session does.
    #[must_use]
    pub fn pointer_size(&self) -> u8 {
        self.own_pointer_size().unwrap_or_else(|| self.context.session().pointer_size())
    }

    /// `Flags` as a consumer sees them: those on disk, and those that follow from the record's kind, the buffer and the
    /// session.
    #[must_use]
    pub fn flags(&self) -> EventFlags {
        let width = match self.own_pointer_size() {
            Some(4) => EVENT_FLAG_32_BIT_HEADER,
            Some(_) => EVENT_FLAG_64_BIT_HEADER,
            None => 0,
        };
        let session = self.context.session().private_flag();
        let (own, session) = match self.record.header() {
            // Set below, if items are delivered.
            Header::Event(header) => (header.flags.get() & !EVENT_FLAG_EXTENDED_INFO, session),
            Header::Perf(_) => (EVENT_FLAG_CLASSIC_HEADER | EVENT_FLAG_NO_CPUTIME, 0),
            Header::Compact(_) => (EVENT_FLAG_CLASSIC_HEADER | EVENT_FLAG_NO_CPUTIME, session),
            Header::Message(_) => (EVENT_FLAG_CLASSIC_HEADER | EVENT_FLAG_TRACE_MESSAGE, session),
            _ => (EVENT_FLAG_CLASSIC_HEADER, session),
        };
        let items = self.extended_data().fold(0, |flags, item| {
            let decode =
                if item.ext_type() == ExtendedType::CONTROL_GUID { EVENT_FLAG_DECODE_GUID } else { 0 };
            flags | EVENT_FLAG_EXTENDED_INFO | decode
        });
        EventFlags(own | width | session | self.context.index_flag() | items)
    }

    fn own_pointer_size(&self) -> Option<u8> {
        match self.record.message() {
            Some(message) => message.pointer_size(),
            None => self.kind().pointer_size(),
        }
    }

    fn is_windows_2000(&self) -> bool {
        self.context.session().layout() == crate::buffer::Layout::Windows2000
    }
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("kind", &self.kind())
            .field("time_stamp", &self.time_stamp())
            .field("provider_id", &self.provider_id())
            .field("id", &self.id())
            .field("version", &self.version())
            .field("opcode", &self.opcode())
            .field("process_id", &self.process_id())
            .field("thread_id", &self.thread_id())
            .field("processor_index", &self.processor_index())
            .field("user_data", &self.user_data().len())
            .finish_non_exhaustive()
    }
}

/// A copy of an event, independent of its buffer. Made by [`Event::to_owned_event`].
#[derive(Clone, Debug)]
pub struct OwnedEvent {
    context: BufferContext,
    record: OwnedRecord,
}

impl OwnedEvent {
    /// The event that was copied. Costs nothing.
    #[must_use]
    pub fn event(&self) -> Event<'_> {
        Event::new(&self.context, self.record.record())
    }
}

/// CPU time of the thread that logged an event, in one of two forms.
///
/// The record does not say which; private sessions use the second. Source: format reference, "KernelTime/UserTime or
/// ProcessorTime".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CpuTime {
    /// Both in units of the log-file header's timer resolution.
    KernelUser {
        /// `KernelTime`
        kernel_time: u32,
        /// `UserTime`
        user_time: u32,
    },
    /// In CPU cycles.
    Processor {
        /// `ProcessorTime`
        processor_time: u64,
    },
}

/// `EVENT_HEADER.Flags` as a consumer sees them: bits, known and unknown.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct EventFlags(pub u16);

impl EventFlags {
    /// At least one extended item is delivered.
    pub const EXTENDED_INFO: Self = Self(EVENT_FLAG_EXTENDED_INFO);
    /// The session is private.
    pub const PRIVATE_SESSION: Self = Self(crate::wire::flags::EVENT_FLAG_PRIVATE_SESSION);
    /// The payload is one UTF-16 string.
    pub const STRING_ONLY: Self = Self(0x0004);
    /// A WPP message.
    pub const TRACE_MESSAGE: Self = Self(EVENT_FLAG_TRACE_MESSAGE);
    /// No kernel and user time.
    pub const NO_CPUTIME: Self = Self(EVENT_FLAG_NO_CPUTIME);
    /// Pointers in the payload have 32 bits.
    pub const HEADER_32_BIT: Self = Self(EVENT_FLAG_32_BIT_HEADER);
    /// Pointers in the payload have 64 bits.
    pub const HEADER_64_BIT: Self = Self(EVENT_FLAG_64_BIT_HEADER);
    /// The provider id is a decode GUID.
    pub const DECODE_GUID: Self = Self(EVENT_FLAG_DECODE_GUID);
    /// A classic record.
    pub const CLASSIC_HEADER: Self = Self(EVENT_FLAG_CLASSIC_HEADER);
    /// The buffer context holds a 16-bit processor index.
    pub const PROCESSOR_INDEX: Self = Self(crate::wire::flags::EVENT_FLAG_PROCESSOR_INDEX);

    /// Whether all bits of `other` are set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Debug for EventFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventFlags(0x{:04x})", self.0)
    }
}
