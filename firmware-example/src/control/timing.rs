//! The schedule of the control periods.

/// When the next period is due, and how well the ones before kept to it. Times are µs on the board's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    period: u64,
    /// When the next period is due; none before the first.
    due: Option<u64>,
    /// Periods that have begun.
    pub periods: u64,
    /// Periods that were left out since the clock was late or the one before took too long.
    pub missed: u32,
    /// The largest delay of a period's beginning, in µs.
    pub jitter: u64,
    /// The longest time from a period's beginning to its action, in µs.
    pub worst_execution: u64,
}

impl Timing {
    /// A schedule of this period, in µs.
    pub const fn new(period: u64) -> Self {
        Timing { period, due: None, periods: 0, missed: 0, jitter: 0, worst_execution: 0 }
    }

    /// The control period, in µs.
    pub const fn period(&self) -> u64 {
        self.period
    }

    /// A period begins now. The first one sets the schedule; a later one that begins a whole period or more after it
    /// was due has missed those before it (how many), and keeps to the schedule all the same.
    pub fn begin(&mut self, now: u64) -> u32 {
        let due = self.due.unwrap_or(now);
        let delay = now.saturating_sub(due);
        // A period of 0 µs has no schedule.
        let missed = delay.checked_div(self.period).unwrap_or_default();
        self.periods += 1;
        self.jitter = self.jitter.max(delay - missed * self.period);
        self.due = Some(due + (missed + 1) * self.period);
        let missed = u32::try_from(missed).unwrap_or(u32::MAX);
        self.missed = self.missed.saturating_add(missed);
        missed
    }

    /// The action of the period that began then is ready now: what it took, in µs.
    pub fn end(&mut self, begun: u64, now: u64) -> u64 {
        let took = now.saturating_sub(begun);
        self.worst_execution = self.worst_execution.max(took);
        took
    }

    /// When the next period is due; now, before the first.
    pub fn due(&self, now: u64) -> u64 {
        self.due.unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_and_missed_periods_are_told_apart() {
        let mut timing = Timing::new(100);
        // On time, 3 µs late, two periods and 20 µs late, on time again.
        for (now, due) in [(1_000, 1_100), (1_103, 1_200), (1_420, 1_500), (1_500, 1_600)] {
            timing.begin(now);
            assert_eq!(timing.due(0), due, "{now}");
        }
        assert_eq!((timing.periods, timing.missed, timing.jitter), (4, 2, 20));
        assert_eq!((timing.end(1_500, 1_530), timing.end(1_600, 1_610)), (30, 10));
        assert_eq!(timing.worst_execution, 30);
    }

    #[test]
    fn the_clock_has_64_bits() {
        let mut timing = Timing::new(50_000);
        let start = u64::from(u32::MAX) - 10;
        timing.begin(start);
        timing.begin(start + 50_001);
        assert_eq!((timing.missed, timing.jitter), (0, 1));
    }

    #[test]
    fn a_clock_that_rings_early_does_not_shift_the_schedule() {
        let mut timing = Timing::new(100);
        timing.begin(0);
        timing.begin(99);
        assert_eq!((timing.due(0), timing.jitter, timing.missed), (200, 0, 0));
    }
}
