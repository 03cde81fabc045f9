//! The joints' limits: MuJoCo's soft constraints with its default `solref` and `solimp`.

use std::f64::consts::FRAC_PI_2;

use super::TIMESTEP;

/// Where the joints' limits are: |x|, in m, and |θ|, in rad.
pub(super) const LIMIT: [f64; 2] = [1.0, FRAC_PI_2];
/// `solref[0]`: time in which a violation decays, in s. The default is 0.02, which MuJoCo raises to
/// two time steps (its `refsafe`).
const LIMIT_TIME: f64 = 2.0 * TIMESTEP;
/// `solref[1]`: critically damped.
const LIMIT_DAMPING_RATIO: f64 = 1.0;
/// `solimp`: the impedance grows from the first to the second within a depth of
/// [`IMPEDANCE_WIDTH`], along two parabolas that meet in the middle (midpoint 0.5, power 2).
const IMPEDANCE: [f64; 2] = [0.9, 0.95];
/// In m or rad.
const IMPEDANCE_WIDTH: f64 = 0.001;
/// K, in 1/s²
const K: f64 = 1.0
    / (IMPEDANCE[1]
        * IMPEDANCE[1]
        * (LIMIT_TIME * LIMIT_TIME)
        * (LIMIT_DAMPING_RATIO * LIMIT_DAMPING_RATIO));
/// B, in 1/s
const B: f64 = 2.0 / (IMPEDANCE[1] * LIMIT_TIME);

/// Is a joint beyond its limit?
pub(super) fn violated(x: f64, angle: f64) -> bool {
    x.abs() > LIMIT[0] || angle.abs() > LIMIT[1]
}

/// Forces that push violated joints back, in N and N·m, given the accelerations a without them,
/// M⁻¹ as (11, 12, 22), and its diagonal at θ = 0. With q, v the joint's position and speed and σ = −sign q:
///
/// ```text
/// δ = |q| − limit > 0                                      how deep
/// d = impedance(δ)
/// b = −B σ v + K d δ − σ a                                 wanted acceleration, less what is there
/// Rᵢᵢ = (1 − d)/d · (M⁻¹ at θ = 0)ᵢᵢ                       how soft
/// Aᵢⱼ = σᵢ (M⁻¹)ᵢⱼ σⱼ
/// (A + R) f ≥ b,  f ≥ 0,  for each joint one of the two an equality
/// ```
///
/// For one joint f = max(0, b / (A + R)). For both it is MuJoCo's convex problem in dual form, whose
/// solver only approaches what [`solve`] gives.
#[cold]
pub(super) fn forces(
    q: [f64; 2],
    v: [f64; 2],
    a: [f64; 2],
    inverse: [f64; 3],
    at_zero: [f64; 2],
) -> [f64; 2] {
    // A joint within its limits wants an acceleration of −∞, so that its force is 0.
    let [mut b, mut diagonal] = [[f64::NEG_INFINITY; 2], [1.0; 2]];
    let sign = q.map(|q| -q.signum());
    for i in 0..2 {
        let depth = q[i].abs() - LIMIT[i];
        if depth > 0.0 {
            let d = impedance(depth);
            b[i] = -B * sign[i] * v[i] + K * d * depth - sign[i] * a[i];
            diagonal[i] = inverse[2 * i] + (1.0 - d) / d * at_zero[i];
        }
    }
    let f = solve(diagonal, sign[0] * inverse[1] * sign[1], b);
    [sign[0] * f[0], sign[1] * f[1]]
}

/// The only f ≥ 0 with C f ≥ b and fᵢ (C f − b)ᵢ = 0, where C = (diagonal, coupling) is positive
/// definite: both equalities hold, or one, or none.
fn solve(diagonal: [f64; 2], coupling: f64, b: [f64; 2]) -> [f64; 2] {
    let determinant = diagonal[0] * diagonal[1] - coupling * coupling;
    let both = [
        (diagonal[1] * b[0] - coupling * b[1]) / determinant,
        (diagonal[0] * b[1] - coupling * b[0]) / determinant,
    ];
    let alone = [(b[0] / diagonal[0]).max(0.0), (b[1] / diagonal[1]).max(0.0)];
    if both[0] > 0.0 && both[1] > 0.0 {
        both
    } else if coupling * alone[0] >= b[1] {
        [alone[0], 0.0]
    } else {
        [0.0, alone[1]]
    }
}

/// The part of a violated joint's acceleration that its limit decides, after `solimp`.
fn impedance(depth: f64) -> f64 {
    let t = depth / IMPEDANCE_WIDTH;
    let rise = match t {
        ..0.5 => 2.0 * t * t,
        0.5..1.0 => 1.0 - 2.0 * (1.0 - t) * (1.0 - t),
        _ => 1.0,
    };
    IMPEDANCE[0] + rise * (IMPEDANCE[1] - IMPEDANCE[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envs::inverted_pendulum::Model;

    #[test]
    fn impedance_rises_over_a_millimetre() {
        for (depth, d) in [(0.0, 0.9), (0.25e-3, 0.90625), (0.5e-3, 0.925), (0.75e-3, 0.94375)] {
            assert!((impedance(depth) - d).abs() < 1e-12, "{depth}");
        }
        assert!((impedance(1e-3) - 0.95).abs() < 1e-12 && impedance(0.1) == impedance(1e-3));
    }

    /// The numbers are those that MuJoCo 4.0 works with.
    #[test]
    fn stiffness_follows_from_the_settings() {
        assert!((K / 692.520_775_623_268_7 - 1.0).abs() < 1e-14);
        assert!((B / 52.631_578_947_368_425 - 1.0).abs() < 1e-14);
    }

    #[test]
    fn forces_solve_the_complementarity_problem() {
        let (diagonal, mut kinds) = ([0.1, 2.5], [0; 4]);
        for coupling in [-0.4, -0.1, 0.0, 0.3] {
            for b in (0..49).map(|i| [f64::from(i % 7 - 3), f64::from(i / 7 - 3)]) {
                let f = solve(diagonal, coupling, b);
                let rest = [
                    diagonal[0] * f[0] + coupling * f[1] - b[0],
                    coupling * f[0] + diagonal[1] * f[1] - b[1],
                ];
                for (f, rest) in f.into_iter().zip(rest) {
                    assert!(f >= 0.0 && rest > -1e-12 && f * rest < 1e-12, "{coupling} {b:?}");
                }
                kinds[usize::from(f[0] > 0.0) + 2 * usize::from(f[1] > 0.0)] += 1;
            }
        }
        assert!(kinds.iter().all(|&count| count > 0), "{kinds:?}");
    }

    #[test]
    fn limits_push_inwards_and_never_pull() {
        let at_zero = Model::GYMNASIUM.inverse_at_zero;
        let inverse = [at_zero[0], -0.1, at_zero[1]];
        for sign in [1.0, -1.0] {
            let push = |x: f64, angle: f64, v: f64| {
                let (q, v) = ([sign * x, sign * angle], [sign * v; 2]);
                forces(q, v, [0.0; 2], inverse, at_zero).map(|f| sign * f)
            };
            let [slider, hinge] = push(1.01, 0.0, 0.1);
            assert!(slider < 0.0 && hinge == 0.0);
            let [slider, hinge] = push(0.0, 1.6, 0.1);
            assert!(slider == 0.0 && hinge < 0.0);
            let [slider, hinge] = push(1.01, 1.6, 0.1);
            assert!(slider < 0.0 && hinge < 0.0);
            assert_eq!(push(1.001, 1.571, -10.0).map(f64::abs), [0.0; 2]);
        }
    }
}
