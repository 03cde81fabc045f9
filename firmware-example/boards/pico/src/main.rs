//! Board: Raspberry Pi Pico, an RP2040: Cortex-M0+, no FPU.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
#[path = "../../arm.rs"]
mod tasks;

/// What the board is called.
#[cfg(target_os = "none")]
const NAME: &str = "pico";

/// Bytes of flash on the board.
#[cfg(target_os = "none")]
const FLASH_SIZE: usize = 2 << 20;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    board_parts::not_firmware("pico")
}
