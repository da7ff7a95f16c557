//! Positioned reads: where the bytes of a file come from.

use core::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use alloc::boxed::Box;

use crate::error::Offset;
use crate::file::error::Error;

/// Something whose bytes can be read from any place on.
pub(super) trait ReadAt {
    /// Bytes in all.
    fn len(&mut self) -> io::Result<u64>;

    /// Reads some of the bytes from `at` on, none only at the end. As [`Read::read`].
    fn read_at(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize>;
}

/// A source that seeks, but only where it does not stand already.
#[derive(Debug)]
pub(super) struct Seeking<R> {
    source: R,
    /// Where it stands; `None` if nobody knows.
    place: Option<u64>,
}

impl<R: Read + Seek> Seeking<R> {
    pub(super) const fn new(source: R) -> Self {
        Self { source, place: None }
    }
}

impl<R: Read + Seek> ReadAt for Seeking<R> {
    fn len(&mut self) -> io::Result<u64> {
        self.place = None;
        self.source.seek(SeekFrom::End(0))
    }

    fn read_at(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        if self.place != Some(at) {
            self.place = None;
            self.source.seek(SeekFrom::Start(at))?;
        }
        self.place = None;
        let count = self.source.read(into)?;
        self.place = at.checked_add(Offset::from(count).get());
        Ok(count)
    }
}

impl ReadAt for &[u8] {
    fn len(&mut self) -> io::Result<u64> {
        Ok(Offset::from(<[u8]>::len(self)).get())
    }

    fn read_at(&mut self, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(at).ok().and_then(|at| self.get(at..)).unwrap_or_default();
        let len = into.len().min(<[u8]>::len(rest));
        if let (Some(to), Some(from)) = (into.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }
}

/// A source of any kind.
pub(super) enum Source<'a> {
    /// A file, which other threads may read as well.
    Shared(Arc<Mutex<Seeking<File>>>),
    /// Anything else: read by the thread that owns it.
    Own(Box<dyn ReadAt + Send + 'a>),
}

impl fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Shared(_)) { "Shared" } else { "Own" })
    }
}

impl Source<'_> {
    /// Reads from `at` on until `into` is full or the source ends, and says how much there was.
    pub(super) fn read_at(&mut self, at: u64, into: &mut [u8]) -> Result<usize, Error> {
        match self {
            Self::Shared(file) => read_shared(file, at, into),
            Self::Own(source) => read_full(source.as_mut(), at, into),
        }
    }

    /// Bytes in all.
    pub(super) fn len(&mut self) -> Result<u64, Error> {
        match self {
            Self::Shared(file) => file.lock().unwrap_or_else(PoisonError::into_inner).len(),
            Self::Own(source) => source.len(),
        }
        .map_err(|source| Error::Io { at: Offset(0), source })
    }
}

/// As [`Source::read_at`], for a file that several threads read.
pub(super) fn read_shared(file: &Mutex<Seeking<File>>, at: u64, into: &mut [u8]) -> Result<usize, Error> {
    read_full(&mut *file.lock().unwrap_or_else(PoisonError::into_inner), at, into)
}

fn read_full(source: &mut (impl ReadAt + ?Sized), at: u64, into: &mut [u8]) -> Result<usize, Error> {
    let mut filled = 0_usize;
    // Ends: each turn reads something, or the source has ended. Interruptions come from outside and are few.
    while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let here = at.saturating_add(Offset::from(filled).get());
        match source.read_at(here, rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(source) => return Err(Error::Io { at: Offset(here), source }),
        }
    }
    Ok(filled.min(into.len()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn any_source_reads_from_any_place() {
        let bytes = [1_u8, 2, 3, 4, 5];
        let own = |source: Box<dyn ReadAt + Send + 'static>| Source::Own(source);
        for mut source in
            [own(Box::new(Seeking::new(Cursor::new(bytes)))), own(Box::new(&[1_u8, 2, 3, 4, 5][..]))]
        {
            assert_eq!(source.len().expect("a length"), 5);
            let mut into = [0; 3];
            for (at, expected) in
                [(1, &[2, 3, 4][..]), (4, &[5]), (0, &[1, 2, 3]), (3, &[4, 5]), (5, &[]), (u64::MAX, &[])]
            {
                let count = source.read_at(at, &mut into).expect("readable");
                assert_eq!(&into[..count], expected, "at {at}");
            }
        }
    }

    #[test]
    fn only_a_reader_that_stands_elsewhere_is_told_to_seek() {
        /// Counts how often it is told to go elsewhere.
        struct Counted(Cursor<[u8; 8]>, usize);

        impl Read for Counted {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                self.0.read(into)
            }
        }

        impl Seek for Counted {
            fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
                self.1 += 1;
                self.0.seek(to)
            }
        }

        let mut source = Seeking::new(Counted(Cursor::new([7; 8]), 0));
        for (at, seeks) in [(0, 1), (2, 1), (4, 1), (2, 2), (4, 2), (0, 3)] {
            assert_eq!(source.read_at(at, &mut [0; 2]).expect("readable"), 2);
            assert_eq!(source.source.1, seeks, "at {at}");
        }
    }
}
