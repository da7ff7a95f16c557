//! What events are counted under.

use std::collections::HashMap;

use etweir::Guid;
use etweir::decode::SchemaKind;
use etweir::record::RecordKind;
use etweir::trace::Event;

use crate::args::By;
use crate::knowledge::Known;
use crate::names::is_modern;

/// One of the groups that the events of a file fall into.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Key {
    Provider(Guid),
    Event {
        provider: Guid,
        form: Form,
        number: u16,
        /// Which of the names that were met, for events that are told apart by them.
        name: Option<u32>,
    },
    Process {
        id: Option<u32>,
        /// Which of the names that were met: ids are used again.
        name: Option<u32>,
    },
    Cpu(u16),
    Kind(RecordKind),
}

/// How a provider numbers its events.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Form {
    /// By id.
    Id,
    /// By opcode, as classic and kernel events.
    Opcode,
    /// By the number of a message.
    Message,
}

impl Form {
    pub(super) const fn of(kind: RecordKind) -> Self {
        if is_modern(kind) {
            Self::Id
        } else if matches!(kind, RecordKind::Message) {
            Self::Message
        } else {
            Self::Opcode
        }
    }

    /// The number of an event.
    pub(super) fn number(self, event: &Event<'_>) -> u16 {
        if self == Self::Opcode { event.opcode().into() } else { event.id() }
    }
}

/// Makes keys.
pub(super) struct Keys {
    by: By,
    names: HashMap<Box<str>, u32>,
}

/// Names are those of a hostile trace.
const MOST_NAMES: usize = 100_000;
const LONGEST_NAME: usize = 1024;

impl Keys {
    pub(super) fn new(by: By) -> Self {
        Self { by, names: HashMap::new() }
    }

    pub(super) fn key(&mut self, event: &Event<'_>, known: Option<&Known<'_>>) -> Key {
        let decoded = known.map(|known| &known.decoded);
        match self.by {
            By::Provider => Key::Provider(event.provider_id()),
            By::Event => {
                let form = Form::of(event.kind());
                let name = decoded.filter(|decoded| decoded.kind() == Some(SchemaKind::TraceLogging));
                Key::Event {
                    provider: event.provider_id(),
                    form,
                    number: form.number(event),
                    name: name.and_then(|decoded| self.name(decoded.names().event.as_deref()?)),
                }
            }
            By::Process => Key::Process {
                id: known.map_or_else(|| event.process_id(), |known| known.process_id(event)),
                name: known.and_then(|known| self.name(known.process_name(event)?)),
            },
            By::Cpu => Key::Cpu(event.processor_index()),
            By::Kind => Key::Kind(event.kind()),
        }
    }

    /// The number of a name.
    fn name(&mut self, name: &str) -> Option<u32> {
        if let Some(known) = self.names.get(name) {
            return Some(*known);
        }
        if self.names.len() >= MOST_NAMES || name.len() > LONGEST_NAME {
            return None;
        }
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.insert(name.into(), number);
        Some(number)
    }
}
