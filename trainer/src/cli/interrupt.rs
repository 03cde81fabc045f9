//! Signals. Ctrl-C, being told to end, a terminal that is closed, processor time that is used up: the first time a run saves its
//! state, the second time the process ends at once. A file that has become too large for its limit is no signal, but an
//! error of whoever writes it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGXCPU, SIGXFSZ};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

use super::Failure;

/// What the exit status of an interrupted process is above the number of its signal.
const INTERRUPTED: i32 = 128;

/// Listens from when it is made.
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    flag: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Listens from now on.
    pub(super) fn listen() -> Result<Self, Failure> {
        let (flag, signal) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let register = |number: i32| -> io::Result<()> {
            // In this order: the first signal only sets the flag, the next one finds it set.
            flag::register_conditional_shutdown(number, INTERRUPTED + number, flag.clone())?;
            flag::register_usize(number, signal.clone(), number as usize)?;
            flag::register(number, flag.clone()).map(drop)
        };
        let mut all = vec![SIGINT, SIGTERM];
        #[cfg(unix)]
        all.extend(hangup().into_iter().chain([SIGXCPU]));
        all.into_iter().try_for_each(register).map_err(|error| {
            Failure::Failed(format!("cannot listen for Ctrl-C, by which runs are saved: {error}"))
        })?;
        Ok(Interrupt { flag, signal })
    }

    /// True once it was interrupted.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// Ends the process as the signal would have done, if there was one.
    pub(super) fn obey(&self) {
        let signal = self.signal.load(Ordering::Relaxed) as i32;
        if signal != 0 {
            // Where even that fails, the command ends by itself.
            let _ = emulate_default_handler(signal);
        }
    }

    /// The failure to end with, whose exit status is the signal's.
    pub(super) fn failure(&self, text: String) -> Failure {
        let signal = self.signal.load(Ordering::Relaxed);
        Failure::Interrupted { text, status: (INTERRUPTED as usize + signal) as u8 }
    }
}

/// Where a file may have only so many bytes (`ulimit -f`), writing more is an error then, as with a full disk, and does not
/// end the process.
pub(super) fn take_limits_for_errors() {
    #[cfg(unix)]
    // Where it cannot be, the process ends as others do.
    drop(flag::register(SIGXFSZ, Arc::default()));
}

/// That the terminal was closed, unless the process ignores it, as `nohup` has it do; where the system does not tell, it does
/// not. (Shells have background processes ignore Ctrl-C, too, as that is meant for others; who sends it to one means it.)
#[cfg(unix)]
fn hangup() -> Option<i32> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    let is_ignored = mask.is_some_and(|mask| mask >> (SIGHUP - 1) & 1 == 1);
    (!is_ignored).then_some(SIGHUP)
}
