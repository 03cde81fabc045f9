//! What went wrong on the line, and how long answers took.

use std::time::Duration;

use serde::Serialize;

/// What a [`Client`](super::Client) has counted since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Questions that were answered.
    pub exchanges: u64,
    /// Times that a question was asked again.
    pub retries: u64,
    /// Frames that arrived damaged, or pieces of them.
    pub damaged: u64,
    /// Answers that belong to no question that is open: late ones, or the same again.
    pub late: u64,
}

/// Times from asking for an action to its answer, repeated questions included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundTrips {
    microseconds: Vec<u32>,
}

/// Some of the round trips' percentiles, in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half of the round trips take no longer.
    pub p50: u32,
    /// 90 % take no longer.
    pub p90: u32,
    /// 99 % take no longer.
    pub p99: u32,
    /// None takes longer.
    pub max: u32,
}

impl RoundTrips {
    /// One more.
    pub fn push(&mut self, time: Duration) {
        self.microseconds.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.microseconds.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.microseconds.is_empty()
    }

    /// By nearest rank: of n sorted times, the p-th percentile is number ⌈p n / 100⌉, counted from 1. `None` where there
    /// are no times.
    pub fn percentiles(&self) -> Option<Percentiles> {
        let mut sorted = self.microseconds.clone();
        sorted.sort_unstable();
        let rank = |percent: usize| {
            let rank = (percent * sorted.len()).div_ceil(100);
            sorted.get(rank.saturating_sub(1)).copied()
        };
        Some(Percentiles { p50: rank(50)?, p90: rank(90)?, p99: rank(99)?, max: rank(100)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let mut times = RoundTrips::default();
        assert_eq!((times.percentiles(), times.is_empty()), (None, true));
        times.push(Duration::from_micros(7));
        let all = Percentiles { p50: 7, p90: 7, p99: 7, max: 7 };
        assert_eq!(times.percentiles(), Some(all));
        (8..=9).for_each(|time| times.push(Duration::from_micros(time)));
        let all = Percentiles { p50: 8, p90: 9, p99: 9, max: 9 };
        assert_eq!(times.percentiles(), Some(all));
        let mut times = RoundTrips::default();
        (1..=200).rev().for_each(|time| times.push(Duration::from_micros(time)));
        let all = Percentiles { p50: 100, p90: 180, p99: 198, max: 200 };
        assert_eq!((times.percentiles(), times.len()), (Some(all), 200));
        times.push(Duration::from_secs(1 << 40));
        assert_eq!(times.percentiles().map(|all| all.max), Some(u32::MAX));
    }
}
