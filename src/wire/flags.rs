//! Numbers that fields hold.

/// `BufferFlag`: the last buffer of a flush pass.
pub(crate) const BUFFER_FLAG_FLUSH_MARKER: u16 = 0x0001;
/// `BufferFlag`: events were lost at this buffer.
pub(crate) const BUFFER_FLAG_EVENTS_LOST: u16 = 0x0002;
/// `BufferFlag`: a buffer was lost.
pub(crate) const BUFFER_FLAG_BUFFER_LOST: u16 = 0x0004;
/// `BufferFlag`: the real-time back-up file was corrupt.
pub(crate) const BUFFER_FLAG_RTBACKUP_CORRUPT: u16 = 0x0008;
/// `BufferFlag`: the buffer comes from the real-time back-up file.
pub(crate) const BUFFER_FLAG_RTBACKUP: u16 = 0x0010;
/// `BufferFlag`: the client context holds a 16-bit processor index.
pub(crate) const BUFFER_FLAG_PROC_INDEX: u16 = 0x0020;
/// `BufferFlag`: what follows the header is compressed.
pub(crate) const BUFFER_FLAG_COMPRESSED: u16 = 0x0040;

/// `BufferType` of the first buffer of a file.
pub(crate) const BUFFER_TYPE_HEADER: u16 = 4;
/// The largest `BufferType` that has a name.
#[cfg(feature = "std")]
pub(crate) const BUFFER_TYPE_LAST: u16 = 7;
/// The largest `State` that has a name, the end marker included.
#[cfg(feature = "std")]
pub(crate) const STATE_LAST: u32 = 7;
/// `ETW_PROCESSOR_INDEX_MASK`.
pub(crate) const PROCESSOR_INDEX_MASK: u16 = 0x07FF;

/// `LogFileMode`: a private (user-mode) session.
pub(crate) const MODE_PRIVATE_LOGGER: u32 = 0x0000_0800;
/// `LogFileMode`: written by the relogger.
pub(crate) const MODE_RELOG: u32 = 0x0001_0000;
/// `LogFileMode`: buffers are compressed.
pub(crate) const MODE_COMPRESSED: u32 = 0x0400_0000;

/// `EVENT_HEADER.Flags`: extended items follow the header.
pub(crate) const EVENT_FLAG_EXTENDED_INFO: u16 = 0x0001;
/// `EVENT_HEADER.Flags`: the session is private.
pub(crate) const EVENT_FLAG_PRIVATE_SESSION: u16 = 0x0002;
/// `EVENT_HEADER.Flags`: a WPP message.
pub(crate) const EVENT_FLAG_TRACE_MESSAGE: u16 = 0x0008;
/// `EVENT_HEADER.Flags`: no kernel and user time.
pub(crate) const EVENT_FLAG_NO_CPUTIME: u16 = 0x0010;
/// `EVENT_HEADER.Flags`: pointers in the payload have 32 bits.
pub(crate) const EVENT_FLAG_32_BIT_HEADER: u16 = 0x0020;
/// `EVENT_HEADER.Flags`: pointers in the payload have 64 bits.
pub(crate) const EVENT_FLAG_64_BIT_HEADER: u16 = 0x0040;
/// `EVENT_HEADER.Flags`: the provider id is a decode GUID.
pub(crate) const EVENT_FLAG_DECODE_GUID: u16 = 0x0080;
/// `EVENT_HEADER.Flags`: a classic record.
pub(crate) const EVENT_FLAG_CLASSIC_HEADER: u16 = 0x0100;
/// `EVENT_HEADER.Flags`: the buffer context holds a 16-bit processor index.
pub(crate) const EVENT_FLAG_PROCESSOR_INDEX: u16 = 0x0200;

/// MESSAGE `OptionFlags`: a sequence number is present.
pub(crate) const MESSAGE_SEQUENCE: u16 = 0x0001;
/// MESSAGE `OptionFlags`: a message GUID is present, unless a component id is.
pub(crate) const MESSAGE_GUID: u16 = 0x0002;
/// MESSAGE `OptionFlags`: a component id is present.
pub(crate) const MESSAGE_COMPONENT_ID: u16 = 0x0004;
/// MESSAGE `OptionFlags`: a time stamp is present.
pub(crate) const MESSAGE_TIMESTAMP: u16 = 0x0008;
/// MESSAGE `OptionFlags`: thread and process are present.
pub(crate) const MESSAGE_SYSTEMINFO: u16 = 0x0020;
/// MESSAGE `OptionFlags`: pointers in the arguments have 32 bits.
pub(crate) const MESSAGE_POINTER32: u16 = 0x0040;
/// MESSAGE `OptionFlags`: pointers in the arguments have 64 bits.
pub(crate) const MESSAGE_POINTER64: u16 = 0x0080;

/// `ThreadId` and `ProcessId` of a record that belongs to none.
pub(crate) const NO_ID: u32 = 0xFFFF_FFFF;

/// Extension bits of a `Version` field: a PEBS index precedes the payload.
pub(crate) const VERSION_PEBS_INDEX: u16 = 0x8000;
/// Extension bits of a `Version` field: so many counter values precede the payload.
pub(crate) const VERSION_PMC_COUNTERS: u16 = 0x0700;
