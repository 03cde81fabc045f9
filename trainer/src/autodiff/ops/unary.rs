//! y = f(x), entry by entry.

use super::Put;
use crate::scalar::Scalar;

/// f.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unary {
    /// max(x, 0)
    Relu,
    /// tanh x
    Tanh,
    /// eˣ
    Exp,
    /// ln x
    Ln,
    /// x²
    Square,
    /// sech² x = 1 − tanh² x
    SechSquare,
    /// ½x² where |x| ≤ δ, δ(|x| − ½δ) beyond
    Huber {
        /// δ
        delta: f64,
    },
    /// min(max(x, low), high)
    Clamp {
        /// Least value.
        low: f64,
        /// Largest value.
        high: f64,
    },
}

/// What a derivative is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// x
    Input,
    /// y = f(x)
    Output,
}

impl Unary {
    /// f(x)
    #[inline(always)]
    pub fn value<T: Scalar>(self, x: T) -> T {
        match self {
            // A NaN stays one, so that divergence is seen.
            Unary::Relu if x <= T::ZERO => T::ZERO,
            Unary::Relu => x,
            Unary::Tanh => x.tanh(),
            Unary::Exp => x.exp(),
            Unary::Ln => x.ln(),
            Unary::Square => x * x,
            // 4t/(1 + t)², t = e^(−2|x|): 1 − tanh² x would lose the digits of a saturated x.
            Unary::SechSquare => {
                let t = x.decay();
                let y = T::from_f64(2.0) / (T::ONE + t);
                t * (y * y)
            }
            Unary::Huber { delta } => {
                let (half, delta) = (T::from_f64(0.5), T::from_f64(delta));
                match x.abs() {
                    size if size > delta => delta * (size - half * delta),
                    _ => half * (x * x),
                }
            }
            Unary::Clamp { low, .. } if x < T::from_f64(low) => T::from_f64(low),
            Unary::Clamp { high, .. } if x > T::from_f64(high) => T::from_f64(high),
            Unary::Clamp { .. } => x,
        }
    }

    /// f′(x), from x or from y = f(x) as [`Unary::saved`] says.
    #[inline(always)]
    pub fn derivative<T: Scalar>(self, saved: T) -> T {
        match self {
            Unary::Relu if saved > T::ZERO => T::ONE,
            Unary::Relu => T::ZERO,
            Unary::Tanh => T::ONE - saved * saved, // 1 − y²
            Unary::Exp => saved,                   // y
            Unary::Ln => T::ONE / saved,           // 1/x
            Unary::Square => saved + saved,        // 2x
            // −2 tanh x sech² x, |tanh x| = (1 − t)/(1 + t), t = e^(−2|x|)
            Unary::SechSquare => {
                let t = saved.decay();
                let y = T::from_f64(2.0) / (T::ONE + t);
                let size = (T::ONE - t) * (t * (y * y)) * y;
                if saved > T::ZERO { -size } else { size }
            }
            // min(max(x, −δ), δ)
            Unary::Huber { delta } => Unary::Clamp { low: -delta, high: delta }.value(saved),
            Unary::Clamp { low, .. } if saved < T::from_f64(low) => T::ZERO,
            Unary::Clamp { high, .. } if saved > T::from_f64(high) => T::ZERO,
            Unary::Clamp { .. } => T::ONE,
        }
    }

    /// What [`Unary::derivative`] takes.
    pub fn saved(self) -> Saved {
        match self {
            Unary::Relu | Unary::Tanh | Unary::Exp => Saved::Output,
            Unary::Ln
            | Unary::Square
            | Unary::SechSquare
            | Unary::Huber { .. }
            | Unary::Clamp { .. } => Saved::Input,
        }
    }

    /// y = f(x)
    #[inline(always)]
    pub fn forward<T: Scalar>(self, x: &[T], y: &mut [T]) {
        for (y, x) in y.iter_mut().zip(x) {
            *y = self.value(*x);
        }
    }

    /// dx = dy · f′
    #[inline(always)]
    pub fn backward<T: Scalar>(self, saved: &[T], dy: &[T], dx: &mut [T], put: Put) {
        for ((dx, dy), saved) in dx.iter_mut().zip(dy).zip(saved) {
            put.to(dx, *dy * self.derivative(*saved));
        }
    }

    /// dy ← dy · f′
    pub fn backward_in_place<T: Scalar>(self, saved: &[T], dy: &mut [T]) {
        for (dy, saved) in dy.iter_mut().zip(saved) {
            *dy = *dy * self.derivative(*saved);
        }
    }
}
