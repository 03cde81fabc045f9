//! Runs a trained policy on a microcontroller.
//!
//! The firmware carries a policy and a recording: observations with the action bits that the
//! desktop computed for them. It lets the policy test itself, gives it each observation and compares the actions bit
//! for bit, prints what it found and ends with an exit code that says the same. In the folder of
//! this package,
//!
//! ```text
//! POLICY=../runs/sac/policy.bin cargo run --release
//! ```
//!
//! bakes in that policy and the `recording.bin` beside it, and runs the firmware in an emulator of a
//! Cortex-M4F (without `POLICY`: the ones in `sample/f32/`). Other boards are programs for other targets:
//!
//! ```text
//! cargo run --release --target thumbv6m-none-eabi --bin replay-m0
//! ```
//!
//! `./emulate --boards` lists them with their targets.
//!
//! # Modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`replay`] | [`run`]: load, test, replay, report; the same on every board |
//! | [`meter`] | what a board can measure |
//! | `baked` | the policy and the recording; only in builds for a microcontroller |
//! | `webassembly` | the same as a module; only there |
//! | `emulated`, `stack` | what the boards of the emulator have in common, and how they measure their stack; only there |
//!
//! A board is one program in `src/bin/` ([`board!`]), the memory layout of the same name in `boards/`, and a
//! line in the script `emulate`. [`run`] takes from it an output and its instruments, and knows nothing else about it;
//! so its tests run on the desktop, and `examples/replay.rs` does the same there.

#![no_std]
// Only `stack` and `webassembly` have any.
#![deny(unsafe_code)]

#[cfg(not(any(target_os = "none", target_family = "wasm")))]
extern crate std;

#[cfg(any(target_os = "none", target_family = "wasm"))]
pub mod baked;
pub mod control;
#[cfg(all(target_os = "none", feature = "emulated"))]
pub mod emulated;
pub mod meter;
pub mod plants;
pub mod replay;
#[cfg(test)]
mod samples;
pub mod service;
pub mod station;
pub mod update;
#[cfg(target_family = "wasm")]
pub mod webassembly;

pub use meter::Meter;
pub use replay::{Outcome, run};

/// A program for a board of the emulator, which replays: the name of the board's architecture in Rust, and what makes a
/// function its entry.
///
/// For another architecture the program is empty; for the desktop it says that it is firmware.
#[macro_export]
macro_rules! replays {
    ($architecture:literal, $entry:meta) => {
        #[cfg(all(target_os = "none", target_arch = $architecture))]
        /// The program; documented, because riscv-rt makes it public.
        #[$entry]
        /// Where the board starts.
        fn main() -> ! {
            $crate::emulated::replay::main()
        }

        $crate::elsewhere!();
    };
}

/// A program for a board of the emulator, which controls: as [`replays!`], and the interrupt of its timer, the board's
/// serial port and counter, whether it has memory for updates, and its name.
#[macro_export]
macro_rules! controls {
    ($architecture:literal, $entry:meta, $interrupt:meta $timer:ident, $serial:ident, $has_slots:literal, $name:literal) => {
        #[cfg(all(target_os = "none", target_arch = $architecture))]
        #[$entry]
        /// Where the board starts.
        fn main() -> ! {
            $crate::emulated::control::main::<$crate::emulated::$serial, $has_slots>($name)
        }

        #[cfg(all(target_os = "none", target_arch = $architecture))]
        #[$interrupt]
        fn $timer() {
            $crate::emulated::control::tick();
        }

        $crate::elsewhere!();
    };
}

/// What a program is where it is no firmware.
#[doc(hidden)]
#[macro_export]
macro_rules! elsewhere {
    () => {
        use $crate as _;

        #[cfg(not(any(target_os = "none", target_family = "wasm")))]
        fn main() -> std::process::ExitCode {
            $crate::not_firmware()
        }
    };
}

/// What a board's program says and gives back where it was built for the desktop: it can do nothing there.
#[cfg(not(any(target_os = "none", target_family = "wasm")))]
pub fn not_firmware() -> std::process::ExitCode {
    std::eprintln!(
        "this is firmware, but it was built for the desktop: change to the folder firmware-example and \
         use `cargo run --release` there"
    );
    std::process::ExitCode::from(2)
}
