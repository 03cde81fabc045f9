//! Where in flash two policies have room.

use embedded_storage::nor_flash::NorFlash;

/// Bytes of a policy that a slot has room for; what is erased at once may be more.
pub const ROOM: u32 = 48 << 10;

/// Two slots in a chip's flash.
pub struct Slots<F> {
    /// The flash, from its own beginning.
    pub flash: F,
    /// Where the slots begin, counted from the flash's beginning.
    pub starts: [u32; 2],
    /// Bytes of each. Erasing one slot spares the other.
    pub size: u32,
}

impl<F: NorFlash> Slots<F> {
    /// The slots that the linker's script reserves: `__slots_start`, counted from the flash's beginning, and
    /// `__slot_size`.
    #[cfg(target_os = "none")]
    pub fn reserved(flash: F) -> Self {
        let (start, size) = linker::symbols();
        Slots::new(flash, start, size)
    }

    /// Two slots of this size, one after the other.
    ///
    /// # Panics
    ///
    /// If they do not begin and end where erasing can, do not lie in the flash, or are too small for a policy: the
    /// board's layout is wrong then.
    pub fn new(flash: F, start: u32, size: u32) -> Self {
        let erased = F::ERASE_SIZE as u32;
        assert!(start.is_multiple_of(erased) && size.is_multiple_of(erased));
        assert!(size >= ROOM && start as usize + 2 * size as usize <= flash.capacity());
        Slots { flash, starts: [start, start + size], size }
    }

    /// Logs where the slots are.
    #[cfg(target_os = "none")]
    pub fn log(&self) {
        let [first, second] = self.starts;
        defmt::info!(
            "slots at {=u32:#x} and {=u32:#x}, {=u32} bytes each",
            first,
            second,
            self.size
        );
    }
}

#[cfg(target_os = "none")]
mod linker {
    // The linker's symbols are places without content; their addresses are the numbers.
    #![allow(unsafe_code)]

    unsafe extern "C" {
        static __slots_start: u8;
        static __slot_size: u8;
    }

    pub(super) fn symbols() -> (u32, u32) {
        ((&raw const __slots_start) as u32, (&raw const __slot_size) as u32)
    }
}
