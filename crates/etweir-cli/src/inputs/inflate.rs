//! Expansion step by step, which gives away nothing: what came out before damage is delivered.

use core::fmt;
use std::io::{self, BufRead};

use deflate64::InflaterManaged;
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Method {
    Stored,
    Deflate,
    Deflate64,
}

/// One stretch of compressed data on its way out.
pub(super) struct Expansion {
    engine: Engine,
    /// Bytes taken from the source.
    consumed: u64,
    /// Bytes that came out.
    produced: u64,
    crc: Crc,
    ended: bool,
    /// Met with the bytes that were handed out last.
    failure: Option<Failure>,
}

enum Engine {
    Stored,
    Deflate(Box<Decompress>),
    Deflate64(Box<InflaterManaged>),
}

/// Why there is no more.
#[derive(Debug)]
pub(super) enum Failure {
    /// The source could not be read.
    Source(io::Error),
    /// The data contradict themselves.
    Corrupt(String),
    /// The source ends inside the data.
    Cut,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Corrupt(what) => write!(f, "expected deflate data, found {what}"),
            Self::Cut => f.write_str("expected more deflate data, found the end"),
        }
    }
}

/// What one step did.
struct Step {
    consumed: usize,
    produced: usize,
    ended: bool,
    failure: Option<Failure>,
}

impl Expansion {
    pub(super) fn new(method: Method) -> Self {
        let engine = match method {
            Method::Stored => Engine::Stored,
            Method::Deflate => Engine::Deflate(Box::new(Decompress::new(false))),
            Method::Deflate64 => Engine::Deflate64(Box::new(InflaterManaged::new())),
        };
        Self { engine, consumed: 0, produced: 0, crc: Crc::new(), ended: false, failure: None }
    }

    pub(super) const fn consumed(&self) -> u64 {
        self.consumed
    }

    pub(super) const fn produced(&self) -> u64 {
        self.produced
    }

    /// The checksum of what came out.
    pub(super) fn crc(&self) -> u32 {
        self.crc.sum()
    }

    /// The next bytes; none at the end of the data, behind which nothing of the source is touched.
    pub(super) fn read(&mut self, source: &mut impl BufRead, into: &mut [u8]) -> Result<usize, Failure> {
        if into.is_empty() {
            return Ok(0);
        }
        // Every turn consumes, produces, or ends.
        loop {
            if let Some(failure) = self.failure.take() {
                self.ended = true;
                return Err(failure);
            }
            if self.ended {
                return Ok(0);
            }
            let input = match source.fill_buf() {
                Ok(input) => input,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Source(error)),
            };
            let at_end = input.is_empty();
            let step = self.engine.step(input, into);
            source.consume(step.consumed);
            self.consumed = self.consumed.saturating_add(u64::try_from(step.consumed).unwrap_or_default());
            self.produced = self.produced.saturating_add(u64::try_from(step.produced).unwrap_or_default());
            self.ended = step.ended;
            self.failure = step.failure;
            if step.produced > 0 {
                self.crc.update(into.get(..step.produced).unwrap_or_default());
                return Ok(step.produced);
            }
            if self.failure.is_none() && !self.ended && step.consumed == 0 {
                // Without a failure an engine stands still only where it lacks input.
                self.failure = Some(if at_end {
                    Failure::Cut
                } else {
                    Failure::Corrupt("data that lead nowhere".to_owned())
                });
            }
        }
    }
}

impl Engine {
    fn step(&mut self, input: &[u8], into: &mut [u8]) -> Step {
        match self {
            Self::Stored => {
                let count = input.len().min(into.len());
                let (to, from) = (into.get_mut(..count), input.get(..count));
                to.unwrap_or_default().copy_from_slice(from.unwrap_or_default());
                Step { consumed: count, produced: count, ended: count == 0, failure: None }
            }
            Self::Deflate(engine) => {
                let before = (engine.total_in(), engine.total_out());
                let flush = if input.is_empty() { FlushDecompress::Finish } else { FlushDecompress::None };
                let status = engine.decompress(input, into, flush);
                let past =
                    |now: u64, before: u64| usize::try_from(now.saturating_sub(before)).unwrap_or_default();
                let failure = status.as_ref().err().map(|error| {
                    Failure::Corrupt(error.message().map_or_else(|| error.to_string(), str::to_owned))
                });
                Step {
                    consumed: past(engine.total_in(), before.0).min(input.len()),
                    produced: past(engine.total_out(), before.1).min(into.len()),
                    ended: matches!(status, Ok(Status::StreamEnd)),
                    failure,
                }
            }
            Self::Deflate64(engine) => {
                let result = engine.inflate(input, into);
                Step {
                    consumed: result.bytes_consumed.min(input.len()),
                    produced: result.bytes_written.min(into.len()),
                    ended: engine.finished() && engine.available_output() == 0,
                    failure: result.data_error.then(|| Failure::Corrupt("no deflate64 data".to_owned())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read, Write};

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    fn text() -> Vec<u8> {
        (0..40_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
    }

    fn deflated(bytes: &[u8], level: Compression) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), level);
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    /// Everything that comes out, and how it ends.
    fn expand(method: Method, data: impl Read, step: usize) -> (Vec<u8>, Result<(), Failure>, Expansion) {
        let mut expansion = Expansion::new(method);
        let mut source = BufReader::with_capacity(1000, data);
        let mut out = Vec::new();
        let mut piece = vec![0; step];
        loop {
            match expansion.read(&mut source, &mut piece) {
                Ok(0) => return (out, Ok(()), expansion),
                Ok(count) => out.extend_from_slice(&piece[..count]),
                Err(failure) => return (out, Err(failure), expansion),
            }
        }
    }

    #[test]
    fn every_method_gives_the_bytes_back_whatever_the_steps() {
        let bytes = text();
        for step in [1, 333, 65_536, 1_000_000] {
            let (out, end, expansion) = expand(Method::Stored, &bytes[..], step);
            assert!(end.is_ok() && out == bytes);
            assert_eq!(expansion.produced(), 160_000);
            let data = deflated(&bytes, Compression::default());
            let (out, end, expansion) = expand(Method::Deflate, data.chain(&b"rest"[..]), step);
            assert!(end.is_ok() && out == bytes, "{step}");
            assert_eq!(expansion.crc(), {
                let mut crc = Crc::new();
                crc.update(&bytes);
                crc.sum()
            });
            // Without matches of 258 bytes, deflate data are deflate64 data.
            let data = deflated(&bytes, Compression::fast());
            let (out, end, _) = expand(Method::Deflate64, &data[..], step);
            assert!(end.is_ok(), "{end:?}");
            assert!(out == bytes, "{step}");
        }
    }

    #[test]
    fn what_came_out_before_a_cut_is_delivered() {
        let bytes = text();
        for method in [Method::Deflate, Method::Deflate64] {
            let data = deflated(&bytes, Compression::fast());
            let (out, end, expansion) = expand(method, &data[..data.len() / 2], 65_536);
            assert!(matches!(end, Err(Failure::Cut)), "{method:?}: {end:?}");
            assert!(
                out.len() > bytes.len() / 2 - 70_000 && bytes.starts_with(&out),
                "{method:?}: {}",
                out.len()
            );
            assert_eq!(usize::try_from(expansion.consumed()), Ok(data.len() / 2));
        }
    }

    #[test]
    fn what_came_out_before_damage_is_delivered_to_the_last_byte() {
        let bytes = text();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).expect("memory");
        // Ends the block on a whole byte; behind it, one of the type that does not exist.
        encoder.flush().expect("memory");
        let mut data = encoder.get_ref().clone();
        data.extend([0x07; 64]);
        for step in [100, 1_000_000] {
            let (out, end, _) = expand(Method::Deflate, &data[..], step);
            assert!(matches!(end, Err(Failure::Corrupt(_))), "{end:?}");
            assert!(out == bytes, "{}", out.len());
        }
    }

    #[test]
    fn whatever_the_data_are_expansion_ends() {
        let bytes: Vec<u8> = (0..3000_u32).flat_map(|number| (number % 77).to_le_bytes()).collect();
        let original = deflated(&bytes, Compression::best());
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut next = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % below
        };
        for round in 0..100 {
            let mut data = original.clone();
            for _ in 0..=next(6) {
                let at = next(data.len());
                data[at] = u8::try_from(next(256)).expect("a byte");
            }
            if round % 3 == 0 {
                data = (0..next(300)).map(|_| u8::try_from(next(256)).expect("a byte")).collect();
            }
            for method in [Method::Deflate, Method::Deflate64] {
                let (out, end, expansion) = expand(method, &data[..], 1 + next(5000));
                assert_eq!(usize::try_from(expansion.produced()), Ok(out.len()));
                assert!(!matches!(end, Err(Failure::Source(_))));
                // No code stands for more than 65,538 bytes in the one, 258 in the other.
                assert!(out.len() <= data.len() * 8 * 65_538, "{method:?}");
            }
        }
    }
}
