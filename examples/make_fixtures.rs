//! Writes the files of the folder `fixtures`, or with `--check` says which of them are not as they would be written.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

#[path = "../fixtures/factory/mod.rs"]
mod factory;

fn main() -> io::Result<ExitCode> {
    let check = match env::args().nth(1).as_deref() {
        None => false,
        Some("--check") => true,
        Some(other) => {
            eprintln!("make_fixtures [--check], not {other}");
            return Ok(ExitCode::from(2));
        }
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let fixtures = factory::all();
    let readme = factory::readme(&fixtures);
    let mut stale = 0;
    let files = fixtures.iter().map(|fixture| (fixture.name, fixture.bytes.as_slice()));
    for (name, bytes) in files.chain([("README.md", readme.as_bytes())]) {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|found| found == bytes) {
            continue;
        }
        stale += 1;
        if check {
            eprintln!("{} is not as the factory makes it", path.display());
        } else {
            fs::write(&path, bytes)?;
            println!("{} written, {} bytes", path.display(), bytes.len());
        }
    }
    println!("{} files, {stale} {}", fixtures.len() + 1, if check { "out of date" } else { "written" });
    Ok(if check && stale > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
