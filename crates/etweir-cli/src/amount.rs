//! Amounts on the command line: a decimal number and a unit.

/// `number` times `unit`, rounded down: digits, with or without a fraction. `None` if it is no such number, or too
/// large.
pub(crate) fn scaled(number: &str, unit: u64) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let whole = whole.parse::<u128>().ok()?.checked_mul(unit.into())?;
    // What lies behind these digits is less than one of any unit.
    let fraction = fraction.get(..FRACTION_DIGITS).unwrap_or(fraction);
    let divisor = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    whole.checked_add(fraction.parse::<u128>().ok()?.checked_mul(unit.into())?.checked_div(divisor)?)
}

const FRACTION_DIGITS: usize = 18;

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number at the start of a text, and what follows it.
pub(crate) fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A size in memory, such as `1000`, `64KiB` or `1.5 GB`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = split(text.trim());
    let bytes = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit.trim_start()));
    bytes.and_then(|(_, bytes)| u64::try_from(scaled(number, *bytes)?).ok()).ok_or_else(|| {
        "not a number of bytes below 2^64, plain or with KB, MB, GB, TB, KiB, MiB, GiB or TiB".to_owned()
    })
}

/// A number of threads.
pub(crate) fn threads(text: &str) -> Result<usize, String> {
    const MOST: usize = 64;
    let count = text.parse().ok().filter(|count| *count <= MOST);
    count.ok_or_else(|| format!("not a number from 0 to {MOST}"))
}

const UNITS: [(&str, u64); 14] = [
    ("", 1),
    ("B", 1),
    ("K", 1000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("KB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_with_or_without_a_unit() {
        for (text, expected) in [
            ("0", 0),
            ("1000", 1000),
            ("64KiB", 65_536),
            ("64 kib", 65_536),
            ("1.5GiB", 1_610_612_736),
            ("2gb", 2_000_000_000),
            ("0.3B", 0),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(bytes(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_size_is_told_what_is() {
        for text in [
            "",
            "much",
            "-1",
            "+1",
            "1.",
            ".5",
            "1,5GB",
            "1.5.5",
            "inf",
            "1e9",
            "18446744073709551616",
            "9999999999TiB",
        ] {
            assert!(bytes(text).expect_err(text).contains("KiB"), "{text:?}");
        }
    }
}
