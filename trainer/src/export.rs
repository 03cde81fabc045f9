//! From a network to a blob: the only place where row-major becomes column-major.
//!
//! A layer's W `[inputs, outputs]`, row-major, has the same numbers in the same order as nalgebra's
//! W `[outputs, inputs]`, column-major: one is the transpose of the other. `encode` cuts it in panels.

use policy_core::format::{MAX_HEADER, MAX_NAME, PREFIX, encode};
use policy_core::{
    Activation as CoreActivation, BlobError, EncodeError, Header, LayerShape, Policy,
};

use crate::interface::{PolicyNetwork, Spec};
use crate::nn::Activation;

/// The widest layer that the tools on the desktop run.
pub const HOST_WIDTH: usize = 4096;

/// A policy as the tools on the desktop run it.
pub type HostPolicy<'a> = Policy<'a, HOST_WIDTH>;

/// Why a policy cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// More layers, actions or letters than a blob holds.
    #[error(
        "the policy does not fit in the format: its {part} has {found} entries, at most {limit} are possible"
    )]
    TooLarge {
        /// Which part of the header.
        part: &'static str,
        /// Its size.
        found: usize,
        /// Most that is possible.
        limit: usize,
    },
    /// The blob cannot be written.
    #[error("the policy cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// The blob that was written is refused by its reader.
    #[error("the exported policy does not pass its own checks: {0}")]
    Refused(#[from] BlobError),
}

/// A blob, 4-byte aligned as its reader needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    words: Vec<u32>,
    len: usize,
}

impl Blob {
    /// A copy of the bytes of a file.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let word = |chunk: &[u8]| {
            let mut word = [0; 4];
            word[..chunk.len()].copy_from_slice(chunk);
            u32::from_ne_bytes(word)
        };
        Blob { words: bytes.chunks(4).map(word).collect(), len: bytes.len() }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

/// Writes the policy of an agent for an environment, and reads it back to be sure.
///
/// # Errors
///
/// If a name or a size is beyond what the format can hold, or `policy-core` refuses the policy.
pub fn export(policy: &PolicyNetwork<'_>, spec: &Spec) -> Result<Blob, ExportError> {
    let too_large = |part, found, limit| ExportError::TooLarge { part, found, limit };
    let count = policy.network.layers().len();
    let layers = policy.network.layers().iter().enumerate().map(|(index, layer)| {
        let activation = match policy.network.activation() {
            _ if index + 1 == count => CoreActivation::Linear,
            Activation::Relu => CoreActivation::Relu,
            Activation::Tanh => CoreActivation::Tanh,
        };
        let outputs = u16::try_from(layer.outputs);
        let outputs = outputs.map_err(|_| too_large("layer", layer.outputs, u16::MAX.into()))?;
        Ok::<_, ExportError>(LayerShape { outputs, activation })
    });
    let mut header = Header {
        algorithm: policy.algorithm,
        environment: spec
            .name
            .try_into()
            .map_err(|_| too_large("name", spec.name.len(), MAX_NAME))?,
        control_period: spec.period as f32,
        observation_size: u16::try_from(spec.observation_size)
            .map_err(|_| too_large("observation", spec.observation_size, u16::MAX.into()))?,
        layers: Default::default(),
        head: policy.head.clone(),
    };
    for layer in layers {
        let limit = header.layers.capacity();
        header.layers.push(layer?).map_err(|_| too_large("list of layers", count, limit))?;
    }
    let mut weights = Vec::new();
    for layer in 0..count {
        let (matrix, bias) = policy.network.layer(policy.params, layer);
        weights.extend(bias.iter().chain(&matrix).copied());
    }
    let mut bytes = vec![0; PREFIX + MAX_HEADER + 4 * weights.len()];
    let len = encode(&header, &weights, &mut bytes)?;
    let blob = Blob::from_bytes(&bytes[..len]);
    HostPolicy::from_bytes(blob.bytes())?;
    Ok(blob)
}
