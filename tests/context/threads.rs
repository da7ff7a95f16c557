//! Which process a thread belongs to, and which thread ran.

use etweir::Ticks;
use etweir::context::Context;
use etweir::decode::Decoder;
use etweir::decode::mof::subject;
use etweir::write::{PerfSpec, RecordSpec, Width};

use crate::records::wide;
use crate::{
    KERNEL_PROCESS, Logged, THREAD, ask, ask_on, context, context_of, full, manifest, payload, perf,
    processes, system, u32s, u64s,
};

const START: u16 = 0x0501;
const END: u16 = 0x0502;
const DC_START: u16 = 0x0503;
const DC_END: u16 = 0x0504;

/// Version 3 of the class.
fn payload(process: u32, thread: u32, name: &str) -> Vec<u8> {
    payload!(
        u32s(&[process, thread]),
        u64s(&[1, 2, 3, 4, 5]),       // two stacks, affinity
        u64s(&[0x7FF6_0000_1000, 6]), // Win32StartAddr, TebBase
        u32s(&[0]),
        [8, 5, 2, 0],
        wide(name),
    )
}

fn event(hook: u16, time: i64, process: u32, thread: u32) -> RecordSpec {
    system(hook, 3, time, (500, 501), &payload(process, thread, "")).into()
}

fn process_of(context: &Context, thread: u32, time: i64) -> Option<u32> {
    context.threads.as_ref().expect("threads").process_id(thread, Ticks(time))
}

#[test]
fn a_thread_id_that_is_used_again_belongs_to_the_process_of_the_time() {
    let context = context(&[
        event(DC_START, 10, 7, 70),
        event(END, 100, 7, 70),
        event(START, 200, 8, 70),
        event(DC_END, 900, 9, 90),
    ]);
    assert_eq!(process_of(&context, 70, 50), Some(7));
    assert_eq!(process_of(&context, 70, 150), Some(7), "what it did last may be logged later");
    assert_eq!(process_of(&context, 70, 200), Some(8));
    assert_eq!(process_of(&context, 90, 0), Some(9));
    assert_eq!(process_of(&context, 71, 50), None);
    assert_eq!(process_of(&context, 0, 50), Some(0), "idle threads");
}

#[test]
fn a_thread_has_a_name_and_a_start_address() {
    let set_name = payload!(u32s(&[7, 70]), wide("worker"));
    let context = context(&[
        RecordSpec::from(system(START, 3, 100, (7, 71), &payload(7, 70, ""))),
        perf(0x0548, 2, 200, &set_name).into(),
        event(END, 300, 7, 70),
    ]);
    let threads = context.threads.as_ref().expect("threads");
    let thread = threads.at(70, Ticks(150)).expect("a thread");
    assert_eq!((thread.id(), thread.process_id(), thread.name()), (70, 7, None));
    assert_eq!((thread.start(), thread.end()), (Some(Ticks(100)), Some(Ticks(300))));
    let thread = threads.at(70, Ticks(250)).expect("a thread");
    assert_eq!((thread.name(), thread.start_address()), (Some("worker"), Some(0x7FF6_0000_1000)));
    assert_eq!((thread.start(), thread.end()), (Some(Ticks(100)), Some(Ticks(300))));
    assert_eq!(threads.iter().count(), 1);
}

#[test]
fn kernel_process_tells_of_threads_too() {
    let both = |id, time| manifest(KERNEL_PROCESS, id, 1, time, &u32s(&[7, 70, 0, 0]));
    let context = context(&[both(3, 100), both(4, 200)]);
    assert_eq!(process_of(&context, 70, 99), None);
    assert_eq!(process_of(&context, 70, 100), Some(7));
    let thread = context.threads.as_ref().expect("threads").at(70, Ticks(150)).expect("a thread");
    assert_eq!((thread.start(), thread.end()), (Some(Ticks(100)), Some(Ticks(200))));
}

#[test]
fn version_0_has_the_thread_first() {
    let context = context(&[full(THREAD, 3, 0, 10, &u32s(&[70, 7]))]);
    assert_eq!(process_of(&context, 70, 10), Some(7));
}

/// NewThreadId, OldThreadId and what else a context switch has.
fn switch(time: i64, new: u32, old: u32) -> RecordSpec {
    perf(0x0524, 2, time, &u32s(&[new, old, 0, 0, 0, 0])).into()
}

fn busy() -> Context {
    let name = |id, name| system(0x0303, 3, 0, (1, 2), &processes::payload(id, 1, 259, name)).into();
    let logged: [Logged; 7] = [
        (0, name(7, "a.exe")),
        (0, name(8, "b.exe")),
        (0, event(DC_START, 0, 7, 70)),
        (0, event(DC_START, 0, 8, 80)),
        (0, switch(100, 70, 0)),
        (1, switch(100, 80, 0)),
        (0, switch(200, 0, 70)),
    ];
    context_of(&logged, &mut Decoder::new())
}

#[test]
fn a_processor_runs_the_thread_that_it_switched_to() {
    let context = busy();
    let switches = context.switches.as_ref().expect("switches");
    let at = |processor, time| switches.thread_id(processor, Ticks(time));
    assert_eq!((at(0, 99), at(0, 100), at(0, 199), at(0, 200)), (None, Some(70), Some(70), Some(0)));
    assert_eq!((at(1, 500), at(2, 500)), (Some(80), None));
}

#[test]
fn an_event_without_ids_happened_to_whom_its_payload_names() {
    let context = busy();
    // SampledProfile: InstructionPointer, ThreadId, Count, flags, rank
    let sample = perf(0x0F2E, 2, 150, &payload!(u64s(&[0x1000]), u32s(&[80, 1])));
    ask(sample, |event| {
        assert_eq!((context.thread_id(event), context.process_id(event)), (Some(80), Some(8)));
        assert_eq!(context.process_name(event), Some("b.exe"));
    });
    // VirtualAlloc: BaseAddress, RegionSize, ProcessId, Flags
    let alloc = perf(0x0262, 2, 150, &payload!(u64s(&[0x1000, 0x2000]), u32s(&[7, 0])));
    ask(alloc, |event| {
        assert_eq!((context.thread_id(event), context.process_id(event)), (None, Some(7)));
        assert_eq!(context.process_name(event), Some("a.exe"));
    });
}

#[test]
fn an_event_without_any_id_happened_to_the_thread_that_ran() {
    let context = busy();
    // A demand-zero fault: VirtualAddress, ProgramCounter
    let fault = |time| perf(0x020A, 2, time, &u64s(&[1, 2]));
    let ran = |processor, time| {
        ask_on(processor, fault(time), |event| (context.thread_id(event), context.process_name(event)))
    };
    assert_eq!(ran(0, 50), (None, None));
    assert_eq!(ran(0, 150), (Some(70), Some("a.exe")));
    assert_eq!(ran(1, 150), (Some(80), Some("b.exe")));
    assert_eq!(ran(0, 250), (Some(0), None), "idle");
}

#[test]
fn the_ids_of_a_header_go_first() {
    let context = busy();
    ask(system(0x0F2E, 2, 150, (8, 80), &payload!(u64s(&[0]), u32s(&[70, 1]))), |event| {
        assert_eq!((context.thread_id(event), context.process_id(event)), (Some(80), Some(8)));
    });
}

#[test]
fn an_event_may_be_about_another_process_than_it_happened_in() {
    let context = busy();
    let mut decoder = Decoder::new();
    ask(system(0x0301, 3, 150, (7, 70), &processes::payload(8, 7, 259, "b.exe")), |event| {
        assert_eq!(context.process_id(event), Some(7));
        assert_eq!(context.subject_process_id(event, &decoder.decode(event)), Some(8));
    });
    let sample = perf(0x0F2E, 2, 150, &payload!(u64s(&[0x1000]), u32s(&[80, 1])));
    ask(sample, |event| {
        assert_eq!(context.subject_process_id(event, &decoder.decode(event)), Some(8));
    });
}

#[test]
fn whom_the_payload_of_an_event_names_is_what_its_fields_say() {
    // No word is like another, and there are no texts that end early.
    let payload: Vec<u8> = (0..64_u32).flat_map(|word| (0x0101_0100 + word).to_le_bytes()).collect();
    let context = Context::new();
    let mut decoder = Decoder::new();
    let (mut named, mut wrong) = (0, Vec::new());
    for hook_id in 0x0100..0x1900 {
        for (version, width) in
            (0..=5).flat_map(|version| [(version, Width::Bits32), (version, Width::Bits64)])
        {
            let event = PerfSpec { width, hook_id, version, payload: payload.clone(), ..PerfSpec::default() };
            ask(event, |event| {
                let (thread, process) = (context.thread_id(event), context.process_id(event));
                if thread.is_none() && process.is_none() {
                    return;
                }
                let decoded = decoder.decode(event);
                let subject = subject(event.provider_id(), event.opcode()).expect("a subject");
                let said = |name: Option<&str>| name.and_then(|name| decoded.get_u32(name));
                // Versions that the table does not have are read as lower ones.
                let at = format!("hook {hook_id:#06x} version {version} {width:?}");
                let said = if thread.is_some() { said(subject.thread) } else { said(subject.process) };
                if thread.or(process) != said {
                    wrong.push(format!("{at}: {thread:?} {process:?}, but {said:?}"));
                }
                named += 1;
            });
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(named, 644);
}
