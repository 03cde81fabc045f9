//! yⱼ = scaleⱼ xⱼ + shiftⱼ for each column j.

use super::Put;
use crate::scalar::Scalar;

/// Constants by column; a single one stands for all columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Affine {
    /// scaleⱼ
    pub scale: Vec<f64>,
    /// shiftⱼ
    pub shift: Vec<f64>,
}

impl Affine {
    /// y = scale · x + shift, in two roundings.
    pub fn forward<T: Scalar>(&self, x: &[T], columns: usize, y: &mut [T]) {
        for (y, x) in y.chunks_exact_mut(columns).zip(x.chunks_exact(columns)) {
            for (j, (y, x)) in y.iter_mut().zip(x).enumerate() {
                *y = constant::<T>(&self.scale, j) * *x + constant(&self.shift, j);
            }
        }
    }

    /// dx = scale · dy
    pub fn backward<T: Scalar>(&self, dy: &[T], columns: usize, dx: &mut [T], put: Put) {
        for (dx, dy) in dx.chunks_exact_mut(columns).zip(dy.chunks_exact(columns)) {
            for (j, (dx, dy)) in dx.iter_mut().zip(dy).enumerate() {
                put.to(dx, constant::<T>(&self.scale, j) * *dy);
            }
        }
    }
}

#[inline(always)]
fn constant<T: Scalar>(constants: &[f64], column: usize) -> T {
    T::from_f64(if let [one] = constants { *one } else { constants[column] })
}
