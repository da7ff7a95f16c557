//! `TRACE_EVENT_INFO`: what TDH knows of an event, as merging writes it into a trace.
//!
//! Source: payload reference on manifests, "TRACE_EVENT_INFO and relatives".

use alloc::sync::Arc;
use alloc::vec::Vec;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::bytes::Reader;
use crate::decode::embedded::text::Texts;
use crate::decode::schema::{Count, EventNames, Length, Name, Property, Schema, SchemaError, SchemaKind};
use crate::decode::tdh;
use crate::decode::types::InType;
use crate::decode::value_map::ValueMap;
use crate::error::{Offset, ParseError};
use crate::guid::Guid;
use crate::limits::Limits;

/// A checked `TRACE_EVENT_INFO`: the identity of an event, its names and its properties. Owns its text.
#[derive(Clone, Debug)]
pub struct EventInfo {
    provider_id: Guid,
    event_guid: Guid,
    control_guid: Option<Guid>,
    id: u16,
    version: u8,
    opcode: u8,
    source: DecodingSource,
    names: EventNames,
    properties: Vec<Property>,
    top_level: u16,
    /// Which properties have a map, in their order, and what it is called.
    maps: Vec<(usize, Name)>,
}

impl EventInfo {
    /// Reads the structure at the start of `bytes`, which the offsets in it count from.
    ///
    /// # Errors
    ///
    /// [`ParseError`] with the offset in `bytes` if the structure, a property or a text is not there or is larger than
    /// `limits` allow.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ParseError> {
        let mut reader = Reader::new(bytes, 0);
        let raw: &RawEventInfo = reader.view("TRACE_EVENT_INFO")?;
        let count = usize::try_from(raw.property_count.get()).unwrap_or(usize::MAX);
        check("PropertyCount", count, limits.schema_properties)?;
        let top_level = usize::try_from(raw.top_level_property_count.get()).unwrap_or(usize::MAX);
        check("TopLevelPropertyCount", top_level, count)?;

        let mut texts = Texts::new(bytes, "TRACE_EVENT_INFO", limits);
        let source = DecodingSource(raw.decoding_source.get());
        let names = names(raw, source, &mut texts)?;
        let mut properties = Vec::new();
        let mut maps = Vec::new();
        for index in 0..count {
            let property: &RawPropertyInfo = reader.view("EVENT_PROPERTY_INFO")?;
            let name = Name::Owned(texts.required("NameOffset", property.name_offset.get())?);
            properties.push(property.to_property(name));
            if let Some(offset) = property.map_name_offset()
                && let Some(map) = texts.name("MapNameOffset", offset)?
            {
                maps.push((index, map));
            }
        }
        let (provider_id, event_guid) =
            (Guid::from_bytes(raw.provider_guid), Guid::from_bytes(raw.event_guid));
        Ok(Self {
            provider_id,
            event_guid,
            control_guid: (raw.flags.get() & TEMPLATE_CONTROL_GUID != 0).then_some(event_guid),
            id: raw.id.get(),
            version: raw.version,
            opcode: raw.opcode,
            source,
            names,
            properties,
            top_level: u16::try_from(top_level).unwrap_or(u16::MAX),
            maps,
        })
    }

    /// `ProviderGuid`: the GUID that the description is registered under.
    #[must_use]
    pub const fn provider_id(&self) -> Guid {
        self.provider_id
    }

    /// `EventGuid`: the class of a classic event, or the task's GUID of a manifest event. Often zero.
    #[must_use]
    pub const fn event_guid(&self) -> Guid {
        self.event_guid
    }

    /// The GUID that the provider logs under, if it is another than the one that the description is registered under.
    #[must_use]
    pub const fn control_guid(&self) -> Option<Guid> {
        self.control_guid
    }

    /// `Id` of the event.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// `Version` of the event.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// `Opcode` of the event; of a classic event its type.
    #[must_use]
    pub const fn opcode(&self) -> u8 {
        self.opcode
    }

    /// `DecodingSource`: what TDH had the description from.
    #[must_use]
    pub const fn source(&self) -> DecodingSource {
        self.source
    }

    /// What the event is called.
    #[must_use]
    pub const fn names(&self) -> &EventNames {
        &self.names
    }

    /// The names of the maps that its properties have, in their order.
    pub fn map_names(&self) -> impl Iterator<Item = &str> {
        self.maps.iter().map(|(_, name)| name.as_ref())
    }

    /// The schema, with the maps that `map` finds by their names.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if structures make no sense, or something is larger than `limits` allow.
    pub fn into_schema(
        self,
        mut map: impl FnMut(&str) -> Option<Arc<ValueMap>>,
        limits: &Limits,
    ) -> Result<Schema, SchemaError> {
        let mut properties = self.properties;
        for (index, name) in &self.maps {
            if let Some(property) = properties.get_mut(*index) {
                property.map = map(name);
            }
        }
        Schema::with_limits(SchemaKind::Trace, self.names, properties, self.top_level, limits)
    }
}

/// `DECODING_SOURCE`: a number with names for those that are known.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DecodingSource(pub u32);

impl DecodingSource {
    /// A manifest, compiled or in the registry.
    pub const XML_FILE: Self = Self(0);
    /// A class of the MOF repository.
    pub const WBEM: Self = Self(1);
    /// A trace message format.
    pub const WPP: Self = Self(2);
    /// The event itself.
    pub const TLG: Self = Self(3);
}

fn names(
    raw: &RawEventInfo,
    source: DecodingSource,
    texts: &mut Texts<'_>,
) -> Result<EventNames, ParseError> {
    let mut names = EventNames {
        provider: texts.name("ProviderNameOffset", raw.provider_name_offset.get())?,
        level: texts.name("LevelNameOffset", raw.level_name_offset.get())?,
        channel: texts.name("ChannelNameOffset", raw.channel_name_offset.get())?,
        task: texts.name("TaskNameOffset", raw.task_name_offset.get())?,
        opcode: texts.name("OpcodeNameOffset", raw.opcode_name_offset.get())?,
        message: texts.name("EventMessageOffset", raw.event_message_offset.get())?,
        ..EventNames::default()
    };
    texts
        .list("KeywordsNameOffset", raw.keywords_name_offset.get(), |keyword| names.keywords.push(keyword))?;
    // In a MOF class the same place tells which property is the activity id.
    if source != DecodingSource::WBEM {
        names.event = texts.name("EventNameOffset", raw.event_name_offset.get())?;
    }
    if source == DecodingSource::TLG {
        let task = names.task.take();
        names.event = names.event.or(task);
    }
    Ok(names)
}

fn check(field: &'static str, value: usize, max: usize) -> Result<(), ParseError> {
    if value <= max {
        return Ok(());
    }
    Err(ParseError::OutOfRange {
        what: "TRACE_EVENT_INFO",
        field,
        at: Offset(0),
        value: Offset::from(value).get(),
        min: 0,
        max: Offset::from(max).get(),
    })
}

/// `TRACE_EVENT_INFO` without the array of properties at its end. Little-endian, packed; offsets count from its start.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawEventInfo {
    /// 0x00 `ProviderGuid`
    provider_guid: [u8; 16],
    /// 0x10 `EventGuid`
    event_guid: [u8; 16],
    /// 0x20 `EventDescriptor.Id`
    id: U16,
    /// 0x22 `EventDescriptor.Version`
    version: u8,
    /// 0x23 `EventDescriptor.Channel`
    _channel: u8,
    /// 0x24 `EventDescriptor.Level`
    _level: u8,
    /// 0x25 `EventDescriptor.Opcode`
    opcode: u8,
    /// 0x26 `EventDescriptor.Task`
    _task: U16,
    /// 0x28 `EventDescriptor.Keyword`
    _keyword: U64,
    /// 0x30 `DecodingSource`
    decoding_source: U32,
    /// 0x34 `ProviderNameOffset`
    provider_name_offset: U32,
    /// 0x38 `LevelNameOffset`
    level_name_offset: U32,
    /// 0x3C `ChannelNameOffset`
    channel_name_offset: U32,
    /// 0x40 `KeywordsNameOffset`: texts one after the other, an empty one at the end
    keywords_name_offset: U32,
    /// 0x44 `TaskNameOffset`
    task_name_offset: U32,
    /// 0x48 `OpcodeNameOffset`
    opcode_name_offset: U32,
    /// 0x4C `EventMessageOffset`
    event_message_offset: U32,
    /// 0x50 `ProviderMessageOffset`, `BinaryXMLOffset` and `BinaryXMLSize`: how Windows renders the event
    _rendering: [U32; 3],
    /// 0x5C `EventNameOffset`, or `ActivityIDNameOffset` of a MOF class
    event_name_offset: U32,
    /// 0x60 `EventAttributesOffset`, or `RelatedActivityIDNameOffset` of a MOF class
    _event_attributes_offset: U32,
    /// 0x64 `PropertyCount`: members of structures included
    property_count: U32,
    /// 0x68 `TopLevelPropertyCount`
    top_level_property_count: U32,
    /// 0x6C `Flags` in bits 0 to 3, `Tags` above
    flags: U32,
}

const _: () = assert!(size_of::<RawEventInfo>() == 112);

/// `EventGuid` is the GUID that the provider logs under.
const TEMPLATE_CONTROL_GUID: u32 = 4;

/// `EVENT_PROPERTY_INFO`
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawPropertyInfo {
    /// 0x00 `Flags`
    flags: U32,
    /// 0x04 `NameOffset`
    name_offset: U32,
    /// 0x08 `InType`; of a structure `StructStartIndex`
    in_type: U16,
    /// 0x0A `OutType`; of a structure `NumOfStructMembers`
    out_type: U16,
    /// 0x0C `MapNameOffset`; of a custom schema where that lies
    map_name_offset: U32,
    /// 0x10 `count`, or the index of the property that says it
    count: U16,
    /// 0x12 `length`, or the index of the property that says it
    length: U16,
    /// 0x14 `Tags`, 28 bits
    tags: U32,
}

const _: () = assert!(size_of::<RawPropertyInfo>() == 24);

const STRUCT: u32 = 0x1;
const PARAM_LENGTH: u32 = 0x2;
const PARAM_COUNT: u32 = 0x4;
const PARAM_FIXED_LENGTH: u32 = 0x10;
const PARAM_FIXED_COUNT: u32 = 0x20;
const HAS_CUSTOM_SCHEMA: u32 = 0x80;
const TAGS: u32 = 0x0FFF_FFFF;

impl RawPropertyInfo {
    fn to_property(self, name: Name) -> Property {
        let (number, out_number) = (self.in_type.get(), self.out_type.get());
        let mut property = if self.has(STRUCT) {
            let mut property = Property::new(name, InType::Struct);
            property.members = number..number.saturating_add(out_number);
            property
        } else if self.has(HAS_CUSTOM_SCHEMA) {
            // Written as TraceLogging writes it: a count of bytes and the bytes, whatever the serializer was.
            Property::new(name, InType::CountedBinary).shown_as(tdh::out_type(out_number))
        } else {
            let in_type = tdh::in_type(number);
            let mut property = Property::new(name, in_type).shown_as(tdh::out_type(out_number));
            property.length = self.length(in_type);
            property
        };
        let count = self.count.get();
        property.count = if self.has(PARAM_COUNT) {
            Count::Property(count)
        } else if self.has(PARAM_FIXED_COUNT) || count > 1 {
            Count::Fixed(count)
        } else {
            Count::One
        };
        property.tags = self.tags.get() & TAGS;
        property
    }

    /// `length` holds the natural size of types that have one, so it counts for text and binary only.
    fn length(&self, in_type: InType) -> Length {
        let length = self.length.get();
        match in_type {
            InType::UnicodeString | InType::AnsiString | InType::Binary if self.has(PARAM_LENGTH) => {
                Length::Property(length)
            }
            InType::UnicodeString | InType::AnsiString | InType::Binary
                if self.has(PARAM_FIXED_LENGTH) || length != 0 =>
            {
                Length::Fixed(length)
            }
            _ => Length::Natural,
        }
    }

    fn map_name_offset(&self) -> Option<u32> {
        let none = self.has(STRUCT) || self.has(HAS_CUSTOM_SCHEMA);
        Some(self.map_name_offset.get()).filter(|offset| !none && *offset != 0)
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.get() & flag != 0
    }
}
