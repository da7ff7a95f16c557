//! The pass over the text: elements in, raw definitions out.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event as XmlEvent};

use crate::decode::manifest::error::{ManifestErrorKind, XmlError};
use crate::decode::manifest::model::Text;
use crate::decode::manifest::xml::problems::{Problem, Problems};
use crate::decode::manifest::xml::raw::{
    Amount, Channel, Event, Item, Language, Map, Message, Named, Opcode, Provider, Strings, Template,
};
use crate::decode::manifest::xml::types;
use crate::guid::Guid;
use crate::limits::Limits;

/// What a manifest says, before anything is looked up.
#[derive(Default)]
pub(super) struct Read {
    pub(super) providers: Vec<Provider>,
    pub(super) strings: Strings,
}

/// Reads a whole manifest.
pub(super) fn read(text: &str, limits: &Limits, problems: &mut Problems) -> Result<Read, Problem> {
    let mut xml = quick_xml::Reader::from_str(text);
    xml.config_mut().expand_empty_elements = true;
    // Stray ampersands stand in text only, which means nothing here.
    xml.config_mut().allow_dangling_amp = true;
    let mut state = State { read: Read::default(), open: Vec::new(), limits, problems, offset: 0 };
    // Ends: each event but the last moves forward, and the end of the text is one.
    loop {
        state.offset = usize::try_from(xml.buffer_position()).unwrap_or(usize::MAX);
        match xml.read_event() {
            Ok(XmlEvent::Start(start)) => state.start(&start)?,
            Ok(XmlEvent::End(_)) => state.end(),
            Ok(XmlEvent::Eof) if !state.open.is_empty() => {
                let kind = ManifestErrorKind::EndsEarly { open: state.open.len() };
                return Err(Problem { offset: text.len(), kind });
            }
            Ok(XmlEvent::Eof) => break,
            // Comments, text, processing instructions and document types, whose entities nobody expands.
            Ok(_) => {}
            Err(error) => {
                let offset = usize::try_from(xml.error_position()).unwrap_or(usize::MAX);
                return Err(Problem { offset, kind: ManifestErrorKind::Xml(XmlError::new(error)) });
            }
        }
    }
    if state.read.providers.is_empty() {
        return Err(Problem { offset: 0, kind: ManifestErrorKind::NoProvider });
    }
    Ok(state.read)
}

struct State<'p> {
    read: Read,
    open: Vec<Element>,
    limits: &'p Limits,
    problems: &'p mut Problems,
    /// Where the element begins that is being read.
    offset: usize,
}

/// An open element, as far as it matters for what stands inside.
#[derive(Clone, Copy)]
enum Element {
    /// Nothing of interest, but something may be inside.
    Other,
    /// Nothing of interest, whatever is inside.
    Ignored,
    /// `events` around providers.
    Events,
    Provider,
    Section(Section),
    /// `opcodes` of a task.
    TaskOpcodes(u16),
    Task(u16),
    Map,
    Template,
    /// `struct`, at this depth.
    Struct(usize),
    Localization,
    Resources(Language),
    StringTable(Language),
}

/// A list inside of a provider.
#[derive(Clone, Copy)]
enum Section {
    Channels,
    Levels,
    Opcodes,
    Tasks,
    Keywords,
    Maps,
    Templates,
    Events,
}

impl State<'_> {
    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), Problem> {
        if self.open.len() >= self.limits.xml_depth {
            let kind = ManifestErrorKind::TooDeep { most: self.limits.xml_depth };
            return Err(Problem { offset: self.offset, kind });
        }
        let parent = self.open.last().copied().unwrap_or(Element::Other);
        let element = self.element(parent, start)?;
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) {
        // A structure is complete: the next one of its parent begins anew.
        self.open.pop();
    }

    fn element(&mut self, parent: Element, start: &BytesStart<'_>) -> Result<Element, Problem> {
        let name = start.local_name().into_inner();
        Ok(match (parent, name) {
            (Element::Ignored, _) => Element::Ignored,
            (Element::Other, "events") => Element::Events,
            (Element::Other, "localization") => Element::Localization,
            (Element::Other, _) => Element::Other,
            (Element::Events, "provider") => self.provider(start)?,
            (Element::Provider, "channels") => Element::Section(Section::Channels),
            (Element::Provider, "levels") => Element::Section(Section::Levels),
            (Element::Provider, "opcodes") => Element::Section(Section::Opcodes),
            (Element::Provider, "tasks") => Element::Section(Section::Tasks),
            (Element::Provider, "keywords") => Element::Section(Section::Keywords),
            (Element::Provider, "maps") => Element::Section(Section::Maps),
            (Element::Provider, "templates") => Element::Section(Section::Templates),
            (Element::Provider, "events") => Element::Section(Section::Events),
            (Element::Section(section), name) => self.in_section(section, name, start)?,
            (Element::Task(task), "opcodes") => Element::TaskOpcodes(task),
            (Element::TaskOpcodes(task), "opcode") => self.opcode(start, Some(task))?,
            (Element::Map, "map") => self.map_entry(start)?,
            (Element::Template, "data" | "struct") => self.item(start, name == "struct", 0)?,
            (Element::Struct(depth), "data" | "struct") => self.item(start, name == "struct", depth)?,
            (Element::Localization, "resources") => {
                let [culture] = self.attributes(start, ["culture"])?;
                Element::Resources(self.read.strings.language(culture.as_deref().unwrap_or_default()))
            }
            (Element::Resources(language), "stringTable") => Element::StringTable(language),
            (Element::StringTable(language), "string") => self.string(start, language)?,
            _ => Element::Ignored,
        })
    }

    fn in_section(
        &mut self,
        section: Section,
        name: &str,
        start: &BytesStart<'_>,
    ) -> Result<Element, Problem> {
        match (section, name) {
            (Section::Channels, "channel" | "importChannel") => self.channel(start),
            (Section::Levels, "level") => {
                let level = self.named(start, "level", "value", |value| u8::try_from(value).ok())?;
                self.push(level, |provider| &mut provider.levels);
                Ok(Element::Ignored)
            }
            (Section::Opcodes, "opcode") => self.opcode(start, None),
            (Section::Tasks, "task") => {
                let task = self.named(start, "task", "value", |value| u16::try_from(value).ok())?;
                let element = task.as_ref().map_or(Element::Ignored, |task| Element::Task(task.value));
                self.push(task, |provider| &mut provider.tasks);
                Ok(element)
            }
            (Section::Keywords, "keyword") => {
                let keyword = self.named(start, "keyword", "mask", Some)?;
                self.push(keyword, |provider| &mut provider.keywords);
                Ok(Element::Ignored)
            }
            (Section::Maps, "valueMap" | "bitMap") => self.map(start, name == "bitMap"),
            (Section::Templates, "template") => self.template(start),
            (Section::Events, "event") => self.event(start),
            _ => Ok(Element::Ignored),
        }
    }

    fn provider(&mut self, start: &BytesStart<'_>) -> Result<Element, Problem> {
        let [name, guid, control] = self.attributes(start, ["name", "guid", "controlGuid"])?;
        let Some(id) = self.guid("guid", guid.as_deref()) else { return Ok(Element::Ignored) };
        let control_id = match control {
            Some(control) => self.guid("controlGuid", Some(&control)),
            None => None,
        };
        self.read.providers.push(Provider {
            offset: self.offset,
            id,
            control_id,
            name: name.unwrap_or_default().into(),
            levels: Vec::new(),
            opcodes: Vec::new(),
            tasks: Vec::new(),
            keywords: Vec::new(),
            channels: Vec::new(),
            maps: Vec::new(),
            templates: Vec::new(),
            events: Vec::new(),
        });
        Ok(Element::Provider)
    }

    fn guid(&mut self, attribute: &'static str, text: Option<&str>) -> Option<Guid> {
        let Some(text) = text else {
            self.problem(ManifestErrorKind::Missing { element: "provider", attribute });
            return None;
        };
        let guid = text.trim().parse().ok();
        if guid.is_none() {
            self.problem(ManifestErrorKind::value("provider", attribute, text));
        }
        guid
    }

    fn channel(&mut self, start: &BytesStart<'_>) -> Result<Element, Problem> {
        let [id, name, value, message] = self.attributes(start, ["chid", "name", "value", "message"])?;
        let Some(name) = self.required("channel", "name", name) else { return Ok(Element::Ignored) };
        let value = match value {
            Some(text) => self.number("channel", "value", &text, |value| u8::try_from(value).ok()),
            None => None,
        };
        let channel = Channel {
            offset: self.offset,
            id: id.map(Into::into),
            name: name.into(),
            value,
            message: message.and_then(|message| Message::parse(&message)),
        };
        self.push(Some(channel), |provider| &mut provider.channels);
        Ok(Element::Ignored)
    }

    fn opcode(&mut self, start: &BytesStart<'_>, task: Option<u16>) -> Result<Element, Problem> {
        let named = self.named(start, "opcode", "value", |value| u8::try_from(value).ok())?;
        self.push(named.map(|named| Opcode { named, task }), |provider| &mut provider.opcodes);
        Ok(Element::Ignored)
    }

    /// An element that gives a number a name.
    fn named<T>(
        &mut self,
        start: &BytesStart<'_>,
        element: &'static str,
        attribute: &'static str,
        convert: impl Fn(u64) -> Option<T>,
    ) -> Result<Option<Named<T>>, Problem> {
        let [name, value, message] = self.attributes(start, ["name", attribute, "message"])?;
        let Some(name) = self.required(element, "name", name) else { return Ok(None) };
        let Some(value) = self.required(element, attribute, value) else { return Ok(None) };
        let Some(value) = self.number(element, attribute, &value, convert) else { return Ok(None) };
        let message = message.and_then(|message| Message::parse(&message));
        Ok(Some(Named { offset: self.offset, name: name.into(), value, message }))
    }

    fn map(&mut self, start: &BytesStart<'_>, bits: bool) -> Result<Element, Problem> {
        let [name] = self.attributes(start, ["name"])?;
        let Some(name) = self.required("map", "name", name) else { return Ok(Element::Ignored) };
        let map = Map { offset: self.offset, name: name.into(), bits, entries: Vec::new() };
        self.push(Some(map), |provider| &mut provider.maps);
        Ok(Element::Map)
    }

    fn map_entry(&mut self, start: &BytesStart<'_>) -> Result<Element, Problem> {
        let [value, message] = self.attributes(start, ["value", "message"])?;
        if let Some(value) = self.required("map", "value", value)
            && let Some(value) = self.number("map", "value", &value, |value| u32::try_from(value).ok())
        {
            let entry = (value, message.and_then(|message| Message::parse(&message)));
            if let Some(map) = self.current().and_then(|provider| provider.maps.last_mut()) {
                map.entries.push(entry);
            }
        }
        Ok(Element::Ignored)
    }

    fn template(&mut self, start: &BytesStart<'_>) -> Result<Element, Problem> {
        let [id] = self.attributes(start, ["tid"])?;
        let Some(id) = self.required("template", "tid", id) else { return Ok(Element::Ignored) };
        let template = Template { offset: self.offset, id: id.into(), items: Vec::new() };
        self.push(Some(template), |provider| &mut provider.templates);
        Ok(Element::Template)
    }

    /// A `data` or a `struct`, inside of `depth` structures.
    fn item(&mut self, start: &BytesStart<'_>, is_struct: bool, depth: usize) -> Result<Element, Problem> {
        let too_deep = is_struct && depth >= self.limits.struct_depth;
        if too_deep {
            self.problem(ManifestErrorKind::TooDeep { most: self.limits.struct_depth });
        }
        let opened = is_struct && !too_deep;
        let item = if is_struct { self.read_struct(start, opened)? } else { self.read_data(start)? };
        let template = self.current().and_then(|provider| provider.templates.last_mut());
        // Goes down to the structures that are open, each the last item of the one around it.
        let mut items = template.map(|template| &mut template.items);
        for _ in 0..depth {
            items = items.and_then(|items| items.last_mut()).and_then(|item| item.members.as_mut());
        }
        if let Some(items) = items {
            items.push(item);
        }
        Ok(if opened { Element::Struct(depth.saturating_add(1)) } else { Element::Ignored })
    }

    fn read_struct(&mut self, start: &BytesStart<'_>, opened: bool) -> Result<Item, Problem> {
        let [name, count, tags] = self.attributes(start, ["name", "count", "tags"])?;
        let mut item = self.new_item("struct", name, count, tags);
        item.members = opened.then(Vec::new);
        Ok(item)
    }

    fn read_data(&mut self, start: &BytesStart<'_>) -> Result<Item, Problem> {
        let keys = ["name", "count", "tags", "inType", "outType", "map", "length"];
        let [name, count, tags, in_type, out_type, map, length] = self.attributes(start, keys)?;
        let mut item = self.new_item("data", name, count, tags);
        let in_type = in_type.unwrap_or(Cow::Borrowed("win:UnicodeString"));
        let number = types::in_type_number(without_prefix(&in_type));
        if number.is_none() {
            self.problem(ManifestErrorKind::value("data", "inType", &in_type));
        }
        item.in_type = number.unwrap_or(0);
        if let Some(out_type) = out_type {
            let number = types::out_type_number(without_prefix(&out_type));
            if number.is_none() {
                self.problem(ManifestErrorKind::value("data", "outType", &out_type));
            }
            // It only says how the value is shown.
            item.out_type = number.unwrap_or(0);
        }
        item.map = map.map(Into::into);
        item.length = length.map(|length| self.amount("data", "length", &length));
        Ok(item)
    }

    /// What `data` and `struct` have in common.
    fn new_item(
        &mut self,
        element: &'static str,
        name: Option<Cow<'_, str>>,
        count: Option<Cow<'_, str>>,
        tags: Option<Cow<'_, str>>,
    ) -> Item {
        let name = self.required(element, "name", name).unwrap_or_default();
        let count = count.map(|count| self.amount(element, "count", &count));
        let tags = tags.and_then(|tags| self.number(element, "tags", &tags, |tags| u32::try_from(tags).ok()));
        Item { offset: self.offset, name: name.into(), count, tags: tags.unwrap_or(0), ..Item::default() }
    }

    /// A number, or the name of an item. What is neither will not be found as an item.
    fn amount(&mut self, element: &'static str, attribute: &'static str, text: &str) -> Amount {
        let text = text.trim();
        let number = text.starts_with(|first: char| first.is_ascii_digit());
        let number = if number {
            self.number(element, attribute, text, |value| u16::try_from(value).ok())
        } else {
            None
        };
        number.map_or_else(|| Amount::Item(text.into()), Amount::Fixed)
    }

    fn event(&mut self, start: &BytesStart<'_>) -> Result<Element, Problem> {
        let [value, version, name, level, task, opcode] =
            self.attributes(start, ["value", "version", "name", "level", "task", "opcode"])?;
        let [channel, keywords, template, message] =
            self.attributes(start, ["channel", "keywords", "template", "message"])?;
        let Some(value) = self.required("event", "value", value) else { return Ok(Element::Ignored) };
        let id = self.number("event", "value", &value, |value| u16::try_from(value).ok());
        let version = version.unwrap_or(Cow::Borrowed("0"));
        let version = self.number("event", "version", &version, |value| u8::try_from(value).ok());
        let (Some(id), Some(version)) = (id, version) else { return Ok(Element::Ignored) };
        let event = Event {
            offset: self.offset,
            id,
            version,
            name: name.map(Text::from),
            level: level.map(Into::into),
            task: task.map(Into::into),
            opcode: opcode.map(Into::into),
            channel: channel.map(Into::into),
            keywords: keywords.map(Into::into),
            template: template.map(Into::into),
            message: message.and_then(|message| Message::parse(&message)),
        };
        self.push(Some(event), |provider| &mut provider.events);
        Ok(Element::Ignored)
    }

    fn string(&mut self, start: &BytesStart<'_>, language: Language) -> Result<Element, Problem> {
        let [id, value] = self.attributes(start, ["id", "value"])?;
        if let Some(id) = self.required("string", "id", id)
            && let Some(value) = self.required("string", "value", value)
        {
            self.read.strings.insert(language, &id, &value);
        }
        Ok(Element::Ignored)
    }

    /// The values of these attributes, without their entities. Only what is asked for is kept, however many there are.
    fn attributes<'s, const N: usize>(
        &mut self,
        start: &'s BytesStart<'_>,
        keys: [&str; N],
    ) -> Result<[Option<Cow<'s, str>>; N], Problem> {
        let mut values = [const { None }; N];
        // Looking for repeated names would take a time that grows with the square of their number.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|error| self.xml_error(error.into()))?;
            let place = keys.iter().zip(&mut values).find(|(key, _)| **key == attribute.key.into_inner());
            let Some((_, value @ None)) = place else { continue };
            let text = attribute.normalized_value(XmlVersion::Explicit1_0);
            let text = text.map_err(|error| self.xml_error(error))?;
            *value = Some(text);
        }
        Ok(values)
    }

    fn xml_error(&self, error: quick_xml::Error) -> Problem {
        Problem { offset: self.offset, kind: ManifestErrorKind::Xml(XmlError::new(error)) }
    }

    /// An attribute that has to be there, and no longer than text may be.
    fn required<'s>(
        &mut self,
        element: &'static str,
        attribute: &'static str,
        value: Option<Cow<'s, str>>,
    ) -> Option<Cow<'s, str>> {
        let Some(value) = value else {
            self.problem(ManifestErrorKind::Missing { element, attribute });
            return None;
        };
        if value.len() > self.limits.string_bytes {
            self.problem(ManifestErrorKind::value(element, attribute, &value));
            return None;
        }
        Some(value)
    }

    fn number<T>(
        &mut self,
        element: &'static str,
        attribute: &'static str,
        text: &str,
        convert: impl Fn(u64) -> Option<T>,
    ) -> Option<T> {
        let number = parse_number(text).and_then(convert);
        if number.is_none() {
            self.problem(ManifestErrorKind::value(element, attribute, text));
        }
        number
    }

    fn current(&mut self) -> Option<&mut Provider> {
        self.read.providers.last_mut()
    }

    fn push<T>(&mut self, item: Option<T>, list: impl Fn(&mut Provider) -> &mut Vec<T>) {
        if let Some(provider) = self.current() {
            list(provider).extend(item);
        }
    }

    fn problem(&mut self, kind: ManifestErrorKind) {
        self.problems.add(self.offset, kind);
    }
}

/// `0x` and hexadecimal digits, or decimal ones; zeros in front mean nothing.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    // `from_str_radix` accepts a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// The prefixes of types are literal text, whatever they are bound to.
fn without_prefix(name: &str) -> &str {
    let name = name.trim();
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}
