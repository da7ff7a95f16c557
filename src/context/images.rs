//! Images over time: which module lay at an address of a process.

use alloc::sync::Arc;

use crate::context::image::{Image, ImageFacts, ImageIdentity, PdbFacts};
use crate::context::observed::Observed;
use crate::context::payload::Payload;
use crate::context::ranges::{Base, Hit, Ranges, Sized64};
use crate::context::texts::Texts;
use crate::context::timeline::{Mark, Span, Timeline};
use crate::context::topic::Topic;
use crate::decode::{Decoded, Decoder};
use crate::limits::Limits;
use crate::time::Ticks;
use crate::trace::Event;

/// The images of every process and of the kernel, by address at a time, with the symbols that belong to them.
///
/// Learns from the kernel's class `Image` (Load, UnLoad, DCStart, DCEnd), with any header, from
/// `Microsoft-Windows-Kernel-Process` (ImageLoad, ImageUnload), and from what merging adds (ImageId, DbgId). Events may come
/// in any order. An image that only the rundown at the end of a trace tells of was there from the start.
///
/// Memory: at most [`Limits::context_entries`] observations of about 200 bytes, twice that with the symbols, and
/// [`Limits::context_text_bytes`] of text. Past that, images that were unloaded long ago are forgotten.
///
/// Source: payload reference on kernel events, "Image"; on manifests, "ImageId / DbgId".
#[derive(Clone, Debug)]
pub struct Images {
    ranges: Ranges<ImageFacts>,
    identities: Timeline<Base, ImageIdentity>,
    texts: Texts,
}

impl Sized64 for ImageFacts {
    fn size(&self) -> u64 {
        self.size
    }
}

/// Images of the kernel are those of this process; addresses of the kernel are looked for in both.
const KERNEL: u32 = 0;
const SYSTEM: u32 = 4;

impl Default for Images {
    fn default() -> Self {
        Self::new(&Limits::default())
    }
}

impl Images {
    /// Knows no image yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            ranges: Ranges::new(limits.context_entries),
            identities: Timeline::new(limits.context_entries),
            texts: Texts::new(limits.context_text_bytes),
        }
    }

    /// Learns from an event, whatever it is.
    #[inline]
    pub fn observe(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        self.observe_topic(Topic::of(event), event, decoder)
    }

    #[inline]
    pub(super) fn observe_topic(
        &mut self,
        topic: Topic,
        event: &Event<'_>,
        decoder: &mut Decoder,
    ) -> Observed {
        match topic {
            Topic::Image => self.observe_class(event, decoder),
            Topic::ImageId => self.observe_identity(event),
            Topic::KernelProcess => self.observe_manifest(event, decoder),
            _ => Observed::Other,
        }
    }

    fn observe_class(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let mark = match event.opcode() {
            LOAD => Mark::Begin,
            UNLOAD => Mark::End,
            DC_START | DC_END => Mark::Alive,
            _ => return Observed::Other,
        };
        let decoded = decoder.decode(event);
        let read = class_facts(&decoded, &mut self.texts);
        // Version 0 has no process: those who write it are the process.
        let process = decoded.get_u32("ProcessId").or_else(|| event.process_id()).unwrap_or(KERNEL);
        self.keep(event, process, mark, read)
    }

    fn observe_manifest(&mut self, event: &Event<'_>, decoder: &mut Decoder) -> Observed {
        let mark = match event.id() {
            IMAGE_LOAD => Mark::Begin,
            IMAGE_UNLOAD => Mark::End,
            _ => return Observed::Other,
        };
        let decoded = decoder.decode(event);
        if decoded.schema().is_some() {
            let process = decoded.get_u32("ProcessID").or_else(|| event.process_id()).unwrap_or(KERNEL);
            let read = manifest_facts(&decoded, &mut self.texts);
            return self.keep(event, process, mark, read);
        }
        match manifest_facts_unknown(event, &mut self.texts) {
            Some((process, base, facts)) => self.keep(event, process, mark, Some((base, facts))),
            None => Observed::Unreadable,
        }
    }

    fn keep(
        &mut self,
        event: &Event<'_>,
        process: u32,
        mark: Mark,
        read: Option<(u64, ImageFacts)>,
    ) -> Observed {
        let read = read.zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some(((base, facts), time)) = read {
            self.ranges.insert((process, base), time, mark, facts);
        }
        observed
    }

    /// Each image event of a merged trace has an ImageId in front of it, and a DbgId of some kind behind that, with the same
    /// time stamp.
    fn observe_identity(&mut self, event: &Event<'_>) -> Observed {
        let opcode = event.opcode();
        if !matches!(opcode, IMAGE_ID | DBG_ID_RSDS | DBG_ID_IL_RSDS | EMBEDDED_PDB) {
            return Observed::Other;
        }
        let mut payload = Payload::new(event.user_data(), event.pointer_size());
        let read = self.read_identity(opcode, &mut payload).zip(event.time_stamp());
        let observed = Observed::read(&read);
        if let Some(((key, added), time)) = read {
            self.add_identity(key, time, added);
        }
        observed
    }

    fn read_identity(&mut self, opcode: u8, payload: &mut Payload<'_>) -> Option<(Base, ImageIdentity)> {
        let base = payload.pointer()?;
        let mut identity = ImageIdentity::default();
        if opcode == IMAGE_ID {
            identity.size = payload.pointer();
            let process = payload.u32()?;
            identity.time_date_stamp = payload.u32();
            identity.original_file_name = payload.utf16().and_then(|name| self.texts.keep_utf16(name));
            return Some(((process, base), identity));
        }
        let process = payload.u32()?;
        if opcode == EMBEDDED_PDB {
            // Two version numbers.
            let _ = (payload.u16()?, payload.u16()?);
        }
        let (guid, age) = (payload.guid()?, payload.u32()?);
        let name = payload.ansi().and_then(|name| self.texts.keep(name));
        let pdb = Some(Arc::new(PdbFacts { guid, age, name }));
        if opcode == DBG_ID_IL_RSDS {
            identity.il_pdb = pdb;
        } else {
            identity.pdb = pdb;
        }
        Some(((process, base), identity))
    }

    fn add_identity(&mut self, key: Base, time: Ticks, added: ImageIdentity) {
        if let Some(known) = self.identities.exactly(key, time, Mark::Alive) {
            known.add(added);
            return;
        }
        // What an earlier observation of the same image said holds on, unless it is contradicted.
        let known = self.identities.at(key, time).map(|at| (at.observed, at.value.clone()));
        match known {
            Some((observed, mut identity)) if identity.agrees(&added) => {
                identity.add(added);
                if let Some(known) = self.identities.exactly(key, observed, Mark::Alive) {
                    *known = identity;
                }
            }
            _ => {
                self.identities.insert(key, time, Mark::Alive, added);
            }
        }
    }

    /// The image at an address of a process at this time, else that of the kernel.
    ///
    /// `since` is when the process started, if that is known: images of an earlier process with the same id do not count.
    #[must_use]
    pub fn at(&self, process_id: u32, address: u64, time: Ticks, since: Option<Ticks>) -> Option<Image<'_>> {
        // The upper half of 64 bits is the kernel's alone.
        if process_id != KERNEL
            && address <= HIGHEST_USER_ADDRESS
            && let Some(hit) = self.ranges.find(process_id, address, time, since)
        {
            return Some(self.image(process_id, hit));
        }
        if let Some(hit) = self.ranges.find(KERNEL, address, time, None) {
            return Some(self.image(KERNEL, hit));
        }
        // Some systems give images of the kernel to the process System, which has images of its own in user space.
        let hit =
            (address > HIGHEST_USER_ADDRESS).then(|| self.ranges.find(SYSTEM, address, time, None))??;
        Some(self.image(SYSTEM, hit))
    }

    /// All images, by process and base and then by time.
    pub fn iter(&self) -> impl Iterator<Item = Image<'_>> {
        let timeline = self.ranges.timeline();
        timeline.things().filter_map(|((process_id, base), observed)| {
            let value = timeline.at((process_id, base), observed)?.value;
            Some(self.image(process_id, Hit { value, base, observed }))
        })
    }

    const fn image<'a>(&'a self, process_id: u32, hit: Hit<'a, ImageFacts>) -> Image<'a> {
        Image::new(self, process_id, hit)
    }

    /// What merging added about an image that was observed at this time.
    pub(super) fn identity(&self, key: Base, observed: Ticks) -> Option<&ImageIdentity> {
        self.identities.at(key, observed).map(|at| at.value)
    }

    pub(super) fn span(&self, key: Base, observed: Ticks) -> Span {
        self.ranges.timeline().span(key, observed)
    }

    /// How many observations and texts were given up because there were too many.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        let ranges = self.ranges.timeline().dropped().saturating_add(self.identities.dropped());
        ranges.saturating_add(self.texts.dropped())
    }
}

impl ImageIdentity {
    /// Whether both can be of the same image.
    fn agrees(&self, other: &Self) -> bool {
        fn same<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        same(&self.time_date_stamp, &other.time_date_stamp)
            && same(&self.size, &other.size)
            && same(&self.original_file_name, &other.original_file_name)
            && same(&self.pdb, &other.pdb)
            && same(&self.il_pdb, &other.il_pdb)
    }

    fn add(&mut self, other: Self) {
        self.time_date_stamp = other.time_date_stamp.or(self.time_date_stamp);
        self.size = other.size.or(self.size);
        self.original_file_name = other.original_file_name.or_else(|| self.original_file_name.take());
        self.pdb = other.pdb.or_else(|| self.pdb.take());
        self.il_pdb = other.il_pdb.or_else(|| self.il_pdb.take());
    }
}

/// The base and the facts. Version 0 calls them otherwise.
fn class_facts(decoded: &Decoded<'_>, texts: &mut Texts) -> Option<(u64, ImageFacts)> {
    let base = decoded.get_u64("ImageBase").or_else(|| decoded.get_u64("BaseAddress"))?;
    let path = decoded.get("FileName").or_else(|| decoded.get("ImageFileName"));
    let facts = ImageFacts {
        size: decoded.get_u64("ImageSize").or_else(|| decoded.get_u64("ModuleSize"))?,
        checksum: decoded.get_u32("ImageChecksum").unwrap_or_default(),
        time_date_stamp: decoded.get_u32("TimeDateStamp").unwrap_or_default(),
        default_base: decoded.get_u64("DefaultBase").unwrap_or_default(),
        path: path.and_then(|path| texts.keep(path.as_str()?)),
    };
    Some((base, facts))
}

fn manifest_facts(decoded: &Decoded<'_>, texts: &mut Texts) -> Option<(u64, ImageFacts)> {
    let facts = ImageFacts {
        size: decoded.get_u64("ImageSize")?,
        checksum: decoded.get_u32("ImageCheckSum").unwrap_or_default(),
        time_date_stamp: decoded.get_u32("TimeDateStamp").unwrap_or_default(),
        default_base: decoded.get_u64("DefaultBase").unwrap_or_default(),
        path: decoded.get("ImageName").and_then(|path| texts.keep(path.as_str()?)),
    };
    Some((decoded.get_u64("ImageBase")?, facts))
}

/// The version whose layout is known without a schema. Source: recorded payloads.
fn manifest_facts_unknown(event: &Event<'_>, texts: &mut Texts) -> Option<(u32, u64, ImageFacts)> {
    if event.version() != 0 {
        return None;
    }
    let mut payload = Payload::new(event.user_data(), event.pointer_size());
    let (base, size) = (payload.pointer()?, payload.pointer()?);
    let process = payload.u32()?;
    let (checksum, time_date_stamp) = (payload.u32()?, payload.u32()?);
    let default_base = payload.pointer()?;
    let path = payload.utf16().and_then(|path| texts.keep_utf16(path));
    Some((process, base, ImageFacts { size, checksum, time_date_stamp, default_base, path }))
}

/// Above lies the kernel on systems with 64 bits; on those with 32 its images are never those of System.
const HIGHEST_USER_ADDRESS: u64 = 0x7FFF_FFFF_FFFF_FFFF;

// Opcodes of the kernel's class.
const LOAD: u8 = 10;
const UNLOAD: u8 = 2;
const DC_START: u8 = 3;
const DC_END: u8 = 4;
// Opcodes of what merging adds.
const IMAGE_ID: u8 = 0;
const DBG_ID_RSDS: u8 = 36;
const DBG_ID_IL_RSDS: u8 = 37;
const EMBEDDED_PDB: u8 = 39;
// Ids of Kernel-Process.
const IMAGE_LOAD: u16 = 5;
const IMAGE_UNLOAD: u16 = 6;
