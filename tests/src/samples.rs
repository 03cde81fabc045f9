//! Policies that nobody trained, of any shape.

use policy_core::{
    Activation, Algorithm, Head, LayerShape, LogStdBound,
    format::{Description, Network, Terms},
    gaussian::uniform,
};
use trainer::{
    export::{self, Blob},
    interface::channel,
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
    let layers: Vec<LayerShape> = hidden.iter().copied().chain([last]).collect();
    let mut rng = stream(seed, Stream::Initialisation);
    let (mut inputs, mut weights) = (usize::from(observation_size), Vec::new());
    for layer in &layers {
        let outputs = usize::from(layer.outputs);
        let bound = (6.0 / inputs as f32).sqrt();
        let numbers = (inputs + 1) * outputs;
        weights.extend((0..numbers).map(|_| bound * (2.0 * uniform(&mut rng) - 1.0)));
        inputs = outputs;
    }
    let entry = |name, high: f32| channel(name, "", -high, high);
    let description = Description {
        control_period: 0.05,
        observation_size,
        layers: &layers,
        head: head.as_slices(),
        normalisation: None,
        network: Network::F32(&weights),
        examples: &[],
        terms: Terms {
            algorithm: Algorithm::Sac,
            plant: "random",
            plant_fingerprint: 0,
            trainer: "nobody",
            observation: &vec![entry("observation", 3.0); observation_size.into()],
            action: &vec![entry("action", f32::INFINITY); head.action_size()],
        },
    };
    export::write(&description).expect("a policy that fits the format")
}
