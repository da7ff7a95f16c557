//! What the events of all inputs tell of each other: what describes them may lie behind them, or in another file.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use etweir::Guid;
use etweir::decode::{Decoded, Decoder, mof};
use etweir::trace::Event;

use crate::inputs::{self, Input};
use crate::known_providers::KnownProviders;
use crate::progress::Progress;
use crate::provider::Provider;

/// Descriptions of events, and names.
#[derive(Clone)]
pub(crate) struct Knowledge {
    decoder: Decoder,
    /// Those that have events.
    providers: HashSet<Guid>,
    /// That of the event before, which most events have too.
    last_provider: Option<Guid>,
}

/// Files are hostile: each record may have a provider of its own.
const MOST_PROVIDERS: usize = 100_000;

impl Knowledge {
    /// What is known without a look at any trace.
    pub(crate) fn new() -> Self {
        let mut decoder = Decoder::new();
        decoder.push_source(Arc::new(KnownProviders));
        Self { decoder, providers: HashSet::new(), last_provider: None }
    }

    /// The first of two passes: all events of all inputs that can be read twice. What goes wrong is met again in the second.
    pub(crate) fn read(inputs: &mut [Input], progress: &Progress) -> Self {
        let mut knowledge = Self::new();
        progress.read(inputs::stored(inputs));
        inputs::preview(inputs, progress, |event| knowledge.learn(event));
        knowledge
    }

    /// Takes in what an event tells of others.
    fn learn(&mut self, event: &Event<'_>) {
        self.decoder.learn(event);
        let provider = event.provider_id();
        if self.last_provider != Some(provider) && self.providers.len() < MOST_PROVIDERS {
            self.last_provider = Some(provider);
            self.providers.insert(provider);
        }
    }

    /// Finds the description of an event, and learns from it, if it tells of others.
    pub(crate) fn decode<'a>(&'a mut self, event: &Event<'a>) -> Decoded<'a> {
        self.decoder.decode(event)
    }

    /// Those providers with events that are called so.
    pub(crate) fn providers_called(&self, wanted: &Provider) -> Vec<Guid> {
        let is_meant = |id: &&Guid| self.name_of(**id).is_some_and(|name| wanted.is_called(&name));
        let well_known = wanted.well_known();
        let called = self.providers.iter().filter(is_meant).copied();
        called.chain(well_known.into_iter().filter(|id| self.providers.contains(id))).collect()
    }

    /// What the providers with events are called.
    pub(crate) fn provider_names(&self) -> BTreeSet<String> {
        self.providers.iter().filter_map(|id| self.name_of(*id)).collect()
    }

    fn name_of(&self, provider: Guid) -> Option<String> {
        let learned = || self.decoder.provider_name(provider).map(str::to_owned);
        let sources = || self.decoder.sources().iter();
        let described = || sources().find_map(|source| source.provider_name(provider)).map(String::from);
        let class = || mof::category(provider).map(str::to_owned);
        learned().or_else(described).or_else(class)
    }
}
