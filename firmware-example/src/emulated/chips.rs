//! What the emulated boards have of their own: a serial port, and a counter to tell time by.

// Their registers are addresses.
#![allow(unsafe_code)]

use core::ptr;

use super::{serial::Uart, timer::Counter};

/// A register of 32 bits.
fn register(address: usize) -> *mut u32 {
    ptr::with_exposed_provenance_mut(address)
}

fn get(address: usize) -> u32 {
    // SAFETY: only registers of the board's own serial port and interrupt controller are named here; reading
    // one has no effect on memory.
    unsafe { register(address).read_volatile() }
}

fn set(address: usize, value: u32) {
    // SAFETY: as above; what these registers do concerns the serial port and its interrupt only.
    unsafe { register(address).write_volatile(value) }
}

#[cfg(target_arch = "arm")]
pub use arm::{Cmsdk, Nrf51};
#[cfg(target_arch = "riscv32")]
pub use riscv32::Ns16550;

#[cfg(target_arch = "arm")]
mod arm {
    use super::{Counter, Uart, get, set};
    use cortex_m::{asm, interrupt};

    /// The NVIC's registers: enable, disable, and forget interrupts 0 to 31.
    const ENABLE: usize = 0xE000_E100;
    const DISABLE: usize = 0xE000_E180;
    const FORGET: usize = 0xE000_E280;

    /// Sleeps until one of these interrupts or any other one. Interrupts wait until it is over, and a pending one ends
    /// the sleep; so none can slip in between `is_idle` and it. The port's own are never served: they only wake.
    fn wait(interrupts: u32, is_idle: fn() -> bool) {
        interrupt::free(|_| {
            set(ENABLE, interrupts);
            if is_idle() {
                asm::wfi();
            }
            set(DISABLE, interrupts);
            set(FORGET, interrupts);
        });
    }

    /// UART0 and timer 0 of Arm's MPS2 boards: "Cortex-M System Design Kit", APB UART and APB timer.
    #[derive(Debug)]
    pub struct Cmsdk;

    const TIMER: usize = 0x4000_0000;

    impl Counter for Cmsdk {
        const FREQUENCY: u32 = 25_000;

        fn begin() {
            set(TIMER + 8, u32::MAX); // where it begins anew
            set(TIMER + 4, u32::MAX);
            set(TIMER, 1);
        }

        /// It counts down.
        fn count() -> u32 {
            !get(TIMER + 4)
        }
    }

    const DATA: usize = 0x4000_4000;
    const STATE: usize = 0x4000_4004;
    const CONTROL: usize = 0x4000_4008;
    const CLEAR: usize = 0x4000_400C;
    const DIVIDER: usize = 0x4000_4010;

    impl Uart for Cmsdk {
        fn begin() {
            set(DIVIDER, 16);
            set(CONTROL, 0b1011); // receiver's interrupt, receiver, transmitter
        }

        fn read() -> Option<u8> {
            // Before the byte: it could be followed at once.
            set(CLEAR, 0b10);
            (get(STATE) & 0b10 != 0).then(|| get(DATA) as u8)
        }

        fn write(byte: u8) {
            while get(STATE) & 0b01 != 0 {}
            set(DATA, byte.into());
        }

        fn wait() {
            wait(1, || get(STATE) & 0b10 == 0);
        }
    }

    /// UART and timer 0 of the nRF51 series.
    #[derive(Debug)]
    pub struct Nrf51;

    const CLOCK: usize = 0x4000_8000;

    impl Counter for Nrf51 {
        const FREQUENCY: u32 = 16_000;

        fn begin() {
            set(CLOCK + 0x508, 3); // 32 bits
            set(CLOCK + 0x510, 0); // undivided
            set(CLOCK, 1);
        }

        fn count() -> u32 {
            set(CLOCK + 0x040, 1); // capture
            get(CLOCK + 0x540)
        }
    }

    const UART: usize = 0x4000_2000;
    const START_RECEIVER: usize = UART;
    const START_TRANSMITTER: usize = UART + 0x008;
    const RECEIVED: usize = UART + 0x108;
    const TRANSMITTED: usize = UART + 0x11C;
    const INTERRUPTS: usize = UART + 0x304;
    const ENABLED: usize = UART + 0x500;
    const RECEIVE: usize = UART + 0x518;
    const TRANSMIT: usize = UART + 0x51C;

    impl Uart for Nrf51 {
        fn begin() {
            set(ENABLED, 4);
            set(INTERRUPTS, 1 << 2); // a byte was received
            set(START_RECEIVER, 1);
            set(START_TRANSMITTER, 1);
        }

        fn read() -> Option<u8> {
            if get(RECEIVED) == 0 {
                return None;
            }
            set(RECEIVED, 0);
            Some(get(RECEIVE) as u8)
        }

        fn write(byte: u8) {
            set(TRANSMITTED, 0);
            set(TRANSMIT, byte.into());
            while get(TRANSMITTED) == 0 {}
        }

        fn wait() {
            wait(1 << 2, || get(RECEIVED) == 0);
        }
    }
}

#[cfg(target_arch = "riscv32")]
mod riscv32 {
    use super::{Counter, Uart, get, ptr, set};
    use riscv::{
        asm, interrupt,
        register::{mie, minstret},
    };

    /// The serial port of QEMU's `virt`, a 16550; its registers are bytes.
    #[derive(Debug)]
    pub struct Ns16550;

    /// The processor's own, which the timer has already.
    impl Counter for Ns16550 {
        const FREQUENCY: u32 = 1_000_000;

        fn begin() {}

        fn count() -> u32 {
            minstret::read() as u32
        }
    }

    const UART: usize = 0x1000_0000;
    const STATE: usize = UART + 5;
    /// The interrupt controller: priority of the port's interrupt, 10; what hart 0 takes; its claim.
    const PRIORITY: usize = 0x0C00_0000 + 4 * 10;
    const ENABLE: usize = 0x0C00_2000;
    const THRESHOLD: usize = 0x0C20_0000;
    const CLAIM: usize = 0x0C20_0004;

    fn byte(address: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(address)
    }

    fn load(address: usize) -> u8 {
        // SAFETY: as for `get`.
        unsafe { byte(address).read_volatile() }
    }

    fn store(address: usize, value: u8) {
        // SAFETY: as for `set`.
        unsafe { byte(address).write_volatile(value) }
    }

    impl Uart for Ns16550 {
        fn begin() {
            store(UART + 1, 1); // an interrupt for each byte
            set(PRIORITY, 1);
            set(ENABLE, 1 << 10);
            set(THRESHOLD, 0);
        }

        fn read() -> Option<u8> {
            (load(STATE) & 1 != 0).then(|| load(UART))
        }

        fn write(byte: u8) {
            while load(STATE) & (1 << 5) == 0 {}
            store(UART, byte);
        }

        /// The port's interrupt only ends the sleep: it is not served.
        fn wait() {
            interrupt::free(|| {
                // SAFETY: no handler runs for it, as all interrupts wait until it is disabled again.
                unsafe { mie::set_mext() };
                if load(STATE) & 1 == 0 {
                    asm::wfi();
                }
                // SAFETY: as above.
                unsafe { mie::clear_mext() };
                set(CLAIM, get(CLAIM));
            });
        }
    }
}
