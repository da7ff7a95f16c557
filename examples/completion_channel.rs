//! Completion as a channel: whoever owns the buffers receives them back, with what became of each.
//!
//! The closure runs on the thread that let go of a buffer last, so a channel is the simplest way to one place.

use core::ops::ControlFlow;
use std::sync::mpsc::channel;

use etweir::stream::{BufferOutcome, Completed, Options};

use support::Failure;

mod support;

fn main() -> Result<(), Failure> {
    run().map(drop)
}

/// How many buffers came back with their events delivered, and how many without.
pub(crate) fn run() -> Result<(usize, usize), Failure> {
    let (sender, home) = channel();
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|_, _| ControlFlow::Continue(()))
        // Enough is enough after five buffers. The others come back all the same.
        .on_buffer(|buffer| match buffer.buffers_read() {
            5 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
        .on_complete(sender, |done: Completed<Vec<u8>>, sender| {
            let _ = sender.send(done);
        })
        .build();
    for buffer in support::buffers()? {
        feeder.add(buffer)?;
    }
    drop(feeder);
    let summary = processor.run()?;
    println!("the session ended as {:?}, code {}", summary.outcome, summary.outcome.code());
    let (mut delivered, mut others) = (0, 0);
    // Ends: the sender went with the processor.
    for done in home {
        println!("buffer {:>2}, {} bytes: {:?}", done.id, done.buffer.len(), done.outcome);
        match done.outcome {
            BufferOutcome::Delivered => delivered += 1,
            _ => others += 1,
        }
    }
    Ok((delivered, others))
}
