//! Which stack belongs to which event.

use core::slice;

use etweir::EtlReader;
use etweir::context::Context;
use etweir::decode::Decoder;
use etweir::record::ExtendedType;
use etweir::trace::Event;
use etweir::write::{EventSpec, FileSpec, ItemSpec, LogFileSpec, PerfSpec, RecordSpec, Width};

use crate::{
    CLR, IMAGE_ID, Logged, ask_on, context_of, each, full, manifest, payload, perf, system, u32s, u64s,
};

const K: u64 = 0xFFFF_F800_0000_0000;
const U: u64 = 0x7FF6_0000_0000;

/// StackWalk: the time of the event, process, thread, frames; logged later.
pub(crate) fn walk(event_time: i64, logged: i64, thread: u32, frames: &[u64]) -> RecordSpec {
    let payload = payload!(u64s(&[event_time as u64]), u32s(&[7, thread]), u64s(frames));
    perf(0x1820, 2, logged, &payload).into()
}

/// StackKeyKernel or StackKeyUser: the same with a key.
pub(crate) fn key(opcode: u16, event_time: i64, logged: i64, thread: u32, key: u64) -> RecordSpec {
    let payload = payload!(u64s(&[event_time as u64]), u32s(&[7, thread]), u64s(&[key]));
    perf(0x1800 | opcode, 2, logged, &payload).into()
}

/// KeyCreate, KeyDelete, KeyRundown: key, frames
pub(crate) fn told(opcode: u16, time: i64, key: u64, frames: &[u64]) -> RecordSpec {
    perf(0x1800 | opcode, 2, time, &payload!(u64s(&[key]), u64s(frames))).into()
}

/// A sample of a thread.
pub(crate) fn sample(time: i64, thread: u32) -> RecordSpec {
    perf(0x0F2E, 2, time, &payload!(u64s(&[K]), u32s(&[thread, 1]))).into()
}

/// The addresses of the stack of `event`, after all of `logged` and itself were shown.
fn stack_of(logged: &[RecordSpec], event: &RecordSpec) -> Option<Vec<u64>> {
    stack_on(&logged.iter().map(|record| (0, record.clone())).collect::<Vec<_>>(), 0, event)
}

fn stack_on(logged: &[Logged], processor: u16, event: &RecordSpec) -> Option<Vec<u64>> {
    let mut all = logged.to_vec();
    all.push((processor, event.clone()));
    let context = context_of(&all, &mut Decoder::new());
    ask_on(processor, event.clone(), |event| Some(context.stack(event)?.addresses().collect()))
}

#[test]
fn a_stack_walk_belongs_to_the_event_with_its_time_stamp_and_thread() {
    let walk = [walk(100, 105, 70, &[K + 1, K + 2])];
    assert_eq!(stack_of(&walk, &sample(100, 70)), Some(vec![K + 1, K + 2]));
    assert_eq!(stack_of(&walk, &sample(100, 71)), None, "another thread");
    assert_eq!(stack_of(&walk, &sample(101, 70)), None, "another time");
    let image_load = system(0x030A, 2, 100, (7, 70), &[]).into();
    assert_eq!(stack_of(&walk, &image_load), Some(vec![K + 1, K + 2]));
}

#[test]
fn the_halves_are_put_together_kernel_first_in_whatever_order_they_come() {
    let kernel = walk(100, 105, 70, &[K + 1]);
    // Logged on return to user mode, by then on another processor.
    let user = walk(100, 900, 70, &[U + 1, U + 2]);
    let expected = Some(vec![K + 1, U + 1, U + 2]);
    let event = sample(100, 70);
    assert_eq!(stack_on(&[(0, kernel.clone()), (3, user.clone())], 0, &event), expected);
    assert_eq!(stack_on(&[(3, user), (0, kernel)], 0, &event), expected);
}

#[test]
fn only_the_first_of_each_half_counts() {
    let walks = [walk(100, 105, 70, &[K + 1]), walk(100, 106, 70, &[K + 2])];
    assert_eq!(stack_of(&walks, &sample(100, 70)), Some(vec![K + 1]));
}

#[test]
fn an_event_without_a_thread_takes_the_only_stack_of_its_time_or_of_its_processor() {
    // A demand-zero fault, which names no thread.
    let fault: RecordSpec = perf(0x020A, 2, 100, &u64s(&[1, 2])).into();
    let one = (0, walk(100, 105, 70, &[K + 1]));
    let other = (1, walk(100, 105, 80, &[K + 2]));
    assert_eq!(stack_on(slice::from_ref(&one), 5, &fault), Some(vec![K + 1]));
    assert_eq!(stack_on(&[one.clone(), other.clone()], 1, &fault), Some(vec![K + 2]));
    assert_eq!(stack_on(&[one, other], 5, &fault), None, "nobody knows whose");
}

#[test]
fn events_with_an_event_header_and_what_merging_adds_have_no_stack_walks() {
    let walk = [walk(100, 105, 901, &[K + 1])];
    let event: RecordSpec = manifest(CLR, 10, 1, 100, &[]).into();
    assert_eq!(stack_of(&walk, &event), None);
    let image_id: RecordSpec = full(IMAGE_ID, 0, 2, 100, &[0; 32]).into();
    assert_eq!(stack_of(&walk, &image_id), None);
    let class: RecordSpec = full("68fdd900-4a3e-11d1-84f4-0000f80464e3", 0, 2, 100, &[]).into();
    assert_eq!(stack_of(&walk, &class), Some(vec![K + 1]));
}

#[test]
fn a_classic_event_in_an_event_header_has_them() {
    let walk = [walk(100, 105, 901, &[K + 1])];
    let event = EventSpec { flags: 0x0100, ..manifest(crate::PROCESS, 0, 3, 100, &[]) };
    assert_eq!(stack_of(&walk, &event.into()), Some(vec![K + 1]));
}

#[test]
fn a_key_stands_for_the_frames_that_are_told_later() {
    let event = sample(100, 70);
    for opcode in [35, 36] {
        let logged = [
            key(37, 100, 105, 70, 0xAA),
            key(38, 100, 900, 70, 0xBB),
            told(opcode, 950, 0xAA, &[K + 1, K + 2]),
            told(opcode, 960, 0xBB, &[U + 1]),
        ];
        assert_eq!(stack_of(&logged, &event), Some(vec![K + 1, K + 2, U + 1]), "opcode {opcode}");
    }
}

#[test]
fn a_key_that_is_used_again_stands_for_the_frames_of_the_time() {
    let mut logged = vec![
        key(37, 100, 105, 70, 0xAA),
        told(35, 200, 0xAA, &[K + 1]),
        key(37, 300, 305, 70, 0xAA),
        told(35, 400, 0xAA, &[K + 2]),
        key(37, 500, 505, 70, 0xAA),
        told(36, 900, 0xAA, &[K + 3]),
    ];
    for _ in 0..logged.len() {
        logged.rotate_left(1);
        let found = [100, 300, 500].map(|time| stack_of(&logged, &sample(time, 70)));
        assert_eq!(found, [Some(vec![K + 1]), Some(vec![K + 2]), Some(vec![K + 3])]);
    }
}

#[test]
fn a_key_that_was_created_before_stands_for_its_frames_at_once() {
    let logged = [told(34, 50, 0xAA, &[K + 1]), key(37, 100, 105, 70, 0xAA)];
    assert_eq!(stack_of(&logged, &sample(100, 70)), Some(vec![K + 1]));
}

#[test]
fn a_key_that_nothing_tells_leaves_the_stack_incomplete() {
    let logged = [walk(100, 900, 70, &[U + 1]), key(37, 100, 105, 70, 0xAA)];
    let logged: Vec<_> = logged.into_iter().map(|record| (0, record)).collect();
    let context = context_of(&logged, &mut Decoder::new());
    ask_on(0, sample(100, 70), |event| {
        let stack = context.stack(event).expect("a stack");
        assert!(stack.is_incomplete());
        assert_eq!(stack.addresses().collect::<Vec<_>>(), [U + 1]);
        assert_eq!((stack.process_id(), stack.thread_id()), (Some(7), Some(70)));
    });
}

fn with_items(time: i64, items: Vec<ItemSpec>) -> RecordSpec {
    EventSpec { items, ..manifest("11111111-2222-3333-4444-555555555555", 1, 0, time, &[]) }.into()
}

#[test]
fn an_event_has_the_stack_of_its_item() {
    let narrow = with_items(100, vec![ItemSpec::stack32(0, &[0x1000, 0x2000])]);
    assert_eq!(stack_of(&[], &narrow), Some(vec![0x1000, 0x2000]));
    let wide = with_items(100, vec![ItemSpec::stack64(0, &[K + 1, U + 1])]);
    assert_eq!(stack_of(&[], &wide), Some(vec![K + 1, U + 1]));
    assert_eq!(stack_of(&[], &with_items(100, vec![])), None);
}

#[test]
fn halves_with_the_same_match_id_belong_together() {
    let kernel = with_items(100, vec![ItemSpec::stack64(5, &[K + 1])]);
    let user = with_items(200, vec![ItemSpec::stack64(5, &[U + 1])]);
    let other = with_items(200, vec![ItemSpec::stack64(6, &[U + 2])]);
    let whole = Some(vec![K + 1, U + 1]);
    assert_eq!(stack_of(&[other.clone(), user.clone()], &kernel), whole);
    assert_eq!(stack_of(&[kernel.clone(), other.clone()], &user), whole);
    assert_eq!(stack_of(&[kernel, user], &other), Some(vec![U + 2]));
}

#[test]
fn items_with_keys_stand_for_what_is_told_later() {
    let item = |ext_type, data: Vec<u8>| with_items(100, vec![ItemSpec::new(ext_type, data)]);
    let logged = [told(36, 900, 0xAA, &[K + 1])];
    let narrow = item(ExtendedType::STACK_KEY32, payload!(u64s(&[0]), u32s(&[0xAA, 0])));
    let wide = item(ExtendedType::STACK_KEY64, u64s(&[0, 0xAA]));
    assert_eq!(stack_of(&logged, &narrow), Some(vec![K + 1]));
    assert_eq!(stack_of(&logged, &wide), Some(vec![K + 1]));
    let half = with_items(200, vec![ItemSpec::stack64(9, &[U + 1])]);
    let matched = item(ExtendedType::STACK_KEY64, u64s(&[9, 0xAA]));
    assert_eq!(stack_of(&[half.clone(), logged[0].clone()], &matched), Some(vec![K + 1, U + 1]));
    assert_eq!(stack_of(&[matched, logged[0].clone()], &half), Some(vec![K + 1, U + 1]));
}

/// Allocation, or a stack walk: ClrInstanceID, Reserved1, Reserved2, FrameCount, frames.
pub(crate) fn clr(id: u16, time: i64, frames: &[u64]) -> RecordSpec {
    let count = u32::try_from(frames.len()).expect("few frames");
    manifest(CLR, id, 0, time, &payload!([9, 0, 0, 0], u32s(&[count]), u64s(frames))).into()
}

#[test]
fn a_stack_walk_of_the_clr_belongs_to_the_event_before_it() {
    let logged = [
        clr(10, 100, &[]),
        clr(82, 105, &[U + 1]),
        clr(1, 200, &[]),
        clr(2, 300, &[]),
        clr(82, 305, &[U + 2]),
    ];
    assert_eq!(stack_of(&logged, &clr(10, 100, &[])), Some(vec![U + 1]));
    assert_eq!(stack_of(&logged, &clr(1, 200, &[])), None);
    assert_eq!(stack_of(&logged, &clr(2, 300, &[])), Some(vec![U + 2]));
}

#[test]
fn the_order_of_buffers_in_the_file_does_not_matter_to_it() {
    // The thread changes its processor between event and walk.
    let (first, second) =
        ([clr(10, 100, &[]), clr(10, 300, &[]), clr(82, 305, &[U + 3])], [clr(82, 105, &[U + 1])]);
    for logged in [[&first[..], &second].concat(), [&second[..], &first].concat()] {
        assert_eq!(stack_of(&logged, &clr(10, 100, &[])), Some(vec![U + 1]));
        assert_eq!(stack_of(&logged, &clr(10, 300, &[])), Some(vec![U + 3]));
    }
}

#[test]
fn without_the_component_an_event_still_has_its_own_stack() {
    let mut context = context_of(&[(0, walk(100, 105, 70, &[K + 1]))], &mut Decoder::new());
    context.stacks = None;
    assert!(ask_on(0, sample(100, 70), |event| context.stack(event).is_none()));
    let own = with_items(100, vec![ItemSpec::stack64(0, &[K + 1])]);
    assert!(ask_on(0, own, |event| context.stack(event).is_some()));
}

#[test]
fn on_a_system_with_32_bits_the_kernel_has_the_upper_two_gigabytes() {
    let file = FileSpec::new(LogFileSpec { width: Width::Bits32, ..LogFileSpec::default() }).to_bytes();
    let session = EtlReader::new(&file[..]).expect("a trace").session();
    assert_eq!(session.pointer_size(), 4);
    let narrow = |hook_id, time_stamp, payload: Vec<u8>| -> RecordSpec {
        PerfSpec { width: Width::Bits32, hook_id, version: 2, time_stamp, payload, ..PerfSpec::default() }
            .into()
    };
    let walk = |logged, frame: u32| narrow(0x1820, logged, payload!(u64s(&[100]), u32s(&[7, 70, frame])));
    let event = (0, narrow(0x0F2E, 100, u32s(&[0, 70, 1])));
    let logged = [(0, walk(900, 0x7FFF_0000)), (0, walk(105, 0x8000_0000)), event.clone()];
    let mut context = Context::new();
    each(&logged, session, |event| context.observe(event, &mut Decoder::new()));
    each(&[event], session, |event: &Event<'_>| {
        let stack = context.stack(event).expect("a stack");
        assert_eq!(stack.addresses().collect::<Vec<_>>(), [0x8000_0000, 0x7FFF_0000]);
    });
}
