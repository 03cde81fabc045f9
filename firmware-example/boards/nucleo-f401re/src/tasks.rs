//! Which task runs where.

use board_parts::tasks::{echo, report};
use defmt::unwrap;
use defmt_rtt as _;
use embassy_executor::{InterruptExecutor, Spawner};
use embassy_stm32::interrupt::{self, InterruptExt, Priority};
use panic_probe as _;

use crate::board::{self, Board, Control};

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
async fn control(control: Control) -> ! {
    control.run().await
}

#[embassy_executor::task]
async fn log() -> ! {
    report().await
}

#[embassy_executor::main]
async fn main(low: Spawner) {
    let Board { control: parts, serial, slots } = board::board();
    slots.log();
    // Below the peripherals' interrupts, which only move bytes between registers and buffers.
    interrupt::SPI4.set_priority(Priority::P3);
    HIGH.start(interrupt::SPI4).spawn(unwrap!(control(parts)));
    low.spawn(unwrap!(log()));
    echo(serial).await
}
