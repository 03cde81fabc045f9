//! Which task runs where.

use core::panic::PanicInfo;

use board_parts::tasks::{echo, report};
use defmt::{Display2Format, unwrap};
use defmt_rtt as _;
use embassy_executor::Spawner;
use esp_hal::interrupt::Priority;
use esp_rtos::embassy::InterruptExecutor;
use static_cell::StaticCell;

use crate::board::{self, Board, Parts};

// What the vendor's bootloader wants to know about the program.
esp_bootloader_esp_idf::esp_app_desc!();

/// Runs in an interrupt, so that it takes the processor from all tasks of `main`.
static HIGH: StaticCell<InterruptExecutor<1>> = StaticCell::new();

#[embassy_executor::task]
async fn control(parts: Parts) -> ! {
    parts.assemble().run().await
}

#[embassy_executor::task]
async fn log() -> ! {
    report().await
}

#[esp_rtos::main]
async fn main(low: Spawner) -> ! {
    let Board { control: parts, interrupt, serial, slots } = board::board();
    slots.log();
    let high = HIGH.init(InterruptExecutor::new(interrupt));
    high.start(Priority::Priority2).spawn(unwrap!(control(parts)));
    low.spawn(unwrap!(log()));
    echo(serial).await
}

/// Says why; then the watchdog resets the chip. panic-probe, which the other boards have, is for ARM only.
#[panic_handler]
fn panic(why: &PanicInfo<'_>) -> ! {
    critical_section::with(|_| {
        defmt::error!("{}", Display2Format(why));
        loop {}
    })
}
