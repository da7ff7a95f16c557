//! What events mean together: each rule with events made by hand.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

#[path = "context/facade.rs"]
mod facade;
#[path = "context/images.rs"]
mod images;
#[path = "context/limits.rs"]
mod limits;
#[path = "context/methods.rs"]
mod methods;
#[path = "context/names.rs"]
mod names;
#[path = "context/processes.rs"]
mod processes;

mod records;
#[path = "context/stacks.rs"]
mod stacks;
#[path = "context/threads.rs"]
mod threads;
#[path = "context/window.rs"]
mod window;

use etweir::Guid;
use etweir::buffer::BufferView;
use etweir::context::Context;
use etweir::decode::Decoder;
use etweir::trace::{Event, SessionInfo, TraceBuffer};
use etweir::write::{BufferSpec, EventSpec, FullSpec, PerfSpec, RecordSpec, SystemSpec};

pub(crate) const PROCESS: &str = "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c";
pub(crate) const THREAD: &str = "3d6fa8d1-fe05-11d0-9dda-00c04fd7ba7c";
pub(crate) const IMAGE: &str = "2cb15d1d-5fc1-11d2-abe1-00a0c911f518";
pub(crate) const IMAGE_ID: &str = "b3e675d7-2554-4f18-830b-2762732560de";
pub(crate) const SYSTEM_CONFIG_EX: &str = "9b79ee91-b5fd-41c0-a243-4248e266e9d0";
pub(crate) const KERNEL_PROCESS: &str = "22fb2cd6-0e7b-422b-a0c7-2fad1fd0e716";
pub(crate) const CLR: &str = "e13c0d23-ccbc-4e12-931b-d9cc2eee27e4";
pub(crate) const CLR_RUNDOWN: &str = "a669021c-c450-4609-a035-5af59af4df18";

/// A record and the processor that logs it.
pub(crate) type Logged = (u16, RecordSpec);

/// Shows events one by one, each in a buffer of its own.
pub(crate) fn each(records: &[Logged], session: SessionInfo, mut show: impl FnMut(&Event<'_>)) {
    for (processor, record) in records {
        let bytes = BufferSpec::new(4096).processor(*processor).record(record).to_bytes();
        let view = BufferView::parse(&bytes).expect("a buffer");
        let buffer = TraceBuffer::new(view, session);
        show(&buffer.events().next().expect("a record").expect("a good record"));
    }
}

/// The first pass over these, as one after the other on processor 0.
pub(crate) fn context<R: Into<RecordSpec> + Clone>(records: &[R]) -> Context {
    let logged: Vec<_> = records.iter().map(|record| (0, record.clone().into())).collect();
    context_of(&logged, &mut Decoder::new())
}

pub(crate) fn context_of(logged: &[Logged], decoder: &mut Decoder) -> Context {
    let mut context = Context::new();
    each(logged, SessionInfo::unknown(), |event| context.observe(event, decoder));
    context.finish(decoder);
    context
}

/// Asks something of the context about one event of a system with 64 bits.
pub(crate) fn ask<T>(record: impl Into<RecordSpec>, ask: impl FnOnce(&Event<'_>) -> T) -> T {
    ask_on(0, record, ask)
}

pub(crate) fn ask_on<T>(
    processor: u16,
    record: impl Into<RecordSpec>,
    ask: impl FnOnce(&Event<'_>) -> T,
) -> T {
    let mut answer = None;
    let mut ask = Some(ask);
    each(&[(processor, record.into())], SessionInfo::unknown(), |event| {
        answer = ask.take().map(|ask| ask(event));
    });
    answer.expect("one event")
}

/// A kernel record with thread and process.
pub(crate) fn system(
    hook_id: u16,
    version: u8,
    time_stamp: i64,
    ids: (u32, u32),
    payload: &[u8],
) -> SystemSpec {
    SystemSpec {
        hook_id,
        version,
        time_stamp,
        process_id: ids.0,
        thread_id: ids.1,
        payload: payload.into(),
        ..SystemSpec::default()
    }
}

/// A kernel record without.
pub(crate) fn perf(hook_id: u16, version: u8, time_stamp: i64, payload: &[u8]) -> PerfSpec {
    PerfSpec { time_stamp, ..records::perf(hook_id, version, 8, payload) }
}

/// A classic record of a system with 64 bits.
pub(crate) fn full(class: &str, opcode: u8, version: u8, time_stamp: i64, payload: &[u8]) -> FullSpec {
    FullSpec {
        time_stamp,
        process_id: 900,
        thread_id: 901,
        ..records::full(class, opcode, version, 8, payload)
    }
}

pub(crate) fn manifest(provider: &str, id: u16, version: u8, time_stamp: i64, payload: &[u8]) -> EventSpec {
    EventSpec {
        provider_id: guid(provider),
        id,
        version,
        time_stamp,
        process_id: 900,
        thread_id: 901,
        payload: payload.into(),
        ..EventSpec::default()
    }
}

pub(crate) fn guid(text: &str) -> Guid {
    text.parse().expect("a GUID")
}

pub(crate) fn u32s(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

pub(crate) fn u64s(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}
