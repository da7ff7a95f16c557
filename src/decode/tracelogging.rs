//! TraceLogging: events that carry their own description.
//!
//! Source: payload reference, "TraceLogging (self-describing events)".

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::decode::schema::{Count, EventNames, Property, Schema, SchemaError, SchemaKind};
use crate::decode::types::{InType, OutType};
use crate::error::{Offset, ParseError};
use crate::guid::Guid;
use crate::limits::Limits;

/// The shortest description: size, one byte of tags, an empty name.
pub(super) const LEAST_BYTES: usize = 4;

/// Bits of the byte that tells the in-type.
const IN_TYPE: u8 = 0x1F;
const COUNT_KIND: u8 = 0x60;
const COUNT_CONSTANT: u8 = 0x20;
const COUNT_IN_PAYLOAD: u8 = 0x40;
/// Another byte follows: the out-type after the in-type, tags after the out-type, one more byte of tags.
const MORE: u8 = 0x80;
const STRUCT: u8 = 24;

/// The schema that the EVENT_SCHEMA_TL item of an event describes.
///
/// # Errors
///
/// [`ParseError`] with the offset in `metadata` where the description ends too early, or has more than `limits` allows.
pub(super) fn parse(metadata: &[u8], limits: &Limits) -> Result<Schema, ParseError> {
    let mut reader = Reader { bytes: metadata, at: 0 };
    let size = usize::from(u16::from_le_bytes(reader.array("TraceLogging description")?));
    // The smaller of the two sizes counts.
    reader.bytes = metadata.get(..size).unwrap_or(metadata);
    let tags = reader.tags()?;
    let event = reader.name("name of a TraceLogging event")?;
    let mut parts = Vec::new();
    while reader.at < reader.bytes.len() {
        // Each part consumes at least its name's zero and a byte.
        let most = limits.schema_properties;
        if parts.len() >= most {
            return Err(too_much("fields", parts.len().saturating_add(1), most));
        }
        parts.push(reader.part()?);
    }
    let (properties, top_level) = in_order(parts, reader.at)?;
    let names = EventNames { event: Some(event.into()), ..EventNames::default() };
    let schema = Schema::with_limits(SchemaKind::TraceLogging, names, properties, top_level, limits)
        .map_err(refused)?;
    Ok(schema.with_tags(tags))
}

fn too_much(field: &'static str, count: usize, most: usize) -> ParseError {
    ParseError::OutOfRange {
        what: "TraceLogging description",
        field,
        at: Offset(0),
        value: Offset::from(count).get(),
        min: 0,
        max: Offset::from(most).get(),
    }
}

fn refused(error: SchemaError) -> ParseError {
    match error {
        SchemaError::TooMany { count, most } => too_much("fields", count, most),
        SchemaError::TooDeep { most, .. } => too_much("depth", most.saturating_add(1), most),
        // Members are laid out by this module, so nothing else can be wrong with them.
        _ => too_much("members", 0, 0),
    }
}

/// A field, and how many of the following ones are its members.
struct Part {
    property: Property,
    members: usize,
}

/// Puts the members of each structure side by side, past all that lies around it, as schemas have them.
///
/// In a description they follow their structure at once, and members of a member follow that one.
fn in_order(parts: Vec<Part>, end: usize) -> Result<(Vec<Property>, u16), ParseError> {
    let total = parts.len();
    // The fields directly inside of each structure; those at the top in the last place.
    let mut inside: Vec<Vec<usize>> = Vec::new();
    inside.resize_with(total.saturating_add(1), Vec::new);
    let mut open: Vec<(usize, usize)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let around = open.last().map_or(total, |&(structure, _)| structure);
        if let Some(members) = inside.get_mut(around) {
            members.push(index);
        }
        if let Some((_, left)) = open.last_mut() {
            *left = left.saturating_sub(1);
        }
        if part.members > 0 {
            open.push((index, part.members));
        }
        while open.last().is_some_and(|&(_, left)| left == 0) {
            open.pop();
        }
    }
    if let Some(&(_, left)) = open.last() {
        return Err(ParseError::Truncated {
            what: "members of a TraceLogging structure",
            at: Offset::from(end),
            need: Offset::from(left).get(),
            have: 0,
        });
    }
    let mut parts: Vec<Option<Part>> = parts.into_iter().map(Some).collect();
    let mut properties = Vec::with_capacity(total);
    let top = inside.pop().unwrap_or_default();
    let top_level = u16::try_from(top.len()).unwrap_or(u16::MAX);
    let mut queue = VecDeque::from(top);
    while let Some(index) = queue.pop_front() {
        let Some(mut part) = parts.get_mut(index).and_then(Option::take) else { continue };
        if part.property.in_type == InType::Struct {
            let members = inside.get_mut(index).map(core::mem::take).unwrap_or_default();
            // Behind this one and all that wait already.
            let first = properties.len().saturating_add(1).saturating_add(queue.len());
            let number = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
            part.property.members = number(first)..number(first.saturating_add(members.len()));
            queue.extend(members);
        }
        properties.push(part.property);
    }
    Ok((properties, top_level))
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn truncated(&self, what: &'static str, need: usize) -> ParseError {
        ParseError::Truncated {
            what,
            at: Offset::from(self.at),
            need: Offset::from(need).get(),
            have: Offset::from(self.rest().len()).get(),
        }
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], ParseError> {
        let array = *self.rest().first_chunk().ok_or_else(|| self.truncated(what, N))?;
        self.at = self.at.saturating_add(N);
        Ok(array)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, ParseError> {
        let [byte] = self.array(what)?;
        Ok(byte)
    }

    /// Text in UTF-8 with a zero.
    fn name(&mut self, what: &'static str) -> Result<String, ParseError> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| byte == 0);
        let end = end.ok_or_else(|| self.truncated(what, rest.len().saturating_add(1)))?;
        let name = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        self.at = self.at.saturating_add(end).saturating_add(1);
        Ok(name)
    }

    /// 28 bits, seven in a byte and the highest first; the last byte lacks the top bit. Bytes past the fourth say nothing.
    fn tags(&mut self) -> Result<u32, ParseError> {
        let (mut tags, mut shift) = (0, 28_u32);
        loop {
            let byte = self.byte("TraceLogging tags")?;
            if let Some(lower) = shift.checked_sub(7) {
                shift = lower;
                tags |= u32::from(byte & !MORE).checked_shl(shift).unwrap_or_default();
            }
            if byte & MORE == 0 {
                return Ok(tags);
            }
        }
    }

    fn part(&mut self) -> Result<Part, ParseError> {
        const FIELD: &str = "TraceLogging field";
        let name = self.name("name of a TraceLogging field")?;
        let encoded = self.byte(FIELD)?;
        let (mut out, mut tags) = (0, 0);
        if encoded & MORE != 0 {
            let byte = self.byte(FIELD)?;
            out = byte & !MORE;
            if byte & MORE != 0 {
                tags = self.tags()?;
            }
        }
        let (mut in_type, count) = (in_type(encoded & IN_TYPE), encoded & COUNT_KIND);
        let count = match count {
            0 => Count::One,
            COUNT_CONSTANT => Count::Fixed(u16::from_le_bytes(self.array(FIELD)?)),
            COUNT_IN_PAYLOAD => Count::Prefixed,
            _ => {
                // What a serializer of the provider's own wrote, with its length in front. How it is to be read, the type
                // information says to those who know that serializer.
                let size = u16::from_le_bytes(self.array(FIELD)?);
                self.skip(size.into())?;
                in_type = InType::CountedBinary;
                Count::One
            }
        };
        let is_struct = in_type == InType::Struct;
        let mut property = Property::new(name, in_type);
        property.count = count;
        property.tags = tags;
        property.out_type = if is_struct { OutType::Default } else { out_type(out) };
        Ok(Part { property, members: if is_struct { out.into() } else { 0 } })
    }

    fn skip(&mut self, len: usize) -> Result<(), ParseError> {
        if self.rest().len() < len {
            return Err(self.truncated("type information of a TraceLogging field", len));
        }
        self.at = self.at.saturating_add(len);
        Ok(())
    }
}

fn in_type(number: u8) -> InType {
    match number {
        0 => InType::Null,
        1 => InType::UnicodeString,
        2 => InType::AnsiString,
        3 => InType::Int8,
        4 => InType::UInt8,
        5 => InType::Int16,
        6 => InType::UInt16,
        7 => InType::Int32,
        8 => InType::UInt32,
        9 => InType::Int64,
        10 => InType::UInt64,
        11 => InType::Float,
        12 => InType::Double,
        13 => InType::Boolean,
        // BINARY has its length in front here, unlike that of manifests.
        14 | 25 => InType::CountedBinary,
        15 => InType::Guid,
        16 => InType::Pointer,
        17 => InType::FileTime,
        18 => InType::SystemTime,
        19 => InType::Sid,
        20 => InType::HexInt32,
        21 => InType::HexInt64,
        22 => InType::CountedString,
        23 => InType::CountedAnsiString,
        STRUCT => InType::Struct,
        _ => InType::Unknown,
    }
}

fn out_type(number: u8) -> OutType {
    match number {
        1 => OutType::NoPrint,
        2 => OutType::String,
        3 => OutType::Boolean,
        4 => OutType::Hex,
        5 => OutType::Pid,
        6 => OutType::Tid,
        7 => OutType::Port,
        8 => OutType::Ipv4,
        9 => OutType::Ipv6,
        10 => OutType::SocketAddress,
        11 => OutType::Xml,
        12 | 34 => OutType::Json,
        13 => OutType::Win32Error,
        14 => OutType::NtStatus,
        15 => OutType::HResult,
        16 => OutType::DateTime,
        17 => OutType::Signed,
        18 => OutType::Unsigned,
        33 => OutType::DateTimeCultureInsensitive,
        35 => OutType::Utf8,
        36 => OutType::Pkcs7,
        37 => OutType::CodePointer,
        38 => OutType::DateTimeUtc,
        _ => OutType::Default,
    }
}

/// The GUID that providers of TraceLogging and of .NET have by default: it is made of the name.
///
/// Source: payload reference, "Provider GUID from a name".
#[must_use]
pub fn provider_guid(name: &str) -> Guid {
    const NAMESPACE: [u8; 16] =
        [0x48, 0x2C, 0x2D, 0xB2, 0xC3, 0x90, 0x47, 0xC8, 0x87, 0xF8, 0x1A, 0x15, 0xBF, 0xC1, 0x30, 0xFB];
    let mut hash = sha1_smol::Sha1::new();
    hash.update(&NAMESPACE);
    let mut units = [0; 2];
    for unit in name.chars().map(upper).flat_map(|c| c.encode_utf16(&mut units).to_vec()) {
        hash.update(&unit.to_be_bytes());
    }
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = hash.digest().bytes();
    Guid::from_bytes([a, b, c, d, e, f, g, h & 0x0F | 0x50, i, j, k, l, m, n, o, p])
}

/// The upper case as one character: those that would need several stay as they are.
fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}
