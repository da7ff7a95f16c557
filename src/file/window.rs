//! A stretch of a source in memory: what lies ahead can be looked at before it is consumed.

use alloc::vec::Vec;
use std::io::{ErrorKind, Read};

use crate::error::Offset;
use crate::file::error::Error;
use crate::file::input::Input;

/// Reads a source once from start to end and keeps only what was asked for and not yet consumed.
///
/// Memory grows with the data that arrive, never with what is asked for.
#[derive(Debug)]
pub(super) struct Window<R> {
    source: R,
    /// Initialised memory, of which `start..end` holds data.
    memory: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `start` lies in the source.
    offset: u64,
    at_end: bool,
}

/// The least that is read at once.
const STEP: usize = 64 * 1024;

impl<R: Read> Window<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, memory: Vec::new(), start: 0, end: 0, offset: 0, at_end: false }
    }

    /// What is in memory, from the present place on.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(self.start..self.end).unwrap_or_default()
    }

    /// Reads until `want` bytes are in memory or the source ends, and returns them: at most `want`, less only at the end.
    fn fill(&mut self, want: usize) -> Result<&[u8], Error> {
        while self.len() < want && !self.at_end {
            self.read_some(want)?;
        }
        let bytes = self.bytes();
        Ok(bytes.get(..want).unwrap_or(bytes))
    }

    fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// One read into free memory, after making some.
    fn read_some(&mut self, want: usize) -> Result<(), Error> {
        // Moving what is kept costs no more than what was consumed since the last time.
        if self.start >= self.len() && self.start > 0 {
            self.memory.copy_within(self.start..self.end, 0);
            self.end = self.len();
            self.start = 0;
        }
        if self.end == self.memory.len() {
            // At most twice what has arrived, so that a false length costs nothing.
            let wanted = self.start.saturating_add(want).max(self.end).saturating_add(STEP);
            let grown = self
                .memory
                .len()
                .saturating_mul(2)
                .clamp(STEP, wanted.checked_next_multiple_of(STEP).unwrap_or(usize::MAX));
            self.memory.resize(grown, 0);
        }
        let free = self.memory.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.source.read(free) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(());
                }
                Ok(count) => {
                    self.end = self.end.saturating_add(count).min(self.memory.len());
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    let at = self.offset.saturating_add(Offset::from(self.len()).get());
                    return Err(Error::Io { at: Offset(at), source });
                }
            }
        }
    }
}

impl<R: Read> Input for Window<R> {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn peek(&mut self, at: usize, len: usize) -> Result<&[u8], Error> {
        Ok(self.fill(at.saturating_add(len))?.get(at..).unwrap_or_default())
    }

    fn available(&mut self, len: usize) -> Result<usize, Error> {
        Ok(self.fill(len)?.len())
    }

    fn skip(&mut self, len: usize) -> Result<usize, Error> {
        let mut left = len;
        // Ends: each turn consumes something, or the source has ended.
        while left > 0 {
            let count = self.fill(left.min(STEP))?.len();
            if count == 0 {
                break;
            }
            self.start = self.start.saturating_add(count);
            self.offset = self.offset.saturating_add(Offset::from(count).get());
            left = left.saturating_sub(count);
        }
        Ok(len.saturating_sub(left))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use std::io;

    use super::*;

    /// Hands out one byte at a time and is interrupted before each.
    struct Trickle(u8, bool);

    impl Read for Trickle {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = !self.1;
            if self.1 {
                return Err(ErrorKind::Interrupted.into());
            }
            if self.0 == 100 {
                return Ok(0);
            }
            self.0 += 1;
            into[0] = self.0;
            Ok(1)
        }
    }

    #[test]
    fn bytes_arrive_in_order_however_they_trickle_in() {
        let mut window = Window::new(Trickle(0, false));
        assert_eq!(window.fill(3).expect("no error"), [1, 2, 3]);
        assert_eq!(window.skip(2).expect("no error"), 2);
        assert_eq!(window.offset(), 2);
        assert_eq!(window.fill(4).expect("no error"), [3, 4, 5, 6]);
        assert_eq!(window.peek(2, 3).expect("no error"), [5, 6, 7]);
        assert_eq!(window.skip(4).expect("no error"), 4);
        assert_eq!(window.fill(1000).expect("no error").len(), 94);
        assert_eq!(window.available(94).expect("no error"), 94);
        assert_eq!(window.peek(93, 5).expect("no error"), [100]);
        assert!(window.peek(95, 5).expect("no error").is_empty());
        assert_eq!(window.skip(1000).expect("no error"), 94);
        assert_eq!(window.offset(), 100);
        assert!(window.fill(1).expect("no error").is_empty());
    }

    #[test]
    fn memory_follows_the_data_and_not_the_request() {
        let mut window = Window::new(&[7_u8; 1000][..]);
        assert_eq!(window.fill(1 << 30).expect("no error").len(), 1000);
        assert!(window.memory.len() <= 3 * STEP, "{}", window.memory.len());
    }

    #[test]
    fn an_error_says_where_it_happened() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let mut window = Window::new((&[1_u8, 2, 3][..]).chain(Broken));
        match window.fill(10) {
            Err(Error::Io { at, source }) => {
                assert_eq!(at, Offset(3));
                assert_eq!(source.to_string(), "the disk is gone");
            }
            other => panic!("{other:?}"),
        }
    }
}
