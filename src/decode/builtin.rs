//! Events that need no source: their shape is a convention of the system or of EventSource.

use alloc::vec;
use alloc::vec::Vec;

use crate::decode::schema::{EventNames, Property, Schema, SchemaKind};
use crate::decode::types::{InType, OutType};
use crate::trace::Event;

/// An event with a text and nothing else, as `EventWriteString` writes it.
///
/// Source: payload reference, "Choosing the decoder".
pub(super) fn string_only() -> Schema {
    schema(EventNames::default(), vec![Property::new("Message", InType::UnicodeString)])
}

/// A piece of the manifest that an EventSource writes into the trace.
///
/// Source: payload reference on manifests, "Manifests embedded by EventSource".
pub(super) fn manifest_data() -> Schema {
    let names = EventNames { event: Some("ManifestData".into()), ..EventNames::default() };
    let properties = vec![
        Property::new("Format", InType::UInt8),
        Property::new("MajorVersion", InType::UInt8),
        Property::new("MinorVersion", InType::UInt8),
        Property::new("Magic", InType::UInt8).shown_as(OutType::Hex),
        Property::new("TotalChunks", InType::UInt16),
        Property::new("ChunkNumber", InType::UInt16),
        Property::new("Chunk", InType::NonNullTerminatedAnsiString).shown_as(OutType::Utf8),
    ];
    schema(names, properties)
}

/// Whether an event with an EVENT_HEADER is such a piece.
pub(super) fn is_manifest_data(event: &Event<'_>) -> bool {
    event.id() == MANIFEST_DATA_ID && event.opcode() == 0xFE && event.task() == 0xFFFE
}

/// The id of such pieces.
pub(super) const MANIFEST_DATA_ID: u16 = 0xFFFE;

fn schema(names: EventNames, properties: Vec<Property>) -> Schema {
    let top_level = u16::try_from(properties.len()).unwrap_or_default();
    Schema::new(SchemaKind::Trace, names, properties, top_level)
        .unwrap_or_else(|_| Schema::empty(SchemaKind::Trace))
}
