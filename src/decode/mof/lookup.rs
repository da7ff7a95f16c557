//! Which rows an event has: the one to read it with, and those to try where its payload has another length.
//!
//! Source: payload reference on kernel events, "Finding the row", and "Notes on single classes" for the lengths.

use alloc::format;
use alloc::vec::Vec;

use crate::decode::mof::class::{self, Class};
use crate::decode::mof::row::{Row, rows};
use crate::decode::schema::{EventNames, Name, Schema, SchemaError, SchemaKind};
use crate::guid::Guid;

/// What a classic event is known by: the class of its GUID or of its hook's group, and opcode and version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ClassicId {
    pub(super) class: Guid,
    pub(super) opcode: u8,
    pub(super) version: u8,
}

/// How the row of an event was found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum RowFit {
    /// It is of the event's version.
    Version,
    /// It is of the highest version below the event's: newer systems add fields at the end, or change nothing.
    Lower,
    /// It is of no version.
    Unversioned,
    /// Another event of the same kind has it in the event's version: the end of a process lies as its start does.
    SameKind,
    /// It is of a higher version. A guess: a text at the end makes a wrong layout look right.
    Higher,
}

/// What the table knows of an event.
#[derive(Debug)]
pub(super) struct Known {
    opcode: u8,
    /// The row that names the event.
    named: Row,
    /// The layouts that it may have, the best first; none where only the name is known.
    pub(super) layouts: Vec<Layout>,
}

/// A layout that an event may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) row: Row,
    pub(super) fit: RowFit,
    /// It is to be taken only where it fits the payload to the last byte.
    pub(super) exact: bool,
}

/// What the table knows of an event; `None` if it does not even know its name.
pub(super) fn find(id: ClassicId) -> Option<Known> {
    let class = class::find(id.class)?;
    let opcode = id.opcode;
    let mut rows: Vec<Row> = rows(class).filter(|row| row.name_of(opcode).is_some()).collect();
    let any = *rows.first()?;
    rows.retain(Row::has_layout);
    let Some((place, fit)) = place(&rows, id.version) else {
        return Some(Known { opcode, named: any, layouts: Vec::new() });
    };
    let named = rows.remove(place);
    if fit == RowFit::Higher
        && let Some(row) = same_kind(class, id)
    {
        let layouts = [Layout { row, fit: RowFit::SameKind, exact: false }].into();
        return Some(Known { opcode, named, layouts });
    }
    let mut layouts: Vec<Layout> = [Layout { row: named, fit, exact: false }].into();
    let others = rows.into_iter().filter(|other| by_length(class, id, &named, other));
    layouts.extend(others.map(|row| Layout { row, fit: fit_of(row.version, id.version), exact: true }));
    if (class.category, opcode) == ALPC_WAIT {
        // The layout without a version has 8-bit text. That ends at the first zero, so read as that, UTF-16 leaves bytes
        // over; the other way round both may fit.
        layouts.sort_by_key(|layout| layout.row.version.is_some());
        layouts.iter_mut().for_each(|layout| layout.exact = layout.row.version.is_none());
    }
    Some(Known { opcode, named, layouts })
}

/// Waiting for a message names a port, in 8-bit text or in UTF-16.
const ALPC_WAIT: (&str, u8) = ("ALPC", 36);

/// The row of the event's version; else of the highest below; else of none; else of the lowest above.
fn place(rows: &[Row], version: u8) -> Option<(usize, RowFit)> {
    let best = |wanted: RowFit| {
        let of_fit = rows.iter().enumerate().filter(move |(_, row)| fit_of(row.version, version) == wanted);
        // The nearest version; of rows of the same, the first.
        let nearest = of_fit.min_by_key(|(_, row)| row.version.unwrap_or(version).abs_diff(version));
        nearest.map(|(place, _)| (place, wanted))
    };
    best(RowFit::Version)
        .or_else(|| best(RowFit::Lower))
        .or_else(|| best(RowFit::Unversioned))
        .or_else(|| best(RowFit::Higher))
}

fn fit_of(row: Option<u8>, version: u8) -> RowFit {
    match row {
        None => RowFit::Unversioned,
        Some(row) if row == version => RowFit::Version,
        Some(row) if row < version => RowFit::Lower,
        Some(_) => RowFit::Higher,
    }
}

/// A row of the event's own version for another opcode of its kind.
fn same_kind(class: &Class, id: ClassicId) -> Option<Row> {
    let mut kinds = KINDS.iter().filter(|(category, _)| *category == class.category);
    let (_, kind) = kinds.find(|(_, opcodes)| opcodes.contains(&id.opcode))?;
    rows(class).find(|row| {
        let of_kind = row.events().any(|(opcode, _)| kind.contains(&opcode));
        of_kind && row.version == Some(id.version) && row.has_layout()
    })
}

/// Opcodes whose events lie alike: Start, End, DCStart, DCEnd of processes and threads; Load, UnLoad, DCStart, DCEnd of
/// images.
const KINDS: [(&str, [u8; 4]); 3] =
    [("Process", [1, 2, 3, 4]), ("Thread", [1, 2, 3, 4]), ("Image", [10, 2, 3, 4])];

/// Whether `other` takes the place of `row` if it alone fits. Only where versions are known to lie, since a text at the end
/// makes many wrong layouts fit.
fn by_length(class: &Class, id: ClassicId, row: &Row, other: &Row) -> bool {
    match (class.category, id.opcode) {
        // Fields were added at the end, and not always with a new version.
        ("HeapTrace", 32 | 37 | 38 | 42) => true,
        // The order of fields changed: an old version with the new layout.
        ("FileIo", 64..=77) => other.version > row.version,
        // Windows 2000 has texts where later systems have fixed sizes.
        ("SystemConfig", 10..=13) => id.version == 0 && other.version.is_none(),
        // Reserves of processors, before priorities took their numbers.
        ("Thread", 48 | 49 | 52) => other.version == row.version,
        // Nodes of 16 bytes in real payloads, of 8 in the MOF.
        ("SystemConfig", 24) => other.version == row.version,
        event => event == ALPC_WAIT,
    }
}

impl Known {
    /// A schema with the fields of this row; without one, of names alone.
    pub(super) fn schema(&self, row: Option<&Row>) -> Result<Schema, SchemaError> {
        let (properties, top_level) = row.and_then(Row::properties).unwrap_or_default();
        Schema::new(SchemaKind::Kernel, self.names(row.unwrap_or(&self.named)), properties, top_level)
    }

    /// The names of the event in a row; in one of a kindred event, those that it has elsewhere.
    fn names(&self, row: &Row) -> EventNames {
        let named = if row.name_of(self.opcode).is_some() { row } else { &self.named };
        let (category, name) = (named.category, named.name_of(self.opcode));
        EventNames {
            provider: Some(category.into()),
            event: name.map(|name| Name::Owned(format!("{category}/{name}"))),
            task: Some(category.into()),
            opcode: name.map(Name::from),
            ..EventNames::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::mof::class::CLASSES;

    #[test]
    fn every_row_is_found_under_its_class_opcodes_and_version() {
        let (mut pairs, mut unreachable) = (0, 0);
        for class in &CLASSES {
            for row in rows(class).filter(Row::has_layout) {
                for (opcode, _) in row.events() {
                    let id = |version| ClassicId { class: class.guid, opcode, version };
                    let of_opcode = rows(class).filter(|row| row.name_of(opcode).is_some());
                    let lowest = of_opcode.filter_map(|row| row.version).min();
                    // A row without a version serves what lies below all that have one.
                    let version =
                        row.version.or_else(|| lowest.map_or(Some(200), |lowest| lowest.checked_sub(1)));
                    let known = find(id(version.unwrap_or_default())).expect("a known event");
                    let found = known.layouts.iter().any(|layout| layout.row.class == row.class);
                    assert!(found, "{} {opcode} v{version:?}", row.class);
                    let first = known.layouts.first().expect("a layout");
                    unreachable += u32::from(first.exact || first.row.class != row.class);
                    pairs += 1;
                }
            }
        }
        // Reached by length alone: four of Windows 2000, the MOF's NUMA nodes, three reserves, and both
        // texts of an ALPC wait.
        assert_eq!((pairs, unreachable), (969, 10));
    }

    #[cfg(feature = "testkit")]
    #[test]
    fn every_hook_of_the_reference_has_a_name() {
        let Some(folder) = crate::testkit::corpus::data("every_hook_of_the_reference_has_a_name") else {
            return;
        };
        let text = std::fs::read_to_string(folder.join("kernel-events.json")).expect("a readable table");
        let table: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let group = |group: &str| {
            let groups = table["groups"].as_array().expect("groups");
            let group = groups.iter().find(|entry| entry["group"] == group).expect("a group");
            group["guid"].as_str().and_then(|guid| guid.parse::<Guid>().ok())
        };
        let hooks = table["hooks"].as_object().expect("hooks");
        for (hook, names) in hooks {
            let exception = table["hook_exceptions"].get(hook);
            let class = match exception {
                Some(exception) => exception["guid"].as_str().and_then(|guid| guid.parse().ok()),
                None => group(&hook[..4]),
            };
            let opcode = u8::from_str_radix(&hook[4..], 16).expect("an event type");
            let class = class.unwrap_or_else(|| panic!("{hook} has no class"));
            let known = find(ClassicId { class, opcode, version: 2 });
            let known = known.unwrap_or_else(|| panic!("{hook} {names} is not known"));
            let schema = known.schema(known.layouts.first().map(|layout| &layout.row)).expect("a schema");
            let event = schema.names().event.as_deref().expect("a name");
            if known.layouts.is_empty() {
                assert!(event.ends_with(names[0].as_str().expect("a name")), "{hook}: {event}");
            }
        }
        assert_eq!(hooks.len(), 556);
    }

    #[cfg(feature = "testkit")]
    #[test]
    fn real_payloads_have_the_rows_that_they_were_verified_with() {
        let test = "real_payloads_have_the_rows_that_they_were_verified_with";
        let Some(folder) = crate::testkit::corpus::data(test) else { return };
        let text = std::fs::read_to_string(folder.join("payload-vectors.jsonl")).expect("a readable file");
        let vectors = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let mut rows = 0;
        for vector in vectors.filter(|vector| vector["kind"] == "classic") {
            let number = |key: &str| u8::try_from(vector[key].as_u64().expect("a number")).expect("a byte");
            let class = vector["guid"].as_str().expect("a GUID").parse().expect("a GUID");
            let known = find(ClassicId { class, opcode: number("opcode"), version: number("version") });
            let layout = known.expect("a known event").layouts.first().copied().expect("a layout");
            assert_eq!(
                (layout.row.class, layout.fit),
                (vector["class"].as_str().expect("a class"), RowFit::Version)
            );
            rows += 1;
        }
        assert_eq!(rows, 96);
    }
}
