use super::*;
use crate::{
    layer::kernel::Outputs,
    tanh::{coarse, float},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::vec::Vec;

fn action(values: &[f32]) -> Action {
    Action::from_slice(values).unwrap()
}

fn squashed_gaussian() -> Head {
    let log_std = LogStdBound::Tanh { min: -5.0, max: 2.0 };
    Head::SquashedGaussian { scale: action(&[2.0]), bias: action(&[0.5]), log_std }
}

fn tanh() -> Head {
    Head::Tanh { scale: action(&[2.0, 0.5]), bias: action(&[0.5, -1.0]) }
}

fn clamp() -> Head {
    Head::Clamp { low: action(&[-1.0, 0.5]), high: action(&[2.0, 0.75]) }
}

fn clamped_gaussian() -> Head {
    let (low, high) = (action(&[-1.0, 0.5]), action(&[2.0, 0.75]));
    Head::ClampedGaussian { low, high, std_min: 0.01, std_max: 0.5 }
}

fn grid() -> Head {
    Head::Grid { low: -2.0, high: 4.0, points: 5 }
}

/// The greedy action, made as a policy makes it of the last layer's outputs.
fn greedy_by(head: &Head, z: &[f32], tanh: fn(f32) -> f32) -> Action {
    let raw = head.raw();
    let mut action = Action::new();
    let mut outputs = Outputs::new(action.as_mut_view());
    z.iter().take(raw.needed()).for_each(|z| outputs.push(*z));
    let best = outputs.best.index();
    raw.greedy(&mut action, best, tanh);
    action
}

/// The greedy action where the weights are f32.
fn greedy(head: &Head, z: &[f32]) -> Action {
    greedy_by(head, z, float)
}

/// Draws of the first entry.
fn draws(head: &Head, z: &[f32]) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    (0..40_000).map(|_| f64::from(head.raw().sampled(z, float, &mut rng)[0])).collect()
}

/// Mean and standard deviation.
fn moments(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    (mean, (draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}

#[test]
fn greedy_is_scaled_and_biased() {
    assert_eq!(greedy(&squashed_gaussian(), &[f32::MAX, 0.0])[0], 2.5);
    assert_eq!(greedy(&squashed_gaussian(), &[0.0, 0.0])[0], 0.5);
    assert_eq!(greedy(&tanh(), &[f32::MAX, f32::NEG_INFINITY])[..], [2.5, -1.5]);
    let a = greedy(&tanh(), &[0.25, -0.5]);
    assert_eq!(a[..], [2.0 * libm::tanhf(0.25) + 0.5, 0.5 * libm::tanhf(-0.5) - 1.0]);
}

#[test]
fn greedy_is_clamped() {
    // Of the Gaussian's z the last two are ζ, which the greedy action does without.
    for (head, zeta) in [(clamp(), &[][..]), (clamped_gaussian(), &[f32::NAN, f32::NAN])] {
        let greedy = |mean: [f32; 2]| greedy(&head, &[&mean, zeta].concat());
        assert_eq!(greedy([0.25, 0.625])[..], [0.25, 0.625]);
        assert_eq!(greedy([-1.5, 0.875])[..], [-1.0, 0.75]);
        assert_eq!(greedy([f32::INFINITY, f32::NEG_INFINITY])[..], [2.0, 0.5]);
    }
}

#[test]
fn the_grid_takes_the_first_of_the_greatest() {
    for (q, a) in [
        ([5.0, 1.0, 2.0, 3.0, 4.0], -2.0),
        ([1.0, 2.0, 5.0, 3.0, 4.0], 1.0),
        ([-4.0, -1.0, -2.0, -1.0, -1.0], -0.5),
        ([1.0, 2.0, 3.0, 4.0, 5.0], 4.0),
        ([0.0; 5], -2.0),
    ] {
        assert_eq!(greedy(&grid(), &q)[..], [a], "{q:?}");
    }
}

#[test]
fn no_head_hides_an_overflow() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for head in [squashed_gaussian(), tanh(), clamp(), clamped_gaussian(), grid()] {
        let (all, needed) = head.inputs();
        for at in 0..all {
            for (nan, tanh) in [f32::NAN, -f32::NAN].into_iter().zip([float, coarse]) {
                let mut z = std::vec![0.625; all];
                z[at] = nan;
                let finite = |a: Action| a.iter().all(|a| a.is_finite());
                assert_eq!(finite(greedy_by(&head, &z, tanh)), at >= needed, "{head:?} {at}");
                if head.raw().is_gaussian() {
                    let sampled = head.raw().sampled(&z, tanh, &mut rng);
                    assert!(!finite(sampled), "{head:?} {at}");
                }
            }
        }
    }
}

#[test]
fn the_grid_refuses_infinite_values() {
    for infinity in [f32::INFINITY, f32::NEG_INFINITY] {
        for at in 0..5 {
            let mut q = [1.0, 2.0, 3.0, 4.0, 5.0];
            q[at] = infinity;
            assert!(greedy(&grid(), &q)[0].is_nan(), "{q:?}");
        }
    }
}

#[test]
fn some_heads_have_noise() {
    for head in [squashed_gaussian(), clamped_gaussian()] {
        assert!(head.raw().is_gaussian());
    }
    for head in [tanh(), clamp(), grid()] {
        assert!(!head.raw().is_gaussian());
    }
}

#[test]
fn samples_follow_the_distribution() {
    // ζ = −1.5 gives log σ = −5 + 3.5 (tanh(−1.5) + 1) = −4.668, σ = 0.00939: tanh is linear.
    let (mean, std) = moments(&draws(&squashed_gaussian(), &[0.0, -1.5]));
    let sigma = 2.0 * (-5.0 + 3.5 * ((-1.5_f64).tanh() + 1.0)).exp();
    assert!((mean - 0.5).abs() < 4.0 * sigma / 200.0);
    assert!((std / sigma - 1.0).abs() < 0.02);
}

#[test]
fn samples_of_the_clamped_gaussian_follow_the_distribution() {
    // exp ζ within [0.01, 0.5], below and above it; μ is at least 5.77 σ from the bounds except
    // for the last.
    for (zeta, sigma) in [(-3.0, 0.04979), (-30.0, 0.01), (f32::NEG_INFINITY, 0.01)] {
        let (mean, std) = moments(&draws(&clamped_gaussian(), &[0.25, 0.6, zeta, -3.0]));
        assert!((mean - 0.25).abs() < 4.0 * sigma / 200.0, "{zeta}: {mean}");
        assert!((std / sigma - 1.0).abs() < 0.02, "{zeta}: {std}");
    }
    for zeta in [3.0, f32::INFINITY] {
        // With σ = 0.5 and μ = 0.5 both bounds are 3 σ away, so 0.27 % of the draws lie on them.
        let draws = draws(&clamped_gaussian(), &[0.5, 0.6, zeta, -3.0]);
        let (mean, std) = moments(&draws);
        assert!((mean - 0.5).abs() < 0.01 && (std / 0.5 - 1.0).abs() < 0.02, "{mean} {std}");
        assert!(draws.iter().all(|a| (-1.0..=2.0).contains(a)));
        let at = |end: f64| draws.iter().filter(|&&a| a == end).count();
        assert!((20..100).contains(&at(-1.0)) && (20..100).contains(&at(2.0)));
    }
}

#[test]
fn ranges_are_reached_and_not_left() {
    let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
    for head in [squashed_gaussian(), tanh(), clamp(), clamped_gaussian()] {
        let n = head.inputs().0;
        for tanh in [float, coarse] {
            let end = |z: f32| greedy_by(&head, &[z; 4][..n], tanh);
            assert_eq!(head.range(), (end(low), end(high)));
        }
    }
    assert_eq!(tanh().range(), (action(&[-1.5, -1.5]), action(&[2.5, -0.5])));
    assert_eq!(clamp().range(), (action(&[-1.0, 0.5]), action(&[2.0, 0.75])));
    assert_eq!(clamped_gaussian().range(), clamp().range());
    assert_eq!(grid().range(), (action(&[-2.0]), action(&[4.0])));
}

#[test]
fn bounds_hold() {
    for bound in
        [LogStdBound::Clamp { min: -20.0, max: 2.0 }, LogStdBound::Tanh { min: -5.0, max: 2.0 }]
    {
        let (min, max) = bound.range();
        for tanh in [float, coarse] {
            assert_eq!(bound.apply(-1e30, tanh), min);
            assert_eq!(bound.apply(1e30, tanh), max);
        }
    }
}

#[test]
fn heads_take_the_tanh_of_the_weights() {
    // 0.1 has other bits in 15 of them.
    let (u, rounded) = (0.1_f32, coarse(0.1));
    assert_ne!(libm::tanhf(u), rounded);
    assert_eq!(greedy_by(&tanh(), &[u, u], coarse)[0], 2.0 * rounded + 0.5);
    let (min, max) = (-5.0, 2.0);
    let bound = LogStdBound::Tanh { min, max };
    assert_eq!(bound.apply(u, coarse), min + 0.5 * (max - min) * (rounded + 1.0));
}

#[test]
fn borrowed_lists_say_the_same() {
    for head in [squashed_gaussian(), tanh(), clamp(), clamped_gaussian(), grid()] {
        let borrowed = head.as_slices();
        assert_eq!(borrowed.inputs(), head.inputs());
        assert_eq!(borrowed.range(), head.range());
        assert_eq!((borrowed.first(), borrowed.second()), (head.first(), head.second()));
    }
}

/// Is a head of that code usable after so many outputs, with these first and second numbers and bounds?
fn is_usable(
    code: u8,
    first: &[f32],
    second: &[f32],
    [min, max]: [f32; 2],
    outputs: usize,
) -> bool {
    let numbers = [first, second, &[min, max]].concat();
    Raw::new(code, &numbers, outputs).is_usable()
}

#[test]
fn what_a_blob_holds_is_the_head_again() {
    for head in [squashed_gaussian(), tanh(), clamp(), clamped_gaussian(), grid()] {
        let raw = head.raw();
        let numbers = [raw.first, raw.second, &[raw.min, raw.max]].concat();
        let read = Raw::new(raw.code, &numbers, raw.outputs);
        assert!(read.is_usable(), "{head:?}");
        assert_eq!((read, read.view()), (raw, head.as_slices()));
        assert_eq!((read.outputs, read.needed()), head.inputs());
    }
}

#[test]
fn codes_and_outputs_must_fit() {
    for (code, needed) in [(0, 4), (1, 4), (2, 2), (3, 2), (4, 4)] {
        for outputs in 0..6 {
            let usable = is_usable(code, &[1.0, 1.0], &[2.0, 2.0], [0.0; 2], outputs);
            assert_eq!(usable, outputs == needed, "{code} {outputs}");
        }
    }
    for outputs in [1, 2, 65_535] {
        assert!(is_usable(5, &[1.0], &[2.0], [0.0; 2], outputs));
        assert!(!is_usable(5, &[1.0; 2], &[2.0; 2], [0.0; 2], outputs));
    }
    for code in [6, 7, 0xff] {
        assert!(!is_usable(code, &[1.0], &[2.0], [0.0; 2], 1));
    }
}

#[test]
fn ranges_have_their_limits() {
    let beyond = 1e30_f32.next_up();
    let least = f32::from_bits(1);
    for (scale, bias, is_range) in [
        (least, 0.0, true),
        (1e30, 1e30, true),
        (1e30, -1e30, true),
        (0.0, 0.0, false),
        (-0.0, 0.0, false),
        (-1.0, 0.0, false),
        (beyond, 0.0, false),
        (f32::INFINITY, 0.0, false),
        (f32::NAN, 0.0, false),
        (-f32::NAN, 0.0, false),
        (1.0, f32::MAX, true),
        (1.0, f32::MIN, true),
        (1.0, f32::INFINITY, false),
        (1.0, f32::NEG_INFINITY, false),
        (1.0, f32::NAN, false),
    ] {
        for (code, outputs) in [(0, 4), (1, 4), (2, 2)] {
            let usable = is_usable(code, &[1.0, scale], &[0.0, bias], [0.0; 2], outputs);
            assert_eq!(usable, is_range, "{scale} {bias}");
        }
    }
    for (low, high, is_range) in [
        (0.0, least, true),
        (-1e30, 0.0, true),
        (1e30_f32.next_down(), 1e30, true),
        // Twice as wide as may be.
        (-1e30, 1e30, false),
        (0.0, beyond, false),
        // Only the width counts.
        (1e30, beyond, true),
        (1.0, 1.0, false),
        (0.0, -0.0, false),
        (1.0, -1.0, false),
        (f32::NEG_INFINITY, 0.0, false),
        (0.0, f32::INFINITY, false),
        (f32::NAN, 0.0, false),
        (0.0, f32::NAN, false),
    ] {
        for (code, outputs) in [(3, 2), (4, 4)] {
            let usable = is_usable(code, &[-1.0, low], &[1.0, high], [0.0; 2], outputs);
            assert_eq!(usable, is_range, "{low} {high}");
        }
        assert_eq!(is_usable(5, &[low], &[high], [0.0; 2], 3), is_range, "{low} {high}");
    }
}

#[test]
fn bounds_are_in_order() {
    for code in [0, 1, 4] {
        for (min, max, in_order) in [
            (0.0, 0.0, true),
            (-1.0, f32::INFINITY, true),
            (1.0, 0.0, false),
            (f32::NAN, 0.0, false),
            (0.0, f32::NAN, false),
        ] {
            assert_eq!(is_usable(code, &[1.0], &[2.0], [min, max], 2), in_order, "{min} {max}");
        }
    }
}
