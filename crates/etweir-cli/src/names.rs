//! What an event and everything around it is called, as text and JSON show it.

use std::borrow::Cow;

use etweir::decode::format::{
    EventName, standard_channel_name, standard_keyword_names, standard_level_name, standard_opcode_name,
};
use etweir::decode::{Decoded, Name, mof};
use etweir::record::RecordKind;
use etweir::trace::Event;

/// Names, as far as they are known: by the description of the event, or because all providers share them.
#[derive(Default)]
pub(crate) struct Names<'a> {
    pub(crate) provider: Option<Cow<'a, str>>,
    pub(crate) event: Option<EventName<'a>>,
    pub(crate) level: Option<&'a str>,
    pub(crate) task: Option<&'a str>,
    pub(crate) opcode: Option<&'a str>,
    pub(crate) channel: Option<&'a str>,
    /// Of those keywords that the description names.
    keywords: &'a [Name],
    /// All others count.
    keyword_bits: u64,
}

impl<'a> Names<'a> {
    /// Of an event, without `decoded` what its header tells.
    pub(crate) fn of(event: &Event<'_>, decoded: Option<&Decoded<'a>>) -> Self {
        let is_modern = is_modern(event.kind());
        let names = decoded.map(Decoded::names);
        let described = |name: Option<&'a Name>| name.map(|name| &**name);
        let standard = |standard: Option<&'static str>| standard.filter(|_| is_modern);
        // Of kernel events, which have no level, 0 means nothing.
        let has_level = is_modern || event.level() != 0;
        let standard_level = standard_level_name(event.level()).filter(|_| has_level);
        // 0 is that of no channel.
        let has_channel = event.channel() != 0;
        let category = || if is_modern { None } else { mof::category(event.provider_id()) };
        let keywords = names.map(|names| names.keywords.as_slice()).unwrap_or_default();
        Self {
            provider: decoded.and_then(Decoded::provider_name).or_else(|| category().map(Cow::Borrowed)),
            event: names.and_then(|names| EventName::new(names, event.opcode())),
            level: described(names.and_then(|names| names.level.as_ref())).or(standard_level),
            task: described(names.and_then(|names| names.task.as_ref())),
            opcode: described(names.and_then(|names| names.opcode.as_ref()))
                .or_else(|| standard(standard_opcode_name(event.opcode()))),
            channel: described(names.and_then(|names| names.channel.as_ref()))
                .or_else(|| standard(standard_channel_name(event.channel())).filter(|_| has_channel)),
            keywords,
            keyword_bits: if keywords.is_empty() { event.keyword() } else { 0 },
        }
    }

    /// The names of the keywords: those of the description, or if that has none, the ones that all providers share.
    pub(crate) fn keywords(&self) -> impl Iterator<Item = &'a str> {
        let standard = standard_keyword_names(self.keyword_bits).map(|name: &str| name);
        self.keywords.iter().map(|name| &**name).chain(standard)
    }
}

/// Whether a record has an `EVENT_HEADER`: its level, opcode, task, channel and keywords mean what manifests say.
pub(crate) const fn is_modern(kind: RecordKind) -> bool {
    matches!(kind, RecordKind::Event32 | RecordKind::Event64)
}
