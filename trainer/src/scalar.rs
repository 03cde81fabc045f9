//! The numbers that losses are computed with: `f32` to train, `f64` to check.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use bytemuck::Pod;

/// A real number with the functions that losses need.
///
/// Transcendental functions come from `libm`, not from the platform, whose last bit differs from
/// machine to machine.
pub trait Scalar:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + Sum
    + Pod
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// Gradients smaller than this are taken as 0 by the optimiser, see [`crate::nn::Adam`].
    const TINY_GRADIENT: Self;
    /// Moments smaller than this are taken as 0 by the optimiser.
    const TINY_MOMENT: Self;
    /// The nearest number of this type.
    fn from_f64(x: f64) -> Self;
    /// The same number with 53 bits.
    fn to_f64(self) -> f64;
    /// tanh x
    fn tanh(self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// e^(−2|x|), as small as a number can well be for |x| beyond 43.
    fn decay(self) -> Self;
    /// ln x
    fn ln(self) -> Self;
    /// √x
    fn sqrt(self) -> Self;
    /// |x|
    fn abs(self) -> Self;
}

impl Scalar for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const TINY_GRADIENT: Self = 1e-16;
    const TINY_MOMENT: Self = 1e-30;
    fn from_f64(x: f64) -> Self {
        x as f32
    }
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
    fn tanh(self) -> Self {
        libm::tanhf(self)
    }
    fn exp(self) -> Self {
        libm::expf(self)
    }
    #[inline(always)]
    fn decay(self) -> Self {
        crate::elementary::decay(self)
    }
    fn ln(self) -> Self {
        libm::logf(self)
    }
    fn sqrt(self) -> Self {
        self.sqrt() // Correctly rounded on every platform, as IEEE 754 requires.
    }
    fn abs(self) -> Self {
        self.abs()
    }
}

impl Scalar for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
    const TINY_GRADIENT: Self = 0.0;
    const TINY_MOMENT: Self = 0.0;
    fn from_f64(x: f64) -> Self {
        x
    }
    fn to_f64(self) -> f64 {
        self
    }
    fn tanh(self) -> Self {
        libm::tanh(self)
    }
    fn exp(self) -> Self {
        libm::exp(self)
    }
    fn decay(self) -> Self {
        libm::exp(-2.0 * self.abs())
    }
    fn ln(self) -> Self {
        libm::log(self)
    }
    fn sqrt(self) -> Self {
        self.sqrt()
    }
    fn abs(self) -> Self {
        self.abs()
    }
}
