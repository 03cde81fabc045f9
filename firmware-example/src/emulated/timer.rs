//! Time on the emulated boards, where an instruction takes 1 ns: a clock, an interrupt each control period, and a count of
//! instructions.

/// The processor's own timer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer;

/// A counter of a board that counts on and on.
pub trait Counter {
    /// How often each millisecond.
    const FREQUENCY: u32;
    /// Makes it count.
    fn begin();
    /// What it has counted, in 32 bits: then it begins anew.
    fn count() -> u32;
}

#[cfg(target_arch = "arm")]
mod arm {
    use core::cell::Cell;

    use cortex_m::{Peripherals, peripheral::syst::SystClkSource};
    use critical_section::Mutex;

    use super::{Counter, Timer};
    use crate::control::Clock;

    /// SysTick counts down in 24 bits.
    const MOST: u64 = 1 << 24;

    /// What time is told by. SysTick only interrupts: in the emulator it begins anew now before its interrupt, and now after it, so
    /// that no time can be told by both.
    struct State {
        count: Cell<fn() -> u32>,
        frequency: Cell<u32>,
        /// The counter when the time was told last, and that time.
        last: Cell<u32>,
        now: Cell<u64>,
        /// Counts from one interrupt to the next, where interrupts pace the time; and those up to the last one.
        pace: Cell<Option<u32>>,
        paced: Cell<u64>,
    }

    static STATE: Mutex<State> = Mutex::new(State {
        count: Cell::new(|| 0),
        frequency: Cell::new(1),
        last: Cell::new(0),
        now: Cell::new(0),
        pace: Cell::new(None),
        paced: Cell::new(0),
    });

    impl Timer {
        /// Starts counting, with an interrupt in each `period`, in µs, or a part of it, if SysTick cannot count so far. Its
        /// frequency is that of the counter on each board. With `is_paced` the time of each interrupt is the one it should have:
        /// an emulator that leaves out the time in which nothing happens can leave out too much.
        pub(crate) fn begin<C: Counter>(period: u64, is_paced: bool) -> Timer {
            let ticks = u64::from(C::FREQUENCY) * period / 1000;
            let interval = (ticks / ticks.div_ceil(MOST).max(1)).max(1) as u32;
            C::begin();
            critical_section::with(|cs| {
                let State { count, frequency, last, pace, .. } = STATE.borrow(cs);
                count.set(C::count);
                frequency.set(C::FREQUENCY);
                last.set(C::count());
                pace.set(is_paced.then_some(interval));
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
                let State { count, last, now, pace, paced, .. } = STATE.borrow(cs);
                let Some(interval) = pace.get() else { return };
                paced.set(paced.get() + u64::from(interval));
                now.set(paced.get().max(now.get()));
                last.set((count.get())());
            });
        }

        /// Counts since the board began, and how many there are in a ms. To be called before the counter has gone round, in
        /// minutes; each control period does.
        fn read() -> (u64, u32) {
            critical_section::with(|cs| {
                let State { count, frequency, last, now, .. } = STATE.borrow(cs);
                let count = (count.get())();
                now.set(now.get() + u64::from(count.wrapping_sub(last.get())));
                last.set(count);
                (now.get(), frequency.get())
            })
        }

        /// The instructions of some work, to within those of a count.
        pub(crate) fn instructions(work: impl FnOnce()) -> u32 {
            let (start, _) = Self::read();
            work();
            let (end, frequency) = Self::read();
            (1_000_000 * (end - start) / u64::from(frequency.max(1))) as u32
        }
    }

    impl Clock for Timer {
        fn now(&mut self) -> u64 {
            let (count, frequency) = Self::read();
            1000 * count / u64::from(frequency.max(1))
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

    use super::{Counter, Timer};
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
        /// Starts ticking, once in each `period`, in µs. It tells time by a register of its own.
        pub(crate) fn begin<C: Counter>(period: u64, _is_paced: bool) -> Timer {
            C::begin();
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
