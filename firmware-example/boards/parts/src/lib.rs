//! What the firmware of the real boards has in common.
//!
//! | module | what is in it |
//! |---|---|
//! | [`as5600`] | the encoder, on any I²C bus of embedded-hal |
//! | [`bridge`] | the motor's H-bridge, on any two PWM outputs of embedded-hal |
//! | [`slots`] | where in flash two policies have room |
//! | `tasks` | what the boards run; only in builds for a microcontroller |
//!
//! A board's own package sets up its hardware (`board.rs`) and gives each task its executor (`tasks.rs`), because tasks
//! have no type parameters and interrupts have other names on each chip.

#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

pub mod as5600;
pub mod bridge;
pub mod slots;
#[cfg(target_os = "none")]
pub mod tasks;

pub use as5600::As5600;
pub use bridge::Bridge;
pub use slots::Slots;

/// The PWM frequency of both inputs of the bridge, in hertz: above what people hear, and within what small drivers
/// switch.
pub const PWM_FREQUENCY: u32 = 20_000;

/// The serial link's bits per second.
pub const BAUD_RATE: u32 = 115_200;

/// The clock of the encoder's bus, in hertz.
pub const I2C_FREQUENCY: u32 = 400_000;

/// What resets the chip unless it hears from the control loop.
pub trait Watchdog {
    /// Says that the control loop is alive.
    fn feed(&mut self);
}

/// The program of a board, where it was built for the desktop: it can do nothing there.
#[cfg(not(target_os = "none"))]
pub fn not_firmware(board: &str) -> std::process::ExitCode {
    std::eprintln!(
        "this is firmware, but it was built for the desktop: change to the folder firmware-example/boards/{board} \
         and use `cargo run --release` there"
    );
    std::process::ExitCode::from(2)
}
