mod attacks;
mod power;

use policy_core::link::Source;
use std::{format, println, string::String, vec, vec::Vec};

use super::*;
use crate::{
    control::Pilot,
    update::{
        model::{Model, SLOT},
        samples::{NEEDS, Update, key, manifest, policy, policy_of_width, signed, update},
    },
};

type Flyer = Pilot<'static, f32, 16>;

fn test(version: u32, policy: &'static [u8]) -> Result<Flyer, UpdateRefusal> {
    Pilot::new(policy, Source::Update { version }).map_err(|_| UpdateRefusal::Policy)
}

type Booted<const WRITE: usize, const HOLDS_UP: bool> =
    (Updater<Model<WRITE, HOLDS_UP>>, Option<Flyer>);

/// The board starts: the version that it runs, 0 for the firmware's own.
fn boot<const WRITE: usize, const HOLDS_UP: bool>(
    flash: &Model<WRITE, HOLDS_UP>,
) -> (Updater<Model<WRITE, HOLDS_UP>>, u32) {
    let slots = Slots::new(flash.clone(), 0, SLOT).unwrap();
    let public = key(1).verifying_key().to_bytes();
    let (updater, pilot): Booted<WRITE, HOLDS_UP> =
        Updater::begin(slots, Some(public), NEEDS, |version, policy| test(version, policy).ok());
    let version = pilot.map_or(0, |pilot| match pilot.source() {
        Source::Update { version } => version,
        Source::Firmware => unreachable!("a slot holds updates"),
    });
    (updater, version)
}

/// All of an update but its trial.
fn send<F: Flash>(updater: &mut Updater<F>, update: &Update) -> Result<(), UpdateRefusal> {
    updater.propose(&update.manifest, &update.signature, || false)?;
    for (offset, chunk) in (0..).step_by(CHUNK).zip(update.policy.chunks(CHUNK)) {
        updater.chunk(offset, chunk, false)?;
    }
    updater.commit(false, test).map(|_| ())
}

fn install<F: Flash>(updater: &mut Updater<F>, update: &Update) -> Result<(), UpdateRefusal> {
    send(updater, update)?;
    updater.passed()
}

/// Boards that have kept no update yet, one in the first slot, and one in each.
fn histories<const WRITE: usize>() -> Vec<(u32, Model<WRITE>)> {
    let flash = Model::new();
    let mut histories = vec![(0, flash.restart())];
    for version in 1..=2 {
        let (mut updater, _) = boot(&flash);
        install(&mut updater, &update(version)).unwrap();
        histories.push((version, flash.restart()));
    }
    histories
}

#[test]
fn updates_follow_each_other_and_survive_restarts() {
    let flash: Model = Model::new();
    for version in [1, 2, 5, 9] {
        let (mut updater, _) = boot(&flash);
        install(&mut updater, &update(version)).unwrap();
        assert_eq!(boot(&flash).1, version);
    }
    // Several without a restart between them, too.
    let (mut updater, _) = boot(&flash);
    for version in [10, 11, 12] {
        install(&mut updater, &update(version)).unwrap();
    }
    assert_eq!(boot(&flash).1, 12);
}

/// Only as much of a slot is erased as a policy takes: what a longer one left behind it harms nobody.
#[test]
fn policies_of_all_lengths_follow_each_other() {
    let flash: Model = Model::new();
    let of = |width, version| {
        let policy = policy_of_width(width, 0.0, 7, 0.05, 1);
        signed(&manifest(&policy, version), &policy, &key(1))
    };
    let pieces = |update: &Update| (512 + update.policy.len()).div_ceil(1024);
    let (long, short) = (of(16, 1), of(4, 1));
    assert!(pieces(&short) < pieces(&long));
    for version in 1..=12 {
        let (mut updater, _) = boot(&flash);
        let width = if version % 3 == 0 { 4 } else { 16 };
        install(&mut updater, &of(width, version)).unwrap();
        assert_eq!(boot(&flash).1, version);
    }
    let (mut updater, _) = boot(&flash);
    let (before, next) = (flash.operations(), of(4, 13));
    updater.propose(&next.manifest, &next.signature, || false).unwrap();
    assert_eq!(flash.operations() - before, pieces(&short));
}

#[test]
fn a_policy_that_fails_its_trial_is_forgotten() {
    let flash: Model = Model::new();
    let (mut updater, _) = boot(&flash);
    install(&mut updater, &update(1)).unwrap();
    send(&mut updater, &update(2)).unwrap();
    let refused = updater.propose(&update(3).manifest, &update(3).signature, || false);
    assert_eq!(refused, Err(UpdateRefusal::OnTrial));
    updater.failed();
    assert_eq!(boot(&flash).1, 1);
    assert_eq!(updater.passed(), Err(UpdateRefusal::NotProposed));
    install(&mut updater, &update(3)).unwrap();
    assert_eq!(boot(&flash).1, 3);
}

#[test]
fn flash_that_holds_up_the_processor_is_written_at_rest_only() {
    let flash: Model<8, true> = Model::new();
    let (mut updater, _) = boot(&flash);
    let Update { manifest, signature, .. } = update(1);
    assert_eq!(updater.propose(&manifest, &signature, || true), Err(UpdateRefusal::Running));
    assert_eq!(flash.operations(), 0);
    assert_eq!(updater.propose(&manifest, &signature, || false), Ok(()));
}

#[test]
fn without_a_key_nothing_is_taken_and_nothing_kept_runs() {
    let (_, flash) = histories::<8>().pop().unwrap();
    let slots = Slots::new(flash, 0, SLOT).unwrap();
    let (mut updater, pilot) = Updater::begin(slots, None, NEEDS, |v, p| test(v, p).ok());
    assert!(pilot.is_none() && updater.capacity() == 0);
    let Update { manifest, signature, .. } = update(3);
    assert_eq!(updater.propose(&manifest, &signature, || false), Err(UpdateRefusal::NoKey));
}

#[test]
fn a_kept_policy_that_no_longer_works_gives_way_to_the_one_before() {
    let (_, flash) = histories::<8>().pop().unwrap();
    let slots = || Slots::new(flash.restart(), 0, SLOT).unwrap();
    let public = Some(key(1).verifying_key().to_bytes());
    let only = |wanted| move |found: u32, _: &'static [u8]| (found == wanted).then_some(found);
    for (wanted, found) in [(2, Some(2)), (1, Some(1)), (7, None)] {
        assert_eq!(Updater::begin(slots(), public, NEEDS, only(wanted)).1, found);
    }
    // Firmware for another machine runs none of them.
    let other = Needs { plant_fingerprint: 9, ..NEEDS };
    assert!(Updater::begin(slots(), public, other, |v, _| Some(v)).1.is_none());
}

/// Whatever changes in a slot that was kept, or in the board's key: it does not run, though each policy would pass its test.
#[test]
fn a_kept_policy_that_was_altered_does_not_run() {
    let (_, flash) = histories::<8>().pop().unwrap();
    let started = |flash: &Model, signer: u8| {
        let slots = Slots::new(flash.clone(), 0, SLOT).unwrap();
        let public = Some(key(signer).verifying_key().to_bytes());
        Updater::begin(slots, public, NEEDS, |version, _| Some(version)).1
    };
    assert_eq!((started(&flash, 1), started(&flash, 2)), (Some(2), None));
    let policy = 512..512 + update(2).policy.len();
    let (mut altered, mut at) = (0, SLOT as usize);
    // Manifest and signature, mark, policy: of the second slot, where version 2 lies.
    for part in [0..128, 256..272, policy] {
        for offset in part {
            at = SLOT as usize + offset;
            let flash = flash.restart();
            flash.flip(at, (offset % 8) as u8);
            assert_eq!(started(&flash, 1), Some(1), "byte {offset} of the slot");
            altered += 1;
        }
    }
    println!("one bit flipped in a slot that was kept: {altered} times the one before ran");
    assert!(at > SLOT as usize + 512);
}

/// Flash wears out, and need not say so: what was written is read again.
#[test]
fn flash_that_does_not_take_what_is_written_is_noticed() {
    for offset in [0, 70, 512, 1000] {
        let flash: Model = Model::new();
        let (mut updater, _) = boot(&flash);
        flash.wear_out(offset);
        assert_eq!(send(&mut updater, &update(1)), Err(UpdateRefusal::Flash), "{offset}");
    }
    let flash: Model = Model::new();
    let (mut updater, _) = boot(&flash);
    flash.wear_out(257);
    send(&mut updater, &update(1)).unwrap();
    assert_eq!(updater.passed(), Err(UpdateRefusal::Flash));
}

#[test]
fn slots_that_do_not_fit_the_flash_are_none() {
    let flash: Model = Model::new();
    for (start, size) in [(0, SLOT + 1024), (512, SLOT), (0, 512), (1024, SLOT), (0, u32::MAX)] {
        assert!(Slots::new(flash.clone(), start, size).is_none(), "{start} {size}");
    }
    let odd: Model<24> = Model::new();
    assert!(Slots::new(odd, 0, SLOT).is_none());
    let text: String = format!("{:?}", Slots::new(flash, 0, SLOT).unwrap().capacity());
    assert_eq!(text, "3584");
}
