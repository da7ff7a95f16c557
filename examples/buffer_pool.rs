//! A pool of reusable buffers: the session gives each buffer back, and the size of the pool bounds the memory.
//!
//! The feeder waits for a free buffer before it reads the next one, so nothing else has to be bounded. A session may hold
//! buffers to order their events; a pool of one more than it may hold never runs dry for good.

use core::ops::ControlFlow;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use etweir::stream::{Completed, Feeder, Options};

use support::Failure;

mod support;

/// Buffers that a session may hold for order.
const HELD: usize = 5;
/// Buffers that exist at all.
pub(crate) const POOL: usize = HELD + 1;

fn main() -> Result<(), Failure> {
    run().map(drop)
}

/// How many buffers went through the session, out of how many allocations, and how many events they gave.
pub(crate) fn run() -> Result<(u64, usize, u64), Failure> {
    let (pool, free) = channel();
    for _ in 0..POOL {
        pool.send(Vec::new())?;
    }
    // The pool is the context of the completion: a buffer that the session is through with is free again.
    let (feeder, processor) = etweir::stream(Options::default().max_held_buffers(HELD))
        .on_event(|_, _| ControlFlow::Continue(()))
        .on_complete(pool, put_back)
        .build();
    let feeding = thread::spawn(move || feed(&feeder, &free));
    let summary = processor.run()?;
    let allocations = feeding.join().map_err(|_| "the feeder panicked")??;
    let stats = summary.stats;
    println!("{} buffers went through {allocations} allocations", stats.buffers_retired);
    println!(
        "{} events; memory made them leave early {} times, {} of them came late",
        stats.events_delivered, stats.pressure_releases, stats.events_late
    );
    Ok((stats.buffers_retired, allocations, stats.events_delivered))
}

fn put_back(done: Completed<Vec<u8>>, pool: &Sender<Vec<u8>>) {
    // Once the feeder is through nobody takes from the pool any more, and the buffer is freed.
    let _ = pool.send(done.buffer);
}

/// Fills free buffers and adds them; returns how many of them had to be allocated.
fn feed(feeder: &Feeder<Vec<u8>>, free: &Receiver<Vec<u8>>) -> Result<usize, Failure> {
    let mut allocations = 0;
    for source in support::buffers()? {
        // Waits until the session gives one back.
        let mut buffer = free.recv()?;
        if buffer.capacity() < source.len() {
            allocations += 1;
        }
        buffer.clear();
        buffer.extend_from_slice(&source);
        feeder.add(buffer)?;
    }
    Ok(allocations)
}
