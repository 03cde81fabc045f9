//! Board: QEMU's `mps2-an386`, a Cortex-M4F.

#![cfg_attr(any(target_os = "none", target_family = "wasm"), no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::replays!("arm", cortex_m_rt::entry);
