//! Runs a trained policy on a microcontroller.
//!
//! The firmware carries a policy and a recording: observations with the action bits that the
//! desktop computed for them. It gives each observation to the policy and compares the actions bit
//! for bit, prints what it found and ends with an exit code that says the same. In the folder of
//! this package,
//!
//! ```text
//! POLICY=../runs/sac/policy.bin cargo run --release
//! ```
//!
//! bakes in that policy and the `recording.bin` beside it, and runs the firmware in an emulator
//! (without `POLICY`: the ones in `sample/`).
//!
//! # Modules
//!
//! | module | what is in it |
//! |---|---|
//! | [`replay`] | [`run`]: load, replay, report; the same on every board |
//! | `baked` | the policy and the recording; only in builds for a microcontroller |
//!
//! A board is one program in `src/bin/`, the memory layout of the same name in `boards/`, and the
//! way to run it in `.cargo/config.toml`. The library takes from it an output and a way to count
//! instructions, and knows nothing else about it; so its tests run on the desktop.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(target_os = "none")]
pub mod baked;
pub mod replay;

pub use replay::{Outcome, run};

/// What a board's program says when it was built for the desktop, where it can do nothing.
pub const NOT_FIRMWARE: &str = "this is firmware, but it was built for the desktop: \
    change to the folder firmware-example and use `cargo run --release` there";
