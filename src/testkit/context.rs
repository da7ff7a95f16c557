//! What holds for any events that tell of others.
#![allow(clippy::panic, reason = "this is test code, although it lives in the library")]

use alloc::vec;
use alloc::vec::Vec;

use crate::buffer::BufferView;
use crate::context::{Context, StackWindow};
use crate::decode::Decoder;
use crate::guid::Guid;
use crate::limits::Limits;
use crate::record::ExtendedType;
use crate::trace::{Event, SessionInfo, TraceBuffer};
use crate::write::{BufferSpec, EventSpec, FullSpec, ItemSpec, PerfSpec, RecordSpec, SystemSpec, Width};

/// Kernel records that some component wants, and one that none does.
#[rustfmt::skip]
const HOOKS: [u16; 40] = [
    0x0301, 0x0302, 0x0303, 0x0304, 0x0327, 0x0501, 0x0502, 0x0503, 0x0504, 0x0548, 0x0524, 0x030A, 0x1402, 0x1403,
    0x1404, 0x1820, 0x1822, 0x1823, 0x1824, 0x1825, 0x1826, 0x0400, 0x0420, 0x0423, 0x0424, 0x0440, 0x0442, 0x0916,
    0x0917, 0x0918, 0x0919, 0x090A, 0x0F2E, 0x0220, 0x0262, 0x020A, 0x010A, 0x060A, 0x0B0F, 0x0F43,
];
const PROVIDERS: [Guid; 6] = [
    // Kernel-Process, the CLR, its rundown, ImageId, SystemConfigEx, Process.
    Guid::from_parts(0x22FB_2CD6, 0x0E7B, 0x422B, [0xA0, 0xC7, 0x2F, 0xAD, 0x1F, 0xD0, 0xE7, 0x16]),
    Guid::from_parts(0xE13C_0D23, 0xCCBC, 0x4E12, [0x93, 0x1B, 0xD9, 0xCC, 0x2E, 0xEE, 0x27, 0xE4]),
    Guid::from_parts(0xA669_021C, 0xC450, 0x4609, [0xA0, 0x35, 0x5A, 0xF5, 0x9A, 0xF4, 0xDF, 0x18]),
    Guid::from_parts(0xB3E6_75D7, 0x2554, 0x4F18, [0x83, 0x0B, 0x27, 0x62, 0x73, 0x25, 0x60, 0xDE]),
    Guid::from_parts(0x9B79_EE91, 0xB5FD, 0x41C0, [0xA2, 0x43, 0x42, 0x48, 0xE2, 0x66, 0xE9, 0xD0]),
    Guid::from_parts(0x3D6F_A8D0, 0xFE05, 0x11D0, [0x9D, 0xDA, 0x00, 0xC0, 0x4F, 0xD7, 0xBA, 0x7C]),
];

/// So few that they are met.
fn limits() -> Limits {
    Limits {
        context_entries: 16,
        context_text_bytes: 2000,
        context_stack_bytes: 4000,
        context_volumes: 2,
        context_unread_bytes: 1000,
        ..Limits::default()
    }
}

/// Any events, in any order: all components stay within their limits, every question is answered, and the events of a
/// stream come out as they went in.
///
/// The bytes are events one after the other: what it is, how, its time, its ids, the length of its payload, the payload.
pub fn context(bytes: &[u8]) {
    let buffers = buffers(bytes);
    let limits = limits();
    let mut decoder = Decoder::new();
    let mut context = Context::with_limits(&limits);
    let mut window = StackWindow::new(3, &limits);
    let (mut pushed, mut out) = (Vec::new(), Vec::new());
    each(&buffers, |event| {
        context.observe(event, &mut decoder);
        ask(&context, &mut decoder, event, &limits);
        pushed.push(event.time_stamp());
        window.push(event, |event, stack| {
            out.push(event.time_stamp());
            assert!(stack.is_none_or(|stack| stack.addresses().count() <= 20_000));
        });
    });
    window.flush(|event, _| out.push(event.time_stamp()));
    assert_eq!(out, pushed, "the order of the stream");
    context.finish(&mut decoder);
    each(&buffers, |event| ask(&context, &mut decoder, event, &limits));
}

fn ask(context: &Context, decoder: &mut Decoder, event: &Event<'_>, limits: &Limits) {
    let time = event.time_stamp().unwrap_or_default();
    let process_id = context.process_id(event);
    if let (Some(process_id), Some(processes)) = (process_id, &context.processes) {
        let process = processes.at(process_id, time);
        assert!(process.is_none_or(|process| process.id() == process_id));
        assert_eq!(process.and_then(|process| process.name()), context.process_name(event));
    }
    let _ = context.subject_process_id(event, &decoder.decode(event));
    let frames = context.frames(event).inspect(|frame| {
        let inside = |start: u64, size: u64| {
            // A return address may be the first one behind.
            frame.address().checked_sub(start).is_some_and(|offset| offset <= size)
        };
        assert!(frame.image().is_none_or(|image| inside(image.base(), image.size())), "{frame:?}");
        let method = frame.method();
        assert!(
            method.is_none_or(|method| inside(method.start_address(), method.size().into())),
            "{frame:?}"
        );
        let _ = frame.image().map(|image| (image.symbol_server_key(), image.load(), image.unload()));
        let _ = frame.method().map(|method| (method.module_pdb().is_some(), method.load()));
    });
    let stack = context.stack(event).map_or(0, |stack| stack.addresses().count());
    assert_eq!(frames.count(), stack);
    if let (Some(threads), Some(thread_id)) = (&context.threads, context.thread_id(event)) {
        assert!(threads.at(thread_id, time).is_none_or(|thread| thread.id() == thread_id));
    }
    if let (Some(registry), Some(files)) = (&context.registry, &context.files) {
        let _ = registry.full_name(&decoder.decode(event), time);
        let most = limits.context_entries;
        assert!(registry.iter().count() <= most && files.iter().count() <= most);
    }
    let sizes = [
        context.processes.as_ref().map(|it| it.iter().count().div_ceil(3)),
        context.threads.as_ref().map(|it| it.iter().count().div_ceil(2)),
        context.images.as_ref().map(|it| it.iter().count()),
        context.methods.as_ref().map(|it| it.iter().count()),
    ];
    assert!(sizes.iter().flatten().all(|&size| size <= limits.context_entries), "{sizes:?}");
    assert!(context.volumes.as_ref().is_none_or(|it| it.iter().count() <= limits.context_volumes));
}

fn each(buffers: &[Vec<u8>], mut show: impl FnMut(&Event<'_>)) {
    for bytes in buffers {
        let Ok(view) = BufferView::parse(bytes) else { panic!("a written buffer is one") };
        TraceBuffer::new(view, SessionInfo::unknown()).events().flatten().for_each(|event| show(&event));
    }
}

/// A buffer for each event.
fn buffers(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut buffers = vec![];
    while let Some((&[what, how, time, ids, len], rest)) = bytes.split_first_chunk() {
        let (payload, rest) = rest.split_at_checked(len.into()).unwrap_or((rest, &[]));
        bytes = rest;
        let record = record(what, how, time, ids, payload);
        let buffer = BufferSpec::new(4096).processor(u16::from(ids >> 6)).record(&record);
        buffers.push(buffer.to_bytes());
    }
    buffers
}

/// Times and ids are few, so that events have them in common.
fn record(what: u8, how: u8, time: u8, ids: u8, payload: &[u8]) -> RecordSpec {
    let width = if how & 1 == 0 { Width::Bits64 } else { Width::Bits32 };
    let (time_stamp, version) = (i64::from(time & 0x1F), how >> 1 & 3);
    let (process_id, thread_id) = (u32::from(ids & 7), u32::from(ids >> 3 & 7));
    let payload = payload.to_vec();
    if let Some(&hook_id) = HOOKS.get(usize::from(what)) {
        return if how & 8 == 0 {
            PerfSpec { width, hook_id, version, time_stamp, payload, ..PerfSpec::default() }.into()
        } else {
            let system = SystemSpec { width, hook_id, version, time_stamp, payload, ..SystemSpec::default() };
            SystemSpec { process_id, thread_id, ..system }.into()
        };
    }
    let guid = PROVIDERS.iter().copied().cycle().nth(usize::from(what)).unwrap_or_default();
    if what & 1 == 0 {
        let opcode = how >> 3;
        let full =
            FullSpec { width, guid, opcode, version: version.into(), time_stamp, ..FullSpec::default() };
        return FullSpec { process_id, thread_id, payload, ..full }.into();
    }
    let ids = [1, 2, 3, 5, 6, 15, 10, 82, 143, 144, 151, 152, 153, 154, 140, 150];
    let id = ids.get(usize::from(how >> 4)).copied().unwrap_or_default();
    let items = match how & 0xC {
        0xC => vec![ItemSpec::stack64(u64::from(time >> 6), &[1, 2, u64::MAX])],
        8 => vec![ItemSpec::new(ExtendedType::STACK_KEY64, payload.clone())],
        _ => vec![],
    };
    let event = EventSpec { width, provider_id: guid, id, version, time_stamp, ..EventSpec::default() };
    EventSpec { process_id, thread_id, items, payload, ..event }.into()
}
