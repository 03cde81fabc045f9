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

/// Sends an update to a board that runs version 2 with version 1 in the other slot. What it says; afterwards the slot in use must
/// be as it was, and run.
fn attack(attack: impl FnOnce(&mut Updater<Model>) -> Result<(), UpdateRefusal>) -> UpdateRefusal {
    let (before, flash) = histories::<8>().pop().unwrap();
    let untouched = flash.holds()[SLOT as usize..].to_vec();
    let (mut updater, running) = boot(&flash);
    assert_eq!((before, running), (2, 2));
    let refusal = attack(&mut updater).unwrap_err();
    assert!(flash.holds()[SLOT as usize..] == untouched, "{refusal}: the slot in use has changed");
    assert_eq!(updater.passed(), Err(UpdateRefusal::NotProposed), "{refusal}");
    assert_eq!(boot(&flash).1, 2, "{refusal}");
    refusal
}

/// An update of which one thing was changed before it was signed.
fn changed(change: impl FnOnce(&mut Manifest)) -> Update {
    let good = update(3);
    let mut manifest = manifest(&good.policy, 3);
    change(&mut manifest);
    signed(&manifest, &good.policy, &key(1))
}

/// One that the right key has signed.
fn of(policy: &[u8]) -> Update {
    signed(&manifest(policy, 3), policy, &key(1))
}

#[test]
fn attacks_and_mistakes_are_refused() {
    let good = update(3);
    let period = policy(0.0, 7, 0.02, 1);
    let wide = policy(0.0, 7, 0.05, 2);
    let shape =
        UpdateRefusal::Shape { observation: 1, action: 1, found_observation: 2, found_action: 1 };
    let (capacity, length) = (SLOT - 512, good.policy.len() as u32);
    let long = changed(|m| m.length = capacity + 1);
    let short = changed(|m| m.length -= 1);
    let cases: Vec<(&str, Update, UpdateRefusal)> = vec![
        (
            "another key",
            signed(&manifest(&good.policy, 3), &good.policy, &key(2)),
            UpdateRefusal::Signature,
        ),
        (
            "no signature",
            Update { signature: vec![0; 64], ..good.clone() },
            UpdateRefusal::Signature,
        ),
        (
            "a short signature",
            Update { signature: vec![1; 63], ..good.clone() },
            UpdateRefusal::Signature,
        ),
        (
            "a manifest cut short",
            Update { manifest: good.manifest[1..].into(), ..good.clone() },
            UpdateRefusal::Manifest,
        ),
        (
            "another update's signature",
            Update { signature: update(4).signature, ..good.clone() },
            UpdateRefusal::Signature,
        ),
        ("the version that runs", update(2), UpdateRefusal::OldVersion { newest: 2, found: 2 }),
        ("an old version", update(1), UpdateRefusal::OldVersion { newest: 2, found: 1 }),
        (
            "another machine",
            of(&policy(0.0, 8, 0.05, 1)),
            UpdateRefusal::Plant { needed: 7, found: 8 },
        ),
        ("another period", of(&period), UpdateRefusal::Period { needed: 0.05, found: 0.02 }),
        ("other sizes", of(&wide), shape),
        ("a policy too long", long, UpdateRefusal::TooLarge { capacity, found: capacity + 1 }),
        ("bytes after the end", short, UpdateRefusal::Offset { needed: 1024, found: 1024 }),
        ("another digest", changed(|m| m.digest[0] ^= 1), UpdateRefusal::Digest),
        ("a manifest with another checksum", changed(|m| m.checksum ^= 1), UpdateRefusal::Contract),
        (
            "another kind of weights",
            changed(|m| m.weights = 2),
            UpdateRefusal::Weights { needed: 0, width: 16, found: 2 },
        ),
        (
            "a kind of weights that nobody knows",
            changed(|m| m.weights = 9),
            UpdateRefusal::Weights { needed: 0, width: 16, found: 9 },
        ),
        (
            "wider layers",
            of(&policy_of_width(20, 0.0, 7, 0.05, 1)),
            UpdateRefusal::TooWide { limit: 16, weights: 0, found: 20 },
        ),
        ("a manifest with another width", changed(|m| m.width = 12), UpdateRefusal::Contract),
        (
            "another machine, but not in the manifest",
            {
                let other = policy(0.0, 8, 0.05, 1);
                let mut manifest = manifest(&other, 3);
                manifest.plant_fingerprint = 7;
                signed(&manifest, &other, &key(1))
            },
            UpdateRefusal::Contract,
        ),
    ];
    println!("| what arrives | what the board says |\n|---|---|");
    for (name, update, expected) in &cases {
        let refusal = attack(|updater| send(updater, update));
        println!("| {name} | {refusal} |");
        assert_eq!(refusal, *expected, "{name}");
    }
    let half = |updater: &mut Updater<Model>| {
        updater.propose(&good.manifest, &good.signature, || false)?;
        updater.chunk(0, &good.policy[..CHUNK], false)
    };
    type Steps<'a> = &'a dyn Fn(&mut Updater<Model>) -> Result<(), UpdateRefusal>;
    let cases: [(&str, Steps<'_>, UpdateRefusal); 6] = [
        (
            "an end too early",
            &|u| half(u).and_then(|()| u.commit(false, test).map(|_| ())),
            UpdateRefusal::Truncated { needed: length, found: 512 },
        ),
        (
            "the same bytes twice",
            &|u| half(u).and_then(|()| u.chunk(0, &good.policy[..CHUNK], false)),
            UpdateRefusal::Offset { needed: 512, found: 0 },
        ),
        (
            "bytes left out",
            &|u| half(u).and_then(|()| u.chunk(1024, &good.policy[1024..], false)),
            UpdateRefusal::Offset { needed: 512, found: 1024 },
        ),
        (
            "half a chunk",
            &|u| half(u).and_then(|()| u.chunk(512, &good.policy[512..520], false)),
            UpdateRefusal::Offset { needed: 512, found: 512 },
        ),
        (
            "bytes without a proposal",
            &|u| u.chunk(0, &good.policy[..CHUNK], false),
            UpdateRefusal::NotProposed,
        ),
        (
            "an end without a beginning",
            &|u| u.commit(false, test).map(|_| ()),
            UpdateRefusal::NotProposed,
        ),
    ];
    for (name, steps, expected) in cases {
        let refusal = attack(steps);
        println!("| {name} | {refusal} |");
        assert_eq!(refusal, expected, "{name}");
    }
}

/// Each byte of manifest, signature and policy with one bit flipped.
#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let good = update(3);
    let (mut signatures, mut digests, mut others) = (0, 0, 0);
    let parts = [good.manifest.len(), good.signature.len(), good.policy.len()];
    for (part, length) in parts.into_iter().enumerate() {
        for at in 0..length {
            let mut hit = good.clone();
            let bytes = [&mut hit.manifest, &mut hit.signature, &mut hit.policy];
            bytes.into_iter().nth(part).unwrap()[at] ^= 1 << (at % 8);
            match attack(|updater| send(updater, &hit)) {
                UpdateRefusal::Signature => signatures += 1,
                UpdateRefusal::Digest => digests += 1,
                _ => others += 1,
            }
        }
    }
    println!("one bit flipped: {signatures} refused by the signature, {digests} by the digest");
    assert_eq!((signatures, digests, others), (128, good.policy.len(), 0));
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
