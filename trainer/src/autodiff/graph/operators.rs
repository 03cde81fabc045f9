//! The signs of formulas: +, −, ·.

use std::ops::{Add, Mul, Neg, Sub};

use super::Var;
use crate::autodiff::ops::Binary;

/// x + y, entry by entry; a single number goes with every shape.
impl Add for Var<'_> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.binary(Binary::Add, other)
    }
}

/// x − y
impl Sub for Var<'_> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.binary(Binary::Sub, other)
    }
}

/// x · y, entry by entry
impl Mul for Var<'_> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.binary(Binary::Mul, other)
    }
}

/// −x
impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.affine(&[-1.0], &[0.0])
    }
}

/// x + c
impl Add<f64> for Var<'_> {
    type Output = Self;
    fn add(self, constant: f64) -> Self {
        self.affine(&[1.0], &[constant])
    }
}

/// x − c
impl Sub<f64> for Var<'_> {
    type Output = Self;
    fn sub(self, constant: f64) -> Self {
        self.affine(&[1.0], &[-constant])
    }
}

/// c · x
impl<'g> Mul<Var<'g>> for f64 {
    type Output = Var<'g>;
    fn mul(self, x: Var<'g>) -> Var<'g> {
        x.affine(&[self], &[0.0])
    }
}

/// c − x
impl<'g> Sub<Var<'g>> for f64 {
    type Output = Var<'g>;
    fn sub(self, x: Var<'g>) -> Var<'g> {
        x.affine(&[-1.0], &[self])
    }
}
