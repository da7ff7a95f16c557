//! More files than a process may have open at a time: each is opened again when it is read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Files that are open, at most so many at a time. Clones share them.
#[derive(Clone)]
pub(super) struct Handles(Arc<Mutex<Open>>);

struct Open {
    /// The one that was used last is at the end.
    files: Vec<(u64, File)>,
    most: usize,
    next_id: u64,
}

impl Handles {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Open { files: Vec::new(), most: most.max(1), next_id: 0 })))
    }

    /// A reader of a file that is open now and may be closed in between.
    pub(super) fn reader(&self, path: PathBuf, file: File) -> Reopened {
        let mut open = self.lock();
        let id = open.next_id;
        open.next_id = id.saturating_add(1);
        open.keep(id, file);
        Reopened { path, id, at: 0, handles: self.clone() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    /// Takes a file in, and closes the one that nobody has used for the longest time if there are too many.
    fn keep(&mut self, id: u64, file: File) {
        if self.files.len() >= self.most {
            self.files.remove(0);
        }
        self.files.push((id, file));
    }

    fn take(&mut self, id: u64) -> Option<File> {
        let at = self.files.iter().position(|(open, _)| *open == id)?;
        Some(self.files.remove(at).1)
    }
}

/// Reads a file, whether it is open or not.
pub(super) struct Reopened {
    path: PathBuf,
    id: u64,
    at: u64,
    handles: Handles,
}

impl Reopened {
    /// Does something with the open file.
    fn with<T>(&self, act: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut open = self.handles.lock();
        let mut file = match open.take(self.id) {
            Some(file) => file,
            None => File::open(&self.path)?,
        };
        let done = act(&mut file);
        open.keep(self.id, file);
        done
    }
}

impl Read for Reopened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.with(|file| {
            file.seek(SeekFrom::Start(self.at))?;
            file.read(into)
        })?;
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or_default());
        Ok(count)
    }
}

impl Seek for Reopened {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.with(|file| file.seek(SeekFrom::End(0)))?.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl Drop for Reopened {
    fn drop(&mut self) {
        self.handles.lock().take(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_opened_again_where_too_many_are_open() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let handles = Handles::new(2);
        let mut readers: Vec<_> = ["abcd", "efgh", "ijkl"]
            .into_iter()
            .map(|text| {
                let path = folder.path().join(text);
                std::fs::write(&path, text).expect("a file");
                let file = File::open(&path).expect("a file");
                handles.reader(path, file)
            })
            .collect();
        let mut two = [0; 2];
        for expected in [[*b"ab", *b"ef", *b"ij"], [*b"cd", *b"gh", *b"kl"]] {
            for (reader, expected) in readers.iter_mut().zip(expected) {
                reader.read_exact(&mut two).expect("bytes");
                assert_eq!(two, expected);
                assert!(handles.lock().files.len() <= 2);
            }
        }
        assert_eq!(readers[0].seek(SeekFrom::End(-1)).expect("a place"), 3);
        assert_eq!(readers[0].read(&mut two).expect("a byte"), 1);
        assert_eq!(readers[0].read(&mut two).expect("the end"), 0);
        assert!(readers[0].seek(SeekFrom::Current(-5)).is_err());
        readers.clear();
        assert_eq!(handles.lock().files.len(), 0);
    }
}
