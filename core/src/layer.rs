//! One fully connected layer, y = f(Wx + b), read where it lies: the three kinds of weights.

#[cfg(any(kernels = "vfp", kernels = "dsp", kernels = "thumb"))]
mod assembly;
pub(crate) mod fixed;
mod float;
pub(crate) mod kernel;

pub use float::{Layer, Panel, panels};

use crate::{Activation, format::LayerShape};

/// Weights that a [`Policy`](crate::Policy) can have: `f32`, `i16` or `i8`.
pub trait Weights: kernel::Kernel {}

impl Weights for f32 {}
impl Weights for i16 {}
impl Weights for i8 {}

/// A layer's shape and its place in the network.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub(crate) index: usize,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) activation: Activation,
    pub(crate) is_last: bool,
}

/// The layers that such words describe, first to last.
pub(crate) fn places(words: &[u32], observation_size: usize) -> impl Iterator<Item = Place> + '_ {
    let (mut inputs, count) = (observation_size, words.len());
    words.iter().enumerate().map(move |(index, word)| {
        let LayerShape { outputs, activation } = LayerShape::from_word(*word);
        let outputs = outputs.into();
        let inputs = core::mem::replace(&mut inputs, outputs);
        Place { index, inputs, outputs, activation, is_last: index + 1 == count }
    })
}
