//! Flash for policies, on emulated boards: memory that behaves like it, and is empty whenever the emulator starts.

// It is written while others read another part of it.
#![allow(unsafe_code)]

use core::{cell::UnsafeCell, slice};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use crate::update::Flash;

/// Bytes of a slot.
pub(super) const SLOT: u32 = 64 << 10;
const SIZE: usize = 2 * SLOT as usize;

#[repr(align(4))]
struct Memory(UnsafeCell<[u8; SIZE]>);

// SAFETY: only `Emulated` touches it, of which there is one, and whose methods do not run at once; what it lends out it does
// not write, as `Flash` promises.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; SIZE]));

/// As real flash it is erased to ones, and writing only makes zeros of them.
#[derive(Debug)]
pub(super) struct Emulated(());

impl Emulated {
    /// To be called once. The flash is erased.
    pub(super) fn new() -> Self {
        let mut flash = Emulated(());
        // It can, from beginning to end.
        let _ = flash.erase(0, SIZE as u32);
        flash
    }

    /// Bytes within the memory; the ranges have been checked.
    fn byte(&self, offset: u32) -> *mut u8 {
        MEMORY.0.get().cast::<u8>().wrapping_add(offset as usize)
    }
}

/// An access outside, or not where it can be.
#[derive(Debug)]
pub(super) struct Outside(NorFlashErrorKind);

impl NorFlashError for Outside {
    fn kind(&self) -> NorFlashErrorKind {
        self.0
    }
}

impl ErrorType for Emulated {
    type Error = Outside;
}

impl ReadNorFlash for Emulated {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Outside> {
        check_read(self, offset, bytes.len()).map_err(Outside)?;
        for (at, byte) in (offset..).zip(bytes) {
            // SAFETY: within the memory.
            *byte = unsafe { self.byte(at).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

impl NorFlash for Emulated {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Outside> {
        check_erase(self, from, to).map_err(Outside)?;
        for at in from..to {
            // SAFETY: within the memory, and lent to nobody.
            unsafe { self.byte(at).write_volatile(0xFF) };
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Outside> {
        check_write(self, offset, bytes.len()).map_err(Outside)?;
        for (at, byte) in (offset..).zip(bytes) {
            let place = self.byte(at);
            // SAFETY: as above.
            unsafe { place.write_volatile(place.read_volatile() & byte) };
        }
        Ok(())
    }
}

impl Flash for Emulated {
    const STALLS: bool = false;

    fn mapped(&self, offset: u32, length: u32) -> &'static [u8] {
        let left = (SIZE as u32).saturating_sub(offset);
        let length = length.min(left) as usize;
        // SAFETY: within the memory, and written only when whoever has it keeps it no more.
        unsafe { slice::from_raw_parts(self.byte(offset.min(SIZE as u32)), length) }
    }
}
