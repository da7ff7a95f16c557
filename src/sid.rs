//! Security identifiers, the `SID` structure.

use core::fmt;

use crate::bytes::{array_at, slice_at};

/// A `SID`, borrowed from the input. Prints as `S-1-5-18`.
///
/// Layout: revision, number of sub-authorities, six bytes of authority (big-endian), then the sub-authorities, 32 bits
/// each. Source: the `SID` structure of [MS-DTYP], section 2.4.2.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Sid<'a> {
    bytes: &'a [u8],
}

impl<'a> Sid<'a> {
    /// The SID at the start of `bytes`; `None` if it is cut short. What follows it is ignored.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let count = usize::from(*bytes.get(1)?);
        let len = count.checked_mul(4)?.checked_add(8)?;
        Some(Self { bytes: slice_at(bytes, 0, len)? })
    }

    /// The bytes of the SID and no more: 8 and 4 for each sub-authority.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The revision, 1 in all SIDs that exist.
    #[must_use]
    pub fn revision(self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }

    /// The 48-bit identifier authority.
    #[must_use]
    pub fn authority(self) -> u64 {
        array_at::<8>(self.bytes, 0)
            .map_or(0, |&[_, _, a, b, c, d, e, f]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// The sub-authorities in order.
    pub fn sub_authorities(self) -> impl Iterator<Item = u32> + 'a {
        self.bytes.get(8..).unwrap_or_default().chunks_exact(4).map(|part| match part {
            [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]),
            _ => 0,
        })
    }
}

impl fmt::Display for Sid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S-{}-", self.revision())?;
        let authority = self.authority();
        // The text form gives authorities of more than 32 bits in hexadecimal: [MS-DTYP], section 2.4.2.1.
        if authority > u64::from(u32::MAX) {
            write!(f, "0x{authority:012x}")?;
        } else {
            write!(f, "{authority}")?;
        }
        self.sub_authorities().try_for_each(|part| write!(f, "-{part}"))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn local_system_prints_as_windows_prints_it() {
        let bytes = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0, 0xEE];
        let sid = Sid::parse(&bytes).expect("whole");
        assert_eq!(sid.to_string(), "S-1-5-18");
        assert_eq!(sid.as_bytes().len(), 12);
    }

    #[test]
    fn a_large_authority_prints_in_hexadecimal() {
        let bytes = [1, 0, 0, 1, 0, 0, 0, 0];
        assert_eq!(Sid::parse(&bytes).expect("whole").to_string(), "S-1-0x000100000000");
    }

    #[test]
    fn a_sid_cut_short_is_none() {
        let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0];
        assert_eq!(Sid::parse(&bytes), None);
        assert_eq!(Sid::parse(&bytes[..1]), None);
    }
}
