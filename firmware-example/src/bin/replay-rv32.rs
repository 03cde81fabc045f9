//! Board: QEMU's `virt`, an RV32IMAC, without FPU.

#![cfg_attr(any(target_os = "none", target_family = "wasm"), no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::replays!("riscv32", riscv_rt::entry);
