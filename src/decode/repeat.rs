//! Names that appear more than once side by side, and the numbers that make keys of them.

use alloc::borrow::Cow;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use crate::decode::schema::{Name, Property};
use crate::decode::types::InType;

/// Gives each property the number that is appended to its name in keys: 0, for none, to the first of a name, at the top
/// level or among the members of a structure, and 2, 3 and so on to those that follow. A number whose key is a name or a key
/// already is passed over.
pub(super) fn number_repeats(properties: &mut [Property], top_level: u16) {
    let members = properties.iter().filter(|property| property.in_type == InType::Struct);
    let groups: Vec<Range<u16>> = members.map(|property| property.members.clone()).collect();
    for group in core::iter::once(0..top_level).chain(groups) {
        let group = usize::from(group.start)..usize::from(group.end);
        if let Some(group) = properties.get_mut(group) {
            number_group(group);
        }
    }
}

fn number_group(group: &mut [Property]) {
    let mut names: Vec<&str> = group.iter().map(|property| &*property.name).collect();
    names.sort_unstable();
    if names.windows(2).all(|pair| matches!(pair, [a, b] if a != b)) {
        return;
    }
    // Names that nothing is appended to come first, wherever they stand.
    let mut taken: BTreeSet<Name> = group.iter().map(|property| property.name.clone()).collect();
    // The number that was given last to each name. It only grows, so that many equal names take no long search.
    let mut last: BTreeMap<Name, u16> = BTreeMap::new();
    for property in group {
        let Some(last) = last.get_mut(&property.name) else {
            last.insert(property.name.clone(), 1);
            continue;
        };
        loop {
            *last = last.saturating_add(1);
            let key = Cow::Owned(format!("{}_{last}", property.name));
            // There are fewer properties than numbers, so one of them is free.
            if taken.insert(key) || *last == u16::MAX {
                property.repeat = *last;
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of properties with these names.
    fn keys(names: &[&'static str]) -> Vec<alloc::string::String> {
        let mut properties: Vec<Property> =
            names.iter().map(|name| Property::new(*name, InType::UInt8)).collect();
        let top_level = u16::try_from(properties.len()).expect("few");
        number_repeats(&mut properties, top_level);
        let key = |property: &Property| match property.repeat {
            0 => property.name.clone().into_owned(),
            number => format!("{}_{number}", property.name),
        };
        properties.iter().map(key).collect()
    }

    #[test]
    fn the_second_and_further_ones_of_a_name_are_numbered() {
        assert_eq!(keys(&["a", "b", "a", "a", "b"]), ["a", "b", "a_2", "a_3", "b_2"]);
        assert_eq!(keys(&["a", "b"]), ["a", "b"]);
        assert_eq!(keys(&["", ""]), ["", "_2"]);
    }

    #[test]
    fn keys_differ_even_where_a_name_looks_like_a_numbered_one() {
        assert_eq!(keys(&["a", "a_2", "a"]), ["a", "a_2", "a_3"]);
        assert_eq!(keys(&["a", "a", "a_2"]), ["a", "a_3", "a_2"]);
        assert_eq!(keys(&["a", "a", "a_2", "a_2"]), ["a", "a_3", "a_2", "a_2_2"]);
    }

    #[test]
    fn members_are_numbered_among_themselves() {
        let mut structure = Property::new("a", InType::Struct);
        structure.members = 2..4;
        let [a, b, c] = ["a", "a", "a"].map(|name| Property::new(name, InType::UInt8));
        let mut properties = [structure, a, b, c];
        number_repeats(&mut properties, 2);
        assert_eq!(properties.map(|property| property.repeat), [0, 2, 0, 2]);
    }

    #[test]
    fn a_thousand_equal_names_are_numbered_at_once() {
        let keys = keys(&["a"; 1024]);
        assert_eq!(keys.last().map(|key| &**key), Some("a_1024"));
    }
}
