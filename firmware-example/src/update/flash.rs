//! What a board's flash must be able to.

use embedded_storage::nor_flash::NorFlash;

/// Flash that can be read where it lies.
pub trait Flash: NorFlash {
    /// Does writing hold up the processor, so that the control loop would miss its periods?
    const STALLS: bool;

    /// Bytes of the flash, where they lie; fewer where it ends before. They start at a multiple of 4 where `offset` does.
    ///
    /// They stay what they are until they are erased or written. An [`Updater`](super::Updater) does neither to the bytes of a
    /// policy that it gave out, as long as that can run, and nobody else keeps any.
    fn mapped(&self, offset: u32, length: u32) -> &'static [u8];
}
