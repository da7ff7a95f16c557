//! Texts for numbers and for bits.
//!
//! Source: payload reference, "Maps"; payload reference on manifests, "Map kinds".

use core::fmt;

use crate::decode::format::digits::hexadecimal;
use crate::decode::format::out::Out;
use crate::decode::schema::ValueMap;

/// The text of a value. White space at its end comes from the message table and is no part of it.
pub(super) fn name_of(map: &ValueMap, value: u64) -> Option<&str> {
    map.entries.iter().find(|(key, _)| u64::from(*key) == value).map(|(_, name)| name.trim_end())
}

/// A number whose bits have texts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bits<'a> {
    map: &'a ValueMap,
    bits: u64,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(map: &'a ValueMap, bits: u64) -> Self {
        Self { map, bits }
    }

    /// Writes the texts of all bits with `|` between them: entries of many bits before those of few, and of those that
    /// say nothing new none. Bits without a text are one hexadecimal number at the end.
    pub(super) fn write(&self, out: &mut impl Out) -> fmt::Result {
        if self.bits == 0 {
            return match name_of(self.map, 0) {
                Some(name) => out.text(name),
                None => out.plain(b"0"),
            };
        }
        let mut unnamed = self.bits;
        let mut separator: &[u8] = b"";
        let entries = || self.map.entries.iter().map(|(mask, name)| (u64::from(*mask), name));
        // How many bits the entries have that fit, one bit for each number of bits.
        let mut sizes = entries()
            .filter(|(mask, _)| self.bits & mask == *mask)
            .fold(0_u64, |sizes, (mask, _)| sizes | 1_u64.unbounded_shl(mask.count_ones()))
            & !1;
        // At most 32 rounds, as there are sizes; one in most maps.
        while let Some(size) = sizes.checked_ilog2() {
            sizes &= !1_u64.unbounded_shl(size);
            for (mask, name) in entries() {
                if mask.count_ones() == size && self.bits & mask == mask && unnamed & mask != 0 {
                    unnamed &= !mask;
                    out.plain(separator)?;
                    out.text(name.trim_end())?;
                    separator = b"|";
                }
            }
        }
        if unnamed == 0 {
            return Ok(());
        }
        out.plain(separator)?;
        out.plain(hexadecimal(unnamed).as_bytes())
    }
}
