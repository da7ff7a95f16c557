//! The only code that slices input: every access is checked, nothing here can panic.

use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use crate::error::{Offset, ParseError};

/// Rounds up to the next multiple of 8, the alignment of records and extended items.
///
/// Saturates at the end of the number range, where no buffer reaches.
pub(crate) const fn align8(value: usize) -> usize {
    value.saturating_add(7) & !7
}

/// The `N` bytes at `at`, if the input has them.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> Option<&[u8; N]> {
    bytes.get(at..)?.first_chunk()
}

/// The `len` bytes at `at`, if the input has them.
pub(crate) fn slice_at(bytes: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    bytes.get(at..)?.get(..len)
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    array_at(bytes, at).copied().map(u16::from_le_bytes)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    array_at(bytes, at).copied().map(u32::from_le_bytes)
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    array_at(bytes, at).copied().map(u64::from_le_bytes)
}

pub(crate) fn i64_at(bytes: &[u8], at: usize) -> Option<i64> {
    array_at(bytes, at).copied().map(i64::from_le_bytes)
}

/// Borrows a `T` from the start of `bytes` in place, and ignores what follows it.
pub(crate) fn view<T>(bytes: &[u8]) -> Option<&T>
where
    T: FromBytes + Immutable + KnownLayout + Unaligned,
{
    T::ref_from_prefix(bytes).ok().map(|(head, _)| head)
}

/// Reads structures one after the other and knows where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first of `bytes`, which lies at `at` of whatever errors are to count from.
    pub(crate) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { rest: bytes, at }
    }

    /// Where the next byte lies.
    pub(crate) fn offset(&self) -> Offset {
        Offset::from(self.at)
    }

    /// The bytes not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Borrows the next `T` in place. `what` names the structure in the error.
    pub(crate) fn view<T>(&mut self, what: &'static str) -> Result<&'a T, ParseError>
    where
        T: FromBytes + Immutable + KnownLayout + Unaligned,
    {
        let Ok((head, rest)) = T::ref_from_prefix(self.rest) else {
            return Err(self.truncated(what, size_of::<T>()));
        };
        self.advance_to(rest);
        Ok(head)
    }

    fn advance_to(&mut self, rest: &'a [u8]) {
        self.at = self.at.saturating_add(self.rest.len().saturating_sub(rest.len()));
        self.rest = rest;
    }

    fn truncated(&self, what: &'static str, need: usize) -> ParseError {
        ParseError::Truncated {
            what,
            at: self.offset(),
            need: Offset::from(need).get(),
            have: Offset::from(self.rest.len()).get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn align8_rounds_up_and_saturates() {
        assert_eq!(align8(0), 0);
        assert_eq!(align8(1), 8);
        assert_eq!(align8(8), 8);
        assert_eq!(align8(9), 16);
        assert_eq!(align8(usize::MAX), usize::MAX & !7);
    }

    #[test]
    fn numbers_are_little_endian_wherever_they_lie() {
        let bytes = [0xAA, 1, 2, 3, 4, 5, 6, 7, 0x88];
        assert_eq!(u16_at(&bytes, 1), Some(0x0201));
        assert_eq!(u32_at(&bytes, 1), Some(0x0403_0201));
        assert_eq!(u64_at(&bytes, 1), Some(0x8807_0605_0403_0201));
        assert_eq!(i64_at(&bytes, 1), Some(i64::from_le_bytes([1, 2, 3, 4, 5, 6, 7, 0x88])));
        assert_eq!(u32_at(&bytes, 6), None);
        assert_eq!(u16_at(&bytes, usize::MAX), None);
        assert_eq!(slice_at(&bytes, 7, 2), Some(&[7, 0x88][..]));
        assert_eq!(slice_at(&bytes, 7, 3), None);
    }

    #[test]
    fn a_view_that_does_not_fit_says_how_many_bytes_are_missing() {
        let mut reader = Reader::new(&[1, 2, 3], 0x40);
        assert_eq!(reader.view::<[u8; 2]>("pair"), Ok(&[1, 2]));
        assert_eq!(
            reader.view::<[u8; 2]>("pair"),
            Err(ParseError::Truncated { what: "pair", at: Offset(0x42), need: 2, have: 1 })
        );
        assert_eq!(reader.rest(), [3]);
    }
}
