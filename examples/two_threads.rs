//! A feeder and a processor on two threads: one receives buffers, the other delivers their events in the order of time.
//!
//! The stream ends when the last `Feeder` is dropped; `Processor::run` returns once everything is delivered.

use core::ops::ControlFlow;
use std::collections::BTreeMap;
use std::thread;

use etweir::stream::{Options, Summary};
use etweir::{FileTime, Guid};

use support::Failure;

mod support;

fn main() -> Result<(), Failure> {
    run().map(drop)
}

/// The summary of the session, and whether the times of its events never went back.
pub(crate) fn run() -> Result<(Summary, bool), Failure> {
    let mut events: BTreeMap<Guid, u64> = BTreeMap::new();
    let mut last = FileTime::default();
    let mut in_order = true;
    // At most two buffers wait to be processed: beyond that, `add` waits.
    let (feeder, processor) = etweir::stream(Options::default())
        .on_event(|event, _| {
            *events.entry(event.provider_id()).or_default() += 1;
            if let Some(time) = event.time() {
                in_order &= last <= time;
                last = time;
            }
            ControlFlow::Continue(())
        })
        .queued_buffers(2)
        .build();
    let feeding = thread::spawn(move || {
        for mut buffer in support::buffers()? {
            // Until the processor has begun there is no use in waiting for room, and a full queue gives the buffer back.
            while let Err(error) = feeder.add(buffer) {
                if !matches!(error.reason(), etweir::stream::Refusal::Full { .. }) {
                    return Err(Failure::from(error));
                }
                buffer = error.into_buffer();
                thread::yield_now();
            }
        }
        Ok(())
        // Here the feeder is dropped, which is the end of the stream.
    });
    let summary = processor.run()?;
    feeding.join().map_err(|_| "the feeder panicked")??;
    println!("{:>6}  provider", "events");
    for (provider, count) in &events {
        println!("{count:>6}  {provider}");
    }
    println!("{:>6}  in all, the last at {last}", summary.stats.events_delivered);
    Ok((summary, in_order))
}
