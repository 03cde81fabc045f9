//! A layer in integers against one in `f64`, and what fits.

use super::*;
use crate::rng::{Rng, Stream, stream};
use policy_core::gaussian::uniform;

fn even(rng: &mut Rng) -> f64 {
    2.0 * f64::from(uniform(rng)) - 1.0
}

fn layer(activation: Activation, inputs: usize, outputs: usize, size: f64, seed: u64) -> Dense {
    let mut rng = stream(seed, Stream::Initialisation);
    let mut row =
        |count: usize| -> Vec<f64> { (0..count).map(|_| size * even(&mut rng)).collect() };
    let weights = (0..outputs).map(|_| row(inputs)).collect();
    Dense { activation, weights, bias: row(outputs) }
}

fn inputs(size: usize, s_x: f64) -> Inputs {
    let mut rng = stream(9, Stream::Calibration);
    let units: Vec<Vec<i32>> =
        (0..300).map(|_| (0..size).map(|_| (LIMIT * even(&mut rng)) as i32).collect()).collect();
    let real = units.iter().map(|q| q.iter().map(|q| f64::from(*q) * s_x).collect()).collect();
    Inputs { real, units }
}

/// Against the layer in `f64`, within what rounding can do:
///
/// ```text
/// |Δz| ≤ ½ s_w Σ |x| · 2 + s_w s_x        weights, as much again on the average in the bias; the bias itself
///      + |z| 2⁻¹⁵ + 2 s_y                 m; the shifts
/// ```
#[test]
fn hidden_layers_are_those_of_f64() {
    for (case, activation) in [Activation::Linear, Activation::Relu, Activation::Tanh]
        .into_iter()
        .cycle()
        .take(24)
        .enumerate()
    {
        for largest in [127, 4095, 32_767] {
            let size = [0.01, 0.3, 2.0, 30.0][case % 4];
            let s_x = [1.0 / LIMIT, 1e-3][case % 2];
            let dense = layer(activation, 1 + 7 * case, 20, size, case as u64);
            let seen = inputs(dense.weights[0].len(), s_x);
            let all = seen.real.iter().flat_map(|x| dense.sums(x));
            let peak = all.fold(0.0_f64, |most, z| most.max(dense.activate(z).abs()));
            let fixed = Fixed::new(&dense, s_x, largest, Some(peak), &seen);
            for (x, q) in seen.real.iter().zip(&seen.units) {
                let total: f64 = x.iter().map(|x| x.abs()).sum();
                for ((row, z), found) in fixed.rows.iter().zip(dense.sums(x)).zip(fixed.units(q)) {
                    let s_y = if activation == Activation::Tanh { TANH_UNIT } else { fixed.unit };
                    let (s, m) = (row.word & 31, row.word >> 16);
                    let s_w = f64::from(m) * 2.0_f64.powi(-16 - s as i32) * s_y / s_x;
                    let bound = s_w * (total + s_x) * 1.001 + z.abs() / 32_768.0 + 2.0 * s_y;
                    let (wanted, found) = (dense.activate(z), f64::from(found) * fixed.unit);
                    let difference = (wanted - found).abs();
                    let slack = if activation == Activation::Tanh { 4.0 / 32_768.0 } else { 0.0 };
                    assert!(
                        difference <= bound + slack,
                        "{activation:?} {largest} {size}: {found} instead of {wanted}, {difference} > {bound}"
                    );
                }
            }
        }
    }
}

#[test]
fn multipliers_are_as_exact_as_can_be() {
    for exponent in 0..270 {
        let wanted = 0.45 * 2.0_f64.powf(-0.1 * f64::from(exponent));
        let (m, s) = multiplier(wanted);
        assert!((1 << 14..1 << 15).contains(&m) && s < 32, "{wanted}: {m}, {s}");
        let found = f64::from(m) * 2.0_f64.powi(-16 - s as i32);
        assert!((found / wanted - 1.0).abs() < 1.0 / 32_768.0, "{wanted}: {found}");
    }
}

/// Half a unit more or less of z moves a unit by one: the roundings are to nearest.
#[test]
fn roundings_are_to_nearest() {
    let dense = Dense { activation: Activation::Linear, weights: vec![vec![1.0]], bias: vec![0.0] };
    let s_x = 1.0 / LIMIT;
    let fixed = Fixed::new(
        &dense,
        s_x,
        32_767,
        Some(1.0),
        &Inputs { real: vec![vec![1.0], vec![-1.0]], units: vec![vec![32_767], vec![-32_767]] },
    );
    let mut sum = 0.0;
    for q in -32_767..=32_767 {
        let error = f64::from(fixed.units(&[q])[0]) - f64::from(q) * s_x / fixed.unit;
        assert!(error.abs() < 1.1, "{q}: {error}");
        sum += error / 65_535.0;
    }
    assert!(sum.abs() < 0.05, "{sum}");
}

#[test]
fn degenerate_rows_fit() {
    for (weights, bias) in [
        (vec![0.0, 0.0], 0.0),
        (vec![0.0, 0.0], 1e6),
        (vec![1e-30, 0.0], -1e30),
        (vec![1e30, -1e30], 1.0),
        (vec![1e-38, 1e-42], 0.0),
    ] {
        for is_last in [false, true] {
            let peak = (!is_last).then_some(0.0);
            for largest in [127, 32_767] {
                let dense = Dense {
                    activation: if is_last { Activation::Linear } else { Activation::Relu },
                    weights: vec![weights.clone(), vec![1.0, 0.5]],
                    bias: vec![bias, 0.0],
                };
                let fixed = Fixed::new(&dense, 1.0 / LIMIT, largest, peak, &Inputs::default());
                for row in &fixed.rows {
                    let sum: i64 = row.weights.iter().map(|w| i64::from(w.unsigned_abs())).sum();
                    let bound = 32_767 * sum + i64::from(row.bias.unsigned_abs());
                    assert!(sum <= 65_535 && bound <= i64::from(i32::MAX), "{weights:?} {bias}");
                    assert!(row.weights.iter().all(|w| w.abs() <= largest));
                }
            }
        }
    }
}
