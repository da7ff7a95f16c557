//! What makes no sense, collected without its line until the end.

use alloc::vec::Vec;

use crate::decode::manifest::error::{ManifestError, ManifestErrorKind};
use crate::error::Offset;

/// What is wrong at a place of the text.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) offset: usize,
    pub(super) kind: ManifestErrorKind,
}

impl Problem {
    pub(super) fn in_text(self, text: &str) -> ManifestError {
        let before = text.as_bytes().get(..self.offset).unwrap_or(text.as_bytes());
        self.at_line(line_breaks(before).saturating_add(1))
    }

    fn at_line(self, line: usize) -> ManifestError {
        ManifestError { line, offset: Offset::from(self.offset), kind: self.kind }
    }
}

/// The problems of a manifest, of which the first ones keep their details.
#[derive(Debug, Default)]
pub(super) struct Problems {
    kept: Vec<Problem>,
    count: usize,
}

impl Problems {
    const KEPT: usize = 100;

    pub(super) fn add(&mut self, offset: usize, kind: ManifestErrorKind) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < Self::KEPT {
            self.kept.push(Problem { offset, kind });
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// In the order of the text, which is gone through once.
    pub(super) fn in_text(mut self, text: &str) -> Vec<ManifestError> {
        self.kept.sort_by_key(|problem| problem.offset);
        let (mut line, mut from) = (1_usize, 0);
        let lines = self.kept.into_iter().map(|problem| {
            let passed = text.as_bytes().get(from..problem.offset).unwrap_or_default();
            line = line.saturating_add(line_breaks(passed));
            from = problem.offset;
            problem.at_line(line)
        });
        lines.collect()
    }
}

fn line_breaks(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}
