//! Makes a long trace of a short one, to measure with: its records again and again with shifted stamps, new buffers with
//! continuing sequence numbers, dealt out to more processors and compressed if wanted.
//!
//! `cargo run --release --features write --example repeat_trace -- IN.etl OUT.etl --bytes 1000000000 --fan-out 4 --compressed`
#![allow(clippy::indexing_slicing, reason = "the trace was read before; a panic is how a mistake shows")]

use core::error::Error;
use std::fs::File;
use std::io::BufWriter;

#[path = "support/repeat.rs"]
mod repeat;

use repeat::{Repeat, Repeated, repeat};

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = Vec::new();
    let mut wanted = Repeat { bytes: 1_000_000_000, fan_out: 1, compressed: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || arguments.next().ok_or(format!("{argument} needs a number"));
        match argument.as_str() {
            "--bytes" => wanted.bytes = number()?.parse()?,
            "--fan-out" => wanted.fan_out = number()?.parse()?,
            "--compressed" => wanted.compressed = true,
            _ => paths.push(argument),
        }
    }
    let [input, output] = &paths[..] else {
        return Err("repeat_trace IN.etl OUT.etl [--bytes N] [--fan-out N] [--compressed]".into());
    };
    if wanted.fan_out == 0 {
        return Err("--fan-out needs a number from 1".into());
    }
    let mut file = BufWriter::new(File::create_new(output)?);
    let Repeated { copies, events, buffers, processors, bytes, stored } =
        repeat(File::open(input)?, &mut file, wanted)?;
    println!(
        "{output}: {copies} copies, {processors} processors, {buffers} buffers, {events} events, {bytes} bytes, {stored} in the file"
    );
    Ok(())
}
