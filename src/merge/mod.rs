//! Merging nearly sorted streams by key. Knows keys and sources, not events.

mod loser_tree;

pub(crate) use loser_tree::{Key, LoserTree};
