//! Columns side by side, sums and means.

use super::Put;
use crate::scalar::Scalar;

/// z = (x | y): `[B, x_columns]` and `[B, y_columns]` side by side.
pub fn concat<T: Scalar>(x: &[T], x_columns: usize, y: &[T], y_columns: usize, z: &mut [T]) {
    let columns = x_columns + y_columns;
    // Column by column: rows are so short that a call to copy one takes longer.
    for j in 0..x_columns {
        let column = z[j..].iter_mut().step_by(columns);
        column.zip(x[j..].iter().step_by(x_columns)).for_each(|(z, x)| *z = *x);
    }
    for j in 0..y_columns {
        let column = z[x_columns + j..].iter_mut().step_by(columns);
        column.zip(y[j..].iter().step_by(y_columns)).for_each(|(z, y)| *z = *y);
    }
}

/// y = the columns of x from `start` on, `y_columns` of them. It is also the derivative of
/// [`concat()`] by either operand.
pub fn copy_columns<T: Scalar>(
    x: &[T],
    x_columns: usize,
    start: usize,
    y: &mut [T],
    y_columns: usize,
    put: Put,
) {
    for j in 0..y_columns {
        let column = y[j..].iter_mut().step_by(y_columns);
        for (y, x) in column.zip(x[start + j..].iter().step_by(x_columns)) {
            put.to(y, *x);
        }
    }
}

/// The derivative of [`copy_columns`]: dx's columns from `start` on get dy, the others nothing.
pub fn add_columns<T: Scalar>(
    dy: &[T],
    y_columns: usize,
    start: usize,
    dx: &mut [T],
    x_columns: usize,
    put: Put,
) {
    if put == Put::Set {
        dx.fill(T::ZERO);
    }
    for (dx, dy) in dx.chunks_exact_mut(x_columns).zip(dy.chunks_exact(y_columns)) {
        for (dx, dy) in dx[start..].iter_mut().zip(dy) {
            *dx += *dy;
        }
    }
}

/// y = Σⱼ xⱼ, first column first
pub fn sum_columns<T: Scalar>(x: &[T], columns: usize, y: &mut [T]) {
    for (y, x) in y.iter_mut().zip(x.chunks_exact(columns)) {
        *y = x.iter().copied().sum();
    }
}

/// The derivative of [`sum_columns`]: dxⱼ = dy.
pub fn spread<T: Scalar>(dy: &[T], columns: usize, dx: &mut [T], put: Put) {
    for (dx, dy) in dx.chunks_exact_mut(columns).zip(dy) {
        for dx in dx {
            put.to(dx, *dy);
        }
    }
}

/// 1/n Σ xᵢ, first entry first
pub fn mean<T: Scalar>(x: &[T]) -> T {
    x.iter().copied().sum::<T>() / T::from_f64(x.len() as f64)
}

/// The derivative of [`mean`]: dxᵢ = dy/n.
pub fn spread_mean<T: Scalar>(dy: T, dx: &mut [T], put: Put) {
    let share = dy / T::from_f64(dx.len() as f64);
    for dx in dx {
        put.to(dx, share);
    }
}
