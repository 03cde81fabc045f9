//! Which task runs where.

use core::panic::PanicInfo;

use board_parts::{Pilot, boot, clock::plate, last, link::serve, log::report};
use defmt::unwrap;
use defmt_rtt as _;
use embassy_executor::Spawner;
use esp_hal::interrupt::Priority;
use esp_rtos::embassy::InterruptExecutor;
use static_cell::StaticCell;

use crate::board::{self, Board, Parts, Watchdog};

// What the vendor's bootloader wants to know about the program.
esp_bootloader_esp_idf::esp_app_desc!();

/// Runs in an interrupt, so that it takes the processor from all tasks of `main`.
static HIGH: StaticCell<InterruptExecutor<1>> = StaticCell::new();

#[embassy_executor::task]
async fn control(parts: Parts, watchdog: Watchdog, pilot: Option<Pilot>) -> ! {
    board_parts::control::run(parts.assemble(), watchdog, pilot).await
}

#[embassy_executor::task]
async fn log() -> ! {
    report().await
}

#[esp_rtos::main]
async fn main(low: Spawner) -> ! {
    let Board { parts, watchdog, interrupt, serial } = board::board();
    // It takes no updates, as policies are read where they lie, and the chip's flash has no address until it is given one.
    let pilot = boot::firmware();
    let watchdog = board::watchdog(watchdog);
    let high = HIGH.init(InterruptExecutor::new(interrupt));
    high.start(Priority::Priority2).spawn(unwrap!(control(parts, watchdog, pilot.clone())));
    low.spawn(unwrap!(log()));
    serve(serial, plate("esp32c3"), (), pilot).await
}

/// Exceptions of the processor come here, too.
#[panic_handler]
fn panic(why: &PanicInfo<'_>) -> ! {
    last::words(why, board::let_go, || esp_hal::system::software_reset())
}
