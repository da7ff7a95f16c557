//! Text of payloads in whatever encoding it has.
//!
//! Source: payload reference, "Common value types".

use core::fmt::{self, Write};

use crate::decode::format::out::Out;
use crate::decode::types::OutType;
use crate::decode::value::Str;
use crate::utf16::Utf16;

/// Text and what its out-type says of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    text: Str<'a>,
    /// 8-bit text is UTF-8 for sure, so that what is wrong in it is no other encoding.
    is_utf8: bool,
    /// Line breaks and tabs are shown as spaces.
    is_reduced: bool,
}

impl<'a> Text<'a> {
    /// Zeros at the end are padding and no part of the text.
    pub(super) fn new(text: Str<'a>, out_type: OutType) -> Self {
        let text = match text {
            Str::Utf16(text) => {
                let mut bytes = text.as_bytes();
                while let Some((rest, [0, 0])) = bytes.split_last_chunk() {
                    bytes = rest;
                }
                Str::Utf16(Utf16::new(bytes))
            }
            Str::Ansi(mut bytes) => {
                while let [rest @ .., 0] = bytes {
                    bytes = rest;
                }
                Str::Ansi(bytes)
            }
        };
        Self {
            text,
            is_utf8: matches!(out_type, OutType::Utf8 | OutType::Json),
            is_reduced: out_type == OutType::ReducedString,
        }
    }

    pub(super) fn write(&self, out: &mut impl Out) -> fmt::Result {
        if self.is_reduced { self.write_pieces(&mut Reduced(out)) } else { self.write_pieces(out) }
    }

    fn write_pieces(&self, out: &mut impl Out) -> fmt::Result {
        match self.text {
            Str::Utf16(text) => utf16(text, out),
            Str::Ansi(bytes) => match core::str::from_utf8(bytes) {
                Ok(text) => out.text(text),
                Err(_) if self.is_utf8 => utf8_lossy(bytes, out),
                Err(_) => windows_1252(bytes, out),
            },
        }
    }
}

impl fmt::Display for Str<'_> {
    /// All of it as it is: U+FFFD for every unpaired surrogate, and what is not UTF-8 is Windows-1252.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf16(text) => text.fmt(f),
            Self::Ansi(bytes) => match core::str::from_utf8(bytes) {
                Ok(text) => f.write_str(text),
                Err(_) => bytes.iter().try_for_each(|&byte| f.write_char(ansi_to_char(byte))),
            },
        }
    }
}

/// The character of a UTF-16 unit; U+FFFD for half a surrogate pair.
pub(super) fn unit_to_char(unit: u16) -> char {
    char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The character of a byte in Windows-1252. The five bytes without one are control characters, as browsers have it.
pub(super) fn ansi_to_char(byte: u8) -> char {
    match byte {
        0x80..=0x9F => {
            HIGH_CONTROLS.get(usize::from(byte & 0x1F)).copied().map_or(char::from(byte), unit_to_char)
        }
        _ => char::from(byte),
    }
}

/// Windows-1252 from 0x80 to 0x9F; elsewhere it is Latin-1.
#[rustfmt::skip]
static HIGH_CONTROLS: [u16; 32] = [
    0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
    0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178,
];

/// Units that are converted at a time.
const STEP: usize = 64;

/// Writes UTF-16 piece by piece, with U+FFFD in place of every unpaired surrogate.
fn utf16(text: Utf16<'_>, out: &mut impl Out) -> fmt::Result {
    let mut rest = text.as_bytes();
    let mut memory = [0; 3 * STEP];
    // Every round takes at least one unit.
    while !rest.is_empty() {
        let (mut piece, mut after) = rest.split_at_checked(2 * STEP).unwrap_or((rest, &[]));
        // Most text is ASCII, which is told and made in a few instructions for many units.
        let all = piece.chunks_exact(2).fold(0, |all, unit| all | unit_of(unit));
        let text = if all < 0x80 {
            for (unit, to) in piece.chunks_exact(2).zip(&mut memory) {
                [*to, _] = unit_of(unit).to_le_bytes();
            }
            core::str::from_utf8(memory.get(..piece.len() / 2).unwrap_or_default())
        } else {
            if !after.is_empty()
                && let Some((shorter, last)) = piece.split_last_chunk::<2>()
                && last[1] & 0xFC == 0xD8
            {
                // The second half of a pair lies in the next piece.
                piece = shorter;
                after = rest.get(shorter.len()..).unwrap_or_default();
            }
            encode(char::decode_utf16(piece.chunks_exact(2).map(unit_of)).map(valid), &mut memory)
        };
        out.text(text.unwrap_or_default())?;
        rest = after;
    }
    Ok(())
}

fn valid(character: Result<char, core::char::DecodeUtf16Error>) -> char {
    character.unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn unit_of(bytes: &[u8]) -> u16 {
    match bytes {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

/// Characters as UTF-8 in `memory`, which has room for all of them.
fn encode(
    characters: impl Iterator<Item = char>,
    memory: &mut [u8; 3 * STEP],
) -> Result<&str, core::str::Utf8Error> {
    let mut len = 0_usize;
    for character in characters {
        let Some(to) = memory.get_mut(len..len.saturating_add(character.len_utf8())) else { break };
        character.encode_utf8(to);
        len = len.saturating_add(character.len_utf8());
    }
    core::str::from_utf8(memory.get(..len).unwrap_or_default())
}

fn utf8_lossy(bytes: &[u8], out: &mut impl Out) -> fmt::Result {
    bytes.utf8_chunks().try_for_each(|chunk| {
        out.text(chunk.valid())?;
        if chunk.invalid().is_empty() { Ok(()) } else { out.text("\u{FFFD}") }
    })
}

fn windows_1252(bytes: &[u8], out: &mut impl Out) -> fmt::Result {
    let mut memory = [0; 3 * STEP];
    bytes.chunks(STEP).try_for_each(|piece| {
        let text = encode(piece.iter().copied().map(ansi_to_char), &mut memory);
        out.text(text.unwrap_or_default())
    })
}

/// Shows line breaks and tabs as spaces.
struct Reduced<'o, O>(&'o mut O);

impl<O: Out> Out for Reduced<'_, O> {
    fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
        self.0.plain(ascii)
    }

    fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        self.0.plain_fmt(text)
    }

    fn text(&mut self, text: &str) -> fmt::Result {
        for (index, part) in text.split(['\r', '\n', '\t']).enumerate() {
            if index > 0 {
                self.0.text(" ")?;
            }
            self.0.text(part)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    /// Collects what is written.
    struct Collect(String);

    impl Out for Collect {
        fn plain(&mut self, ascii: &[u8]) -> fmt::Result {
            self.text(core::str::from_utf8(ascii).expect("ASCII"))
        }

        fn plain_fmt(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
            fmt::Write::write_fmt(&mut self.0, text)
        }

        fn text(&mut self, text: &str) -> fmt::Result {
            self.0.push_str(text);
            Ok(())
        }
    }

    fn shown(text: Str<'_>, out_type: OutType) -> String {
        let mut out = Collect(String::new());
        Text::new(text, out_type).write(&mut out).expect("room");
        out.0
    }

    fn units(units: &[u16]) -> Vec<u8> {
        units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
    }

    fn wide(units_of_text: &[u16]) -> String {
        shown(Str::Utf16(Utf16::new(&units(units_of_text))), OutType::Default)
    }

    #[test]
    fn unpaired_surrogates_are_replaced() {
        assert_eq!(wide(&[0x41, 0xD800, 0x42]), "A\u{FFFD}B");
        assert_eq!(wide(&[0xDC00, 0x42]), "\u{FFFD}B");
        assert_eq!(wide(&[0x41, 0xD83D]), "A\u{FFFD}");
        assert_eq!(wide(&[0xD83D, 0xDE00]), "\u{1F600}");
    }

    #[test]
    fn pairs_are_whole_wherever_they_lie() {
        for before in 60..70 {
            let mut text = alloc::vec![0x61; before];
            text.extend([0xD83D, 0xDE00, 0x62]);
            assert_eq!(wide(&text), alloc::format!("{}\u{1F600}b", "a".repeat(before)));
        }
        assert_eq!(wide(&[0xD83D; 130]), "\u{FFFD}".repeat(130));
    }

    #[test]
    fn zeros_at_the_end_are_padding() {
        assert_eq!(wide(&[0x41, 0, 0x42, 0, 0]), "A\0B");
        assert_eq!(shown(Str::Ansi(b"A\0B\0\0"), OutType::Default), "A\0B");
        assert_eq!(shown(Str::Ansi(b"\0\0"), OutType::Default), "");
    }

    #[test]
    fn bytes_are_utf_8_or_else_windows_1252() {
        assert_eq!(shown(Str::Ansi("é€".as_bytes()), OutType::Default), "é€");
        assert_eq!(
            shown(Str::Ansi(b"\xE9 \x80 \x93\x9F \x81"), OutType::Default),
            "é € \u{201C}\u{178} \u{81}"
        );
        assert_eq!(shown(Str::Ansi(b"\xE9"), OutType::Xml), "é");
        assert_eq!(Str::Ansi(b"\xE9 \x80 \x93\x9F \x81").to_string(), "é € \u{201C}\u{178} \u{81}");
        assert_eq!(Str::Ansi("é€".as_bytes()).to_string(), "é€");
        assert_eq!(Str::Utf16(Utf16::new(&[0x41, 0, 0, 0xD8])).to_string(), "A\u{FFFD}");
    }

    #[test]
    fn bytes_that_are_to_be_utf_8_are_nothing_else() {
        assert_eq!(shown(Str::Ansi(b"a\xE9b"), OutType::Utf8), "a\u{FFFD}b");
        assert_eq!(shown(Str::Ansi(b"a\xE9b"), OutType::Json), "a\u{FFFD}b");
    }

    #[test]
    fn a_reduced_string_stays_on_its_line() {
        assert_eq!(shown(Str::Ansi(b"a\r\nb\tc"), OutType::ReducedString), "a  b c");
        assert_eq!(shown(Str::Ansi(b"\n"), OutType::ReducedString), " ");
    }

    #[test]
    fn a_character_is_a_unit_or_a_byte() {
        assert_eq!(unit_to_char(0x263A), '\u{263A}');
        assert_eq!(unit_to_char(0xD800), char::REPLACEMENT_CHARACTER);
        assert_eq!(ansi_to_char(b'A'), 'A');
        assert_eq!(ansi_to_char(0xFF), 'ÿ');
        assert_eq!(ansi_to_char(0x80), '€');
    }

    proptest! {
        #[test]
        fn utf_16_reads_as_the_standard_library_reads_it(
            text in proptest::collection::vec(prop_oneof![0x20_u16..0x80, any::<u16>(), 0xD700_u16..0xE100], 0..300),
        ) {
            let expected = String::from_utf16_lossy(&text);
            prop_assert_eq!(wide(&text), expected.trim_end_matches('\0'));
        }

        #[test]
        fn any_bytes_are_some_text(bytes: Vec<u8>) {
            let text = shown(Str::Ansi(&bytes), OutType::Default);
            prop_assert!(text.len() <= 3 * bytes.len());
        }
    }
}
