//! Where the bytes of an input come from, through whatever they are wrapped in.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, anyhow};

use crate::inputs::budget::Budget;
use crate::inputs::gzip::{self, Gunzip};
use crate::inputs::store::Store;
use crate::inputs::wound::Wound;
use crate::inputs::zip::Archive;
use crate::progress::Meter;

/// Any reader, on any thread.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// Bytes that can be had again, as long as they are not a stream.
pub(super) enum Content {
    /// A regular file.
    File(PathBuf),
    /// A pipe, a device, standard input: what was read once is gone.
    Stream(Mutex<Option<Bytes>>),
    /// What gzip data expand to.
    Gzip(Arc<Content>),
    /// A file in an archive.
    Member { archive: Arc<Archive>, index: usize },
}

/// What belongs to reading a content, besides itself.
#[derive(Clone)]
pub(super) struct Reading {
    pub(super) budget: Budget,
    pub(super) wound: Wound,
    pub(super) meter: Meter,
}

impl Content {
    pub(super) fn stream(bytes: Bytes) -> Self {
        Self::Stream(Mutex::new(Some(bytes)))
    }

    /// The bytes from their start.
    pub(super) fn open(&self, reading: &Reading) -> Result<Bytes> {
        Ok(match self {
            Self::File(path) => {
                let file = File::open(path).context("cannot open")?;
                Box::new(Metered { inner: file, meter: reading.meter.clone() })
            }
            Self::Stream(once) => {
                let taken = once.lock().unwrap_or_else(PoisonError::into_inner).take();
                let inner = taken.ok_or_else(|| anyhow!("cannot read a second time"))?;
                Box::new(Metered { inner, meter: reading.meter.clone() })
            }
            Self::Gzip(inner) => {
                let inner = inner.open(reading)?;
                Box::new(Gunzip::new(inner, reading.budget.clone(), reading.wound.clone()))
            }
            Self::Member { archive, index } => {
                Box::new(archive.read(*index, &reading.budget, &reading.wound, &reading.meter)?)
            }
        })
    }

    /// Bytes that archives can be read from: those of the file itself, or a copy.
    pub(super) fn store(&self, reading: &Reading) -> Result<Arc<Store>> {
        match self {
            Self::File(path) => Store::of_file(File::open(path).context("cannot open")?),
            _ => Store::copy_of(self.open(reading)?),
        }
    }

    /// How many bytes are stored, compressed if they are.
    pub(super) fn stored(&self) -> Option<u64> {
        match self {
            Self::File(path) => std::fs::metadata(path).ok().map(|data| data.len()),
            Self::Stream(_) => None,
            Self::Gzip(inner) => inner.stored(),
            Self::Member { archive, index } => archive.members.get(*index)?.stored,
        }
    }

    /// What it is directly in.
    pub(super) const fn container(&self) -> Option<&'static str> {
        match self {
            Self::File(_) | Self::Stream(_) => None,
            Self::Gzip(_) => Some("gzip"),
            Self::Member { .. } => Some("zip"),
        }
    }

    /// Whether it may be a live source, whose reader waits for every event.
    pub(super) const fn is_stream(&self) -> bool {
        matches!(self, Self::Stream(_))
    }
}

/// What some bytes are, as far as their start tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wrapping {
    Gzip,
    Zip,
    /// No wrapping that is known.
    None,
}

impl Wrapping {
    /// No trace begins so: each would be a buffer of an odd size.
    pub(super) fn of(start: &[u8]) -> Self {
        const ZIP: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"];
        if start.starts_with(&gzip::MAGIC) {
            Self::Gzip
        } else if ZIP.iter().any(|magic| start.starts_with(magic)) {
            Self::Zip
        } else {
            Self::None
        }
    }

    /// Bytes that tell.
    pub(super) const PEEK: usize = 4;
}

/// The first bytes of a reader, at most `len`.
pub(super) fn peek(reader: &mut impl Read, len: usize) -> io::Result<Vec<u8>> {
    let mut start = vec![0; len];
    let mut have = 0;
    // Each turn reads something, or ends.
    while have < len {
        match reader.read(start.get_mut(have..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    start.truncate(have);
    Ok(start)
}

/// A reader whose first bytes were read already.
pub(super) fn unread(start: Vec<u8>, rest: Bytes) -> Bytes {
    Box::new(Cursor::new(start).chain(rest))
}

/// A reader that is watched.
struct Metered<R> {
    inner: R,
    meter: Meter,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.meter.add(count);
        Ok(count)
    }
}
