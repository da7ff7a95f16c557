//! Names of registry keys, by the addresses that events refer to them with.

use alloc::string::String;
use alloc::sync::Arc;

use crate::context::observed::Observed;
use crate::context::texts::{Texts, write_text};
use crate::context::timeline::{Mark, Timeline};
use crate::context::topic::Topic;
use crate::decode::{Decoded, Decoder, Value};
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::Event;

/// Full names of registry keys by `KeyHandle`, the address of a key control block (KCB), at a time.
///
/// Learns from the kernel's class `Registry`: KCBCreate, KCBDelete, KCBRundownBegin, KCBRundownEnd. Operations carry only the
/// part of a name below the key that their `KeyHandle` is. Events may come in any order, and the rundown at the end of a trace
/// names the keys of the start.
///
/// Memory: at most [`Limits::context_entries`] observations of about 80 bytes, and [`Limits::context_text_bytes`] of names.
/// Past that, keys whose block was deleted long ago are forgotten.
///
/// Source: payload reference on kernel events, "Registry".
#[derive(Clone, Debug)]
pub struct RegistryKeys {
    names: Timeline<u64, Option<Arc<str>>>,
    texts: Texts,
}

impl Default for RegistryKeys {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl RegistryKeys {
    /// Knows no key yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self { names: Timeline::new(limits.context_entries), texts: Texts::new(limits.context_text_bytes) }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        self.observe_topic(Topic::of(event), event, decoder)
    }

    #[inline]
    pub(super) fn observe_topic(
        &mut self,
        topic: Topic,
        event: &Event<'_>,
        decoder: &mut Decoder,
    ) -> Observed {
        if topic == Topic::Registry { self.observe_class(event, decoder) } else { Observed::Other }
    }

    fn observe_class(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let mark = match event.opcode() {
            KCB_CREATE => Mark::Begin,
            KCB_DELETE => Mark::End,
            KCB_RUNDOWN_BEGIN | KCB_RUNDOWN_END => Mark::Alive,
            _ => return Observed::Other,
        };
        let decoded = decoder.decode(event);
        let read = decoded.get_u64("KeyHandle").zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some((key, time)) = read {
            let name = decoded.get("KeyName").and_then(|name| self.texts.keep(name.as_str()?));
            self.names.insert(key, time, mark, name);
        }
        observed
    }

    /// The full name of the key that this `KeyHandle` stood for at this time, such as
    /// `\REGISTRY\MACHINE\SOFTWARE\Microsoft`. After the end of its block it is still that, until the address is known to be
    /// used again.
    #[must_use]
    pub fn name(&self, key_handle: u64, time: Ticks) -> Option<&str> {
        self.names.at(key_handle, time)?.value.as_deref()
    }

    /// The full name of the key or value that an operation of the class is about: the name of its `KeyHandle` and below it
    /// its own `KeyName`. `None` if the event has neither, or refers to a key that is not known.
    #[must_use]
    pub fn full_name(&self, decoded: &Decoded<'_>, time: Ticks) -> Option<String> {
        let handle = decoded.get_u64("KeyHandle")?;
        let mut name = String::new();
        if let Some(text) = decoded.get("KeyName").and_then(Value::as_str) {
            write_text(text, &mut name);
        }
        if handle == 0 {
            return Some(name).filter(|name| !name.is_empty());
        }
        let mut full = String::from(self.name(handle, time)?);
        if !name.is_empty() {
            if !name.starts_with('\\') {
                full.push('\\');
            }
            full.push_str(&name);
        }
        Some(full)
    }

    /// All names with the addresses that stood for them, by address and then by time.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        let things = self.names.things();
        things.filter_map(|(key, observed)| Some((key, self.names.at(key, observed)?.value.as_deref()?)))
    }

    /// How many observations and names were given up because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.names.dropped().saturating_add(self.texts.dropped())
    }
}

const KCB_CREATE: u8 = 22;
const KCB_DELETE: u8 = 23;
const KCB_RUNDOWN_BEGIN: u8 = 24;
const KCB_RUNDOWN_END: u8 = 25;
