//! Any events, in any order: what is kept stays within its limits, and every question is answered.

use etweir::testkit::context;
use proptest::collection::vec;
use proptest::prelude::*;

/// Numbers that meet: small ones, addresses in the kernel's half, keys.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..32_u64).prop_map(|word| word.to_le_bytes().to_vec()),
        2 => (0..8_u64).prop_map(|word| (word * 0x1000).to_le_bytes().to_vec()),
        2 => (0..8_u32).prop_map(|word| word.to_le_bytes().to_vec()),
        1 => (0..4_u64).prop_map(|word| (u64::MAX - word * 0x800).to_le_bytes().to_vec()),
        1 => Just(b"a\0.\0e\0x\0e\0\0\0".to_vec()),
        1 => Just(b"b.exe\0".to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ]
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    let head = (prop_oneof![3 => 0..40_u8, 2 => any::<u8>()], any::<[u8; 3]>());
    (head, vec(word(), 0..12)).prop_map(|((what, [how, time, ids]), words)| {
        let payload = words.concat();
        let len = u8::try_from(payload.len()).expect("a short payload");
        [&[what, how, time, ids, len], &payload[..]].concat()
    })
}

proptest! {
    #[test]
    fn events_that_meet_are_kept_within_the_limits(events in vec(event(), 0..60)) {
        context::context(&events.concat());
    }

    #[test]
    fn any_bytes_are_events_that_do_no_harm(bytes in vec(any::<u8>(), 0..2000)) {
        context::context(&bytes);
    }
}
