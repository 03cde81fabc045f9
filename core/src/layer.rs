//! One fully connected layer, read where it lies.

use nalgebra::{DMatrixView, DVectorView};

use crate::Activation;

/// y = f(Wx + b), with W and b borrowed from the blob.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// W, `[outputs, inputs]`, column-major as nalgebra keeps matrices.
    pub weights: DMatrixView<'a, f32>,
    /// b, `[outputs]`.
    pub bias: DVectorView<'a, f32>,
    /// f.
    pub activation: Activation,
}

impl Layer<'_> {
    /// Writes f(Wx + b) to the first entries of `output`; as many as `output` and W's rows have.
    ///
    /// Each output is `((b + w₀x₀) + w₁x₁) + …` in this order, multiplied and added in two
    /// roundings: the order is part of the promise that every machine gives the same bits.
    #[inline]
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        for (y, b) in output.iter_mut().zip(self.bias.iter()) {
            *y = *b;
        }
        for (column, x) in self.weights.column_iter().zip(input) {
            for (y, w) in output.iter_mut().zip(column.as_slice()) {
                *y += w * x;
            }
        }
        for y in output.iter_mut().take(self.bias.len()) {
            *y = self.activation.apply(*y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_keeps_its_order() {
        // 2²⁴ + 1 rounds back to 2²⁴: only this order of the three terms gives 2²⁴ + 2 − 2²⁴ = 2.
        let weights = [1.0, 16_777_216.0, 2.0, -16_777_216.0];
        let layer = Layer {
            weights: DMatrixView::from_slice(&weights, 1, 4),
            bias: DVectorView::from_slice(&[0.0], 1),
            activation: Activation::Linear,
        };
        let mut y = [f32::NAN; 2];
        layer.forward(&[1.0; 4], &mut y);
        assert_eq!(y[0], 2.0);
        assert!(y[1].is_nan(), "only the layer's outputs are written");
    }

    #[test]
    fn weights_are_column_major() {
        let layer = Layer {
            weights: DMatrixView::from_slice(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, 3),
            bias: DVectorView::from_slice(&[10.0, -100.0], 2),
            activation: Activation::Relu,
        };
        let mut y = [0.0; 2];
        layer.forward(&[1.0, 10.0, 100.0], &mut y);
        assert_eq!(y, [541.0, 542.0]);
    }
}
