//! Values become text, JSON and messages without an allocation, once the memory that they go to is large enough.
#![allow(unsafe_code, reason = "a counting allocator")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::fmt::{self, Write};
use std::alloc::System;
use std::sync::Arc;

use etweir::decode::format::{ActivityPath, EventName, Formatting, Printable};
use etweir::decode::{
    Count, EventNames, InType, OutType, Property, Schema, SchemaKind, ValueMap, ValueMapKind,
};

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

/// Counts bytes.
struct Sink(usize);

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// One value of each kind, and a structure of two.
fn schema() -> (Schema, Vec<u8>) {
    let mut bits = Property::new("Bits", InType::UInt8);
    let entries = vec![(1, "One".into()), (2, "Two".into())];
    bits.map = Some(Arc::new(ValueMap::new("Bits", ValueMapKind::Bits, entries)));
    let mut structure = Property::new("Points", InType::Struct);
    structure.count = Count::Fixed(2);
    let values: Vec<(Property, &[u8])> = vec![
        (Property::new("Number", InType::Int64), &[0xFF; 8]),
        (Property::new("Text", InType::UnicodeString), b"a\0\xE9\0\"\0\n\0\0\0"),
        (Property::new("Ansi", InType::AnsiString), b"caf\xE9\0"),
        (Property::new("Double", InType::Double), &[0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F]),
        (Property::new("Guid", InType::Guid), &[7; 16]),
        (Property::new("Sid", InType::Sid), &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]),
        (Property::new("Time", InType::FileTime), &[0xC0, 0x3C, 0xC8, 0x9E, 0x8B, 0xA5, 0xD7, 0x01]),
        (
            Property::new("Date", InType::SystemTime),
            &[0xE5, 7, 13, 0, 4, 0, 9, 0, 14, 0, 59, 0, 35, 0, 31, 3],
        ),
        (Property::new("Status", InType::UInt32).shown_as(OutType::NtStatus), &[0x22, 0, 0, 0xC0]),
        (Property::new("Address", InType::Binary).shown_as(OutType::Ipv6), &[1; 16]),
        (Property::new("Bytes", InType::CountedBinary), &[2, 0, 0xAB, 0xCD]),
        (bits, &[7]),
        (structure, &[1, 2, 3, 4]),
    ];
    let (mut properties, payload): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let top_level = u16::try_from(properties.len()).expect("few");
    properties.extend(["X", "X"].map(|name| Property::new(name, InType::UInt8)));
    if let Some(structure) = properties.get_mut(usize::from(top_level) - 1) {
        structure.members = top_level..top_level + 2;
    }
    let schema = Schema::new(SchemaKind::Trace, EventNames::default(), properties, top_level);
    (schema.expect("a schema"), payload.concat())
}

#[test]
fn formatting_allocates_nothing() {
    let (schema, payload) = schema();
    let formatting = Formatting::default();
    let names = EventNames::default();
    let path = ActivityPath::new("00001211-0000-0000-0000-0000beab9d59".parse().expect("a GUID"), None);
    let path = path.expect("a path");
    let parameter = |id| (id == 7).then_some("seven");
    let mut json = Vec::with_capacity(4096);
    let mut sink = Sink(0);

    let before = ALLOCATIONS.get();
    for _ in 0..10 {
        json.clear();
        formatting.write_json_fields(&mut schema.fields(&payload, 8), &mut json).expect("a whole payload");
        for field in schema.fields(&payload, 8) {
            let field = field.expect("a whole payload");
            let text = formatting.text(field.property, field.value);
            write!(sink, "{text}{}{}", text.quoted(), Printable(text.exact())).expect("a sink takes all");
        }
        let message = formatting.message("%1!08x! %2 %9%n%13 %99", schema.fields(&payload, 8));
        write!(sink, "{}", message.with_parameters(&parameter)).expect("a sink takes all");
        write!(sink, "{path}{:?}", EventName::new(&names, 1)).expect("a sink takes all");
    }
    let allocations = ALLOCATIONS.get() - before;

    assert_eq!(allocations, 0);
    assert!(json.len() > 300 && sink.0 > 5000, "{} {}", json.len(), sink.0);
}
