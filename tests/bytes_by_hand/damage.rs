//! Markers, sizes, and the walk past what is no record. Format reference, sections 1.8, 2.1, 2.2 and 11.

use etweir::buffer::{BufferView, Layout, RecordDamageKind};
use etweir::{Offset, ParseError};

use crate::{classic, data_buffer, events, hex, kernel, messages, padded};

/// What a walk yields: `Ok(offset)` of a record, or the kind, place and length of damage.
type Step = Result<u64, (RecordDamageKind, u64, u64)>;

fn walk(bytes: &[u8]) -> Vec<Step> {
    BufferView::parse_cut(bytes, Layout::Modern)
        .expect("a buffer")
        .records()
        .map(|step| {
            step.map(|record| record.offset().get())
                .map_err(|damage| (damage.kind, damage.at.get(), damage.len))
        })
        .collect()
}

fn walk_body(body: &[&[u8]]) -> Vec<Step> {
    walk(&data_buffer(&body.concat()))
}

fn perf() -> Vec<u8> {
    hex(kernel::PERF64)
}

/// `perf` with another size.
fn perf_of_size(size: u16) -> Vec<u8> {
    let mut record = perf();
    record[4..6].copy_from_slice(&size.to_le_bytes());
    record
}

#[test]
fn records_of_all_families_follow_each_other_in_one_buffer() {
    let records = [
        events::EVENT32,
        kernel::SYSTEM64,
        kernel::COMPACT32,
        kernel::PERF64,
        classic::FULL64,
        classic::INSTANCE32,
        messages::MESSAGE,
        classic::ERROR,
    ];
    let body: Vec<u8> = records.iter().flat_map(|record| padded(hex(record))).collect();
    let bytes = data_buffer(&body);
    let view = BufferView::parse(&bytes).expect("a buffer");
    let walked: Vec<_> = view.records().map(|record| record.expect("good").bytes().to_vec()).collect();
    assert_eq!(walked, records.map(hex));
}

#[test]
fn zeros_or_ones_to_the_end_are_unused_space_and_end_the_buffer_silently() {
    for filler in [[0; 8], [0xFF; 8]] {
        assert_eq!(walk_body(&[&perf(), &filler]), [Ok(0x48)]);
        assert_eq!(walk_body(&[&perf(), &filler, &[0; 64], &[0xFF; 64]]), [Ok(0x48)]);
    }
}

#[test]
fn zeros_or_ones_with_something_behind_them_are_damage() {
    for marker in [[0; 4], [0xFF; 4]] {
        assert_eq!(
            walk_body(&[&perf(), &marker, &[1, 2, 3, 4], &[0; 16], &perf()]),
            [Ok(0x48), Err((RecordDamageKind::Resynchronised, 0x68, 0x18)), Ok(0x80)]
        );
        assert_eq!(
            walk_body(&[&perf(), &marker, &[1, 2, 3, 4]]),
            [Ok(0x48), Err((RecordDamageKind::RestLost, 0x68, 0x08))]
        );
    }
}

#[test]
fn a_record_is_at_least_its_header() {
    assert_eq!(walk_body(&[&perf_of_size(0x10)[..0x10], &perf()]), [Ok(0x48), Ok(0x58)]);
    assert_eq!(
        walk_body(&[&perf_of_size(0x0F), &perf()]),
        [Err((RecordDamageKind::Resynchronised, 0x48, 0x20)), Ok(0x68)]
    );
}

#[test]
fn a_record_may_end_with_the_valid_bytes_and_not_one_byte_behind() {
    assert_eq!(walk_body(&[&perf_of_size(0x20)]), [Ok(0x48)]);
    assert_eq!(walk_body(&[&perf_of_size(0x21)]), [Err((RecordDamageKind::RestLost, 0x48, 0x20))]);
}

#[test]
fn a_record_of_unknown_type_is_stepped_over_by_its_size() {
    // Type 0x16, low word 0x13: 24 bytes with the padding.
    let unknown = hex("13 00 16 C0 EE*20");
    assert_eq!(
        walk_body(&[&perf(), &unknown, &perf()]),
        [Ok(0x48), Err((RecordDamageKind::UnknownKind, 0x68, 0x18)), Ok(0x80)]
    );
    // ULONG32_TIME has the size in the same place.
    let time = hex("18 00 00 B0 EE*20");
    assert_eq!(walk_body(&[&time, &perf()]), [Err((RecordDamageKind::UnknownKind, 0x48, 0x18)), Ok(0x60)]);
}

#[test]
fn an_unknown_type_with_a_size_below_8_or_past_the_end_is_damage_to_search_behind() {
    for size in [0x07_u16, 0x1000] {
        let [low, high] = size.to_le_bytes();
        let mut unknown = hex("00 00 16 C0 EE*20");
        unknown[..2].copy_from_slice(&[low, high]);
        assert_eq!(
            walk_body(&[&unknown, &perf()]),
            [Err((RecordDamageKind::Resynchronised, 0x48, 0x18)), Ok(0x60)],
            "size {size:#x}"
        );
    }
}

#[test]
fn a_wnode_is_damage_and_ends_the_buffer() {
    let wnode = hex("30 00 00 00 EE*44");
    let rest = |len| Err((RecordDamageKind::RestLost, 0x68, len));
    assert_eq!(walk_body(&[&perf(), &wnode, &perf()]), [Ok(0x48), rest(0x50)]);
    assert_eq!(walk_body(&[&perf(), &wnode]), [Ok(0x48), rest(0x30)], "at the end");
}

#[test]
fn a_number_that_is_not_the_length_of_a_wnode_is_searched_behind() {
    for len in ["2F", "28", "38"] {
        let garbage = hex(&format!("{len} 00 00 00 EE*44"));
        assert_eq!(
            walk_body(&[&perf(), &garbage, &perf()]),
            [Ok(0x48), Err((RecordDamageKind::Resynchronised, 0x68, 0x30)), Ok(0x98)],
            "length 0x{len}"
        );
    }
}

#[test]
fn a_false_length_costs_only_the_records_that_it_covers() {
    // The size says 0x20 of 0x21 bytes: at the next place lie the last byte and the padding, 0x00000050, which could be
    // the length of a WNODE.
    let mut first = perf_of_size(0x20);
    first.extend([0x50]);
    assert_eq!(
        walk_body(&[&padded(first), &perf()]),
        [Ok(0x48), Err((RecordDamageKind::Resynchronised, 0x68, 0x08)), Ok(0x70)]
    );
}

#[test]
fn the_search_takes_the_first_place_whose_records_lead_to_the_end() {
    // A record inside the garbage that does not lead to the end: its successor is no record.
    let body = [perf_of_size(0x0F), perf(), hex("77*8"), perf(), perf()].concat();
    assert_eq!(
        walk_body(&[&body]),
        [Err((RecordDamageKind::Resynchronised, 0x48, 0x48)), Ok(0x90), Ok(0xB0)]
    );
}

#[test]
fn a_damaged_chain_of_items_costs_only_the_payload() {
    let mut event = hex(events::EVENT64_ITEMS);
    // DataSize of the second item.
    event[0x6E] = 0xFF;
    let bytes = data_buffer(&[padded(event), perf()].concat());
    let view = BufferView::parse(&bytes).expect("a buffer");
    let steps: Vec<_> = view.records().collect();
    assert_eq!(steps.len(), 3);
    let record = steps[0].expect("delivered all the same");
    assert_eq!(record.extended_data().count(), 1, "the item before");
    assert_eq!(record.payload(), b"");
    let damage = steps[1].expect_err("told");
    assert_eq!((damage.kind, damage.at, damage.len), (RecordDamageKind::ExtendedItems, Offset(0x48), 0));
    assert_eq!(
        damage.cause,
        ParseError::Truncated { what: "extended item", at: Offset(0x48 + 0x68), need: 8 + 0xFF, have: 0x23 }
    );
    assert!(steps[2].is_ok());
}

#[test]
fn a_cut_goes_through_one_record_at_most() {
    let bytes = data_buffer(&[perf(), padded(hex(kernel::SYSTEM64))].concat());
    // Behind the first record, inside the second, behind its last byte but before its padding.
    assert_eq!(walk(&bytes[..0x68]), [Ok(0x48)]);
    assert_eq!(walk(&bytes[..0x69]), [Ok(0x48), Err((RecordDamageKind::Cut, 0x68, 1))]);
    assert_eq!(walk(&bytes[..0x8B]), [Ok(0x48), Err((RecordDamageKind::Cut, 0x68, 0x23))]);
    assert_eq!(walk(&bytes[..0x8C]), [Ok(0x48), Ok(0x68)]);
    assert_eq!(walk(&bytes[..0x90]), [Ok(0x48), Ok(0x68)]);
    let view = BufferView::parse_cut(&bytes[..0x69], Layout::Modern).expect("a header");
    assert_eq!(view.missing_bytes(), 0x27);
}
