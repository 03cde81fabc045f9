//! The program that replays.

use super::{Console, stack};
use crate::{Meter, baked};

/// Replays the recording, reports, and ends with the exit code that says the same.
pub fn main() -> ! {
    let outcome = baked::run(&mut Instruments { clock: None }, &mut Console);
    semihosting::process::exit(outcome.exit_code())
}

struct Instruments {
    /// None before it is needed.
    clock: Option<clock::Clock>,
}

impl Meter for Instruments {
    fn instructions(&mut self, rounds: u32, work: &mut dyn FnMut()) -> Option<u32> {
        if self.clock.is_none() {
            self.clock = clock::Clock::begin();
        }
        self.clock.as_ref()?.instructions(rounds.max(1), work)
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
    /// Rounds of a wait, of two instructions each.
    const WAIT: u32 = 1_000_000;

    /// SysTick, whose frequency is another one on each board: some ten instructions to a tick.
    pub(super) struct Clock {
        /// Ticks of the wait.
        known: u32,
    }

    impl Clock {
        /// Counts a wait of a known number of instructions.
        pub(super) fn begin() -> Option<Clock> {
            // `take` gives the peripherals once, and this is the only call.
            let mut core = Peripherals::take()?;
            core.SYST.set_clock_source(SystClkSource::Core);
            core.SYST.set_reload(MASK);
            core.SYST.clear_current();
            core.SYST.enable_counter();
            Some(Clock { known: ticks(|| delay(WAIT)) })
        }

        /// The instructions of `work`, on average of the rounds, to within those of a tick by their number.
        pub(super) fn instructions(&self, rounds: u32, work: &mut dyn FnMut()) -> Option<u32> {
            let ticks = ticks(|| (0..rounds).for_each(|_| work()));
            let instructions = u64::from(ticks) * u64::from(2 * WAIT);
            let all_rounds = u64::from(self.known) * u64::from(rounds);
            Some(instructions.checked_div(all_rounds)? as u32)
        }
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

    pub(super) struct Clock;

    impl Clock {
        pub(super) fn begin() -> Option<Clock> {
            Some(Clock)
        }

        /// The instructions of `work`, on average of the rounds.
        pub(super) fn instructions(&self, rounds: u32, work: &mut dyn FnMut()) -> Option<u32> {
            let start = minstret::read();
            (0..rounds).for_each(|_| work());
            (minstret::read().wrapping_sub(start) as u32).checked_div(rounds)
        }
    }
}
