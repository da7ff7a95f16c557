//! Times of several rounds, in which the things that are compared take turns.

use core::hint::black_box;
use core::time::Duration;
use std::time::Instant;

#[derive(Default)]
pub(crate) struct Timing {
    rounds: Vec<Duration>,
}

impl Timing {
    pub(crate) fn time(&mut self, work: impl FnOnce() -> u64) {
        let start = Instant::now();
        black_box(work());
        self.rounds.push(start.elapsed());
    }

    pub(crate) fn best(&self) -> Duration {
        self.rounds.iter().min().copied().unwrap_or_default()
    }

    pub(crate) fn median(&self) -> Duration {
        let mut rounds = self.rounds.clone();
        rounds.sort();
        rounds[rounds.len() / 2]
    }

    /// The median over the rounds of this time over the other's in the same round.
    pub(crate) fn median_ratio(&self, other: &Self) -> f64 {
        let mut ratios: Vec<f64> =
            self.rounds.iter().zip(&other.rounds).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    }

    /// The sum with another, round by round.
    pub(crate) fn plus(&self, other: &Self) -> Self {
        Self { rounds: self.rounds.iter().zip(&other.rounds).map(|(a, b)| *a + *b).collect() }
    }
}
