//! A second look at the place of a compressed buffer that the index believed in and that does not expand.
//!
//! The index does not expand buffers: it believes that one is good that ends where another begins. Where that is false, the
//! walk goes over the place again without belief, as it does where everything is read, and finds what it finds there.

use alloc::vec::Vec;

use crate::error::Offset;
use crate::file::accounting::Accounting;
use crate::file::damage::{Damage, DamageCause, DamageKind};
use crate::file::error::Error;
use crate::file::index::{Entry, entry_of};
use crate::file::input::Input;
use crate::file::sparse::Sparse;
use crate::file::walk::Walk;
use crate::trace::ExpandError;

impl Walk<Sparse<'_>> {
    /// What there is in the place of `lost`. Afterwards the walk stands where it stood.
    pub(super) fn look_again(
        &mut self,
        lost: &Entry,
        accounting: &mut Accounting,
    ) -> Result<Vec<Entry>, Error> {
        let (offset, buffer_size) = (self.input.offset(), self.buffer_size);
        self.input.go_to(lost.offset());
        self.believes = false;
        // As it was known then.
        self.buffer_size = buffer_size.filter(|_| self.size_told_at <= lost.offset());
        accounting.lost(lost.len());
        let found = self.find_in_place_of(lost, accounting);
        self.believes = true;
        self.buffer_size = buffer_size;
        self.input.go_to(offset);
        found
    }

    fn find_in_place_of(&mut self, lost: &Entry, accounting: &mut Accounting) -> Result<Vec<Entry>, Error> {
        let end = lost.offset().saturating_add(Offset::from(lost.len()).get());
        let mut entries = Vec::new();
        // Ends: each turn moves on in the file.
        while let Some(found) = self.locate_before(end)? {
            let rest = usize::try_from(end.saturating_sub(self.input.offset())).unwrap_or(usize::MAX);
            if found.have > rest {
                // Where the next buffer of the index begins, nothing else goes on.
                self.pass(rest)?;
                break;
            }
            let (mut entry, _) = entry_of(self, &found, false, accounting)?;
            entry.found_in_place_of(lost);
            entries.push(entry);
            self.input.skip(found.have)?;
        }
        Ok(entries)
    }

    /// A buffer expanded when it was looked at and does so no longer: the file is being changed.
    pub(super) fn lose(&mut self, lost: &Entry, cause: ExpandError) {
        let len = Offset::from(lost.len()).get();
        let (at, cause) = (Offset(lost.offset()), Some(DamageCause::Expand(cause)));
        self.skipped = self.skipped.saturating_add(len);
        self.damage.add(Damage { kind: DamageKind::Compressed, at, len, cause });
    }
}
