//! Bytes that several readers share, each at a place of its own: a file, or a copy of what cannot be read twice.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tempfile::SpooledTempFile;

use crate::progress::Meter;

/// Bytes of a known length, from which any place can be read.
pub(super) struct Store {
    source: Source,
    /// Where they begin in the source.
    start: u64,
    len: u64,
}

enum Source {
    File(Mutex<File>),
    Spool(Spool),
}

impl Store {
    /// A file as it is.
    pub(super) fn of_file(mut file: File) -> Result<Arc<Self>> {
        let len = file.seek(SeekFrom::End(0)).context("cannot seek")?;
        Ok(Arc::new(Self { source: Source::File(Mutex::new(file)), start: 0, len }))
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        match &self.source {
            Source::File(file) => {
                read_at(&mut *file.lock().unwrap_or_else(PoisonError::into_inner), at, into)
            }
            Source::Spool(spool) => read_at(&mut spool.lock().bytes, self.start.saturating_add(at), into),
        }
    }
}

fn read_at(source: &mut (impl Read + Seek), at: u64, into: &mut [u8]) -> io::Result<usize> {
    source.seek(SeekFrom::Start(at))?;
    source.read(into)
}

/// Where copies are kept, one behind the other. Clones are the same.
///
/// They stay in memory as long as all of them are small together, and go to one file without a name in the folder for temporary
/// files past that, whatever their number.
#[derive(Clone)]
pub(super) struct Spool(Arc<Mutex<Copies>>);

struct Copies {
    bytes: SpooledTempFile,
    len: u64,
}

/// What copies may take in memory.
const IN_MEMORY: usize = 4 * 1024 * 1024;

impl Spool {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Copies { bytes: SpooledTempFile::new(IN_MEMORY), len: 0 })))
    }

    /// A copy of everything that `from` gives, which may itself read from here.
    pub(super) fn copy_of(&self, from: impl Read) -> Result<Arc<Store>> {
        let start = self.lock().len;
        let copied = self.append_all(from);
        let mut copies = self.lock();
        let len = copies.len.saturating_sub(start);
        if copied.is_err() {
            // Nobody needs a part of it.
            copies.len = start;
        }
        copied.map(|()| Arc::new(Store { source: Source::Spool(self.clone()), start, len }))
    }

    fn append_all(&self, mut from: impl Read) -> Result<()> {
        let mut piece = vec![0; 64 * 1024];
        // Each turn moves what was read, to the end of the source or of what may be expanded.
        loop {
            let count = match from.read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error).context("cannot read"),
            };
            self.lock().append(piece.get(..count).unwrap_or_default()).with_context(|| {
                format!("cannot write a temporary file in {}", std::env::temp_dir().display())
            })?;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Copies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copies {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes.seek(SeekFrom::Start(self.len))?;
        self.bytes.write_all(bytes)?;
        self.len = self.len.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
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
        let spool = Spool::new();
        spool.copy_of(&b"abc"[..]).expect("memory");
        let store = spool.copy_of(&b"0123456789"[..]).expect("memory");
        spool.copy_of(&b"def"[..]).expect("memory");
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
        let spool = Spool::new();
        let small = spool.copy_of(&b"before"[..]).expect("memory");
        let bytes = vec![7; IN_MEMORY + 1];
        let store = spool.copy_of(&bytes[..]).expect("a temporary file");
        let rest = |store, start: usize| {
            let mut last = Vec::new();
            let start = u64::try_from(start).expect("small");
            Cursor::new(store, start, Meter::none()).read_to_end(&mut last).expect("bytes");
            last
        };
        assert_eq!(rest(store, IN_MEMORY - 1), [7, 7]);
        assert_eq!(rest(small, 3), b"ore");
    }

    #[test]
    fn a_copy_can_be_made_of_a_copy() {
        let spool = Spool::new();
        let bytes: Vec<u8> = (0..=255).cycle().take(200_000).collect();
        let first = spool.copy_of(&bytes[..]).expect("memory");
        let second = spool.copy_of(Cursor::new(first, 1, Meter::none())).expect("memory");
        let mut all = Vec::new();
        Cursor::new(second, 0, Meter::none()).read_to_end(&mut all).expect("bytes");
        assert!(all == bytes[1..]);
    }
}
