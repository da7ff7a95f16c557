//! Templates: a tree of items becomes properties, of which the members of structures stand behind those of the top level.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::decode::manifest::error::ManifestErrorKind;
use crate::decode::manifest::model::Template;
use crate::decode::manifest::xml::problems::Problems;
use crate::decode::manifest::xml::raw::{self, Amount, Item};
use crate::decode::schema::{Count, EventNames, Length, Name, Property, Schema, SchemaError, SchemaKind};
use crate::decode::tdh;
use crate::decode::types::{InType, OutType};
use crate::decode::value_map::ValueMap;
use crate::limits::Limits;

/// The properties of a template; `None` if they make no schema, which is a problem.
pub(super) fn resolve(
    raw: &raw::Template,
    maps: &BTreeMap<Box<str>, Arc<ValueMap>>,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<Template> {
    let Some(flat) = Flat::of(&raw.items, limits) else {
        let kind = SchemaError::TooMany { count: count(&raw.items), most: limits.schema_properties };
        problems.add(raw.offset, ManifestErrorKind::Template(kind));
        return None;
    };
    let properties = flat.items.iter().enumerate().map(|(index, placed)| {
        let mut property = placed.property(maps, problems);
        if flat.amounts(index, placed.item, &mut property, problems).is_none() {
            // Payloads can be read up to here.
            property.in_type = InType::Unknown;
        }
        property
    });
    let properties: Vec<Property> = properties.collect();
    let top_level = u16::try_from(raw.items.len()).unwrap_or(u16::MAX);
    // What is accepted here is accepted for every event.
    let names = EventNames::default();
    match Schema::with_limits(SchemaKind::Manifest, names, properties.clone(), top_level, limits) {
        Ok(_) => Some(Template { properties, top_level }),
        Err(error) => {
            problems.add(raw.offset, ManifestErrorKind::Template(error));
            None
        }
    }
}

/// The items of a template in the order of its properties: those of a structure lie side by side.
struct Flat<'t> {
    items: Vec<Placed<'t>>,
}

struct Placed<'t> {
    item: &'t Item,
    /// The structure around it.
    parent: Option<usize>,
    /// Where the first item of the same structure stands, or 0.
    first: usize,
    /// Where its own members begin.
    members: usize,
}

impl<'t> Flat<'t> {
    /// `None` for more items than allowed.
    fn of(items: &'t [Item], limits: &Limits) -> Option<Self> {
        let mut flat: Vec<Placed<'t>> = Vec::new();
        let mut waiting = VecDeque::from([(items, None)]);
        while let Some((items, parent)) = waiting.pop_front() {
            let first = flat.len();
            if items.len() > limits.schema_properties.saturating_sub(first) {
                return None;
            }
            if let Some(structure) = parent.and_then(|parent: usize| flat.get_mut(parent)) {
                structure.members = first;
            }
            for item in items {
                if let Some(members) = &item.members {
                    waiting.push_back((members, Some(flat.len())));
                }
                flat.push(Placed { item, parent, first, members: 0 });
            }
        }
        Some(Self { items: flat })
    }

    /// Fills in count and length; `None` if one of them refers to nothing.
    fn amounts(
        &self,
        index: usize,
        item: &Item,
        property: &mut Property,
        problems: &mut Problems,
    ) -> Option<()> {
        match &item.count {
            None => {}
            Some(Amount::Fixed(count)) => property.count = Count::Fixed(*count),
            Some(Amount::Item(name)) => {
                property.count = Count::Property(self.referred("count", name, index, item, problems)?);
            }
        }
        // The others have a natural length, whatever is said.
        if matches!(property.in_type, InType::UnicodeString | InType::AnsiString | InType::Binary) {
            match &item.length {
                None if property.in_type == InType::Binary && property.out_type != OutType::Ipv6 => {
                    let kind = ManifestErrorKind::Missing { element: "data", attribute: "length" };
                    problems.add(item.offset, kind);
                }
                None => {}
                Some(Amount::Fixed(length)) => property.length = Length::Fixed(*length),
                Some(Amount::Item(name)) => {
                    property.length = Length::Property(self.referred("length", name, index, item, problems)?);
                }
            }
        }
        Some(())
    }

    /// The property that a name means: the nearest item of this name in front, in the same structure or around it.
    fn referred(
        &self,
        attribute: &'static str,
        name: &str,
        index: usize,
        item: &Item,
        problems: &mut Problems,
    ) -> Option<u16> {
        let mut index = Some(index);
        // Ends: each structure stands in front of its members.
        while let Some(from) = index {
            let Some(placed) = self.items.get(from) else { break };
            let before = self.items.get(placed.first..from).unwrap_or_default();
            if let Some(place) = before.iter().rposition(|before| *before.item.name == *name) {
                return Some(narrow(placed.first.saturating_add(place)));
            }
            index = placed.parent;
        }
        problems.add(item.offset, ManifestErrorKind::reference("data", attribute, name));
        None
    }
}

impl Placed<'_> {
    /// The property without its count and length.
    fn property(&self, maps: &BTreeMap<Box<str>, Arc<ValueMap>>, problems: &mut Problems) -> Property {
        let item = self.item;
        let name = Name::Owned(item.name.to_string());
        let mut property = if let Some(members) = &item.members {
            let mut property = Property::new(name, InType::Struct);
            property.members = narrow(self.members)..narrow(self.members.saturating_add(members.len()));
            property
        } else {
            Property::new(name, tdh::in_type(item.in_type)).shown_as(tdh::out_type(item.out_type))
        };
        if let Some(map) = &item.map {
            property.map = maps.get(map).cloned();
            if property.map.is_none() {
                problems.add(item.offset, ManifestErrorKind::reference("data", "map", map));
            }
        }
        property.tags = item.tags;
        property
    }
}

fn count(items: &[Item]) -> usize {
    let members = items.iter().filter_map(|item| item.members.as_deref()).map(count);
    members.fold(items.len(), usize::saturating_add)
}

/// Indices of properties fit, as their number has a limit.
fn narrow(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX)
}
