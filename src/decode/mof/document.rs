//! XML documents that merging packs into events: WinSAT's assessments of the machine, and the scenarios of PerfTrack.

use alloc::string::{String, ToString};
use alloc::vec;

use crate::bytes::u32_at;
use crate::codec::{CodecError, Format, decompress};
use crate::decode::mof::class;
use crate::guid::Guid;
use crate::limits::Limits;
use crate::utf16::Utf16;

/// Why a packed document has no text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// The payload ends in front of the compressed bytes.
    #[error("a packed document needs {need} bytes in front of its text, the payload has {have}")]
    Truncated {
        /// Bytes in front of the text.
        need: usize,
        /// Bytes of the payload.
        have: usize,
    },
    /// The document says that it is larger than [`Limits::decompressed_bytes`].
    #[error("a packed document of {size} bytes, more than {most}")]
    TooLarge {
        /// What it says.
        size: u32,
        /// What is allowed.
        most: usize,
    },
    /// The compressed bytes are damaged.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// Fewer bytes came out than the document says.
    #[error("a packed document of {size} bytes expands to {expanded}")]
    Short {
        /// What it says.
        size: u32,
        /// What came out.
        expanded: usize,
    },
}

/// The text that the event of this class and opcode packs, without zeros at its end; `None` for an event that packs none.
///
/// Allocates once for the bytes and once for the text, at most as much as [`Limits::decompressed_bytes`] allows.
///
/// # Errors
///
/// [`DocumentError`] if there is no whole document.
///
/// Source: payload reference on manifests, "WinSAT" and "Others".
pub fn document(
    class: Guid,
    opcode: u8,
    payload: &[u8],
    limits: &Limits,
) -> Option<Result<String, DocumentError>> {
    let (size_at, wide) = match (class::find(class)?.category, opcode) {
        // A state, the size, UTF-16.
        ("WinSAT", 33 | 35 | 37) => (4, true),
        // The size, UTF-8.
        ("PerfTrack", 33) => (0, false),
        _ => return None,
    };
    Some(expand(payload, size_at, limits).map(|bytes| {
        let mut text =
            if wide { Utf16::new(&bytes).to_string() } else { String::from_utf8_lossy(&bytes).into_owned() };
        text.truncate(text.trim_end_matches('\0').len());
        text
    }))
}

fn expand(payload: &[u8], size_at: usize, limits: &Limits) -> Result<vec::Vec<u8>, DocumentError> {
    let start = size_at.saturating_add(4);
    let truncated = DocumentError::Truncated { need: start, have: payload.len() };
    let size = u32_at(payload, size_at).ok_or(truncated)?;
    let input = payload.get(start..).ok_or(truncated)?;
    let most = limits.decompressed_bytes;
    let len = usize::try_from(size).ok().filter(|len| *len <= most);
    let len = len.ok_or(DocumentError::TooLarge { size, most })?;
    let mut output = vec![0; len];
    let expanded = decompress(Format::Lznt1, input, &mut output)?;
    if expanded < len { Err(DocumentError::Short { size, expanded }) } else { Ok(output) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINSAT: Guid =
        Guid::from_parts(0xED54_DFF8, 0xC409, 0x4CF6, [0xBF, 0x83, 0x05, 0xE1, 0xE6, 0x1A, 0x09, 0xC4]);
    const PERF_TRACK: Guid =
        Guid::from_parts(0xBF6E_F1CB, 0x89B5, 0x490A, [0x80, 0xAC, 0xB1, 0x80, 0xCF, 0xBC, 0xFF, 0x0F]);

    #[test]
    fn an_assessment_is_utf_16_behind_state_and_size() {
        // State 1, eight bytes, one uncompressed chunk of eight bytes: "<a>" and a zero.
        let payload = [1, 0, 0, 0, 8, 0, 0, 0, 0x07, 0x30, b'<', 0, b'a', 0, b'>', 0, 0, 0];
        let text = document(WINSAT, 35, &payload, &Limits::default()).expect("a document");
        assert_eq!(text.as_deref(), Ok("<a>"));
    }

    #[test]
    fn a_scenario_is_utf_8_behind_its_size() {
        // Three bytes, one uncompressed chunk of three.
        let payload = [3, 0, 0, 0, 0x02, 0x30, b'<', b'a', b'>'];
        let text = document(PERF_TRACK, 33, &payload, &Limits::default()).expect("a document");
        assert_eq!(text.as_deref(), Ok("<a>"));
        assert_eq!(document(PERF_TRACK, 34, &payload, &Limits::default()), None);
    }

    #[test]
    fn a_document_that_is_cut_or_claims_too_much_is_an_error() {
        let limits = Limits::default();
        let cut = document(WINSAT, 33, &[1, 0, 0, 0, 6, 0], &limits).expect("a document");
        assert_eq!(cut, Err(DocumentError::Truncated { need: 8, have: 6 }));
        let huge = document(WINSAT, 33, &[1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x05, 0x30], &limits);
        let huge = huge.expect("a document");
        assert_eq!(huge, Err(DocumentError::TooLarge { size: 0xFFFF_FFFF, most: 16 * 1024 * 1024 }));
        let short = document(PERF_TRACK, 33, &[9, 0, 0, 0, 0x02, 0x30, b'<', b'a', b'>'], &limits);
        assert_eq!(short.expect("a document"), Err(DocumentError::Short { size: 9, expanded: 3 }));
        let damaged = document(PERF_TRACK, 33, &[9, 0, 0, 0, 0x02, 0x10, b'<', b'a', b'>'], &limits);
        assert!(matches!(damaged, Some(Err(DocumentError::Codec(_)))), "{damaged:?}");
    }
}
