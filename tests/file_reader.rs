//! Files in every state that they are met in: each buffer outside the damage is delivered, each damage is named.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test fails")]

use std::io::{self, Read};

use etweir::buffer::RecordDamageKind;
use etweir::codec::Format;
use etweir::file::{Damage, DamageKind};
use etweir::write::{BufferSpec, Damage as Harm, EventSpec, FileSpec, LogFileSpec};
use etweir::{Error, FileTime, Limits, ReadOptions};
use proptest::prelude::*;

const SIZE: u32 = 1024;

/// A file whose data buffer `n` (1 to `buffers`) holds the events `10 n` to `10 n + 4`.
fn file(buffers: u16) -> FileSpec {
    FileSpec::new(LogFileSpec { buffer_size: SIZE, ..LogFileSpec::default() })
        .buffers((1..=buffers).map(buffer))
}

fn buffer(number: u16) -> BufferSpec {
    (0..5).fold(
        BufferSpec::new(SIZE).sequence_number(number.into()).processor(number % 3),
        |buffer, event| {
            let id = number * 10 + event;
            buffer.event(&EventSpec {
                id,
                payload: vec![0x55; usize::from(event) * 7],
                ..EventSpec::default()
            })
        },
    )
}

/// Bytes behind which nobody may look: a live source would block there.
struct Live<'a>(&'a [u8]);

impl Read for Live<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0.is_empty(), "the reader waits for more than it needs");
        self.0.read(into)
    }
}

#[test]
fn a_buffer_of_a_live_source_is_there_before_anything_follows_it() {
    for spec in [file(3), file(3).compressed(Format::Xpress)] {
        let bytes = spec.to_bytes();
        let mut reader = ReadOptions::new().live(true).open(Live(&bytes)).expect("a trace");
        for number in 0..=3 {
            let buffer = reader.next_buffer().expect("no error").expect("a buffer");
            assert_eq!(buffer.events().filter(Result::is_ok).count(), if number == 0 { 1 } else { 5 });
        }
    }
}

#[test]
fn a_damaged_live_source_gives_what_is_good() {
    // A size that is not the session's is not believed before what follows is seen.
    let bytes = file(5).damage(Harm::Overwrite { buffer: 2, at: 0, bytes: vec![0x48, 0, 0, 0] }).to_bytes();
    let (ids_read, damage) = read_from(&bytes[..], ReadOptions::new().live(true)).expect("a trace");
    assert_eq!(ids_read, ids(1..=5));
    assert_eq!(damage, [(DamageKind::RepairedSize, 2 * 1024)]);
    // A whole buffer that ends the source, and one that the source cuts.
    let bytes = file(3).to_bytes();
    let (ids_read, damage) =
        read_from(&bytes[..3 * 1024 + 500], ReadOptions::new().live(true)).expect("a trace");
    assert_eq!(ids_read, read(&bytes[..3 * 1024 + 500]).0);
    assert_eq!(damage.first(), Some(&(DamageKind::CutBuffer, 3 * 1024)));
}

/// The ids that the data buffers of `numbers` hold.
fn ids(numbers: impl IntoIterator<Item = u16>) -> Vec<u16> {
    numbers.into_iter().flat_map(|number| number * 10..number * 10 + 5).collect()
}

/// What a file delivers: the ids of its events (the header's records left out), and the damage in the order of the file.
type Contents = (Vec<u16>, Vec<(DamageKind, u64)>);

fn read(bytes: &[u8]) -> Contents {
    read_from(bytes, ReadOptions::new().allow_missing_header(true)).expect("a trace")
}

fn read_from(source: impl Read, options: ReadOptions) -> Result<Contents, Error> {
    let mut reader = options.open(source)?;
    let (mut ids, mut damage) = (Vec::new(), Vec::new());
    while let Some(buffer) = reader.next_buffer()? {
        for event in buffer.events() {
            match event {
                Ok(event) if event.hook_id().is_none() => ids.push(event.id()),
                Ok(_) => {}
                Err(error) => damage.push(Damage::in_buffer(&buffer, error)),
            }
        }
    }
    damage.extend_from_slice(reader.damage().entries());
    damage.sort_by_key(|damage| (damage.at, damage.kind));
    Ok((ids, damage.iter().map(|damage| (damage.kind, damage.at.get())).collect()))
}

#[test]
fn the_number_of_buffers_in_the_header_is_a_hint_and_never_the_truth() {
    for claimed in [0, 1, 4, 1000] {
        let log_file =
            LogFileSpec { buffer_size: SIZE, buffers_written: Some(claimed), ..LogFileSpec::default() };
        let bytes = FileSpec::new(log_file).buffers((1..=3).map(buffer)).to_bytes();
        assert_eq!(read(&bytes), (ids(1..=3), vec![]), "the header says {claimed}");
    }
}

#[test]
fn a_file_that_was_never_closed_is_read_to_its_end() {
    let log_file = LogFileSpec {
        buffer_size: SIZE,
        buffers_written: Some(0),
        end_time: FileTime(0),
        ..LogFileSpec::default()
    };
    let bytes = FileSpec::new(log_file).buffers((1..=3).map(buffer)).to_bytes();
    assert_eq!(read(&bytes), (ids(1..=3), vec![]));
}

#[test]
fn every_cut_of_a_file_delivers_the_records_before_it() {
    let whole = file(3).to_bytes();
    for cut in 0..whole.len() {
        let bytes = &whole[..cut];
        let found = read_from(bytes, ReadOptions::new());
        // The header record alone makes a trace.
        let header_end = 72 + usize::from(u16::from_le_bytes([whole[0x4C], whole[0x4D]]));
        let Ok((found, damage)) = found else {
            assert!(cut < header_end, "{cut}: a header and no trace");
            continue;
        };
        assert!(cut >= header_end, "{cut}: a trace without a header");
        let expected = ids(1..=3).into_iter().take(whole_records_before(cut)).collect::<Vec<_>>();
        assert_eq!(found, expected, "cut at {cut}");
        let cuts = damage.iter().filter(|(kind, _)| *kind == DamageKind::CutBuffer).count();
        // A few zeros at the end cannot be told from reserved space, and what lies behind the filled bytes is not missed.
        let (start, at) = (cut - cut % 1024, cut % 1024);
        let missed = whole[start..cut].iter().any(|byte| *byte != 0) && at < filled(&whole, start);
        assert_eq!(cuts, usize::from(missed), "cut at {cut}: {damage:?}");
    }
}

/// How many events of `file(3)` lie wholly before `cut`.
fn whole_records_before(cut: usize) -> usize {
    let mut count = 0;
    for buffer in 1..=3 {
        let mut at = buffer * 1024 + 72;
        for event in 0..5 {
            let size = 0x50 + event * 7;
            if at + size <= cut {
                count += 1;
            }
            at = (at + size).next_multiple_of(8);
        }
    }
    count
}

fn filled(bytes: &[u8], start: usize) -> usize {
    u32::from_le_bytes(bytes[start + 0x30..][..4].try_into().expect("four bytes")) as usize
}

#[test]
fn a_cut_through_the_unused_rest_of_a_buffer_costs_nothing() {
    let bytes = file(2).damage(Harm::CutAt(3 * 1024 - 1)).to_bytes();
    assert_eq!(read(&bytes), (ids(1..=2), vec![]));
}

#[test]
fn a_compressed_file_that_is_cut_loses_the_buffer_with_the_cut() {
    let whole = file(3).compressed(Format::Xpress).to_bytes();
    let bytes = &whole[..whole.len() - 1];
    let (found, damage) = read(bytes);
    assert_eq!(found, ids(1..=2));
    assert!(matches!(damage[..], [(DamageKind::CutBuffer, _)]), "{damage:?}");
}

#[test]
fn every_compression_is_read_and_compressed_buffers_follow_each_other_without_alignment() {
    for format in Format::ALL {
        let bytes = file(5).compressed(format).to_bytes();
        assert_eq!(read(&bytes), (ids(1..=5), vec![]), "{format}");
    }
}

#[test]
fn a_compression_that_the_header_does_not_name_is_found_out() {
    for format in Format::ALL {
        let mut bytes = file(5).compressed(format).to_bytes();
        bytes[0x2C] = 0;
        assert_eq!(read(&bytes), (ids(1..=5), vec![]), "{format}");
    }
}

#[test]
fn zeros_with_buffers_behind_them_are_damage_and_zeros_at_the_end_are_none() {
    let bytes = file(4).damage(Harm::ZeroBuffer(2)).damage(Harm::ZeroBuffer(3)).to_bytes();
    assert_eq!(read(&bytes), (ids([1, 4]), vec![(DamageKind::Zeroed, 2048)]));

    for zeros in [1, 71, 72, 73, 1024, 200_000] {
        let bytes = file(2).damage(Harm::AppendZeros(zeros)).to_bytes();
        let mut reader = ReadOptions::new().open(&bytes[..]).expect("a trace");
        while reader.next_buffer().expect("a readable file").is_some() {}
        assert!(reader.damage().is_empty(), "{zeros} zeros: {:?}", reader.damage());
        assert_eq!(reader.unwritten_tail(), zeros as u64);
        assert_eq!(reader.buffers(), 3);
    }
}

#[test]
fn zeros_in_a_compressed_file_cost_the_buffer_in_their_place() {
    let bytes = file(4).compressed(Format::Xpress).damage(Harm::ZeroBuffer(2)).to_bytes();
    let (found, damage) = read(&bytes);
    assert_eq!(found, ids([1, 3, 4]));
    assert!(matches!(damage[..], [(DamageKind::Zeroed, _)]), "{damage:?}");
}

#[test]
fn a_zeroed_header_costs_its_buffer_and_no_other() {
    let bytes = file(3).damage(Harm::Overwrite { buffer: 2, at: 0, bytes: vec![0; 72] }).to_bytes();
    assert_eq!(read(&bytes), (ids([1, 3]), vec![(DamageKind::NoBuffer, 2048)]));
}

#[test]
fn a_header_buffer_behind_garbage_still_tells_the_clock() {
    for garbage in [vec![0; 512], vec![0xA5; 3000], b"some text before the trace".to_vec()] {
        let bytes = [garbage, file(2).to_bytes()].concat();
        let reader = ReadOptions::new().open(&bytes[..]).expect("a trace");
        assert!(reader.session().clock().is_known());
        assert_eq!(read(&bytes), (ids(1..=2), vec![(DamageKind::NoBuffer, 0)]));
    }
}

#[test]
fn a_zeroed_sector_inside_a_buffer_costs_the_records_in_it() {
    let harm = Harm::Overwrite { buffer: 1, at: 72 + 0x50, bytes: vec![0; 0x58] };
    let bytes = file(2).damage(harm).to_bytes();
    let without = [vec![10], ids(1..=2)[2..].to_vec()].concat();
    let damage = DamageKind::Record(RecordDamageKind::Resynchronised);
    assert_eq!(read(&bytes), (without, vec![(damage, 1024 + 72 + 0x50)]));
}

#[test]
fn a_wrong_size_is_repaired_with_the_sessions_whichever_buffer_it_is_in() {
    for size in [0_u32, 1, 71, 72, 1023, 1025, 2048, 3072, 5000, u32::MAX] {
        for number in [1_usize, 2, 3] {
            let harm = Harm::Overwrite { buffer: number, at: 0, bytes: size.to_le_bytes().to_vec() };
            let bytes = file(3).damage(harm).to_bytes();
            let at = number as u64 * 1024;
            assert_eq!(
                read(&bytes),
                (ids(1..=3), vec![(DamageKind::RepairedSize, at)]),
                "size {size} in buffer {number}"
            );
        }
    }
}

#[test]
fn a_wrong_size_in_a_compressed_file_costs_no_other_buffer() {
    for size in [0_u32, 1, 71, 72, 80, 400, 700, 5000, u32::MAX] {
        for number in [1_usize, 2, 4] {
            let harm = Harm::Overwrite { buffer: number, at: 0, bytes: size.to_le_bytes().to_vec() };
            let bytes = file(4).compressed(Format::Xpress).damage(harm).to_bytes();
            let (found, damage) = read(&bytes);
            let others = ids((1..=4).filter(|other| usize::from(*other) != number));
            assert!(others.iter().all(|id| found.contains(id)), "size {size} in buffer {number}: {found:?}");
            assert_eq!(damage.len(), 1, "size {size} in buffer {number}: {damage:?}");
        }
    }
}

#[test]
fn filled_bytes_outside_the_buffer_cost_the_buffer() {
    for filled in [0_u32, 71, 1025, u32::MAX] {
        let harm = Harm::Overwrite { buffer: 2, at: 0x30, bytes: filled.to_le_bytes().to_vec() };
        let bytes = file(3).damage(harm).to_bytes();
        assert_eq!(read(&bytes), (ids([1, 3]), vec![(DamageKind::BadBuffer, 2048)]), "filled {filled}");
    }
}

#[test]
fn bytes_between_buffers_are_passed_over_and_named() {
    for len in [1_usize, 3, 8, 500, 1024, 3000] {
        let mut bytes = file(2).to_bytes();
        bytes.splice(2048..2048, vec![0xAB; len]);
        let (found, damage) = read(&bytes);
        assert_eq!(found, ids(1..=2), "{len} bytes");
        assert_eq!(damage, [(DamageKind::NoBuffer, 2048)], "{len} bytes");
    }
}

#[test]
fn a_buffer_with_a_hole_in_it_does_not_take_the_next_ones_along() {
    let mut bytes = file(4).to_bytes();
    bytes.drain(2048 + 300..2048 + 400);
    let (found, damage) = read(&bytes);
    assert!(ids([1, 3, 4]).iter().all(|id| found.contains(id)), "{found:?}");
    assert!(!damage.is_empty());
}

#[test]
fn without_a_header_buffer_the_rest_is_read_if_asked_for() {
    let bytes = file(3).damage(Harm::RemoveBuffer(0)).to_bytes();
    assert!(matches!(read_from(&bytes[..], ReadOptions::new()), Err(Error::MissingHeader { .. })));
    assert_eq!(read(&bytes), (ids(1..=3), vec![]));
}

#[test]
fn a_header_buffer_of_garbage_costs_itself() {
    let bytes = file(3).damage(Harm::Overwrite { buffer: 0, at: 0, bytes: vec![0xEE; 1024] }).to_bytes();
    assert_eq!(read(&bytes), (ids(1..=3), vec![(DamageKind::NoBuffer, 0)]));
}

#[test]
fn buffers_out_of_order_are_nothing_to_report() {
    let bytes = file(3).damage(Harm::SwapBuffers(1, 3)).to_bytes();
    assert_eq!(read(&bytes), (ids([3, 2, 1]), vec![]));
}

#[test]
fn a_second_header_buffer_in_the_middle_is_data() {
    let second = file(0).to_bytes();
    let mut bytes = file(2).to_bytes();
    bytes.extend_from_slice(&second);
    bytes.extend_from_slice(&file(2).to_bytes()[1024..2048]);
    assert_eq!(read(&bytes), (ids([1, 2, 1]), vec![]));
}

#[test]
fn windows_before_6_0_is_read_by_the_sessions_buffer_size() {
    for log_file in [LogFileSpec::windows_2000(), LogFileSpec::windows_xp(), LogFileSpec::server_2003()] {
        let log_file = LogFileSpec { buffer_size: SIZE, ..log_file };
        let layout = log_file.layout();
        let bytes =
            FileSpec::new(log_file).buffers((1..=3).map(|number| buffer(number).layout(layout))).to_bytes();
        assert_eq!(read(&bytes), (ids(1..=3), vec![]), "{layout:?}");
    }
}

#[test]
fn what_is_no_trace_says_what_it_is() {
    for (bytes, text) in [
        (&b""[..], "nothing: the input is empty"),
        (&[0x41; 40], "only 40 bytes: text \"AAAAAAAAAAAAAAAA\""),
        (&[0xFF; 5000], "ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff"),
        (&[0; 5000], "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"),
        (
            "Just some text, long enough to hold a header and more. ".repeat(40).as_bytes(),
            "text \"Just some text, \"",
        ),
    ] {
        let error = read_from(bytes, ReadOptions::new().allow_missing_header(true)).expect_err("no trace");
        assert!(matches!(error, Error::NotATrace { .. }));
        let expected = format!(
            "not an ETW trace: expected a buffer header of 72 bytes with records behind it, found {text}"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_buffer_larger_than_the_limit_is_refused_and_costs_no_memory() {
    let mut limits = Limits::default();
    limits.buffer_bytes = 512;
    let bytes = file(3).to_bytes();
    let (found, damage) = read_from(&bytes[..], ReadOptions::new().limits(limits)).expect("a trace");
    assert_eq!(found, []);
    assert!(!damage.is_empty());
}

#[test]
fn a_source_that_fails_says_where() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let bytes = file(3).to_bytes();
    let error = read_from((&bytes[..1500]).chain(Broken), ReadOptions::new()).expect_err("a broken disk");
    assert_eq!(error.to_string(), "cannot read at 0x5dc");
}

/// Hands out bytes in pieces of the lengths that it was given, over and over.
struct Pieces<'a>(&'a [u8], Vec<usize>, usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let len = self.1[self.2 % self.1.len()].min(into.len()).min(self.0.len());
        self.2 += 1;
        let (head, rest) = self.0.split_at(len);
        into[..len].copy_from_slice(head);
        self.0 = rest;
        Ok(len)
    }
}

proptest! {
    #[test]
    fn any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
        let _ = read_from(&bytes[..], ReadOptions::new().allow_missing_header(true));
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_a_file_arrives(
        pieces in prop::collection::vec(1..3000_usize, 1..10), compressed: bool, cut in 0..6000_usize,
    ) {
        let spec = if compressed { file(4).compressed(Format::Xpress) } else { file(4) };
        let bytes = spec.damage(Harm::CutAt(cut.max(1024))).to_bytes();
        let whole = read(&bytes);
        let options = ReadOptions::new().allow_missing_header(true);
        prop_assert_eq!(read_from(Pieces(&bytes, pieces, 0), options).expect("a trace"), whole);
    }

    #[test]
    fn damage_to_one_buffer_costs_no_event_of_another(
        number in 0..5_usize,
        changes in prop::collection::vec((0..1024_usize, any::<u8>()), 1..20),
        in_header: bool,
        format in prop_oneof![Just(None), Just(Some(Format::Xpress)), Just(Some(Format::XpressHuff)), Just(Some(Format::Lznt1))],
    ) {
        let spec = format.map_or_else(|| file(4), |format| file(4).compressed(format));
        let mut bytes = spec.to_bytes();
        let starts = starts(&bytes);
        let range = starts[number]..starts[number + 1];
        for (at, value) in changes {
            let at = if in_header { at % 72 } else { at };
            if let Some(byte) = bytes[range.clone()].get_mut(at) {
                *byte = value;
            }
        }
        let (found, _) = read(&bytes);
        let others = ids((1..=4).filter(|other| usize::from(*other) != number));
        let missing: Vec<_> = others.iter().filter(|id| !found.contains(id)).collect();
        prop_assert!(missing.is_empty(), "missing {missing:?} of {found:?}");
    }

    #[test]
    fn damage_anywhere_is_survived_and_only_ever_costs_events(
        changes in prop::collection::vec((0..6000_usize, any::<u8>()), 1..40), compressed: bool,
    ) {
        let spec = if compressed { file(4).compressed(Format::XpressHuff) } else { file(4) };
        let mut bytes = spec.to_bytes();
        for (at, value) in changes {
            let len = bytes.len();
            bytes[at % len] = value;
        }
        if let Ok((found, damage)) = read_from(&bytes[..], ReadOptions::new().allow_missing_header(true)) {
            prop_assert!(found.len() <= 200, "{}", found.len());
            let cut = |kind| matches!(kind, DamageKind::Record(RecordDamageKind::Cut));
            prop_assert!(!damage.iter().any(|(kind, _)| cut(*kind)) || damage.len() > 1);
        }
    }
}

/// Where the buffers of a good file start, and where it ends.
fn starts(bytes: &[u8]) -> Vec<usize> {
    let mut starts = vec![0];
    while let Some(size) = bytes.get(starts[starts.len() - 1]..).and_then(|rest| rest.first_chunk::<4>()) {
        starts.push(starts[starts.len() - 1] + u32::from_le_bytes(*size) as usize);
    }
    starts
}

#[test]
fn a_header_buffer_whose_wrong_size_takes_the_next_buffer_along_is_cut_back() {
    let whole = file(4).compressed(Format::Xpress).to_bytes();
    let second = u32::try_from(starts(&whole)[2]).expect("a small file");
    let harm = Harm::Overwrite { buffer: 0, at: 0, bytes: second.to_le_bytes().to_vec() };
    let bytes = file(4).compressed(Format::Xpress).damage(harm).to_bytes();
    assert_eq!(read(&bytes), (ids(1..=4), vec![(DamageKind::RepairedSize, 0)]));
}
