//! What is done when the firmware cannot go on: the motor loses its drive, the log hears why, the chip begins anew.

use core::{
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use defmt::{Display2Format, error};

/// Was it here before? Then the log may be what failed.
static AGAIN: AtomicBool = AtomicBool::new(false);

/// Lets the motor go, then logs, then resets. Where logging hangs, the watchdog resets.
pub fn words(why: &dyn Display, let_go: fn(), reset: fn() -> !) -> ! {
    let_go();
    critical_section::with(|_| {
        if !AGAIN.load(Relaxed) {
            AGAIN.store(true, Relaxed);
            error!("{}", Display2Format(why));
            defmt::flush();
        }
        reset()
    })
}
