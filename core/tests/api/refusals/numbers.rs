//! Numbers of the fixed part, the head and the normalisation that cannot be.

use policy_core::{Action, Head, LogStdBound, WeightKind};

use super::{HEAD, NORMALISATION, PERIOD, head_only, sentence};
use crate::{
    any::AnyPolicy,
    blobs::{self, Sample, action},
};

/// The largest number of a head.
const LARGEST: f32 = 1e30;

/// Is a head with these numbers refused? Then for the right reason.
fn is_refused(head: &Head) -> bool {
    let sentence = head_only(head.clone());
    assert!(sentence.as_ref().is_none_or(|sentence| sentence == HEAD), "{head:?}: {sentence:?}");
    sentence.is_some()
}

/// The heads that have a scale and a bias.
fn with_scale(scale: &[f32], bias: &[f32]) -> [Head; 3] {
    let (scale, bias) = (action(scale), action(bias));
    let gaussian =
        |log_std| Head::SquashedGaussian { scale: scale.clone(), bias: bias.clone(), log_std };
    let (min, max) = (-20.0, 2.0);
    [
        gaussian(LogStdBound::Clamp { min, max }),
        gaussian(LogStdBound::Tanh { min, max }),
        Head::Tanh { scale: scale.clone(), bias: bias.clone() },
    ]
}

/// The heads that have bounds of the action, a grid for one entry.
fn with_bounds(low: &[f32], high: &[f32]) -> Vec<Head> {
    let (lowest, highest): (Action, Action) = (action(low), action(high));
    let clamp = Head::Clamp { low: lowest.clone(), high: highest.clone() };
    let gaussian = Head::ClampedGaussian { low: lowest, high: highest, std_min: 0.1, std_max: 1.0 };
    match (low, high) {
        (&[low], &[high]) => vec![clamp, gaussian, Head::Grid { low, high, points: 3 }],
        _ => vec![clamp, gaussian],
    }
}

#[test]
fn control_periods() {
    for period in [0.0, -0.0, -0.05, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
        let blob = Sample { control_period: period, ..blobs::spring() }.blob();
        assert_eq!(sentence(blob.bytes()), PERIOD, "{period}");
    }
    for period in [f32::from_bits(1), f32::MAX] {
        let blob = Sample { control_period: period, ..blobs::spring() }.blob();
        assert!(AnyPolicy::<16>::read(blob.bytes()).is_ok(), "{period}");
    }
}

#[test]
fn scales_and_biases_of_the_action() {
    for (scale, bias) in [
        (0.0, 0.0),
        (-0.0, 0.0),
        (-1.0, 0.0),
        (LARGEST.next_up(), 0.0),
        (f32::INFINITY, 0.0),
        (f32::NAN, 0.0),
        (1.0, f32::INFINITY),
        (1.0, f32::NEG_INFINITY),
        (1.0, f32::NAN),
    ] {
        for head in with_scale(&[1.0, scale], &[0.0, bias]) {
            assert!(is_refused(&head), "{scale} {bias}");
        }
    }
    for (scale, bias) in [(f32::from_bits(1), 0.0), (LARGEST, f32::MAX), (LARGEST, f32::MIN)] {
        for head in with_scale(&[1.0, scale], &[0.0, bias]) {
            assert!(!is_refused(&head), "{scale} {bias}");
        }
    }
}

#[test]
fn bounds_of_the_action() {
    for (low, high) in [
        (1.0, -1.0),
        (1.0, 1.0),
        (0.0, -0.0),
        (0.0, LARGEST.next_up()),
        (-LARGEST, LARGEST),
        (f32::NEG_INFINITY, 1.0),
        (-1.0, f32::INFINITY),
        (f32::NAN, 1.0),
        (-1.0, f32::NAN),
    ] {
        for head in with_bounds(&[-1.0, low], &[1.0, high]) {
            assert!(is_refused(&head), "{low} to {high}");
        }
        for head in with_bounds(&[low], &[high]) {
            assert!(is_refused(&head), "{low} to {high}");
        }
    }
    let narrow = (LARGEST, LARGEST.next_up());
    for (low, high) in [(0.0, f32::from_bits(1)), (-LARGEST, 0.0), (0.0, LARGEST), narrow] {
        for head in with_bounds(&[low], &[high]) {
            assert!(!is_refused(&head), "{low} to {high}");
        }
    }
}

#[test]
fn bounds_of_the_noise() {
    let heads = |min, max| {
        let (low, high) = (action(&[-1.0]), action(&[1.0]));
        let gaussian =
            |log_std| Head::SquashedGaussian { scale: high.clone(), bias: low.clone(), log_std };
        [
            gaussian(LogStdBound::Clamp { min, max }),
            gaussian(LogStdBound::Tanh { min, max }),
            Head::ClampedGaussian { low, high: high.clone(), std_min: min, std_max: max },
        ]
    };
    for (min, max) in [(1.0, 0.0), (f32::NAN, 1.0), (0.1, f32::NAN), (0.0, f32::NEG_INFINITY)] {
        for head in heads(min, max) {
            assert!(is_refused(&head), "{min} to {max}");
        }
    }
    for (min, max) in [(0.5, 0.5), (-1.0, 0.0), (f32::NEG_INFINITY, f32::INFINITY)] {
        for head in heads(min, max) {
            assert!(!is_refused(&head), "{min} to {max}");
        }
    }
    // What a head without noise has in their place is held to the same.
    let blob = blobs::giving(blobs::heads()[2].clone(), &[0.0; 2]).blob();
    let min = 36 + 4 * 4;
    let changed = |value: f32| {
        blob.changed(|bytes| bytes[min..min + 4].copy_from_slice(&value.to_le_bytes()))
    };
    assert_eq!(sentence(changed(1.0).bytes()), HEAD);
    assert!(AnyPolicy::<16>::read(changed(-1.0).bytes()).is_ok());
}

#[test]
fn a_grid_of_any_number_of_points() {
    // One point is the highest action, as the last one always is.
    let one = blobs::giving(Head::Grid { low: -1.0, high: 0.5, points: 1 }, &[7.0]).blob();
    let policy = AnyPolicy::<16>::read(one.bytes()).unwrap();
    assert_eq!(policy.act(&blobs::OUTPUT_OBSERVATION).unwrap()[..], [0.5]);
    // The widest grid does not overflow between its points.
    let points = u16::MAX;
    let mut z = vec![0.0; points.into()];
    z[65_533] = 1.0;
    let widest = blobs::giving(Head::Grid { low: 0.0, high: LARGEST, points }, &z);
    let mut bytes = vec![0; 1 << 21];
    let length = widest.encode(&mut bytes).unwrap();
    let blob = blobs::Aligned::new(&bytes[..length]);
    let policy = AnyPolicy::<16>::read(blob.bytes()).unwrap();
    let action = policy.act(&blobs::OUTPUT_OBSERVATION).unwrap()[0];
    assert!((LARGEST * 0.9999..LARGEST).contains(&action), "{action}");
}

#[test]
fn normalisations() {
    for (shift, scale) in [
        (f32::NAN, 1.0),
        (f32::INFINITY, 1.0),
        (f32::NEG_INFINITY, 1.0),
        (0.0, f32::NAN),
        (0.0, f32::INFINITY),
    ] {
        for mut sample in blobs::of_each_kind() {
            sample.normalisation = Some((vec![0.0, shift, 0.0], vec![1.0, scale, 1.0]));
            assert_eq!(sentence(sample.blob().bytes()), NORMALISATION, "{shift} {scale}");
        }
    }
    // With integers, ∞ times a scale of 0 would be no number, and a NaN of either sign no unit.
    for scale in [0.0, -0.0, -1.0, f32::MAX] {
        for mut sample in blobs::of_each_kind() {
            sample.normalisation = Some((vec![0.0; 3], vec![1.0, scale, 1.0]));
            let blob = sample.blob();
            if scale > 0.0 || WeightKind::of(blob.bytes()) == Some(WeightKind::F32) {
                assert!(AnyPolicy::<16>::read(blob.bytes()).is_ok(), "{scale}");
            } else {
                assert_eq!(sentence(blob.bytes()), NORMALISATION, "{scale}");
            }
        }
    }
}
