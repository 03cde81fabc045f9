//! Board: ST Nucleo-F401RE, an STM32F401RE: Cortex-M4F.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
#[path = "../../arm.rs"]
mod tasks;

/// What the board is called.
#[cfg(target_os = "none")]
const NAME: &str = "nucleo-f401re";

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    board_parts::not_firmware("nucleo-f401re")
}
