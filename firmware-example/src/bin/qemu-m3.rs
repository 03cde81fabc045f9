//! Board: QEMU's `mps2-an385`, a Cortex-M3, without FPU.

#![cfg_attr(target_os = "none", no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::board!("arm", cortex_m_rt::entry);
