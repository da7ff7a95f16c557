//! Maps: texts for the values of a property.
//!
//! Source: payload reference on manifests, "Map kinds"; payload reference, "Maps".

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::decode::schema::Name;

/// Texts for numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ValueMap {
    /// What the map is called.
    pub name: Name,
    /// How it is read.
    pub kind: ValueMapKind,
    /// Values and their texts, in the order of the source.
    entries: Vec<(u32, Name)>,
    /// The entries that count, by their indices, in the order in which they are looked up.
    order: Vec<u32>,
}

/// How a map is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ValueMapKind {
    /// Each entry stands for one value.
    Value,
    /// Each entry stands for bits.
    Bits,
}

/// Of how many entries a map of bits is read. Each is tried for each value, so that more would make hostile maps costly;
/// honest ones have one for each of 32 bits and some for several bits.
const MOST_MASKS: usize = 256;

impl ValueMap {
    /// A map of these entries. Of equal values the first counts, and of a map of bits the first 256 different ones.
    #[must_use]
    pub fn new(name: impl Into<Name>, kind: ValueMapKind, entries: Vec<(u32, Name)>) -> Self {
        let mut seen = BTreeSet::new();
        let mut first: Vec<(u32, u32)> = entries
            .iter()
            .zip(0..)
            .filter_map(|((value, _), index)| seen.insert(*value).then_some((*value, index)))
            .collect();
        match kind {
            ValueMapKind::Value => first.sort_unstable(),
            ValueMapKind::Bits => {
                first.truncate(MOST_MASKS);
                first.sort_by_key(|(mask, _)| Reverse(mask.count_ones()));
            }
        }
        let order = first.into_iter().map(|(_, index)| index).collect();
        Self { name: name.into(), kind, entries, order }
    }

    /// Values and their texts, in the order of the source.
    #[must_use]
    pub fn entries(&self) -> &[(u32, Name)] {
        &self.entries
    }

    /// The text of a value, without white space at its end, which comes from message tables.
    ///
    /// Of a map of bits, the text of an entry with exactly these bits.
    #[must_use]
    pub fn text(&self, value: u32) -> Option<&str> {
        let found = match self.kind {
            ValueMapKind::Value => {
                self.order.binary_search_by_key(&Some(value), |index| self.entry(*index).map(|(key, _)| key))
            }
            ValueMapKind::Bits => {
                let is_same = |index: &u32| self.entry(*index).is_some_and(|(key, _)| key == value);
                self.order.iter().position(is_same).ok_or(0)
            }
        };
        let index = self.order.get(found.ok()?)?;
        self.entry(*index).map(|(_, text)| text)
    }

    /// Entries of many bits before those of few, else in the order of the source.
    pub(super) fn masks(&self) -> impl Iterator<Item = (u32, &str)> {
        self.order.iter().filter_map(|index| self.entry(*index))
    }

    fn entry(&self, index: u32) -> Option<(u32, &str)> {
        let (value, text) = self.entries.get(usize::try_from(index).ok()?)?;
        Some((*value, text.trim_end()))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn a_value_has_the_text_of_its_first_entry() {
        let entries = vec![
            (7, "seven".into()),
            (3, "three \r\n".into()),
            (7, "again".into()),
            (u32::MAX, "most".into()),
        ];
        let map = ValueMap::new("numbers", ValueMapKind::Value, entries);
        assert_eq!(map.text(7), Some("seven"));
        assert_eq!(map.text(3), Some("three"));
        assert_eq!(map.text(u32::MAX), Some("most"));
        assert_eq!(map.text(0), None);
        assert_eq!(map.entries().len(), 4);
        assert_eq!(ValueMap::new("none", ValueMapKind::Value, vec![]).text(0), None);
    }

    #[test]
    fn masks_of_many_bits_come_first() {
        let entries = [(1, "a"), (2, "b"), (3, "ab"), (0, "none"), (6, "bc")];
        let entries = entries.map(|(mask, text)| (mask, text.into())).to_vec();
        let map = ValueMap::new("bits", ValueMapKind::Bits, entries);
        let masks: Vec<_> = map.masks().map(|(mask, _)| mask).collect();
        assert_eq!(masks, [3, 6, 1, 2, 0]);
        assert_eq!(map.text(0), Some("none"));
        assert_eq!(map.text(4), None);
    }
}
