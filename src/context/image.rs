//! One image: where it lay, and what symbol servers call it.

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{self, Write};

use crate::context::images::Images;
use crate::context::processes::file_name;
use crate::context::ranges::Hit;
use crate::context::timeline::Span;
use crate::guid::Guid;
use crate::time::Ticks;

/// What an image event tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ImageFacts {
    pub(super) size: u64,
    pub(super) checksum: u32,
    pub(super) time_date_stamp: u32,
    pub(super) default_base: u64,
    pub(super) path: Option<Arc<str>>,
}

/// What merging adds: read from the image file by whoever merged the trace.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ImageIdentity {
    pub(super) time_date_stamp: Option<u32>,
    pub(super) size: Option<u64>,
    pub(super) original_file_name: Option<Arc<str>>,
    pub(super) pdb: Option<Arc<PdbFacts>>,
    pub(super) il_pdb: Option<Arc<PdbFacts>>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct PdbFacts {
    pub(super) guid: Guid,
    pub(super) age: u32,
    pub(super) name: Option<Arc<str>>,
}

/// An image: a module of a process, or of the kernel. `Copy`, borrowed from [`Images`]; what is not asked for costs nothing.
#[derive(Clone, Copy)]
pub struct Image<'a> {
    images: &'a Images,
    process_id: u32,
    base: u64,
    observed: Ticks,
    facts: &'a ImageFacts,
}

impl<'a> Image<'a> {
    pub(super) const fn new(images: &'a Images, process_id: u32, hit: Hit<'a, ImageFacts>) -> Self {
        let Hit { value: facts, base, observed } = hit;
        Self { images, process_id, base, observed, facts }
    }

    fn identity(self) -> Option<&'a ImageIdentity> {
        self.images.identity((self.process_id, self.base), self.observed)
    }

    fn span(self) -> Span {
        self.images.span((self.process_id, self.base), self.observed)
    }

    /// The process that it was loaded into; 0 for images of the kernel, which all processes share.
    #[must_use]
    pub const fn process_id(self) -> u32 {
        self.process_id
    }

    /// `ImageBase`: its first address.
    #[must_use]
    pub const fn base(self) -> u64 {
        self.base
    }

    /// `ImageSize`, in bytes.
    #[must_use]
    pub const fn size(self) -> u64 {
        self.facts.size
    }

    /// `FileName`, as the event has it: an NT path such as `\Device\HarddiskVolume2\Windows\System32\ntdll.dll`, which
    /// [`Volumes`](crate::context::Volumes) turn into one with a drive letter.
    #[must_use]
    pub fn path(self) -> Option<&'a str> {
        self.facts.path.as_deref()
    }

    /// The file name alone: `ntdll.dll`.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.path().map(file_name)
    }

    /// `ImageChecksum`, out of the image's header.
    #[must_use]
    pub const fn checksum(self) -> u32 {
        self.facts.checksum
    }

    /// `DefaultBase`: where it would rather have been loaded.
    #[must_use]
    pub const fn default_base(self) -> u64 {
        self.facts.default_base
    }

    /// `TimeDateStamp` out of the image's header. Image events of some systems have 0 there, so what merging added goes
    /// first; `None` if both lack it.
    #[must_use]
    pub fn time_date_stamp(self) -> Option<u32> {
        let added = self.identity().and_then(|identity| identity.time_date_stamp);
        added.or(Some(self.facts.time_date_stamp)).filter(|&stamp| stamp != 0)
    }

    /// `OriginalFileName` of the image's version resource. Known after merging.
    #[must_use]
    pub fn original_file_name(self) -> Option<&'a str> {
        self.identity()?.original_file_name.as_deref()
    }

    /// The symbols. Known after merging.
    #[must_use]
    pub fn pdb(self) -> Option<Pdb<'a>> {
        self.identity()?.pdb.as_deref().map(Pdb)
    }

    /// The symbols of the IL that a precompiled (NGEN) image was made from. Known after merging.
    #[must_use]
    pub fn il_pdb(self) -> Option<Pdb<'a>> {
        self.identity()?.il_pdb.as_deref().map(Pdb)
    }

    /// When it was loaded; `None` if it was there before the trace, or the event is lost.
    #[must_use]
    pub fn load(self) -> Option<Ticks> {
        self.span().begin
    }

    /// When it was unloaded; `None` if it was there after the trace, or the event is lost.
    #[must_use]
    pub fn unload(self) -> Option<Ticks> {
        self.span().end
    }

    /// Where a symbol server has the image itself: `ntdll.dll/50108B7A157000/ntdll.dll`. `None` without a time stamp or a
    /// name.
    ///
    /// Source: payload reference, "Stacks and symbols".
    #[must_use]
    pub fn symbol_server_key(self) -> Option<String> {
        let stamp = self.time_date_stamp()?;
        let name = self.name()?;
        let size = self.identity().and_then(|identity| identity.size).unwrap_or(self.facts.size);
        Some(key(name, |key| write!(key, "{stamp:08X}{size:x}")))
    }
}

impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("process_id", &self.process_id)
            .field("base", &self.base)
            .field("size", &self.size())
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

/// The symbols of an image. `Copy`, borrowed from [`Images`].
#[derive(Clone, Copy, Debug)]
pub struct Pdb<'a>(&'a PdbFacts);

impl<'a> Pdb<'a> {
    /// The GUID that image and symbols share.
    #[must_use]
    pub const fn guid(self) -> Guid {
        self.0.guid
    }

    /// How often the symbols were written since they got their GUID.
    #[must_use]
    pub const fn age(self) -> u32 {
        self.0.age
    }

    /// The name in the image: a file name, or a path on the machine that built it.
    #[must_use]
    pub fn name(self) -> Option<&'a str> {
        self.0.name.as_deref()
    }

    /// Where a symbol server has it: `ntdll.pdb/6048FDB62DCD41C18835594844CE71432/ntdll.pdb`. `None` without a name.
    ///
    /// Source: payload reference, "Stacks and symbols".
    #[must_use]
    pub fn symbol_server_key(self) -> Option<String> {
        let PdbFacts { guid, age, ref name } = *self.0;
        let name = file_name(name.as_deref()?);
        let [a0, a1, a2, a3, b0, b1, c0, c1, rest @ ..] = guid.to_bytes();
        Some(key(name, |key| {
            let (a, b) = (u32::from_le_bytes([a0, a1, a2, a3]), u16::from_le_bytes([b0, b1]));
            write!(key, "{a:08X}{b:04X}{:04X}", u16::from_le_bytes([c0, c1]))?;
            rest.iter().try_for_each(|byte| write!(key, "{byte:02X}"))?;
            write!(key, "{age:X}")
        }))
    }
}

fn key(name: &str, write: impl FnOnce(&mut String) -> fmt::Result) -> String {
    let mut key = String::from(name);
    key.push('/');
    write(&mut key).unwrap_or_default();
    key.push('/');
    key.push_str(name);
    key
}
