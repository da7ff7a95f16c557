//! The part of a line that is the same for all events of one identity, made once and copied after that.

use etweir::Guid;
use etweir::decode::{Decoded, Schema};
use etweir::record::RecordKind;
use etweir::trace::Event;

/// Lines' parts by the identity of events. The last of those that share a place is kept.
pub(super) struct Heads {
    places: Vec<Option<Head>>,
    /// One that is too long to be kept.
    passing: Vec<u8>,
}

struct Head {
    key: Key,
    /// What the provider was called then.
    provider: Option<Box<str>>,
    text: Vec<u8>,
}

/// Everything that decides the text, but for the provider's name, which may become known later.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Key {
    provider: Guid,
    keywords: u64,
    /// The number of the schema; none has 0.
    schema: u64,
    id: u16,
    task: u16,
    kind: RecordKind,
    version: u8,
    channel: u8,
    level: u8,
    opcode: u8,
}

impl Key {
    fn of(event: &Event<'_>, schema: Option<&Schema>) -> Self {
        Self {
            provider: event.provider_id(),
            keywords: event.keyword(),
            schema: schema.map_or(0, Schema::serial),
            id: event.id(),
            task: event.task(),
            kind: event.kind(),
            version: event.version(),
            channel: event.channel(),
            level: event.level(),
            opcode: event.opcode(),
        }
    }

    /// Where it is kept. Who makes all events of a file share a place gains slow output and nothing else.
    fn place(&self) -> usize {
        let [a, b, c, d, ..] = self.provider.to_bytes();
        let provider = u64::from(u32::from_le_bytes([a, b, c, d]));
        let numbers = u64::from(self.id) << 16 | u64::from(self.opcode) << 8 | u64::from(self.level);
        let mixed = (provider ^ numbers << 16 ^ self.keywords.rotate_left(40) ^ self.schema << 32)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        usize::try_from(mixed >> (64 - PLACES_LOG)).unwrap_or_default()
    }
}

const PLACES_LOG: u32 = 10;
/// Longer ones are made each time: names of a hostile trace may be long.
const LONGEST: usize = 4096;

impl Heads {
    pub(super) fn new() -> Self {
        Self { places: (0..1 << PLACES_LOG).map(|_| None).collect(), passing: Vec::new() }
    }

    /// The text for an event, which `make` appends if it is not there.
    pub(super) fn of(
        &mut self,
        event: &Event<'_>,
        decoded: Option<&Decoded<'_>>,
        make: impl FnOnce(&mut Vec<u8>),
    ) -> &[u8] {
        let key = Key::of(event, decoded.and_then(Decoded::schema));
        let provider = decoded.and_then(Decoded::provider_name);
        let Some(place) = self.places.get_mut(key.place()) else { return &[] };
        let is_there = place
            .as_ref()
            .is_some_and(|head| head.key == key && head.provider.as_deref() == provider.as_deref());
        if !is_there {
            let mut text = Vec::new();
            make(&mut text);
            if text.len() > LONGEST {
                self.passing = text;
                return &self.passing;
            }
            *place = Some(Head { key, provider: provider.map(Into::into), text });
        }
        place.as_ref().map_or(&[], |head| &head.text)
    }
}
