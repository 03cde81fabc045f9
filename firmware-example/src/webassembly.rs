//! The firmware as a WebAssembly module, for whatever can call its function `run`.

// What a module imports and exports has no types that the compiler could check.
#![allow(unsafe_code)]

use core::{arch::wasm32, fmt, panic::PanicInfo};

use crate::baked;

#[link(wasm_import_module = "host")]
unsafe extern "C" {
    /// Takes the report, byte by byte.
    safe fn put(byte: u32);
}

struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| put(byte.into()));
        Ok(())
    }
}

/// Replays the recording, reports, and gives the exit code that says the same.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> i32 {
    baked::run(&mut (), &mut Console).exit_code()
}

/// Nothing panics, but without this there is no module.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    wasm32::unreachable()
}
