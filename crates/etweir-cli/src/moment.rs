//! Points in time on the command line.

use core::str::FromStr;

use etweir::FileTime;
use jiff::{SignedDuration, Timestamp};

/// A limit of time: absolute, or counted from the start of the trace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Moment {
    At(Timestamp),
    AfterStart(SignedDuration),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix('+') {
            Some(offset) => offset.parse().map(Self::AfterStart).map_err(|error| error.to_string()),
            None => text.parse().map(Self::At).map_err(|error| {
                format!("neither an offset such as +1.5s nor a date such as 2011-01-23T22:07:27Z: {error}")
            }),
        }
    }
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
            Self::At(time) => Some(time.as_nanosecond()),
            Self::AfterStart(offset) => {
                Some(start?.to_unix().saturating_mul(100).saturating_add(offset.as_nanos()))
            }
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
    fn other_text_is_refused() {
        for text in ["", "+", "1.5s", "yesterday", "2011-01-23", "2011-01-23T22:07:27"] {
            assert!(text.parse::<Moment>().is_err(), "{text:?}");
        }
    }
}
