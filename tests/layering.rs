//! Layers import one way: the table is the architecture, and every file of the library is held to it.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What any module may import: modules that import nothing but each other.
const LEAVES: [&str; 7] = ["bytes", "error", "guid", "limits", "sid", "time", "utf16"];

/// Module -> what it may import besides the leaves and itself. From the bytes upwards.
const TABLE: [(&str, &[&str]); 14] = [
    ("wire", &[]),
    ("record", &["wire"]),
    ("buffer", &["wire", "record"]),
    ("codec", &[]),
    ("trace", &["wire", "record", "buffer", "codec"]),
    ("merge", &[]),
    ("stream", &["record", "buffer", "codec", "trace", "merge"]),
    ("file", &["record", "buffer", "codec", "trace", "merge", "stream"]),
    ("decode", &["record", "codec", "trace"]),
    ("prescan", &["file", "decode"]),
    ("context", &["record", "trace", "file", "decode"]),
    ("write", &["wire", "record", "buffer", "codec", "trace"]),
    ("testkit", &["record", "buffer", "codec", "trace", "stream", "file", "decode", "context", "write"]),
    ("lib", &[]),
];

#[test]
fn every_module_imports_only_what_lies_below_it() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let table: BTreeMap<&str, &[&str]> = TABLE.into_iter().collect();
    let mut files = Vec::new();
    collect(&source, &mut files);
    assert!(files.len() > 30, "{} files found", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&source).expect("a file of the library");
        let first = relative.iter().next().and_then(|part| part.to_str()).expect("a name");
        let module = first.trim_end_matches(".rs");
        let allowed: &[&str] = match table.get(module) {
            Some(allowed) => allowed,
            None if LEAVES.contains(&module) => &[],
            None => panic!("{module} is missing in the table"),
        };
        let text = fs::read_to_string(&file).expect("a readable file");
        // Tests stand at the end of a file and may use what is above, such as the writer.
        for (number, line) in text.lines().take_while(|line| *line != "mod tests {").enumerate() {
            for used in uses(line) {
                if used != module && !allowed.contains(&used) && !LEAVES.contains(&used) {
                    wrong.push(format!(
                        "{}:{}: {module} must not use {used}",
                        relative.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The modules after each `crate::` of a line that is not a comment; names with a capital are items of the root.
fn uses(line: &str) -> impl Iterator<Item = &str> {
    let code = if line.trim_start().starts_with("//") { "" } else { line };
    code.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = &rest[..end];
        // `crate::{` would hide what is used: it is reported under an empty name.
        (name.is_empty() || name.starts_with(|c: char| c.is_ascii_lowercase())).then_some(name)
    })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn no_source_file_is_longer_than_800_lines() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches", "examples", "crates"] {
        collect(&root.join(folder), &mut files);
    }
    for file in files {
        let lines = fs::read_to_string(&file).expect("a readable file").lines().count();
        assert!(lines <= 800, "{} has {lines} lines", file.display());
    }
}
