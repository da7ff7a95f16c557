//! The output so far, which is what matches repeat.

/// An output that fills up from the start.
#[derive(Debug)]
pub(super) struct Window<'a> {
    bytes: &'a mut [u8],
    /// How many bytes are made; at most `bytes.len()`.
    filled: usize,
}

impl<'a> Window<'a> {
    /// Goes on after the first `filled` bytes, which are made already.
    pub(super) fn new(bytes: &'a mut [u8], filled: usize) -> Self {
        let filled = filled.min(bytes.len());
        Self { bytes, filled }
    }

    /// How many bytes are made.
    pub(super) const fn filled(&self) -> usize {
        self.filled
    }

    /// Whether there is room for nothing more.
    pub(super) const fn is_full(&self) -> bool {
        self.filled >= self.bytes.len()
    }

    /// Adds one byte, if there is room.
    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.filled) {
            *place = byte;
            self.filled = self.filled.wrapping_add(1);
        }
    }

    /// Adds as many of `bytes` as there is room for.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let room = self.bytes.get_mut(self.filled..).unwrap_or_default();
        let count = room.len().min(bytes.len());
        if let (Some(room), Some(bytes)) = (room.get_mut(..count), bytes.get(..count)) {
            room.copy_from_slice(bytes);
            self.filled = self.filled.wrapping_add(count);
        }
    }

    /// Adds `length` bytes, or as many as there is room for, each equal to the one `distance` bytes before it.
    ///
    /// Does nothing and says `false` if `distance` reaches before the start of the output or is 0.
    #[must_use]
    pub(super) fn repeat(&mut self, distance: usize, length: usize) -> bool {
        if distance == 0 {
            return false;
        }
        let Some(from) = self.filled.checked_sub(distance) else {
            return false;
        };
        let end = self.filled.saturating_add(length).min(self.bytes.len());
        // What lies between `from` and `filled` repeats with the period `distance`, so all of it can be appended at once, and
        // doubles each time: the loop ends after a few rounds.
        while self.filled < end {
            let ready = self.filled.wrapping_sub(from);
            let count = ready.min(end.wrapping_sub(self.filled));
            self.bytes.copy_within(from..from.wrapping_add(count), self.filled);
            self.filled = self.filled.wrapping_add(count);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_that_overlaps_itself_repeats_its_period() {
        let mut bytes = [0; 12];
        let mut window = Window::new(&mut bytes, 0);
        window.extend(b"abc");
        assert!(window.repeat(3, 8));
        assert_eq!(window.filled(), 11);
        assert_eq!(&bytes, b"abcabcabcab\0");
    }

    #[test]
    fn a_match_that_runs_over_the_end_is_cut_off() {
        let mut bytes = [0; 4];
        let mut window = Window::new(&mut bytes, 0);
        window.push(b'x');
        assert!(window.repeat(1, usize::MAX));
        assert!(window.is_full());
        window.push(b'y');
        window.extend(b"yy");
        assert_eq!(&bytes, b"xxxx");
    }

    #[test]
    fn a_distance_before_the_start_changes_nothing() {
        let mut bytes = [0; 4];
        let mut window = Window::new(&mut bytes, 0);
        window.push(b'x');
        assert!(!window.repeat(2, 1));
        assert!(!window.repeat(0, 1));
        assert_eq!(window.filled(), 1);
    }
}
