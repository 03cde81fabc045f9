//! Policies for the tests of this crate.

use policy_core::{
    Activation, Algorithm, Head, LayerShape,
    format::{self, Channel, Description, Network, Normalisation, Terms},
};
use std::{vec, vec::Vec};

/// A blob or a recording, at a multiple of 4 bytes as both are read in place.
pub(crate) struct Bytes {
    pub(crate) words: Vec<u32>,
    pub(crate) length: usize,
}

impl Bytes {
    pub(crate) fn get(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.length]
    }
}

/// One layer, 1 → 1: a = min(max(z, −2), 2), z linear in the observation.
pub(crate) fn blob(network: Network<'_>, examples: &[u32]) -> Bytes {
    let channel = Channel { name: "x", unit: "", low: -2.0, high: 2.0 };
    let is_float = matches!(network, Network::F32(_));
    let description = Description {
        control_period: 0.05,
        observation_size: 1,
        layers: &[LayerShape { outputs: 1, activation: Activation::Linear }],
        head: Head::Clamp { low: &[-2.0], high: &[2.0] },
        // A unit is 1/1000.
        normalisation: (!is_float).then_some(Normalisation { shift: &[0.0], scale: &[4e3] }),
        network,
        examples,
        terms: Terms {
            algorithm: Algorithm::Ddpg,
            plant: "test",
            plant_fingerprint: 0,
            trainer: "test",
            observation: &[channel],
            action: &[channel],
        },
    };
    let mut words = vec![0; 100];
    let length = format::encode(&description, bytemuck::cast_slice_mut(&mut words)).unwrap();
    Bytes { words, length }
}

/// z = ½ − x, and one example: x = 1.
pub(crate) fn float() -> Bytes {
    blob(Network::F32(&[0.5, -1.0]), &[1.0_f32.to_bits(), (-0.5_f32).to_bits()])
}
