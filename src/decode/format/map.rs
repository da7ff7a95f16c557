//! Bits as the texts that a map has for them.
//!
//! Source: payload reference, "Maps"; payload reference on manifests, "Map kinds".

use core::fmt;

use crate::decode::format::digits::hexadecimal;
use crate::decode::format::out::Out;
use crate::decode::value_map::ValueMap;

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
        let mut unnamed = self.bits;
        if unnamed == 0 {
            return match self.map.text(0) {
                Some(text) => out.text(text),
                None => out.plain(b"0"),
            };
        }
        let mut separator: &[u8] = b"";
        for (mask, text) in self.map.masks() {
            let mask = u64::from(mask);
            if self.bits & mask == mask && unnamed & mask != 0 {
                unnamed &= !mask;
                out.plain(separator)?;
                out.text(text)?;
                separator = b"|";
                if unnamed == 0 {
                    return Ok(());
                }
            }
        }
        out.plain(separator)?;
        out.plain(hexadecimal(unnamed).as_bytes())
    }
}
