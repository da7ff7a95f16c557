//! What a manifest says, resolved: every source of manifests comes down to this.
//!
//! Source: payload reference on manifests, "The schema model".

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decode::format::{standard_keyword_names, standard_level_name, standard_opcode_name};
use crate::decode::manifest::error::ManifestError;
use crate::decode::schema::{EventNames, Name, Property, Schema, SchemaError, SchemaKind};
use crate::guid::Guid;
use crate::limits::Limits;

/// The providers of a manifest.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub(super) providers: Vec<Arc<Provider>>,
    pub(super) problems: Vec<ManifestError>,
    pub(super) problem_count: usize,
}

impl Manifest {
    /// The providers in the order of the manifest.
    #[must_use]
    pub fn providers(&self) -> &[Arc<Provider>] {
        &self.providers
    }

    /// What was left out because it makes no sense, in the order of the text; the first 100 with their details.
    #[must_use]
    pub fn problems(&self) -> &[ManifestError] {
        &self.problems
    }

    /// How many things were left out.
    #[must_use]
    pub const fn problem_count(&self) -> usize {
        self.problem_count
    }
}

/// A provider: its events, and what their numbers are called.
#[derive(Clone, Debug)]
pub struct Provider {
    pub(super) id: Guid,
    pub(super) control_id: Option<Guid>,
    pub(super) name: Text,
    pub(super) levels: BTreeMap<u8, Text>,
    /// By task and opcode; those of no task are under `None`.
    pub(super) opcodes: BTreeMap<(Option<u16>, u8), Text>,
    pub(super) tasks: BTreeMap<u16, Text>,
    pub(super) keywords: Vec<(u64, Text)>,
    pub(super) channels: BTreeMap<u8, Text>,
    pub(super) maps: usize,
    pub(super) templates: Vec<Template>,
    pub(super) events: BTreeMap<(u16, u8), EventDefinition>,
}

/// Text that several definitions may share.
pub(super) type Text = Arc<str>;

/// The properties of events.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) properties: Vec<Property>,
    pub(super) top_level: u16,
}

#[derive(Clone, Debug)]
pub(super) struct EventDefinition {
    pub(super) name: Option<Text>,
    pub(super) level: u8,
    pub(super) opcode: u8,
    pub(super) task: u16,
    pub(super) channel: u8,
    pub(super) keyword: u64,
    pub(super) message: Option<Text>,
    /// An index into the templates.
    pub(super) template: Option<usize>,
}

impl Provider {
    /// `guid`: what the description is registered under, and what events carry if there is no control GUID.
    #[must_use]
    pub const fn id(&self) -> Guid {
        self.id
    }

    /// `controlGuid`: what the provider is enabled under, and what events carry then.
    #[must_use]
    pub const fn control_id(&self) -> Option<Guid> {
        self.control_id
    }

    /// The name of the provider.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id and version of each event, in their order.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (u16, u8)> {
        self.events.keys().copied()
    }

    /// How many maps there are.
    #[must_use]
    pub const fn map_count(&self) -> usize {
        self.maps
    }

    /// How many templates there are.
    #[must_use]
    pub const fn template_count(&self) -> usize {
        self.templates.len()
    }

    /// The highest version below `version` that the event with this id has.
    #[must_use]
    pub fn lower_version(&self, id: u16, version: u8) -> Option<u8> {
        self.events.range((id, 0)..(id, version)).next_back().map(|((_, version), _)| *version)
    }

    /// The description of an event; `None` if the manifest has none for this version.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] if the event has more text than `limits` allow.
    pub fn schema(
        &self,
        id: u16,
        version: u8,
        kind: SchemaKind,
        limits: &Limits,
    ) -> Option<Result<Schema, SchemaError>> {
        let event = self.events.get(&(id, version))?;
        let template = event.template.and_then(|index| self.templates.get(index));
        let (properties, top_level) = match template {
            Some(template) => (template.properties.as_slice(), template.top_level),
            None => (&[][..], 0),
        };
        let text = |length: usize, text: &str| length.saturating_add(text.len());
        let names = self.names(event);
        let length = properties.iter().fold(0, |length, property| text(length, &property.name));
        let length = names.texts().fold(length, text);
        if length > limits.schema_bytes {
            return Some(Err(SchemaError::TooMuchText { bytes: length, most: limits.schema_bytes }));
        }
        Some(Schema::with_limits(kind, names.to_owned(), properties.to_vec(), top_level, limits))
    }

    fn names<'a>(&'a self, event: &'a EventDefinition) -> Names<'a> {
        let opcode = self.opcodes.get(&(Some(event.task), event.opcode));
        let opcode = opcode.or_else(|| self.opcodes.get(&(None, event.opcode)));
        let own_keywords = self.keywords.iter().filter(|(mask, _)| event.keyword & mask != 0);
        let mut keywords: Vec<&str> = own_keywords.map(|(_, name)| own(name)).collect();
        // The standard names live for ever, which `extend` would ask of all.
        standard_keyword_names(event.keyword).for_each(|name| keywords.push(name));
        Names {
            provider: &self.name,
            event: event.name.as_ref().map(own),
            task: self.tasks.get(&event.task).map(own),
            opcode: opcode.map(own).or_else(|| standard_opcode_name(event.opcode)),
            level: self.levels.get(&event.level).map(own).or_else(|| standard_level_name(event.level)),
            channel: self.channels.get(&event.channel).map(own),
            keywords,
            message: event.message.as_ref().map(own),
        }
    }
}

fn own(text: &Text) -> &str {
    text
}

/// The names of an event before they are copied into its schema.
struct Names<'a> {
    provider: &'a str,
    event: Option<&'a str>,
    task: Option<&'a str>,
    opcode: Option<&'a str>,
    level: Option<&'a str>,
    channel: Option<&'a str>,
    keywords: Vec<&'a str>,
    message: Option<&'a str>,
}

impl Names<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let single =
            [Some(self.provider), self.event, self.task, self.opcode, self.level, self.channel, self.message];
        single.into_iter().flatten().chain(self.keywords.iter().copied())
    }

    fn to_owned(&self) -> EventNames {
        let name = |text: &str| Name::Owned(String::from(text));
        EventNames {
            provider: Some(name(self.provider)),
            event: self.event.map(name),
            task: self.task.map(name),
            opcode: self.opcode.map(name),
            level: self.level.map(name),
            channel: self.channel.map(name),
            keywords: self.keywords.iter().copied().map(name).collect(),
            message: self.message.map(name),
        }
    }
}
