//! Where the real traces are that some tests read. None of them is part of the project.

use alloc::format;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder of real traces: the one that `ETWEIR_CORPUS` names, else `../shared/corpus` beside the workspace.
///
/// `None` if there is none, after a line on standard error that `test` skips.
#[must_use]
pub fn folder(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ETWEIR_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"), PathBuf::from);
    if folder.join("etl").is_dir() {
        return Some(folder);
    }
    // Past the macros, whose output the test runner keeps to itself where a test passes.
    let line = format!("skipped: {test} reads real traces from {}, which is not there\n", folder.display());
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

/// The folder of tables and vectors: the one that `ETWEIR_DATA` names, else `../shared/data` beside the workspace.
///
/// `None` if there is none, after a line on standard error that `test` skips.
#[must_use]
pub fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ETWEIR_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.join("payload-vectors.jsonl").is_file() {
        return Some(folder);
    }
    let line = format!("skipped: {test} reads data from {}, which is not there\n", folder.display());
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}
