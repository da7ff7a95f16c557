//! From session ticks to the time of day.

use core::fmt;

use crate::time::{FileTime, PER_SECOND, Ticks};

/// `ReservedFlags` of the log-file header: which clock stamped the records. A number with names for those known.
///
/// Source: format reference, "Clock types".
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct ClockType(pub u32);

impl ClockType {
    /// Not told: the system time before Windows 6.0, where it was the default.
    pub const RAW: Self = Self(0);
    /// The performance counter, the default since 6.0.
    pub const QPC: Self = Self(1);
    /// The system time: stamps are `FILETIME`s.
    pub const SYSTEM_TIME: Self = Self(2);
    /// The processor's cycle counter.
    pub const CPU_CYCLES: Self = Self(3);

    /// A short name, if the number has one.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::RAW => Some("raw"),
            Self::QPC => Some("qpc"),
            Self::SYSTEM_TIME => Some("system-time"),
            Self::CPU_CYCLES => Some("cpu-cycles"),
            _ => None,
        }
    }
}

impl fmt::Display for ClockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for ClockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClockType({self})")
    }
}

/// Converts the ticks of one session to `FILETIME`s.
///
/// `filetime(t) = start + floor((t - anchor) * 10,000,000 / ticks per second)`, where the anchor is the stamp of the
/// log-file-header record and the start its `StartTime`. Windows takes the difference first and rounds down, and so does
/// this. Source: format reference, "Conversion to FILETIME". The boot time is no anchor.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Clock(Rule);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Rule {
    /// Nothing to convert with.
    #[default]
    Unknown,
    /// Ticks are `FILETIME`s.
    Identity,
    Linear(Linear),
    /// Type 0 since 6.0, of which nothing certain is known: large values are `FILETIME`s, others follow the counter, if its
    /// rate is known.
    Guess(Option<Linear>),
}

/// Larger ticks cannot be those of a counter: 10^17 is the year 1917 as a `FILETIME`, and 31 years at 100 MHz.
const LEAST_FILE_TIME: i64 = 100_000_000_000_000_000;

impl Clock {
    /// A clock that cannot convert: every time is `None`.
    pub const UNKNOWN: Self = Self(Rule::Unknown);

    /// Stamps that are `FILETIME`s already.
    pub const SYSTEM_TIME: Self = Self(Rule::Identity);

    /// A counter of `per_second` ticks a second that stood at `anchor` when it was `start`; unknown unless that rate is
    /// positive.
    #[must_use]
    pub const fn linear(anchor: Ticks, start: FileTime, per_second: i64) -> Self {
        if per_second > 0 {
            Self(Rule::Linear(Linear { anchor: anchor.0, start: start.0, per_second }))
        } else {
            Self::UNKNOWN
        }
    }

    /// The same, but large values are taken as `FILETIME`s.
    pub(crate) const fn guess(anchor: Ticks, start: FileTime, per_second: i64) -> Self {
        match Self::linear(anchor, start, per_second) {
            Self(Rule::Linear(linear)) => Self(Rule::Guess(Some(linear))),
            _ => Self(Rule::Guess(None)),
        }
    }

    /// Whether this clock can convert at all.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        !matches!(self.0, Rule::Unknown)
    }

    /// How many ticks a duration takes; `None` if nothing tells the rate.
    #[cfg(feature = "std")]
    pub(crate) fn ticks_in(&self, duration: core::time::Duration) -> Option<i64> {
        let per_second = match self.0 {
            Rule::Unknown | Rule::Guess(None) => return None,
            Rule::Identity => PER_SECOND,
            Rule::Linear(linear) | Rule::Guess(Some(linear)) => linear.per_second,
        };
        let nanoseconds = i128::try_from(duration.as_nanos()).ok()?;
        let ticks = nanoseconds.saturating_mul(per_second.into()).checked_div(1_000_000_000)?;
        Some(i64::try_from(ticks).unwrap_or(i64::MAX))
    }

    /// The least stamp whose time of day is not before `time`, as far as it fits; `None` if nothing tells the rate.
    #[must_use]
    pub fn ticks_at(&self, time: FileTime) -> Option<Ticks> {
        match self.0 {
            Rule::Unknown | Rule::Guess(None) => None,
            Rule::Identity => Some(Ticks(time.0)),
            Rule::Linear(linear) | Rule::Guess(Some(linear)) => Some(Ticks(linear.ticks_at(time.0))),
        }
    }

    /// The time of day of a stamp. `None` if the trace has no anchor or rate, or the result is no `FILETIME`.
    #[must_use]
    pub fn to_file_time(&self, ticks: Ticks) -> Option<FileTime> {
        match self.0 {
            Rule::Unknown => None,
            Rule::Identity => Some(FileTime(ticks.0)),
            Rule::Guess(_) if ticks.0 > LEAST_FILE_TIME => Some(FileTime(ticks.0)),
            Rule::Guess(None) => None,
            Rule::Linear(linear) | Rule::Guess(Some(linear)) => linear.to_file_time(ticks.0),
        }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Linear {
    anchor: i64,
    start: i64,
    /// Positive.
    per_second: i64,
}

impl Linear {
    fn ticks_at(self, time: i64) -> i64 {
        let since = i128::from(time).saturating_sub(self.start.into()).saturating_mul(self.per_second.into());
        // Rounded up.
        let since =
            since.saturating_add(i128::from(PER_SECOND).saturating_sub(1)).div_euclid(PER_SECOND.into());
        let ticks = since.saturating_add(self.anchor.into());
        i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
    }

    fn to_file_time(self, ticks: i64) -> Option<FileTime> {
        self.in_64_bits(ticks).or_else(|| self.in_128_bits(ticks)).map(FileTime)
    }

    /// Whole seconds and the rest apart, which overflows only for stamps and rates that no machine has.
    fn in_64_bits(self, ticks: i64) -> Option<i64> {
        let since = ticks.checked_sub(self.anchor)?;
        let seconds = since.checked_div_euclid(self.per_second)?;
        let rest = since.checked_rem_euclid(self.per_second)?;
        let fraction = rest.checked_mul(PER_SECOND)?.checked_div(self.per_second)?;
        self.start.checked_add(seconds.checked_mul(PER_SECOND)?)?.checked_add(fraction)
    }

    fn in_128_bits(self, ticks: i64) -> Option<i64> {
        let since = i128::from(ticks).checked_sub(i128::from(self.anchor))?;
        let scaled = since.checked_mul(i128::from(PER_SECOND))?;
        let past_start = scaled.checked_div_euclid(i128::from(self.per_second))?;
        i64::try_from(i128::from(self.start).checked_add(past_start)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: FileTime = FileTime(129_402_940_472_257_591);

    fn file_time(per_second: i64, anchor: i64, ticks: i64) -> Option<i64> {
        Clock::linear(Ticks(anchor), START, per_second).to_file_time(Ticks(ticks)).map(FileTime::get)
    }

    #[test]
    fn the_difference_is_taken_first_and_the_quotient_rounded_down() {
        assert_eq!(file_time(10_000_000, 1000, 1007), Some(START.0 + 7));
        // 5 ticks of 1,818,300 a second are 27.49... units of 100 ns.
        assert_eq!(file_time(1_818_300, 1000, 1005), Some(START.0 + 27));
        assert_eq!(file_time(1_818_300, 1000, 995), Some(START.0 - 28));
        assert_eq!(file_time(3_000_000_000, 0, 299), Some(START.0));
        assert_eq!(file_time(3_000_000_000, 0, 300), Some(START.0 + 1));
    }

    #[test]
    fn a_day_and_more_at_ten_megahertz_does_not_overflow() {
        let day = 86_400 * 10_000_000;
        assert_eq!(file_time(10_000_000, 0, 400 * day), Some(START.0 + 400 * day));
    }

    #[test]
    fn a_rate_that_is_not_positive_converts_nothing() {
        assert_eq!(file_time(0, 0, 5), None);
        assert_eq!(file_time(-1, 0, 5), None);
        assert_eq!(Clock::UNKNOWN.to_file_time(Ticks(5)), None);
    }

    #[test]
    fn a_result_outside_the_range_is_none() {
        assert_eq!(file_time(1, 0, i64::MAX), None);
        assert_eq!(file_time(1, 0, i64::MIN), None);
        assert_eq!(file_time(i64::MAX, i64::MIN, i64::MAX), Some(START.0 + 20_000_000));
    }

    #[test]
    fn an_untold_clock_is_guessed_from_the_size_of_the_stamp() {
        let clock = Clock::guess(Ticks(1000), START, 10_000_000);
        assert_eq!(clock.to_file_time(Ticks(1001)), Some(FileTime(START.0 + 1)));
        assert_eq!(clock.to_file_time(Ticks(START.0)), Some(START));
        let clock = Clock::guess(Ticks(1000), START, 0);
        assert_eq!(clock.to_file_time(Ticks(1001)), None);
        assert_eq!(clock.to_file_time(Ticks(START.0)), Some(START));
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_plain_one(
            anchor: i64, start: i64, per_second in prop_oneof![1..5_000_000_000_i64, 1..=i64::MAX], ticks: i64,
        ) {
            let linear = Linear { anchor, start, per_second };
            if let Some(fast) = linear.in_64_bits(ticks) {
                prop_assert_eq!(Some(fast), linear.in_128_bits(ticks));
            }
        }
    }
}
