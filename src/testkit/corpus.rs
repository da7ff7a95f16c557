//! Where the real traces and the reference data are that some tests read. None of them is part of the project.

use alloc::format;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of real traces: the one that `ETWEIR_CORPUS` names, else `../shared/corpus` beside the workspace.
///
/// `None` if there is none, after a line on standard error that `test` skips.
#[must_use]
pub fn folder(test: &str) -> Option<PathBuf> {
    find(test, "real traces", "ETWEIR_CORPUS", "../shared/corpus", "etl")
}

/// The folder of reference data, such as payloads with their values: the one that `ETWEIR_DATA` names, else
/// `../shared/data` beside the workspace.
///
/// `None` if there is none, after a line on standard error that `test` skips.
#[must_use]
pub fn data(test: &str) -> Option<PathBuf> {
    find(test, "reference data", "ETWEIR_DATA", "../shared/data", "payload-vectors.jsonl")
}

fn find(test: &str, what: &str, variable: &str, default: &str, holds: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(variable)
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(default), PathBuf::from);
    if folder.join(holds).exists() {
        return Some(folder);
    }
    // Past the macros, whose output the test runner keeps to itself where a test passes.
    let line = format!("skipped: {test} reads {what} from {}, which is not there\n", folder.display());
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}
