//! `GUID`s: sixteen bytes, of which Windows stores the first three numbers little-endian.

use core::fmt;
use core::str::FromStr;

/// A `GUID` as it lies in a trace. Prints as `3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c`, lower case and without braces.
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The GUID of zeros, which stands for "none" in activity ids.
    pub const ZERO: Self = Self([0; 16]);

    /// From the bytes as Windows stores them: `u32`, `u16`, `u16` little-endian, then eight bytes as they are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// From its four printed parts, as in `DEFINE_GUID`.
    #[must_use]
    pub const fn from_parts(data1: u32, data2: u16, data3: u16, data4: [u8; 8]) -> Self {
        let [a0, a1, a2, a3] = data1.to_le_bytes();
        let [b0, b1] = data2.to_le_bytes();
        let [c0, c1] = data3.to_le_bytes();
        let [d0, d1, d2, d3, d4, d5, d6, d7] = data4;
        Self([a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, d2, d3, d4, d5, d6, d7])
    }

    /// The bytes as Windows stores them.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// Whether all bits are zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        u128::from_le_bytes(self.0) == 0
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a0, a1, a2, a3, b0, b1, c0, c1, d0, d1, node @ ..] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{d0:02x}{d1:02x}-",
            u32::from_le_bytes([a0, a1, a2, a3]),
            u16::from_le_bytes([b0, b1]),
            u16::from_le_bytes([c0, c1]),
        )?;
        node.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guid({self})")
    }
}

/// Text that is no GUID.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a GUID has 32 hex digits as 8-4-4-4-12, with or without braces")]
pub struct GuidError;

impl FromStr for Guid {
    type Err = GuidError;

    /// Reads `3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c` in either case, with or without braces.
    fn from_str(text: &str) -> Result<Self, GuidError> {
        let inner = match text.strip_prefix('{') {
            Some(rest) => rest.strip_suffix('}').ok_or(GuidError)?,
            None => text,
        };
        let mut parts = inner.split('-');
        let mut part = |digits: usize| -> Result<u64, GuidError> {
            let part = parts.next().ok_or(GuidError)?;
            // `from_str_radix` accepts a sign, so the digits are checked first.
            if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(GuidError);
            }
            u64::from_str_radix(part, 16).map_err(|_| GuidError)
        };
        let data1 = u32::try_from(part(8)?).map_err(|_| GuidError)?;
        let data2 = u16::try_from(part(4)?).map_err(|_| GuidError)?;
        let data3 = u16::try_from(part(4)?).map_err(|_| GuidError)?;
        let [.., d0, d1] = part(4)?.to_be_bytes();
        let [_, _, n0, n1, n2, n3, n4, n5] = part(12)?.to_be_bytes();
        match parts.next() {
            None => Ok(Self::from_parts(data1, data2, data3, [d0, d1, n0, n1, n2, n3, n4, n5])),
            Some(_) => Err(GuidError),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    const PROCESS: Guid = Guid::from_bytes([
        0xD0, 0xA8, 0x6F, 0x3D, 0x05, 0xFE, 0xD0, 0x11, 0x9D, 0xDA, 0x00, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C,
    ]);

    #[test]
    fn the_first_three_parts_are_stored_little_endian() {
        assert_eq!(PROCESS.to_string(), "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c");
        assert_eq!(
            Guid::from_parts(0x3D6F_A8D0, 0xFE05, 0x11D0, [0x9D, 0xDA, 0, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C]),
            PROCESS
        );
    }

    #[test]
    fn text_is_read_in_either_case_with_or_without_braces() {
        assert_eq!("3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c".parse(), Ok(PROCESS));
        assert_eq!("{3D6FA8D0-FE05-11D0-9DDA-00C04FD7BA7C}".parse(), Ok(PROCESS));
    }

    #[test]
    fn text_of_another_shape_is_refused() {
        for text in [
            "",
            "{",
            "3d6fa8d0",
            "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7",
            "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7cc",
            "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c-",
            "{3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c",
            "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c}",
            "+d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c",
            "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba\u{e9}",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(GuidError), "{text:?}");
        }
    }

    #[test]
    fn only_sixteen_zero_bytes_are_zero() {
        assert!(Guid::ZERO.is_zero());
        assert!(!PROCESS.is_zero());
    }
}
