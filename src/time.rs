//! Instants: raw session ticks, and `FILETIME`s.

use core::fmt;

/// A raw time stamp: a count of the session's clock, whose rate and origin only the log-file header tells.
///
/// Comparable with stamps of the same session and with nothing else.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Ticks(pub i64);

impl Ticks {
    /// The count as a plain number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A `FILETIME`: a count of 100 ns since 1601-01-01T00:00:00Z, signed here.
///
/// Prints as RFC 3339 in UTC with all seven digits: `2011-01-23T22:07:27.2257591Z`. Years past 9999, which only damaged
/// input has, print with as many digits as they need; [`FileTime::is_rfc3339`] tells.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FileTime(pub i64);

/// Units of a `FILETIME` in a second.
pub(crate) const PER_SECOND: i64 = 10_000_000;
const PER_DAY: i64 = 86_400 * PER_SECOND;
/// 1601-01-01 in days before 1970-01-01.
const DAYS_TO_1970: i64 = 134_774;
/// 10000-01-01T00:00:00Z.
const YEAR_10000: i64 = 2_650_467_744_000_000_000;
/// 0000-01-01T00:00:00Z.
const YEAR_0: i64 = -505_227_456_000_000_000;

impl FileTime {
    /// The count as a plain number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// From seconds since 1970-01-01T00:00:00Z and 100 ns past them; `None` outside the range of a `FILETIME`.
    #[must_use]
    pub const fn from_unix(seconds: i64, hundreds_of_ns: i64) -> Option<Self> {
        let Some(seconds) = seconds.checked_add(DAYS_TO_1970 * 86_400) else {
            return None;
        };
        let Some(count) = seconds.checked_mul(PER_SECOND) else {
            return None;
        };
        match count.checked_add(hundreds_of_ns) {
            Some(count) => Some(Self(count)),
            None => None,
        }
    }

    /// 100 ns since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn to_unix(self) -> i128 {
        i128::from(self.0).saturating_sub(i128::from(DAYS_TO_1970).saturating_mul(i128::from(PER_DAY)))
    }

    /// Whether the printed form has a year of four digits, as RFC 3339 wants.
    #[must_use]
    pub const fn is_rfc3339(self) -> bool {
        self.0 >= YEAR_0 && self.0 < YEAR_10000
    }
}

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.0.div_euclid(PER_DAY));
        let in_day = self.0.rem_euclid(PER_DAY);
        let second = in_day / PER_SECOND;
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:07}Z",
            second / 3600,
            second / 60 % 60,
            second % 60,
            in_day % PER_SECOND
        )
    }
}

/// Year, month and day of a day counted from 1601-01-01, in the proleptic Gregorian calendar.
///
/// 1601 begins a 400-year cycle, so the count needs no shift. Within the year, months are counted from March, so that
/// the leap day comes last and the lengths of months follow the line (153 m + 2) / 5.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "a day number of at most 2^63 / 8.64e11 cannot overflow any step"
)]
pub(crate) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // 1600-03-01 is 306 days before 1601-01-01.
    let shifted = days + 306;
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = 1600 + cycle * 400 + year_of_cycle + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn instants_print_with_seven_digits_in_utc() {
        for (count, text) in [
            (0, "1601-01-01T00:00:00.0000000Z"),
            (-1, "1600-12-31T23:59:59.9999999Z"),
            (116_444_736_000_000_000, "1970-01-01T00:00:00.0000000Z"),
            (129_402_940_472_257_591, "2011-01-23T22:07:27.2257591Z"),
            // 2000-02-29, the leap day that a century rule without the 400 years would lose.
            (125_962_560_000_000_000, "2000-02-29T00:00:00.0000000Z"),
            (125_963_424_000_000_000, "2000-03-01T00:00:00.0000000Z"),
            (YEAR_10000 - 1, "9999-12-31T23:59:59.9999999Z"),
            (YEAR_0, "0000-01-01T00:00:00.0000000Z"),
        ] {
            assert_eq!(FileTime(count).to_string(), text);
        }
    }

    #[test]
    fn years_past_9999_are_not_rfc_3339() {
        assert!(FileTime(YEAR_10000 - 1).is_rfc3339());
        assert!(!FileTime(YEAR_10000).is_rfc3339());
        assert!(FileTime(YEAR_0).is_rfc3339());
        assert!(!FileTime(YEAR_0 - 1).is_rfc3339());
        assert_eq!(FileTime(i64::MAX).to_string(), "30828-09-14T02:48:05.4775807Z");
        assert_eq!(FileTime(i64::MIN).to_string(), "-27627-04-19T21:11:54.5224192Z");
    }

    #[test]
    fn unix_time_is_counted_from_1970() {
        assert_eq!(FileTime::from_unix(0, 0), Some(FileTime(116_444_736_000_000_000)));
        assert_eq!(FileTime::from_unix(1, 5), Some(FileTime(116_444_736_010_000_005)));
        assert_eq!(FileTime::from_unix(i64::MAX, 0), None);
        assert_eq!(FileTime(116_444_736_010_000_005).to_unix(), 10_000_005);
    }
}
