//! Adam (Kingma and Ba, 2015, algorithm 1).

use std::ops::Range;

use crate::autodiff::Params;
use crate::linalg::{Backend, parallel};
use crate::scalar::Scalar;
use crate::state::{StateError, Walk};

/// Multiplications that take about as long as a step of one parameter.
const COST: usize = 16;

/// Step size and decay rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamConfig {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the mean of gradients.
    pub beta1: f64,
    /// Decay of the mean of squared gradients.
    pub beta2: f64,
    /// ε, added to the denominator.
    pub epsilon: f64,
}

impl AdamConfig {
    /// The paper's rates with a step size of one's own.
    pub fn new(learning_rate: f64) -> Self {
        AdamConfig { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

/// The optimiser of one range of the parameters.
#[derive(Debug, Clone)]
pub struct Adam<T> {
    config: AdamConfig,
    range: Range<usize>,
    /// Factor to the step size.
    rate_scale: f64,
    /// m
    first_moment: Vec<T>,
    /// v
    second_moment: Vec<T>,
    /// β₁ᵗ and β₂ᵗ.
    powers: (f64, f64),
}

impl<T: Scalar> Adam<T> {
    /// An optimiser that has seen no gradient.
    pub fn new(config: AdamConfig, range: Range<usize>) -> Self {
        let zeros = vec![T::ZERO; range.len()];
        Adam {
            config,
            range,
            rate_scale: 1.0,
            first_moment: zeros.clone(),
            second_moment: zeros,
            powers: (1.0, 1.0),
        }
    }

    /// Multiplies the configured step size from now on.
    pub fn scale_learning_rate(&mut self, factor: f64) {
        self.rate_scale = factor;
    }

    /// The range that it moves.
    pub fn range(&self) -> &Range<usize> {
        &self.range
    }

    /// What it remembers of the gradients, and its step size.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds another optimiser's.
    pub fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.rate_scale)?;
        walk.value(&mut self.powers)?;
        walk.numbers(&mut self.first_moment)?;
        walk.numbers(&mut self.second_moment)
    }

    /// One step along the gradient g of the last program run:
    ///
    /// ```text
    /// m ← β₁m + (1 − β₁)g        v ← β₂v + (1 − β₂)g²
    /// θ ← θ − (α / (1 − β₁ᵗ)) · m / (√v / √(1 − β₂ᵗ) + ε)
    /// ```
    ///
    /// The bias corrections are computed in `f64`. In `f32`, |g| < 1e-16 and |m|, |v| < 1e-30 are
    /// taken as 0: units that have died let moments decay into subnormal numbers, which slow a
    /// processor down several times.
    pub fn step(&mut self, params: &mut Params<T>) {
        let AdamConfig { learning_rate, beta1, beta2, epsilon } = self.config;
        self.powers = (self.powers.0 * beta1, self.powers.1 * beta2);
        let rate = T::from_f64(self.rate_scale * learning_rate / (1.0 - self.powers.0));
        let correction = T::from_f64((1.0 - self.powers.1).sqrt());
        let (beta1, rest1) = (T::from_f64(beta1), T::from_f64(1.0 - beta1));
        let (beta2, rest2) = (T::from_f64(beta2), T::from_f64(1.0 - beta2));
        let epsilon = T::from_f64(epsilon);
        let backend = Backend::current();
        let step = |((values, gradients), (first, second)): Part<'_, T>| {
            backend.vectorise(|| {
                let moments = first.iter_mut().zip(second);
                for ((theta, g), (m, v)) in values.iter_mut().zip(gradients).zip(moments) {
                    let g = or_zero(*g, T::TINY_GRADIENT);
                    *m = or_zero(beta1 * *m + rest1 * g, T::TINY_MOMENT);
                    *v = or_zero(beta2 * *v + rest2 * (g * g), T::TINY_MOMENT);
                    *theta = *theta - rate * (*m / (v.sqrt() / correction + epsilon));
                }
            });
        };
        let values = &mut params.value[self.range.clone()];
        let gradients = &params.gradient[self.range.clone()];
        let cost = COST * values.len();
        let moments = (&mut self.first_moment[..], &mut self.second_moment[..]);
        parallel::spread(cost, 1, ((values, gradients), moments), step);
    }
}

/// Values with their gradients, and both moments.
type Part<'a, T> = ((&'a mut [T], &'a [T]), (&'a mut [T], &'a mut [T]));

/// x, or 0 where |x| is below the threshold. A NaN stays, so that divergence is seen.
#[inline(always)]
fn or_zero<T: Scalar>(x: T, threshold: T) -> T {
    if x.abs() < threshold { T::ZERO } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate() {
        let mut params = Params { value: vec![1.0_f64, 1.0, 5.0], gradient: vec![3.0, -1e-3, 9.0] };
        let mut adam = Adam::new(AdamConfig::new(0.1), 0..2);
        adam.step(&mut params);
        assert!((params.value[0] - 0.9).abs() < 1e-9);
        assert!((params.value[1] - 1.1).abs() < 2e-6, "ε takes 1e-5 of the step");
        assert_eq!(params.value[2], 5.0, "outside the range");
    }

    #[test]
    fn moments_do_not_decay_into_subnormals() {
        let mut params = Params { value: vec![1.0_f32], gradient: vec![1e-3] };
        let mut adam = Adam::new(AdamConfig::new(1e-3), 0..1);
        adam.step(&mut params);
        params.gradient[0] = 1e-20;
        (0..100_000).for_each(|_| adam.step(&mut params));
        assert_eq!((adam.first_moment[0], adam.second_moment[0]), (0.0, 0.0));
        params.gradient[0] = f32::NAN;
        adam.step(&mut params);
        assert!(params.value[0].is_nan());
    }
}
