//! Points in time on the command line.

use core::str::FromStr;
use core::time::Duration;

use etweir::FileTime;
use jiff::civil::Date;

use crate::amount;

/// A limit of time: absolute, or counted from the start of the trace. In nanoseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    /// Since 1970.
    At(i128),
    AfterStart(i128),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('+') {
            Some(text) => match offset(text) {
                None => Err(format!("{EXPECTED_OFFSET}, such as +1.5s, +2h30m or +1d")),
                Some(offset) if offset > LONGEST => Err("an offset is at most +3650000d".to_owned()),
                Some(offset) => Ok(Self::AfterStart(offset)),
            },
            None => date(text).map(Self::At).ok_or_else(|| {
                "neither an offset such as +1.5s nor a date and time (RFC 3339) such as 2011-01-23T22:07:27Z".to_owned()
            }),
        }
    }
}

/// A length of time, such as `500ms` or `1m30s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let nanoseconds = offset(text).and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
    nanoseconds.map(Duration::from_nanos).ok_or_else(|| {
        "a time is numbers with d, h, m, s, ms, us or ns, in this order, such as 500ms, 3s or 1m30s"
            .to_owned()
    })
}

const EXPECTED_OFFSET: &str = "an offset is a `+` and numbers with d, h, m, s, ms, us or ns, in this order";

/// Ten millennia less some years, so that no sum overflows.
const LONGEST: i128 = 3_650_000 * 86_400 * 1_000_000_000;

/// The nanoseconds of `1.5s`, `2h30m` or `1m 30s`: each unit once, the larger ones first; `0` needs none.
fn offset(text: &str) -> Option<i128> {
    if text == "0" {
        return Some(0);
    }
    let mut sum = 0_i128;
    let mut rest = text;
    let mut units = UNITS.iter();
    // Each turn takes a number and a unit off the rest.
    loop {
        let (number, tail) = amount::split(rest);
        let end = tail.find(|c: char| c.is_ascii_digit() || c == ' ').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let (_, nanoseconds) = units.find(|(names, _)| names.contains(&unit))?;
        let part = i128::try_from(amount::scaled(number, *nanoseconds)?).unwrap_or(i128::MAX);
        sum = sum.saturating_add(part);
        rest = tail.strip_prefix(' ').unwrap_or(tail);
        if tail.is_empty() {
            return Some(sum);
        }
    }
}

const UNITS: [(&[&str], u64); 7] = [
    (&["d"], 86_400_000_000_000),
    (&["h"], 3_600_000_000_000),
    (&["m", "min"], 60_000_000_000),
    (&["s", "sec"], 1_000_000_000),
    (&["ms"], 1_000_000),
    (&["us", "\u{b5}s", "\u{3bc}s"], 1000),
    (&["ns"], 1),
];

/// The nanoseconds between 1970 and a date and time as in RFC 3339. What is less than a nanosecond is cut off.
fn date(text: &str) -> Option<i128> {
    let (day, rest) = text.split_at_checked("2011-01-23".len())?;
    let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked("22:07:27".len())?;
    let [year, month, day] = numbers(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    // 60 is a leap second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = rest.split_at_checked(zone_at)?;
    let nanoseconds = match fraction {
        "" => 0,
        digits => amount::scaled(&format!("0.{}", digits.strip_prefix('.')?), 1_000_000_000)?,
    };
    let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let days = Date::constant(1970, 1, 1).until(day).ok()?.get_days();
    let seconds =
        i64::from(days) * 86_400 + i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)
            - zone_seconds(zone)?;
    Some(i128::from(seconds) * 1_000_000_000 + i128::try_from(nanoseconds).ok()?)
}

/// The offset from UTC.
fn zone_seconds(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let (sign, zone) =
        zone.strip_prefix('-').map(|zone| (-1, zone)).or_else(|| Some((1, zone.strip_prefix('+')?)))?;
    let [hours, minutes] = numbers(zone, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// Numbers with exactly so many digits each.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i16; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == digits)?;
        *number = part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

impl Moment {
    /// Whether a trace's start is needed to tell when it is.
    pub(crate) const fn needs_start(self) -> bool {
        matches!(self, Self::AfterStart(_))
    }

    /// The first time that is not before it; `None` if it counts from a start that nothing tells.
    pub(crate) fn ceil(self, start: Option<FileTime>) -> Option<FileTime> {
        self.nanoseconds(start).map(|time| file_time(time.saturating_add(99)))
    }

    /// The last time that is not after it; `None` if it counts from a start that nothing tells.
    pub(crate) fn floor(self, start: Option<FileTime>) -> Option<FileTime> {
        self.nanoseconds(start).map(file_time)
    }

    /// Since 1970.
    fn nanoseconds(self, start: Option<FileTime>) -> Option<i128> {
        match self {
            Self::At(time) => Some(time),
            Self::AfterStart(offset) => Some(start?.to_unix().saturating_mul(100).saturating_add(offset)),
        }
    }
}

/// From nanoseconds since 1970, rounded down; what lies outside the range becomes its end.
fn file_time(nanoseconds: i128) -> FileTime {
    let since_1970 = nanoseconds.div_euclid(100);
    let count = since_1970.saturating_sub(FileTime(0).to_unix());
    FileTime(i64::try_from(count).unwrap_or(if count < 0 { i64::MIN } else { i64::MAX }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: FileTime = FileTime(129_402_940_472_257_591);

    #[test]
    fn a_date_is_that_very_time() {
        let moment: Moment = "2011-01-23T22:07:27.2257591Z".parse().expect("a date");
        assert_eq!((moment.ceil(None), moment.floor(None)), (Some(START), Some(START)));
        let moment: Moment = "2011-01-24T00:07:27.22575911+02:00".parse().expect("a date");
        assert_eq!((moment.ceil(None), moment.floor(None)), (Some(FileTime(START.0 + 1)), Some(START)));
    }

    #[test]
    fn an_offset_counts_from_the_start() {
        let moment: Moment = "+1.5s".parse().expect("an offset");
        assert_eq!(moment.floor(Some(START)), Some(FileTime(START.0 + 15_000_000)));
        assert_eq!(moment.floor(None), None);
        let moment: Moment = "+1m 30s 250ms".parse().expect("an offset");
        assert_eq!(moment.floor(Some(START)), Some(FileTime(START.0 + 902_500_000)));
    }

    #[test]
    fn offsets_are_numbers_with_units() {
        const SECOND: i128 = 1_000_000_000;
        for (text, nanoseconds) in [
            ("+0", 0),
            ("+0s", 0),
            ("+1d", 86_400 * SECOND),
            ("+2h30m", 9000 * SECOND),
            ("+1d 0.5h", 88_200 * SECOND),
            ("+1.0000000019s", SECOND + 1),
            ("+3us7ns", 3007),
            ("+1.5\u{b5}s", 1500),
            ("+2min1sec", 121 * SECOND),
            ("+3650000d", LONGEST),
        ] {
            assert_eq!(text.parse(), Ok(Moment::AfterStart(nanoseconds)), "{text:?}");
        }
    }

    #[test]
    fn a_length_of_time_is_an_offset_without_its_sign() {
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1.5ms"), Ok(Duration::from_micros(1500)));
        for text in ["", "+1s", "1", "-1s", "always", "3650000d"] {
            assert!(duration(text).expect_err(text).contains("500ms"), "{text:?}");
        }
    }

    #[test]
    fn the_last_second_of_9999_is_a_date_in_any_zone() {
        let last = Moment::At(253_402_300_799_000_000_000);
        assert_eq!("9999-12-31T23:59:59Z".parse(), Ok(last));
        assert_eq!("9999-12-31t22:59:59.000-01:00".parse(), Ok(last));
        assert_eq!("1970-01-01 00:00:00.25z".parse(), Ok(Moment::At(250_000_000)));
        assert_eq!("0001-01-01T00:00:00+23:59".parse(), Ok(Moment::At(-62_135_683_140_000_000_000)));
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "+",
            "+ 1s",
            "+1",
            "+s",
            "+1.5s ago",
            "+-1s",
            "++1s",
            "+1,5s",
            "+inf",
            "+1e3s",
            "+1.s",
            "+.5s",
            "+1s1s",
            "+1s2h",
            "+1s  2ms",
            "+1s ",
            "+1x",
            "+\u{663}s",
        ] {
            let error = text.parse::<Moment>().expect_err(text);
            assert!(error.contains("such as +1.5s, +2h30m or +1d"), "{text:?}: {error}");
        }
        for text in ["+3650001d", "+99999999999999999999s", "+340282366920938463463374607431768211456s"] {
            let error = text.parse::<Moment>().expect_err(text);
            assert!(error.contains("+1.5s") || error.contains("at most +3650000d"), "{text:?}: {error}");
        }
        for text in [
            "",
            "1.5s",
            "inf",
            "yesterday",
            "2011-01-23",
            "2011-01-23T22:07:27",
            "2011-01-23T22:07Z",
            "2011-02-29T00:00:00Z",
            "2011-01-23T24:00:00Z",
            "2011-01-23T22:07:27.Z",
            "2011-01-23T22:07:27,5Z",
            "2011-01-23T22:07:275Z",
            "2011-01-23T22:07:27+2",
            "2011-01-23T22:07:27+24:00",
            "2011-01-23T22:07:27Z ",
            "10000-01-01T00:00:00Z",
            "2011-01-23T22:07:27\u{e9}Z",
            "2011-01-2\u{e9}T22:07:27Z",
        ] {
            let error = text.parse::<Moment>().expect_err(text);
            assert!(error.contains("2011-01-23T22:07:27Z"), "{text:?}: {error}");
        }
    }
}
