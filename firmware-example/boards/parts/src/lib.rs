//! What the firmware of the real boards has in common: the parts of the library `firmware-example`, put together.
//!
//! | module | what is in it |
//! |---|---|
//! | [`machine`] | the pendulum: its motor, its encoder's zero, and which policies are for it |
//! | [`schedule`] | when the next control period begins |
//! | `boot` | the policy to run, proven; only in builds for a microcontroller, as all that follows |
//! | `control` | the body of the control loop's task |
//! | `link` | the body of the serial link's task |
//! | `flash` | flash that is mapped into the address space |
//! | `clock` | time, and what an action costs |
//! | `log` | the body of the log's task |
//! | `last` | what is done when the firmware cannot go on |
//!
//! A board's own package sets up its hardware (`board.rs`). Which task runs in which executor is said in `../arm.rs`, for
//! all boards with such a core, and by the ESP32-C3 in its own `tasks.rs`.

#![no_std]

#[cfg(not(target_os = "none"))]
extern crate std;

#[cfg(target_os = "none")]
pub mod boot;
#[cfg(target_os = "none")]
pub mod clock;
#[cfg(target_os = "none")]
pub mod control;
#[cfg(target_os = "none")]
pub mod flash;
#[cfg(target_os = "none")]
pub mod last;
#[cfg(target_os = "none")]
pub mod link;
#[cfg(target_os = "none")]
pub mod log;
pub mod machine;
pub mod schedule;

/// The PWM frequency of both inputs of the bridge, in hertz: above what people hear, and within what small drivers
/// switch.
pub const PWM_FREQUENCY: u32 = 20_000;

/// The serial link's bits per second.
pub const BAUD_RATE: u32 = 115_200;

/// The clock of the encoder's bus, in hertz.
pub const I2C_FREQUENCY: u32 = 400_000;

/// The policy that runs the machine.
#[cfg(target_os = "none")]
pub type Pilot = firmware_example::control::Pilot<
    'static,
    firmware_example::baked::Weight,
    { firmware_example::baked::WIDTH },
>;

/// Between the control loop and everything else.
#[cfg(target_os = "none")]
pub static MAILBOX: firmware_example::control::Mailbox<
    'static,
    firmware_example::baked::Weight,
    { firmware_example::baked::WIDTH },
> = firmware_example::control::Mailbox::new();

/// The program of a board, where it was built for the desktop: it can do nothing there.
#[cfg(not(target_os = "none"))]
pub fn not_firmware(board: &str) -> std::process::ExitCode {
    std::eprintln!(
        "this is firmware, but it was built for the desktop: change to the folder firmware-example/boards/{board} \
         and use `cargo run --release` there"
    );
    std::process::ExitCode::from(2)
}
