//! Metadata as merging and EventSources write it, spelled from the tables of the format, without the library.
#![allow(dead_code, reason = "each test uses its part of this module")]

use etweir::Guid;

/// The class of events that describe others.
pub(crate) const EVENT_METADATA: Guid =
    Guid::from_parts(0xBBCC_F6C1, 0x6CD1, 0x48C4, [0x80, 0xFF, 0x83, 0x94, 0x82, 0xE3, 0x76, 0x71]);

/// A `TRACE_EVENT_INFO`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Info {
    pub(crate) provider: Guid,
    pub(crate) event_guid: Guid,
    pub(crate) id: u16,
    pub(crate) version: u8,
    pub(crate) opcode: u8,
    /// 0 manifest, 1 MOF, 2 WPP, 3 TraceLogging
    pub(crate) source: u32,
    /// By the offset of the field that points to the text.
    pub(crate) texts: Vec<(usize, &'static str)>,
    pub(crate) properties: Vec<Property>,
    pub(crate) top_level: Option<u32>,
    pub(crate) flags: u32,
}

pub(crate) const PROVIDER_NAME: usize = 52;
pub(crate) const LEVEL_NAME: usize = 56;
pub(crate) const CHANNEL_NAME: usize = 60;
/// The text holds all keywords, each with its zero.
pub(crate) const KEYWORDS_NAME: usize = 64;
pub(crate) const TASK_NAME: usize = 68;
pub(crate) const OPCODE_NAME: usize = 72;
pub(crate) const EVENT_MESSAGE: usize = 76;
pub(crate) const EVENT_NAME: usize = 92;

/// An `EVENT_PROPERTY_INFO`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Property {
    pub(crate) flags: u32,
    pub(crate) name: &'static str,
    /// In-type, or the first member.
    pub(crate) in_type: u16,
    /// Out-type, or the number of members.
    pub(crate) out_type: u16,
    pub(crate) map: Option<&'static str>,
    pub(crate) count: u16,
    pub(crate) length: u16,
    pub(crate) tags: u32,
}

/// A scalar as TDH describes it.
pub(crate) fn scalar(name: &'static str, in_type: u16, length: u16) -> Property {
    Property { name, in_type, count: 1, length, ..Property::default() }
}

impl Info {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 112 + 24 * self.properties.len()];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &self.provider.to_bytes());
        put(16, &self.event_guid.to_bytes());
        put(32, &self.id.to_le_bytes());
        put(34, &[self.version]);
        put(37, &[self.opcode]);
        put(48, &self.source.to_le_bytes());
        let count = u32::try_from(self.properties.len()).expect("few properties");
        put(100, &count.to_le_bytes());
        put(104, &self.top_level.unwrap_or(count).to_le_bytes());
        put(108, &self.flags.to_le_bytes());
        for (index, property) in self.properties.iter().enumerate() {
            let at = 112 + 24 * index;
            put(at, &property.flags.to_le_bytes());
            put(at + 8, &property.in_type.to_le_bytes());
            put(at + 10, &property.out_type.to_le_bytes());
            put(at + 16, &property.count.to_le_bytes());
            put(at + 18, &property.length.to_le_bytes());
            put(at + 20, &property.tags.to_le_bytes());
        }
        for (at, text) in &self.texts {
            append(&mut bytes, *at, text);
        }
        for (index, property) in self.properties.iter().enumerate() {
            append(&mut bytes, 112 + 24 * index + 4, property.name);
            if let Some(map) = property.map {
                append(&mut bytes, 112 + 24 * index + 12, map);
            }
        }
        bytes
    }
}

/// Writes the text to the end and where it is to `at`.
fn append(bytes: &mut Vec<u8>, at: usize, text: &str) {
    let offset = u32::try_from(bytes.len()).expect("a short structure");
    bytes[at..at + 4].copy_from_slice(&offset.to_le_bytes());
    bytes.extend(text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
}

/// An `EVENT_MAP_INFO` with the GUID of its provider in front.
pub(crate) fn map(provider: Guid, name: &str, flag: u32, entries: &[(u32, &str)]) -> Vec<u8> {
    let mut bytes = vec![0; 16 + 8 * entries.len()];
    bytes[4..8].copy_from_slice(&flag.to_le_bytes());
    bytes[8..12].copy_from_slice(&u32::try_from(entries.len()).expect("few entries").to_le_bytes());
    append(&mut bytes, 0, name);
    for (index, (value, text)) in entries.iter().enumerate() {
        append(&mut bytes, 16 + 8 * index, text);
        bytes[20 + 8 * index..24 + 8 * index].copy_from_slice(&value.to_le_bytes());
    }
    [&provider.to_bytes()[..], &bytes].concat()
}

/// A chunk of a manifest of version 1.0.
pub(crate) fn chunk(total: u16, number: u16, text: &[u8]) -> Vec<u8> {
    let [t0, t1] = total.to_le_bytes();
    let [n0, n1] = number.to_le_bytes();
    [&[1, 1, 0, 0x5B, t0, t1, n0, n1], text].concat()
}

/// The manifest of a provider with one event, id 1, that has these items.
pub(crate) fn manifest(provider: Guid, name: &str, items: &str) -> String {
    format!(
        r#"<instrumentationManifest><instrumentation><events><provider name="{name}" guid="{{{provider}}}">
        <tasks><task name="Sale" value="65533"/></tasks>
        <events><event value="1" task="Sale" template="T"/></events>
        <templates><template tid="T">{items}</template></templates>
        </provider></events></instrumentation></instrumentationManifest>"#
    )
}
