//! z = x ∘ y, entry by entry; a single number goes with every shape.

use super::Put;
use crate::scalar::Scalar;

/// ∘.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    /// x + y
    Add,
    /// x − y
    Sub,
    /// x · y
    Mul,
    /// min(x, y)
    Min,
}

/// Which operand to differentiate by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// x
    Left,
    /// y
    Right,
}

impl Binary {
    /// x ∘ y
    #[inline(always)]
    pub fn value<T: Scalar>(self, x: T, y: T) -> T {
        match self {
            Binary::Add => x + y,
            Binary::Sub => x - y,
            Binary::Mul => x * y,
            Binary::Min if x <= y => x,
            Binary::Min if y < x => y,
            Binary::Min => x + y, // One of them is a NaN, which must be seen.
        }
    }

    /// ∂(x ∘ y)/∂x or ∂(x ∘ y)/∂y
    #[inline(always)]
    pub fn derivative<T: Scalar>(self, side: Side, x: T, y: T) -> T {
        match (self, side) {
            (Binary::Add, _) | (Binary::Sub, Side::Left) => T::ONE,
            (Binary::Sub, Side::Right) => -T::ONE,
            (Binary::Mul, Side::Left) => y,
            (Binary::Mul, Side::Right) => x,
            // Spelt out as choices of numbers: as branches they would be hard to predict.
            (Binary::Min, side) => {
                let less = if side == Side::Left { x < y } else { y < x };
                let not_less = if x == y { T::from_f64(0.5) } else { T::ZERO };
                if less { T::ONE } else { not_less }
            }
        }
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Binary::Add => "addition",
            Binary::Sub => "subtraction",
            Binary::Mul => "multiplication",
            Binary::Min => "min",
        }
    }

    /// z = x ∘ y
    #[inline(always)]
    pub fn forward<T: Scalar>(self, x: &[T], y: &[T], z: &mut [T]) {
        for (i, z) in z.iter_mut().enumerate() {
            *z = self.value(at(x, i), at(y, i));
        }
    }

    /// dx = dz · ∂z/∂x (or dy); where the operand is a single number, the sum over the entries.
    #[inline(always)]
    pub fn backward<T: Scalar>(
        self,
        side: Side,
        (x, y): (&[T], &[T]),
        dz: &[T],
        out: &mut [T],
        put: Put,
    ) {
        let term = |(i, dz): (usize, &T)| *dz * self.derivative(side, at(x, i), at(y, i));
        if let [out] = out {
            put.to(out, dz.iter().enumerate().map(term).sum());
            return;
        }
        let terms = out.iter_mut().zip(dz.iter().enumerate().map(term));
        // The choice outside of the loop, which is then one without branches.
        match put {
            Put::Set => terms.for_each(|(out, term)| *out = term),
            Put::Add => terms.for_each(|(out, term)| *out += term),
        }
    }
}

#[inline(always)]
fn at<T: Copy>(x: &[T], i: usize) -> T {
    if let [x] = x { *x } else { x[i] }
}
