//! Makes a long trace of a short one: its records again and again with later stamps, in new buffers.

use core::error::Error;
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom, Write};

use etweir::EtlReader;
use etweir::codec::{Format, compress};
use etweir::record::RecordKind;
use etweir::trace::{Clock, Event, LogFileMode};
use etweir::{FileTime, Ticks};

/// What the long trace is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    /// At least so many bytes before compression.
    pub(crate) bytes: u64,
    /// Record `i` of processor `c` goes to processor `c + processors * (i mod fan_out)`.
    pub(crate) fan_out: u16,
    /// Compressed with XPRESS.
    pub(crate) compressed: bool,
}

/// What it has become.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Repeated {
    pub(crate) copies: u64,
    pub(crate) events: u64,
    pub(crate) buffers: u64,
    pub(crate) processors: u16,
    /// Bytes of all buffers before compression, and of the file.
    pub(crate) bytes: u64,
    pub(crate) stored: u64,
}

/// Bytes of a buffer's header.
const HEADER: usize = 72;

/// Writes the long trace of `source` to `output`.
pub(crate) fn repeat(
    source: impl Read,
    output: &mut (impl Write + Seek),
    wanted: Repeat,
) -> Result<Repeated, Box<dyn Error>> {
    let trace = Short::read(source)?;
    let mut long = Long::new(&trace, output, wanted)?;
    while long.made.bytes < wanted.bytes {
        long.copy()?;
    }
    long.finish()
}

/// The trace to be repeated, in the clear.
struct Short {
    /// The header buffer, without its filler.
    header: Vec<u8>,
    buffer_size: usize,
    /// The stamps of data buffers are `FILETIME`s of the relogging.
    relogged: bool,
    clock: Clock,
    processors: u16,
    /// In the order of the file.
    buffers: Vec<Buffer>,
    /// From the first stamp past the last.
    span: i64,
}

struct Buffer {
    processor: u16,
    /// Header and records.
    bytes: Vec<u8>,
    records: Vec<Place>,
}

/// Where a record lies in its buffer, and its stamp in it.
struct Place {
    at: usize,
    len: usize,
    stamp_at: Option<usize>,
}

impl Short {
    fn read(source: impl Read) -> Result<Self, Box<dyn Error>> {
        let mut reader = EtlReader::new(source)?;
        let header = reader.header().ok_or("the trace has no header")?;
        let (buffer_size, processors) = (header.buffer_size, header.number_of_processors);
        let mut short = Self {
            header: Vec::new(),
            buffer_size: usize::try_from(buffer_size)?.max(1024),
            relogged: header.log_file_mode.contains(LogFileMode::RELOG),
            clock: header.clock(),
            processors: u16::try_from(processors)?,
            buffers: Vec::new(),
            span: 0,
        };
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        while let Some(buffer) = reader.next_buffer()? {
            let bytes = buffer.trace_buffer().view().valid_bytes().to_vec();
            if short.header.is_empty() {
                short.header = bytes;
                continue;
            }
            let mut records = Vec::new();
            for event in buffer.events().flatten() {
                if let Some(stamp) = event.time_stamp() {
                    (first, last) = (first.min(stamp.get()), last.max(stamp.get()));
                }
                let (at, len) =
                    (usize::try_from(event.record().offset().get())?, event.record().bytes().len());
                records.push(Place { at, len, stamp_at: stamp_at(&event) });
            }
            let processor = buffer.header().processor_index();
            short.processors = short.processors.max(processor + 1);
            short.buffers.push(Buffer { processor, bytes, records });
        }
        if first > last {
            return Err("the trace has no events with a time stamp".into());
        }
        short.span = last - first + 1;
        Ok(short)
    }
}

/// Where the stamp lies in a record.
fn stamp_at(event: &Event<'_>) -> Option<usize> {
    event.time_stamp()?;
    Some(match event.kind() {
        RecordKind::PerfInfo32 | RecordKind::PerfInfo64 => 8,
        RecordKind::Message => {
            let message = event.record().message()?;
            let sequence = message.sequence().map_or(0, |_| 4);
            let component = message.component_id().map(|_| 4);
            8 + sequence + component.or(message.message_guid().map(|_| 16)).unwrap_or(0)
        }
        _ => 16,
    })
}

/// The long trace while it is written.
struct Long<'a, W> {
    short: &'a Short,
    output: &'a mut W,
    wanted: Repeat,
    /// The buffer of each processor that is not full, its number and its last stamp.
    open: BTreeMap<u16, (Vec<u8>, u64, i64)>,
    /// Records of each processor of the short trace so far.
    dealt: BTreeMap<u16, u64>,
    next_number: u64,
    last: i64,
    made: Repeated,
}

impl<'a, W: Write + Seek> Long<'a, W> {
    fn new(short: &'a Short, output: &'a mut W, wanted: Repeat) -> Result<Self, Box<dyn Error>> {
        let made =
            Repeated { processors: short.processors * wanted.fan_out, buffers: 1, ..Repeated::default() };
        let (open, dealt) = (BTreeMap::new(), BTreeMap::new());
        let mut long = Self { short, output, wanted, open, dealt, next_number: 1, last: i64::MIN, made };
        let header = long.header();
        long.made.stored = header.len() as u64;
        long.made.bytes = long.made.stored;
        long.output.write_all(&header)?;
        Ok(long)
    }

    /// Writes all records once more.
    fn copy(&mut self) -> Result<(), Box<dyn Error>> {
        let shift = self.short.span * i64::try_from(self.made.copies)?;
        for buffer in &self.short.buffers {
            for place in &buffer.records {
                let dealt = self.dealt.entry(buffer.processor).or_default();
                let turn = u16::try_from(*dealt % u64::from(self.wanted.fan_out))?;
                *dealt += 1;
                let processor = buffer.processor + self.short.processors * turn;
                self.write(processor, buffer, place, shift)?;
            }
        }
        self.made.copies += 1;
        Ok(())
    }

    /// Puts a record into the buffer of its processor, which is written out before if it is full.
    fn write(
        &mut self,
        processor: u16,
        from: &Buffer,
        place: &Place,
        shift: i64,
    ) -> Result<(), Box<dyn Error>> {
        let len = place.len.next_multiple_of(8);
        if self.open.get(&processor).is_some_and(|open| open.0.len() + len > self.short.buffer_size) {
            self.flush(processor)?;
        }
        let (bytes, _, last) = self.open.entry(processor).or_insert_with(|| {
            let number = self.next_number;
            self.next_number += 1;
            (from.bytes[..HEADER].to_vec(), number, i64::MIN)
        });
        let at = bytes.len();
        bytes.extend_from_slice(&from.bytes[place.at..place.at + place.len]);
        bytes.resize(at + len, 0);
        if let Some(stamp_at) = place.stamp_at {
            let stamp = &mut bytes[at + stamp_at..at + stamp_at + 8];
            *last = i64::from_le_bytes((&*stamp).try_into()?) + shift;
            stamp.copy_from_slice(&last.to_le_bytes());
            self.last = self.last.max(*last);
        }
        self.made.events += 1;
        Ok(())
    }

    /// Writes out the buffer of a processor.
    fn flush(&mut self, processor: u16) -> Result<(), Box<dyn Error>> {
        let Some((mut bytes, number, last)) = self.open.remove(&processor) else { return Ok(()) };
        let filled = bytes.len();
        let flush_time = if self.short.relogged {
            self.short.clock.to_file_time(Ticks(last)).map_or(last, FileTime::get)
        } else {
            last
        };
        // A processor index of 16 bits.
        bytes[0x34] |= 0x20;
        if self.wanted.compressed {
            let mut packed = Vec::with_capacity(filled);
            compress(Format::Xpress, &bytes[HEADER..], &mut packed);
            bytes.truncate(HEADER);
            bytes.extend(packed);
            bytes[0x34] |= 0x40;
        } else {
            bytes.resize(self.short.buffer_size, 0xFF);
            bytes[0x34] &= !0x40;
        }
        let stored = u32::try_from(bytes.len())?;
        let end = u32::try_from(filled)?.to_le_bytes();
        for (at, value) in [(0x00, stored.to_le_bytes()), (0x04, end), (0x08, end), (0x30, end)] {
            bytes[at..at + 4].copy_from_slice(&value);
        }
        bytes[0x10..0x18].copy_from_slice(&flush_time.to_le_bytes());
        bytes[0x18..0x20].copy_from_slice(&number.to_le_bytes());
        bytes[0x28..0x2A].copy_from_slice(&processor.to_le_bytes());
        self.output.write_all(&bytes)?;
        self.made.buffers += 1;
        self.made.bytes += if self.wanted.compressed { filled as u64 } else { self.short.buffer_size as u64 };
        self.made.stored += u64::from(stored);
        Ok(())
    }

    /// Writes out what is open, and the header again with the last numbers.
    fn finish(mut self) -> Result<Repeated, Box<dyn Error>> {
        for processor in self.open.keys().copied().collect::<Vec<_>>() {
            self.flush(processor)?;
        }
        let header = self.header();
        self.output.seek(SeekFrom::Start(0))?;
        self.output.write_all(&header)?;
        self.output.flush()?;
        Ok(self.made)
    }

    /// The header buffer. The log-file header lies behind the header of a SYSTEM record, and its first fields are the same
    /// in 32 and 64 bit.
    fn header(&self) -> Vec<u8> {
        const LOG_FILE: usize = HEADER + 0x20;
        let mut bytes = self.short.header.clone();
        let filled = bytes.len();
        let size =
            if self.wanted.compressed { filled.next_multiple_of(0x200) } else { self.short.buffer_size };
        bytes.resize(size.max(filled), 0xFF);
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0x00, &(size as u32).to_le_bytes());
        put(LOG_FILE + 0x0C, &u32::from(self.made.processors).to_le_bytes());
        let end_time = self.short.clock.to_file_time(Ticks(self.last)).map_or(0, FileTime::get);
        put(LOG_FILE + 0x10, &end_time.to_le_bytes());
        put(LOG_FILE + 0x24, &u32::try_from(self.made.buffers).unwrap_or(u32::MAX).to_le_bytes());
        // Layout 2.0, and the number of the format in the state, where buffers are compressed.
        let (version, state) = if self.wanted.compressed { ([2, 0], 3) } else { ([1, 5], 0) };
        put(LOG_FILE + 0x06, &version);
        put(0x2C, &u32::to_le_bytes(state));
        let mode_at = LOG_FILE + 0x20;
        let mode = u32::from_le_bytes([
            self.short.header[mode_at],
            self.short.header[mode_at + 1],
            self.short.header[mode_at + 2],
            self.short.header[mode_at + 3],
        ]);
        let compressed = if self.wanted.compressed { LogFileMode::COMPRESSED.0 } else { 0 };
        put(mode_at, &(mode & !LogFileMode::COMPRESSED.0 | compressed).to_le_bytes());
        bytes
    }
}
