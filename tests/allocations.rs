//! Nothing is allocated for an event, and nothing for a buffer once the reader has its memory, compressed with XPRESS or not.
//! XPRESS Huffman takes a table for each expansion. Decoding allocates for each kind of event that it meets for the first time,
//! and for none after that.
#![allow(unsafe_code, reason = "a counting allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::sync::atomic::{AtomicU64, Ordering};
use std::alloc::System;

use etweir::EtlReader;
use etweir::codec::Format;
use etweir::decode::{Decoder, Value};
use etweir::trace::Event;
use etweir::write::{BufferSpec, EventSpec, FileSpec, ItemSpec, LogFileSpec, MessageSpec, PerfSpec};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
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

/// Allocations while the whole of `file` is read, and the events in it.
fn read(file: &[u8]) -> (u64, u64) {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let mut reader = EtlReader::new(file).expect("a trace");
    let mut decoder = Decoder::new();
    let (mut events, mut sum) = (0, 0_u64);
    while let Some(buffer) = reader.next_buffer().expect("a readable file") {
        for event in buffer.events() {
            let event = event.expect("no damage");
            events += 1;
            // Every getter that a consumer may call.
            sum ^= event.time().map_or(0, |time| time.get().unsigned_abs());
            sum ^= u64::from(event.id()) ^ u64::from(event.flags().0) ^ event.keyword();
            sum ^= u64::from(event.process_id().unwrap_or_default())
                ^ u64::from(event.provider_id().to_bytes()[0]);
            sum ^= event.extended_data().map(|item| item.data().len() as u64).sum::<u64>();
            sum ^= event.user_data().len() as u64 ^ u64::from(event.activity_id().is_some());
            sum ^= decode(&mut decoder, &event);
        }
    }
    core::hint::black_box(sum);
    (ALLOCATIONS.load(Ordering::Relaxed) - before, events)
}

/// All values of an event, and one by its name.
fn decode(decoder: &mut Decoder, event: &Event<'_>) -> u64 {
    let decoded = decoder.decode(event);
    let count: u64 = decoded.fields().flatten().map(|field| values(field.value)).sum();
    let known = u64::from(decoded.schema().is_some() && decoded.provider_name().is_some());
    count ^ known ^ decoded.get_u64("number").unwrap_or_default()
}

fn values(value: Value<'_>) -> u64 {
    match value {
        Value::Array(array) => array.iter().map(values).sum(),
        Value::Struct(members) => members.fields().map(|field| values(field.value)).sum(),
        _ => 1,
    }
}

fn file(buffers: u16, compressed: bool) -> Vec<u8> {
    let traits = ItemSpec::provider_traits("Provider", None);
    // A number, a text, an array of structures with an array inside.
    let fields: [(&str, &[u8]); 5] = [
        ("number", &[0x08]),
        ("text", &[0x01]),
        ("structures", &[0xD8, 2]),
        ("name", &[0x02]),
        ("numbers", &[0x44]),
    ];
    let schema = ItemSpec::schema_tl("Event", &fields);
    let described = b"\x07\0\0\0h\0i\0\0\0\x02\0a\0\x01\0\x05b\0\0\0".to_vec();
    let stack = ItemSpec::stack64(0, &[1, 2, 3]);
    let buffer = |number: u16| {
        let mut buffer = BufferSpec::new(8192).processor(number % 4).sequence_number(number.into());
        for id in 0..10 {
            buffer = buffer
                .event(&EventSpec {
                    id,
                    items: vec![stack.clone()],
                    payload: vec![7; 40],
                    ..EventSpec::default()
                })
                .perf(&PerfSpec { hook_id: 0x0F2E, pebs_index: Some(1), ..PerfSpec::default() })
                .message(&MessageSpec::default())
                .event(&EventSpec {
                    channel: 11,
                    items: vec![traits.clone(), schema.clone()],
                    payload: described.clone(),
                    ..EventSpec::default()
                });
        }
        buffer
    };
    let file = FileSpec::new(LogFileSpec { buffer_size: 8192, ..LogFileSpec::default() });
    let file = if compressed { file.compressed(Format::Xpress) } else { file };
    file.buffers((1..=buffers).map(buffer)).to_bytes()
}

#[test]
fn a_hundred_times_the_events_allocate_nothing_more() {
    for compressed in [false, true] {
        // One test function only, so that no other thread allocates meanwhile.
        let (few, many) = (file(4, compressed), file(400, compressed));
        let (few_allocations, few_events) = read(&few);
        let (many_allocations, many_events) = read(&many);
        assert_eq!((few_events, many_events), (161, 16_001), "a header record and forty events a buffer");
        // The reader's memory doubles a few times until it holds what it needs.
        let most = few_allocations + 3;
        assert!(many_allocations <= most, "{few_allocations}, {many_allocations}, compressed: {compressed}");
        assert!(
            many_allocations < 120,
            "{many_allocations} for the reader, its memory, the names in the header, and the decoder"
        );
    }
}
