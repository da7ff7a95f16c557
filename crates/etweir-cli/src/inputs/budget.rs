//! How much a compressed input may expand to.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::io;
use std::sync::Arc;

use bytesize::ByteSize;

use crate::text::grouped;

/// What is left of `--expand-limit` for one FILE, whatever is nested in it. Clones share it.
#[derive(Clone)]
pub(super) struct Budget(Arc<Shared>);

struct Shared {
    limit: u64,
    spent: AtomicU64,
}

impl Budget {
    pub(super) fn new(limit: u64) -> Self {
        Self(Arc::new(Shared { limit, spent: AtomicU64::new(0) }))
    }

    /// How much was spent so far.
    pub(super) fn spent(&self) -> u64 {
        self.0.spent.load(Ordering::Relaxed)
    }

    /// What came out since then will come out again.
    pub(super) fn rewind(&self, spent: u64) {
        self.0.spent.store(spent, Ordering::Relaxed);
    }

    /// So many bytes more were made out of `stored` ones, of which a member of an archive or a gzip file consists.
    pub(super) fn spend(&self, bytes: usize, stored: u64) -> io::Result<()> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let before = self.0.spent.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.0.limit {
            return Ok(());
        }
        Err(io::Error::other(OverLimit { limit: self.0.limit, stored }))
    }
}

/// More came out than is allowed.
#[derive(Debug)]
struct OverLimit {
    limit: u64,
    stored: u64,
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "it expands to more than the {} bytes ({}) that --expand-limit allows, after {} compressed bytes here: raise the \
             limit if this is no mistake",
            grouped(self.limit),
            ByteSize(self.limit),
            grouped(self.stored),
        )
    }
}

impl core::error::Error for OverLimit {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_spend_from_one_limit() {
        let budget = Budget::new(10);
        let other = budget.clone();
        assert!(budget.spend(6, 1).is_ok());
        assert!(other.spend(4, 1).is_ok());
        let error = budget.spend(1, 3).expect_err("too much").to_string();
        assert!(error.contains("10 bytes") && error.contains("3 compressed"), "{error}");
    }
}
