//! Whoever asks about an event costs no allocation, and neither does an event that tells nothing.
#![allow(unsafe_code, reason = "a counting allocator")]
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::fmt::Write;
use std::alloc::System;

use etweir::EtlReader;
use etweir::context::Context;
use etweir::decode::Decoder;
use etweir::trace::{Event, OwnedEvent};
use etweir::write::{EventSpec, ItemSpec, LogFileSpec, PerfSpec, RecordSpec, TraceSpec};

struct Counting;

std::thread_local! {
    /// Of this thread alone: the test harness has others.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn perf(hook_id: u16, time_stamp: i64, payload: &[&[u8]]) -> RecordSpec {
    PerfSpec { hook_id, version: 2, time_stamp, payload: payload.concat(), ..PerfSpec::default() }.into()
}

/// A process, its thread and its image, an event that happened to it, and one with a stack of its own.
fn trace() -> Vec<u8> {
    let frame = 0x7FF6_0000_0020_u64.to_le_bytes();
    let ids = [7, 0, 0, 0, 70, 0, 0, 0];
    let stamp = 150_i64.to_le_bytes();
    let name = [b'a', 0, b'.', 0, b'e', 0, 0, 0];
    // Version 2 of Process, Thread, Image; SampledProfile; StackWalk.
    let process: [&[u8]; 6] = [&[0; 8], &ids[..4], &[0; 12], &[0; 4], b"a.exe\0", &[0; 2]];
    let thread: [&[u8]; 3] = [&ids, &[0; 56], &[0; 4]];
    let image: [&[u8]; 5] =
        [&[0, 0, 0, 0, 0xF6, 0x7F, 0, 0], &[0, 0x10, 0, 0, 0, 0, 0, 0], &ids[..4], &[0; 36], &name];
    let event = EventSpec {
        process_id: 7,
        thread_id: 70,
        time_stamp: 160,
        items: vec![ItemSpec::stack64(0, &[0x7FF6_0000_0020, 0x1234])],
        ..EventSpec::default()
    };
    let records = [
        perf(0x0303, 100, &process),
        perf(0x0503, 100, &thread),
        perf(0x1403, 100, &image),
        perf(0x0F2E, 150, &[&frame, &ids[4..], &[1, 0, 0, 0]]),
        perf(0x1820, 155, &[&stamp, &ids, &frame]),
        event.into(),
    ];
    let log_file = LogFileSpec { buffer_size: 4096, ..LogFileSpec::default() };
    TraceSpec::new(log_file).records(records.into_iter().map(|record| (0, record))).to_bytes()
}

#[test]
fn to_ask_and_to_pass_by_allocates_nothing() {
    let file = trace();
    let (mut context, mut decoder) = (Context::new(), Decoder::new());
    context.read(&mut EtlReader::new(&file[..]).expect("a trace"), &mut decoder).expect("a readable trace");
    let mut events: Vec<OwnedEvent> = Vec::new();
    let mut reader = EtlReader::new(&file[..]).expect("a trace");
    while let Some(buffer) = reader.next_buffer().expect("a readable trace") {
        events.extend(buffer.events().flatten().map(|event| event.to_owned_event()));
    }
    let mut text = String::with_capacity(10_000);
    let show = |text: &mut String, event: &Event<'_>| {
        write!(text, "{:?} {:?}:", context.process_name(event), context.thread_id(event)).expect("room");
        context.frames(event).for_each(|frame| write!(text, " {frame}").expect("room"));
        text.push('\n');
    };
    let before = ALLOCATIONS.get();
    events.iter().for_each(|event| show(&mut text, &event.event()));
    assert_eq!(ALLOCATIONS.get() - before, 0, "to ask");
    let shown: Vec<_> = text.lines().filter(|line| line.contains("70")).collect();
    let both = ["Some(\"a.exe\") Some(70): a.e+0x20", "Some(\"a.exe\") Some(70): a.e+0x20 0x1234"];
    assert_eq!(shown, both);

    let others = [&events[4], &events[6]];
    let before = ALLOCATIONS.get();
    for _ in 0..100 {
        others.iter().for_each(|event| context.observe(&event.event(), &mut decoder));
    }
    assert_eq!(ALLOCATIONS.get() - before, 0, "to pass by");
}
