//! Zip archives: their members, each read on its own.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use anyhow::{Result, anyhow};
use etweir::Offset;
use zip::ZipArchive;

use crate::inputs::budget::Budget;
use crate::inputs::inflate::{Expansion, Failure, Method};
use crate::inputs::store::{Cursor, Store};
use crate::inputs::wound::Wound;
use crate::progress::Meter;
use crate::text::grouped;

/// An archive whose members can be read independently of each other.
pub(super) struct Archive {
    store: Arc<Store>,
    pub(super) members: Vec<Member>,
}

/// A file in an archive.
pub(super) struct Member {
    /// With its folders, as the archive has it.
    pub(super) name: String,
    /// Where its own header is.
    at: u64,
    encrypted: bool,
    /// Bytes in the archive; `None` where nothing tells.
    pub(super) stored: Option<u64>,
    /// What should come out: how many bytes, and their checksum.
    expanded: Option<(u64, u32)>,
}

impl Archive {
    /// The members by name, as a folder would be searched. Damage of the directory is noted; the members are then found by
    /// their own headers.
    pub(super) fn open(store: &Arc<Store>, wound: &Wound) -> Result<Self> {
        let reader = || BufReader::new(Cursor::new(Arc::clone(store), 0, Meter::none()));
        let mut members = match ZipArchive::new(reader()) {
            Ok(archive) => {
                if archive.has_duplicate_names() {
                    wound.note(
                        "damaged archive: several members have one name, of which the last is read"
                            .to_owned(),
                    );
                }
                listed(&archive)
            }
            Err(error) => {
                let members = found(store)?;
                if members.is_empty() {
                    return Err(anyhow!(error).context("cannot read the archive"));
                }
                wound.note(format!(
                    "damaged archive: its directory cannot be read ({error}); {} by their own headers",
                    match members.len() {
                        1 => "1 member is found".to_owned(),
                        count => format!("{count} members are found"),
                    }
                ));
                members
            }
        };
        members.sort_by(|a, b| a.name.split(SEPARATORS).cmp(b.name.split(SEPARATORS)));
        Ok(Self { store: Arc::clone(store), members })
    }

    /// Reads a member from its start.
    pub(super) fn read(
        &self,
        member: usize,
        budget: &Budget,
        wound: &Wound,
        meter: &Meter,
    ) -> Result<MemberReader> {
        let member = self.members.get(member).ok_or_else(|| anyhow!("no such member"))?;
        if member.encrypted {
            return Err(anyhow!("cannot read: the member is encrypted"));
        }
        let Some(local) = LocalHeader::read(&self.store, member.at)? else {
            return Err(anyhow!(
                "cannot read: expected the header of an archive's member at {}, found other bytes",
                Offset(member.at)
            ));
        };
        let method = match local.method {
            0 => Method::Stored,
            8 => Method::Deflate,
            9 => Method::Deflate64,
            number => {
                let name =
                    METHODS.iter().find(|(method, _)| *method == number).map_or("unknown", |(_, name)| name);
                return Err(anyhow!(
                    "cannot read: expected compression method 0 (stored), 8 (deflate) or 9 (deflate64), found {number} ({name})"
                ));
            }
        };
        let cursor = Cursor::new(Arc::clone(&self.store), local.data, meter.clone());
        let cursor = match member.stored {
            Some(stored) => cursor.limited(stored),
            None => cursor,
        };
        Ok(MemberReader {
            source: BufReader::with_capacity(64 * 1024, cursor),
            expansion: Expansion::new(method),
            start: local.data,
            expected: member.expanded,
            budget: budget.clone(),
            wound: wound.clone(),
            ended: false,
        })
    }
}

/// Old programs wrote backslashes.
const SEPARATORS: [char; 2] = ['/', '\\'];

/// Methods that are met now and then. Source: APPNOTE.TXT, 4.4.5.
const METHODS: [(u16, &str); 8] = [
    (1, "shrink"),
    (6, "implode"),
    (12, "bzip2"),
    (14, "LZMA"),
    (93, "Zstandard"),
    (95, "XZ"),
    (98, "PPMd"),
    (99, "AES"),
];

/// The files that the directory lists.
fn listed<R: Read + io::Seek>(archive: &ZipArchive<R>) -> Vec<Member> {
    let entries = (0..archive.len()).filter_map(|index| archive.by_index_data(index).ok());
    entries
        .filter(|entry| entry.is_file())
        .map(|entry| Member {
            name: entry.name().map_or_else(
                |_| String::from_utf8_lossy(entry.name_raw()).into_owned(),
                |name| name.into_owned(),
            ),
            at: entry.header_start(),
            encrypted: entry.encrypted(),
            stored: Some(entry.compressed_size()),
            expanded: Some((entry.size(), entry.crc32())),
        })
        .collect()
}

/// What precedes the data of each member. Source: APPNOTE.TXT, 4.3.7.
struct LocalHeader {
    method: u16,
    encrypted: bool,
    /// Of the data in the archive, and what comes out, with its checksum; `None` where that follows the data.
    sizes: Option<(u64, u64, u32)>,
    name: Vec<u8>,
    /// Where the data begin.
    data: u64,
}

const LOCAL_MAGIC: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LEN: usize = 30;

impl LocalHeader {
    /// The header at `at`, if there is one.
    fn read(store: &Arc<Store>, at: u64) -> Result<Option<Self>> {
        let mut reader = Cursor::new(Arc::clone(store), at, Meter::none());
        let mut head = [0; LOCAL_LEN];
        if fill(&mut reader, &mut head)? < head.len() || !head.starts_with(&LOCAL_MAGIC) {
            return Ok(None);
        }
        let u16_at = |at: usize| {
            head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u16::from_le_bytes(*bytes))
        };
        let u32_at = |at: usize| {
            head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes))
        };
        let (flags, method, crc) = (u16_at(6), u16_at(8), u32_at(14));
        let (stored, expanded) = (u32_at(18), u32_at(22));
        let mut name = vec![0; u16_at(26).into()];
        let have = fill(&mut reader, &mut name)?;
        name.truncate(have);
        let len =
            u64::try_from(LOCAL_LEN).unwrap_or_default() + u64::from(u16_at(26)) + u64::from(u16_at(28));
        // Sizes that follow the data, or need 64 bits, are not here.
        let is_told = flags & 8 == 0 && stored != u32::MAX && expanded != u32::MAX;
        Ok(Some(Self {
            method,
            encrypted: flags & 1 != 0,
            sizes: is_told.then(|| (stored.into(), expanded.into(), crc)),
            name,
            data: at.saturating_add(len),
        }))
    }

    /// Whether it looks like more than four bytes that are equal by chance.
    fn is_plausible(&self) -> bool {
        let known =
            [0, 8, 9].contains(&self.method) || METHODS.iter().any(|(method, _)| *method == self.method);
        known
            && !self.name.is_empty()
            && core::str::from_utf8(&self.name).is_ok_and(|name| !name.contains('\0'))
    }
}

/// The files in an archive without its directory: it was cut off, as a rule.
fn found(store: &Arc<Store>) -> Result<Vec<Member>> {
    let mut members: Vec<Member> = Vec::new();
    let mut at = 0;
    // Every turn finds a header farther on, or ends.
    while let Some(start) = next_header(store, at)? {
        at = start.saturating_add(1);
        let Some(header) = LocalHeader::read(store, start)?.filter(LocalHeader::is_plausible) else {
            continue;
        };
        let stored = header.sizes.map(|(stored, ..)| stored);
        at = header.data.saturating_add(stored.unwrap_or_default());
        let name = String::from_utf8_lossy(&header.name).into_owned();
        if name.ends_with(SEPARATORS) {
            continue;
        }
        // One that does not say how long it is ends where the next begins.
        let stored = match (stored, next_header(store, at)?) {
            (None, Some(next)) => Some(next.saturating_sub(header.data)),
            (stored, _) => stored,
        };
        members.push(Member {
            name,
            at: start,
            encrypted: header.encrypted,
            stored,
            expanded: header.sizes.map(|(_, expanded, crc)| (expanded, crc)),
        });
    }
    Ok(members)
}

/// Where the next four bytes are that a header begins with, from `at` on.
fn next_header(store: &Arc<Store>, at: u64) -> Result<Option<u64>> {
    let mut reader = Cursor::new(Arc::clone(store), at, Meter::none());
    let mut piece = vec![0; 64 * 1024];
    let mut start = at;
    // The last bytes of a piece, which may be the first of a header.
    let mut kept = 0;
    // Every turn reads on, to the end at most.
    loop {
        let have = kept + fill(&mut reader, piece.get_mut(kept..).unwrap_or_default())?;
        let bytes = piece.get(..have).unwrap_or_default();
        if let Some(found) = bytes.windows(LOCAL_MAGIC.len()).position(|window| window == LOCAL_MAGIC) {
            return Ok(Some(start.saturating_add(u64::try_from(found).unwrap_or_default())));
        }
        if have < piece.len() {
            return Ok(None);
        }
        kept = LOCAL_MAGIC.len() - 1;
        piece.copy_within(have - kept.., 0);
        start = start.saturating_add(u64::try_from(have - kept).unwrap_or_default());
    }
}

/// Reads until `into` is full or the source ends.
fn fill(reader: &mut impl Read, into: &mut [u8]) -> Result<usize> {
    let mut have = 0;
    // Each turn reads something, or ends.
    while have < into.len() {
        match reader.read(into.get_mut(have..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(anyhow!(error).context("cannot read")),
        }
    }
    Ok(have)
}

/// A member on its way out. Damage is noted and ends it, after everything that came out before.
pub(super) struct MemberReader {
    source: BufReader<Cursor>,
    expansion: Expansion,
    /// Where the data begin in the archive.
    start: u64,
    expected: Option<(u64, u32)>,
    budget: Budget,
    wound: Wound,
    ended: bool,
}

impl MemberReader {
    /// Where it stands in the archive.
    fn at(&self) -> Offset {
        Offset(self.start.saturating_add(self.expansion.consumed()))
    }

    fn check_end(&self) {
        let produced = self.expansion.produced();
        match self.expected {
            Some((expected, _)) if expected != produced => self.wound.note(format!(
                "damaged archive: the member ends at {} in it: expected {} bytes, found {}, which are read",
                self.at(),
                grouped(expected),
                grouped(produced)
            )),
            Some((_, crc)) if crc != self.expansion.crc() => self.wound.note(format!(
                "damaged archive: expected a member with the checksum {crc:#010x}, found {:#010x}; it is read all the same",
                self.expansion.crc()
            )),
            _ => {}
        }
    }
}

impl Read for MemberReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ended || into.is_empty() {
            return Ok(0);
        }
        match self.expansion.read(&mut self.source, into) {
            Ok(0) => {
                self.ended = true;
                self.check_end();
                Ok(0)
            }
            Ok(count) => {
                self.budget.spend(count, self.expansion.consumed())?;
                Ok(count)
            }
            Err(Failure::Source(error)) => Err(error),
            Err(failure) => {
                self.ended = true;
                self.wound.note(format!(
                    "damaged archive at {}: {failure}; the {} bytes of the member that expanded before are read",
                    self.at(),
                    grouped(self.expansion.produced())
                ));
                Ok(0)
            }
        }
    }
}
