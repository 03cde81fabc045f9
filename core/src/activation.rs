//! Elementwise functions between layers.

use serde::{Deserialize, Serialize};

/// f in y = f(Wx + b).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Activation {
    /// f(z) = z
    Linear,
    /// f(z) = max(z, 0); a NaN stays one, so that an overflow is refused and not taken for a 0
    Relu,
    /// f(z) = tanh z
    Tanh,
}

impl Activation {
    /// f(z).
    #[inline]
    pub fn apply(self, z: f32) -> f32 {
        match self {
            Activation::Linear => z,
            // A comparison rather than `f32::max`, which drops NaN and leaves the sign of 0 open.
            Activation::Relu if z <= 0.0 => 0.0,
            Activation::Relu => z,
            Activation::Tanh => libm::tanhf(z),
        }
    }

    /// Every z becomes f(z).
    #[inline]
    pub fn apply_all(self, z: &mut [f32]) {
        // Asked once, not for each number.
        match self {
            Activation::Linear => {}
            Activation::Relu => z.iter_mut().for_each(|z| *z = Activation::Relu.apply(*z)),
            Activation::Tanh => z.iter_mut().for_each(|z| *z = Activation::Tanh.apply(*z)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relu_has_one_zero() {
        for z in [-0.0_f32, 0.0, -1.0, f32::NEG_INFINITY] {
            assert_eq!(Activation::Relu.apply(z).to_bits(), 0, "relu({z})");
        }
        assert_eq!(Activation::Relu.apply(2.5), 2.5);
    }

    #[test]
    fn nan_passes_every_activation() {
        for f in [Activation::Linear, Activation::Relu, Activation::Tanh] {
            assert!(f.apply(f32::NAN).is_nan(), "{f:?}");
        }
    }

    #[test]
    fn tanh_saturates() {
        assert_eq!(Activation::Tanh.apply(f32::MAX), 1.0);
        assert_eq!(Activation::Tanh.apply(f32::NEG_INFINITY), -1.0);
    }
}
