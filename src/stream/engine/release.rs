//! The watermark: up to when events may leave.
//!
//! Source: consumer API reference, "Release rule".

use core::time::Duration;

use crate::stream::options::{Options, Order};
use crate::trace::{LogFileHeader, LogFileMode};

/// Up to when events may leave.
#[derive(Debug)]
pub(super) struct Release {
    /// Everything up to here may leave: the watermark, or the end of time under pressure.
    due: i64,
    watermark: i64,
    /// How long events are held, in ticks; `None` without end.
    window: Option<i64>,
    /// Processors that the header announces.
    pub(super) processors: u16,
    pub(super) single_stream: bool,
    live: bool,
    /// The furthest reach of any buffer.
    furthest: i64,
    /// Reach of the last buffer that ended a flush pass, and of the one before.
    marker: Option<i64>,
    trust_markers: bool,
    /// The largest window that late events may lead to.
    most_window: Option<i64>,
    idle: Option<Duration>,
    /// When the last buffer arrived, once `advance` has been told the time.
    last_input: Option<Duration>,
    /// Memory is short: the oldest event may leave whatever its time.
    pressure: bool,
    /// The input has ended.
    everything: bool,
}

impl Release {
    pub(super) fn new(options: &Options) -> Self {
        let mut release = Self {
            due: i64::MIN,
            watermark: i64::MIN,
            window: None,
            processors: 0,
            single_stream: false,
            live: options.live,
            furthest: i64::MIN,
            marker: None,
            trust_markers: options.trust_flush_markers,
            most_window: None,
            idle: options.idle_release,
            last_input: None,
            pressure: false,
            everything: false,
        };
        if options.order == Order::LowLatency {
            release.window = Some(0);
        }
        release
    }

    /// What the header of the stream decides.
    pub(super) fn begin(&mut self, header: &LogFileHeader, options: &Options) {
        const REAL_TIME: LogFileMode = LogFileMode(0x0000_0100);
        const NO_PER_PROCESSOR_BUFFERING: LogFileMode = LogFileMode(0x1000_0000);
        self.single_stream = header.log_file_mode.contains(NO_PER_PROCESSOR_BUFFERING);
        let processors = if self.single_stream { 1 } else { header.number_of_processors.min(2048) };
        self.processors = u16::try_from(processors).unwrap_or(2048);
        self.live = options.live || header.log_file_mode.contains(REAL_TIME);
        let duration = match options.order {
            Order::LowLatency => Some(Duration::ZERO),
            Order::Balanced if self.live => Some(
                options
                    .flush_timer
                    .map_or(Duration::from_secs(3), |timer| timer.saturating_add(Duration::from_secs(1))),
            ),
            Order::Balanced | Order::Exact => None,
            Order::Window(window) => Some(window),
        };
        self.window = duration.and_then(|duration| header.clock().ticks_in(duration));
        if self.live {
            // After so long a silence nobody has anything older to say.
            self.idle = options.idle_release.or(duration.filter(|duration| !duration.is_zero()));
        }
        self.most_window = options.adaptive.and_then(|cap| header.clock().ticks_in(cap));
    }

    /// An event was late by so much: the window grows to 1.25 times that, as far as it may.
    #[cold]
    pub(super) fn grow(&mut self, late: i64) {
        if let (Some(window), Some(most)) = (self.window, self.most_window) {
            let wanted = late.saturating_add(late / 4).min(most);
            self.window = Some(window.max(wanted));
        }
    }

    /// A buffer arrived: the silence is over.
    pub(super) const fn hear(&mut self) {
        self.last_input = None;
    }

    /// A buffer with events arrived that reaches so far.
    pub(super) fn input(&mut self, horizon: Option<i64>, reach: i64, marker: bool) {
        self.furthest = self.furthest.max(reach);
        let windowed = self.window.map(|window| self.furthest.saturating_sub(window));
        let marked = if self.trust_markers { self.marker } else { None };
        if marker {
            self.marker = Some(reach);
        }
        let watermark = [horizon, windowed, marked].into_iter().flatten().max().unwrap_or(i64::MIN);
        self.set_watermark(if self.everything { i64::MAX } else { watermark });
    }

    /// How far any buffer reaches.
    pub(super) const fn furthest(&self) -> i64 {
        self.furthest
    }

    /// Buffers reach no further than this, against what their flush times said.
    pub(super) fn doubt(&mut self, furthest: i64) {
        self.furthest = self.furthest.min(furthest);
        self.marker = self.marker.map(|marker| marker.min(furthest));
    }

    /// Whether an event of this time may leave.
    #[inline]
    pub(super) const fn is_due(&self, time: i64) -> bool {
        time <= self.due
    }

    /// The next buffer begins at this time, so what is earlier may leave.
    pub(super) const fn expect(&mut self, next: i64) {
        self.set_watermark(next.saturating_sub(1));
    }

    /// No buffer will follow.
    pub(super) const fn everything(&mut self) {
        self.everything = true;
        self.set_watermark(i64::MAX);
    }

    /// Everything that is held now; the next buffer sets a watermark again.
    pub(super) const fn everything_for_now(&mut self) {
        self.set_watermark(i64::MAX);
    }

    /// Memory is short, or no longer.
    pub(super) const fn set_pressure(&mut self, pressure: bool) {
        self.pressure = pressure;
        self.set_watermark(self.watermark);
    }

    /// Whether memory is short.
    pub(super) const fn is_pressed(&self) -> bool {
        self.pressure
    }

    const fn set_watermark(&mut self, watermark: i64) {
        self.watermark = watermark;
        self.due = if self.pressure { i64::MAX } else { watermark };
    }

    /// When silence will have lasted long enough.
    pub(super) fn idle_at(&mut self, now: Duration) -> Option<Duration> {
        let idle = self.idle?;
        let last = *self.last_input.get_or_insert(now);
        Some(last.saturating_add(idle))
    }

    pub(super) fn max_buffers(&self, options: &Options, streams: usize) -> usize {
        let by_default = if self.live { streams.saturating_mul(4).max(64) } else { usize::MAX };
        options.max_held_buffers.unwrap_or(by_default)
    }
}
