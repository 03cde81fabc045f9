//! From a proposal to a policy that was kept.

use policy_core::{
    link::{CHUNK, UpdateRefusal},
    update::{self, MANIFEST, Manifest, Needs, SIGNATURE},
};

use super::{Flash, Key, Slot, Slots, Updates};

/// Takes updates. All that can be refused is refused before flash is touched, and nothing ever touches the slot in use.
#[derive(Debug)]
pub struct Updater<F> {
    slots: Slots<F>,
    key: Key,
    needs: Needs,
    /// Where the policy that is kept lies, and its version; none where it is the firmware's.
    current: Option<(Slot, u32)>,
    pending: Pending,
}

/// How far an update is. All of it concerns the slot that is not in use.
#[derive(Debug)]
enum Pending {
    Nothing,
    /// So many bytes have arrived.
    Writing {
        manifest: Manifest,
        signed: [u8; MANIFEST],
        signature: [u8; SIGNATURE],
        arrived: u32,
    },
    OnTrial(Manifest),
}

impl<F: Flash> Updater<F> {
    /// An updater, and the pilot of the policy to run: that of the highest version that was kept and that `test` gives one for.
    /// `None` where there is none, so that the firmware's own must run.
    pub fn begin<Pilot>(
        slots: Slots<F>,
        key: Key,
        needs: Needs,
        mut test: impl FnMut(u32, &'static [u8]) -> Option<Pilot>,
    ) -> (Self, Option<Pilot>) {
        let mut updater = Updater { slots, key, needs, current: None, pending: Pending::Nothing };
        let kept = [Slot::A, Slot::B].map(|slot| updater.kept(slot).map(|found| (slot, found)));
        let [a, b] = kept;
        let version = |found: &Option<(Slot, (Manifest, _))>| found.as_ref().map(|f| f.1.0.version);
        let order = if version(&a) >= version(&b) { [a, b] } else { [b, a] };
        for (slot, (manifest, policy)) in order.into_iter().flatten() {
            if let Some(pilot) = test(manifest.version, policy) {
                updater.current = Some((slot, manifest.version));
                return (updater, Some(pilot));
            }
        }
        (updater, None)
    }

    /// The slot's policy, if it counts and is for this board.
    fn kept(&self, slot: Slot) -> Option<(Manifest, &'static [u8])> {
        let found = self.slots.complete(slot, self.key.as_ref()?)?;
        let fits = self.suits(&found.0).is_ok() && self.slots.is_kept(slot, &found.0);
        fits.then_some(found)
    }

    /// The slot that may be written.
    fn spare(&self) -> Slot {
        self.current.map_or(Slot::A, |(slot, _)| slot.other())
    }

    /// Could it run here, and does it fit a slot?
    fn suits(&self, manifest: &Manifest) -> Result<(), UpdateRefusal> {
        self.needs.judge(manifest)?;
        update::fits(manifest.length, self.slots.capacity())
    }
}

impl<F: Flash> Updates for Updater<F> {
    fn capacity(&self) -> u32 {
        if self.key.is_some() { self.slots.capacity() } else { 0 }
    }

    fn propose(
        &mut self,
        manifest: &[u8],
        signature: &[u8],
        is_running: impl FnOnce() -> bool,
    ) -> Result<(), UpdateRefusal> {
        let key = self.key.as_ref().ok_or(UpdateRefusal::NoKey)?;
        if matches!(self.pending, Pending::OnTrial(_)) {
            return Err(UpdateRefusal::OnTrial);
        }
        let signed: &[u8; MANIFEST] = manifest.try_into().map_err(|_| UpdateRefusal::Manifest)?;
        let signature: &[u8; SIGNATURE] =
            signature.try_into().map_err(|_| UpdateRefusal::Signature)?;
        // Nothing that the manifest says counts before this.
        update::verify(key, signed, signature).map_err(|_| UpdateRefusal::Signature)?;
        let manifest = Manifest::from_bytes(signed).map_err(|_| UpdateRefusal::Manifest)?;
        self.suits(&manifest)?;
        if let Some((_, newest)) = self.current
            && manifest.version <= newest
        {
            return Err(UpdateRefusal::OldVersion { newest, found: manifest.version });
        }
        if F::STALLS && is_running() {
            return Err(UpdateRefusal::Running);
        }
        self.pending = Pending::Nothing;
        self.slots.erase(self.spare(), manifest.length).map_err(|_| UpdateRefusal::Flash)?;
        let (signed, signature) = (*signed, *signature);
        self.pending = Pending::Writing { manifest, signed, signature, arrived: 0 };
        Ok(())
    }

    fn chunk(&mut self, offset: u32, bytes: &[u8], is_running: bool) -> Result<(), UpdateRefusal> {
        if F::STALLS && is_running {
            return Err(UpdateRefusal::Running);
        }
        let slot = self.spare();
        let Pending::Writing { manifest, arrived, .. } = &mut self.pending else {
            return Err(UpdateRefusal::NotProposed);
        };
        let left = manifest.length - *arrived;
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        // All but the last one are whole, so that each write is one of the flash's own.
        let is_whole = length == left.min(CHUNK as u32);
        if offset != *arrived || !is_whole {
            return Err(UpdateRefusal::Offset { needed: *arrived, found: offset });
        }
        match self.slots.write(slot, offset, bytes) {
            Ok(()) => *arrived += length,
            Err(_) => {
                self.pending = Pending::Nothing;
                return Err(UpdateRefusal::Flash);
            }
        }
        Ok(())
    }

    fn commit<Pilot>(
        &mut self,
        is_running: bool,
        test: impl FnOnce(u32, &'static [u8]) -> Result<Pilot, UpdateRefusal>,
    ) -> Result<Pilot, UpdateRefusal> {
        if F::STALLS && is_running {
            return Err(UpdateRefusal::Running);
        }
        let slot = self.spare();
        let Pending::Writing { manifest, signed, signature, arrived } = &self.pending else {
            return Err(UpdateRefusal::NotProposed);
        };
        let (manifest, signed, signature) = (*manifest, *signed, *signature);
        if *arrived != manifest.length {
            return Err(UpdateRefusal::Truncated { needed: manifest.length, found: *arrived });
        }
        self.pending = Pending::Nothing;
        let policy = self.slots.policy(slot, manifest.length);
        if update::digest(policy) != manifest.digest {
            return Err(UpdateRefusal::Digest);
        }
        let pilot = test(manifest.version, policy)?;
        if !manifest.describes(policy) {
            return Err(UpdateRefusal::Contract);
        }
        self.slots.seal(slot, &signed, &signature).map_err(|_| UpdateRefusal::Flash)?;
        self.pending = Pending::OnTrial(manifest);
        Ok(pilot)
    }

    fn passed(&mut self) -> Result<(), UpdateRefusal> {
        let Pending::OnTrial(manifest) = self.pending else {
            return Err(UpdateRefusal::NotProposed);
        };
        let slot = self.spare();
        // Kept or not, it runs from there: the slot in use is that one now.
        self.pending = Pending::Nothing;
        self.current = Some((slot, manifest.version));
        self.slots.keep(slot, &manifest).map_err(|_| UpdateRefusal::Flash)
    }

    fn failed(&mut self) {
        self.pending = Pending::Nothing;
    }
}

#[cfg(test)]
mod tests;
