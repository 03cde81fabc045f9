//! A multilayer perceptron as a range of the parameters.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::autodiff::{Linear, Params, Var};
use crate::scalar::Scalar;

/// Applied after each hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// max(x, 0)
    Relu,
    /// tanh x
    Tanh,
}

impl Activation {
    /// f(x), entry by entry.
    pub fn apply(self, x: Var<'_>) -> Var<'_> {
        match self {
            Activation::Relu => x.relu(),
            Activation::Tanh => x.tanh(),
        }
    }
}

/// Hands out ranges of the parameters, back to back.
#[derive(Debug, Default)]
pub struct Layout {
    len: usize,
}

impl Layout {
    /// The next `len` parameters.
    pub fn take(&mut self, len: usize) -> Range<usize> {
        let start = self.len;
        self.len += len;
        start..self.len
    }

    /// Parameters handed out so far.
    #[allow(clippy::len_without_is_empty, reason = "asked for once, at the end")]
    pub fn len(&self) -> usize {
        self.len
    }
}

/// Fully connected layers with an activation between them; the last one is linear.
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp {
    layers: Vec<Linear>,
    activation: Activation,
}

impl Mlp {
    /// A network of the given sizes, input first, output last.
    ///
    /// # Panics
    ///
    /// With fewer than two sizes.
    pub fn new(layout: &mut Layout, sizes: &[usize], activation: Activation) -> Self {
        assert!(sizes.len() >= 2, "a network needs an input and an output size");
        let layers = sizes.windows(2).map(|pair| {
            let (inputs, outputs) = (pair[0], pair[1]);
            Linear { start: layout.take((inputs + 1) * outputs).start, inputs, outputs }
        });
        Mlp { layers: layers.collect(), activation }
    }

    /// A network with these hidden layers.
    pub fn with_hidden(
        layout: &mut Layout,
        inputs: usize,
        hidden: &[usize],
        outputs: usize,
        activation: Activation,
    ) -> Self {
        let sizes = [inputs].into_iter().chain(hidden.iter().copied()).chain([outputs]);
        Mlp::new(layout, &sizes.collect::<Vec<_>>(), activation)
    }

    /// The network's value for the rows of x, `[B, inputs]` → `[B, outputs]`.
    pub fn apply<'g>(&self, x: Var<'g>) -> Var<'g> {
        let (last, hidden) = self.layers.split_last().expect("a network has a layer");
        let next = |x: Var<'g>, layer: &Linear| self.activation.apply(x.linear(*layer));
        hidden.iter().fold(x, next).linear(*last)
    }

    /// Its range of the parameters.
    pub fn range(&self) -> Range<usize> {
        self.layers[0].start..self.layers[self.layers.len() - 1].range().end
    }

    /// Its layers, first to last.
    pub fn layers(&self) -> &[Linear] {
        &self.layers
    }

    /// Between its layers.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// W `[inputs, outputs]` and b `[outputs]` of a layer.
    pub fn layer<'p, T: Scalar>(
        &self,
        params: &'p Params<T>,
        layer: usize,
    ) -> (ArrayView2<'p, T>, ArrayView1<'p, T>) {
        let layer = self.layers[layer];
        let weights = &params.value[layer.weights()];
        let weights = ArrayView2::from_shape((layer.inputs, layer.outputs), weights)
            .expect("a layer's range has its size");
        (weights, ArrayView1::from(&params.value[layer.bias()]))
    }

    /// The same, to write.
    pub fn layer_mut<'p, T: Scalar>(
        &self,
        params: &'p mut Params<T>,
        layer: usize,
    ) -> (ArrayViewMut2<'p, T>, ArrayViewMut1<'p, T>) {
        let layer = self.layers[layer];
        let (weights, bias) = params.value[layer.range()].split_at_mut(layer.weights().len());
        let weights = ArrayViewMut2::from_shape((layer.inputs, layer.outputs), weights)
            .expect("a layer's range has its size");
        (weights, ArrayViewMut1::from(bias))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_lie_back_to_back() {
        let mut layout = Layout::default();
        let first = Mlp::new(&mut layout, &[3, 8, 2], Activation::Relu);
        let second = Mlp::new(&mut layout, &[2, 1], Activation::Relu);
        assert_eq!((first.range(), second.range()), (0..50, 50..53));
        let mut params: Params<f32> = Params::new(layout.len());
        let (mut weights, mut bias) = first.layer_mut(&mut params, 1);
        weights[[7, 1]] = 1.0;
        bias[1] = 2.0;
        assert_eq!(params.value[32 + 15], 1.0);
        assert_eq!(params.value[49], 2.0);
        assert_eq!(first.layer(&params, 1).0[[7, 1]], 1.0);
    }
}
