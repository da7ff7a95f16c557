//! The rows of a class: one layout of some of its events each, as text.
//!
//! A class is a text of lines. A line `= Category` changes the category of the rows after it, one with `#` is a comment. Any
//! other line is a row of four columns between tabs:
//!
//! | column | |
//! | --- | --- |
//! | class | MOF class or C structure; `-` for events of which only the name is known |
//! | version | event version, or `-` for a layout without one |
//! | events | `opcode=name`, between semicolons |
//! | fields | between spaces, in the order of the payload; `-` for none, `?` where they are not known |
//!
//! A field is `name:type`, and behind it, in this order, a count in brackets, `?` if the payload may end in front of it, and
//! `~` with how it is shown. The count is a number, the name of a field in front, or `rest` for all that fits. `@` in front of
//! a type aligns it to its size, a structure to the size of a pointer; without one fields are packed. A structure is
//! `name:struct[count]{`, its members, and `}`.
//!
//! | type | bytes |
//! | --- | --- |
//! | `u8` `u16` `u32` `u64` `i8` `i16` `i32` `i64` `f32` `f64` `bool8` `guid` `filetime` | as they say; `u8` with a count is binary |
//! | `ptr` `size_t` | 4 or 8, as the event says |
//! | `wchar` `char` | one unit; with a count a text of that length |
//! | `wstrz` `astrz` | UTF-16 or 8-bit text to a zero or the end of the payload |
//! | `wbemsid` `wmitime` | see [`InType`] |
//! | `ipv4` `ipv6` `port_be` | in network order |
//!
//! Shown as: `hex`, `noprint`, `pid`, `tid`, `ntstatus`, `code`, or the name of a map.
//!
//! Source: payload reference on kernel events, "The table".

use alloc::vec::Vec;
use core::ops::Range;

use crate::decode::mof::class::Class;
use crate::decode::mof::maps;
use crate::decode::schema::{Count, Length, Property};
use crate::decode::types::{InType, OutType};

/// One row: a layout, or only names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// The first part of its events' names.
    pub(super) category: &'static str,
    /// The MOF class or C structure.
    #[cfg_attr(not(test), expect(dead_code, reason = "people and tests know rows by it"))]
    pub(super) class: &'static str,
    /// The event version; `None` for a layout without one.
    pub(super) version: Option<u8>,
    events: &'static str,
    fields: &'static str,
}

/// The rows of a class, in the order of the table.
pub(super) fn rows(class: &Class) -> impl Iterator<Item = Row> {
    let mut category = class.category;
    class.rows.lines().filter_map(move |line| {
        if let Some(next) = line.strip_prefix("= ") {
            category = next;
            return None;
        }
        if line.starts_with('#') {
            return None;
        }
        let mut columns = line.split('\t');
        Some(Row {
            category,
            class: columns.next()?,
            version: columns.next()?.parse().ok(),
            events: columns.next()?,
            fields: columns.next()?,
        })
    })
}

impl Row {
    /// The events of the row: opcodes and names.
    pub(super) fn events(&self) -> impl Iterator<Item = (u8, &'static str)> {
        self.events.split(';').filter_map(|event| {
            let (opcode, name) = event.split_once('=')?;
            Some((opcode.parse().ok()?, name))
        })
    }

    /// What the row calls the event with this opcode.
    pub(super) fn name_of(&self, opcode: u8) -> Option<&'static str> {
        self.events().find(|(event, _)| *event == opcode).map(|(_, name)| name)
    }

    /// Whether the row tells where the values lie.
    pub(super) fn has_layout(&self) -> bool {
        self.fields != "?"
    }

    /// The properties, and how many of them are no members; `None` without a layout.
    pub(super) fn properties(&self) -> Option<(Vec<Property>, u16)> {
        let mut parser = Parser::default();
        match self.fields {
            "?" => return None,
            "-" => {}
            fields => fields.split(' ').try_for_each(|field| parser.field(field))?,
        }
        parser.finish()
    }
}

/// Collects members apart, since all of them come behind the last property of the top level.
#[derive(Default)]
struct Parser {
    top: Vec<Property>,
    members: Vec<Property>,
    /// Where the members of an open structure begin.
    open: Option<usize>,
    /// Structures, and where their members lie.
    structures: Vec<(usize, Range<usize>)>,
}

impl Parser {
    fn field(&mut self, field: &'static str) -> Option<()> {
        if field == "}" {
            let structure = self.top.len().checked_sub(1)?;
            self.structures.push((structure, self.open.take()?..self.members.len()));
            return Some(());
        }
        let (name, layout) = field.split_once(':')?;
        let (layout, opens) = layout.strip_suffix('{').map_or((layout, false), |layout| (layout, true));
        let (layout, shown) =
            layout.split_once('~').map_or((layout, None), |(layout, shown)| (layout, Some(shown)));
        let (layout, optional) = layout.strip_suffix('?').map_or((layout, false), |layout| (layout, true));
        let (layout, count) = match layout.split_once('[') {
            Some((layout, count)) => (layout, Some(count.strip_suffix(']')?)),
            None => (layout, None),
        };
        let (layout, aligned) = layout.strip_prefix('@').map_or((layout, false), |layout| (layout, true));
        let (in_type, out_type, size) = of_type(layout)?;
        let mut property = Property::new(name, in_type).shown_as(out_type);
        property.optional = optional;
        if aligned {
            property.align = size;
        }
        if let Some(count) = count {
            self.count(&mut property, layout, count)?;
        }
        if let Some(shown) = shown {
            match out_type_of(shown) {
                Some(out_type) => property.out_type = out_type,
                None => property.map = Some(maps::find(shown)?),
            }
        }
        if self.open.is_some() { &mut self.members } else { &mut self.top }.push(property);
        if opens {
            self.open = Some(self.members.len());
        }
        Some(())
    }

    /// What a count means depends on the type: characters and bytes with one are a single value of that length.
    fn count(&self, property: &mut Property, layout: &str, count: &str) -> Option<()> {
        let single = match layout {
            "wchar" => Some(InType::UnicodeString),
            "char" => Some(InType::AnsiString),
            "u8" => Some(InType::Binary),
            _ => None,
        };
        if let Some(in_type) = single {
            property.in_type = in_type;
            property.length = match count {
                "rest" => Length::Rest,
                count => Length::Fixed(count.parse().ok()?),
            };
            return Some(());
        }
        property.count = match count {
            "rest" => Count::Rest,
            count => match count.parse() {
                Ok(count) => Count::Fixed(count),
                Err(_) => {
                    let by = self.top.iter().position(|property| property.name == count)?;
                    Count::Property(by.try_into().ok()?)
                }
            },
        };
        Some(())
    }

    fn finish(mut self) -> Option<(Vec<Property>, u16)> {
        let top = self.top.len();
        for (structure, members) in self.structures {
            let start = top.checked_add(members.start)?.try_into().ok()?;
            let end = top.checked_add(members.end)?.try_into().ok()?;
            self.top.get_mut(structure)?.members = start..end;
        }
        self.top.append(&mut self.members);
        Some((self.top, top.try_into().ok()?))
    }
}

/// In-type, out-type, and the size that an aligned field has: 0 for that of a pointer.
fn of_type(layout: &str) -> Option<(InType, OutType, u8)> {
    use InType::{
        AnsiChar, AnsiString, Binary, Boolean8, Double, FileTime, Float, Guid, Int8, Int16, Int32, Int64,
        Pointer, SizeT, Struct, UInt8, UInt16, UInt32, UInt64, UnicodeChar, UnicodeString, WbemSid, WmiTime,
    };
    Some(match layout {
        "u8" => (UInt8, OutType::Default, 1),
        "u16" => (UInt16, OutType::Default, 2),
        "u32" => (UInt32, OutType::Default, 4),
        "u64" => (UInt64, OutType::Default, 8),
        "i8" => (Int8, OutType::Default, 1),
        "i16" => (Int16, OutType::Default, 2),
        "i32" => (Int32, OutType::Default, 4),
        "i64" => (Int64, OutType::Default, 8),
        "f32" => (Float, OutType::Default, 4),
        "f64" => (Double, OutType::Default, 8),
        "bool8" => (Boolean8, OutType::Default, 1),
        "ptr" => (Pointer, OutType::Default, 0),
        "size_t" => (SizeT, OutType::Default, 0),
        "wchar" => (UnicodeChar, OutType::Default, 2),
        "char" => (AnsiChar, OutType::Default, 1),
        "wstrz" => (UnicodeString, OutType::Default, 1),
        "astrz" => (AnsiString, OutType::Default, 1),
        "guid" => (Guid, OutType::Default, 4),
        "wbemsid" => (WbemSid, OutType::Default, 1),
        "ipv4" => (UInt32, OutType::Ipv4, 4),
        "ipv6" => (Binary, OutType::Ipv6, 1),
        "port_be" => (UInt16, OutType::Port, 2),
        "filetime" => (FileTime, OutType::Default, 8),
        "wmitime" => (WmiTime, OutType::Default, 8),
        "struct" => (Struct, OutType::Default, 0),
        _ => return None,
    })
}

fn out_type_of(shown: &str) -> Option<OutType> {
    Some(match shown {
        "hex" => OutType::Hex,
        "noprint" => OutType::NoPrint,
        "pid" => OutType::Pid,
        "tid" => OutType::Tid,
        "ntstatus" => OutType::NtStatus,
        "code" => OutType::CodePointer,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::decode::mof::class::CLASSES;
    use crate::decode::schema::{EventNames, Schema, SchemaKind};

    #[test]
    fn every_row_makes_a_schema() {
        let mut layouts = 0;
        for class in &CLASSES {
            assert_eq!(
                rows(class).count(),
                class.rows.lines().filter(|line| !line.starts_with(['=', '#'])).count()
            );
            for row in rows(class) {
                let (class, name) = (class.category, row.class);
                assert!(row.events().count() > 0, "{class} {name} names no event");
                let parts: Vec<_> = row.events().map(|(_, name)| name).collect();
                assert!(parts.iter().all(|name| !name.is_empty()), "{class} {name}: {parts:?}");
                let Some((properties, top_level)) = row.properties() else {
                    assert!(!row.has_layout(), "{class} {name} does not parse");
                    continue;
                };
                let schema = Schema::new(SchemaKind::Kernel, EventNames::default(), properties, top_level);
                assert!(schema.is_ok(), "{class} {name}: {schema:?}");
                layouts += 1;
            }
        }
        // 380 and 283 rows of the reference, and those that are listed below.
        assert_eq!(layouts, 380 + 283 + 14);
    }
}

/// Against the reference, where that is there.
#[cfg(all(test, feature = "testkit"))]
mod reference {
    use alloc::format;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::*;
    use crate::decode::mof::class;
    use crate::guid::Guid;

    /// Rows whose fields or events differ from the reference's table, by its own notes on single classes.
    const CORRECTED: [&str; 34] = [
        // Fewer fields than the table has, by length.
        "CSwitch_V1",
        "Thread_V1_TypeGroup1",
        "Thread_V1_TypeGroup2",
        "TcpIp_V1_Receive",
        "TcpIp_V1_TypeGroup1",
        "TcpIp_V1_TypeGroup2",
        "TcpIp_V1_Send",
        "ObHandleEvent",
        // Texts that odd files lack, and dates.
        "EventTrace_V0_Header",
        "EventTrace_V1_Header",
        "EventTrace_Header",
        // Fields that newer systems add.
        "ObHandleDuplicateEvent",
        // Texts for numbers, and NTSTATUS values.
        "CSwitch_V2",
        "CSwitch_V3",
        "CSwitch_V4",
        "ReadyThread",
        "SystemConfig_V0_LogDisk",
        "SystemConfig_V1_LogDisk",
        "SystemConfig_V2_LogDisk",
        "FileIo_V2_OpEnd",
        "FileIo_OpEnd",
        "Registry_TypeGroup1",
        "SysCallExit",
        // A date.
        "Process_Defunct_TypeGroup1",
        // What real payloads show.
        "Mark_V0",
        "SystemConfig_V2_NumaNode",
        // Of another version in real traces.
        "ImageId_Determ",
        // Aligned as C does it.
        "WMI_JOB_SET_QUERY_NET_RATE",
        "WMI_DELAY_EXECUTION",
        "WMI_WAIT_SINGLE",
        "PERFINFO_CC_SCHEDULE_READ_AHEAD",
        "PERFINFO_PPM_THERMAL_CONSTRAINT",
        // Rows that are here only.
        "SystemConfig_V2_NumaNode_Mof",
        "LastBranchRecord_Sample",
    ];

    #[test]
    fn the_table_is_that_of_the_reference_but_for_what_is_listed() {
        let test = "the_table_is_that_of_the_reference_but_for_what_is_listed";
        let Some(folder) = crate::testkit::corpus::data(test) else { return };
        let (mut same, mut different) = (0, Vec::new());
        for file in ["kernel-events.tsv", "classic-mof.tsv"] {
            let text = std::fs::read_to_string(folder.join(file)).expect("a readable table");
            for line in text.lines().filter(|line| !line.starts_with('#')) {
                let columns: Vec<&str> = line.split('\t').collect();
                let [guid, _, category, class_name, version, events, fields, ..] = columns[..] else {
                    panic!("{line}")
                };
                let class = class::find(guid.parse::<Guid>().expect("a GUID")).expect("a class of the table");
                // One structure may lie under several opcodes, a row each.
                let mut own =
                    rows(class).filter(|row| row.class == class_name && row.version == version.parse().ok());
                if own.any(|row| row.is_told_as(category, events, fields)) {
                    same += 1;
                } else {
                    different.push(class_name.to_string());
                }
            }
        }
        let unexpected: Vec<_> =
            different.iter().filter(|name| !CORRECTED.contains(&name.as_str())).collect();
        assert!(unexpected.is_empty(), "{unexpected:?}");
        assert_eq!((same, different.len()), (380 + 283 - 32, 32));
    }

    impl Row {
        /// Whether the reference says the same of the row. Process and thread ids have a type of their own here.
        fn is_told_as(&self, category: &str, events: &str, fields: &str) -> bool {
            let base = category.rsplit_once("_V").map_or(category, |(base, _)| base);
            let own: Vec<String> = self.events().map(|(opcode, name)| format!("{opcode}={name}")).collect();
            (category == "-" || base == self.category)
                && own.join(";") == events
                && self.fields.replace("~pid", "").replace("~tid", "") == fields
        }
    }
}
