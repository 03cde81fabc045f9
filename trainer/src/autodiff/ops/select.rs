//! One column of each row: the value of an action, the best action.

use super::Put;
use crate::scalar::Scalar;

/// y = xᵢ for each row x `[columns]` and its index i, `[B, 1]`.
///
/// # Panics
///
/// If an index is not one of the columns.
pub fn gather<T: Scalar>(x: &[T], columns: usize, index: &[T], y: &mut [T]) {
    for ((y, x), i) in y.iter_mut().zip(x.chunks_exact(columns)).zip(index) {
        *y = x[i.to_f64() as usize];
    }
}

/// The derivative of [`gather`]: dxᵢ = dy, and 0 in the other columns.
///
/// # Panics
///
/// If an index is not one of the columns.
pub fn scatter<T: Scalar>(dy: &[T], index: &[T], dx: &mut [T], columns: usize, put: Put) {
    if put == Put::Set {
        dx.fill(T::ZERO);
    }
    for ((dx, dy), i) in dx.chunks_exact_mut(columns).zip(dy).zip(index) {
        dx[i.to_f64() as usize] += *dy;
    }
}

/// i = argmaxⱼ xⱼ for each row, the first of equals. A NaN counts as the largest, so that
/// divergence is seen. It has no derivative.
pub fn argmax<T: Scalar>(x: &[T], columns: usize, index: &mut [T]) {
    for (index, x) in index.iter_mut().zip(x.chunks_exact(columns)) {
        let mut best = 0;
        for (j, value) in x.iter().enumerate() {
            // A NaN is not ≤ anything: the first one takes over, and stays.
            let smaller = *value <= x[best];
            if !smaller && !x[best].to_f64().is_nan() {
                best = j;
            }
        }
        *index = T::from_f64(best as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest() {
        let mut index = [9.0; 4];
        let nan = f64::NAN;
        argmax(&[1.0, 3.0, 3.0, -2.0, -2.0, -2.0, 0.0, nan, 5.0, nan, 1.0, 2.0], 3, &mut index);
        assert_eq!(index, [1.0, 0.0, 1.0, 0.0]);
    }
}
