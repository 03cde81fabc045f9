//! Damaged blobs are refused, and what no checksum can notice still does no harm.

use std::cell::Cell;

use policy_core::{ActError, BlobError, Policy};
use proptest::{prelude::*, test_runner::TestRunner};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::blobs::{self, Aligned, SPRING_OBSERVATION};

/// Reads a blob as a microcontroller would, with room for layers of 16 outputs.
fn read(blob: &Aligned) -> Result<Policy<'_, 16>, BlobError> {
    Policy::from_bytes(blob.bytes())
}

/// Every action of the policy, greedy or sampled, lies within its head's range, or is refused.
fn assert_harmless(policy: &Policy<'_, 16>, observation: &[f32]) -> Result<(), TestCaseError> {
    let (lowest, highest) = policy.header().head.range();
    prop_assert!(lowest.iter().zip(&highest).all(|(low, high)| low <= high));
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for action in [policy.act(observation), policy.sample(observation, &mut rng)] {
        match action {
            Ok(action) => {
                prop_assert_eq!(action.len(), policy.action_size());
                prop_assert_eq!((lowest.len(), highest.len()), (action.len(), action.len()));
                for ((a, low), high) in action.iter().zip(&lowest).zip(&highest) {
                    prop_assert!((low..=high).contains(&a), "{a} is not within {low} to {high}");
                }
            }
            Err(error) => {
                prop_assert!(matches!(error, ActError::ActionNotFinite { .. }), "{error}");
            }
        }
    }
    Ok(())
}

#[test]
fn every_truncation_is_refused() {
    let blob = blobs::spring().blob();
    for length in 0..blob.bytes().len() {
        let cut = Aligned::new(&blob.bytes()[..length]);
        let error = read(&cut).expect_err("a truncated blob");
        let expected = match length {
            0..16 => BlobError::TooShort { needed: 16, found: length },
            _ => BlobError::Length { declared: 112, found: length },
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn every_truncation_is_refused_even_with_fitting_length_and_checksum() {
    let blob = blobs::spring().blob();
    for length in 16..blob.bytes().len() {
        let cut = blob.changed(|bytes| {
            bytes.truncate(length);
            bytes[8..12].copy_from_slice(&(length as u32).to_le_bytes());
        });
        let error = read(&cut).expect_err("a truncated blob");
        let expected = match length {
            16..56 => BlobError::HeaderLength { needed: 40, found: length - 16 },
            _ => BlobError::WeightLength { needed: 56, found: length - 56 },
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn a_header_cut_short_is_refused() {
    let blob = blobs::spring().blob();
    for length in 0..38 {
        let cut = blob.changed(|bytes| bytes[6] = length);
        assert_eq!(read(&cut).err(), Some(BlobError::Header), "{length}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let blob = blobs::spring().blob();
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

#[test]
fn mutations_under_a_fitting_checksum_do_no_harm() {
    // Bytes anywhere, or in the header, where they change shapes and meanings.
    let place = prop_oneof![any::<prop::sample::Index>().prop_map(Ok), (6..70_usize).prop_map(Err)];
    let byte = prop_oneof![any::<u8>(), 0..4_u8];
    let mutations = prop::collection::vec((place, byte), 1..8);
    let case = (blobs::sample(), mutations, prop::collection::vec(blobs::finite(), 20..40));
    let (refused, acted) = (Cell::new(0), Cell::new(0));
    let config = ProptestConfig { cases: 4000, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&case, |(sample, mutations, observation)| {
        let mutated = sample.blob().changed(|bytes| {
            for (place, byte) in mutations {
                let at =
                    place.map_or_else(|at| at.min(bytes.len() - 1), |at| at.index(bytes.len()));
                bytes[at] = byte;
            }
        });
        match read(&mutated) {
            Ok(policy) => {
                acted.set(acted.get() + 1);
                let observation: Vec<f32> =
                    observation.iter().copied().cycle().take(policy.observation_size()).collect();
                assert_harmless(&policy, &observation)
            }
            Err(_) => {
                refused.set(refused.get() + 1);
                Ok(())
            }
        }
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // Both must occur often, or the test tries the wrong mutations.
    let (refused, acted) = (refused.get(), acted.get());
    assert!(refused > 300 && acted > 300, "{refused} refused, {acted} acted");
}

#[test]
fn all_256_values_of_every_byte_do_no_harm() {
    for head in blobs::heads() {
        let z = [0.125, -1.0, 3.0, 0.5];
        let blob = blobs::giving(head.clone(), &z[..head.inputs().0]).blob();
        for at in 0..blob.bytes().len() {
            for value in 0..=u8::MAX {
                let mutated = blob.changed(|bytes| bytes[at] = value);
                let Ok(policy) = read(&mutated) else { continue };
                let observation = SPRING_OBSERVATION.repeat(100);
                let observation = &observation[..policy.observation_size()];
                assert_harmless(&policy, observation).expect("a harmless action");
            }
        }
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
        prop_assert!(read(&Aligned::new(&bytes)).is_err());
    }

    #[test]
    fn truncations_of_any_policy_are_refused(
        sample in blobs::sample(),
        length in any::<prop::sample::Index>(),
    ) {
        let blob = sample.blob();
        let cut = Aligned::new(&blob.bytes()[..length.index(blob.bytes().len())]);
        prop_assert!(read(&cut).is_err());
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        start in 0..4_usize,
    ) {
        let bytes = Aligned::new(&bytes);
        let _ = Policy::<16>::from_bytes(bytes.bytes().get(start..).unwrap_or_default());
    }

    #[test]
    fn arbitrary_headers_never_panic(
        header in prop::collection::vec(prop_oneof![any::<u8>(), 0..4_u8], 0..200),
        header_length in prop_oneof![0..256_u16, any::<u16>()],
    ) {
        // A fixed part that fits, so that the bytes reach the decoder.
        let length = 16 + header.len() as u32;
        let blob = blobs::spring().blob().changed(|bytes| {
            bytes.splice(6..8, header_length.to_le_bytes());
            bytes.splice(8..12, length.to_le_bytes());
            bytes.splice(16.., header);
        });
        if let Ok(policy) = read(&blob) {
            assert_harmless(&policy, &vec![1.0; policy.observation_size()])?;
        }
    }
}
