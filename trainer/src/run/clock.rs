//! Time that was computed, other than time that went by.

use std::time::{Duration, Instant};

use crate::linalg::parallel::threads;
use crate::state::{StateError, Walk};

/// What a run took, over all its parts where it was interrupted, in s.
#[derive(Debug)]
pub(super) struct Stopwatch {
    wall: Instant,
    processor: Option<Duration>,
    /// Of the parts before this one; `None` where the system does not tell.
    before: (f64, Option<f64>),
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        let (wall, processor) = (Instant::now(), processor_time());
        Stopwatch { wall, processor, before: (0.0, Some(0.0)) }
    }

    /// Time that went by, and time that was computed.
    pub(super) fn seconds(&self) -> (f64, Option<f64>) {
        let (wall, processor) = self.before;
        let used = processor_time().zip(self.processor);
        let used = used.map(|(after, before)| after.saturating_sub(before).as_secs_f64());
        let used = used.zip(processor).map(|(used, before)| before + used);
        (wall + self.wall.elapsed().as_secs_f64(), used)
    }

    /// What it took so far; a walk that reads begins a new part.
    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        let mut seconds = self.seconds();
        walk.value(&mut seconds)?;
        *self = Stopwatch { before: seconds, ..Stopwatch::start() };
        Ok(())
    }
}

/// Time that this thread has computed, or if it has a crew, this process; `None` where the system does
/// not tell.
pub fn processor_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        use rustix::time::{ClockId, clock_gettime};
        let clock = match threads() {
            1 => ClockId::ThreadCPUTime,
            _ => ClockId::ProcessCPUTime,
        };
        let time = clock_gettime(clock);
        Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
    }
    #[cfg(not(unix))]
    None
}
