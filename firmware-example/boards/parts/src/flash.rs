//! Flash that is mapped into the address space.

// The linker's symbols are places without content, and memory that a program is not part of is reached by pointers.
#![allow(unsafe_code)]

use core::{ptr, slice};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use firmware_example::update::Flash;

// `mut`, so that no compiler takes what was read there before a write for what is there after it.
unsafe extern "C" {
    static mut __slots: u8;
    static __slots_start: u8;
    static __slot_size: u8;
}

/// Where the linker's script has the first slot, counted from the flash's beginning, and the bytes of each of the two.
pub fn place() -> (u32, u32) {
    ((&raw const __slots_start) as u32, (&raw const __slot_size) as u32)
}

/// A chip's flash whose slots can be read where they lie, as the region `SLOTS` of the linker's script has them.
#[derive(Debug)]
pub struct Mapped<F>(F);

impl<F: NorFlash> Mapped<F> {
    /// The flash of which the region is a part.
    pub(crate) fn new(flash: F) -> Self {
        Mapped(flash)
    }
}

impl<F: NorFlash> ErrorType for Mapped<F> {
    type Error = F::Error;
}

impl<F: NorFlash> ReadNorFlash for Mapped<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> NorFlash for Mapped<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        self.0.erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        self.0.write(offset, bytes)
    }
}

impl<F: NorFlash> Flash for Mapped<F> {
    /// On all of them. nRF52833: the CPU is halted while the NVMC erases or writes and code runs from flash (product
    /// specification, chapter NVMC). STM32F401: flash that is being written cannot be read, and a bus that tries waits (RM0368,
    /// chapter 3.6). RP2040 and RP2350: flash beside the chip cannot be read while a command is sent to it, so that the HAL
    /// holds off all interrupts (RP2040 datasheet, chapter 2.8.3).
    const STALLS: bool = true;

    fn mapped(&self, offset: u32, length: u32) -> &'static [u8] {
        let (start, size) = place();
        let all = 2 * size;
        let Some(from) = offset.checked_sub(start).filter(|from| *from <= all) else { return &[] };
        let length = length.min(all - from) as usize;
        let slots = (&raw const __slots).expose_provenance();
        let first = ptr::with_exposed_provenance(slots + from as usize);
        // SAFETY: within the region that the linker keeps free for the slots, which can be read like memory, and which changes
        // only by `erase` and `write` above, when whoever has these bytes keeps them no more, as `Flash` says.
        unsafe { slice::from_raw_parts(first, length) }
    }
}
