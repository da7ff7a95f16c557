//! Counting.

use core::cmp::Reverse;
use core::hash::Hash;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use etweir::decode::{Exactness, SchemaKind};
use etweir::trace::Event;
use etweir::{FileTime, Guid};

use crate::args::By;
use crate::knowledge::Known;
use crate::names::Names;
use crate::stats::key::{Form, Key, Keys};
use crate::walk::Placed;

/// What is counted of one file.
pub(super) struct Tally {
    keys: Keys,
    groups: Groups<Key, Group>,
    pub(super) all: Counts,
    pub(super) first: Option<FileTime>,
    pub(super) last: Option<FileTime>,
    /// By where the description came from.
    pub(super) schemas: BTreeMap<Option<SchemaKind>, Counts>,
    missing: Groups<(Form, Guid), Missing>,
    /// Of the form of an event without a description, and its provider.
    decodes: bool,
}

/// Events and their bytes, and how far they were decoded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Counts {
    pub(super) events: u64,
    /// Of the records as they lie in the buffers, with their headers and without padding.
    pub(super) bytes: u64,
    pub(super) decoded: u64,
    pub(super) partly: u64,
    pub(super) not: u64,
}

impl Counts {
    fn add(&mut self, bytes: u64, exactness: Option<Exactness>) {
        self.events += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        match exactness {
            Some(Exactness::Wholly) => self.decoded += 1,
            Some(Exactness::Partly) => self.partly += 1,
            Some(Exactness::Not) => self.not += 1,
            None => {}
        }
    }
}

/// Events that belong together.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) counts: Counts,
    /// What they are called, as far as any of them tells.
    pub(super) provider: Option<String>,
    pub(super) event: Option<String>,
    pub(super) process: Option<String>,
}

/// Events of a provider that nothing describes.
#[derive(Debug, Default)]
pub(super) struct Missing {
    pub(super) events: u64,
    pub(super) provider: Option<String>,
    pub(super) numbers: BTreeSet<u16>,
}

impl Tally {
    /// Without `decodes`, payloads are left alone.
    pub(super) fn new(by: By, decodes: bool) -> Self {
        Self {
            keys: Keys::new(by),
            groups: Groups::new(),
            all: Counts::default(),
            first: None,
            last: None,
            schemas: BTreeMap::new(),
            missing: Groups::new(),
            decodes,
        }
    }

    pub(super) const fn decodes(&self) -> bool {
        self.decodes
    }

    pub(super) fn add(&mut self, placed: &Placed<'_>, known: Option<&Known<'_>>) {
        let event = &placed.event;
        let decoded = known.map(|known| &known.decoded);
        let bytes = u64::try_from(event.record().bytes().len()).unwrap_or_default();
        let exactness = decoded.map(|decoded| decoded.outcome().exactness);
        self.all.add(bytes, exactness);
        if let Some(time) = event.time().filter(|time| time.is_rfc3339()) {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        let key = self.keys.key(event, known);
        let group = self.groups.of(key);
        group.counts.add(bytes, exactness);
        group.learn(&key, event, known);
        if let Some(decoded) = decoded {
            self.schemas.entry(decoded.kind()).or_default().add(bytes, exactness);
            if decoded.schema().is_none() {
                let form = Form::of(event.kind());
                let missing = self.missing.of((form, event.provider_id()));
                missing.events += 1;
                missing.numbers.insert(form.number(event));
                if missing.provider.is_none() {
                    missing.provider = Names::of(event, Some(decoded)).provider.map(short);
                }
            }
        }
    }

    /// The groups, the largest first; `None` for those past the limit.
    pub(super) fn groups(&self) -> Vec<(Option<&Key>, &Group)> {
        self.groups.ordered(|group| group.counts.events)
    }

    /// The providers without a description, those with most events first; `None` for those past the limit.
    pub(super) fn missing(&self) -> Vec<(Option<&(Form, Guid)>, &Missing)> {
        self.missing.ordered(|missing| missing.events)
    }

    /// Between the first event and the last.
    #[allow(clippy::cast_precision_loss, reason = "exact to 100 ns for three decades")]
    pub(super) fn seconds(&self) -> Option<f64> {
        let (FileTime(first), FileTime(last)) = self.first.zip(self.last)?;
        Some(last.saturating_sub(first) as f64 / 1e7)
    }

    /// So many of something a second, if there is a time to divide by.
    #[allow(clippy::cast_precision_loss, reason = "nobody looks at so many digits")]
    pub(super) fn rate(&self, count: u64) -> Option<f64> {
        self.seconds().filter(|seconds| *seconds > 0.0).map(|seconds| count as f64 / seconds)
    }
}

impl Group {
    /// Keeps names that were not known before.
    fn learn(&mut self, key: &Key, event: &Event<'_>, known: Option<&Known<'_>>) {
        if let (Key::Process { .. }, Some(known), None) = (key, known, &self.process) {
            self.process = known.process_name(event).map(short);
        }
        let decoded = known.map(|known| &known.decoded);
        let of_event = matches!(key, Key::Event { .. });
        let is_open = (self.provider.is_none() && (of_event || matches!(key, Key::Provider(_))))
            || (of_event && self.event.is_none());
        // Of what has no name, the first event has to do.
        let may_tell = self.counts.events == 1 || decoded.is_some_and(|decoded| decoded.schema().is_some());
        if is_open && may_tell {
            let names = Names::of(event, decoded);
            self.provider = self.provider.take().or_else(|| names.provider.map(short));
            if of_event {
                self.event = self.event.take().or_else(|| names.event.map(|event| short(event.to_string())));
            }
        }
    }
}

/// A name that is kept for each of many groups: files are hostile.
fn short(name: impl Into<String>) -> String {
    const LONGEST: usize = 1024;
    let mut name = name.into();
    if name.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|end| name.is_char_boundary(*end)).unwrap_or_default();
        name.truncate(end);
        name.push('\u{2026}');
        name.shrink_to_fit();
    }
    name
}

/// Things that are counted by a key, within bounds: files are hostile.
struct Groups<K, V> {
    by_key: HashMap<K, usize>,
    keys: Vec<K>,
    values: Vec<V>,
    others: Option<V>,
    /// The one that was asked for last, which most are asked for again.
    last: usize,
}

const MOST_GROUPS: usize = 100_000;

impl<K: Copy + Eq + Hash, V: Default> Groups<K, V> {
    fn new() -> Self {
        Self { by_key: HashMap::new(), keys: Vec::new(), values: Vec::new(), others: None, last: 0 }
    }

    /// What is counted under the key; under that of all others, if there are too many.
    fn of(&mut self, key: K) -> &mut V {
        if self.keys.get(self.last) != Some(&key) {
            self.last = match self.by_key.get(&key) {
                Some(place) => *place,
                None if self.keys.len() < MOST_GROUPS => {
                    self.by_key.insert(key, self.keys.len());
                    self.keys.push(key);
                    self.values.push(V::default());
                    self.keys.len().saturating_sub(1)
                }
                None => usize::MAX,
            };
        }
        match self.values.get_mut(self.last) {
            Some(value) => value,
            None => self.others.get_or_insert_default(),
        }
    }

    /// Those with the greatest count first; of equal ones those that came first.
    fn ordered(&self, count: impl Fn(&V) -> u64) -> Vec<(Option<&K>, &V)> {
        let mut all: Vec<_> = self.keys.iter().map(Some).zip(&self.values).collect();
        all.sort_by_key(|(_, value)| Reverse(count(value)));
        all.extend(self.others.iter().map(|others| (None, others)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(short("name"), "name");
        let long = "\u{20ac}".repeat(400);
        assert_eq!(short(long), format!("{}\u{2026}", "\u{20ac}".repeat(341)));
    }

    #[test]
    fn groups_past_the_limit_are_counted_together() {
        let mut groups: Groups<usize, u64> = Groups::new();
        for key in (0..MOST_GROUPS + 3).chain([5, 5, MOST_GROUPS]) {
            *groups.of(key) += 1;
        }
        let ordered = groups.ordered(|count| *count);
        assert_eq!(ordered.len(), MOST_GROUPS + 1);
        assert_eq!(ordered[0], (Some(&5), &3));
        assert_eq!(ordered[1], (Some(&0), &1));
        assert_eq!(ordered[MOST_GROUPS], (None, &4));
    }
}
