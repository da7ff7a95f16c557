//! One source, several sessions, no copies: two sessions share each buffer, and a third is chained to one of them.
//!
//! ```text
//! source -+-> archive   (passes buffers through and writes them down)
//!         +-> monitor   (delivers events) --completion--> second (delivers the same events)
//! ```
//!
//! `Arc<[u8]>` is a buffer like any other. Chaining needs no sharing: a session that is through with a buffer hands over the
//! very value, in the order of arrival, and that is the order that the next session accepts.

use core::ops::ControlFlow;
use std::fs;
use std::sync::Arc;
use std::thread;

use etweir::stream::{Completed, Feeder, Options};

use support::Failure;

mod support;

type Shared = Arc<[u8]>;

fn main() -> Result<(), Failure> {
    run().map(drop)
}

/// Whether the archive equals the source, and how many events the monitor and the second session had.
pub(crate) fn run() -> Result<(bool, u64, u64), Failure> {
    let mut archive = Vec::new();
    let (to_archive, archiving) = etweir::stream(Options::default())
        // No `on_event`: no record is looked at, nothing is held for order.
        .on_buffer(|buffer| {
            archive.extend_from_slice(buffer.bytes());
            ControlFlow::Continue(())
        })
        .build();
    let (to_second, second) =
        etweir::stream(Options::default()).on_event(|_, _| ControlFlow::Continue(())).build();
    let (to_monitor, monitor) = etweir::stream(Options::default())
        .on_event(|_, _| ControlFlow::Continue(()))
        // The context is the feeder of the next session. It goes with the monitor, and so ends the next stream.
        .on_complete(to_second, pass_on)
        .build();

    let second = thread::spawn(move || second.run());
    let monitor = thread::spawn(move || monitor.run());
    let source = thread::spawn(move || feed(&to_archive, &to_monitor));
    let archived = archiving.run()?;
    source.join().map_err(|_| "the source panicked")??;
    let monitored = monitor.join().map_err(|_| "the monitor panicked")??;
    let chained = second.join().map_err(|_| "the second session panicked")??;

    let same = archive == fs::read(support::DEMO)?;
    println!("archive: {} buffers, equal to the source: {same}", archived.stats.buffers_retired);
    println!("monitor: {} events", monitored.stats.events_delivered);
    println!("second:  {} events of the same buffers", chained.stats.events_delivered);
    Ok((same, monitored.stats.events_delivered, chained.stats.events_delivered))
}

fn feed(archive: &Feeder<Shared>, monitor: &Feeder<Shared>) -> Result<(), Failure> {
    for buffer in support::buffers()? {
        let buffer = Shared::from(buffer);
        archive.add(Arc::clone(&buffer))?;
        monitor.add(buffer)?;
    }
    Ok(())
}

fn pass_on(done: Completed<Shared>, next: &Feeder<Shared>) {
    if let Err(refused) = next.add(done.buffer) {
        eprintln!("buffer {}: {refused}", done.id);
    }
}
