//! Input that somebody made to mislead or to stall a reader: buffers inside payloads, claims that overlap, expansions out of
//! nothing. If the work were quadratic, the larger ones here would run for minutes.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use etweir::buffer::{BufferFlags, BufferView, RecordDamageKind};
use etweir::codec::Format;
use etweir::file::DamageKind;
use etweir::write::{BufferSpec, Damage as Harm, EventSpec, FileSpec, FullSpec, LogFileSpec, PerfSpec};
use etweir::{EtlReader, ReadOptions};

/// The ids of all events, and the kinds of damage.
fn read(bytes: &[u8]) -> (Vec<u16>, Vec<DamageKind>) {
    let mut reader = ReadOptions::new().allow_missing_header(true).open(bytes).expect("a trace");
    let (mut ids, mut damage) = (Vec::new(), Vec::new());
    while let Some(buffer) = reader.next_buffer().expect("a readable slice") {
        for event in buffer.events() {
            match event {
                Ok(event) => ids.push(event.id() + u16::from(event.opcode())),
                Err(error) => damage.push(DamageKind::Record(error.kind)),
            }
        }
    }
    damage.extend(reader.damage().entries().iter().map(|damage| damage.kind));
    (ids, damage)
}

/// Three buffers of 4 KiB, each with an event whose payload is a whole buffer with event 999 in it, and another event.
fn with_buffers_in_payloads() -> FileSpec {
    let inner = BufferSpec::new(256).event(&EventSpec { id: 999, ..EventSpec::default() }).to_bytes();
    let buffer = |id: u16| {
        BufferSpec::new(4096)
            .event(&EventSpec { id, payload: inner.clone(), ..EventSpec::default() })
            .event(&EventSpec { id: id + 100, ..EventSpec::default() })
    };
    FileSpec::new(LogFileSpec { buffer_size: 4096, ..LogFileSpec::default() }).buffers((1..=3).map(buffer))
}

#[test]
fn a_buffer_in_a_payload_does_not_pass_for_one_of_the_file() {
    let whole = with_buffers_in_payloads().to_bytes();
    assert_eq!(read(&whole), (vec![0, 1, 101, 2, 102, 3, 103], vec![]));
    assert_eq!(read(&whole[4096..]), (vec![1, 101, 2, 102, 3, 103], vec![]), "without a header buffer");
    assert_eq!(
        read(&whole[..whole.len() - 1]),
        (vec![0, 1, 101, 2, 102, 3, 103], vec![]),
        "cut in the filler"
    );
    let appended = [&whole[..], &[0x55; 100]].concat();
    assert_eq!(
        read(&appended),
        (vec![0, 1, 101, 2, 102, 3, 103], vec![DamageKind::NoBuffer]),
        "garbage behind"
    );
    let harm = Harm::Overwrite { buffer: 2, at: 0, bytes: vec![0x55; 72] };
    let damaged = with_buffers_in_payloads().damage(harm).to_bytes();
    assert_eq!(read(&damaged), (vec![0, 1, 101, 3, 103], vec![DamageKind::NoBuffer]), "a header of garbage");
}

#[test]
fn the_wrong_compression_is_not_taken_for_the_right_one() {
    for format in [Format::Lznt1, Format::XpressHuff] {
        for (state, len, fill) in [0_u8, 3]
            .iter()
            .flat_map(|state| [0_usize, 1, 64, 176, 400, 1200].map(|len| (*state, len, len as u8)))
        {
            let payload: Vec<u8> =
                (0..len).map(|at| if at % 17 == 3 { (at as u8).wrapping_mul(7) } else { fill }).collect();
            let buffers = [
                BufferSpec::new(4096).event(&EventSpec {
                    id: 7,
                    payload: payload.clone(),
                    ..EventSpec::default()
                }),
                BufferSpec::new(4096).perf(&PerfSpec { payload: payload.clone(), ..PerfSpec::default() }),
                BufferSpec::new(4096).full(&FullSpec { payload, ..FullSpec::default() }),
            ];
            let file = FileSpec::new(LogFileSpec { buffer_size: 4096, ..LogFileSpec::default() })
                .compressed(format)
                .buffers(buffers);
            let mut bytes = file.to_bytes();
            let expected = read(&bytes);
            bytes[0x2C] = state;
            assert_eq!(read(&bytes), expected, "{format}, state {state}, {len} bytes");
            assert_eq!(expected.1, []);
        }
    }
}

#[test]
fn a_zeroed_header_costs_no_other_buffer_where_headers_have_no_size() {
    for log_file in [LogFileSpec::windows_2000(), LogFileSpec::windows_xp(), LogFileSpec::server_2003()] {
        let log_file = LogFileSpec { buffer_size: 1024, ..log_file };
        let layout = log_file.layout();
        let buffer = |id: u16| {
            BufferSpec::new(1024).layout(layout).event(&EventSpec {
                id,
                payload: vec![9; 300],
                ..EventSpec::default()
            })
        };
        let harm = Harm::Overwrite { buffer: 2, at: 0, bytes: vec![0; 72] };
        let bytes = FileSpec::new(log_file).buffers((1..=5).map(buffer)).damage(harm).to_bytes();
        assert_eq!(read(&bytes), (vec![0, 1, 3, 4, 5], vec![DamageKind::NoBuffer]), "{layout:?}");
    }
}

#[test]
fn a_buffer_whose_every_word_begins_an_endless_chain_is_searched_in_linear_time() {
    // EVENT_HEADER64 of 65,535 bytes with extended items, and an item without data that is followed by another.
    const WORD: [u8; 8] = [0xFF, 0xFF, 0x13, 0xC0, 1, 0, 0, 0];
    let len = 4 << 20;
    let mut bytes = BufferSpec::new(len).filled_bytes(len).to_bytes();
    let body = &mut bytes[72..];
    body[..8].copy_from_slice(&[4, 0, 0, 0x80, 0, 0, 0, 0]);
    body[8..].chunks_exact_mut(8).for_each(|place| place.copy_from_slice(&WORD));
    let view = BufferView::parse(&bytes).expect("a buffer");
    let damage = view.records().filter_map(Result::err).next().expect("the first word is no record");
    assert!(matches!(damage.kind, RecordDamageKind::Resynchronised | RecordDamageKind::RestLost));
}

#[test]
fn compressed_buffers_that_claim_each_other_are_read_in_linear_time() {
    let log_file = LogFileSpec { buffer_size: 8 << 20, ..LogFileSpec::default() };
    let mut bytes = FileSpec::new(log_file).compressed(Format::Xpress).to_bytes();
    // Headers every 109 bytes, each of which claims 8 MiB and data that one stream of literals runs through.
    let claim = 5 << 20;
    let header = BufferSpec::new(72).flags(BufferFlags::COMPRESSED).stored_size(8 << 20);
    let mut unit = header.filled_bytes(claim).saved_offset(claim).to_bytes();
    unit.truncate(72);
    unit.extend([1, 0, 0, 0, 0, 0, 0x11, 0xC0, 0x10, 0, 0x2E, 0x08]);
    unit.resize(109, 0);
    while bytes.len() < 4 << 20 {
        bytes.extend_from_slice(&unit);
    }
    let mut reader = EtlReader::new(&bytes[..]).expect("a trace");
    while reader.next_buffer().expect("a readable slice").is_some() {}
    assert!(reader.damage().count() > 30_000, "{}", reader.damage().count());
}

#[test]
fn a_small_buffer_does_not_expand_far_past_the_sessions_buffer_size() {
    let log_file = LogFileSpec { buffer_size: 512, ..LogFileSpec::default() };
    let mut bytes = FileSpec::new(log_file).compressed(Format::Xpress).to_bytes();
    let mut unit =
        BufferSpec::new(72).flags(BufferFlags::COMPRESSED).stored_size(98).filled_bytes(16 << 20).to_bytes();
    unit.truncate(72);
    // Eight literals, the start of a record, and a match of almost 16 MiB.
    unit.extend((1_u32 << 23).to_le_bytes());
    unit.extend([0, 0, 0x11, 0xC0, 0x10, 0, 0x2E, 0x08, 7, 0, 0x0F, 0xFF, 0, 0]);
    unit.extend(((16_u32 << 20) - 72 - 8 - 3).to_le_bytes());
    for _ in 0..1000 {
        bytes.extend_from_slice(&unit);
    }
    let mut reader = EtlReader::new(&bytes[..]).expect("a trace");
    while reader.next_buffer().expect("a readable slice").is_some() {}
    assert_eq!(reader.buffers(), 1, "the header buffer");
}
