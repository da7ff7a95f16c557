//! What missing and wrong bytes cost.

use etweir::buffer::{BufferView, Layout, RecordDamageKind};
use etweir::write::{BufferSpec, RecordSpec};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::specs::{quiet_record, record};
use crate::{Walk, buffer_of, cases, expected, walk, walk_bytes};

const LAYOUTS: [Layout; 4] = [Layout::Windows2000, Layout::WindowsXp, Layout::Server2003, Layout::Modern];

fn walk_cut(bytes: &[u8]) -> Walk {
    walk(BufferView::parse_cut(bytes, Layout::Modern).expect("a whole header"))
}

/// Buffers of well-formed, damaged and random parts.
fn mixed_body() -> impl Strategy<Value = Vec<u8>> {
    let known_marker = (
        any::<u16>(),
        prop_oneof![0_u8..0x18, any::<u8>()],
        prop_oneof![Just(0xC0_u8), Just(0x90), Just(0xB0), any::<u8>()],
        any::<[u8; 4]>(),
        vec(any::<u8>(), 0..64),
    );
    let part = prop_oneof![
        3 => record().prop_map(|record| record.to_bytes().expect("short enough")),
        1 => vec(any::<u8>(), 0..64),
        2 => known_marker.prop_map(|(size, header_type, top, rest, payload)| {
            let [low, _] = size.to_le_bytes();
            // Half of the sizes are small, so that many of them fit.
            let high = if size & 0x8000 == 0 { 0 } else { size.to_le_bytes()[1] };
            let [a, _, b, c] = rest;
            [[low, high, header_type, top, a, 0, b, c].as_slice(), &payload].concat()
        }),
        1 => vec(prop_oneof![Just(0_u8), Just(0xFF)], 0..16),
    ];
    vec(part, 0..10).prop_map(|parts| {
        let mut body = Vec::new();
        for part in parts {
            body.resize(usize::next_multiple_of(body.len(), 8), 0);
            body.extend(part);
        }
        body
    })
}

/// What the bit flips below cost, by the bytes of the buffer: nothing but their own record, or what a false length covers.
fn check_flip(bytes: &[u8], truth: &[(usize, Vec<u8>)], index: usize, bit: usize) {
    let (start, record) = &truth[index];
    let mut flipped = bytes.to_vec();
    flipped[start + bit / 8] ^= 1 << (bit % 8);
    let walk = walk_bytes(&flipped);
    let context = || format!("record {index} at {start:#x}, byte {:#x}, bit {}", bit / 8, bit % 8);
    assert_eq!(walk.records.get(..index), truth.get(..index), "records before it, {}", context());

    // Where the walk stands after the step that the flipped bit is part of.
    let delivered = walk.records.get(index).filter(|(offset, _)| offset == start);
    let stepped_over = walk
        .damage
        .iter()
        .find(|(kind, at, _)| at == start && *kind == RecordDamageKind::UnknownKind)
        .map(|(_, at, len)| at + len);
    let end = delivered
        .map(|(offset, bytes)| offset + bytes.len())
        .or(stepped_over)
        .unwrap_or(start + record.len())
        .next_multiple_of(8);
    let after: Vec<_> = truth.iter().filter(|(offset, _)| *offset >= end).collect();
    let walked: Vec<_> = walk.records.iter().filter(|(offset, _)| offset > start).collect();
    assert_eq!(walked, after, "records behind the length that it tells, {}", context());

    if !is_marker_or_size(record, bit / 8) {
        let (offset, bytes) = delivered.expect("delivered all the same");
        assert_eq!((*offset, bytes.len()), (*start, record.len()), "{}", context());
        assert_eq!(walk.records.len(), truth.len(), "{}", context());
    }
}

/// Whether a byte of a record tells its kind, its length, or the length of what the header is followed by.
fn is_marker_or_size(record: &[u8], byte: usize) -> bool {
    let is_message = record[3] == 0x90;
    let is_versioned = matches!(record[2], 0x01..=0x04 | 0x10 | 0x11) && !is_message;
    byte < 4 || (is_versioned && byte < 6) || (is_message && matches!(byte, 6 | 7))
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn every_cut_yields_the_records_before_it_and_at_most_one_cut_one(records in vec(record(), 0..8)) {
        let bytes = buffer_of(&records).to_bytes();
        let truth = expected(&records);
        for cut in 0x48..=bytes.len() {
            let walk = walk_cut(&bytes[..cut]);
            let whole = truth.iter().filter(|(start, record)| start + record.len() <= cut).count();
            assert_eq!(walk.records.as_slice(), &truth[..whole], "cut at {cut:#x}");
            // A record that the cut goes through is told, unless the cut is at its start.
            let through = truth.get(whole).filter(|(start, _)| *start < cut);
            let damage: Vec<_> =
                through.map(|(start, _)| (RecordDamageKind::Cut, *start, cut - start)).into_iter().collect();
            assert_eq!(walk.damage, damage, "cut at {cut:#x}");
        }
    }

    #[test]
    fn garbage_at_the_end_costs_nothing_of_what_is_before_it(
        records in vec(record(), 1..6), garbage in vec(any::<u8>(), 0..80),
    ) {
        let truth = expected(&records);
        let with_garbage: Vec<RecordSpec> =
            records.into_iter().chain([etweir::write::RawSpec::new(garbage).into()]).collect();
        let walk = walk_bytes(&buffer_of(&with_garbage).to_bytes());
        prop_assert_eq!(&walk.records[..truth.len()], truth.as_slice());
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn any_bytes_are_walked_to_their_end(body in mixed_body(), filled: Option<u16>) {
        let size = u32::try_from(0x48 + body.len().next_multiple_of(8)).unwrap();
        let mut buffer = BufferSpec::new(size).raw(&body);
        if let Some(filled) = filled {
            buffer = buffer.filled_bytes(filled.into());
        }
        let bytes = buffer.to_bytes();
        for layout in LAYOUTS {
            for view in [BufferView::parse_with(&bytes, layout), BufferView::parse_cut(&bytes, layout)].into_iter().flatten()
            {
                walk(view);
            }
        }
    }

    #[test]
    fn bytes_without_any_order_are_walked_to_their_end(bytes in vec(any::<u8>(), 0..400), filled: u8) {
        let mut bytes = bytes;
        // A length that fits, in every second buffer that is long enough to have one.
        if let (true, Some(place)) = (filled & 1 == 1, bytes.get_mut(0x30..0x34)) {
            place.copy_from_slice(&[filled, 0, 0, 0]);
        }
        for layout in LAYOUTS {
            for view in [BufferView::parse_with(&bytes, layout), BufferView::parse_cut(&bytes, layout)].into_iter().flatten()
            {
                walk(view);
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(24))]

    // Each case tries every bit.
    #[test]
    fn a_flipped_bit_costs_its_own_record_or_what_a_false_length_covers(records in vec(quiet_record(), 1..6)) {
        let bytes = buffer_of(&records).padding(0x7F).to_bytes();
        let truth = expected(&records);
        for (index, (_, record)) in truth.iter().enumerate() {
            for bit in 0..record.len() * 8 {
                check_flip(&bytes, &truth, index, bit);
            }
        }
    }
}
