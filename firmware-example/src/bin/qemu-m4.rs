//! Board: QEMU's `mps2-an386`, a Cortex-M4F with 4 MiB each of flash and RAM.
//!
//! Output and exit code go to the desktop by semihosting: breakpoints that the emulator serves.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

#[cfg(target_os = "none")]
mod board {
    use core::fmt;

    use cortex_m::peripheral::{SYST, syst::SystClkSource};
    use firmware_example::baked;
    use semihosting::io::{self, Write};

    #[cortex_m_rt::entry]
    fn main() -> ! {
        // `take` gives the peripherals once, and this is the only call.
        if let Some(mut core) = cortex_m::Peripherals::take() {
            core.SYST.set_clock_source(SystClkSource::Core);
            core.SYST.set_reload(SYST_MASK);
            core.SYST.clear_current();
            core.SYST.enable_counter();
        }
        let outcome = firmware_example::run::<{ baked::WIDTH }>(
            baked::policy(),
            baked::recording(),
            count,
            &mut Console,
        );
        semihosting::process::exit(outcome.exit_code())
    }

    /// SysTick counts down in 24 bits.
    const SYST_MASK: u32 = 0x00FF_FFFF;

    /// Counts the instructions of `work`. SysTick runs at 25 MHz, a tick is 40 ns, and the emulator
    /// gives each instruction 1 ns: so the ticks of 40 rounds are the instructions of one.
    fn count(work: &mut dyn FnMut()) -> u32 {
        let start = SYST::get_current();
        for _ in 0..40 {
            work();
        }
        start.wrapping_sub(SYST::get_current()) & SYST_MASK
    }

    struct Console;

    impl fmt::Write for Console {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let mut out = io::stdout().map_err(|_| fmt::Error)?;
            out.write_all(text.as_bytes()).map_err(|_| fmt::Error)
        }
    }
}

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    eprintln!("{}", firmware_example::NOT_FIRMWARE);
    std::process::ExitCode::from(2)
}
