//! What the emulator was told to tell the program.

// The emulator writes to memory by its address.
#![allow(unsafe_code)]

// Deprecated for being unsafe; but those that are not can panic.
#[expect(deprecated)]
use semihosting::sys::arm_compat::{CommandLine, sys_get_cmdline};

/// Was the program given the argument `serve`?
pub(super) fn has_serve() -> bool {
    let mut text = [0_u8; 64];
    let mut line = CommandLine { ptr: text.as_mut_ptr(), size: text.len() };
    // SAFETY: the emulator writes at most so many bytes, to memory that is the array's.
    #[expect(deprecated)]
    let answer = unsafe { sys_get_cmdline(&mut line) };
    answer.is_ok() && text.starts_with(b"serve")
}
