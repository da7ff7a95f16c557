//! `EVENT_MAP_INFO`: texts for numbers, as merging writes them into a trace.
//!
//! Source: payload reference on manifests, "Map kinds" and "TRACE_EVENT_INFO and relatives".

use alloc::vec::Vec;

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::bytes::Reader;
use crate::decode::embedded::text::Texts;
use crate::decode::schema::Name;
use crate::decode::value_map::{ValueMap, ValueMapKind};
use crate::error::{Offset, ParseError};
use crate::limits::Limits;

impl ValueMap {
    /// Reads the `EVENT_MAP_INFO` at the start of `bytes`, which the offsets in it count from.
    ///
    /// `None` for kinds of maps that give no texts for numbers.
    ///
    /// # Errors
    ///
    /// [`ParseError`] with the offset in `bytes` if the structure, an entry or a text is not there or is larger than `limits`
    /// allow.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Option<Self>, ParseError> {
        let mut reader = Reader::new(bytes, 0);
        let raw: &RawMapInfo = reader.view("EVENT_MAP_INFO")?;
        let kind = match raw.flag.get() {
            MANIFEST_VALUE_MAP | WBEM_VALUE_MAP if raw.value_type.get() == ULONG => ValueMapKind::Value,
            MANIFEST_BIT_MAP | WBEM_BIT_MAP if raw.value_type.get() == ULONG => ValueMapKind::Bits,
            _ => return Ok(None),
        };
        let count = usize::try_from(raw.entry_count.get()).unwrap_or(usize::MAX);
        let room = reader.rest().len().checked_div(size_of::<RawMapEntry>()).unwrap_or(0);
        if count > room {
            return Err(ParseError::OutOfRange {
                what: "EVENT_MAP_INFO",
                field: "EntryCount",
                at: Offset(0),
                value: raw.entry_count.get().into(),
                min: 0,
                max: Offset::from(room).get(),
            });
        }
        let mut texts = Texts::new(bytes, "EVENT_MAP_INFO", limits);
        let name = Name::Owned(texts.required("NameOffset", raw.name_offset.get())?);
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let entry: &RawMapEntry = reader.view("EVENT_MAP_ENTRY")?;
            let text = texts.name("OutputOffset", entry.output_offset.get())?;
            entries.push((entry.value.get(), text.unwrap_or_default()));
        }
        Ok(Some(Self::new(name, kind, entries)))
    }
}

/// `EVENT_MAP_INFO` without the array of entries at its end.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawMapInfo {
    /// 0x00 `NameOffset`
    name_offset: U32,
    /// 0x04 `Flag`
    flag: U32,
    /// 0x08 `EntryCount`
    entry_count: U32,
    /// 0x0C `MapEntryValueType`; where the format lies of a pattern map
    value_type: U32,
}

const _: () = assert!(size_of::<RawMapInfo>() == 16);

/// `EVENT_MAP_ENTRY`
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawMapEntry {
    /// 0x00 `OutputOffset`: the text
    output_offset: U32,
    /// 0x04 `Value`
    value: U32,
}

const MANIFEST_VALUE_MAP: u32 = 0x1;
const MANIFEST_BIT_MAP: u32 = 0x2;
const WBEM_VALUE_MAP: u32 = 0x8;
const WBEM_BIT_MAP: u32 = 0x10;
/// `EVENTMAP_ENTRY_VALUETYPE_ULONG`
const ULONG: u32 = 0;
