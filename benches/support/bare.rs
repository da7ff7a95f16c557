//! The least that a walk and a merge have to do: what the project's own are compared with.

use core::hint::select_unpredictable;

/// Bytes of a buffer's header.
pub(crate) const HEADER_LEN: usize = 72;

/// The least a walk can do: the size of each record, nothing else of it, with the bounds checks that safe code needs. How many
/// records there are.
pub(crate) fn hop(buffer: &[u8]) -> u64 {
    let mut hop = Hop::in_buffer(buffer);
    let mut records = 0;
    while let Some((_, next)) = hop.head() {
        hop.at = next;
        records += 1;
    }
    records
}

/// The events of one processor, one after the other.
pub(crate) trait Cursor<'a> {
    fn new(buffers: impl Iterator<Item = &'a [u8]> + 'a) -> Self;
    /// Moves on and gives the stamp of the next event.
    fn step(&mut self) -> Option<i64>;
    /// The length of the present one.
    fn len(&self) -> usize;
}

/// Reads of each record nothing but size and stamp.
pub(crate) struct Hop<'a> {
    buffers: std::vec::IntoIter<&'a [u8]>,
    valid: &'a [u8],
    at: usize,
    len: usize,
}

impl<'a> Hop<'a> {
    fn in_buffer(valid: &'a [u8]) -> Self {
        Self { buffers: Vec::new().into_iter(), valid, at: HEADER_LEN, len: 0 }
    }

    /// The first eight bytes of the record, and where the next one starts.
    #[inline]
    fn head(&self) -> Option<(u64, usize)> {
        let head = u64::from_le_bytes(*self.valid.get(self.at..)?.first_chunk()?);
        // Kernel records have their size in the upper half; their header types are 1 to 4, 0x10 and 0x11.
        let header_type = (head >> 16) & 0xFF;
        let upper = header_type <= 4 || header_type & 0xFE == 0x10;
        let size = (head >> if upper { 32 } else { 0 }) & 0xFFFF;
        Some((head, (self.at + size as usize + 7) & !7))
    }
}

impl<'a> Cursor<'a> for Hop<'a> {
    fn new(buffers: impl Iterator<Item = &'a [u8]> + 'a) -> Self {
        Self { buffers: buffers.collect::<Vec<_>>().into_iter(), valid: &[], at: 0, len: 0 }
    }

    #[inline]
    fn step(&mut self) -> Option<i64> {
        loop {
            if let Some((head, next)) = self.head() {
                let stamp_at = self.at + if (head >> 16) & 0xFE == 0x10 { 8 } else { 16 };
                self.len = next - self.at;
                self.at = next;
                return Some(i64::from_le_bytes(*self.valid.get(stamp_at..)?.first_chunk()?));
            }
            self.valid = self.buffers.next()?;
            self.at = HEADER_LEN;
        }
    }

    fn len(&self) -> usize {
        self.len
    }
}

/// The least that a merge in the order of time does: a loser tree with the keys in its nodes, and no engine around it. The
/// cursors are those of the processors; `deliver` gets the stamp and the length of each event.
pub(crate) fn bare_merge<'a, C: Cursor<'a>>(mut cursors: Vec<C>, mut deliver: impl FnMut(i64, usize)) {
    let key = |stamp: Option<i64>, source: usize| {
        stamp.map_or(u128::MAX, |stamp| u128::from(stamp as u64) << 64 | source as u128)
    };
    let leaves = cursors.len().next_power_of_two();
    let mut winners = vec![u128::MAX; 2 * leaves];
    for (source, cursor) in cursors.iter_mut().enumerate() {
        winners[leaves + source] = key(cursor.step(), source);
    }
    let mut nodes = vec![u128::MAX; leaves];
    for node in (1..leaves).rev() {
        let (left, right) = (winners[2 * node], winners[2 * node + 1]);
        winners[node] = left.min(right);
        nodes[node] = left.max(right);
    }
    let mut winner = winners[1];
    while winner != u128::MAX {
        let source = winner as u64 as usize;
        let cursor = &mut cursors[source];
        deliver((winner >> 64) as u64 as i64, cursor.len());
        let mut up = key(cursor.step(), source);
        let mut at = (source + leaves) >> 1;
        while at > 0 {
            let here = nodes[at];
            let goes_up = here < up;
            nodes[at] = select_unpredictable(goes_up, up, here);
            up = select_unpredictable(goes_up, here, up);
            at >>= 1;
        }
        winner = up;
    }
}
