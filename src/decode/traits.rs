//! What a provider says about itself in the PROV_TRAITS item: its name, its group, its decode GUID.

use alloc::borrow::Cow;
use alloc::string::String;
use core::str;

use crate::bytes::{array_at, slice_at, u16_at};
use crate::error::{Offset, ParseError};
use crate::guid::Guid;

/// The traits of a provider, borrowed from the extended item.
///
/// Layout: 16-bit size of the whole, the name in UTF-8 with a zero, then chunks of a 16-bit size, a type byte and data.
/// Source: payload reference, "Provider traits".
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProviderTraits<'a> {
    name: &'a [u8],
    chunks: &'a [u8],
    len: usize,
}

const GROUP_GUID: u8 = 1;
const DECODE_GUID: u8 = 2;
/// Bytes in front of a chunk's data.
const CHUNK_HEAD: usize = 3;

impl<'a> ProviderTraits<'a> {
    /// The traits at the start of `bytes`. What follows them is ignored.
    ///
    /// # Errors
    ///
    /// [`ParseError::Truncated`] if the size or the name leaves the bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ParseError> {
        let truncated = |what, at: usize, need: usize, have: usize| ParseError::Truncated {
            what,
            at: Offset::from(at),
            need: Offset::from(need).get(),
            have: Offset::from(have).get(),
        };
        let whole = |need| truncated("provider traits", 0, need, bytes.len());
        let size = usize::from(u16_at(bytes, 0).ok_or_else(|| whole(2))?);
        let rest = bytes.get(..size).ok_or_else(|| whole(size))?.get(2..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte == 0);
        let end =
            end.ok_or_else(|| truncated("name of a provider", 2, rest.len().saturating_add(1), rest.len()))?;
        let (name, chunks) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        Ok(Self { name, chunks: chunks.get(1..).unwrap_or_default(), len: size })
    }

    /// The bytes of traits at the start of a payload, if what lies there can be some: a name is text.
    pub(super) fn at_start(payload: &'a [u8]) -> Option<&'a [u8]> {
        let traits = Self::parse(payload).ok()?;
        let name = traits.name_str().filter(|name| !name.is_empty())?;
        let chunks = traits
            .chunks()
            .fold(0_usize, |len, (_, data)| len.saturating_add(CHUNK_HEAD).saturating_add(data.len()));
        let whole = !name.contains(char::is_control) && chunks == traits.chunks.len();
        if whole { payload.get(..traits.len) } else { None }
    }

    /// The provider's name, with U+FFFD where it is no UTF-8.
    #[must_use]
    pub fn name(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name)
    }

    /// The provider's name, if it is UTF-8.
    #[must_use]
    pub fn name_str(&self) -> Option<&'a str> {
        str::from_utf8(self.name).ok()
    }

    /// The group that the provider belongs to.
    #[must_use]
    pub fn group(&self) -> Option<Guid> {
        self.guid(GROUP_GUID)
    }

    /// The GUID under which the provider's events are described.
    #[must_use]
    pub fn decode_guid(&self) -> Option<Guid> {
        self.guid(DECODE_GUID)
    }

    /// The traits as type and data, known and unknown, in order. Ends at the first that is shorter than its head or leaves
    /// the whole.
    pub fn chunks(&self) -> impl Iterator<Item = (u8, &'a [u8])> + use<'a> {
        let mut rest = self.chunks;
        core::iter::from_fn(move || {
            let size = usize::from(u16_at(rest, 0)?);
            let data = slice_at(rest, CHUNK_HEAD, size.checked_sub(CHUNK_HEAD)?)?;
            let [kind] = *array_at::<1>(rest, 2)?;
            // At least the three bytes of a head are consumed.
            rest = rest.get(size..)?;
            Some((kind, data))
        })
    }

    fn guid(&self, wanted: u8) -> Option<Guid> {
        let (_, data) = self.chunks().find(|&(kind, _)| kind == wanted)?;
        data.first_chunk().copied().map(Guid::from_bytes)
    }
}
