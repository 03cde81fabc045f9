//! Board: QEMU's `microbit`, a Cortex-M0 with 256 KiB of flash and 16 KiB of RAM, without FPU. Controls.

#![cfg_attr(any(target_os = "none", target_family = "wasm"), no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::controls!("arm", cortex_m_rt::entry, cortex_m_rt::exception SysTick, Nrf51, false, "qemu-m0");
