//! `ManifestData`: the manifest of an EventSource, which comes in chunks as events of its provider.
//!
//! Source: payload reference on manifests, "Manifests embedded by EventSource".

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use std::collections::HashMap;

use zerocopy::little_endian::U16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::bytes::Reader;
use crate::error::{Offset, ParseError};
use crate::guid::Guid;

/// A chunk of a manifest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk<'a> {
    /// What all chunks of a manifest agree in.
    envelope: Envelope,
    number: u16,
    text: &'a [u8],
}

/// `ManifestEnvelope` without what differs from chunk to chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Envelope {
    version: (u8, u8),
    total_chunks: u16,
}

impl<'a> Chunk<'a> {
    pub(super) fn parse(payload: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(payload, 0);
        let raw: &RawEnvelope = reader.view(WHAT)?;
        let [format, _, _, magic] = raw.head;
        for (expected, found) in [(FORMAT_XML, format), (MAGIC, magic)] {
            if found != expected {
                let expected = if expected == MAGIC { "the magic number 0x5b" } else { "format 1, XML" };
                let at = Offset(0);
                return Err(ParseError::Unexpected { what: WHAT, at, expected, found: found.into() });
            }
        }
        let (total, number) = (raw.total_chunks.get(), raw.chunk_number.get());
        if number >= total {
            return Err(ParseError::OutOfRange {
                what: WHAT,
                field: "ChunkNumber",
                at: Offset(0),
                value: number.into(),
                min: 0,
                max: total.saturating_sub(1).into(),
            });
        }
        let [_, major, minor, _] = raw.head;
        let envelope = Envelope { version: (major, minor), total_chunks: total };
        Ok(Self { envelope, number, text: reader.rest() })
    }
}

/// `ManifestEnvelope`: what stands in front of the text of each chunk.
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct RawEnvelope {
    /// 0x00 `Format`, 0x01 `MajorVersion`, 0x02 `MinorVersion`, 0x03 `Magic`
    head: [u8; 4],
    /// 0x04 `TotalChunks`
    total_chunks: U16,
    /// 0x06 `ChunkNumber`, from 0
    chunk_number: U16,
}

const _: () = assert!(size_of::<RawEnvelope>() == 8);

const WHAT: &str = "ManifestEnvelope";
const FORMAT_XML: u8 = 1;
const MAGIC: u8 = 0x5B;

/// The text of a manifest, complete.
#[derive(Debug)]
pub(super) struct Complete<'a> {
    /// Major and minor.
    pub(super) version: (u8, u8),
    pub(super) text: Cow<'a, [u8]>,
}

/// What becomes of a chunk.
#[derive(Debug)]
pub(super) enum Added<'a> {
    /// Others are missing.
    Waiting,
    /// It was the last one.
    Complete(Complete<'a>),
    /// There is no room for it, and what was there of its manifest is gone.
    Refused,
}

/// Manifests of which not all chunks have been seen, by provider and process.
///
/// Chunks may come in any order, since a thread may change the processor between two of them and a file is not in the order
/// of time.
#[derive(Debug, Default)]
pub(super) struct Assemblies {
    open: HashMap<(Guid, Option<u32>), Assembly>,
    /// Bytes of all of them.
    held: usize,
}

#[derive(Debug)]
struct Assembly {
    envelope: Envelope,
    chunks: BTreeMap<u16, Box<[u8]>>,
    text_bytes: usize,
    /// The same with what keeping them costs.
    cost: usize,
}

impl Assemblies {
    /// Adds a chunk. All chunks here may have `room` bytes, those of one manifest `longest`.
    pub(super) fn add<'a>(
        &mut self,
        provider: Guid,
        process: Option<u32>,
        chunk: Chunk<'a>,
        longest: usize,
        room: usize,
    ) -> Added<'a> {
        let Chunk { envelope, number, text } = chunk;
        if envelope.total_chunks == 1 && text.len() <= longest {
            // The rule: nothing has to be kept.
            self.forget(provider, process);
            return Added::Complete(Complete { version: envelope.version, text: Cow::Borrowed(text) });
        }
        let assembly = self.open.entry((provider, process)).or_insert_with(|| Assembly::new(envelope));
        // A chunk that contradicts what is there belongs to another sending, which the old chunks are of no use for.
        let known = assembly.chunks.get(&number);
        if known.is_some_and(|known| **known == *text) {
            return Added::Waiting;
        }
        if assembly.envelope != envelope || known.is_some() {
            self.held = self.held.saturating_sub(assembly.cost);
            *assembly = Assembly::new(envelope);
        }
        let cost = text.len().saturating_add(OVERHEAD);
        let text_bytes = assembly.text_bytes.saturating_add(text.len());
        if text_bytes > longest || self.held.saturating_add(cost) > room {
            self.forget(provider, process);
            return Added::Refused;
        }
        assembly.chunks.insert(number, text.into());
        assembly.text_bytes = text_bytes;
        assembly.cost = assembly.cost.saturating_add(cost);
        self.held = self.held.saturating_add(cost);
        if assembly.chunks.len() < usize::from(envelope.total_chunks) {
            return Added::Waiting;
        }
        let text: Vec<u8> = assembly.chunks.values().flat_map(|chunk| chunk.iter().copied()).collect();
        self.forget(provider, process);
        Added::Complete(Complete { version: envelope.version, text: Cow::Owned(text) })
    }

    /// How many manifests wait for chunks.
    pub(super) fn waiting(&self) -> usize {
        self.open.len()
    }

    /// Bytes that they hold.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    fn forget(&mut self, provider: Guid, process: Option<u32>) {
        if let Some(assembly) = self.open.remove(&(provider, process)) {
            self.held = self.held.saturating_sub(assembly.cost);
        }
    }
}

impl Assembly {
    const fn new(envelope: Envelope) -> Self {
        Self { envelope, chunks: BTreeMap::new(), text_bytes: 0, cost: 0 }
    }
}

/// What keeping a chunk costs besides its text, so that empty ones are not free.
const OVERHEAD: usize = 64;
