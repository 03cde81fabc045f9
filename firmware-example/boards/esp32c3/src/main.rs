//! Board: any with an ESP32-C3, RV32IMC, no FPU.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(target_os = "none")]
mod tasks;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    board_parts::not_firmware("esp32c3")
}
