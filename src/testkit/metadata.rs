//! What holds for any metadata of a trace, and for any manifest.
#![allow(clippy::panic, reason = "this is test code, although it lives in the library")]

use alloc::vec::Vec;

use crate::buffer::BufferView;
use crate::decode::manifest::Manifest;
use crate::decode::{
    Decoder, EventInfo, EventNames, MetadataReport, Schema, SchemaKind, TraceSchemas, ValueMap,
};
use crate::error::{Offset, ParseError};
use crate::guid::Guid;
use crate::limits::Limits;
use crate::testkit::check::payload_with;
use crate::trace::{SessionInfo, TraceBuffer};
use crate::write::{BufferSpec, EventSpec, FullSpec};

/// Any bytes are a `TRACE_EVENT_INFO` with no more than there may be, or an error inside of them; its schema takes any
/// payload.
pub fn event_info(bytes: &[u8]) {
    let limits = Limits::default();
    let (half, payload) = bytes.split_at_checked(bytes.len() / 2).unwrap_or((bytes, &[]));
    for info in [bytes, half] {
        match EventInfo::parse(info, &limits) {
            Ok(parsed) => {
                assert!(parsed.map_names().count() <= limits.schema_properties);
                if let Ok(schema) = parsed.into_schema(|_| None, &limits) {
                    text_is_bounded(&schema, &limits);
                    payload_with(&schema, payload, 4);
                    payload_with(&schema, payload, 8);
                }
            }
            Err(error) => inside(error, info),
        }
    }
}

/// Any bytes are an `EVENT_MAP_INFO` with no more than there may be, or an error inside of them.
pub fn map_info(bytes: &[u8]) {
    let limits = Limits::default();
    match ValueMap::parse(bytes, &limits) {
        Ok(Some(map)) => {
            assert!(map.entries().len() <= bytes.len() / 8);
            let text =
                map.entries().iter().fold(map.name.len(), |sum, (_, text)| sum.saturating_add(text.len()));
            assert!(text <= limits.schema_bytes, "{text} bytes of text");
        }
        Ok(None) => {}
        Err(error) => inside(error, bytes),
    }
}

/// Any bytes are a manifest whose events all have a schema, or an error inside of them.
pub fn manifest(bytes: &[u8]) {
    let limits = Limits::default();
    let manifest = match Manifest::parse(bytes, &limits) {
        Ok(manifest) => manifest,
        Err(error) => {
            // What is no UTF-8 takes up to three bytes each.
            assert!(error.offset <= Offset::from(bytes.len().saturating_mul(3)), "{error}");
            assert!(error.line >= 1);
            return;
        }
    };
    assert!(manifest.problems().len() <= manifest.problem_count());
    for provider in manifest.providers() {
        for (id, version) in provider.events() {
            match provider.schema(id, version, SchemaKind::Manifest, &limits) {
                Some(Ok(schema)) => text_is_bounded(&schema, &limits),
                Some(Err(_)) => {}
                None => panic!("event {id} has no schema"),
            }
            let lower = provider.lower_version(id, version);
            assert!(lower.is_none_or(|lower| lower < version));
        }
    }
}

/// A trace of any pieces of metadata and events: learning ends, within limits, and repeating it changes no answer.
///
/// Each piece is a byte that says what it is, a 16-bit length, and its payload.
pub fn learning(bytes: &[u8]) {
    let limits = Limits { metadata_bytes: 16 * 1024, xml_bytes: 8 * 1024, ..Limits::default() };
    let mut decoder = Decoder::with_limits(&limits);
    let mut pieces = Vec::new();
    let mut rest = bytes;
    // Ends: each piece takes three bytes at least.
    while let Some(([kind, low, high], after)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_le_bytes([*low, *high])).min(after.len());
        let (payload, after) = after.split_at_checked(len).unwrap_or((after, &[]));
        pieces.push((*kind, payload));
        rest = after;
    }
    let answers = |decoder: &mut Decoder| -> Vec<Option<usize>> {
        pieces.iter().map(|(kind, payload)| decode(decoder, *kind, payload)).collect()
    };
    let _ = answers(&mut decoder);
    let first = report(&decoder);
    assert!(first.problems.len() <= 100);
    let again = answers(&mut decoder);
    let second = report(&decoder);
    assert_eq!(
        (first.event_infos, first.maps),
        (second.event_infos, second.maps),
        "nothing new the second time"
    );
    // Chunks that were refused for others may come together now.
    if second.manifests == first.manifests {
        assert_eq!(again, answers(&mut decoder));
    }
}

fn report(decoder: &Decoder) -> MetadataReport {
    decoder.source::<TraceSchemas>().map(TraceSchemas::report).unwrap_or_default()
}

/// Decodes a piece as what its kind says; how many bytes are left, if it has a schema.
fn decode(decoder: &mut Decoder, kind: u8, payload: &[u8]) -> Option<usize> {
    let provider = Guid::from_bytes([kind & 0x40; 16]);
    let payload = payload.to_vec();
    let buffer = BufferSpec::new(0x2_0000);
    let buffer = match kind & 3 {
        // The type of the class is a description, a map, or something else.
        kind @ 0..2 => {
            buffer.full(&FullSpec { guid: METADATA, opcode: 32 | kind, payload, ..FullSpec::default() })
        }
        2 => buffer.event(&EventSpec {
            provider_id: provider,
            id: 0xFFFE,
            opcode: 0xFE,
            task: 0xFFFE,
            process_id: u32::from(kind >> 7),
            payload,
            ..EventSpec::default()
        }),
        _ => buffer.event(&EventSpec {
            provider_id: provider,
            id: u16::from(kind >> 2) & 3,
            version: kind >> 4 & 3,
            process_id: u32::from(kind >> 7),
            payload,
            ..EventSpec::default()
        }),
    };
    let bytes = buffer.to_bytes();
    let view = BufferView::parse(&bytes).ok()?;
    let buffer = TraceBuffer::new(view, SessionInfo::unknown());
    let event = buffer.events().flatten().next()?;
    let decoded = decoder.decode(&event);
    decoded.schema().map(|schema| {
        payload_with(schema, event.user_data(), 8);
        decoded.outcome().rest.len()
    })
}

/// The class of events that describe others.
const METADATA: Guid =
    Guid::from_parts(0xBBCC_F6C1, 0x6CD1, 0x48C4, [0x80, 0xFF, 0x83, 0x94, 0x82, 0xE3, 0x76, 0x71]);

fn text_is_bounded(schema: &Schema, limits: &Limits) {
    let EventNames { provider, event, task, opcode, level, channel, keywords, message } = schema.names();
    let names = [provider, event, task, opcode, level, channel, message].into_iter().flatten();
    let properties = schema.properties().iter().map(|property| &property.name);
    let text =
        names.chain(keywords).chain(properties).fold(0_usize, |sum, text| sum.saturating_add(text.len()));
    assert!(text <= limits.schema_bytes, "{text} bytes of text");
}

fn inside(error: ParseError, bytes: &[u8]) {
    let (ParseError::Truncated { at, .. }
    | ParseError::OutOfRange { at, .. }
    | ParseError::Unexpected { at, .. }) = error;
    assert!(at <= Offset::from(bytes.len()), "{error} in {} bytes", bytes.len());
}
