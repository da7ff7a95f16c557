//! What the metadata of a trace has told so far.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::collections::HashMap;

use crate::decode::embedded::event_info::{DecodingSource, EventInfo};
#[cfg(feature = "manifest")]
use crate::decode::embedded::manifest_data::{Added, Assemblies, Chunk, Complete};
#[cfg(feature = "manifest")]
use crate::decode::embedded::manifests::Manifests;
use crate::decode::embedded::report::{MetadataProblemKind, MetadataReport};
#[cfg(feature = "manifest")]
use crate::decode::manifest::Manifest;
use crate::decode::schema::{Name, Schema, SchemaError};
use crate::decode::value_map::ValueMap;
use crate::guid::Guid;
use crate::limits::Limits;

/// Everything that was learned, within limits.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// `TRACE_EVENT_INFO` as it lay in the trace: that takes less room than what becomes of it.
    infos: BTreeMap<Identity, Arc<[u8]>>,
    maps: HashMap<Guid, BTreeMap<Name, Arc<ValueMap>>>,
    names: HashMap<Guid, Name>,
    #[cfg(feature = "manifest")]
    assemblies: Assemblies,
    #[cfg(feature = "manifest")]
    manifests: Manifests,
    /// Bytes of what is kept, without incomplete manifests.
    bytes: usize,
    report: MetadataReport,
}

/// What an event is described under.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Identity {
    /// The provider, or the class of a classic event.
    pub(super) provider: Guid,
    pub(super) is_classic: bool,
    /// The id, or the opcode of a classic event.
    pub(super) id: u16,
    pub(super) version: u8,
}

/// What was learned from a piece of metadata.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Lesson {
    /// Something new.
    New,
    /// Nothing that changes an answer.
    Nothing,
}

impl Known {
    pub(super) fn report(&self) -> MetadataReport {
        #[cfg(feature = "manifest")]
        let incomplete = self.assemblies.waiting();
        #[cfg(not(feature = "manifest"))]
        let incomplete = 0;
        MetadataReport { incomplete, ..self.report.clone() }
    }

    /// The name that metadata gave a provider.
    pub(super) fn name(&self, provider: Guid) -> Option<&Name> {
        self.names.get(&provider)
    }

    /// Takes in a `TRACE_EVENT_INFO`; `class` is that of the event which carried it.
    pub(super) fn learn_info(&mut self, class: Guid, payload: &[u8], limits: &Limits) -> Lesson {
        let info = match EventInfo::parse(payload, limits) {
            Ok(info) => info,
            Err(error) => return self.broken(class, MetadataProblemKind::Structure(error)),
        };
        let Some(identity) = identity(&info) else {
            self.report.unsupported = self.report.unsupported.saturating_add(1);
            return Lesson::Nothing;
        };
        let known = self.infos.get(&identity).map(|known| **known == *payload);
        if self.is_known(known) || !self.has_room(payload.len(), limits) {
            return Lesson::Nothing;
        }
        let name = info.names().provider.clone();
        let control = info.control_guid().filter(|_| !identity.is_classic);
        if let Err(error) = info.into_schema(|_| None, limits) {
            return self.broken(identity.provider, MetadataProblemKind::Schema(error));
        }
        self.report.event_infos = self.report.event_infos.saturating_add(1);
        let payload: Arc<[u8]> = payload.into();
        for provider in [Some(identity.provider), control].into_iter().flatten() {
            self.infos.entry(Identity { provider, ..identity }).or_insert_with(|| Arc::clone(&payload));
            if let Some(name) = &name {
                self.names.entry(provider).or_insert_with(|| name.clone());
            }
        }
        Lesson::New
    }

    /// Takes in a provider's GUID and an `EVENT_MAP_INFO`.
    pub(super) fn learn_map(&mut self, class: Guid, payload: &[u8], limits: &Limits) -> Lesson {
        let (provider, map) = match payload.split_first_chunk() {
            Some((provider, map)) => (Guid::from_bytes(*provider), ValueMap::parse(map, limits)),
            // Too short for either: the map says so with its numbers.
            None => (class, ValueMap::parse(&[], limits)),
        };
        let map = match map {
            Ok(Some(map)) => map,
            Ok(None) => {
                self.report.unsupported = self.report.unsupported.saturating_add(1);
                return Lesson::Nothing;
            }
            Err(error) => return self.broken(provider, MetadataProblemKind::Structure(error)),
        };
        let known = self.maps.get(&provider).and_then(|maps| maps.get(&map.name));
        let known = known.map(|known| **known == map);
        // Offsets may point to the same text again and again, so what becomes of it counts.
        let text = map.entries().iter().fold(0_usize, |bytes, (_, text)| {
            bytes.saturating_add(text.len()).saturating_add(size_of::<(u32, Name)>())
        });
        if self.is_known(known) || !self.has_room(payload.len().max(text), limits) {
            return Lesson::Nothing;
        }
        self.report.maps = self.report.maps.saturating_add(1);
        self.maps.entry(provider).or_default().insert(map.name.clone(), Arc::new(map));
        Lesson::New
    }

    /// Takes in a chunk of a manifest.
    #[cfg(feature = "manifest")]
    pub(super) fn learn_chunk(
        &mut self,
        provider: Guid,
        process: Option<u32>,
        payload: &[u8],
        limits: &Limits,
    ) -> Lesson {
        let chunk = match Chunk::parse(payload) {
            Ok(chunk) => chunk,
            Err(error) => return self.broken(provider, MetadataProblemKind::Structure(error)),
        };
        let room = limits.metadata_bytes.saturating_sub(self.bytes);
        match self.assemblies.add(provider, process, chunk, limits.xml_bytes, room) {
            Added::Waiting => Lesson::Nothing,
            Added::Refused => {
                self.report.refused = self.report.refused.saturating_add(1);
                Lesson::Nothing
            }
            Added::Complete(complete) => self.learn_manifest(provider, process, &complete, limits),
        }
    }

    /// Counts a chunk of a manifest, which takes the feature `manifest` to be read.
    #[cfg(not(feature = "manifest"))]
    pub(super) const fn pass_chunk(&mut self) -> Lesson {
        self.report.unread = self.report.unread.saturating_add(1);
        Lesson::Nothing
    }

    #[cfg(feature = "manifest")]
    fn learn_manifest(
        &mut self,
        provider: Guid,
        process: Option<u32>,
        complete: &Complete<'_>,
        limits: &Limits,
    ) -> Lesson {
        let text = &*complete.text;
        let digest = self.manifests.digest(text);
        if self.manifests.has(digest) {
            self.report.repeated = self.report.repeated.saturating_add(1);
            let decides = self.manifests.add_process(digest, process);
            return if decides { Lesson::New } else { Lesson::Nothing };
        }
        if !self.has_room(text.len(), limits) {
            return Lesson::Nothing;
        }
        match Manifest::parse(text, limits) {
            Ok(manifest) => {
                self.report.manifests = self.report.manifests.saturating_add(1);
                for described in manifest.providers() {
                    for id in [Some(described.id()), described.control_id()].into_iter().flatten() {
                        self.names.entry(id).or_insert_with(|| Name::Owned(described.name().into()));
                    }
                }
                self.manifests.add(digest, complete.version, process, &manifest);
                Lesson::New
            }
            Err(error) => {
                self.manifests.add_broken(digest);
                self.broken(provider, MetadataProblemKind::Manifest(error))
            }
        }
    }

    /// The description of an event, if there is one under this very identity.
    pub(super) fn exact(&self, identity: Identity, limits: &Limits) -> Option<Schema> {
        self.schema(self.infos.get(&identity)?, limits)
    }

    /// The description of the highest version below.
    pub(super) fn lower(&self, identity: Identity, limits: &Limits) -> Option<Schema> {
        let lowest = Identity { version: 0, ..identity };
        let (_, payload) = self.infos.range(lowest..identity).next_back()?;
        self.schema(payload, limits)
    }

    #[cfg(feature = "manifest")]
    pub(super) const fn manifests(&self) -> &Manifests {
        &self.manifests
    }

    /// What is kept was read once, so that it can be read again.
    fn schema(&self, payload: &[u8], limits: &Limits) -> Option<Schema> {
        let info = EventInfo::parse(payload, limits).ok()?;
        let owners: Vec<Guid> = owners(&info).collect();
        let map = |name: &str| {
            let maps = owners.iter().filter_map(|owner| self.maps.get(owner));
            maps.filter_map(|maps| maps.get(name)).next().map(Arc::clone)
        };
        let schema: Result<Schema, SchemaError> = info.into_schema(map, limits);
        schema.ok()
    }

    /// Counts a piece of which it is known whether it is the `same` as the one before; `None` for a new one.
    fn is_known(&mut self, same: Option<bool>) -> bool {
        match same {
            Some(true) => self.report.repeated = self.report.repeated.saturating_add(1),
            Some(false) => self.report.contradicting = self.report.contradicting.saturating_add(1),
            None => {}
        }
        same.is_some()
    }

    /// Takes room for a piece, or counts it as refused.
    fn has_room(&mut self, bytes: usize, limits: &Limits) -> bool {
        let cost = bytes.saturating_add(OVERHEAD);
        #[cfg(feature = "manifest")]
        let held = self.bytes.saturating_add(self.assemblies.held());
        #[cfg(not(feature = "manifest"))]
        let held = self.bytes;
        let has_room = limits.metadata_bytes.saturating_sub(held) >= cost;
        if has_room {
            self.bytes = self.bytes.saturating_add(cost);
        } else {
            self.report.refused = self.report.refused.saturating_add(1);
        }
        has_room
    }

    fn broken(&mut self, provider: Guid, kind: MetadataProblemKind) -> Lesson {
        self.report.broken(provider, kind);
        Lesson::Nothing
    }
}

/// What keeping a piece costs besides its bytes, so that small ones are not free.
const OVERHEAD: usize = 128;

/// What the events that are described have in their headers; `None` for what describes no payload.
fn identity(info: &EventInfo) -> Option<Identity> {
    let manifest =
        |provider| Identity { provider, is_classic: false, id: info.id(), version: info.version() };
    match info.source() {
        DecodingSource::XML_FILE => Some(manifest(info.provider_id())),
        // The id of a TraceLogging event tells it from others only if it has one; as a rule it carries its description.
        DecodingSource::TLG if info.id() != 0 => Some(manifest(info.provider_id())),
        DecodingSource::WBEM => Some(Identity {
            provider: owners(info).next()?,
            is_classic: true,
            id: info.opcode().into(),
            version: info.version(),
        }),
        _ => None,
    }
}

/// The GUIDs that maps of an event may be found under; of a classic event the class first.
fn owners(info: &EventInfo) -> impl Iterator<Item = Guid> {
    let (provider, event) = (Some(info.provider_id()), Some(info.event_guid()));
    let owners = if info.source() == DecodingSource::WBEM { [event, provider] } else { [provider, event] };
    owners.into_iter().flatten().filter(|guid| !guid.is_zero())
}
