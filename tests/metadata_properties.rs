//! What holds for any metadata inside a trace and for any manifest.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

mod metadata;

use std::fs;

use etweir::Guid;
use etweir::testkit::{corpus, metadata as check};
use metadata::{EVENT_MESSAGE, Info, KEYWORDS_NAME, PROVIDER_NAME, Property, chunk, manifest, map, scalar};
use proptest::collection::vec;
use proptest::prelude::*;

const SHOP: Guid = Guid::from_bytes([0x40; 16]);

/// A description with everything that there is.
fn info() -> Vec<u8> {
    let structure = Property { flags: 0x1 | 0x4, in_type: 4, out_type: 2, name: "s", ..Property::default() };
    Info {
        provider: SHOP,
        id: 1,
        texts: vec![(PROVIDER_NAME, "Shop"), (KEYWORDS_NAME, "Money\0Goods\0"), (EVENT_MESSAGE, "Sold %1")],
        properties: vec![
            scalar("n", 6, 2),
            structure,
            Property { flags: 0x2, map: Some("Goods"), ..scalar("text", 1, 0) },
            Property { flags: 0x80, ..scalar("custom", 0, 0) },
            Property { flags: 0x20, count: 3, ..scalar("array", 8, 4) },
            scalar("member", 4, 1),
        ],
        top_level: Some(4),
        ..Info::default()
    }
    .to_bytes()
}

fn shop_map() -> Vec<u8> {
    map(SHOP, "Goods", 2, &[(1, "bread "), (2, "milk ")])
}

fn shop_manifest() -> String {
    manifest(
        SHOP,
        "Shop",
        r#"<data name="n" inType="win:UInt16"/><data name="x" inType="win:Binary" length="n"/>
        <struct name="s" count="n"><data name="c" inType="win:UInt32" outType="win:HexInt32" map="M"/></struct>"#,
    )
    .replace("<templates>", r#"<maps><bitMap name="M"><map value="1" message="$(string.a)"/></bitMap></maps><templates>"#)
}

/// A change to bytes: one overwritten, four overwritten, or some cut out.
#[derive(Clone, Debug)]
enum Change {
    Byte(usize, u8),
    Word(usize, u32),
    Remove(usize, usize),
    Double(usize, usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let word = prop_oneof![any::<u32>(), 0..0x200_u32, Just(u32::MAX)];
    vec(
        prop_oneof![
            3 => (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Change::Byte(at, byte)),
            3 => (any::<usize>(), word).prop_map(|(at, word)| Change::Word(at, word)),
            1 => (any::<usize>(), 0..100_usize).prop_map(|(at, len)| Change::Remove(at, len)),
            1 => (any::<usize>(), 0..100_usize).prop_map(|(at, len)| Change::Double(at, len)),
        ],
        0..8,
    )
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let len = bytes.len();
        let range = |at: usize, count: usize| at % (len + 1)..(at % (len + 1) + count).min(len);
        match *change {
            Change::Byte(at, byte) => {
                bytes.iter_mut().skip(at % (len + 1)).take(1).for_each(|place| *place = byte)
            }
            Change::Word(at, word) => {
                let places = bytes.iter_mut().skip((at % (len + 1)) & !3);
                places.zip(word.to_le_bytes()).for_each(|(place, byte)| *place = byte);
            }
            Change::Remove(at, count) => drop(bytes.drain(range(at, count))),
            Change::Double(at, count) => {
                let range = range(at, count);
                let copy = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, copy);
            }
        }
    }
    bytes
}

/// A piece for the check of learning: what it is, its length, its bytes.
fn piece(kind: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("a short payload").to_le_bytes();
    [&[kind, len[0], len[1]], payload].concat()
}

proptest! {
    #[test]
    fn any_bytes_as_a_description(bytes in vec(any::<u8>(), 0..400)) {
        check::event_info(&bytes);
    }

    #[test]
    fn a_changed_description(changes in changes(), payload in vec(0..9_u8, 0..60)) {
        let bytes = changed(info(), &changes);
        // The check takes the second half as a payload.
        let mut whole = bytes.clone();
        whole.extend(payload);
        whole.resize(2 * bytes.len(), 1);
        check::event_info(&whole);
    }

    #[test]
    fn any_bytes_as_a_map(bytes in vec(any::<u8>(), 0..200)) {
        check::map_info(&bytes);
    }

    #[test]
    fn a_changed_map(changes in changes()) {
        check::map_info(&changed(shop_map()[16..].to_vec(), &changes));
    }

    #[test]
    fn any_bytes_as_a_manifest(bytes in vec(any::<u8>(), 0..200)) {
        check::manifest(&bytes);
    }

    #[test]
    fn a_changed_manifest(changes in changes()) {
        check::manifest(&changed(shop_manifest().into_bytes(), &changes));
    }

    /// Elements of manifests with any attributes, in any order.
    #[test]
    fn a_manifest_of_any_elements(
        elements in vec((0..20_usize, 0..3_u8, vec((0..14_usize, 0..12_usize), 0..5)), 0..60),
    ) {
        const ELEMENTS: [&str; 20] = [
            "events", "provider", "channels", "channel", "levels", "level", "opcodes", "opcode", "tasks", "task",
            "keywords", "keyword", "maps", "bitMap", "map", "templates", "template", "struct", "data", "event",
        ];
        const KEYS: [&str; 14] = [
            "name", "value", "mask", "guid", "message", "tid", "template", "inType", "outType", "count", "length",
            "map", "version", "keywords",
        ];
        const VALUES: [&str; 12] = [
            "a", "b", "1", "0x10", "65536", "{00112233-4455-6677-8899-aabbccddeeff}", "win:UInt16", "win:Binary",
            "win:UnicodeString", "$(string.a)", "", "\u{1F600}",
        ];
        let mut text = String::from("<m><events><provider name=\"P\" guid=\"{00112233-4455-6677-8899-aabbccddeeff}\">");
        let mut open = vec!["provider", "events", "m"].into_iter().rev().collect::<Vec<_>>();
        for (element, close, attributes) in elements {
            text += &format!("<{}", ELEMENTS[element]);
            for (key, value) in attributes {
                text += &format!(" {}=\"{}\"", KEYS[key], VALUES[value]);
            }
            text += ">";
            open.push(ELEMENTS[element]);
            for _ in 0..close {
                if open.len() > 3 {
                    text += &format!("</{}>", open.pop().expect("an element"));
                }
            }
        }
        open.iter().rev().for_each(|name| text += &format!("</{name}>"));
        check::manifest(text.as_bytes());
    }

    #[test]
    fn a_trace_of_any_pieces(pieces in vec((any::<u8>(), vec(any::<u8>(), 0..60)), 0..20)) {
        let bytes: Vec<u8> = pieces.iter().flat_map(|(kind, payload)| piece(*kind, payload)).collect();
        check::learning(&bytes);
    }

    #[test]
    fn a_trace_of_changed_pieces(order in vec((0..7_u8, any::<bool>()), 0..30), changes in changes()) {
        let text = shop_manifest();
        let (start, end) = text.as_bytes().split_at(300);
        let pieces = [
            piece(0x40, &info()),
            piece(0x41, &shop_map()),
            piece(0x42, &chunk(1, 0, text.as_bytes())),
            piece(0xC2, &chunk(2, 0, start)),
            piece(0xC2, &chunk(2, 1, end)),
            piece(0x47, &[2, 0, 7, 1, 0, 9, 7, 1, 0, 9, 0, 0]),
            piece(0xD7, &[0, 0]),
        ];
        let bytes: Vec<u8> = order
            .into_iter()
            .flat_map(|(place, change)| {
                let piece = pieces[usize::from(place)].clone();
                if change { changed(piece, &changes) } else { piece }
            })
            .collect();
        check::learning(&bytes);
    }
}

#[test]
fn a_description_cut_anywhere_is_an_error_or_lacks_nothing_of_it() {
    let bytes = info();
    for len in 0..bytes.len() {
        check::event_info(&bytes[..len]);
    }
    check::event_info(&[&bytes[..], &bytes].concat());
}

#[test]
fn manifests_that_begin_like_others_and_end_early_are_refused() {
    let text = shop_manifest();
    for len in (0..text.len()).filter(|len| text.is_char_boundary(*len)) {
        check::manifest(&text.as_bytes()[..len]);
    }
}

#[test]
fn recorded_metadata_with_changes_hold_the_same() {
    let Some(folder) = corpus::data("recorded_metadata_with_changes_hold_the_same") else { return };
    let text = fs::read_to_string(folder.join("payload-vectors.jsonl")).expect("readable vectors");
    let hex = |value: &serde_json::Value| -> Vec<u8> {
        let digits = value.as_str().expect("hex");
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"))
            .collect()
    };
    let of_kind = |kind: &str, key: &str| -> Vec<Vec<u8>> {
        let lines = text.lines().filter(|line| line.contains(&format!("\"kind\":\"{kind}\"")));
        lines.map(|line| hex(&serde_json::from_str::<serde_json::Value>(line).expect("JSON")[key])).collect()
    };
    let (infos, maps) = (of_kind("trace_event_info", "info"), of_kind("event_map_info", "payload"));
    assert_eq!((infos.len(), maps.len()), (55, 12));
    proptest!(|(place in 0..67_usize, changes in changes())| {
        match infos.get(place) {
            Some(info) => check::event_info(&changed(info.clone(), &changes)),
            None => check::map_info(&changed(maps[place - 55][16..].to_vec(), &changes)),
        }
    });
}

#[test]
fn real_manifests_with_changes_hold_the_same() {
    let Some(folder) = corpus::folder("real_manifests_with_changes_hold_the_same") else { return };
    let names = ["chrome_events_win.man", "etwproviders.man", "tx-eventing.man"];
    let texts = names.map(|name| fs::read(folder.join("manifests").join(name)).expect("a readable file"));
    proptest!(|(place in 0..3_usize, changes in changes())| {
        check::manifest(&changed(texts[place].clone(), &changes));
    });
}
