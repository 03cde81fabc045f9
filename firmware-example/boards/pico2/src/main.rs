//! Board: Raspberry Pi Pico 2, an RP2350: Cortex-M33. What it runs is the Pico's.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
#[path = "../../pico/src/board.rs"]
mod board;
#[cfg(target_os = "none")]
#[path = "../../arm.rs"]
mod tasks;

/// What the board is called.
#[cfg(target_os = "none")]
const NAME: &str = "pico2";

/// Bytes of flash on the board.
#[cfg(target_os = "none")]
const FLASH_SIZE: usize = 4 << 20;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    board_parts::not_firmware("pico2")
}
