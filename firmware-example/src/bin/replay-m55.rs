//! Board: QEMU's `mps3-an547`, a Cortex-M55.

#![cfg_attr(any(target_os = "none", target_family = "wasm"), no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::replays!("arm", cortex_m_rt::entry);
