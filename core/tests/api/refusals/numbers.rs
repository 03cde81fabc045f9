//! Numbers of the fixed part, the head and the normalisation that cannot be.

use policy_core::{Action, Head, LogStdBound};

use super::{head_only, sentence};
use crate::{
    any::AnyPolicy,
    blobs::{self, Sample, action},
};

const BOUND: LogStdBound = LogStdBound::Clamp { min: -20.0, max: 2.0 };

/// The sentences about a tanh head with these scales and biases, which must be those about a squashed
/// Gaussian.
fn with_scale(scale: &[f32], bias: &[f32]) -> String {
    let (scale, bias) = (action(scale), action(bias));
    let sentence = head_only(Head::Tanh { scale: scale.clone(), bias: bias.clone() });
    assert_eq!(head_only(Head::SquashedGaussian { scale, bias, log_std: BOUND }), sentence);
    sentence
}

/// The sentence about a clamp and a clamped Gaussian head with these bounds.
fn with_bounds(low: &[f32], high: &[f32]) -> String {
    let (low, high): (Action, Action) = (action(low), action(high));
    let sentence = head_only(Head::Clamp { low: low.clone(), high: high.clone() });
    let gaussian = head_only(Head::ClampedGaussian { low, high, std_min: 0.1, std_max: 1.0 });
    assert_eq!(gaussian, sentence);
    sentence
}

#[test]
fn numbers_of_the_description() {
    for period in [0.0, -0.05, f32::INFINITY, f32::NAN] {
        assert_eq!(
            sentence(Sample { control_period: period, ..blobs::spring() }.blob().bytes()),
            "the control period must be finite and positive"
        );
    }
    for scale in [0.0, -1.0, f32::INFINITY, f32::NAN] {
        let sentence = with_scale(&[1.0, scale], &[0.0, 0.0]);
        assert_eq!(sentence, "the action scale must be finite and positive");
    }
    for bias in [f32::NEG_INFINITY, f32::NAN] {
        let sentence = with_scale(&[1.0, 1.0], &[0.0, bias]);
        assert_eq!(sentence, "the action bias must be finite");
    }
    for bias in [f32::MAX, f32::MIN] {
        let sentence = with_scale(&[1.0, 1e38], &[0.0, bias]);
        assert_eq!(sentence, "the action range (bias ± scale) must be finite");
    }
    for (min, max) in [(1.0, 0.0), (f32::NEG_INFINITY, 0.0), (0.0, f32::NAN), (0.0, f32::INFINITY)]
    {
        for log_std in [LogStdBound::Clamp { min, max }, LogStdBound::Tanh { min, max }] {
            let (scale, bias) = (action(&[1.0]), action(&[0.0]));
            assert_eq!(
                head_only(Head::SquashedGaussian { scale, bias, log_std }),
                "the bounds of log σ must be finite and in order"
            );
        }
    }
    for (shift, scale) in [
        (f32::NAN, 1.0),
        (f32::INFINITY, 1.0),
        (0.0, 0.0),
        (0.0, -1.0),
        (0.0, f32::NAN),
        (0.0, f32::INFINITY),
    ] {
        for mut sample in blobs::of_each_kind() {
            sample.normalisation = Some((vec![0.0, shift, 0.0], vec![1.0, scale, 1.0]));
            assert_eq!(
                sentence(sample.blob().bytes()),
                "the normalisation must be finite, each scale positive"
            );
        }
    }
}

#[test]
fn bounds_of_the_action() {
    let sentence = "the lowest and highest action must be finite, low below high";
    for (low, high) in [
        (1.0, -1.0),
        (1.0, 1.0),
        (0.0, -0.0),
        (f32::NEG_INFINITY, 1.0),
        (-1.0, f32::INFINITY),
        (f32::NAN, 1.0),
        (-1.0, f32::NAN),
    ] {
        assert_eq!(with_bounds(&[-1.0, low], &[1.0, high]), sentence, "{low} to {high}");
        assert_eq!(head_only(Head::Grid { low, high, points: 3 }), sentence, "{low} to {high}");
    }
}

#[test]
fn bounds_of_the_noise() {
    for (std_min, std_max) in [
        (0.0, 1.0),
        (-0.1, 1.0),
        (1.0, 0.5),
        (0.1, f32::INFINITY),
        (f32::INFINITY, f32::INFINITY),
        (f32::NAN, 1.0),
        (0.1, f32::NAN),
    ] {
        let (low, high) = (action(&[-1.0]), action(&[1.0]));
        assert_eq!(
            head_only(Head::ClampedGaussian { low, high, std_min, std_max }),
            "the bounds of σ must be finite, positive and in order",
            "{std_min} to {std_max}"
        );
    }
}

#[test]
fn a_grid_too_wide_for_its_points() {
    for (low, high, points) in [(f32::MIN, f32::MAX, 2), (0.0, f32::MAX, 3), (-1e38, 1e38, 16)] {
        assert_eq!(
            head_only(Head::Grid { low, high, points }),
            "the grid's (high − low) · (points − 1) must be finite",
            "{low} to {high}"
        );
    }
    let widest =
        blobs::giving(Head::Grid { low: 0.0, high: f32::MAX, points: 2 }, &[0.0, 1.0]).blob();
    let policy = AnyPolicy::<2>::read(widest.bytes()).unwrap();
    assert_eq!(policy.act(&blobs::OUTPUT_OBSERVATION).unwrap()[..], [f32::MAX]);
}
