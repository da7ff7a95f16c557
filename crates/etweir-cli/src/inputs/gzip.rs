//! Gzip files: members one after the other, each with a header, deflate data and a trailer. Source: RFC 1952.

use std::io::{self, BufRead, BufReader, Read};

use etweir::Offset;

use crate::inputs::budget::Budget;
use crate::inputs::inflate::{Expansion, Failure, Method};
use crate::inputs::wound::Wound;
use crate::text::grouped;

/// What gzip data begin with: the magic, and the only method.
pub(super) const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];

/// Expands gzip data. Damage is noted and ends them, after everything that came out before; only the source fails.
pub(super) struct Gunzip<R> {
    source: Counted<BufReader<R>>,
    budget: Budget,
    wound: Wound,
    member: Option<Expansion>,
    /// Bytes that came out of all members.
    produced: u64,
    ended: bool,
}

impl<R: Read> Gunzip<R> {
    pub(super) fn new(source: R, budget: Budget, wound: Wound) -> Self {
        let source = Counted { inner: BufReader::with_capacity(64 * 1024, source), at: 0 };
        Self { source, budget, wound, member: None, produced: 0, ended: false }
    }

    /// Takes note of what is wrong at `at`, and that there is no more.
    fn end(&mut self, at: u64, what: &str) {
        self.ended = true;
        self.wound.note(format!(
            "damaged gzip data at {}: {what}; the {} bytes that expanded before are read",
            Offset(at),
            grouped(self.produced)
        ));
    }

    /// Goes on to the next member, if there is one.
    fn begin_member(&mut self) -> io::Result<()> {
        let start = self.source.at;
        let Some(first) = self.source.byte()? else {
            self.ended = true;
            return Ok(());
        };
        // Tapes and block devices are padded with zeros.
        if start > 0 && first == 0 {
            return self.skip_padding(start);
        }
        let mut head = [first, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let have = 1 + self.source.fill(head.get_mut(1..).unwrap_or_default())?;
        let magic = head.get(..MAGIC.len()).unwrap_or_default();
        if magic != MAGIC {
            self.end(
                start,
                &format!("expected a gzip header, found {}", Hex(head.get(..have).unwrap_or_default())),
            );
            return Ok(());
        }
        let flags = head.get(3).copied().unwrap_or_default();
        if have < head.len() || !self.skip_header(flags)? {
            self.end(self.source.at, "expected the rest of a gzip header, found the end");
            return Ok(());
        }
        self.member = Some(Expansion::new(Method::Deflate));
        Ok(())
    }

    /// Passes over what a header has behind its ten bytes; false if the source ends inside.
    fn skip_header(&mut self, flags: u8) -> io::Result<bool> {
        const CHECKSUM: u8 = 2;
        const EXTRA: u8 = 4;
        const TEXTS: [u8; 2] = [8, 16];
        if flags & EXTRA != 0 {
            let mut len = [0; 2];
            if self.source.fill(&mut len)? < len.len() {
                return Ok(false);
            }
            for _ in 0..u16::from_le_bytes(len) {
                if self.source.byte()?.is_none() {
                    return Ok(false);
                }
            }
        }
        // The name and a comment, each up to a zero.
        for _ in TEXTS.iter().filter(|flag| flags & **flag != 0) {
            // Each turn takes a byte.
            loop {
                match self.source.byte()? {
                    None => return Ok(false),
                    Some(0) => break,
                    Some(_) => {}
                }
            }
        }
        Ok(flags & CHECKSUM == 0 || self.source.fill(&mut [0; 2])? == 2)
    }

    /// Passes over zeros, behind which nothing may follow.
    fn skip_padding(&mut self, start: u64) -> io::Result<()> {
        // Each turn takes a byte.
        while let Some(byte) = self.source.byte()? {
            if byte != 0 {
                self.end(start, "expected another gzip header, found zeros and other bytes");
                return Ok(());
            }
        }
        self.ended = true;
        Ok(())
    }

    /// Compares what came out with what the trailer says.
    fn end_member(&mut self, member: &Expansion) -> io::Result<()> {
        let at = self.source.at;
        let (mut crc, mut len) = ([0; 4], [0; 4]);
        if self.source.fill(&mut crc)? + self.source.fill(&mut len)? < 8 {
            self.end(at, "expected a checksum, found the end");
            return Ok(());
        }
        let (crc, len) = (u32::from_le_bytes(crc), u32::from_le_bytes(len));
        // The length is stored without its high bits.
        let [a, b, c, d, ..] = member.produced().to_le_bytes();
        let produced = u32::from_le_bytes([a, b, c, d]);
        if crc != member.crc() {
            self.wound.note(format!(
                "damaged gzip data: expected bytes with the checksum {crc:#010x} that is stored at {}, found {:#010x}; they \
                 are read all the same",
                Offset(at),
                member.crc()
            ));
        } else if len != produced {
            self.wound.note(format!(
                "damaged gzip data: expected {len} bytes (modulo 2^32), as is stored at {}, found {produced}; they are read \
                 all the same",
                Offset(at.saturating_add(4)),
            ));
        }
        Ok(())
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        // Every turn begins a member, ends one, or ends everything.
        while !self.ended {
            let Some(mut member) = self.member.take() else {
                self.begin_member()?;
                continue;
            };
            match member.read(&mut self.source, into) {
                Ok(0) => self.end_member(&member)?,
                Ok(count) => {
                    self.budget.spend(count, member.consumed())?;
                    self.produced = self.produced.saturating_add(u64::try_from(count).unwrap_or_default());
                    self.member = Some(member);
                    return Ok(count);
                }
                Err(Failure::Source(error)) => {
                    self.member = Some(member);
                    return Err(error);
                }
                Err(failure) => self.end(self.source.at, &failure.to_string()),
            }
        }
        Ok(0)
    }
}

/// A reader that knows where it is.
struct Counted<R> {
    inner: R,
    at: u64,
}

impl<R: BufRead> Counted<R> {
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.fill(&mut byte)? == 1).then_some(byte[0]))
    }

    /// Reads until `into` is full or the source ends.
    fn fill(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut have = 0;
        // Each turn reads something, or ends.
        while have < into.len() {
            match self.read(into.get_mut(have..).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(have)
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or_default());
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.inner.consume(count);
        self.at = self.at.saturating_add(u64::try_from(count).unwrap_or_default());
    }
}

/// A few bytes in a message.
struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;

    fn bytes() -> Vec<u8> {
        (0..50_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzBuilder::new()
            .filename("trace.etl")
            .comment("a comment")
            .extra(vec![1; 300])
            .write(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    fn expand(data: &[u8]) -> (Vec<u8>, Vec<String>) {
        let wound = Wound::default();
        let mut out = Vec::new();
        Gunzip::new(data, Budget::new(1 << 30), wound.clone()).read_to_end(&mut out).expect("no error");
        (out, wound.notes())
    }

    #[test]
    fn members_follow_each_other_and_zeros_the_last() {
        let bytes = bytes();
        let (a, b) = bytes.split_at(70_000);
        let data = [gzip(a), gzip(b"".as_slice()), gzip(b), vec![0; 1000]].concat();
        let (out, notes) = expand(&data);
        assert!(out == bytes);
        assert_eq!(notes, [""; 0]);
    }

    #[test]
    fn a_cut_anywhere_delivers_what_came_before_and_is_noted() {
        let bytes = bytes();
        let data = gzip(&bytes);
        for cut in
            [3, 9, 10, 11, 200, 312, 320, 400, data.len() / 2, data.len() - 9, data.len() - 8, data.len() - 1]
        {
            let (out, notes) = expand(&data[..cut]);
            assert!(bytes.starts_with(&out), "{cut}");
            assert_eq!(notes.len(), 1, "{cut}: {notes:?}");
            assert!(notes[0].contains("found the end") && notes[0].contains("0x"), "{cut}: {notes:?}");
        }
        let (out, _) = expand(&data[..data.len() - 8]);
        assert!(out == bytes, "only the trailer is missing");
    }

    #[test]
    fn a_wrong_checksum_or_length_is_told_with_both_numbers_and_the_next_member_is_read() {
        let mut data = gzip(b"first");
        let end = data.len();
        data[end - 8] ^= 1;
        data.extend(gzip(b"second"));
        let end = data.len();
        data[end - 4] ^= 1;
        let (out, notes) = expand(&data);
        assert_eq!(out, b"firstsecond");
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("found 0xc4e5f7d7") || notes[0].contains("checksum 0x"), "{notes:?}");
        assert!(notes[1].contains("expected 7 bytes") && notes[1].contains("found 6"), "{notes:?}");
    }

    #[test]
    fn what_follows_and_is_no_gzip_data_is_named() {
        for rest in [&b"some text"[..], b"\0\0\0x", b"\x1f\x8b"] {
            let (out, notes) = expand(&[gzip(b"first"), rest.to_vec()].concat());
            assert_eq!(out, b"first");
            assert_eq!(notes.len(), 1, "{notes:?}");
            assert!(notes[0].starts_with("damaged gzip data at 0x"), "{notes:?}");
        }
    }

    #[test]
    fn the_limit_is_an_error_and_no_damage() {
        let data = gzip(&bytes());
        let wound = Wound::default();
        let mut out = Vec::new();
        let error = Gunzip::new(&data[..], Budget::new(100_000), wound.clone()).read_to_end(&mut out);
        let error = error.expect_err("too much").to_string();
        assert!(error.contains("100,000 bytes"), "{error}");
        assert!(wound.notes().is_empty());
    }
}
