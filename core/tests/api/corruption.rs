//! Damaged blobs are refused, and what no checksum can notice still does no harm.

use std::cell::Cell;

use policy_core::{BlobError, Policy, error::Part, format};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, SPRING_OBSERVATION},
    harm, reader,
};

/// Reads a blob as a microcontroller would, with room for layers of 16 outputs.
fn read(blob: &Aligned) -> Result<AnyPolicy<'_, 16>, BlobError> {
    AnyPolicy::read(blob.bytes())
}

#[test]
fn every_truncation_is_refused() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        let declared = blob.bytes().len() as u32;
        for length in 0..blob.bytes().len() {
            let cut = Aligned::new(&blob.bytes()[..length]);
            let expected = match length {
                0..32 => BlobError::TooShort { needed: 32, found: length },
                _ => BlobError::Length { declared, found: length },
            };
            assert_eq!(read(&cut).expect_err("a truncated blob"), expected);
        }
    }
}

#[test]
fn every_truncation_is_refused_even_with_fitting_length_and_checksum() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        for length in 32..blob.bytes().len() {
            let error = read(&blob.resized(|bytes| bytes.truncate(length))).err();
            // The contract has its length still, so what lies before it is cut short.
            assert!(matches!(error, Some(BlobError::Invalid { .. })), "{length}: {error:?}");
        }
        // Without a contract to give way, it is the parts before it that end early, at every word.
        let start = blob.bytes().len() - usize::from(blob.bytes()[26]);
        for length in (32..start).step_by(4) {
            let cut = blob.resized(|bytes| {
                bytes.truncate(length);
                bytes[26..28].fill(0);
            });
            let error = read(&cut).err();
            let head = 40 + 4 * (2 * sample.head.action_size() + 2);
            let normalisation = head + if sample.normalisation.is_some() { 4 * 6 } else { 0 };
            let part = match length {
                _ if length < 40 => Part::Layers,
                _ if length < head => Part::Head,
                _ if length < normalisation => Part::Normalisation,
                _ => Part::Weights,
            };
            assert_eq!(error, Some(BlobError::Invalid { part }), "{length}");
        }
        // More words than any part needs, before the contract.
        let longer = blob.resized(|bytes| drop(bytes.splice(start..start, [0; 8])));
        assert_eq!(read(&longer).err(), Some(BlobError::Invalid { part: Part::Weights }));
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        for bit in 0..8 * blob.bytes().len() {
            let mut bytes = blob.bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let altered = Aligned::new(&bytes);
            let error = read(&altered).expect_err("an altered blob");
            let fits = match bit / 8 {
                0..4 => matches!(error, BlobError::Magic { .. }),
                4..6 => matches!(error, BlobError::Version { .. }),
                8..12 => matches!(error, BlobError::Length { .. }),
                _ => matches!(error, BlobError::Checksum { .. }),
            };
            assert!(fits, "bit {bit}: {error}");
        }
    }
}

#[test]
fn mutations_under_a_fitting_checksum_do_no_harm() {
    // Bytes anywhere, or where they change shapes and meanings.
    let place = prop_oneof![any::<prop::sample::Index>().prop_map(Ok), (6..70_usize).prop_map(Err)];
    let byte = prop_oneof![any::<u8>(), 0..4_u8];
    let mutations = prop::collection::vec((place, byte), 1..8);
    let case = (blobs::sample(), mutations, prop::collection::vec(blobs::finite(), 20..40));
    let (refused, acted, compared) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 4000, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&case, |(sample, mutations, observation)| {
        let mutated = sample.blob().changed(|bytes| {
            let length = bytes[8..12].to_vec();
            for (place, byte) in mutations {
                let at =
                    place.map_or_else(|at| at.min(bytes.len() - 1), |at| at.index(bytes.len()));
                bytes[at] = byte;
            }
            bytes[8..12].copy_from_slice(&length);
        });
        match AnyPolicy::<64>::read(mutated.bytes()) {
            Ok(policy) => {
                acted.set(acted.get() + 1);
                harm::actions(&policy, &observation).map_err(TestCaseError::fail)?;
                if policy.contract().is_err() {
                    return Ok(());
                }
                // What was accepted means what the document says, padding that is not 0 as well.
                let theirs = reader::read(mutated.bytes());
                let size = policy.observation_size();
                let observation: Vec<f32> = observation.into_iter().cycle().take(size).collect();
                let words = theirs.act(&observation).into_iter().map(f32::to_bits);
                let answer = policy.act(&observation);
                let ours = answer.map(|action| action.iter().map(|a| a.to_bits()).collect());
                let is_finite = |word: &u32| f32::from_bits(*word).is_finite();
                let theirs = Some(words.collect::<Vec<_>>()).filter(|w| w.iter().all(is_finite));
                prop_assert_eq!(ours.ok(), theirs);
                compared.set(compared.get() + 1);
                Ok(())
            }
            Err(_) => {
                refused.set(refused.get() + 1);
                Ok(())
            }
        }
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // Both must occur often, or the test tries the wrong mutations.
    let (refused, acted, compared) = (refused.get(), acted.get(), compared.get());
    assert!(refused > 300 && acted > 300, "{refused} refused, {acted} acted");
    assert!(compared > 300, "{compared} compared");
}

#[test]
fn all_256_values_of_every_byte_do_no_harm() {
    let z = [0.125, -1.0, 3.0, 0.5];
    let float = blobs::heads().map(|head| blobs::giving(head.clone(), &z[..head.inputs().0]));
    let fixed = blobs::heads().map(|head| blobs::giving_fixed(head.clone(), &z[..head.inputs().0]));
    for sample in blobs::of_each_kind().into_iter().chain(float).chain(fixed) {
        let blob = sample.blob();
        let mut acted = 0;
        for at in 0..blob.bytes().len() {
            for value in 0..=u8::MAX {
                let mutated = blob.changed(|bytes| bytes[at] = value);
                let Ok(policy) = read(&mutated) else { continue };
                acted += harm::actions(&policy, &SPRING_OBSERVATION).expect("a harmless action");
            }
        }
        assert!(acted > 10_000, "{acted}");
    }
}

proptest! {
    #[test]
    fn flipped_bits_of_any_policy_are_refused(
        sample in blobs::sample(),
        flips in prop::collection::btree_set(0..32_usize, 1..5),
        start in any::<prop::sample::Index>(),
    ) {
        // A CRC of 32 bits notices every burst of at most 32 bits.
        let mut bytes = sample.blob().bytes().to_vec();
        let start = start.index(8 * bytes.len() - 31);
        for bit in flips {
            bytes[(start + bit) / 8] ^= 1 << ((start + bit) % 8);
        }
        prop_assert!(AnyPolicy::<64>::read(Aligned::new(&bytes).bytes()).is_err());
    }

    #[test]
    fn truncations_of_any_policy_are_refused(
        sample in blobs::sample(),
        length in any::<prop::sample::Index>(),
    ) {
        let blob = sample.blob();
        let cut = Aligned::new(&blob.bytes()[..length.index(blob.bytes().len())]);
        prop_assert!(AnyPolicy::<64>::read(cut.bytes()).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        start in 0..4_usize,
    ) {
        let bytes = Aligned::new(&bytes);
        let bytes = bytes.bytes().get(start..).unwrap_or_default();
        let _ = Policy::<'_, f32, 16>::from_bytes(bytes);
        let _ = Policy::<'_, i16, 16>::from_bytes(bytes);
        let _ = Policy::<'_, i8, 16>::from_bytes(bytes);
        let _ = format::width(bytes);
    }

    #[test]
    fn arbitrary_parts_never_panic(
        kind in 0..3_u8,
        parts in prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 10..300),
    ) {
        // A fixed part that fits, so that the bytes reach the parts after it.
        let blob = blobs::spring().blob().resized(|bytes| {
            bytes.truncate(32);
            bytes.extend(parts);
            bytes[6] = kind;
            bytes[28] = u8::from(kind > 0);
            bytes[26] = (bytes.len() % 4) as u8;
        });
        if let Ok(policy) = read(&blob) {
            harm::actions(&policy, &[1.0, -0.5]).map_err(TestCaseError::fail)?;
        }
    }
}
