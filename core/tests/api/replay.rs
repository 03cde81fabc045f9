//! A replay counts right.

use policy_core::{Head, Policy, Recording, RecordingError, Replay, recording};
use proptest::prelude::*;

use crate::{
    any::AnyPolicy,
    blobs::{self, Aligned, Network, SPRING_OBSERVATION},
    reader,
};

/// Words of a row with 3 observation entries and 1 action entry.
const ROW: usize = 4;

/// What `spring` answers to 5 observations; it refuses those of rows 1 and 4.
fn words(policy: &Policy<'_>) -> Vec<u32> {
    let rows = [
        SPRING_OBSERVATION,
        [0.0, f32::NAN, 0.0],
        [-3.0, 1.0e-42, 0.5],
        [0.0, -0.0, 7.0],
        [f32::INFINITY, 0.0, 0.0],
    ];
    let words = |row: &[f32; 3]| {
        let action = recording::action_words(policy, row);
        row.iter().map(|x| x.to_bits()).chain(action).collect::<Vec<_>>()
    };
    rows.iter().flat_map(words).collect()
}

/// The replay of the 5 rows after a change of their words.
fn replay(change: impl FnOnce(&mut [u32])) -> Replay {
    let blob = blobs::spring().blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    let mut words = words(&policy);
    change(&mut words);
    let bytes = blobs::recording(3, 1, 5, &words);
    let recording = Recording::from_bytes(bytes.bytes()).unwrap();
    assert_eq!((recording.len(), recording.is_empty()), (5, false));
    recording.replay(&policy).unwrap()
}

/// Counts of a replay of 5 rows.
fn counts(refused: usize, mismatches: usize, first_mismatch: Option<usize>) -> Replay {
    // The hash is that of this machine's actions, whatever was recorded.
    Replay { compared: 5, refused, mismatches, first_mismatch, hash: replay(|_| ()).hash }
}

#[test]
fn an_unchanged_recording_agrees() {
    let expected = counts(2, 0, None);
    assert_eq!(replay(|_| ()), expected);
}

#[test]
fn the_hash_is_that_of_the_actions_found() {
    for sample in blobs::of_each_kind() {
        let blob = sample.blob();
        let policy = AnyPolicy::<64>::read(blob.bytes()).unwrap();
        let rows = [SPRING_OBSERVATION, [f32::NAN, 0.0, 0.0], [0.5, -0.25, 8.0]];
        let actions: Vec<u32> = rows.iter().flat_map(|x| policy.action_words(x)).collect();
        assert_eq!(actions[1], recording::REFUSED);
        // Recorded by a machine that gave 0 for each.
        let words: Vec<u32> =
            rows.iter().flat_map(|x| x.map(f32::to_bits).into_iter().chain([0])).collect();
        let bytes = blobs::recording(3, 1, 3, &words);
        let replay = policy.replay(&Recording::from_bytes(bytes.bytes()).unwrap()).unwrap();
        let bytes: Vec<u8> = actions.iter().flat_map(|word| word.to_le_bytes()).collect();
        assert_eq!(replay.hash, reader::crc32(&bytes));
        assert_eq!((replay.compared, replay.refused, replay.mismatches), (3, 0, 3));
    }
}

#[test]
fn one_bit_of_an_action_is_a_mismatch() {
    for bit in 0..32 {
        let expected = counts(2, 1, Some(2));
        assert_eq!(replay(|words| words[2 * ROW + 3] ^= 1 << bit), expected, "bit {bit}");
    }
}

#[test]
fn a_refusal_of_one_machine_only_is_a_mismatch() {
    // The recording machine refused row 3 and acted in row 4; this one does the opposite.
    let expected = counts(1, 2, Some(3));
    let changed = replay(|words| {
        words[3 * ROW + 3] = recording::REFUSED;
        words[4 * ROW + 3] = 0;
    });
    assert_eq!(changed, expected);
}

#[test]
fn another_nan_is_no_refusal() {
    let expected = counts(1, 1, Some(1));
    assert_eq!(replay(|words| words[ROW + 3] = f32::NAN.to_bits()), expected);
}

#[test]
fn the_sign_of_a_zero_counts() {
    // scale · tanh(0) + bias with scale = 1, bias = 0 and all weights 0: the action is +0.
    let mut sample = blobs::spring();
    sample.floats().fill(0.0);
    let Head::SquashedGaussian { bias, .. } = &mut sample.head else { unreachable!() };
    bias[0] = 0.0;
    let blob = sample.blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    for (action, mismatches) in [(0.0_f32, 0), (-0.0, 1)] {
        let bytes = blobs::recording(3, 1, 1, &[0, 0, 0, action.to_bits()]);
        let replay = Recording::from_bytes(bytes.bytes()).unwrap().replay(&policy).unwrap();
        assert_eq!((replay.compared, replay.mismatches), (1, mismatches), "{action:?}");
    }
}

#[test]
fn a_recording_without_rows_compares_nothing() {
    let blob = blobs::spring().blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    let bytes = blobs::recording(3, 1, 0, &[]);
    let recording = Recording::from_bytes(bytes.bytes()).unwrap();
    assert_eq!((recording.len(), recording.is_empty()), (0, true));
    assert_eq!(recording.replay(&policy), Ok(Replay::default()));
}

#[test]
fn another_shape_is_refused_before_anything_runs() {
    let blob = blobs::spring().blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    // The first has the same number of words a row, cut elsewhere.
    for (found_observation, found_action) in [(2, 2), (3, 2), (4, 1)] {
        let words = vec![0; found_observation + found_action];
        let bytes = blobs::recording(found_observation as u8, found_action as u8, 1, &words);
        let replayed = Recording::from_bytes(bytes.bytes()).unwrap().replay(&policy);
        let (observation, action) = (3, 1);
        let expected =
            RecordingError::Shape { observation, action, found_observation, found_action };
        assert_eq!(replayed, Err(expected));
    }
}

#[test]
fn a_policy_wider_than_any_recording_is_refused() {
    let mut sample = blobs::spring();
    sample.observation_size = 256;
    sample.network = Network::F32(vec![0.0; 2 * 257 + 6]);
    sample.examples.clear();
    let sample = sample.with_entries();
    let blob = sample.blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    let bytes = blobs::recording(255, 1, 1, &[0; 256]);
    let error = Recording::from_bytes(bytes.bytes()).unwrap().replay(&policy).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("255 observation and 1 action entries a row, the policy 256 and 1")
    );
}

/// Reads and replays, for the panics it must not have.
fn swallow(bytes: &[u8]) -> Result<Replay, RecordingError> {
    let blob = blobs::spring().blob();
    let policy: Policy<'_> = Policy::from_bytes(blob.bytes()).unwrap();
    Recording::from_bytes(bytes)?.replay(&policy)
}

#[test]
fn every_truncation_is_refused() {
    let blob = blobs::spring().blob();
    let recorded = blobs::recording(3, 1, 5, &words(&Policy::from_bytes(blob.bytes()).unwrap()));
    for length in 0..recorded.bytes().len() {
        let cut = Aligned::new(&recorded.bytes()[..length]);
        let error = swallow(cut.bytes()).expect_err("a truncated recording");
        assert!(
            matches!(error, RecordingError::Length { found, .. } if found == length),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        start in 0..4_usize,
    ) {
        let bytes = Aligned::new(&bytes);
        let _ = swallow(bytes.bytes().get(start..).unwrap_or_default());
    }

    #[test]
    fn arbitrary_rows_never_panic(
        (observation, action) in (0..5_u8, 0..5_u8),
        rows in prop_oneof![0..10_u32, any::<u32>()],
        words in prop::collection::vec(any::<u32>(), 0..40),
    ) {
        let bytes = blobs::recording(observation, action, rows, &words);
        let row = usize::from(observation) + usize::from(action);
        let fits = row * rows as usize == words.len() && observation > 0 && action > 0;
        prop_assert_eq!(Recording::from_bytes(bytes.bytes()).is_ok(), fits);
        let replay = swallow(bytes.bytes());
        prop_assert_eq!(replay.is_ok(), fits && (observation, action) == (3, 1));
        if let Ok(replay) = replay {
            prop_assert_eq!(replay.compared, rows as usize);
            prop_assert!(replay.refused + replay.mismatches <= replay.compared);
        }
    }

    #[test]
    fn whole_recordings_of_any_words_never_panic(
        words in prop::collection::vec(any::<[u32; ROW]>(), 0..20),
    ) {
        let bytes = blobs::recording(3, 1, words.len() as u32, &words.concat());
        let replay = swallow(bytes.bytes());
        prop_assert_eq!(replay.map(|r| r.compared), Ok(words.len()));
    }
}
