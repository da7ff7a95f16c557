//! The program that a C programmer writes with the Windows calls, step by step, with the counterpart of each.
//!
//! `docs/windows-api.md` maps the rest: structures, constants, error codes, and what differs on purpose.

use core::ops::ControlFlow;
use std::thread;

use etweir::stream::{Completed, Delivery, Handler, Options, RetiringBuffer};
use etweir::trace::Event;

use support::Failure;

mod support;

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());

// struct Context { ULONG64 events; ULONG64 buffers; };
#[derive(Debug, Default)]
pub(crate) struct Context {
    pub(crate) events: u64,
    pub(crate) buffers: u64,
}

/// The callbacks, which share `&mut self` where C has context pointers.
struct Callbacks<'a>(&'a mut Context);

impl Handler<Vec<u8>> for Callbacks<'_> {
    // VOID WINAPI OnEvent(EVENT_RECORD* record) {
    //     struct Context* context = record->UserContext;
    fn event(&mut self, event: &Event<'_>, _: &Delivery<'_, Vec<u8>>) -> ControlFlow<()> {
        // context->events++;
        self.0.events += 1;
        // if (record->EventHeader.EventDescriptor.Level == 2) { printf(...); }
        if event.level() == 2 {
            let time = event.time().map(|time| time.to_string()).unwrap_or_default();
            println!("error at {time}: {} id {}", event.provider_id(), event.id());
        }
        GO_ON
    }

    // BOOL WINAPI OnBuffer(const ETW_BUFFER_HEADER* buffer, ULONG size,
    //                      const ETW_BUFFER_CALLBACK_INFORMATION* info, void* context) {
    fn buffer(&mut self, buffer: &RetiringBuffer<'_, Vec<u8>>) -> ControlFlow<()> {
        // context->buffers = info->BuffersRead;
        self.0.buffers = buffer.buffers_read();
        // return TRUE;  (FALSE is `ControlFlow::Break(())`)
        GO_ON
    }
}

// VOID WINAPI OnCompletion(const ETW_BUFFER_HEADER* buffer, void* context) { free(buffer); }
fn on_completion(done: Completed<Vec<u8>>, (): &()) {
    drop(done.buffer);
}

fn main() -> Result<(), Failure> {
    run().map(drop)
}

/// The return values of `ProcessTraceAddBufferToBufferStream` for a bad buffer and of `ProcessTrace`, and the context.
pub(crate) fn run() -> Result<(u32, u32, Context), Failure> {
    let mut context = Context::default();

    // ETW_OPEN_TRACE_OPTIONS options = { ETW_PROCESS_TRACE_MODE_NONE, OnEvent, &context, OnBuffer, &context };
    // PROCESSTRACE_HANDLE handle = OpenTraceFromBufferStream(&options, OnCompletion, NULL);
    let (feeder, processor) =
        etweir::stream(Options::default()).on_complete((), on_completion).build_with(Callbacks(&mut context));

    // CreateThread(..., FeedThread, &handle, ...);
    let feed = thread::spawn(move || {
        for buffer in support::buffers()? {
            // ULONG error = ProcessTraceAddBufferToBufferStream(handle, buffer, size);
            feeder.add(buffer)?;
        }
        // A buffer that is refused: ERROR_BAD_LENGTH. It comes back in the error and is never completed.
        let error = feeder.add(vec![0; 16]).err().ok_or("16 bytes were accepted")?;
        println!("16 bytes are refused with code {}: {error}", error.code());
        // CloseTrace(handle);  what was added is delivered, then ProcessTrace returns
        feeder.finish();
        Ok::<_, Failure>(error.code())
    });

    // ULONG status = ProcessTrace(&handle, 1, NULL, NULL);
    let status = processor.run()?.outcome.code();
    // WaitForSingleObject(thread, INFINITE);
    let refused = feed.join().map_err(|_| "the feeding thread panicked")??;

    println!("ProcessTrace: {status}; {} events in {} buffers", context.events, context.buffers);
    Ok((refused, status, context))
}
