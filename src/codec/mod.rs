//! The three compressions that Windows numbers and that a compressed trace buffer may use.
//!
//! All of them cut data into literal bytes and matches, "the bytes from so far back, so many of them". They differ in how
//! those are written down: [`Format::Xpress`] interleaves flag words with bytes, [`Format::XpressHuff`] puts a Huffman code
//! over them, and [`Format::Lznt1`] works on chunks of 4096 bytes. Sources: the format reference, sections 5.1 to 5.3, and
//! Microsoft's \[MS-XCA\].
//!
//! ```
//! use etweir::codec::{Format, decompress};
//!
//! let input = [0xFF, 0xFF, 0xFF, 0x1F, b'a', b'b', b'c', 0x17, 0x00, 0x0F, 0xFF, 0x26, 0x01];
//! let mut output = [0; 300];
//! assert_eq!(decompress(Format::Xpress, &input, &mut output), Ok(300));
//! assert!(output.starts_with(b"abcabcabc"));
//! ```

mod error;
mod format;
mod lznt1;
mod window;
mod xpress;
mod xpress_huff;

#[cfg(feature = "write")]
mod lznt1_write;
#[cfg(feature = "write")]
mod matcher;
#[cfg(feature = "write")]
mod xpress_huff_write;
#[cfg(feature = "write")]
mod xpress_write;

#[cfg(test)]
mod tests;

pub use error::{CodecError, CodecErrorKind};
#[cfg(feature = "write")]
pub use format::compress;
pub(crate) use format::{Expanded, expand};
pub use format::{Format, decompress};
