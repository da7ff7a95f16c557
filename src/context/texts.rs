//! Texts that are kept: each once, however often it comes.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::Write;
use std::collections::HashSet;

use crate::decode::Str;
use crate::utf16::Utf16;

/// Texts that are shared by all who have them.
#[derive(Clone, Debug)]
pub(super) struct Texts {
    texts: HashSet<Arc<str>, foldhash::fast::RandomState>,
    bytes: usize,
    most_bytes: usize,
    dropped: u64,
    /// Bytes that have to be asked for before it is looked again for texts that nobody has any more.
    patience: usize,
    scratch: String,
}

/// What a text takes besides its bytes, about: its place in the table and the counts of its owners.
const OVERHEAD: usize = 48;

impl Texts {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            texts: HashSet::default(),
            bytes: 0,
            most_bytes,
            dropped: 0,
            patience: 0,
            scratch: String::new(),
        }
    }

    /// Texts that were not kept because there are too many.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The text as it lies in a payload; `None` if it is empty, or there is no room for it.
    pub(super) fn keep(&mut self, text: Str<'_>) -> Option<Arc<str>> {
        let mut scratch = core::mem::take(&mut self.scratch);
        scratch.clear();
        write_text(text, &mut scratch);
        let kept = self.keep_str(&scratch);
        self.scratch = scratch;
        kept
    }

    pub(super) fn keep_utf16(&mut self, text: Utf16<'_>) -> Option<Arc<str>> {
        self.keep(Str::Utf16(text))
    }

    pub(super) fn keep_str(&mut self, text: &str) -> Option<Arc<str>> {
        if text.is_empty() {
            return None;
        }
        if let Some(known) = self.texts.get(text) {
            return Some(Arc::clone(known));
        }
        let cost = text.len().saturating_add(OVERHEAD);
        if self.bytes.saturating_add(cost) > self.most_bytes && !self.make_room(cost) {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        let text: Arc<str> = text.into();
        self.bytes = self.bytes.saturating_add(cost);
        self.patience = self.patience.saturating_sub(cost);
        self.texts.insert(Arc::clone(&text));
        Some(text)
    }

    /// Gives up the texts that nobody else has.
    fn make_room(&mut self, cost: usize) -> bool {
        if self.patience >= cost {
            self.patience = self.patience.saturating_sub(cost);
            return false;
        }
        self.patience = self.most_bytes.checked_div(16).unwrap_or_default();
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.bytes = self.texts.iter().map(|text| text.len().saturating_add(OVERHEAD)).sum();
        self.bytes.saturating_add(cost) <= self.most_bytes
    }
}

/// Adds the text without the zeros at its end, which are padding.
pub(super) fn write_text(text: Str<'_>, out: &mut String) {
    let start = out.len();
    write!(out, "{text}").unwrap_or_default();
    let kept = out.get(start..).unwrap_or_default().trim_end_matches('\0').len();
    out.truncate(start.saturating_add(kept));
}
