//! The paths that EventSource writes into activity ids.
//!
//! Source: payload reference, "EventSource activity paths".

use core::fmt;

use crate::guid::Guid;

/// An activity id that is a path: `//1/2` is the parent of `//1/2/1`.
///
/// Prints as `//1/2`, or as `/#4711/1/2` where the id tells the process that made it. A number that is no count of the
/// parent's activities, but an id in its place, follows a `$` instead of a `/`.
///
/// ```
/// use etweir::decode::format::ActivityPath;
///
/// let id = "00001211-0000-0000-0000-0000beab9d59".parse()?;
/// assert_eq!(ActivityPath::new(id, None).map(|path| path.to_string()).as_deref(), Some("//1/1/1/2"));
/// # Ok::<(), etweir::GuidError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ActivityPath {
    numbers: [u8; 12],
    process_id: Option<u32>,
}

impl ActivityPath {
    /// The path that an activity id holds; `None` if it is an ordinary GUID.
    ///
    /// `process_id` is that of the event. Without it an id is taken for a path if its check word fits some process id
    /// below 2^20.
    #[must_use]
    pub fn new(id: Guid, process_id: Option<u32>) -> Option<Self> {
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, check @ ..] = id.to_bytes();
        let sum = [[a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3]]
            .into_iter()
            .map(u32::from_le_bytes)
            .fold(SEED, u32::wrapping_add);
        let difference = sum ^ u32::from_le_bytes(check);
        let is_path = match process_id {
            Some(process_id) => difference == process_id || difference == 0,
            None => difference < FIRST_IMPLAUSIBLE_PROCESS_ID,
        };
        is_path.then_some(Self {
            numbers: [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3],
            process_id: (difference != 0).then_some(difference),
        })
    }

    /// The process that made the path. Paths of old versions of .NET do not tell it.
    #[must_use]
    pub const fn process_id(self) -> Option<u32> {
        self.process_id
    }

    /// The numbers from the root on.
    pub fn steps(self) -> impl Iterator<Item = ActivityStep> {
        Steps { nibbles: self.numbers, at: 0 }
    }
}

const SEED: u32 = 0x599D_99AD;
const FIRST_IMPLAUSIBLE_PROCESS_ID: u32 = 1 << 20;

impl fmt::Display for ActivityPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.process_id {
            Some(process_id) => write!(f, "/#{process_id}")?,
            None => f.write_str("/")?,
        }
        let mut steps = self.steps().peekable();
        if steps.peek().is_none() {
            f.write_str("/")?;
        }
        steps.try_for_each(|step| match step {
            ActivityStep::Child(number) => write!(f, "/{number}"),
            ActivityStep::Overflow(id) => write!(f, "${id}"),
        })
    }
}

/// One number of an [`ActivityPath`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ActivityStep {
    /// Which child of its parent the activity is, from 1.
    Child(u64),
    /// An id of its own, where the path had no room left.
    Overflow(u64),
}

/// Reads the list of numbers, high nibbles first. Every step goes on by at least one nibble, or ends the list.
struct Steps {
    nibbles: [u8; 12],
    /// In nibbles.
    at: usize,
}

impl Steps {
    fn nibble(&mut self) -> Option<u8> {
        let byte = *self.nibbles.get(self.at / 2)?;
        let nibble = if self.at.is_multiple_of(2) { byte >> 4 } else { byte & 0xF };
        self.at = self.at.saturating_add(1);
        Some(nibble)
    }

    /// The number behind a code of 12 to 15, little-endian from the next byte on. A code in a high nibble leaves room for
    /// four more bits, the most significant ones, in the low nibble.
    fn long(&mut self, code: u8) -> Option<u64> {
        let len = usize::from(code.checked_sub(PREFIX)?);
        let most = if self.at.is_multiple_of(2) { 0 } else { self.nibble()? };
        let start = self.at / 2;
        let bytes = self.nibbles.get(start..start.checked_add(len)?)?;
        self.at = start.saturating_add(len).saturating_mul(2);
        Some(bytes.iter().rev().fold(u64::from(most), |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn step(&mut self) -> Option<ActivityStep> {
        match self.nibble()? {
            0 => None,
            number @ 1..PREFIX => Some(ActivityStep::Child(number.into())),
            PREFIX => match self.nibble()? {
                code @ 12.. => self.long(code).map(ActivityStep::Overflow),
                _ => None,
            },
            code => self.long(code).map(ActivityStep::Child),
        }
    }
}

/// The code in front of an overflow id; one more stands for a number of one byte.
const PREFIX: u8 = 11;

impl Iterator for Steps {
    type Item = ActivityStep;

    fn next(&mut self) -> Option<ActivityStep> {
        let step = self.step();
        if step.is_none() {
            self.at = usize::MAX;
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;

    /// An id with these numbers, made by this process (0: an old one, which does not tell).
    fn id(numbers: [u8; 12], process_id: u32) -> Guid {
        let words: [[u8; 4]; 3] =
            core::array::from_fn(|word| core::array::from_fn(|byte| numbers[word * 4 + byte]));
        let sum = words.map(u32::from_le_bytes).into_iter().fold(0x599D_99AD, u32::wrapping_add);
        let mut bytes = [0; 16];
        bytes[..12].copy_from_slice(&numbers);
        bytes[12..].copy_from_slice(&(sum ^ process_id).to_le_bytes());
        Guid::from_bytes(bytes)
    }

    fn text(numbers: &[u8], process_id: u32) -> String {
        let mut all = [0; 12];
        all[..numbers.len()].copy_from_slice(numbers);
        ActivityPath::new(id(all, process_id), Some(process_id)).expect("a path").to_string()
    }

    #[test]
    fn small_numbers_take_a_nibble_each() {
        assert_eq!(text(&[0x12, 0x30], 0), "//1/2/3");
        assert_eq!(text(&[0xA1, 0x00], 0), "//10/1");
        assert_eq!(text(&[0x10, 0x20], 0), "//1");
        assert_eq!(text(&[], 0), "//");
    }

    #[test]
    fn a_path_may_fill_all_twelve_bytes() {
        assert_eq!(text(&[0x11; 12], 0), "//1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1");
    }

    #[test]
    fn a_long_number_in_a_high_nibble_has_its_top_bits_in_the_low_one() {
        // C: one byte; the low nibble 2 in front of 0x34.
        assert_eq!(text(&[0xC2, 0x34, 0x10], 0), "//564/1");
        // D: two bytes, little-endian.
        assert_eq!(text(&[0xD0, 0x34, 0x12, 0x10], 0), "//4660/1");
        // E: three bytes.
        assert_eq!(text(&[0xE0, 0x56, 0x34, 0x12, 0x10], 0), "//1193046/1");
        // F: four bytes, and 36 bits in all.
        assert_eq!(text(&[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x10], 0), "//68719476735/1");
    }

    #[test]
    fn a_long_number_in_a_low_nibble_starts_at_the_next_byte() {
        assert_eq!(text(&[0x1C, 0x34, 0x10], 0), "//1/52/1");
        assert_eq!(text(&[0x1F, 0x78, 0x56, 0x34, 0x12, 0x20], 0), "//1/305419896/2");
    }

    #[test]
    fn an_overflow_id_follows_a_dollar_sign() {
        // Prefix in the high nibble, code in the low one.
        assert_eq!(text(&[0xBC, 0x05], 0), "/$5");
        assert_eq!(text(&[0x12, 0xBD, 0x34, 0x12, 0x10], 0), "//1/2$4660/1");
        // Prefix in the low nibble; the code is in a high one, whose low nibble has the top bits.
        assert_eq!(text(&[0x1B, 0xC2, 0x34, 0x10], 0), "//1$564/1");
    }

    #[test]
    fn a_prefix_without_a_long_number_ends_the_list() {
        assert_eq!(text(&[0x1B, 0x51], 0), "//1");
        assert_eq!(text(&[0xBB, 0xC1], 0), "//");
    }

    #[test]
    fn a_number_that_does_not_fit_ends_the_list() {
        // F at the start of the tenth byte: two bytes are left for four.
        assert_eq!(text(&[0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0xF0, 1, 2], 0), {
            "//1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1/1"
        });
        // The prefix is the last nibble of all.
        let mut numbers = [0x11; 12];
        numbers[11] = 0x1B;
        assert_eq!(text(&numbers, 0).len(), 2 + 2 * 23 - 1);
    }

    #[test]
    fn a_path_tells_its_process_and_is_checked_against_it() {
        assert_eq!(text(&[0x12], 4711), "/#4711/1/2");
        let numbers = [0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(ActivityPath::new(id(numbers, 4711), Some(4712)), None);
        // Old paths tell no process.
        let old = ActivityPath::new(id(numbers, 0), Some(4711)).expect("a path");
        assert_eq!(old.process_id(), None);
        assert_eq!(old.to_string(), "//1/2");
        // Nobody knows the process of the event.
        let path = ActivityPath::new(id(numbers, 4711), None).expect("a path");
        assert_eq!(path.process_id(), Some(4711));
        assert_eq!(ActivityPath::new(id(numbers, 1 << 20), None), None);
    }

    #[test]
    fn ordinary_ids_are_no_paths() {
        assert_eq!(ActivityPath::new(Guid::ZERO, Some(0)), None);
        assert_eq!(ActivityPath::new(Guid::ZERO, None), None);
        let random = "3d6fa8d0-fe05-11d0-9dda-00c04fd7ba7c".parse().expect("a GUID");
        assert_eq!(ActivityPath::new(random, None), None);
    }

    proptest! {
        #[test]
        fn any_numbers_print_in_bounded_length(numbers in any::<[u8; 12]>(), process_id: u32) {
            let text = ActivityPath::new(id(numbers, process_id), Some(process_id)).expect("a path").to_string();
            prop_assert!(text.starts_with('/') && text.len() <= 64);
        }
    }
}
