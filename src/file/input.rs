//! What the walk from buffer to buffer needs of a source.

use crate::file::error::Error;

/// A source that is gone over once from start to end, with a look ahead where that is needed.
///
/// The walk does not know whether everything is read or only what is looked at, so it finds the same buffers either way.
pub(super) trait Input {
    /// The present place, from the start of the source.
    fn offset(&self) -> u64;

    /// The `len` bytes that begin `at` bytes from here; fewer only where the source ends.
    fn peek(&mut self, at: usize, len: usize) -> Result<&[u8], Error>;

    /// How many of the next `len` bytes there are.
    fn available(&mut self, len: usize) -> Result<usize, Error>;

    /// Moves on by `len` bytes, or to the end, and says by how many.
    fn skip(&mut self, len: usize) -> Result<usize, Error>;

    /// How many bytes from here on are taken for zeros without being read, where what lies before them is zeros for long.
    fn assumed_zeros(&mut self) -> Result<u64, Error> {
        Ok(0)
    }
}
