//! Bytes that several readers share, each at a place of its own: a file, or a copy of what cannot be read twice.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tempfile::SpooledTempFile;

use crate::progress::Meter;

/// Bytes of a known length, from which any place can be read.
pub(super) struct Store {
    source: Mutex<Box<dyn Source>>,
    len: u64,
}

trait Source: Read + Seek + Send {}

impl<T: Read + Seek + Send> Source for T {}

/// What is copied stays in memory up to this, and goes to a file without a name in the folder for temporary files past it.
const IN_MEMORY: usize = 16 * 1024 * 1024;

impl Store {
    /// A file as it is.
    pub(super) fn of_file(mut file: File) -> Result<Arc<Self>> {
        let len = file.seek(SeekFrom::End(0)).context("cannot seek")?;
        Ok(Arc::new(Self { source: Mutex::new(Box::new(file)), len }))
    }

    /// A copy of everything that `from` gives.
    pub(super) fn copy_of(mut from: impl Read) -> Result<Arc<Self>> {
        let mut copy = SpooledTempFile::new(IN_MEMORY);
        let mut piece = vec![0; 64 * 1024];
        let mut len = 0_u64;
        // Each turn moves what was read, to the end of the source or of what may be expanded.
        loop {
            let count = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("cannot read"),
            };
            copy.write_all(piece.get(..count).unwrap_or_default()).with_context(|| {
                format!("cannot write a temporary file in {}", std::env::temp_dir().display())
            })?;
            len = len.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(Arc::new(Self { source: Mutex::new(Box::new(copy)), len }))
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.seek(SeekFrom::Start(at))?;
        source.read(into)
    }
}

/// A reader of a part of a store. Many can read the same store.
pub(super) struct Cursor {
    store: Arc<Store>,
    at: u64,
    end: u64,
    meter: Meter,
}

impl Cursor {
    /// Reads from `start` on, up to the end of the store.
    pub(super) fn new(store: Arc<Store>, start: u64, meter: Meter) -> Self {
        let end = store.len;
        Self { store, at: start, end, meter }
    }

    /// Ends after `len` bytes from here.
    pub(super) fn limited(mut self, len: u64) -> Self {
        self.end = self.end.min(self.at.saturating_add(len));
        self
    }
}

impl Read for Cursor {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = into.len().min(left);
        let count = self.store.read_at(self.at, into.get_mut(..room).unwrap_or_default())?;
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or_default());
        self.meter.add(count);
        Ok(count)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.end.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_one_store_do_not_disturb_each_other() {
        let store = Store::copy_of(&b"0123456789"[..]).expect("memory");
        assert_eq!(store.len, 10);
        let mut a = Cursor::new(Arc::clone(&store), 2, Meter::none());
        let mut b = Cursor::new(store, 5, Meter::none()).limited(3);
        let mut two = [0; 2];
        a.read_exact(&mut two).expect("bytes");
        assert_eq!(&two, b"23");
        b.read_exact(&mut two).expect("bytes");
        assert_eq!(&two, b"56");
        a.read_exact(&mut two).expect("bytes");
        assert_eq!(&two, b"45");
        assert_eq!(b.read(&mut two).expect("a byte"), 1);
        assert_eq!(b.read(&mut two).expect("the end"), 0);
        a.seek(SeekFrom::End(-1)).expect("a place");
        assert_eq!(a.read(&mut two).expect("a byte"), 1);
        assert!(a.seek(SeekFrom::Current(-11)).is_err());
    }

    #[test]
    fn what_is_larger_than_memory_allows_goes_to_a_file() {
        let bytes = vec![7; IN_MEMORY + 1];
        let store = Store::copy_of(&bytes[..]).expect("a temporary file");
        let mut last = Vec::new();
        let start = u64::try_from(IN_MEMORY - 1).expect("small");
        Cursor::new(store, start, Meter::none()).read_to_end(&mut last).expect("bytes");
        assert_eq!(last, [7, 7]);
    }
}
