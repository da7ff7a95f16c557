//! What sources answered, by the identity of events.

use alloc::vec::Vec;
use std::collections::HashMap;

use crate::decode::source::{Candidate, Scope};
use crate::guid::Guid;
use crate::trace::Event;

/// What distinguishes events of one schema from others.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Key {
    provider: u128,
    /// Form, size of pointers, version, opcode, and id or hook id.
    event: u64,
    /// Only for answers that hold for one process.
    process: Option<u32>,
}

const WITH_EVENT_HEADER: u8 = 0;
const WITH_HOOK_ID: u8 = 1;
const WITH_CLASS: u8 = 2;

impl Key {
    /// Of an event with an EVENT_HEADER. The same provider with another decode GUID is another provider.
    #[inline]
    pub(super) fn modern(provider: Guid, id: u16, version: u8, decode_guid: Option<Guid>) -> Self {
        let [id0, id1] = id.to_le_bytes();
        let other = decode_guid.map_or(0, |guid| u128::from_le_bytes(guid.to_bytes()));
        Self {
            provider: u128::from_le_bytes(provider.to_bytes()) ^ other.rotate_left(64),
            event: u64::from_le_bytes([WITH_EVENT_HEADER, 0, version, 0, id0, id1, 0, 0]),
            process: None,
        }
    }

    /// Of an event with any other header.
    #[inline]
    pub(super) fn classic(event: &Event<'_>, provider: Guid) -> Self {
        let hook = event.hook_id();
        let form = if hook.is_some() { WITH_HOOK_ID } else { WITH_CLASS };
        let [hook0, hook1] = hook.unwrap_or_default().to_le_bytes();
        let (pointer, version, opcode) = (event.pointer_size(), event.version(), event.opcode());
        Self {
            provider: u128::from_le_bytes(provider.to_bytes()),
            event: u64::from_le_bytes([form, pointer, version, opcode, hook0, hook1, 0, 0]),
            process: None,
        }
    }

    pub(super) const fn of_process(self, process: u32) -> Self {
        Self { process: Some(process), ..self }
    }
}

/// An answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) candidates: Vec<Candidate>,
    pub(super) scope: Scope,
    /// A source wants to see these events.
    pub(super) teaches: bool,
}

impl Answer {
    /// Whether an event of it certainly has a schema that names the provider.
    pub(super) fn names_provider(&self) -> bool {
        let names = |candidate: &Candidate| candidate.schema.names().provider.is_some();
        self.candidates.iter().any(|candidate| !candidate.exact) && self.candidates.iter().all(names)
    }
}

/// Answers by key. Forgets all of them when there are too many: what is in use comes back at once.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    slots: HashMap<Key, usize, foldhash::fast::RandomState>,
    answers: Vec<Answer>,
    most: usize,
}

impl Answers {
    pub(super) fn new(most: usize) -> Self {
        Self { slots: HashMap::default(), answers: Vec::new(), most }
    }

    #[inline]
    pub(super) fn slot(&self, key: &Key) -> Option<usize> {
        self.slots.get(key).copied()
    }

    #[inline]
    pub(super) fn get(&self, slot: usize) -> Option<&Answer> {
        self.answers.get(slot)
    }

    pub(super) fn insert(&mut self, key: Key, answer: Answer) -> usize {
        if self.answers.len() >= self.most {
            self.clear();
        }
        let slot = self.answers.len();
        self.answers.push(answer);
        self.slots.insert(key, slot);
        slot
    }

    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.answers.clear();
    }
}
