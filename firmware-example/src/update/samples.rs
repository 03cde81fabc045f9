//! Signed policies for tests.

use ed25519_dalek::{Signer, SigningKey};
use policy_core::{
    Activation, Algorithm, Head, LayerShape,
    format::{self, Channel, Description, Network, Terms},
    update::{Manifest, Needs},
};
use std::{vec, vec::Vec};

/// Of the board that the tests update.
pub(crate) const NEEDS: Needs = Needs {
    plant_fingerprint: 7,
    control_period: 0.05,
    observation_size: 1,
    action_size: 1,
    weights: 0,
    width: 16,
};

pub(crate) fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A policy with two hidden layers of 16, whose action is what `bias` gives; long enough for several writes.
pub(crate) fn policy(
    bias: f32,
    plant_fingerprint: u32,
    control_period: f32,
    inputs: u16,
) -> Vec<u8> {
    policy_of_width(16, bias, plant_fingerprint, control_period, inputs)
}

/// The same with hidden layers of that width.
pub(crate) fn policy_of_width(
    width: u16,
    bias: f32,
    plant_fingerprint: u32,
    control_period: f32,
    inputs: u16,
) -> Vec<u8> {
    let channel = Channel { name: "x", unit: "", low: -2.0, high: 2.0 };
    let channels = vec![channel; inputs.into()];
    let hidden = LayerShape { outputs: width, activation: Activation::Relu };
    let layers = [hidden, hidden, LayerShape { outputs: 1, activation: Activation::Linear }];
    let wide = usize::from(width);
    let parameters = wide * (usize::from(inputs) + 1) + (wide + 1) * (wide + 1);
    let mut weights = vec![0.01; parameters];
    *weights.last_mut().unwrap() = bias;
    let description = Description {
        control_period,
        observation_size: inputs,
        layers: &layers,
        head: Head::Clamp { low: &[-2.0], high: &[2.0] },
        normalisation: None,
        network: Network::F32(&weights),
        examples: &[],
        terms: Terms {
            algorithm: Algorithm::Ddpg,
            plant: "test",
            plant_fingerprint,
            trainer: "test",
            observation: &channels,
            action: &[channel],
        },
    };
    let mut bytes = vec![0; 1 << 14];
    let length = format::encode(&description, &mut bytes).unwrap();
    bytes.truncate(length);
    bytes
}

/// What arrives: manifest, signature and policy.
#[derive(Clone)]
pub(crate) struct Update {
    pub(crate) manifest: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) policy: Vec<u8>,
}

pub(crate) fn signed(manifest: &Manifest, policy: &[u8], signer: &SigningKey) -> Update {
    let manifest = manifest.to_bytes();
    let signature = signer.sign(&manifest).to_bytes();
    Update { manifest: manifest.into(), signature: signature.into(), policy: policy.into() }
}

/// Words, so that the policy is where one can be read.
pub(crate) fn manifest(policy: &[u8], version: u32) -> Manifest {
    let mut words = vec![0_u32; policy.len().div_ceil(4)];
    bytemuck::cast_slice_mut(&mut words)[..policy.len()].copy_from_slice(policy);
    Manifest::new(&bytemuck::cast_slice(&words)[..policy.len()], version).unwrap()
}

/// A good one: version `n`, whose action is n/100 in the last place.
pub(crate) fn update(version: u32) -> Update {
    let policy = policy(version as f32 / 100.0, 7, 0.05, 1);
    signed(&manifest(&policy, version), &policy, &key(1))
}
