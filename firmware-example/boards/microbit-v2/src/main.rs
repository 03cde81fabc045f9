//! Board: BBC micro:bit v2, an nRF52833: Cortex-M4F.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
#[path = "../../arm.rs"]
mod tasks;

/// What the board is called.
#[cfg(target_os = "none")]
const NAME: &str = "microbit-v2";

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    board_parts::not_firmware("microbit-v2")
}
