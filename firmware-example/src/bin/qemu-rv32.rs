//! Board: QEMU's `virt`, an RV32IMAC, without FPU. Controls.

#![cfg_attr(any(target_os = "none", target_family = "wasm"), no_std, no_main)]
#![forbid(unsafe_code)]

firmware_example::controls!("riscv32", riscv_rt::entry, riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineTimer) timer, Ns16550, true, "qemu-rv32");
