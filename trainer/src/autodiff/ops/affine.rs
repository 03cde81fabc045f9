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
        for j in 0..columns {
            let (scale, shift) = (constant::<T>(&self.scale, j), constant(&self.shift, j));
            let column = y[j..].iter_mut().step_by(columns);
            for (y, x) in column.zip(x[j..].iter().step_by(columns)) {
                *y = scale * *x + shift;
            }
        }
    }

    /// dx = scale · dy
    pub fn backward<T: Scalar>(&self, dy: &[T], columns: usize, dx: &mut [T], put: Put) {
        for j in 0..columns {
            let scale = constant::<T>(&self.scale, j);
            let column = dx[j..].iter_mut().step_by(columns);
            for (dx, dy) in column.zip(dy[j..].iter().step_by(columns)) {
                put.to(dx, scale * *dy);
            }
        }
    }
}

#[inline(always)]
fn constant<T: Scalar>(constants: &[f64], column: usize) -> T {
    T::from_f64(if let [one] = constants { *one } else { constants[column] })
}
