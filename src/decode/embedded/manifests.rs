//! The manifests that EventSources wrote: each once, with the processes that it came from.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::hash::BuildHasher;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;

use crate::decode::manifest::{Manifest, Provider};
use crate::guid::Guid;

/// Manifests by provider.
#[derive(Debug, Default)]
pub(super) struct Manifests {
    digester: Digester,
    /// All texts that were seen, with the place of their senders; broken ones have none.
    texts: HashMap<Digest, Option<usize>>,
    /// One for each manifest.
    senders: Vec<Senders>,
    /// By provider id and control id.
    descriptions: HashMap<Guid, Vec<Description>>,
}

/// Who wrote a manifest.
#[derive(Debug)]
struct Senders {
    /// Of the envelope, major and minor.
    version: (u8, u8),
    processes: BTreeSet<u32>,
    /// Whom the manifest describes, control ids included.
    described: Vec<Guid>,
}

/// What a manifest says about one provider.
#[derive(Debug)]
struct Description {
    provider: Arc<Provider>,
    senders: usize,
}

/// A provider as a manifest describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Described<'k> {
    pub(super) provider: &'k Provider,
    /// The process in question wrote this manifest itself.
    pub(super) is_own: bool,
}

/// What stands for a text: two numbers from hashers with keys that nobody knows, and the length.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Digest(u64, u64, usize);

#[derive(Debug, Default)]
struct Digester(RandomState, RandomState);

impl Manifests {
    /// More processes than this are not told apart.
    const MOST_PROCESSES: usize = 65_536;
    /// Each is looked at when an event of the provider is looked up.
    const MOST_DESCRIPTIONS: usize = 64;

    pub(super) fn digest(&self, text: &[u8]) -> Digest {
        let Digester(one, other) = &self.digester;
        Digest(one.hash_one(text), other.hash_one(text), text.len())
    }

    /// Whether the text was seen before.
    pub(super) fn has(&self, digest: Digest) -> bool {
        self.texts.contains_key(&digest)
    }

    /// Remembers that a process wrote a known text too: whether that decides between several manifests.
    pub(super) fn add_process(&mut self, digest: Digest, process: Option<u32>) -> bool {
        let Some(Some(place)) = self.texts.get(&digest).copied() else { return false };
        let (Some(senders), Some(process)) = (self.senders.get_mut(place), process) else { return false };
        if senders.processes.len() >= Self::MOST_PROCESSES || !senders.processes.insert(process) {
            return false;
        }
        let has_rivals = |id| self.descriptions.get(id).is_some_and(|descriptions| descriptions.len() > 1);
        senders.described.iter().any(has_rivals)
    }

    /// Remembers a text that describes nothing.
    pub(super) fn add_broken(&mut self, digest: Digest) {
        self.texts.insert(digest, None);
    }

    /// Adds a manifest that was not known. Of a provider that has too many, further ones are not kept.
    pub(super) fn add(
        &mut self,
        digest: Digest,
        version: (u8, u8),
        process: Option<u32>,
        manifest: &Manifest,
    ) {
        let place = self.senders.len();
        let mut described = Vec::new();
        for provider in manifest.providers() {
            let control = provider.control_id().filter(|control| *control != provider.id());
            for id in [Some(provider.id()), control].into_iter().flatten() {
                let descriptions = self.descriptions.entry(id).or_default();
                if descriptions.len() < Self::MOST_DESCRIPTIONS {
                    descriptions.push(Description { provider: Arc::clone(provider), senders: place });
                    described.push(id);
                }
            }
        }
        self.texts.insert(digest, Some(place));
        self.senders.push(Senders { version, processes: process.into_iter().collect(), described });
    }

    /// The descriptions of a provider, the best for an event of this process first: those that the process wrote, then the
    /// highest version, then the latest.
    pub(super) fn of(&self, provider: Guid, process: Option<u32>) -> Vec<Described<'_>> {
        let descriptions = self.descriptions.get(&provider).map(Vec::as_slice).unwrap_or_default();
        let ranked = descriptions.iter().filter_map(|description| {
            let senders = self.senders.get(description.senders)?;
            let is_own = process.is_some_and(|process| senders.processes.contains(&process));
            let rank = Reverse((is_own, senders.version, description.senders));
            Some((rank, Described { provider: &description.provider, is_own }))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, described)| described).collect()
    }
}
