//! Time on the emulated boards, where an instruction takes 1 ns: a clock, an interrupt each control period, and a count of
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

    /// SysTick counts down in 24 bits.
    const MOST: u64 = 1 << 24;

    /// What time is told by.
    struct State {
        /// SysTick's frequency, in kHz.
        frequency: Cell<u32>,
        /// Its ticks from one interrupt to the next.
        interval: Cell<u32>,
        /// Ticks up to the last interrupt.
        passed: Cell<u64>,
        /// The last time that was told, in ticks.
        told: Cell<u64>,
    }

    static STATE: Mutex<State> = Mutex::new(State {
        frequency: Cell::new(1),
        interval: Cell::new(1),
        passed: Cell::new(0),
        told: Cell::new(0),
    });

    impl Timer {
        /// Starts ticking, once in each `period`, in µs, or a part of it, if SysTick cannot count so far; `frequency` is that of
        /// SysTick, in kHz.
        pub(crate) fn begin(frequency: u32, period: u64) -> Timer {
            let ticks = u64::from(frequency) * period / 1000;
            let interval = (ticks / ticks.div_ceil(MOST).max(1)).max(1) as u32;
            critical_section::with(|cs| {
                STATE.borrow(cs).frequency.set(frequency);
                STATE.borrow(cs).interval.set(interval);
            });
            // There is one, as this is the only call.
            if let Some(Peripherals { SYST: mut systick, .. }) = Peripherals::take() {
                systick.set_clock_source(SystClkSource::Core);
                systick.set_reload(interval - 1);
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
                let State { interval, passed, .. } = STATE.borrow(cs);
                passed.set(passed.get() + u64::from(interval.get()));
            });
        }

        /// Ticks since the board began, and their frequency, in kHz. Whoever holds up the interrupt for longer than an
        /// interval stops the clock.
        fn read() -> (u64, u32) {
            critical_section::with(|cs| {
                let State { frequency, interval, passed, told } = STATE.borrow(cs);
                let interval = interval.get();
                let before = SYST::get_current();
                // The interrupt may wait until this is over; whether before or after the reading is then to be seen.
                let waits = SCB::is_pendst_pending();
                let left = if waits { SYST::get_current() } else { before };
                let past = passed.get() + u64::from(waits) * u64::from(interval);
                // It stands at 0 for the tick of its interrupt, and begins anew with the next one.
                let since = if left == 0 { 0 } else { interval.saturating_sub(left) };
                let mut now = past + u64::from(since);
                // The emulator's counter can begin anew a moment before its interrupt.
                if now < told.get() {
                    now += u64::from(interval);
                }
                told.set(now);
                (now, frequency.get())
            })
        }

        /// The instructions of some work, to within the ones of a tick.
        pub(crate) fn instructions(work: impl FnOnce()) -> u32 {
            let (start, _) = Self::read();
            work();
            let (end, frequency) = Self::read();
            (1_000_000 * end.saturating_sub(start) / u64::from(frequency)) as u32
        }
    }

    impl Clock for Timer {
        fn now(&mut self) -> u64 {
            let (ticks, frequency) = Self::read();
            1000 * ticks / u64::from(frequency)
        }
    }
}

#[cfg(target_arch = "riscv32")]
mod riscv32 {
    // The timer's registers are addresses.
    #![allow(unsafe_code)]

    use core::{cell::Cell, ptr};

    use critical_section::Mutex;
    use riscv::register::{mie, minstret};

    use super::Timer;
    use crate::control::Clock;

    /// It counts at 10 MHz.
    const TIME: usize = 0x0200_BFF8;
    const COMPARE: usize = 0x0200_4000;
    const MICROSECOND: u64 = 10;

    /// From one interrupt to the next.
    static INTERVAL: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));
    /// When the next one is due.
    static NEXT: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

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
        /// Starts ticking, once in each `period`, in µs; the frequency is always the same.
        pub(crate) fn begin(_frequency: u32, period: u64) -> Timer {
            critical_section::with(|cs| {
                INTERVAL.borrow(cs).set(period * MICROSECOND);
                NEXT.borrow(cs).set(time());
            });
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

        /// To be called from the timer's interrupt: the next one comes an interval after it was due.
        pub(crate) fn tick() {
            let next = critical_section::with(|cs| {
                let next = NEXT.borrow(cs);
                next.set(next.get() + INTERVAL.borrow(cs).get());
                next.get()
            });
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
