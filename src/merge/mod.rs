//! Merging nearly sorted streams by key. Knows keys and sources, not events.

mod tournament;

pub(crate) use tournament::{Key, Tournament};
