//! Payloads whose layout is fixed, read from their start.

use crate::decode::Str;
use crate::guid::Guid;
use crate::utf16::Utf16;

/// Reads one value after the other. Past the end every value is `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload<'a> {
    rest: &'a [u8],
    wide: bool,
}

impl<'a> Payload<'a> {
    /// A payload with pointers of 4 or 8 bytes.
    pub(super) const fn new(bytes: &'a [u8], pointer_size: u8) -> Self {
        Self { rest: bytes, wide: pointer_size == 8 }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn pointer(&mut self) -> Option<u64> {
        if self.wide { self.u64() } else { self.u32().map(u64::from) }
    }

    /// All pointers that are left.
    pub(super) fn pointers(mut self) -> impl Iterator<Item = u64> + use<'a> {
        core::iter::from_fn(move || self.pointer())
    }

    pub(super) fn guid(&mut self) -> Option<Guid> {
        self.array().map(Guid::from_bytes)
    }

    /// UTF-16 to a zero, or to the end.
    pub(super) fn utf16(&mut self) -> Option<Utf16<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let (text, rest) = Utf16::until_zero(self.rest);
        self.rest = rest;
        Some(text)
    }

    /// 8-bit text to a zero, or to the end.
    pub(super) fn ansi(&mut self) -> Option<Str<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self.rest.iter().position(|&byte| byte == 0).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.get(1..).unwrap_or_default();
        Some(Str::Ansi(text))
    }
}
