//! Names that all providers share, and the name of an event.
//!
//! Source: payload reference, "Message text".

use core::fmt;

use crate::decode::schema::EventNames;
use crate::decode::winmeta;

/// The name of a level that no manifest needs to define: `win:Error` for 2. `None` from 16 on.
#[must_use]
pub fn standard_level_name(level: u8) -> Option<&'static str> {
    winmeta::level_name(level)
}

/// The name of an opcode that no manifest needs to define: `win:Start` for 1.
#[must_use]
pub fn standard_opcode_name(opcode: u8) -> Option<&'static str> {
    winmeta::opcode_name(opcode)
}

/// The name of the task that every provider has: `win:None` for 0.
#[must_use]
pub const fn standard_task_name(task: u16) -> Option<&'static str> {
    match task {
        0 => Some("win:None"),
        _ => None,
    }
}

/// The name of a channel that no manifest needs to define: `System` for 8.
#[must_use]
pub fn standard_channel_name(channel: u8) -> Option<&'static str> {
    winmeta::channel_name(channel)
}

/// The names of those keywords of an event that no manifest needs to define, from bit 48 on.
///
/// Bits 56 to 63 tell the type of the channel and have no names.
pub fn standard_keyword_names(keywords: u64) -> impl Iterator<Item = &'static str> {
    winmeta::keyword_names(keywords)
}

/// What an event is called: by its own name, or else by task and opcode, as `GC/Start`.
///
/// An opcode that says nothing (`win:Info`, 0) is left out, and so is the prefix `win:` of the others. Prints without
/// allocating.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EventName<'a> {
    first: &'a str,
    opcode: Option<&'a str>,
}

impl<'a> EventName<'a> {
    /// The name of an event with this opcode; `None` if it has neither a name nor a named task.
    #[must_use]
    pub fn new(names: &'a EventNames, opcode: u8) -> Option<Self> {
        if let Some(event) = nonempty(names.event.as_deref()) {
            return Some(Self { first: event, opcode: None });
        }
        let first = nonempty(names.task.as_deref())?;
        let named = nonempty(names.opcode.as_deref()).or_else(|| standard_opcode_name(opcode));
        let opcode = named.map(|name| name.strip_prefix("win:").unwrap_or(name));
        Some(Self { first, opcode: opcode.filter(|name| *name != "Info") })
    }

    /// The name itself, or the task.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.first
    }

    /// The opcode, where the event has no name of its own.
    #[must_use]
    pub const fn opcode(&self) -> Option<&'a str> {
        self.opcode
    }
}

fn nonempty(name: Option<&str>) -> Option<&str> {
    name.map(str::trim_end).filter(|name| !name.is_empty())
}

impl fmt::Display for EventName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.first)?;
        match self.opcode {
            Some(opcode) => write!(f, "/{opcode}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn levels_have_the_names_of_winmeta() {
        assert_eq!(standard_level_name(0), Some("win:LogAlways"));
        assert_eq!(standard_level_name(2), Some("win:Error"));
        assert_eq!(standard_level_name(5), Some("win:Verbose"));
        assert_eq!(standard_level_name(6), Some("win:ReservedLevel6"));
        assert_eq!(standard_level_name(15), Some("win:ReservedLevel15"));
        assert_eq!(standard_level_name(16), None);
    }

    #[test]
    fn opcodes_tasks_and_channels_have_names_where_they_are_standard() {
        assert_eq!(standard_opcode_name(0), Some("win:Info"));
        assert_eq!(standard_opcode_name(3), Some("win:DC_Start"));
        assert_eq!(standard_opcode_name(9), Some("win:Send"));
        assert_eq!(standard_opcode_name(10), None);
        assert_eq!(standard_opcode_name(240), Some("win:Receive"));
        assert_eq!(standard_task_name(0), Some("win:None"));
        assert_eq!(standard_task_name(1), None);
        assert_eq!(standard_channel_name(0), Some("TraceClassic"));
        assert_eq!(standard_channel_name(8), Some("System"));
        assert_eq!(standard_channel_name(11), Some("TraceLogging"));
        assert_eq!(standard_channel_name(16), None);
    }

    #[test]
    fn keywords_have_names_from_bit_48_to_bit_55() {
        let names = |keywords| standard_keyword_names(keywords).collect::<Vec<_>>();
        assert_eq!(names(0x0030_0000_0000_0000), ["win:AuditFailure", "win:AuditSuccess"]);
        assert_eq!(names(0x0001_0000_0000_0000), ["win:ResponseTime"]);
        assert_eq!(names(0x0080_0000_0000_0000), ["win:EventlogClassic"]);
        assert_eq!(names(0xFF00_FFFF_FFFF_FFFF), [""; 0]);
        assert_eq!(names(u64::MAX).len(), 8);
    }

    fn name(event: Option<&'static str>, task: Option<&'static str>, op: Option<&'static str>) -> EventNames {
        EventNames {
            event: event.map(Into::into),
            task: task.map(Into::into),
            opcode: op.map(Into::into),
            ..EventNames::default()
        }
    }

    fn text(names: &EventNames, opcode: u8) -> Option<String> {
        EventName::new(names, opcode).map(|name| name.to_string())
    }

    #[test]
    fn an_event_is_called_by_its_name_or_by_task_and_opcode() {
        assert_eq!(text(&name(Some("Tick"), Some("T"), Some("O")), 1).as_deref(), Some("Tick"));
        assert_eq!(text(&name(None, Some("GC"), Some("Triggered ")), 35).as_deref(), Some("GC/Triggered"));
        assert_eq!(text(&name(None, Some("GC"), Some("win:Start")), 1).as_deref(), Some("GC/Start"));
        assert_eq!(text(&name(None, Some("GC"), None), 2).as_deref(), Some("GC/Stop"));
        assert_eq!(text(&name(None, Some("GC"), Some("win:Info")), 0).as_deref(), Some("GC"));
        assert_eq!(text(&name(None, Some("GC"), None), 77).as_deref(), Some("GC"));
        assert_eq!(text(&name(Some(""), None, Some("Start")), 1), None);
    }
}
