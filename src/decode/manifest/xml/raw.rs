//! What the elements of a manifest say, before anything is looked up: definitions may stand behind their uses.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::decode::manifest::model::Text;
use crate::guid::Guid;

/// A provider as it is written.
pub(super) struct Provider {
    pub(super) offset: usize,
    pub(super) id: Guid,
    pub(super) control_id: Option<Guid>,
    pub(super) name: Text,
    pub(super) levels: Vec<Named<u8>>,
    pub(super) opcodes: Vec<Opcode>,
    pub(super) tasks: Vec<Named<u16>>,
    pub(super) keywords: Vec<Named<u64>>,
    pub(super) channels: Vec<Channel>,
    pub(super) maps: Vec<Map>,
    pub(super) templates: Vec<Template>,
    pub(super) events: Vec<Event>,
}

/// A name for a number, and the text that is shown in its place.
pub(super) struct Named<T> {
    pub(super) offset: usize,
    pub(super) name: Text,
    pub(super) value: T,
    pub(super) message: Option<Message>,
}

/// An opcode; one inside a task counts there only.
pub(super) struct Opcode {
    pub(super) named: Named<u8>,
    pub(super) task: Option<u16>,
}

/// A channel; one without a value gets it from its place.
pub(super) struct Channel {
    pub(super) offset: usize,
    pub(super) id: Option<Box<str>>,
    pub(super) name: Text,
    pub(super) value: Option<u8>,
    pub(super) message: Option<Message>,
}

pub(super) struct Map {
    pub(super) offset: usize,
    pub(super) name: Box<str>,
    pub(super) bits: bool,
    pub(super) entries: Vec<(u32, Option<Message>)>,
}

pub(super) struct Template {
    pub(super) offset: usize,
    pub(super) id: Box<str>,
    pub(super) items: Vec<Item>,
}

/// A `data` or a `struct` of a template.
#[derive(Default)]
pub(super) struct Item {
    pub(super) offset: usize,
    pub(super) name: Box<str>,
    /// 0 for one that makes no sense: payloads can be read up to here.
    pub(super) in_type: u16,
    pub(super) out_type: u16,
    pub(super) map: Option<Box<str>>,
    pub(super) length: Option<Amount>,
    pub(super) count: Option<Amount>,
    pub(super) tags: u32,
    /// Of a structure.
    pub(super) members: Option<Vec<Item>>,
}

/// A length or a count: a number, or the item that says it.
pub(super) enum Amount {
    Fixed(u16),
    Item(Box<str>),
}

pub(super) struct Event {
    pub(super) offset: usize,
    pub(super) id: u16,
    pub(super) version: u8,
    pub(super) name: Option<Text>,
    pub(super) level: Option<Box<str>>,
    pub(super) task: Option<Box<str>>,
    pub(super) opcode: Option<Box<str>>,
    pub(super) channel: Option<Box<str>>,
    pub(super) keywords: Option<Box<str>>,
    pub(super) template: Option<Box<str>>,
    pub(super) message: Option<Message>,
}

/// Text to be shown.
pub(super) enum Message {
    /// As it stands there.
    Literal(Text),
    /// `$(string.ID)`: the entry of the string table with this id.
    Table(Box<str>),
}

impl Message {
    /// What an attribute `message` says. `$(mc.ID)` means a message file, which no manifest holds.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Some(reference) = text.strip_prefix("$(").and_then(|text| text.strip_suffix(')')) else {
            return Some(Self::Literal(without_line_break(text)));
        };
        reference.strip_prefix("string.").map(|id| Self::Table(id.into()))
    }
}

/// The text of all messages, in one language where that is possible.
#[derive(Default)]
pub(super) struct Strings {
    /// Of the culture `en-US`.
    preferred: BTreeMap<Box<str>, Text>,
    /// Of the first culture that is another.
    first: BTreeMap<Box<str>, Text>,
    first_culture: Option<Box<str>>,
}

/// Which of the tables a culture belongs to.
#[derive(Clone, Copy)]
pub(super) enum Language {
    Preferred,
    First,
    /// Nobody looks them up.
    Other,
}

impl Strings {
    pub(super) fn language(&mut self, culture: &str) -> Language {
        if culture.eq_ignore_ascii_case("en-US") {
            return Language::Preferred;
        }
        let first: &str = self.first_culture.get_or_insert_with(|| culture.into());
        if first.eq_ignore_ascii_case(culture) { Language::First } else { Language::Other }
    }

    /// The first text of an id stays.
    pub(super) fn insert(&mut self, language: Language, id: &str, text: &str) {
        let table = match language {
            Language::Preferred => &mut self.preferred,
            Language::First => &mut self.first,
            Language::Other => return,
        };
        table.entry(id.into()).or_insert_with(|| without_line_break(text));
    }

    /// What the message says; `None` if it says nothing.
    pub(super) fn text(&self, message: Option<&Message>) -> Option<Text> {
        let text = match message? {
            Message::Literal(text) => text,
            Message::Table(id) => self.preferred.get(id).or_else(|| self.first.get(id))?,
        };
        (!text.is_empty()).then(|| Text::clone(text))
    }
}

/// Messages end with a line break that nobody wants to see.
fn without_line_break(text: &str) -> Text {
    text.trim_end().into()
}
