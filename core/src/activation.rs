//! Elementwise functions between layers.

use crate::{compact::barrier, tanh};

/// f in y = f(Wx + b).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Activation {
    /// f(z) = z
    Linear,
    /// f(z) = max(z, 0); a NaN stays one, so that an overflow is refused and not taken for a 0
    Relu,
    /// f(z) = tanh z
    Tanh,
}

/// All bits from −0 to −∞ become +0. Not `f32::max`, which drops NaN and leaves the sign of 0 open; and
/// integers are compared faster than floating-point numbers, most of all without an FPU.
#[inline(always)]
fn relu(bits: u32) -> u32 {
    const NEGATIVE_ZERO: u32 = 0x8000_0000;
    const UP_TO_NEGATIVE_INFINITY: u32 = 0x7F80_0000;
    if bits.wrapping_sub(NEGATIVE_ZERO) <= UP_TO_NEGATIVE_INFINITY { 0 } else { bits }
}

impl Activation {
    /// f(z).
    #[inline]
    pub fn apply(self, z: f32) -> f32 {
        match self {
            Activation::Linear => z,
            Activation::Relu => f32::from_bits(relu(z.to_bits())),
            Activation::Tanh => tanh::float(z),
        }
    }

    /// Every z becomes f(z).
    #[inline]
    pub fn apply_all(self, z: &mut [f32]) {
        // Asked once, not for each number.
        match self {
            Activation::Linear => {}
            Activation::Relu => {
                let (pairs, rest) = bytemuck::must_cast_slice_mut(z).as_chunks_mut::<2>();
                for pair in pairs {
                    barrier();
                    *pair = pair.map(relu);
                }
                for z in rest {
                    barrier();
                    *z = relu(*z);
                }
            }
            Activation::Tanh => z.iter_mut().for_each(|z| *z = tanh::float(*z)),
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
