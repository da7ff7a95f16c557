//! Damage of what a trace is wrapped in, which the trace itself does not know of.

use std::sync::{Arc, Mutex, PoisonError};

/// What is wrong with the gzip data or the archive around an input. Clones share it: who expands notes, who reports asks.
#[derive(Clone, Default)]
pub(crate) struct Wound(Arc<Mutex<Vec<String>>>);

impl Wound {
    /// Takes note of damage, once however often it is met.
    pub(super) fn note(&self, what: String) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < MOST && !notes.contains(&what) {
            notes.push(what);
        }
    }

    /// What was met so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Each part of a gzip file may have a wrong checksum.
const MOST: usize = 20;
