//! One fully connected layer, read where it lies.
//!
//! Its rows lie in *panels* of 16, 4 or 1, one after the other, and within a panel column after column, the
//! biases first: as many sums as a panel has rows stay in registers while its numbers are read
//! from the first to the last.

use core::ops::Range;

use heapless::VecView;
use nalgebra::{DMatrixView, DVectorView};

use crate::Activation;

/// Rows of a panel: as many of the first as fit, then of the next.
pub const HEIGHTS: [usize; 3] = [16, 4, 1];

/// The rows of each panel of a layer with so many outputs.
pub fn panels(outputs: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    core::iter::from_fn(move || {
        let rows = HEIGHTS.into_iter().find(|rows| start + rows <= outputs)?;
        start += rows;
        Some(start - rows..start)
    })
}

/// y = f(Wx + b), with W and b borrowed from the blob.
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// Panel after panel, `(inputs + 1) · outputs` numbers.
    parameters: &'a [f32],
    inputs: u16,
    outputs: u16,
    activation: Activation,
}

/// Some rows of a layer.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    /// W, `[rows, inputs]`, column-major as nalgebra keeps matrices.
    pub weights: DMatrixView<'a, f32>,
    /// b, `[rows]`.
    pub bias: DVectorView<'a, f32>,
}

impl<'a> Layer<'a> {
    /// A layer of so many inputs and outputs, both at least 1; none if that are not its parameters.
    pub fn new(
        parameters: &'a [f32],
        inputs: u16,
        outputs: u16,
        activation: Activation,
    ) -> Option<Self> {
        let columns = usize::from(inputs).checked_add(1)?;
        let fits = Some(parameters.len()) == columns.checked_mul(outputs.into());
        (fits && inputs > 0 && outputs > 0).then_some(Layer {
            parameters,
            inputs,
            outputs,
            activation,
        })
    }

    /// Entries of x.
    pub fn inputs(&self) -> usize {
        self.inputs.into()
    }

    /// Entries of y.
    pub fn outputs(&self) -> usize {
        self.outputs.into()
    }

    /// f.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Its panels as nalgebra sees them, from the first rows to the last.
    pub fn panels(&self) -> impl Iterator<Item = Panel<'a>> + use<'a> {
        let Layer { parameters, inputs, outputs, .. } = *self;
        let columns = usize::from(inputs) + 1;
        panels(outputs.into()).filter_map(move |rows| {
            let panel = parameters.get(rows.start * columns..rows.end * columns)?;
            let (bias, weights) = panel.split_at_checked(rows.len())?;
            Some(Panel {
                weights: DMatrixView::from_slice(weights, rows.len(), inputs.into()),
                bias: DVectorView::from_slice(bias, rows.len()),
            })
        })
    }

    /// Appends the first `needed` entries of f(Wx + b) to `output`, and as many more as their panels have;
    /// only what `output` has room for.
    ///
    /// Each output is `((b + w₀x₀) + w₁x₁) + …` in this order, multiplied and added in two
    /// roundings: the order is part of the promise that every machine gives the same bits.
    #[inline]
    pub fn forward(&self, input: &[f32], needed: usize, output: &mut VecView<f32>) {
        let mut rows = Rows {
            parameters: self.parameters,
            left: self.outputs(),
            needed,
            columns: self.inputs() + 1,
            input,
            output,
            activation: self.activation,
        };
        rows.panels::<16>();
        rows.panels::<4>();
        rows.panels::<1>();
    }
}

/// What is left to compute of a layer.
struct Rows<'a, 'b> {
    parameters: &'a [f32],
    left: usize,
    needed: usize,
    columns: usize,
    input: &'b [f32],
    output: &'b mut VecView<f32>,
    activation: Activation,
}

impl Rows<'_, '_> {
    /// As many panels of so many rows as fit.
    #[inline(always)]
    fn panels<const ROWS: usize>(&mut self) {
        let size = self.columns * ROWS;
        while self.left >= ROWS
            && self.needed > 0
            && let Some((panel, parameters)) = self.parameters.split_at_checked(size)
        {
            let (columns, _) = panel.as_chunks::<ROWS>();
            append(columns, self.input, self.activation, self.output);
            self.parameters = parameters;
            self.left -= ROWS;
            self.needed = self.needed.saturating_sub(ROWS);
        }
    }
}

/// Appends f(b + Wx) for a panel whose first column is b.
#[inline(never)]
fn append<const ROWS: usize>(
    columns: &[[f32; ROWS]],
    x: &[f32],
    activation: Activation,
    output: &mut VecView<f32>,
) {
    let Some((bias, columns)) = columns.split_first() else { return };
    let mut sums = *bias;
    for (column, x) in columns.iter().zip(x) {
        for (sum, w) in sums.iter_mut().zip(column) {
            *sum += w * x;
        }
    }
    activation.apply_all(&mut sums);
    // `Policy::from_bytes` has made sure that there is room.
    let _ = output.extend_from_slice(&sums);
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapless::Vec;

    #[test]
    fn the_sum_keeps_its_order() {
        // 2²⁴ + 1 rounds back to 2²⁴: only this order of the three terms gives 2²⁴ + 2 − 2²⁴ = 2.
        let row = [0.0, 1.0, 16_777_216.0, 2.0, -16_777_216.0];
        let layer = Layer::new(&row, 4, 1, Activation::Linear).unwrap();
        let mut y = Vec::<f32, 2>::new();
        layer.forward(&[1.0; 4], 1, &mut y);
        assert_eq!(y, [2.0]);
    }

    /// Row i of 25 is b = i, w = (1, 10·i): panels of 16, 4, 4 and 1.
    fn parameters() -> std::vec::Vec<f32> {
        let columns: [fn(usize) -> f32; 3] = [|i| i as f32, |_| 1.0, |i| 10.0 * i as f32];
        let column = |rows: &Range<usize>, f: fn(usize) -> f32| rows.clone().map(f);
        let panel = |rows: Range<usize>| columns.map(|f| column(&rows, f)).into_iter().flatten();
        panels(25).flat_map(panel).collect()
    }

    #[test]
    fn rows_lie_in_panels() {
        assert!(panels(25).eq([0..16, 16..20, 20..24, 24..25]));
        let parameters = parameters();
        let layer = Layer::new(&parameters, 2, 25, Activation::Relu).unwrap();
        let mut y = Vec::<f32, 32>::new();
        layer.forward(&[-30.0, 0.5], 25, &mut y);
        assert!(y.iter().copied().eq((0..25).map(|i| (6.0 * i as f32 - 30.0).max(0.0))));
        let views = layer.panels().zip(panels(25)).flat_map(|(panel, rows)| {
            rows.enumerate().map(move |(i, row)| (row, panel.bias[i], panel.weights[(i, 1)]))
        });
        assert!(views.eq((0..25).map(|i| (i, i as f32, 10.0 * i as f32))));
    }

    #[test]
    fn rows_that_nobody_needs_are_left_out() {
        let parameters = parameters();
        let layer = Layer::new(&parameters, 2, 25, Activation::Linear).unwrap();
        for (needed, computed) in [(0, 0), (1, 16), (16, 16), (17, 20), (24, 24), (25, 25)] {
            let mut y = Vec::<f32, 25>::new();
            layer.forward(&[1.0, 1.0], needed, &mut y);
            assert_eq!(y.len(), computed);
        }
    }

    #[test]
    fn parameters_of_another_size_make_no_layer() {
        for (inputs, outputs) in [(2, 24), (2, 26), (0, 75), (75, 0), (u16::MAX, u16::MAX)] {
            assert!(Layer::new(&parameters(), inputs, outputs, Activation::Linear).is_none());
        }
    }
}
