//! The program that replays.

use super::{Console, stack};
use crate::{Meter, baked};

/// Replays the recording, reports, and ends with the exit code that says the same.
pub fn main() -> ! {
    let outcome = baked::run(&mut Instruments, &mut Console);
    semihosting::process::exit(outcome.exit_code())
}

struct Instruments;

impl Meter for Instruments {
    fn instructions(&mut self, work: &mut dyn FnMut()) -> Option<u32> {
        clock::instructions(work)
    }

    fn stack(&mut self, work: &mut dyn FnMut()) -> Option<u32> {
        Some(stack::used(work))
    }
}

/// The emulator gives each instruction 1 ns.
#[cfg(target_arch = "arm")]
mod clock {
    use cortex_m::{
        Peripherals,
        asm::delay,
        peripheral::{SYST, syst::SystClkSource},
    };

    /// SysTick counts down in 24 bits.
    const MASK: u32 = 0x00FF_FFFF;
    /// Rounds, so that a tick of many instructions tells them apart.
    const ROUNDS: u32 = 100;
    /// Rounds of a wait, of two instructions each.
    const WAIT: u32 = 1_000_000;

    /// The instructions of `work`, on average of some rounds: SysTick's frequency is another one on
    /// each board, so a wait of a known number of instructions is counted first.
    pub(super) fn instructions(work: &mut dyn FnMut()) -> Option<u32> {
        // `take` gives the peripherals once, and this is the only call.
        let mut core = Peripherals::take()?;
        core.SYST.set_clock_source(SystClkSource::Core);
        core.SYST.set_reload(MASK);
        core.SYST.clear_current();
        core.SYST.enable_counter();
        let known = ticks(|| delay(WAIT));
        let ticks = ticks(|| (0..ROUNDS).for_each(|_| work()));
        let instructions = u64::from(ticks) * u64::from(2 * WAIT / ROUNDS);
        Some(instructions.checked_div(known.into())? as u32)
    }

    fn ticks(work: impl FnOnce()) -> u32 {
        let start = SYST::get_current();
        work();
        start.wrapping_sub(SYST::get_current()) & MASK
    }
}

/// The emulator counts an instruction as a cycle.
#[cfg(target_arch = "riscv32")]
mod clock {
    use riscv::register::minstret;

    /// The instructions of `work`.
    pub(super) fn instructions(work: &mut dyn FnMut()) -> Option<u32> {
        let start = minstret::read();
        work();
        Some(minstret::read().wrapping_sub(start) as u32)
    }
}
