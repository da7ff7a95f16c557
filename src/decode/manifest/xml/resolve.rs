//! Looks up what elements refer to: each name becomes a number, a text or a map.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decode::manifest::error::ManifestErrorKind;
use crate::decode::manifest::model::{EventDefinition, Provider, Template, Text};
use crate::decode::manifest::xml::problems::Problems;
use crate::decode::manifest::xml::raw::{self, Named, Strings};
use crate::decode::manifest::xml::reader::{Read, parse_number};
use crate::decode::manifest::xml::template;
use crate::decode::schema::Name;
use crate::decode::value_map::{ValueMap, ValueMapKind};
use crate::decode::winmeta;
use crate::limits::Limits;

/// The providers of a manifest, resolved one after the other.
pub(super) fn providers(read: Read, limits: &Limits, problems: &mut Problems) -> Vec<Arc<Provider>> {
    let Read { providers, strings } = read;
    let mut resolve = Resolve { strings: &strings, limits, problems };
    providers.into_iter().map(|provider| Arc::new(resolve.provider(provider))).collect()
}

struct Resolve<'r> {
    strings: &'r Strings,
    limits: &'r Limits,
    problems: &'r mut Problems,
}

/// Numbers by names, for the references of events.
struct Numbers<'r> {
    levels: BTreeMap<&'r str, u8>,
    tasks: BTreeMap<&'r str, u16>,
    opcodes: BTreeMap<(Option<u16>, &'r str), u8>,
    keywords: BTreeMap<&'r str, u64>,
    channels: BTreeMap<&'r str, u8>,
}

impl Resolve<'_> {
    fn provider(&mut self, raw: raw::Provider) -> Provider {
        let channels = self.channel_numbers(&raw.channels);
        let keywords = self.keywords(&raw.keywords);
        let maps = self.maps(&raw.maps);
        let (templates, template_numbers) = self.templates(&raw.templates, &maps);
        let numbers = Numbers {
            levels: by_name(&raw.levels),
            tasks: by_name(&raw.tasks),
            opcodes: opcodes_by_name(&raw.opcodes),
            keywords: by_name(&raw.keywords),
            channels: channels_by_name(&raw.channels, &channels),
        };
        let mut events = BTreeMap::new();
        for event in &raw.events {
            let Some(definition) = self.event(event, &numbers, &template_numbers) else { continue };
            match events.entry((event.id, event.version)) {
                Entry::Vacant(entry) => {
                    entry.insert(definition);
                }
                Entry::Occupied(_) => {
                    let id = alloc::format!("{} version {}", event.id, event.version);
                    self.problems.add(event.offset, ManifestErrorKind::twice("event", &id));
                }
            }
        }
        if raw.name.is_empty() {
            let kind = ManifestErrorKind::Missing { element: "provider", attribute: "name" };
            self.problems.add(raw.offset, kind);
        }
        let mut opcodes = BTreeMap::new();
        for opcode in &raw.opcodes {
            let text = self.shown(&opcode.named);
            opcodes.entry((opcode.task, opcode.named.value)).or_insert(text);
        }
        let mut channel_names = BTreeMap::new();
        for (channel, number) in raw.channels.iter().zip(&channels) {
            let text = self.strings.text(channel.message.as_ref());
            let text = text.unwrap_or_else(|| Text::clone(&channel.name));
            if let Some(number) = number {
                channel_names.entry(*number).or_insert(text);
            }
        }
        Provider {
            id: raw.id,
            control_id: raw.control_id,
            name: raw.name,
            levels: self.texts(&raw.levels),
            opcodes,
            tasks: self.texts(&raw.tasks),
            keywords,
            channels: channel_names,
            maps: maps.len(),
            templates,
            events,
        }
    }

    /// What is shown for a number: the message if there is one, else the name.
    fn shown<T>(&self, named: &Named<T>) -> Text {
        self.strings.text(named.message.as_ref()).unwrap_or_else(|| Text::clone(&named.name))
    }

    /// The first name of a number stays.
    fn texts<T: Copy + Ord>(&self, named: &[Named<T>]) -> BTreeMap<T, Text> {
        let mut texts = BTreeMap::new();
        for named in named {
            texts.entry(named.value).or_insert_with(|| self.shown(named));
        }
        texts
    }

    fn keywords(&mut self, raw: &[Named<u64>]) -> Vec<(u64, Text)> {
        if let Some(over) = raw.get(MOST_KEYWORDS) {
            let kind = ManifestErrorKind::TooMany { element: "keyword", most: MOST_KEYWORDS };
            self.problems.add(over.offset, kind);
        }
        raw.iter().take(MOST_KEYWORDS).map(|keyword| (keyword.value, self.shown(keyword))).collect()
    }

    /// The number of each channel: its own, that of the system's channel it is, or the next from 16 upwards.
    fn channel_numbers(&mut self, channels: &[raw::Channel]) -> Vec<Option<u8>> {
        let mut next = Some(16_u8);
        let mut number = |channel: &raw::Channel| {
            channel.value.or_else(|| winmeta::channel(&channel.name)).or_else(|| {
                let free = next?;
                next = free.checked_add(1);
                Some(free)
            })
        };
        let numbers = channels.iter().map(|channel| {
            let number = number(channel);
            if number.is_none() {
                let kind = ManifestErrorKind::TooMany { element: "channel", most: 240 };
                self.problems.add(channel.offset, kind);
            }
            number
        });
        numbers.collect()
    }

    fn maps(&mut self, raw: &[raw::Map]) -> BTreeMap<Box<str>, Arc<ValueMap>> {
        let mut maps = BTreeMap::new();
        for map in raw {
            let Some(resolved) = self.map(map) else { continue };
            match maps.entry(map.name.clone()) {
                Entry::Vacant(entry) => {
                    entry.insert(Arc::new(resolved));
                }
                Entry::Occupied(_) => {
                    self.problems.add(map.offset, ManifestErrorKind::twice("map", &map.name));
                }
            }
        }
        maps
    }

    /// An entry without text has no use: its number is shown.
    fn map(&mut self, raw: &raw::Map) -> Option<ValueMap> {
        let texts = raw.entries.iter().filter_map(|(value, message)| {
            let text = self.strings.text(message.as_ref())?;
            Some((*value, text))
        });
        let texts: Vec<(u32, Text)> = texts.collect();
        // Entries may share one long string, which the map would copy.
        let bytes = texts.iter().fold(raw.name.len(), |bytes, (_, text)| bytes.saturating_add(text.len()));
        if bytes > self.limits.schema_bytes {
            let kind = ManifestErrorKind::TooLarge { len: bytes, most: self.limits.schema_bytes };
            self.problems.add(raw.offset, kind);
            return None;
        }
        let entries = texts.into_iter().map(|(value, text)| (value, Name::Owned(text.to_string())));
        let kind = if raw.bits { ValueMapKind::Bits } else { ValueMapKind::Value };
        Some(ValueMap::new(Name::Owned(raw.name.to_string()), kind, entries.collect()))
    }

    /// The templates that make sense, and their places by their ids; `None` for those that do not.
    fn templates<'t>(
        &mut self,
        raw: &'t [raw::Template],
        maps: &BTreeMap<Box<str>, Arc<ValueMap>>,
    ) -> (Vec<Template>, BTreeMap<&'t str, Option<usize>>) {
        let mut templates = Vec::new();
        let mut places = BTreeMap::new();
        for template in raw {
            let resolved = template::resolve(template, maps, self.limits, self.problems);
            match places.entry(&*template.id) {
                Entry::Vacant(entry) => {
                    entry.insert(resolved.as_ref().map(|_| templates.len()));
                    templates.extend(resolved);
                }
                Entry::Occupied(_) => {
                    self.problems.add(template.offset, ManifestErrorKind::twice("template", &template.id));
                }
            }
        }
        (templates, places)
    }

    /// `None` if the event's template makes no sense or is missing, so that its payload cannot be read.
    fn event(
        &mut self,
        raw: &raw::Event,
        numbers: &Numbers<'_>,
        templates: &BTreeMap<&str, Option<usize>>,
    ) -> Option<EventDefinition> {
        let template = match &raw.template {
            None => None,
            Some(id) => match templates.get(&**id) {
                Some(Some(place)) => Some(*place),
                // What is wrong with the template was said there.
                Some(None) => return None,
                None => {
                    let kind = ManifestErrorKind::reference("event", "template", id);
                    self.problems.add(raw.offset, kind);
                    return None;
                }
            },
        };
        let mut look_up = |attribute, text: &Option<Box<str>>, find: &dyn Fn(&str) -> Option<u64>| {
            let Some(name) = text.as_deref().map(str::trim).filter(|name| !name.is_empty()) else { return 0 };
            let found = find(name).or_else(|| parse_number(name));
            if found.is_none() {
                self.problems.add(raw.offset, ManifestErrorKind::reference("event", attribute, name));
            }
            found.unwrap_or(0)
        };
        let level = look_up("level", &raw.level, &|name| {
            numbers.levels.get(name).copied().or_else(|| winmeta::level(name)).map(u64::from)
        });
        let task = look_up("task", &raw.task, &|name| match name {
            "win:None" => Some(0),
            _ => numbers.tasks.get(name).copied().map(u64::from),
        });
        let task = u16::try_from(task).unwrap_or(0);
        let opcode = look_up("opcode", &raw.opcode, &|name| {
            let own = numbers.opcodes.get(&(Some(task), name)).or_else(|| numbers.opcodes.get(&(None, name)));
            own.copied().or_else(|| winmeta::opcode(name)).map(u64::from)
        });
        let channel = look_up("channel", &raw.channel, &|name| {
            numbers.channels.get(name).copied().or_else(|| winmeta::channel(name)).map(u64::from)
        });
        let mut keyword = 0;
        for name in raw.keywords.as_deref().unwrap_or_default().split_whitespace() {
            match numbers.keywords.get(name).copied().or_else(|| winmeta::keyword(name)) {
                Some(mask) => keyword |= mask,
                None => {
                    self.problems.add(raw.offset, ManifestErrorKind::reference("event", "keyword", name));
                }
            }
        }
        Some(EventDefinition {
            name: raw.name.clone(),
            level: u8::try_from(level).unwrap_or(0),
            opcode: u8::try_from(opcode).unwrap_or(0),
            task,
            channel: u8::try_from(channel).unwrap_or(0),
            keyword,
            message: self.strings.text(raw.message.as_ref()),
            template,
        })
    }
}

/// More than bits, since keywords may stand for several; each schema looks at all of them.
const MOST_KEYWORDS: usize = 256;

/// The first definition of a name counts.
fn by_name<T: Copy>(named: &[Named<T>]) -> BTreeMap<&str, T> {
    let mut numbers = BTreeMap::new();
    for named in named {
        numbers.entry(&*named.name).or_insert(named.value);
    }
    numbers
}

fn opcodes_by_name(opcodes: &[raw::Opcode]) -> BTreeMap<(Option<u16>, &str), u8> {
    let mut numbers = BTreeMap::new();
    for opcode in opcodes {
        numbers.entry((opcode.task, &*opcode.named.name)).or_insert(opcode.named.value);
    }
    numbers
}

/// Events name a channel by its id or by its name.
fn channels_by_name<'r>(channels: &'r [raw::Channel], numbers: &[Option<u8>]) -> BTreeMap<&'r str, u8> {
    let mut by_name = BTreeMap::new();
    for (channel, number) in channels.iter().zip(numbers) {
        let Some(number) = number else { continue };
        if let Some(id) = &channel.id {
            by_name.entry(&**id).or_insert(*number);
        }
        by_name.entry(&*channel.name).or_insert(*number);
    }
    by_name
}
