//! Ctrl-C, and being told to end: the first time a run saves its state, the second time the process
//! ends at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

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
        [SIGINT, SIGTERM].into_iter().try_for_each(register).map_err(|error| {
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
