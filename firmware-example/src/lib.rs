//! Runs a trained policy on a microcontroller.
//!
//! Two kinds of programs are made of this library. Those that *control* let a policy run a machine, once in each control
//! period, and answer a desktop over a serial line meanwhile:
//!
//! ```text
//! POLICY=../runs/sac/policy.bin cargo run --release
//! ```
//!
//! in the folder of this package bakes in that policy and runs it on an emulated Cortex-M4F, whose pendulum is simulated
//! (without `POLICY`: the one in `sample/f32/`). Those that *replay* compare the policy's actions with the desktop's, bit for bit,
//! for the observations of the `recording.bin` beside it:
//!
//! ```text
//! cargo run --release --target thumbv6m-none-eabi --bin replay-m0
//! ```
//!
//! # Modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`control`] | the loop: observe, check, act, account for time; what it needs of a machine and a board |
//! | [`plants`] | machines: encoder, H-bridge, pendulum, and one that is simulated |
//! | [`service`], [`station`] | the board's end of the serial link: questions and answers |
//! | [`update`] | policies that come later: two slots in flash, signatures, trials |
//! | [`replay`], [`meter`] | load, test, replay, report |
//! | `baked` | the policy, the recording and the key of updates; only in builds for a microcontroller |
//! | `emulated` | what the boards of the emulator have in common; feature `emulated`, only there |
//! | `webassembly` | the replay as a module; only there |
//!
//! A board of the emulator is one program in `src/bin/` ([`controls!`], [`replays!`]), the memory layout in
//! `boards/qemu-CORE/`, and a line in the script `emulate`. A real board is a package in `boards/`, which uses this library
//! without the feature `emulated`. The library knows no board; so its tests run on the desktop.

#![no_std]
// Only `emulated` and `webassembly` have any.
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
