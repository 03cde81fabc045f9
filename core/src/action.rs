//! From the last layer's output to an action in physical units.

use heapless::Vec;
use rand_core::Rng;
use serde::{Deserialize, Serialize};

use crate::{BlobError, error::Part, gaussian};

/// The most entries an action may have.
pub const MAX_ACTION_SIZE: usize = 8;

/// An action, one number per actuator, in the unit of the environment (N·m for the pendulum).
pub type Action = Vec<f32, MAX_ACTION_SIZE>;

/// What the last layer's output z means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Head {
    /// The squashed Gaussian of SAC: z = (μ, ζ), log σ = bound(ζ),
    /// a = scale · tanh(u) + bias with u = μ (greedy) or u = μ + σε, ε ~ N(0, 1) (sampled).
    SquashedGaussian {
        /// Half the width of each action's range, in the action's unit.
        scale: Action,
        /// The middle of each action's range, in the action's unit.
        bias: Action,
        /// How ζ becomes log σ.
        log_std: LogStdBound,
    },
}

/// How a raw output ζ becomes log σ within [min, max].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogStdBound {
    /// log σ = min(max(ζ, min), max)
    Clamp {
        /// Least log σ.
        min: f32,
        /// Largest log σ.
        max: f32,
    },
    /// log σ = min + ½ (max − min) (tanh ζ + 1)
    Tanh {
        /// Least log σ.
        min: f32,
        /// Largest log σ.
        max: f32,
    },
}

impl LogStdBound {
    /// log σ.
    #[inline]
    pub fn apply(self, z: f32) -> f32 {
        match self {
            // Not `f32::clamp`, which panics on bounds out of order.
            LogStdBound::Clamp { min, .. } if z < min => min,
            LogStdBound::Clamp { max, .. } if z > max => max,
            LogStdBound::Clamp { .. } => z,
            LogStdBound::Tanh { min, max } => min + 0.5 * (max - min) * (libm::tanhf(z) + 1.0),
        }
    }

    /// (min, max).
    pub fn range(self) -> (f32, f32) {
        match self {
            LogStdBound::Clamp { min, max } | LogStdBound::Tanh { min, max } => (min, max),
        }
    }
}

impl Head {
    /// Entries of the action.
    pub fn action_size(&self) -> usize {
        match self {
            Head::SquashedGaussian { scale, .. } => scale.len(),
        }
    }

    /// Outputs of the last layer that the head consumes, and how many of them, the first ones, are
    /// needed for the greedy action.
    pub fn inputs(&self) -> (usize, usize) {
        match self {
            Head::SquashedGaussian { scale, .. } => (2 * scale.len(), scale.len()),
        }
    }

    /// Are all numbers finite, scales positive, bounds in order, and is every action in range finite?
    pub(crate) fn check(&self) -> Result<(), BlobError> {
        let Head::SquashedGaussian { scale, bias, log_std } = self;
        if scale.is_empty() {
            return Err(BlobError::Empty { part: Part::Action });
        }
        if scale.len() != bias.len() {
            return Err(BlobError::ActionSize { scale: scale.len(), bias: bias.len() });
        }
        let (min, max) = log_std.range();
        let mut range = scale.iter().zip(bias);
        let checks = [
            (Part::ActionScale, scale.iter().all(|&x| x.is_finite() && x > 0.0)),
            (Part::ActionBias, bias.iter().all(|x| x.is_finite())),
            (Part::ActionRange, range.all(|(s, b)| (b - s).is_finite() && (b + s).is_finite())),
            (Part::LogStdBound, min.is_finite() && max.is_finite() && min <= max),
        ];
        match checks.iter().find(|(_, holds)| !holds) {
            Some(&(part, _)) => Err(BlobError::HeaderValue { part }),
            None => Ok(()),
        }
    }

    /// The greedy action for the last layer's output `z`.
    pub(crate) fn greedy(&self, z: &[f32]) -> Action {
        let Head::SquashedGaussian { scale, bias, .. } = self;
        squash(scale, bias, z.iter().copied())
    }

    /// An action drawn from the policy's distribution; it takes two words per action entry from
    /// the generator.
    pub(crate) fn sampled<R: Rng + ?Sized>(&self, z: &[f32], rng: &mut R) -> Action {
        let Head::SquashedGaussian { scale, bias, log_std } = self;
        let (mean, raw) = (z.iter(), z.iter().skip(scale.len()));
        let u = mean.zip(raw).map(|(mean, raw)| {
            mean + libm::expf(log_std.apply(*raw)) * gaussian::normal_pair(rng).0
        });
        squash(scale, bias, u)
    }
}

/// aᵢ = scaleᵢ · tanh(uᵢ) + biasᵢ
#[inline]
fn squash(scale: &Action, bias: &Action, u: impl Iterator<Item = f32>) -> Action {
    let mut action = scale.clone();
    for ((a, b), u) in action.iter_mut().zip(bias).zip(u) {
        *a = *a * libm::tanhf(u) + b;
    }
    action
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    fn head() -> Head {
        Head::SquashedGaussian {
            scale: Vec::from_slice(&[2.0]).unwrap(),
            bias: Vec::from_slice(&[0.5]).unwrap(),
            log_std: LogStdBound::Tanh { min: -5.0, max: 2.0 },
        }
    }

    #[test]
    fn greedy_is_scaled_and_biased() {
        assert_eq!(head().greedy(&[f32::MAX, 0.0])[0], 2.5);
        assert_eq!(head().greedy(&[0.0, 0.0])[0], 0.5);
    }

    #[test]
    fn samples_follow_the_distribution() {
        // ζ = −1.5 gives log σ = −5 + 3.5 (tanh(−1.5) + 1) = −4.668, σ = 0.00939: tanh is linear.
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let n = 40_000;
        let draws: std::vec::Vec<f64> =
            (0..n).map(|_| f64::from(head().sampled(&[0.0, -1.5], &mut rng)[0]) - 0.5).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        let std = (draws.iter().map(|x| x * x).sum::<f64>() / f64::from(n)).sqrt();
        let sigma = 2.0 * (-5.0 + 3.5 * ((-1.5_f64).tanh() + 1.0)).exp();
        assert!(mean.abs() < 4.0 * sigma / f64::from(n).sqrt());
        assert!((std / sigma - 1.0).abs() < 0.02);
    }

    #[test]
    fn bounds_hold() {
        for bound in
            [LogStdBound::Clamp { min: -20.0, max: 2.0 }, LogStdBound::Tanh { min: -5.0, max: 2.0 }]
        {
            let (min, max) = bound.range();
            assert_eq!(bound.apply(-1e30), min);
            assert_eq!(bound.apply(1e30), max);
        }
    }
}
