//! Time on the emulated boards, where an instruction takes 1 ns: a clock, a tick each millisecond, and a count of
//! instructions.

/// The processor's own timer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer;

#[cfg(target_arch = "arm")]
mod arm {
    use core::cell::Cell;

    use cortex_m::{
        Peripherals,
        peripheral::{SCB, SYST, syst::SystClkSource},
    };
    use critical_section::Mutex;

    use super::Timer;
    use crate::control::Clock;

    /// SysTick's ticks in a ms, on the board that runs: as it is calibrated by [`Timer::begin`].
    static TICKS: Mutex<Cell<u32>> = Mutex::new(Cell::new(25_000));
    /// Milliseconds since the board began.
    static MILLISECONDS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

    impl Timer {
        /// Starts ticking; `frequency` is that of SysTick, in kHz.
        pub(crate) fn begin(frequency: u32) -> Timer {
            critical_section::with(|cs| TICKS.borrow(cs).set(frequency));
            // There is one, as this is the only call.
            if let Some(Peripherals { SYST: mut systick, .. }) = Peripherals::take() {
                systick.set_clock_source(SystClkSource::Core);
                systick.set_reload(frequency.saturating_sub(1));
                systick.clear_current();
                systick.enable_interrupt();
                systick.enable_counter();
            }
            Timer
        }

        /// Until the next interrupt.
        pub(crate) fn sleep() {
            cortex_m::asm::wfi();
        }

        /// To be called from the interrupt of SysTick.
        pub(crate) fn tick() {
            critical_section::with(|cs| {
                let milliseconds = MILLISECONDS.borrow(cs);
                milliseconds.set(milliseconds.get() + 1);
            });
        }

        /// Whole milliseconds, ticks of the one that has begun, and ticks in each.
        fn read() -> (u64, u32, u32) {
            critical_section::with(|cs| {
                let (milliseconds, ticks) = (MILLISECONDS.borrow(cs).get(), TICKS.borrow(cs).get());
                let before = SYST::get_current();
                // The interrupt may wait until this is over; whether before or after the reading is then to be seen.
                let waits = SCB::is_pendst_pending();
                let left = if waits { SYST::get_current() } else { before };
                (milliseconds + u64::from(waits), ticks.saturating_sub(1 + left), ticks)
            })
        }

        /// The instructions of some work, to within the ones of a tick.
        pub(crate) fn instructions(work: impl FnOnce()) -> u32 {
            let ns = |(milliseconds, passed, ticks): (u64, u32, u32)| {
                1_000_000 * milliseconds + 1_000_000 * u64::from(passed) / u64::from(ticks.max(1))
            };
            let start = ns(Self::read());
            work();
            ns(Self::read()).wrapping_sub(start) as u32
        }
    }

    impl Clock for Timer {
        fn now(&mut self) -> u64 {
            let (milliseconds, passed, ticks) = Self::read();
            1000 * milliseconds + u64::from(1000 * passed / ticks.max(1))
        }
    }
}

#[cfg(target_arch = "riscv32")]
mod riscv32 {
    // The timer's registers are addresses.
    #![allow(unsafe_code)]

    use core::ptr;

    use riscv::register::{mie, minstret};

    use super::Timer;
    use crate::control::Clock;

    /// It counts at 10 MHz.
    const TIME: usize = 0x0200_BFF8;
    const COMPARE: usize = 0x0200_4000;
    const MICROSECOND: u64 = 10;

    fn read(address: usize) -> u32 {
        // SAFETY: a register of the timer; reading it has no effect.
        unsafe { ptr::with_exposed_provenance::<u32>(address).read_volatile() }
    }

    fn write(address: usize, value: u32) {
        // SAFETY: a register of the timer; it concerns the timer's interrupt only.
        unsafe { ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(value) }
    }

    fn time() -> u64 {
        loop {
            let (high, low) = (read(TIME + 4), read(TIME));
            if read(TIME + 4) == high {
                return (u64::from(high) << 32) | u64::from(low);
            }
        }
    }

    impl Timer {
        /// Starts ticking; the frequency is always the same.
        pub(crate) fn begin(_frequency: u32) -> Timer {
            Self::tick();
            // SAFETY: the program has a handler for the timer's interrupt, and no critical section has begun.
            unsafe {
                mie::set_mtimer();
                riscv::interrupt::enable();
            }
            Timer
        }

        /// Until the next interrupt.
        pub(crate) fn sleep() {
            riscv::asm::wfi();
        }

        /// To be called from the timer's interrupt: the next one comes in a ms.
        pub(crate) fn tick() {
            let next = time() + 1000 * MICROSECOND;
            write(COMPARE + 4, u32::MAX); // not before both halves are there
            write(COMPARE, next as u32);
            write(COMPARE + 4, (next >> 32) as u32);
        }

        /// The instructions of some work.
        pub(crate) fn instructions(work: impl FnOnce()) -> u32 {
            let start = minstret::read();
            work();
            minstret::read().wrapping_sub(start) as u32
        }
    }

    impl Clock for Timer {
        fn now(&mut self) -> u64 {
            time() / MICROSECOND
        }
    }
}
