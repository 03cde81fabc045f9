//! Policies that come after the firmware: two slots in flash, of which one is used and the other one can be written.
//!
//! ```text
//! offset  0                    128            256         512
//!         | manifest | signature | …          | kept | …  | policy …
//!         | 64       | 64        |            | 16   |    |
//! ```
//!
//! A slot counts where all of it fits: the signature to the board's key and the manifest, the manifest and its digest to
//! the policy, and the mark *kept* to the manifest. That mark is written last, when the policy has passed its trial, and it
//! alone makes a policy run after a restart: a single write, which either is there or is not. So whenever power fails,
//! a policy that was kept is found again: the one in the other slot, or the firmware's own.
//!
//! No journal says which slot is in use: of two that count, the one of the higher version is. That leaves nothing to be stored
//! that `sequential-storage` could store better; besides, its asynchronous functions can panic.
//!
//! | module | what is in it |
//! |---|---|
//! | [`flash`] | [`Flash`]: what a board's flash must be able to |
//! | [`slots`] | [`Slots`]: reading and writing a slot |
//! | [`updater`] | [`Updater`]: from a proposal to a policy that was kept |

pub mod flash;
#[cfg(test)]
pub(crate) mod model;
#[cfg(test)]
pub(crate) mod samples;
pub mod slots;
pub mod updater;

use policy_core::link::UpdateRefusal;

pub use flash::Flash;
pub use slots::{Slot, Slots};
pub use updater::Updater;

/// The board's public key, where it has one: 32 bytes, as `trainer keygen` makes them and `KEY` names them to the build.
pub type Key = Option<[u8; policy_core::update::KEY]>;

/// How a board takes updates; `()` is one that takes none.
pub trait Updates {
    /// Bytes of the longest policy that it takes; 0 where it takes none.
    fn capacity(&self) -> u32 {
        0
    }

    /// Would this policy be taken? If so, as much of the spare slot as it takes is erased. `is_running` says whether the controller runs, or will;
    /// it is asked right before.
    ///
    /// # Errors
    ///
    /// Why not.
    fn propose(
        &mut self,
        _manifest: &[u8],
        _signature: &[u8],
        _is_running: impl FnOnce() -> bool,
    ) -> Result<(), UpdateRefusal> {
        Err(UpdateRefusal::NoSlots)
    }

    /// Writes the next bytes of that policy: [`CHUNK`](policy_core::link::CHUNK) of them, or the last ones.
    ///
    /// # Errors
    ///
    /// If they are not the next ones, or cannot be written. After the latter the update must be proposed again.
    fn chunk(
        &mut self,
        _offset: u32,
        _bytes: &[u8],
        _is_running: bool,
    ) -> Result<(), UpdateRefusal> {
        Err(UpdateRefusal::NoSlots)
    }

    /// Checks the policy as it lies in the slot: digest, what `test` finds, and contract. If all is well it is on trial, and
    /// what `test` gave for its version and bytes is to run.
    ///
    /// # Errors
    ///
    /// Why not; the update is over then, but for bytes that are missing.
    fn commit<Pilot>(
        &mut self,
        _is_running: bool,
        _test: impl FnOnce(u32, &'static [u8]) -> Result<Pilot, UpdateRefusal>,
    ) -> Result<Pilot, UpdateRefusal> {
        Err(UpdateRefusal::NoSlots)
    }

    /// The policy on trial has passed it: it is kept.
    ///
    /// # Errors
    ///
    /// If the flash fails. The policy runs on, but a restart brings back the one before.
    fn passed(&mut self) -> Result<(), UpdateRefusal> {
        Ok(())
    }

    /// The policy on trial has failed it, and runs no more: its slot is free again.
    fn failed(&mut self) {}
}

impl Updates for () {}

/// A board that may have no slots.
impl<U: Updates> Updates for Option<U> {
    fn capacity(&self) -> u32 {
        self.as_ref().map_or(0, U::capacity)
    }

    fn propose(
        &mut self,
        manifest: &[u8],
        signature: &[u8],
        is_running: impl FnOnce() -> bool,
    ) -> Result<(), UpdateRefusal> {
        let updates = self.as_mut().ok_or(UpdateRefusal::NoSlots)?;
        updates.propose(manifest, signature, is_running)
    }

    fn chunk(&mut self, offset: u32, bytes: &[u8], is_running: bool) -> Result<(), UpdateRefusal> {
        self.as_mut().ok_or(UpdateRefusal::NoSlots)?.chunk(offset, bytes, is_running)
    }

    fn commit<Pilot>(
        &mut self,
        is_running: bool,
        test: impl FnOnce(u32, &'static [u8]) -> Result<Pilot, UpdateRefusal>,
    ) -> Result<Pilot, UpdateRefusal> {
        self.as_mut().ok_or(UpdateRefusal::NoSlots)?.commit(is_running, test)
    }

    fn passed(&mut self) -> Result<(), UpdateRefusal> {
        self.as_mut().map_or(Ok(()), U::passed)
    }

    fn failed(&mut self) {
        if let Some(updates) = self {
            updates.failed();
        }
    }
}
