//! Which task runs where, on all boards with an ARM core. It is a module of each board's program, as tasks have no type
//! parameters; `board.rs` has the interrupt of the high priority, which has another name on each chip.

use core::panic::PanicInfo;

use board_parts::{Pilot, boot, clock::plate, last, link::serve, log::report};
use cortex_m_rt::{ExceptionFrame, exception};
use defmt::unwrap;
use defmt_rtt as _;
use embassy_executor::Spawner;

use crate::board::{
    self, Board, HIGH, INTERRUPT, Machine, Watchdog,
    interrupt::{InterruptExt, Priority},
};

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
    INTERRUPT.set_priority(Priority::P3);
    HIGH.start(INTERRUPT).spawn(unwrap!(control(machine, watchdog, pilot.clone())));
    low.spawn(unwrap!(log()));
    serve(serial, plate(crate::NAME), updates, pilot).await
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
