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
    #[inline(always)]
    pub fn forward<T: Scalar>(&self, x: &[T], columns: usize, y: &mut [T]) {
        for j in 0..columns {
            let (scale, shift) = (constant::<T>(&self.scale, j), constant(&self.shift, j));
            each(&x[j..], &mut y[j..], columns, |x, y| *y = scale * x + shift);
        }
    }

    /// dx = scale · dy
    #[inline(always)]
    pub fn backward<T: Scalar>(&self, dy: &[T], columns: usize, dx: &mut [T], put: Put) {
        for j in 0..columns {
            let scale = constant::<T>(&self.scale, j);
            match put {
                Put::Set => each(&dy[j..], &mut dx[j..], columns, |dy, dx| *dx = scale * dy),
                Put::Add => each(&dy[j..], &mut dx[j..], columns, |dy, dx| *dx += scale * dy),
            }
        }
    }
}

/// The numbers of a column; a single one has a loop of its own, which can be vectorised.
#[inline(always)]
fn each<T: Copy>(x: &[T], y: &mut [T], columns: usize, mut work: impl FnMut(T, &mut T)) {
    match columns {
        1 => x.iter().zip(y).for_each(|(x, y)| work(*x, y)),
        _ => {
            let column = y.iter_mut().step_by(columns);
            x.iter().step_by(columns).zip(column).for_each(|(x, y)| work(*x, y));
        }
    }
}

#[inline(always)]
fn constant<T: Scalar>(constants: &[f64], column: usize) -> T {
    T::from_f64(if let [one] = constants { *one } else { constants[column] })
}
