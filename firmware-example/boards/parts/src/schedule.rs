//! When the next control period begins.

/// The time at which the next period begins, in µs: when it is `due`. One that is late by less than a `period` begins at
/// once; after a longer stall those that were missed are left out, and the next one that is due begins on time.
pub fn next(due: u64, now: u64, period: u64) -> u64 {
    let late = now.saturating_sub(due);
    if late < period { due } else { due + late.next_multiple_of(period.max(1)) }
}

#[cfg(test)]
mod tests {
    use super::next;

    #[test]
    fn missed_periods_do_not_come_in_a_burst() {
        for (now, begins) in [
            (900, 1_000),
            (1_000, 1_000),
            (1_099, 1_000),
            (1_100, 1_100),
            (1_101, 1_200),
            (5_250, 5_300),
        ] {
            assert_eq!(next(1_000, now, 100), begins, "{now}");
        }
        assert_eq!(next(1_000, 1_001, 0), 1_001);
    }
}
