//! The text of a manifest, whatever it is encoded in.

use alloc::borrow::Cow;
use alloc::string::String;

use crate::utf16::Utf16;

/// The text without its byte order mark.
///
/// UTF-16 is told by a byte order mark, or by the first `<`. Anything else is UTF-8; what is not valid becomes U+FFFD, so
/// that a manifest in a code page keeps all but a few letters.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(little_endian(rest)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(big_endian(rest)),
        [b'<', 0, ..] => Cow::Owned(little_endian(bytes)),
        [0, b'<', ..] => Cow::Owned(big_endian(bytes)),
        _ => String::from_utf8_lossy(bytes),
    }
}

fn little_endian(bytes: &[u8]) -> String {
    characters(Utf16::new(bytes).units())
}

fn big_endian(bytes: &[u8]) -> String {
    characters(Utf16::new(bytes).units().map(u16::swap_bytes))
}

fn characters(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_byte_order_mark_is_no_text() {
        assert_eq!(decode(b"\xEF\xBB\xBF<a/>"), "<a/>");
        assert_eq!(decode(b"\xFF\xFE<\0a\0/\0>\0"), "<a/>");
        assert_eq!(decode(b"\xFE\xFF\0<\0a\0/\0>"), "<a/>");
    }

    #[test]
    fn utf_16_is_told_by_its_first_bracket() {
        assert_eq!(decode(b"<\0a\0/\0>\0"), "<a/>");
        assert_eq!(decode(b"\0<\0a\0/\0>"), "<a/>");
    }

    #[test]
    fn what_is_no_text_is_replaced() {
        assert_eq!(decode(b"<a b='\xFC'/>"), "<a b='\u{FFFD}'/>");
        assert_eq!(decode(b"\xFF\xFE<\0\0\xD8a\0"), "<\u{FFFD}a");
    }
}
