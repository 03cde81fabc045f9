//! Which task runs where.

use core::panic::PanicInfo;

use board_parts::{Pilot, boot, clock::plate, last, link::serve, log::report};
use cortex_m_rt::{ExceptionFrame, exception};
use defmt::unwrap;
use defmt_rtt as _;
use embassy_executor::{InterruptExecutor, Spawner};
use embassy_stm32::interrupt::{self, InterruptExt, Priority};

use crate::board::{self, Board, Machine, Watchdog};

/// Runs in an interrupt, so that it takes the processor from all tasks of `main`.
static HIGH: InterruptExecutor = InterruptExecutor::new();

/// Raised by software only: the peripheral is not used.
#[embassy_stm32::interrupt]
#[allow(unsafe_code)]
unsafe fn SPI4() {
    // SAFETY: `main` has started it on this interrupt before the first task can raise it.
    unsafe { HIGH.on_interrupt() }
}

#[embassy_executor::task]
async fn control(machine: Machine, watchdog: Watchdog, pilot: Option<Pilot>) -> ! {
    board_parts::control::run(machine, watchdog, pilot).await
}

#[embassy_executor::task]
async fn log() -> ! {
    report().await
}

#[embassy_executor::main]
async fn main(low: Spawner) {
    let Board { machine, watchdog, serial, flash } = board::board();
    let (updates, pilot) = boot::begin(flash);
    let watchdog = board::watchdog(watchdog);
    // Below the peripherals' interrupts, which only move bytes between registers and buffers.
    interrupt::SPI4.set_priority(Priority::P3);
    HIGH.start(interrupt::SPI4).spawn(unwrap!(control(machine, watchdog, pilot.clone())));
    low.spawn(unwrap!(log()));
    serve(serial, plate("nucleo-f401re"), updates, pilot).await
}

#[panic_handler]
fn panic(why: &PanicInfo<'_>) -> ! {
    last::words(why, board::let_go, board::reset)
}

#[exception]
#[allow(unsafe_code)]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    let why = format_args!("hard fault at {:#010x}", frame.pc());
    last::words(&why, board::let_go, board::reset)
}
