//! Dates and times of day as text.
//!
//! Source: payload reference, "Common value types" and "Dates".

use crate::decode::format::digits::fill;
use crate::decode::value::SystemTime;
use crate::time::{FileTime, PER_SECOND, civil_from_days};

/// Whether a `FILETIME` is set: 0 and what is above 0x7FFFFFFFFFFFFFFF, negative here, stand for no date.
pub(super) const fn is_date(time: FileTime) -> bool {
    time.0 > 0
}

const PER_DAY: i64 = 86_400 * PER_SECOND;

/// `2021-09-09T14:59:35.7993232Z`; `None` if the year does not have four digits.
pub(super) fn rfc3339(time: FileTime) -> Option<[u8; 28]> {
    if !time.is_rfc3339() {
        return None;
    }
    let (year, month, day) = civil_from_days(time.0.div_euclid(PER_DAY));
    let in_day = time.0.rem_euclid(PER_DAY);
    let second = (in_day / PER_SECOND).unsigned_abs();
    let mut text = *b"....-..-..T..:..:..........Z";
    put(&mut text, 0..4, year.unsigned_abs());
    put(&mut text, 5..7, month.unsigned_abs());
    put(&mut text, 8..10, day.unsigned_abs());
    put(&mut text, 11..13, second / 3600);
    put(&mut text, 14..16, second / 60 % 60);
    put(&mut text, 17..19, second % 60);
    put(&mut text, 20..27, (in_day % PER_SECOND).unsigned_abs());
    Some(text)
}

fn put(text: &mut [u8], range: core::ops::Range<usize>, number: u64) {
    fill(text.get_mut(range).unwrap_or_default(), number);
}

/// Whether all parts are zero, which stands for no date.
pub(super) fn is_unset(time: &SystemTime) -> bool {
    *time == SystemTime::default()
}

/// `2021-09-09T14:59:35.799Z`; `None` if there is no such date, or its year does not have four digits.
pub(super) fn system_rfc3339(time: &SystemTime) -> Option<[u8; 24]> {
    let days = match time.month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(time.year) => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let is_valid = time.year < 10_000
        && (1..=days).contains(&time.day)
        && time.hour < 24
        && time.minute < 60
        // Programs that know leap seconds may see one.
        && time.second <= 60
        && time.milliseconds < 1000;
    if !is_valid {
        return None;
    }
    let mut text = *b"....-..-..T..:..:......Z";
    put(&mut text, 0..4, time.year.into());
    put(&mut text, 5..7, time.month.into());
    put(&mut text, 8..10, time.day.into());
    put(&mut text, 11..13, time.hour.into());
    put(&mut text, 14..16, time.minute.into());
    put(&mut text, 17..19, time.second.into());
    put(&mut text, 20..23, time.milliseconds.into());
    Some(text)
}

const fn is_leap_year(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_file_time_has_seven_digits_of_a_second() {
        assert_eq!(
            rfc3339(FileTime(132_756_731_757_993_232)).as_ref(),
            Some(b"2021-09-09T14:59:35.7993232Z")
        );
        assert_eq!(rfc3339(FileTime(1)).as_ref(), Some(b"1601-01-01T00:00:00.0000001Z"));
        assert_eq!(rfc3339(FileTime(i64::MAX)), None);
        assert_eq!(rfc3339(FileTime(i64::MIN)), None);
    }

    #[test]
    fn zero_and_what_is_past_the_signed_range_are_no_dates() {
        assert!(!is_date(FileTime(0)));
        assert!(!is_date(FileTime(i64::MIN)));
        assert!(!is_date(FileTime(-1)));
        assert!(is_date(FileTime(1)));
        assert!(is_date(FileTime(i64::MAX)));
    }

    const DATE: SystemTime = SystemTime {
        year: 2021,
        month: 9,
        day_of_week: 4,
        day: 9,
        hour: 14,
        minute: 59,
        second: 35,
        milliseconds: 799,
    };

    #[test]
    fn a_system_time_has_three_digits_of_a_second() {
        assert_eq!(system_rfc3339(&DATE).as_ref(), Some(b"2021-09-09T14:59:35.799Z"));
        let leap_second = SystemTime { month: 12, day: 31, hour: 23, second: 60, ..DATE };
        assert_eq!(system_rfc3339(&leap_second).as_ref(), Some(b"2021-12-31T23:59:60.799Z"));
    }

    #[test]
    fn numbers_that_are_no_date_are_refused() {
        for time in [
            SystemTime { year: 30_828, ..DATE },
            SystemTime { year: 10_000, ..DATE },
            SystemTime { month: 0, ..DATE },
            SystemTime { month: 13, ..DATE },
            SystemTime { month: u16::MAX, ..DATE },
            SystemTime { day: 0, ..DATE },
            SystemTime { month: 9, day: 31, ..DATE },
            SystemTime { month: 2, day: 29, ..DATE },
            SystemTime { year: 1900, month: 2, day: 29, ..DATE },
            SystemTime { hour: 24, ..DATE },
            SystemTime { minute: 60, ..DATE },
            SystemTime { second: 61, ..DATE },
            SystemTime { milliseconds: 1000, ..DATE },
        ] {
            assert_eq!(system_rfc3339(&time), None, "{time:?}");
        }
        for time in [
            SystemTime { year: 2024, month: 2, day: 29, ..DATE },
            SystemTime { year: 2000, month: 2, day: 29, ..DATE },
            SystemTime { year: 9999, month: 12, day: 31, ..DATE },
        ] {
            assert!(system_rfc3339(&time).is_some(), "{time:?}");
        }
        assert!(is_unset(&SystemTime::default()));
        assert!(!is_unset(&DATE));
    }

    proptest! {
        #[test]
        fn file_times_print_as_they_do_elsewhere(count: i64) {
            match rfc3339(FileTime(count)) {
                Some(text) => prop_assert_eq!(text.to_vec(), FileTime(count).to_string().into_bytes()),
                None => prop_assert!(!FileTime(count).is_rfc3339()),
            }
        }
    }
}
