//! From a network to a blob: the only place where row-major becomes column-major.
//!
//! A layer's W `[inputs, outputs]`, row-major, has the same numbers in the same order as nalgebra's
//! W `[outputs, inputs]`, column-major: one is the transpose of the other. `encode` cuts it in panels.

use policy_core::format::{self, Channel, Description, Network, PREFIX, Terms};
use policy_core::gaussian::{normal_pair, uniform};
use policy_core::{
    Activation as CoreActivation, BlobError, EncodeError, LayerShape, SelfTestError,
};

use crate::interface::{PolicyNetwork, Spec};
use crate::nn::Activation;
use crate::policy::AnyPolicy;
pub use crate::policy::{HOST_WIDTH, HostPolicy};
use crate::rng::{Stream, stream};

/// What wrote the policy, as it says itself.
pub const TRAINER: &str = concat!("trainer ", env!("CARGO_PKG_VERSION"));
/// Observations with their actions that every exported policy carries, for its self-test.
pub const EXAMPLES: usize = 8;

/// Why a policy cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// More entries than a blob can count.
    #[error(
        "the policy does not fit in the format: its {part} has {found} entries, at most {limit} are possible"
    )]
    TooLarge {
        /// Which part of the policy.
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
    /// The blob that was read back acts in another way than before.
    #[error("the exported policy does not pass its own checks: {0}")]
    SelfTest(#[from] SelfTestError),
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

/// Writes the policy of an agent for the environment with that spec and
/// [`fingerprint`](crate::envs::fingerprint), and reads it back to be sure.
///
/// # Errors
///
/// If a size is beyond what the format can hold, or `policy-core` refuses the policy.
pub fn export(
    policy: &PolicyNetwork<'_>,
    spec: &Spec,
    plant_fingerprint: u32,
) -> Result<Blob, ExportError> {
    let count = policy.network.layers().len();
    let layers = policy.network.layers().iter().enumerate().map(|(index, layer)| {
        let activation = match policy.network.activation() {
            _ if index + 1 == count => CoreActivation::Linear,
            Activation::Relu => CoreActivation::Relu,
            Activation::Tanh => CoreActivation::Tanh,
        };
        Ok(LayerShape { outputs: small("layer", layer.outputs)?, activation })
    });
    let layers = layers.collect::<Result<Vec<_>, ExportError>>()?;
    let mut weights = Vec::new();
    for layer in 0..count {
        let (matrix, bias) = policy.network.layer(policy.params, layer);
        weights.extend(bias.iter().chain(&matrix).copied());
    }
    write(&Description {
        control_period: spec.period as f32,
        observation_size: small("observation", spec.observation_size())?,
        layers: &layers,
        head: policy.head.as_slices(),
        normalisation: None,
        network: Network::F32(&weights),
        examples: &[],
        terms: Terms {
            algorithm: policy.algorithm,
            plant: spec.name,
            plant_fingerprint,
            trainer: TRAINER,
            observation: &spec.observation,
            action: &spec.action,
        },
    })
}

fn small(part: &'static str, found: usize) -> Result<u16, ExportError> {
    let limit = u16::MAX.into();
    u16::try_from(found).map_err(|_| ExportError::TooLarge { part, found, limit })
}

/// Writes what is described, with [`EXAMPLES`] examples of its own, reads it back and tests it.
///
/// # Errors
///
/// If the description contradicts itself, or `policy-core` refuses the policy.
pub fn write(description: &Description<'_>) -> Result<Blob, ExportError> {
    let without = encode(&Description { examples: &[], ..*description })?;
    let policy = AnyPolicy::from_bytes(without.bytes())?;
    let observations = examples(description.terms.observation);
    let examples: Vec<u32> = observations
        .chunks(description.terms.observation.len().max(1))
        .flat_map(|observation| {
            let words = observation.iter().map(|x| x.to_bits());
            words.chain(policy.action_words(observation)).collect::<Vec<_>>()
        })
        .collect();
    let blob = encode(&Description { examples: &examples, ..*description })?;
    let policy = AnyPolicy::from_bytes(blob.bytes())?;
    policy.contract()?;
    policy.self_test()?;
    Ok(blob)
}

fn encode(description: &Description<'_>) -> Result<Blob, ExportError> {
    let observation = usize::from(description.observation_size);
    let outputs = description.layers.iter().map(|layer| usize::from(layer.outputs));
    let inputs = std::iter::once(observation).chain(outputs.clone());
    // More than enough: biases, scales and padding included.
    let weights: usize =
        inputs.zip(outputs).map(|(inputs, outputs)| (inputs + 4) * (outputs + 1)).sum();
    let words = weights + 3 * observation + description.examples.len() + 64;
    let mut bytes = vec![0; PREFIX + 4 * words + usize::from(u16::MAX)];
    let len = format::encode(description, &mut bytes)?;
    Ok(Blob::from_bytes(&bytes[..len]))
}

/// Ordinary observations `[EXAMPLES, entries]`, always the same ones: each entry is drawn evenly from its range, or where that has
/// no end, from N(0, 1) in its unit.
fn examples(entries: &[Channel<'_>]) -> Vec<f32> {
    let mut rng = stream(0, Stream::Recording);
    let mut draw = |entry: &Channel<'_>| {
        let (middle, half) = (0.5 * (entry.low + entry.high), 0.5 * (entry.high - entry.low));
        match half.is_finite() {
            true => middle + half * (2.0 * uniform(&mut rng) - 1.0),
            false => normal_pair(&mut rng).0,
        }
    };
    (0..EXAMPLES).flat_map(|_| entries.iter().map(&mut draw).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::interface::channel;
    use crate::{envs, run};

    #[test]
    fn what_is_exported_says_what_it_is() {
        let config = RunConfig::resolve(Some("td3"), None, &[]).unwrap();
        let run::Start { environments, agent } = run::start(&config).unwrap();
        let (spec, fingerprint) =
            (environments.spec(), envs::fingerprint(&config.environment).unwrap());
        let blob = export(&agent.policy(), spec, fingerprint).unwrap();
        let policy = AnyPolicy::from_bytes(blob.bytes()).unwrap();
        assert_eq!(policy.self_test().unwrap(), EXAMPLES);
        let contract = policy.contract().unwrap();
        assert_eq!(contract.plant(), "pendulum");
        assert_eq!(contract.plant_fingerprint(), fingerprint);
        assert_eq!(contract.trainer(), format!("trainer {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(contract.observation().collect::<Vec<_>>(), spec.observation);
        assert_eq!(contract.action().collect::<Vec<_>>(), spec.action);
    }

    #[test]
    fn examples_are_within_their_ranges() {
        let infinity = f32::INFINITY;
        let entries = [
            channel("a", "", -3.0, -2.0),
            channel("b", "", 0.0, infinity),
            channel("c", "", 5.0, 5.0),
        ];
        let all = examples(&entries);
        assert_eq!(all.len(), 3 * EXAMPLES);
        for row in all.chunks(3) {
            assert!(
                (-3.0..=-2.0).contains(&row[0]) && row[1].is_finite() && row[2] == 5.0,
                "{row:?}"
            );
        }
        assert_ne!(all[0], all[3]);
    }
}
