//! Text inside a TDH structure: found by its offset, bounded one by one and altogether.

use alloc::string::{String, ToString};

use crate::decode::schema::Name;
use crate::error::{Offset, ParseError};
use crate::limits::Limits;
use crate::utf16::{Utf16, zero_unit};

/// The texts of one structure. Offsets may point to the same place any number of times, so what they give together has a
/// limit of its own.
pub(super) struct Texts<'a> {
    bytes: &'a [u8],
    /// The structure, for errors.
    what: &'static str,
    longest: usize,
    budget: usize,
    left: usize,
}

impl<'a> Texts<'a> {
    pub(super) const fn new(bytes: &'a [u8], what: &'static str, limits: &Limits) -> Self {
        Self {
            bytes,
            what,
            longest: limits.string_bytes,
            budget: limits.schema_bytes,
            left: limits.schema_bytes,
        }
    }

    /// The text at an offset that is never zero.
    pub(super) fn required(&mut self, field: &'static str, offset: u32) -> Result<String, ParseError> {
        let (text, _) = self.at(field, offset)?;
        self.keep(field, text)
    }

    /// The name at `offset` without the space at its end, which stands for the line break of a message; `None` for offset
    /// zero and for no text.
    pub(super) fn name(&mut self, field: &'static str, offset: u32) -> Result<Option<Name>, ParseError> {
        if offset == 0 {
            return Ok(None);
        }
        let mut text = self.required(field, offset)?;
        text.truncate(text.trim_end().len());
        Ok((!text.is_empty()).then_some(Name::Owned(text)))
    }

    /// The names of a list that an empty text ends; none for offset zero.
    ///
    /// Ends: each step goes on behind the zero of a text that was not empty.
    pub(super) fn list(
        &mut self,
        field: &'static str,
        offset: u32,
        mut each: impl FnMut(Name),
    ) -> Result<(), ParseError> {
        let mut next = offset;
        while next != 0 {
            let (text, after) = self.at(field, next)?;
            if text.is_empty() {
                break;
            }
            let mut text = self.keep(field, text)?;
            text.truncate(text.trim_end().len());
            if !text.is_empty() {
                each(Name::Owned(text));
            }
            // The end of the structure ends the list as well.
            next = if after < self.bytes.len() { u32::try_from(after).unwrap_or(0) } else { 0 };
        }
        Ok(())
    }

    /// The text at `offset`, and where the bytes behind its zero are.
    ///
    /// Looks no further than the text may reach. Each unit that is looked at counts as a byte at least, so that all texts
    /// together cost no more than what is allowed of them, wherever offsets point.
    fn at(&self, field: &'static str, offset: u32) -> Result<(Utf16<'a>, usize), ParseError> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let Some(bytes) = self.bytes.get(at..).filter(|bytes| !bytes.is_empty()) else {
            return Err(self.out_of_range(field, at, self.bytes.len()));
        };
        let most = self.longest.min(self.left.saturating_mul(2));
        let with_zero = most.saturating_add(2).min(bytes.len());
        let Some(len) = zero_unit(bytes.get(..with_zero).unwrap_or_default()) else {
            let at = Offset::from(at);
            return Err(if with_zero == bytes.len() {
                let have = Offset::from(bytes.len()).get();
                ParseError::Truncated { what: field, at, need: have.saturating_add(2), have }
            } else {
                // How much longer it is was not looked at.
                let max = Offset::from(most).get();
                let value = max.saturating_add(1);
                ParseError::OutOfRange { what: field, field: "length", at, value, min: 0, max }
            });
        };
        let text = Utf16::new(bytes.get(..len).unwrap_or_default());
        Ok((text, at.saturating_add(len).saturating_add(2)))
    }

    fn keep(&mut self, field: &'static str, text: Utf16<'_>) -> Result<String, ParseError> {
        let text = text.to_string();
        match self.left.checked_sub(text.len()) {
            Some(left) => self.left = left,
            None => {
                let used = self.budget.saturating_sub(self.left).saturating_add(text.len());
                return Err(self.out_of_range(field, used, self.budget));
            }
        }
        Ok(text)
    }

    fn out_of_range(&self, field: &'static str, value: usize, max: usize) -> ParseError {
        ParseError::OutOfRange {
            what: self.what,
            field,
            at: Offset(0),
            value: Offset::from(value).get(),
            min: 0,
            max: Offset::from(max).get(),
        }
    }
}
