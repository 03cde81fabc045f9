//! Policies that nobody trained, of any shape.

use policy_core::{
    Activation, Algorithm, Head, Header, LayerShape, LogStdBound, format, gaussian::uniform,
};
use trainer::{
    export::Blob,
    rng::{Stream, stream},
};

/// A policy with random weights: hidden layers `hidden`, then a squashed Gaussian over
/// `action_size` actions; as [`random_policy_with`].
///
/// # Panics
///
/// Where the format has no room for so many layers or actions.
pub fn random_policy(
    observation_size: u16,
    hidden: &[LayerShape],
    action_size: u16,
    seed: u64,
) -> Blob {
    let per_action = |value: f32| std::iter::repeat_n(value, usize::from(action_size)).collect();
    let head = Head::SquashedGaussian {
        scale: per_action(2.0),
        bias: per_action(0.25),
        log_std: LogStdBound::Clamp { min: -20.0, max: 2.0 },
    };
    random_policy_with(observation_size, hidden, head, seed)
}

/// A policy with random weights: hidden layers `hidden`, then a linear one with as many outputs as
/// `head` needs. Weights are uniform in ±√(6 / inputs) (He et al., 2015), which keeps the activations
/// at their size from layer to layer.
///
/// # Panics
///
/// Where the format has no room for so many layers or outputs.
pub fn random_policy_with(
    observation_size: u16,
    hidden: &[LayerShape],
    head: Head,
    seed: u64,
) -> Blob {
    let outputs = u16::try_from(head.inputs().0).expect("a layer that fits the format");
    let last = LayerShape { outputs, activation: Activation::Linear };
    let header = Header {
        algorithm: Algorithm::Sac,
        environment: "random".try_into().expect("a short name"),
        control_period: 0.05,
        observation_size,
        layers: hidden.iter().copied().chain([last]).collect(),
        head,
    };
    let mut rng = stream(seed, Stream::Initialisation);
    let weights: Vec<f32> = header
        .shapes()
        .flat_map(|(inputs, outputs, _)| {
            let bound = (6.0 / inputs as f32).sqrt();
            std::iter::repeat_n(bound, (inputs + 1) * outputs)
        })
        .map(|bound| bound * (2.0 * uniform(&mut rng) - 1.0))
        .collect();
    let mut bytes = vec![0; format::PREFIX + format::MAX_HEADER + 4 * weights.len()];
    let length = format::encode(&header, &weights, &mut bytes);
    Blob::from_bytes(&bytes[..length.expect("room for the longest header and all weights")])
}
