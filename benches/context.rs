//! What it costs to know what events mean together, over the real traces that have processes, images, methods and stacks:
//! nanoseconds an event, a stack or a frame.
//!
//! `cargo bench --features testkit --bench context`. The traces are read into memory first, so that files and decompression
//! do not count; the walk over the records does, and stands in the first column by itself.

use core::fmt::Write;
use core::hint::black_box;

use std::path::Path;
use std::time::Instant;

use etweir::EtlReader;
use etweir::context::Context;
use etweir::decode::Decoder;
use etweir::testkit::corpus;
use etweir::trace::{Event, OwnedEvent};

const ROUNDS: usize = 5;

fn main() {
    let Some(folder) = corpus::folder("the benchmark of the context") else { return };
    println!("ns each, best of {ROUNDS}");
    println!(
        "{:<36} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "trace", "events", "walk", "observe", "name", "stack", "frame", "text"
    );
    for name in ["perfview-net45-x86.etl", "perfview-net452-x86-compressed.etl", "tx-http-server.etl"] {
        measure(name, &folder.join("etl").join(name));
    }
}

fn measure(name: &str, path: &Path) {
    let mut events = Vec::new();
    let mut reader = EtlReader::open(path).expect("a trace");
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        events.extend(buffer.events().flatten().map(|event| event.to_owned_event()));
    }
    let count = events.len();
    let walk = best(count, || each(&events, |event| event.time_stamp().is_some().into()));
    let mut kept = None;
    let observe = best(count, || {
        let (mut context, mut decoder) = (Context::new(), Decoder::new());
        let sum = each(&events, |event| {
            context.observe(event, &mut decoder);
            1
        });
        kept = Some(context);
        sum
    });
    let context = kept.expect("a round");
    let named = best(count, || each(&events, |event| context.process_name(event).map_or(0, str::len)));
    let stack = best(count, || each(&events, |event| context.stack(event).is_some().into()));
    let frames = each(&events, |event| context.frames(event).count());
    let all_frames =
        |event: &Event<'_>| context.frames(event).filter(|frame| frame.offset().is_some()).count();
    let frame = best(frames, || each(&events, all_frames));
    let mut text = String::new();
    let shown = best(frames, || {
        each(&events, |event| {
            text.clear();
            context.frames(event).for_each(|frame| write!(text, "{frame}").unwrap_or_default());
            text.len()
        })
    });
    println!(
        "{name:<36} {count:>8} {walk:>8.1} {observe:>8.1} {named:>8.1} {stack:>8.1} {frame:>8.1} {shown:>8.1}"
    );
}

fn each(events: &[OwnedEvent], mut ask: impl FnMut(&Event<'_>) -> usize) -> usize {
    events.iter().map(|event| ask(&event.event())).sum()
}

/// Nanoseconds for each of `count`, of the best round.
fn best(count: usize, mut run: impl FnMut() -> usize) -> f64 {
    let round = |_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed().as_secs_f64() * 1e9 / count.max(1) as f64
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}
