//! Layers in both arithmetics, as `FORMAT.md` spells them out.

use super::tanh::{floor, t, tanh};

#[derive(Debug)]
pub(super) struct Layer<W> {
    pub(super) activation: u8,
    pub(super) bias: Vec<W>,
    /// Row by row, with padding.
    pub(super) weights: Vec<Vec<W>>,
    /// Empty with f32.
    pub(super) scale: Vec<u32>,
}

impl Layer<f32> {
    pub(super) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let row = |(weights, bias): (&Vec<f32>, &f32)| {
            let mut z = *bias;
            for (w, x) in weights.iter().zip(x) {
                let product = w * x;
                z += product;
            }
            match self.activation {
                1 if z <= 0.0 => 0.0,
                2 => tanh(z),
                _ => z,
            }
        };
        self.weights.iter().zip(&self.bias).map(row).collect()
    }
}

impl Layer<i64> {
    fn sums(&self, x: &[i64]) -> Vec<i64> {
        let row = |(weights, bias): (&Vec<i64>, &i64)| {
            bias + weights.iter().zip(x).map(|(w, x)| w * x).sum::<i64>()
        };
        self.weights.iter().zip(&self.bias).map(row).collect()
    }

    pub(super) fn hidden(&self, x: &[i64]) -> Vec<i64> {
        let row = |(sum, scale): (i64, &u32)| {
            let (s, m) = (scale % (1 << 16), scale / (1 << 16));
            let c = floor(sum, 1 << s).clamp(-65_536, 65_535);
            let v = floor(c * i64::from(m), 1 << 16);
            match self.activation {
                1 => v.max(0),
                2 => t(16 * v).clamp(-32_767, 32_767),
                _ => v,
            }
        };
        self.sums(x).into_iter().zip(&self.scale).map(row).collect()
    }

    pub(super) fn last(&self, x: &[i64]) -> Vec<f32> {
        let row = |(sum, scale): (i64, &u32)| sum as f32 * f32::from_bits(*scale);
        self.sums(x).into_iter().zip(&self.scale).map(row).collect()
    }
}
