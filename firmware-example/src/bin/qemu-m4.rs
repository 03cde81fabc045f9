//! Board: QEMU's `mps2-an386`, a Cortex-M4F. Controls.

#![cfg_attr(any(target_os = "none", target_family = "wasm"), no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::controls!("arm", cortex_m_rt::entry, cortex_m_rt::exception SysTick, Cmsdk, true, "qemu-m4");
