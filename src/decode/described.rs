//! Schemas of events that describe themselves, by the bytes of the description.

use alloc::boxed::Box;
use alloc::vec::Vec;
use std::collections::HashMap;

use crate::bytes::u16_at;
use crate::decode::schema::Schema;
use crate::decode::tracelogging;
use crate::decode::traits::ProviderTraits;
use crate::error::ParseError;
use crate::limits::Limits;

/// Description -> schema. The bytes are constant for each place in a program that writes events.
#[derive(Clone, Debug)]
pub(super) struct Described {
    slots: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    schemas: Vec<Result<Schema, ParseError>>,
    /// About how many bytes of memory they take.
    bytes: usize,
    limits: Limits,
}

impl Described {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { slots: HashMap::default(), schemas: Vec::new(), bytes: 0, limits: limits.clone() }
    }

    /// Where the schema of a description is kept, or why there is none.
    #[inline]
    pub(super) fn slot(&mut self, metadata: &[u8]) -> usize {
        match self.slots.get(metadata) {
            Some(&slot) => slot,
            None => self.insert(metadata),
        }
    }

    /// The schema, or why there is none.
    #[inline]
    pub(super) fn get(&self, slot: usize) -> (Option<&Schema>, Option<&ParseError>) {
        match self.schemas.get(slot) {
            Some(Ok(schema)) => (Some(schema), None),
            Some(Err(damage)) => (None, Some(damage)),
            None => (None, None),
        }
    }

    #[cold]
    fn insert(&mut self, metadata: &[u8]) -> usize {
        let schema = tracelogging::parse(metadata, &self.limits);
        let bytes = metadata.len().saturating_add(schema.as_ref().map_or(0, Schema::memory));
        if self.schemas.len() >= self.limits.schemas
            || self.bytes.saturating_add(bytes) > self.limits.schema_cache_bytes
        {
            self.slots.clear();
            self.schemas.clear();
            self.bytes = 0;
        }
        let slot = self.schemas.len();
        self.schemas.push(schema);
        self.bytes = self.bytes.saturating_add(bytes);
        self.slots.insert(metadata.into(), slot);
        slot
    }

    /// Traits and description at the start of a payload, where systems before Windows 10 have them: both with a size in
    /// front, and the name of a provider that can be one.
    ///
    /// Source: payload reference, "Id, task, opcode and keywords".
    pub(super) fn in_payload(payload: &[u8]) -> Option<(&[u8], &[u8])> {
        let traits = ProviderTraits::at_start(payload)?;
        let rest = payload.get(traits.len()..)?;
        let schema = rest.get(..usize::from(u16_at(rest, 0)?))?;
        (schema.len() >= tracelogging::LEAST_BYTES).then_some((traits, schema))
    }
}
