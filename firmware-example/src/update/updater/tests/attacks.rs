//! Updates that must not be taken.

use std::println;

use super::*;

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
