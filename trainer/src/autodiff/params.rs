//! All parameters of an agent, back to back; a network is a range of them.

use std::ops::Range;

use crate::linalg::{Backend, parallel};
use crate::scalar::Scalar;

/// Multiplications that take about as long as the soft update of one parameter.
const COST: usize = 4;

/// Values and the gradients of the last program run, of the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct Params<T> {
    /// θ
    pub value: Vec<T>,
    /// ∂L/∂θ; meaningful in the ranges that the last program was compiled for.
    pub gradient: Vec<T>,
}

impl<T: Scalar> Params<T> {
    /// `len` zeros.
    pub fn new(len: usize) -> Self {
        Params { value: vec![T::ZERO; len], gradient: vec![T::ZERO; len] }
    }

    /// Shrinks the gradient of a range to norm `most` where it is longer:
    /// g ← g · most / ‖g‖₂ (Pascanu et al., 2013, algorithm 1).
    pub fn clip_gradient(&mut self, range: &Range<usize>, most: f64) {
        let gradient = &mut self.gradient[range.clone()];
        let norm = gradient.iter().map(|g| g.to_f64() * g.to_f64()).sum::<f64>().sqrt();
        if norm > most {
            let factor = T::from_f64(most / norm);
            gradient.iter_mut().for_each(|g| *g = *g * factor);
        }
    }

    /// θ′ ← τθ + (1 − τ)θ′. With τ = 1 it is a copy, bit for bit.
    ///
    /// # Panics
    ///
    /// If the ranges overlap, differ in length or exceed the parameters.
    pub fn soft_update(&mut self, online: &Range<usize>, target: &Range<usize>, tau: T) {
        assert_eq!(online.len(), target.len(), "online and target network differ in size");
        let [online, target] = self
            .value
            .get_disjoint_mut([online.clone(), target.clone()])
            .expect("online and target network are two ranges of the parameters");
        if tau == T::ONE {
            target.copy_from_slice(online);
            return;
        }
        let keep = T::ONE - tau;
        let backend = Backend::current();
        let follow = |(target, online): (&mut [T], &[T])| {
            backend.vectorise(|| {
                for (target, online) in target.iter_mut().zip(online) {
                    *target = tau * *online + keep * *target;
                }
            });
        };
        parallel::spread(COST * target.len(), 1, (target, &*online), follow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_gradients_shrink() {
        let mut params = Params { value: vec![0.0_f64; 3], gradient: vec![3.0, 4.0, 100.0] };
        params.clip_gradient(&(0..2), 10.0);
        assert_eq!(params.gradient, [3.0, 4.0, 100.0]);
        params.clip_gradient(&(0..2), 1.0);
        assert!((params.gradient[0] - 0.6).abs() < 1e-15, "{params:?}");
        assert!((params.gradient[1] - 0.8).abs() < 1e-15 && params.gradient[2] == 100.0);
    }

    #[test]
    fn targets_track() {
        let mut params = Params { value: vec![1.0_f32, 2.0, 10.0, 20.0], gradient: vec![0.0; 4] };
        params.soft_update(&(0..2), &(2..4), 0.25);
        assert_eq!(params.value, [1.0, 2.0, 7.75, 15.5]);
        params.soft_update(&(0..2), &(2..4), 1.0);
        assert_eq!(params.value, [1.0, 2.0, 1.0, 2.0]);
    }
}
