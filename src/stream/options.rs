//! How a session orders, bounds and accepts.

use core::time::Duration;

use crate::limits::Limits;
use crate::time::FileTime;

/// How long events are held back for older ones of other processors.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Order {
    /// A window of nothing: what a buffer holds leaves when it arrives, ordered among the buffers that are there.
    LowLatency,
    /// Live sources (`EVENT_TRACE_REAL_TIME_MODE` in the header, or [`Options::live`]) are held for their flush period and
    /// a second, 3 s if that is unknown; buffers of a file session are held as for [`Order::Exact`].
    #[default]
    Balanced,
    /// Held until every processor has moved on, or to the end of the input.
    Exact,
    /// Held for this long, in the clock of the events.
    Window(Duration),
}

/// What a session accepts and uses; it does not change while the session lives. What Windows decides by itself is here, with
/// the callbacks of `ETW_OPEN_TRACE_OPTIONS` in [`StreamBuilder`](crate::stream::StreamBuilder).
///
/// The defaults suit a live source and a replay, which the header tells apart: [`Order::Balanced`]; held are at most 1 GiB
/// and, of a live source, 4 buffers for each stream or 64.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(super) limits: Limits,
    pub(super) order: Order,
    pub(super) live: bool,
    pub(super) flush_timer: Option<Duration>,
    pub(super) idle_release: Option<Duration>,
    pub(super) max_held_buffers: Option<usize>,
    pub(super) max_held_bytes: Option<u64>,
    pub(super) max_buffers_out: Option<u64>,
    pub(super) adaptive: Option<Duration>,
    pub(super) flush_tolerance: Duration,
    pub(super) accept_disorder: bool,
    pub(super) allow_missing_header: bool,
    pub(super) trust_flush_markers: bool,
    pub(super) start_time: Option<FileTime>,
    pub(super) end_time: Option<FileTime>,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $set:expr;)*) => {
        impl Options {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $name: $type) -> Self {
                let set: fn(&mut Self, $type) = $set;
                set(&mut self, $name);
                self
            })*
        }
    };
}

setters! {
    /// What the session may use. Default: [`Limits::default`].
    limits: Limits => |options, limits| options.limits = limits;
    /// How long events are held back. Default: [`Order::Balanced`].
    order: Order => |options, order| options.order = order;
    /// Whether the source is live, whatever its header says. Default: as the header's real-time mode says.
    live: bool => |options, live| options.live = live;
    /// The `FlushTimer` of the source's session, which its header does not tell. Default: unknown.
    flush_timer: Duration => |options, timer| options.flush_timer = Some(timer);
    /// Deliver everything that is held once no buffer has arrived for so long, by the time that
    /// [`Session::advance`](crate::stream::Session::advance) is told; a [`Processor`](crate::stream::Processor) tells the
    /// time since it began. Default: for live sources as long as the window, if that has an end, so that nobody waits for the
    /// last events before a silence; never for others. [`Duration::MAX`] is never.
    idle_release: Duration => |options, idle| options.idle_release = Some(idle);
    /// How many buffers may be held for order; past that, events leave early. Default: 4 for each stream and 64 at least for
    /// live sources, no bound otherwise.
    max_held_buffers: usize => |options, buffers| options.max_held_buffers = Some(buffers);
    /// How many bytes the held buffers may take, with their expansions and what a session keeps beside each: 256 bytes, and 1
    /// KiB for one that overlaps its predecessor in time. Past that, events leave early. Default: 1 GiB.
    max_held_bytes: u64 => |options, bytes| options.max_held_bytes = Some(bytes);
    /// How many accepted buffers may be out at a time: queued, held and retained ones together. Past that a buffer is refused
    /// with [`Refusal::Full`](crate::stream::Refusal::Full). Default: any number.
    max_buffers_out: u64 => |options, buffers| options.max_buffers_out = Some(buffers);
    /// Let the window of a live source grow to 1.25 times the delay of an event that came late, up to this. Default: it does
    /// not grow.
    adaptive: Duration => |options, cap| options.adaptive = Some(cap);
    /// By how much a buffer may have been flushed before its predecessor. Default: not at all.
    flush_tolerance: Duration => |options, tolerance| options.flush_tolerance = tolerance;
    /// Whether a buffer that was flushed before its predecessor by more than the tolerance is accepted and counted
    /// ([`Stats::buffers_in_disorder`](crate::stream::Stats)) instead of refused. Default: no.
    ///
    /// A flush time that the next buffers contradict is then believed no further than time stamps prove it, so that one far in
    /// the future spoils neither the order nor the acceptance of what follows. For that every buffer is walked over once more
    /// when it is added.
    accept_disorder: bool => |options, accept| options.accept_disorder = accept;
    /// Whether a stream may begin without its header buffer; time stamps stay raw then. Default: no.
    allow_missing_header: bool => |options, allow| options.allow_missing_header = allow;
    /// Whether the mark of a completed flush pass releases what is older than it. Default: no, since other writers set it on
    /// any buffer.
    trust_flush_markers: bool => |options, trust| options.trust_flush_markers = trust;
    /// Deliver no event before this time, but for those that describe the trace: `StartTime` of `ProcessTrace`. Inclusive,
    /// in UTC. Events without a time are delivered; buffers are not affected. Default: all.
    start_time: FileTime => |options, time| options.start_time = Some(time);
    /// Deliver no event after this time, but for those that describe the trace: `EndTime` of `ProcessTrace`. Inclusive, in
    /// UTC. If it lies before the start, [`Processor::run`](crate::stream::Processor::run) says so, and a bare
    /// [`Session`](crate::stream::Session) lets nothing through. Default: all.
    end_time: FileTime => |options, time| options.end_time = Some(time);
}
