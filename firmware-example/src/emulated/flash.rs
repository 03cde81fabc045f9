//! Flash for policies, on emulated boards: memory that behaves like it, and is empty whenever the emulator starts.

// It is written while others read another part of it.
#![allow(unsafe_code)]

use core::{ptr, slice};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use crate::update::Flash;

// `mut`, so that no compiler takes what was read there before a write for what is there after it.
unsafe extern "C" {
    static mut __slots: u8;
    static __slot_size: u8;
}

/// Bytes of a slot, as the linker's script has them.
pub(super) fn slot_size() -> u32 {
    (&raw const __slot_size) as u32
}

/// Bytes of both slots, which are the whole flash.
fn size() -> u32 {
    2 * slot_size()
}

/// As real flash it is erased to ones, and writing only makes zeros of them.
#[derive(Debug)]
pub(super) struct Emulated(());

impl Emulated {
    /// To be called once. The flash is erased.
    pub(super) fn new() -> Self {
        let mut flash = Emulated(());
        // It can, from beginning to end.
        let _ = flash.erase(0, size());
        flash
    }

    /// Bytes within the memory; the ranges have been checked.
    fn byte(&self, offset: u32) -> *mut u8 {
        let slots = (&raw mut __slots).expose_provenance();
        ptr::with_exposed_provenance_mut(slots + offset as usize)
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
        size() as usize
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
        let length = length.min(size().saturating_sub(offset)) as usize;
        // SAFETY: within the region that the linker keeps free for the slots, and written only when whoever has it keeps it no
        // more.
        unsafe { slice::from_raw_parts(self.byte(offset.min(size())), length) }
    }
}
