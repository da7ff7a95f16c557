//! What holds for every format.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::{CodecError, Format, decompress};

/// The result, and as much of the output as the result vouches for.
fn expand(format: Format, input: &[u8], length: usize) -> (Result<usize, CodecError>, Vec<u8>) {
    let mut output = vec![0xEE; length];
    let result = decompress(format, input, &mut output);
    output.truncate(result.unwrap_or_else(|error| error.produced_bytes));
    (result, output)
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(&Format::ALL[..])
}

/// Bytes that now and then are what a format wants, with a valid table or header in front.
fn any_input() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let bytes = prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..8], 0..200);
    let any_table = Just([&[0_u8; 48][..], &[0x98; 64], &[0; 16], &[0x98; 64], &[0; 64]].concat());
    let flat_table = Just(vec![0x99; 256]);
    let header = (0x80_u8..=0xFF).prop_map(|low| vec![low, 0xB0]);
    prop_oneof![
        bytes.clone().prop_map(|bytes| (Format::Xpress, bytes)),
        (header, bytes.clone()).prop_map(|(head, rest)| (Format::Lznt1, [head, rest].concat())),
        (prop_oneof![any_table, flat_table], bytes.clone())
            .prop_map(|(head, rest)| (Format::XpressHuff, [head, rest].concat())),
        (any_format(), bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_end_in_a_count_or_an_error_that_fits((format, input) in any_input(), length in 0_usize..6000) {
        let (result, output) = expand(format, &input, length);
        prop_assert!(output.len() <= length);
        if let Err(error) = result {
            prop_assert!(error.produced_bytes < length);
            prop_assert!(error.at.get() <= input.len() as u64);
        }
    }

    #[test]
    fn a_shorter_output_gets_a_prefix_of_a_longer_one(
        (format, input) in any_input(),
        length in 0_usize..6000,
        less in 0_usize..6000,
    ) {
        let (result, whole) = expand(format, &input, length);
        let less = less.min(length);
        let (less_result, prefix) = expand(format, &input, less);
        if less <= whole.len() {
            prop_assert_eq!(less_result, Ok(less));
            prop_assert_eq!(&prefix[..], &whole[..less]);
        } else {
            prop_assert_eq!(less_result, result);
            prop_assert_eq!(prefix, whole);
        }
    }
}

#[cfg(feature = "write")]
mod both_ways {
    use super::super::compress;
    use super::*;

    fn packed(format: Format, input: &[u8]) -> Vec<u8> {
        let mut output = vec![0xAA];
        compress(format, input, &mut output);
        assert_eq!(output.remove(0), 0xAA);
        output
    }

    /// Bytes without any order, always the same ones.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        core::iter::repeat_with(next).take(length).collect()
    }

    /// Something like trace records: mostly the same, with numbers that count and some noise.
    fn records(length: usize) -> Vec<u8> {
        let noise = noise(length);
        (0_u32..)
            .zip(noise.chunks(3))
            .flat_map(|(number, noise)| {
                [&number.to_le_bytes()[..], b"EventHeader\0\0\0\0\x01", noise].concat()
            })
            .take(length)
            .collect()
    }

    /// One stretch of the data: noise, one byte many times, or something from before once more.
    #[derive(Clone, Debug)]
    enum Stretch {
        Noise(Vec<u8>),
        Run(u8, usize),
        Again(prop::sample::Index, usize),
    }

    fn data() -> impl Strategy<Value = Vec<u8>> {
        let stretch = prop_oneof![
            prop::collection::vec(any::<u8>(), 1..40).prop_map(Stretch::Noise),
            (any::<u8>(), 1_usize..400).prop_map(|(byte, count)| Stretch::Run(byte, count)),
            (any::<prop::sample::Index>(), 1_usize..300)
                .prop_map(|(from, count)| Stretch::Again(from, count)),
        ];
        prop::collection::vec(stretch, 0..60).prop_map(|stretches| {
            let mut data = Vec::new();
            for stretch in stretches {
                match stretch {
                    Stretch::Noise(bytes) => data.extend(bytes),
                    Stretch::Run(byte, count) => data.resize(data.len() + count, byte),
                    Stretch::Again(_, _) if data.is_empty() => {}
                    Stretch::Again(from, count) => {
                        let from = from.index(data.len());
                        let end = data.len().min(from + count);
                        data.extend_from_within(from..end);
                    }
                }
            }
            data
        })
    }

    fn check_round_trip(format: Format, data: &[u8]) {
        let input = packed(format, data);
        let (result, output) = expand(format, &input, data.len());
        assert_eq!(result, Ok(data.len()), "{format}");
        assert!(output == data, "{format}: other bytes");
        assert_eq!(expand(format, &input, data.len() + 1), (Ok(data.len()), output), "{format}");
    }

    #[test]
    fn lengths_around_chunks_and_blocks_come_back() {
        for format in Format::ALL {
            for border in [0_usize, 32, 4096, 8192, 65_536, 131_072] {
                for length in border.saturating_sub(1)..=border + 1 {
                    check_round_trip(format, &records(length));
                    check_round_trip(format, &vec![7; length]);
                }
            }
            check_round_trip(format, &noise(70_000));
        }
    }

    #[test]
    fn what_repeats_gets_much_smaller() {
        let data = records(100_000);
        for (format, most) in
            [(Format::Lznt1, 60_000), (Format::Xpress, 46_000), (Format::XpressHuff, 36_000)]
        {
            let length = packed(format, &data).len();
            assert!(length < most, "{format}: {length}");
            assert!(packed(format, &[0; 100_000]).len() < 2000, "{format}");
        }
    }

    #[test]
    fn what_does_not_compress_hardly_grows() {
        let data = noise(65_536);
        for (format, most) in [(Format::Lznt1, 32), (Format::Xpress, 8196), (Format::XpressHuff, 300)] {
            let growth = packed(format, &data).len() - data.len();
            assert!(growth <= most, "{format}: {growth}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_compressed_comes_back(format in any_format(), data in data()) {
            let input = packed(format, &data);
            prop_assert_eq!(expand(format, &input, data.len()), (Ok(data.len()), data.clone()));
            prop_assert_eq!(expand(format, &input, data.len() + 100), (Ok(data.len()), data));
        }

        #[test]
        fn input_that_is_cut_off_never_gives_wrong_bytes(
            format in any_format(),
            data in data(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 20),
        ) {
            let input = packed(format, &data);
            for cut in cuts {
                let (result, output) = expand(format, &input[..cut.index(input.len() + 1)], data.len() + 1);
                prop_assert!(data.starts_with(&output), "{}: {:?}", format, result);
            }
        }

        #[test]
        fn other_readers_understand_what_is_compressed(data in data()) {
            // This one stops where it has read all input, even if symbols are left in the bits that it has read ahead.
            let input = [packed(Format::XpressHuff, &data), vec![0; 4]].concat();
            prop_assert_eq!(xpress_huffman::decompress(&input, data.len()).ok(), Some(data.clone()));

            let input = packed(Format::Lznt1, &data);
            let mut output = Vec::new();
            prop_assert!(lznt1::decompress(&input, &mut output).is_ok());
            prop_assert_eq!(output, data);
        }

        #[test]
        fn what_another_writer_compressed_expands(data in data()) {
            let mut input = Vec::new();
            lznt1::compress(&data, &mut input);
            prop_assert_eq!(expand(Format::Lznt1, &input, data.len()), (Ok(data.len()), data));
        }
    }
}
