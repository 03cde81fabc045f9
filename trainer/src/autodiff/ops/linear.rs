//! Y = XW + b.

use std::ops::Range;

use super::Put;
use crate::scalar::Scalar;

/// A fully connected layer in the parameters: W `[inputs, outputs]` row-major from `start` on, and
/// b `[outputs]` after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Linear {
    /// Index of the first parameter.
    pub start: usize,
    /// Columns of X.
    pub inputs: usize,
    /// Columns of Y.
    pub outputs: usize,
}

impl Linear {
    /// W
    pub fn weights(&self) -> Range<usize> {
        self.start..self.start + self.inputs * self.outputs
    }

    /// b
    pub fn bias(&self) -> Range<usize> {
        let start = self.weights().end;
        start..start + self.outputs
    }

    /// W and b
    pub fn range(&self) -> Range<usize> {
        self.start..self.bias().end
    }

    /// yⱼ = bⱼ + Σₖ xₖ Wₖⱼ, in the order of k. The plan has its own, vectorised; this is what the
    /// interpreter runs.
    pub fn forward<T: Scalar>(&self, params: &[T], x: &[T], y: &mut [T]) {
        let (w, b) = (&params[self.weights()], &params[self.bias()]);
        for (y, x) in y.chunks_exact_mut(self.outputs).zip(x.chunks_exact(self.inputs)) {
            y.copy_from_slice(b);
            for (x, w) in x.iter().zip(w.chunks_exact(self.outputs)) {
                for (y, w) in y.iter_mut().zip(w) {
                    *y += *x * *w;
                }
            }
        }
    }

    /// dW = XᵀdY and db = Σ over the rows of dY, added to `gradient`.
    pub fn backward_parameters<T: Scalar>(&self, x: &[T], dy: &[T], gradient: &mut [T]) {
        for (x, dy) in x.chunks_exact(self.inputs).zip(dy.chunks_exact(self.outputs)) {
            let dw = gradient[self.weights()].chunks_exact_mut(self.outputs);
            for (dw, x) in dw.zip(x) {
                for (dw, dy) in dw.iter_mut().zip(dy) {
                    *dw += *x * *dy;
                }
            }
            for (db, dy) in gradient[self.bias()].iter_mut().zip(dy) {
                *db += *dy;
            }
        }
    }

    /// dX = dY Wᵀ
    pub fn backward_input<T: Scalar>(&self, params: &[T], dy: &[T], dx: &mut [T], put: Put) {
        let w = &params[self.weights()];
        for (dx, dy) in dx.chunks_exact_mut(self.inputs).zip(dy.chunks_exact(self.outputs)) {
            for (dx, w) in dx.iter_mut().zip(w.chunks_exact(self.outputs)) {
                put.to(dx, dy.iter().zip(w).map(|(dy, w)| *dy * *w).sum());
            }
        }
    }
}
