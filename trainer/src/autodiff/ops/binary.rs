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
        self.known(
            #[inline(always)]
            |op| each(x, y, z, |z, x, y| *z = op.value(x, y)),
        );
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
        if let [out] = out {
            let at = |x: &[T], i: usize| if let [x] = x { *x } else { x[i] };
            let term = |(i, dz): (usize, &T)| *dz * self.derivative(side, at(x, i), at(y, i));
            put.to(out, dz.iter().enumerate().map(term).sum());
            return;
        }
        debug_assert_eq!(out.len(), dz.len(), "sizes are checked where graphs are made");
        let terms = out.iter_mut().zip(dz);
        self.known(
            #[inline(always)]
            |op| match (side, put) {
                (Side::Left, Put::Set) => each(x, y, terms, |(out, dz), x, y| {
                    *out = *dz * op.derivative(Side::Left, x, y);
                }),
                (Side::Right, Put::Set) => each(x, y, terms, |(out, dz), x, y| {
                    *out = *dz * op.derivative(Side::Right, x, y);
                }),
                // Seldom, so that one loop does for both sides.
                (_, Put::Add) => each(x, y, terms, |(out, dz), x, y| {
                    *out += *dz * op.derivative(side, x, y);
                }),
            },
        );
    }

    /// Does `work` with the operation as a constant, so that its loop has no branch.
    #[inline(always)]
    fn known(self, work: impl FnOnce(Binary)) {
        match self {
            Binary::Add => work(Binary::Add),
            Binary::Sub => work(Binary::Sub),
            Binary::Mul => work(Binary::Mul),
            Binary::Min => work(Binary::Min),
        }
    }
}

/// Each entry with its operands, of which a single number stands for all.
#[inline(always)]
fn each<T: Copy, E>(
    x: &[T],
    y: &[T],
    entries: impl IntoIterator<Item = E>,
    mut work: impl FnMut(E, T, T),
) {
    let entries = entries.into_iter();
    match (x, y) {
        ([x], [y]) => entries.for_each(|entry| work(entry, *x, *y)),
        ([x], y) => entries.zip(y).for_each(|(entry, y)| work(entry, *x, *y)),
        (x, [y]) => entries.zip(x).for_each(|(entry, x)| work(entry, *x, *y)),
        (x, y) => entries.zip(x).zip(y).for_each(|((entry, x), y)| work(entry, *x, *y)),
    }
}
