//! How fast something goes on, and when it will be done.

use std::time::{Duration, Instant};

/// What happened before this time counts 1/e of what happens now.
const MEMORY: Duration = Duration::from_secs(5);
/// Shorter times are not measured.
const LEAST: Duration = Duration::from_millis(100);

/// Counts something, and knows its rate of late.
#[derive(Debug)]
pub(super) struct Pace {
    done: usize,
    /// When it came to that.
    since: Instant,
    /// Σ w·rate and Σ w over the times measured, where w falls by e in [`MEMORY`].
    sum: f64,
    weight: f64,
}

impl Pace {
    /// Begins now, with so much done.
    pub(super) fn from(done: usize) -> Self {
        Pace { done, since: Instant::now(), sum: 0.0, weight: 0.0 }
    }

    /// So much is done now.
    pub(super) fn come_to(&mut self, done: usize) {
        self.come(done, self.since.elapsed());
    }

    /// So much is done, that long after the last time.
    fn come(&mut self, done: usize, time: Duration) {
        if time < LEAST || done <= self.done {
            return;
        }
        let rate = (done - self.done) as f64 / time.as_secs_f64();
        let kept = (-time.as_secs_f64() / MEMORY.as_secs_f64()).exp();
        self.sum = kept * self.sum + (1.0 - kept) * rate;
        self.weight = kept * self.weight + (1.0 - kept);
        (self.done, self.since) = (done, self.since + time);
    }

    /// In 1/s, once something was measured.
    pub(super) fn rate(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// Time until `all` is done, if it goes on like that.
    pub(super) fn left(&self, all: usize) -> Option<Duration> {
        let seconds = all.saturating_sub(self.done) as f64 / self.rate()?;
        let left = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        Some(left.saturating_sub(self.since.elapsed()))
    }
}

/// A time in its largest unit, which is enough to wait by.
pub(super) fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..90 => format!("{seconds}s"),
        90..5400 => format!("{}m", (seconds + 30) / 60),
        5400..129_600 => format!("{}h", (seconds + 1800) / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_late() {
        let mut pace = Pace::from(100);
        assert_eq!((pace.rate(), pace.left(200)), (None, None));
        let second = Duration::from_secs(1);
        pace.come(150, second);
        assert!((pace.rate().unwrap() - 50.0).abs() < 1e-9);
        for n in 1..=20 {
            pace.come(150 + 10 * n, second);
        }
        let rate = pace.rate().unwrap();
        assert!((10.0..11.0).contains(&rate), "{rate}");
        // Measured in the future, so that no time has gone by since.
        let left = pace.left(350 + 100).unwrap().as_secs_f64();
        assert!((9.0..=10.0).contains(&left), "{left}");
        assert_eq!(pace.left(350), Some(Duration::ZERO));
        let before = pace.rate();
        pace.come(300, second);
        pace.come(400, Duration::ZERO);
        assert_eq!(pace.rate(), before, "nothing was done, or in no time");
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in
            [(0, "0s"), (89, "89s"), (90, "2m"), (3000, "50m"), (5400, "2h"), (200_000, "2d")]
        {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
        assert!(short(Duration::MAX).ends_with('d'));
    }
}
