//! Time that was computed, other than time that went by.

use std::time::Duration;

use crate::linalg::parallel::threads;

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
