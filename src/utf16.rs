//! UTF-16 text as it lies in records: little-endian, at any address, not necessarily valid.

use alloc::string::String;
use core::fmt::{self, Write};

/// Little-endian UTF-16 text, borrowed from the input at whatever alignment it has.
///
/// `Display` prints it with U+FFFD in place of every unpaired surrogate; [`Utf16::to_string_strict`] refuses those.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Utf16<'a> {
    bytes: &'a [u8],
}

impl<'a> Utf16<'a> {
    /// All of `bytes` as text; an odd last byte is left out.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let len = bytes.len() & !1;
        Self { bytes: bytes.get(..len).unwrap_or_default() }
    }

    /// The text from the start of `bytes` to the first zero unit, and the bytes after that unit.
    ///
    /// Without a zero unit the text is all there is and nothing follows.
    #[must_use]
    pub fn until_zero(bytes: &'a [u8]) -> (Self, &'a [u8]) {
        match zero_unit(bytes).and_then(|end| bytes.split_at_checked(end)) {
            Some((text, rest)) => (Self::new(text), rest.get(2..).unwrap_or_default()),
            None => (Self::new(bytes), &[]),
        }
    }

    /// The units in order.
    pub fn units(self) -> impl Iterator<Item = u16> + 'a {
        self.bytes.chunks_exact(2).map(|unit| match unit {
            [low, high] => u16::from_le_bytes([*low, *high]),
            _ => 0,
        })
    }

    /// The bytes as they lie in the input.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Whether there is no text.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    /// The text, or `None` if it holds an unpaired surrogate.
    #[must_use]
    pub fn to_string_strict(self) -> Option<String> {
        char::decode_utf16(self.units()).collect::<Result<_, _>>().ok()
    }
}

/// Where the first zero unit lies, counted in bytes. Eight bytes are looked at in one step.
#[inline]
pub(crate) fn zero_unit(bytes: &[u8]) -> Option<usize> {
    const LOW: u64 = 0x0001_0001_0001_0001;
    const HIGH: u64 = 0x8000_8000_8000_8000;
    let (words, _) = bytes.as_chunks::<8>();
    let mut at = 0_usize;
    for word in words {
        let word = u64::from_le_bytes(*word);
        // A unit borrows from its top bit if it is zero; what lies above the first such unit may be wrong.
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            let units = usize::try_from(zeros.trailing_zeros() >> 4).unwrap_or_default();
            return Some(at.saturating_add(units << 1));
        }
        at = at.saturating_add(8);
    }
    let units = bytes.get(at..)?.chunks_exact(2).position(|unit| unit == [0, 0])?;
    Some(at.saturating_add(units.saturating_mul(2)))
}

impl fmt::Display for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        char::decode_utf16(self.units())
            .try_for_each(|c| f.write_char(c.unwrap_or(char::REPLACEMENT_CHARACTER)))
    }
}

impl fmt::Debug for Utf16<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        char::decode_utf16(self.units()).try_for_each(|c| {
            c.unwrap_or(char::REPLACEMENT_CHARACTER).escape_debug().try_for_each(|c| f.write_char(c))
        })?;
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn text_ends_at_the_first_zero_unit_on_an_even_place() {
        // 'A' 0x0100 (its zero byte and the next one's are no terminator) 0 'B'
        let bytes = [0x41, 0, 0x00, 0x01, 0, 0, 0x42, 0];
        let (text, rest) = Utf16::until_zero(&bytes);
        assert_eq!(text.to_string(), "A\u{100}");
        assert_eq!(rest, [0x42, 0]);
    }

    #[test]
    fn the_first_zero_unit_is_found_wherever_it_lies() {
        for len in 0..40 {
            // Units that differ from zero in one bit, and zero bytes across two units.
            for unit in [[1, 0], [0, 1], [0x80, 0], [0, 0x80], [0xFF, 0xFF]] {
                let mut bytes: Vec<u8> = unit.repeat(len);
                assert_eq!(zero_unit(&bytes), None, "{unit:?}, {len} units");
                bytes.push(0);
                assert_eq!(zero_unit(&bytes), None, "half a unit");
                for at in 0..len {
                    let mut bytes = unit.repeat(len);
                    bytes[at * 2..at * 2 + 2].fill(0);
                    assert_eq!(zero_unit(&bytes), Some(at * 2), "{unit:?}, {len} units");
                    bytes[at * 2..].fill(0);
                    assert_eq!(zero_unit(&bytes), Some(at * 2), "{unit:?}, {len} units, all zero from {at}");
                }
            }
        }
    }

    #[test]
    fn text_without_a_terminator_is_all_there_is() {
        let (text, rest) = Utf16::until_zero(&[0x41, 0, 0x42]);
        assert_eq!(text.to_string(), "A");
        assert!(rest.is_empty());
    }

    #[test]
    fn an_unpaired_surrogate_is_replaced_or_refused() {
        let bytes = [0x41, 0, 0x00, 0xD8, 0x42, 0];
        let text = Utf16::new(&bytes);
        assert_eq!(text.to_string(), "A\u{FFFD}B");
        assert_eq!(format!("{text:?}"), "\"A\u{FFFD}B\"");
        assert_eq!(text.to_string_strict(), None);
        assert_eq!(Utf16::new(&[0x3D, 0xD8, 0x00, 0xDE]).to_string_strict().as_deref(), Some("\u{1F600}"));
    }
}
