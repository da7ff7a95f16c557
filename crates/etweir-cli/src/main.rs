//! The `etweir` command.
#![forbid(unsafe_code)]

fn main() {}
