//! What the boards of the emulator have in common: programs that replay, and programs that control.
//!
//! Output and exit code go to the desktop by semihosting: breakpoints that the emulator serves.

mod arguments;
mod chips;
pub mod control;
mod flash;
pub mod replay;
mod serial;
mod stack;
pub mod timer;

use core::fmt;

use semihosting::io::{self, Write};

pub use chips::*;
pub use serial::{Serial, Uart};

/// What the programs print.
struct Console;

impl fmt::Write for Console {
    /// As `write_all` of the library, which panics where the emulator says that it has taken more than there was.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let (mut out, mut rest) = (io::stdout().map_err(|_| fmt::Error)?, text.as_bytes());
        while !rest.is_empty() {
            let taken = out.write(rest).map_err(|_| fmt::Error)?;
            rest = rest.get(taken.max(1)..).ok_or(fmt::Error)?;
        }
        Ok(())
    }
}
