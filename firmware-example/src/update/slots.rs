//! Reading and writing a slot.

use policy_core::update::{self, KEY, MANIFEST, Manifest, SIGNATURE, SLOT_HEAD};

use super::Flash;

const SIGNATURE_AT: u32 = 64;
const KEPT_AT: u32 = 256;
/// The most that a chip writes at once, so that each part of a slot can be written by itself.
const LARGEST_WRITE: usize = 256;
/// Bytes of the mark that a policy is kept.
const MARK: usize = 16;
/// What erased flash holds.
const ERASED: u8 = 0xFF;

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The first one.
    A,
    /// The second one.
    B,
}

impl Slot {
    /// The other one.
    pub fn other(self) -> Slot {
        match self {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        }
    }
}

/// The flash has not done what it was told to, or there is not as much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken;

/// Two slots of a flash.
#[derive(Debug)]
pub struct Slots<F> {
    flash: F,
    start: u32,
    /// Bytes of each.
    size: u32,
}

impl<F: Flash> Slots<F> {
    /// Two slots of `size` bytes, one after the other from `start` on, counted from the flash's beginning. `None` where that
    /// does not fit the flash, or what it erases or writes at once.
    pub fn new(flash: F, start: u32, size: u32) -> Option<Self> {
        let erased = F::ERASE_SIZE as u32;
        let end = size.checked_mul(2)?.checked_add(start)?;
        let is_aligned = start.is_multiple_of(erased) && size.is_multiple_of(erased);
        let is_written_apart = LARGEST_WRITE.is_multiple_of(F::WRITE_SIZE);
        let fits = size > SLOT_HEAD && end as usize <= flash.capacity();
        (is_aligned && is_written_apart && fits).then_some(Slots { flash, start, size })
    }

    /// Bytes of the longest policy.
    pub(super) fn capacity(&self) -> u32 {
        self.size - SLOT_HEAD
    }

    fn at(&self, slot: Slot, offset: u32) -> u32 {
        offset
            + match slot {
                Slot::A => self.start,
                Slot::B => self.start + self.size,
            }
    }

    /// The first bytes of the slot's policy; fewer where there is no room for so many.
    pub(super) fn policy(&self, slot: Slot, length: u32) -> &'static [u8] {
        self.flash.mapped(self.at(slot, SLOT_HEAD), length.min(self.capacity()))
    }

    /// What the slot holds, if all of it fits, but for the mark.
    pub(super) fn complete(
        &self,
        slot: Slot,
        key: &[u8; KEY],
    ) -> Option<(Manifest, &'static [u8])> {
        let head = self.flash.mapped(self.at(slot, 0), SLOT_HEAD);
        let (manifest, rest) = head.split_first_chunk::<MANIFEST>()?;
        let signature = rest.first_chunk::<SIGNATURE>()?;
        let read = Manifest::from_bytes(manifest).ok()?;
        let policy = self.policy(slot, read.length);
        // The cheaper one first: an empty slot has no manifest, and a torn one rarely the right digest.
        if policy.len() != read.length as usize || update::digest(policy) != read.digest {
            return None;
        }
        update::verify(key, manifest, signature).ok()?;
        Some((read, policy))
    }

    /// Was the policy of this manifest kept?
    pub(super) fn is_kept(&self, slot: Slot, manifest: &Manifest) -> bool {
        self.flash.mapped(self.at(slot, KEPT_AT), MARK as u32) == mark(manifest)
    }

    /// Erases as much of the slot as a policy of `length` bytes takes. Its beginning goes first, so that what is left of it never
    /// counts; and from one piece to the next interrupts have their turn.
    ///
    /// # Errors
    ///
    /// If the flash fails.
    pub(super) fn erase(&mut self, slot: Slot, length: u32) -> Result<(), Broken> {
        let (start, piece) = (self.at(slot, 0), F::ERASE_SIZE as u32);
        let taken = SLOT_HEAD + length.min(self.capacity());
        for offset in (start..start + taken).step_by(F::ERASE_SIZE) {
            self.flash.erase(offset, offset + piece).map_err(|_| Broken)?;
        }
        Ok(())
    }

    /// Writes bytes of a policy. Those of all calls but the last must be a multiple of what the flash writes at once.
    ///
    /// # Errors
    ///
    /// If the flash fails, or the bytes are not there afterwards.
    pub(super) fn write(&mut self, slot: Slot, offset: u32, bytes: &[u8]) -> Result<(), Broken> {
        self.put(self.at(slot, SLOT_HEAD + offset), bytes)
    }

    /// Writes manifest and signature.
    ///
    /// # Errors
    ///
    /// As [`write`](Slots::write).
    pub(super) fn seal(
        &mut self,
        slot: Slot,
        manifest: &[u8; MANIFEST],
        signature: &[u8; SIGNATURE],
    ) -> Result<(), Broken> {
        let mut record = [ERASED; MANIFEST + SIGNATURE];
        let fields = manifest.iter().chain(signature);
        record.iter_mut().zip(fields).for_each(|(byte, field)| *byte = *field);
        self.put(self.at(slot, 0), &record)
    }

    /// Writes the mark: from now on the policy runs after a restart.
    ///
    /// # Errors
    ///
    /// As [`write`](Slots::write).
    pub(super) fn keep(&mut self, slot: Slot, manifest: &Manifest) -> Result<(), Broken> {
        self.put(self.at(slot, KEPT_AT), &mark(manifest))
    }

    fn put(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Broken> {
        for (at, piece) in (offset..).step_by(LARGEST_WRITE).zip(bytes.chunks(LARGEST_WRITE)) {
            let mut block = [ERASED; LARGEST_WRITE];
            block.iter_mut().zip(piece).for_each(|(byte, new)| *byte = *new);
            let length = piece.len().next_multiple_of(F::WRITE_SIZE);
            let block = block.get(..length).ok_or(Broken)?;
            self.flash.write(at, block).map_err(|_| Broken)?;
        }
        let written = self.flash.mapped(offset, bytes.len() as u32);
        if written == bytes { Ok(()) } else { Err(Broken) }
    }
}

/// It belongs to one manifest: bytes that are torn, erased or another policy's are none.
fn mark(manifest: &Manifest) -> [u8; MARK] {
    let mut mark = *b"KEPT\0\0\0\0\0\0\0\0\0\0\0\0";
    let own = manifest.version.to_le_bytes().into_iter().chain(manifest.digest);
    mark.iter_mut().skip(4).zip(own).for_each(|(byte, field)| *byte = field);
    mark
}

const _: () = assert!(SIGNATURE_AT as usize == MANIFEST);
