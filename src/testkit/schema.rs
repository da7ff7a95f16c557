//! Any schema out of any bytes.

use alloc::vec::Vec;

use crate::decode::{Count, EventNames, InType, Length, OutType, Property, Schema, SchemaKind};

/// All in-types.
pub const IN_TYPES: [InType; 38] = [
    InType::Null,
    InType::UnicodeString,
    InType::AnsiString,
    InType::Int8,
    InType::UInt8,
    InType::Int16,
    InType::UInt16,
    InType::Int32,
    InType::UInt32,
    InType::Int64,
    InType::UInt64,
    InType::Float,
    InType::Double,
    InType::Boolean,
    InType::Boolean8,
    InType::Binary,
    InType::Guid,
    InType::Pointer,
    InType::SizeT,
    InType::FileTime,
    InType::SystemTime,
    InType::Sid,
    InType::HexInt32,
    InType::HexInt64,
    InType::CountedString,
    InType::CountedAnsiString,
    InType::CountedBinary,
    InType::ReversedCountedString,
    InType::ReversedCountedAnsiString,
    InType::NonNullTerminatedString,
    InType::NonNullTerminatedAnsiString,
    InType::UnicodeChar,
    InType::AnsiChar,
    InType::HexDump,
    InType::WbemSid,
    InType::WmiTime,
    InType::Unknown,
    InType::Struct,
];

/// All out-types.
pub const OUT_TYPES: [OutType; 31] = [
    OutType::Default,
    OutType::String,
    OutType::DateTime,
    OutType::DateTimeCultureInsensitive,
    OutType::DateTimeUtc,
    OutType::Signed,
    OutType::Unsigned,
    OutType::Float,
    OutType::Boolean,
    OutType::Guid,
    OutType::HexBinary,
    OutType::Hex,
    OutType::Pid,
    OutType::Tid,
    OutType::Port,
    OutType::Ipv4,
    OutType::Ipv6,
    OutType::SocketAddress,
    OutType::CimDateTime,
    OutType::EtwTime,
    OutType::Xml,
    OutType::Json,
    OutType::Utf8,
    OutType::ErrorCode,
    OutType::Win32Error,
    OutType::NtStatus,
    OutType::HResult,
    OutType::Pkcs7,
    OutType::CodePointer,
    OutType::ReducedString,
    OutType::NoPrint,
];

/// A schema that the first bytes describe, if they describe one, and what follows them.
///
/// Most references and members make sense, some do not.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Option<(Schema, &[u8])> {
    let mut source = Source { bytes };
    let count = source.below(32);
    let top_level = source.below(count.saturating_add(1));
    let mut next_member = top_level;
    let properties: Vec<Property> = (0..count)
        .map(|index| {
            // More structures than chance would give: without them there is little to nest.
            let in_type = match source.byte() {
                byte @ 0..200 => IN_TYPES.iter().cycle().nth(byte.into()).copied(),
                _ => None,
            };
            let mut property = Property::new(alloc::format!("p{index}"), in_type.unwrap_or(InType::Struct));
            if property.in_type == InType::Struct {
                let start = next_member.max(index.saturating_add(1));
                let end = start.saturating_add(source.below(4));
                property.members = if source.byte() < 250 { start..end } else { source.below(256)..end };
                next_member = end;
            }
            property.count = match source.below(16) {
                0..8 => Count::One,
                8..10 => Count::Fixed(source.number()),
                10..12 => Count::Prefixed,
                12..15 => Count::Property(source.below(index)),
                _ => Count::Rest,
            };
            property.length = match source.below(8) {
                0..4 => Length::Natural,
                4 => Length::Fixed(source.number()),
                5 => Length::Rest,
                _ => Length::Property(source.below(index)),
            };
            let flags = source.byte();
            property.optional = flags & 0x0F == 0;
            property.align = if flags & 0xF0 == 0 { u8::try_from(source.below(9)).unwrap_or(1) } else { 1 };
            property.out_type = match flags >> 6 {
                0 | 1 => OutType::Default,
                2 => OutType::Ipv6,
                _ => OUT_TYPES.iter().cycle().nth(source.byte().into()).copied().unwrap_or_default(),
            };
            property
        })
        .collect();
    let schema = Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level).ok()?;
    Some((schema, source.bytes))
}

struct Source<'a> {
    bytes: &'a [u8],
}

impl Source<'_> {
    /// The next byte; zeros when there are none.
    fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        byte
    }

    /// A number less than `end`, or zero.
    fn below(&mut self, end: u16) -> u16 {
        u16::from(self.byte()).checked_rem(end).unwrap_or_default()
    }

    /// Mostly a small number.
    fn number(&mut self) -> u16 {
        match self.byte() {
            low @ 0..240 => u16::from(low & 7),
            high => u16::from_be_bytes([high, self.byte()]),
        }
    }
}
