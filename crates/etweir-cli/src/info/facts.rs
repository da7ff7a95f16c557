//! The facts, as JSON shows them.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use etweir::buffer::{BufferHeader, BufferType};
use etweir::codec::Format;
use etweir::file::FileBuffer;
use etweir::record::RecordKind;
use etweir::trace::{Clock, Event, LogFileHeader, LogFileMode};
use etweir::{FileTime, Guid, Ticks};
use serde::Serialize;

use crate::filter::Filter;
use crate::info::host::Host;
use crate::inputs::{Input, Reader};
use crate::walk::Course;

/// One file. What its header would tell is in `session`, which is `None` without a header.
#[derive(Serialize)]
pub(super) struct Facts {
    pub(super) file: String,
    /// Bytes that were read, after expansion.
    pub(super) file_size: u64,
    /// `gzip` or `zip` if it is wrapped.
    pub(super) container: Option<&'static str>,
    /// Bytes that it takes in there, if that is known.
    pub(super) stored_size: Option<u64>,
    pub(super) session: Option<Session>,
    /// Buffers that were found; what the header claims is in `session`.
    pub(super) buffers: u64,
    pub(super) compressed_buffers: u64,
    /// The format that the header names, if buffers are compressed.
    pub(super) compression: Option<String>,
    /// Records that pass the filter, those of the header buffer included.
    pub(super) records: u64,
    pub(super) records_by_kind: BTreeMap<&'static str, u64>,
    /// Different ones among these records; at most [`MOST_PROVIDERS`] are told apart.
    pub(super) providers: usize,
    /// Different processors among the data buffers.
    pub(super) processors: usize,
    /// The earliest and the latest of these, whatever their order in the file.
    pub(super) first_time: Option<String>,
    pub(super) last_time: Option<String>,
    pub(super) first_ticks: Option<i64>,
    pub(super) last_ticks: Option<i64>,
    /// Records whose stamp the clock turns into no date; they are neither the earliest nor the latest.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) times_out_of_range: u64,
    /// `BuildLab` of the operating system, where the trace has it.
    pub(super) build_lab: Option<String>,
    pub(super) host: Host,
    pub(super) losses: Losses,
    pub(super) damage: Damage,
    /// Bytes of zeros at the end, reserved and never written.
    pub(super) unwritten_tail: u64,
    /// Why reading ended before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde wants")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the buffers tell of losses. The totals of the session are in its header.
#[derive(Serialize)]
pub(super) struct Losses {
    /// Buffers that are marked as following lost events.
    pub(super) events_lost_flags: u64,
    /// Buffers that are marked as following a lost buffer.
    pub(super) buffers_lost_flags: u64,
    /// Events that tell of losses.
    pub(super) loss_events: u64,
    /// Numbers of buffers that are not there, between the least and the greatest.
    pub(super) sequence_gaps: u64,
}

/// What could not be delivered.
#[derive(Serialize)]
pub(super) struct Damage {
    /// Places in what the file is wrapped in.
    pub(super) container: usize,
    pub(super) header_missing: bool,
    pub(super) buffers: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
}

/// What the log-file header says.
#[derive(Serialize)]
pub(super) struct Session {
    pub(super) session_name: String,
    pub(super) log_file_name: String,
    /// Major and minor.
    pub(super) windows_version: String,
    pub(super) windows_build: u32,
    /// Of the file's layout.
    pub(super) log_file_version: String,
    pub(super) pointer_size: u32,
    pub(super) processors: u32,
    pub(super) cpu_mhz: u32,
    /// `qpc`, `system-time`, `cpu-cycles`, `raw`, or a number.
    pub(super) clock: String,
    pub(super) ticks_per_second: Option<i64>,
    /// 100 ns.
    pub(super) timer_resolution: u32,
    pub(super) start_time: Option<String>,
    pub(super) start_ticks: i64,
    /// `null` if the trace was never closed.
    pub(super) end_time: Option<String>,
    pub(super) duration_seconds: Option<f64>,
    pub(super) boot_time: Option<String>,
    pub(super) mode: String,
    pub(super) mode_names: Vec<&'static str>,
    pub(super) buffer_size: u32,
    /// `MaximumFileSize` in MB (in KB, if the mode says so); 0 for none.
    pub(super) maximum_file_size: u32,
    /// What the header claims; 0 if the trace was never closed.
    pub(super) buffers_written: u32,
    pub(super) events_lost: u32,
    pub(super) buffers_lost: u32,
    pub(super) time_zone: Zone,
}

/// Minutes: UTC = local time + bias.
#[derive(Serialize)]
pub(super) struct Zone {
    pub(super) bias: i32,
    pub(super) standard_name: String,
    pub(super) standard_bias: i32,
    pub(super) daylight_name: String,
    pub(super) daylight_bias: i32,
}

impl Facts {
    /// Reads the file to its end, or to where that fails: the facts up to there hold all the same.
    pub(super) fn gather(
        input: &Input,
        reader: &mut Reader,
        filter: &Filter<'_>,
        course: &mut Course,
    ) -> (Self, Result<(), etweir::Error>) {
        let mut count = Count::default();
        let clock = reader.session().clock();
        let end = loop {
            match reader.next_buffer() {
                Ok(Some(buffer)) => {
                    if reader_is_at_start(count.buffers) {
                        count.format = named_format(&buffer.header());
                    }
                    count.add_buffer(&buffer);
                    for placed in course.walk(&buffer) {
                        count.host.see(&placed.event);
                        if filter.passes(&placed) {
                            count.add(&placed.event, &clock);
                        }
                    }
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        (Self::new(input, reader, course, count), end)
    }

    fn new(input: &Input, reader: &Reader, course: &Course, count: Count) -> Self {
        let Course { damage: in_buffers, losses, .. } = course;
        let container = input.container();
        let between = reader.damage();
        let clock = reader.session().clock();
        let time = |ticks: Option<Ticks>| rfc3339(clock.to_file_time(ticks?)?);
        let mode = reader.header().map(|header| header.log_file_mode).unwrap_or_default();
        let compressed = count.compressed > 0 || mode.contains(LogFileMode::COMPRESSED);
        Self {
            file: input.name.clone(),
            file_size: reader.offset().get(),
            container,
            stored_size: input.stored().filter(|_| container.is_some()),
            session: reader.header().map(|header| Session::new(header, &clock)),
            buffers: count.buffers,
            compressed_buffers: count.compressed,
            compression: count.format.filter(|_| compressed).map(|format| format.to_string()),
            records: count.records,
            records_by_kind: count.kinds.into_iter().map(|(kind, count)| (kind.name(), count)).collect(),
            first_time: time(count.first),
            last_time: time(count.last),
            first_ticks: count.first.map(Ticks::get),
            last_ticks: count.last.map(Ticks::get),
            times_out_of_range: count.out_of_range,
            providers: count.providers.len(),
            processors: count.processors.len(),
            build_lab: count.host.build_lab.clone(),
            host: count.host,
            losses: Losses {
                events_lost_flags: losses.events_lost_flags,
                buffers_lost_flags: losses.buffers_lost_flags,
                loss_events: losses.loss_events,
                sequence_gaps: losses.missing_numbers(),
            },
            damage: Damage {
                container: input.wound().notes().len(),
                header_missing: reader.header().is_none(),
                buffers: between.buffers(),
                records: in_buffers.records(),
                bytes: between.bytes().saturating_add(in_buffers.bytes()),
            },
            unwritten_tail: reader.unwritten_tail(),
            error: None,
        }
    }
}

const fn reader_is_at_start(buffers: u64) -> bool {
    buffers == 0
}

/// The first buffer of a file with compressed buffers names the format in the low half of its state.
fn named_format(header: &BufferHeader<'_>) -> Option<Format> {
    u16::try_from(header.state() & 0xFFFF).ok().and_then(Format::from_number)
}

/// What is counted on the way.
#[derive(Default)]
struct Count {
    buffers: u64,
    compressed: u64,
    format: Option<Format>,
    records: u64,
    kinds: BTreeMap<RecordKind, u64>,
    first: Option<Ticks>,
    last: Option<Ticks>,
    out_of_range: u64,
    providers: HashSet<Guid>,
    /// The one of the record before, which most records have too.
    last_provider: Option<Guid>,
    processors: BTreeSet<u16>,
    host: Host,
}

/// Files are hostile: each record may have a provider of its own.
pub(super) const MOST_PROVIDERS: usize = 100_000;

impl Count {
    fn add_buffer(&mut self, buffer: &FileBuffer<'_>) {
        self.buffers += 1;
        self.compressed += u64::from(buffer.is_compressed());
        if buffer.header().buffer_type() != Some(BufferType::HEADER) {
            self.processors.insert(buffer.header().processor_index());
        }
    }

    fn add(&mut self, event: &Event<'_>, clock: &Clock) {
        self.records += 1;
        *self.kinds.entry(event.kind()).or_default() += 1;
        if let Some(ticks) = event.time_stamp() {
            if !clock.is_known() || clock.to_file_time(ticks).is_some_and(FileTime::is_rfc3339) {
                self.first = Some(self.first.map_or(ticks, |first| first.min(ticks)));
                self.last = Some(self.last.map_or(ticks, |last| last.max(ticks)));
            } else {
                self.out_of_range += 1;
            }
        }
        let provider = event.provider_id();
        if self.last_provider != Some(provider) && self.providers.len() < MOST_PROVIDERS {
            self.last_provider = Some(provider);
            self.providers.insert(provider);
        }
    }
}

impl Session {
    fn new(header: &LogFileHeader, clock: &Clock) -> Self {
        let zone = &header.time_zone;
        let seconds = header.end_time.0.checked_sub(header.start_time.0).filter(|_| header.is_closed());
        Self {
            session_name: header.logger_name.clone(),
            log_file_name: header.log_file_name.clone(),
            windows_version: format!("{}.{}", header.major_version, header.minor_version),
            windows_build: header.provider_version,
            log_file_version: format!("{}.{}", header.sub_version, header.sub_minor_version),
            pointer_size: header.pointer_size,
            processors: header.number_of_processors,
            cpu_mhz: header.cpu_speed_in_mhz,
            clock: header.clock_type.to_string(),
            ticks_per_second: ticks_per_second(header, clock),
            timer_resolution: header.timer_resolution,
            start_time: rfc3339(header.start_time),
            start_ticks: header.time_stamp.0,
            end_time: rfc3339(header.end_time).filter(|_| header.is_closed()),
            duration_seconds: seconds.map(in_seconds),
            boot_time: rfc3339(header.boot_time).filter(|_| header.boot_time.0 != 0),
            mode: format!("{:#010x}", header.log_file_mode.0),
            mode_names: header.log_file_mode.names().collect(),
            buffer_size: header.buffer_size,
            maximum_file_size: header.maximum_file_size,
            buffers_written: header.buffers_written,
            events_lost: header.events_lost,
            buffers_lost: header.buffers_lost,
            time_zone: Zone {
                bias: zone.bias,
                standard_name: zone.standard_name.clone(),
                standard_bias: zone.standard_bias,
                daylight_name: zone.daylight_name.clone(),
                daylight_bias: zone.daylight_bias,
            },
        }
    }
}

impl Session {
    /// Whether no bit of the mode is set.
    pub(super) fn mode_is_zero(&self) -> bool {
        self.mode == "0x00000000"
    }
}

/// The rate of the clock that stamped the records.
fn ticks_per_second(header: &LogFileHeader, clock: &Clock) -> Option<i64> {
    use etweir::trace::ClockType;

    match header.clock_type {
        _ if *clock == Clock::SYSTEM_TIME => Some(10_000_000),
        ClockType::CPU_CYCLES => Some(i64::from(header.cpu_speed_in_mhz).saturating_mul(1_000_000)),
        _ => Some(header.perf_freq),
    }
    .filter(|rate| *rate > 0)
}

fn rfc3339(time: FileTime) -> Option<String> {
    time.is_rfc3339().then(|| time.to_string())
}

/// Exact to 100 ns for three decades, which is how many digits a double has.
#[allow(clippy::cast_precision_loss, reason = "a duration that long is damage")]
fn in_seconds(hundreds_of_ns: i64) -> f64 {
    hundreds_of_ns as f64 / 1e7
}
