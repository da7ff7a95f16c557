//! How values lie in a payload, and how they are to be shown.
//!
//! Source: payload reference on manifests, "In-types" and "Out-types"; on kernel events, "The table".

/// How a value lies in the payload: the in-types of TDH, and those of the kernel's classes that TDH has no number for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum InType {
    /// Nothing.
    Null,
    /// UTF-16: as many units as the length says, else to a zero unit or the end of the payload.
    UnicodeString,
    /// 8-bit text: as many bytes as the length says, else to a zero or the end of the payload.
    AnsiString,
    /// One byte, signed.
    Int8,
    /// One byte.
    UInt8,
    /// Two bytes, signed.
    Int16,
    /// Two bytes.
    UInt16,
    /// Four bytes, signed.
    Int32,
    /// Four bytes.
    UInt32,
    /// Eight bytes, signed.
    Int64,
    /// Eight bytes.
    UInt64,
    /// IEEE single.
    Float,
    /// IEEE double.
    Double,
    /// Four bytes, false if zero.
    Boolean,
    /// One byte, false if zero: `boolean` of MOF.
    Boolean8,
    /// As many bytes as the length says; 16 for an IPv6 address without a length. Decoding ends in front of any other
    /// without a length.
    Binary,
    /// 16 bytes.
    Guid,
    /// 4 or 8 bytes, as the event says.
    Pointer,
    /// 4 or 8 bytes, as the event says: `size_t`.
    SizeT,
    /// Eight bytes: 100 ns since 1601.
    FileTime,
    /// 16 bytes: eight 16-bit numbers.
    SystemTime,
    /// A `SID`: 8 bytes, and 4 for each sub-authority.
    Sid,
    /// Four bytes, shown in hexadecimal.
    HexInt32,
    /// Eight bytes, shown in hexadecimal.
    HexInt64,
    /// A 16-bit count of bytes, then UTF-16.
    CountedString,
    /// A 16-bit count of bytes, then 8-bit text.
    CountedAnsiString,
    /// A 16-bit count of bytes, then bytes.
    CountedBinary,
    /// A 16-bit count of bytes in big-endian, then UTF-16.
    ReversedCountedString,
    /// A 16-bit count of bytes in big-endian, then 8-bit text.
    ReversedCountedAnsiString,
    /// UTF-16 to the end of the payload.
    NonNullTerminatedString,
    /// 8-bit text to the end of the payload.
    NonNullTerminatedAnsiString,
    /// One UTF-16 unit.
    UnicodeChar,
    /// One 8-bit character.
    AnsiChar,
    /// A 32-bit count of bytes, then bytes.
    HexDump,
    /// A zero of 32 bits, or a `TOKEN_USER` with its `SID` behind it.
    WbemSid,
    /// Eight bytes in the clock of the trace.
    WmiTime,
    /// No bytes of its own: the members follow.
    Struct,
    /// A type whose layout is not known: decoding ends in front of it.
    Unknown,
}

impl InType {
    /// The name without a prefix, as in errors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "Null",
            Self::UnicodeString => "UnicodeString",
            Self::AnsiString => "AnsiString",
            Self::Int8 => "Int8",
            Self::UInt8 => "UInt8",
            Self::Int16 => "Int16",
            Self::UInt16 => "UInt16",
            Self::Int32 => "Int32",
            Self::UInt32 => "UInt32",
            Self::Int64 => "Int64",
            Self::UInt64 => "UInt64",
            Self::Float => "Float",
            Self::Double => "Double",
            Self::Boolean => "Boolean",
            Self::Boolean8 => "Boolean8",
            Self::Binary => "Binary",
            Self::Guid => "GUID",
            Self::Pointer => "Pointer",
            Self::SizeT => "SizeT",
            Self::FileTime => "FILETIME",
            Self::SystemTime => "SYSTEMTIME",
            Self::Sid => "SID",
            Self::HexInt32 => "HexInt32",
            Self::HexInt64 => "HexInt64",
            Self::CountedString => "CountedString",
            Self::CountedAnsiString => "CountedAnsiString",
            Self::CountedBinary => "CountedBinary",
            Self::ReversedCountedString => "ReversedCountedString",
            Self::ReversedCountedAnsiString => "ReversedCountedAnsiString",
            Self::NonNullTerminatedString => "NonNullTerminatedString",
            Self::NonNullTerminatedAnsiString => "NonNullTerminatedAnsiString",
            Self::UnicodeChar => "UnicodeChar",
            Self::AnsiChar => "AnsiChar",
            Self::HexDump => "HexDump",
            Self::WbemSid => "WbemSid",
            Self::WmiTime => "WmiTime",
            Self::Struct => "Struct",
            Self::Unknown => "Unknown",
        }
    }
}

/// How a value is to be shown: the out-types of TDH.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum OutType {
    /// As the in-type says.
    #[default]
    Default,
    /// Text; one character for an integer.
    String,
    /// A date with time.
    DateTime,
    /// A date with time, whatever the culture.
    DateTimeCultureInsensitive,
    /// A date with time in UTC.
    DateTimeUtc,
    /// Signed decimal.
    Signed,
    /// Unsigned decimal.
    Unsigned,
    /// A floating-point number.
    Float,
    /// True or false.
    Boolean,
    /// A GUID.
    Guid,
    /// Bytes in hexadecimal.
    HexBinary,
    /// A hexadecimal number.
    Hex,
    /// A process id.
    Pid,
    /// A thread id.
    Tid,
    /// A port, big-endian.
    Port,
    /// An IPv4 address, four bytes in network order.
    Ipv4,
    /// An IPv6 address, 16 bytes in network order.
    Ipv6,
    /// A `SOCKADDR`.
    SocketAddress,
    /// A date with time as CIM writes it.
    CimDateTime,
    /// A time in the clock of the trace.
    EtwTime,
    /// XML text.
    Xml,
    /// JSON text.
    Json,
    /// UTF-8 text.
    Utf8,
    /// An error code of no told kind.
    ErrorCode,
    /// A Win32 error code.
    Win32Error,
    /// An NTSTATUS.
    NtStatus,
    /// An HRESULT.
    HResult,
    /// A PKCS#7 message.
    Pkcs7,
    /// A code address.
    CodePointer,
    /// Text with line breaks and tabs as spaces.
    ReducedString,
    /// Nothing that people want to see.
    NoPrint,
}
