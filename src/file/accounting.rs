//! Where the bytes of a file went.

use crate::buffer::{BufferHeader, BufferView};
use crate::error::Offset;

/// Where each byte of a file went. All counts are bytes of the file, and together they are its length.
///
/// While a file is being read, [`Accounting::unread`] is what no other count has yet; at the end of a file that was read to
/// its end it is 0.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Accounting {
    /// Headers of the buffers that were found, 72 bytes each.
    pub headers: u64,
    /// Records with their padding, gone over: delivered, or passed over since they lie outside the time limits.
    pub records: u64,
    /// Compressed data that were expanded and gone over. Damage inside them is in the damage report, which counts it as 0
    /// bytes of the file.
    pub compressed: u64,
    /// Filler behind the filled bytes of buffers, or behind their last record.
    pub unused: u64,
    /// Bytes of damage inside buffers that were not compressed.
    pub damaged: u64,
    /// Bytes that belong to no buffer that could be read. The damage report names each such stretch.
    pub skipped: u64,
    /// Zeros at the end of the file: space that was reserved and never written.
    pub unwritten_tail: u64,
    /// Buffers that the index alone showed to lie outside the time limits, without their headers.
    pub outside_limits: u64,
    /// Buffers that were handed out without a look at their records, without their headers.
    pub passed: u64,
    /// What is still to come, or was not wanted any more.
    pub unread: u64,
}

impl Accounting {
    /// The sum of all counts: the length of the file.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.accounted().saturating_add(self.unread)
    }

    const fn accounted(&self) -> u64 {
        self.headers
            .saturating_add(self.records)
            .saturating_add(self.compressed)
            .saturating_add(self.unused)
            .saturating_add(self.damaged)
            .saturating_add(self.skipped)
            .saturating_add(self.unwritten_tail)
            .saturating_add(self.outside_limits)
            .saturating_add(self.passed)
    }

    /// The same for a file of `len` bytes: what was not counted is unread.
    pub(super) const fn of_file(mut self, len: u64) -> Self {
        self.unread = len.saturating_sub(self.accounted());
        self
    }

    /// A buffer was found of which `have` bytes are there; `wanted` of them may be read.
    pub(super) fn found(&mut self, have: usize, wanted: usize) {
        let header = BufferHeader::LEN.min(have);
        self.headers = self.headers.saturating_add(number(header));
        self.unused = self.unused.saturating_add(number(have.saturating_sub(wanted)));
    }

    /// A buffer of `wanted` bytes turned out to be none.
    pub(super) fn lost(&mut self, wanted: usize) {
        self.headers = self.headers.saturating_sub(number(BufferHeader::LEN.min(wanted)));
    }

    /// A buffer lies outside the time limits.
    pub(super) fn outside(&mut self, wanted: usize) {
        self.outside_limits = self.outside_limits.saturating_add(number(behind_header(wanted)));
    }

    /// A buffer was handed out as it was stored.
    pub(super) fn passed(&mut self, read: usize) {
        self.passed = self.passed.saturating_add(number(behind_header(read)));
    }

    /// A compressed buffer was gone over.
    pub(super) fn expanded(&mut self, read: usize) {
        self.compressed = self.compressed.saturating_add(number(behind_header(read)));
    }

    /// A buffer was gone over: its records end at `end`, and `damaged` bytes before that are in none.
    pub(super) fn gone_over(&mut self, view: &BufferView<'_>, end: usize, damaged: u64) {
        let valid = view.valid_bytes().len();
        let end = end.min(valid);
        let used = number(behind_header(end));
        self.records = self.records.saturating_add(used.saturating_sub(damaged));
        self.damaged = self.damaged.saturating_add(damaged.min(used));
        self.unused = self.unused.saturating_add(number(valid.saturating_sub(end)));
    }
}

fn behind_header(len: usize) -> usize {
    len.saturating_sub(BufferHeader::LEN)
}

fn number(len: usize) -> u64 {
    Offset::from(len).get()
}
