//! Board: QEMU's `mps3-an547`, a Cortex-M55.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::board!("arm", cortex_m_rt::entry);
