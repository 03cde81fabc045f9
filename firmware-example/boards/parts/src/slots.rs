//! Where in flash two policies have room.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

/// Bytes of a policy that a slot has room for; what is erased at once may be more.
pub const ROOM: u32 = 48 << 10;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The first one.
    A,
    /// The second one.
    B,
}

/// Two slots in a chip's flash.
pub struct Slots<F> {
    /// The flash, from its own beginning.
    pub flash: F,
    /// Where the first one begins, counted from the flash's beginning.
    start: u32,
    /// Bytes of each. Erasing one slot spares the other.
    size: u32,
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
        Slots { flash, start, size }
    }

    /// Where a slot lies in the flash.
    pub fn place(&self, slot: Slot) -> Range<u32> {
        let start = match slot {
            Slot::A => self.start,
            Slot::B => self.start + self.size,
        };
        start..start + self.size
    }

    /// Erases a slot. It goes from one piece to the next by itself, so that interrupts have their turn in between: while
    /// a piece is being erased, most chips run nothing.
    ///
    /// # Errors
    ///
    /// What the flash says, if it cannot be erased.
    pub fn erase(&mut self, slot: Slot) -> Result<(), F::Error> {
        let place = self.place(slot);
        for piece in place.step_by(F::ERASE_SIZE) {
            self.flash.erase(piece, piece + F::ERASE_SIZE as u32)?;
        }
        Ok(())
    }

    /// Logs where the slots are.
    #[cfg(target_os = "none")]
    pub fn log(&self) {
        let [a, b] = [Slot::A, Slot::B].map(|slot| self.place(slot).start);
        defmt::info!(
            "slots at {=u32:#x} and {=u32:#x} of the flash, {=u32} bytes each",
            a,
            b,
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

#[cfg(test)]
mod tests {
    use core::convert::Infallible;
    use std::{vec, vec::Vec};

    use embedded_storage::nor_flash::{ErrorType, ReadNorFlash};

    use super::*;

    /// Remembers what was erased.
    struct Flash(Vec<Range<u32>>);

    impl ErrorType for Flash {
        type Error = Infallible;
    }

    impl ReadNorFlash for Flash {
        const READ_SIZE: usize = 1;

        fn read(&mut self, _: u32, _: &mut [u8]) -> Result<(), Infallible> {
            Ok(())
        }

        fn capacity(&self) -> usize {
            512 << 10
        }
    }

    impl NorFlash for Flash {
        const WRITE_SIZE: usize = 4;
        const ERASE_SIZE: usize = 16 << 10;

        fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
            self.0.push(from..to);
            Ok(())
        }

        fn write(&mut self, _: u32, _: &[u8]) -> Result<(), Infallible> {
            Ok(())
        }
    }

    #[test]
    fn a_slot_is_erased_piece_by_piece_and_the_other_one_is_not() {
        let mut slots = Slots::new(Flash(vec![]), 0x68000, 0xC000);
        assert_eq!(
            (slots.place(Slot::A), slots.place(Slot::B)),
            (0x68000..0x74000, 0x74000..0x80000)
        );
        slots.erase(Slot::B).unwrap();
        let pieces = [0x74000..0x78000, 0x78000..0x7C000, 0x7C000..0x80000];
        assert_eq!(slots.flash.0, pieces);
    }

    #[test]
    #[should_panic(expected = "start")]
    fn slots_begin_where_erasing_can() {
        Slots::new(Flash(vec![]), 0x1000, 0xC000);
    }

    #[test]
    #[should_panic(expected = "capacity")]
    fn slots_lie_in_the_flash() {
        Slots::new(Flash(vec![]), 0x6C000, 0xC000);
    }
}
