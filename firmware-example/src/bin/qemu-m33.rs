//! Board: QEMU's `mps2-an505`, a Cortex-M33.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

use firmware_example as _;

#[cfg(all(target_os = "none", target_arch = "arm"))]
#[cortex_m_rt::entry]
fn main() -> ! {
    firmware_example::emulated::main()
}

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    firmware_example::not_firmware()
}
