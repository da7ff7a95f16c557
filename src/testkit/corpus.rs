//! Where the real traces are that some tests read. None of them is part of the project.

use std::eprintln;
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
    eprintln!("skipped: {test} reads real traces from {}, which is not there", folder.display());
    None
}
