//! Policies that nobody trained, of any shape and kind of weights, and what this machine answers for them.

use policy_core::{
    Activation, Algorithm, Head, LayerShape, Policy, Recording, Replay, WeightKind, Weights,
    format::{self, Channel, Description, FixedLayer, Network, Normalisation, Terms},
    gaussian::uniform,
    recording::{action_words, prefix},
};
use trainer::{
    export::Blob,
    recording::observations,
    rng::{Rng, Stream, stream},
};

/// The widest layer of these policies.
pub const WIDTH: usize = 128;

/// A policy with random weights: hidden layers `hidden`, then a linear one with as many outputs as `head` needs.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The kind of its weights.
    pub kind: WeightKind,
    /// Entries of an observation.
    pub observation_size: u16,
    /// The layers before the last one.
    pub hidden: &'a [LayerShape],
    /// What the last layer's output means.
    pub head: Head<&'a [f32]>,
    /// Examples that it comes with.
    pub examples: usize,
    /// Other weights for another seed.
    pub seed: u64,
}

/// Integers of a layer: weights, biases, scales.
type Integers = (Vec<i16>, Vec<i32>, Vec<u32>);

impl Sample<'_> {
    /// Its blob.
    ///
    /// # Panics
    ///
    /// Where the format has no room for it.
    pub fn blob(&self) -> Blob {
        let bare = self.encode(&[]);
        let size = usize::from(self.observation_size);
        let ordinary = |x: &&[f32]| x.iter().all(|x| x.is_finite() && x.abs() < 100.0);
        let all = observations(4 * self.examples, size, self.seed);
        let chosen = all.chunks_exact(size).filter(ordinary).take(self.examples);
        let examples = chosen.flat_map(|x| words_of(&bare, x)).collect::<Vec<_>>();
        self.encode(&examples)
    }

    fn encode(&self, examples: &[u32]) -> Blob {
        let outputs = u16::try_from(self.head.inputs().0).expect("a layer that fits the format");
        let last = LayerShape { outputs, activation: Activation::Linear };
        let layers: Vec<LayerShape> = self.hidden.iter().copied().chain([last]).collect();
        let size = usize::from(self.observation_size);
        let channel = Channel { name: "x", unit: "", low: -10.0, high: 10.0 };
        let (channels, actions) = (vec![channel; size], vec![channel; self.head.action_size()]);
        // Observations up to ±10 in quarters of a unit.
        let (shift, scale) = (vec![0.125; size], vec![4.0 * 32_767.0 / 10.0; size]);
        let normalisation = Normalisation { shift: &shift, scale: &scale };
        let mut rng = stream(self.seed, Stream::Initialisation);
        let shapes = || {
            let inputs =
                [self.observation_size].into_iter().chain(layers.iter().map(|l| l.outputs));
            inputs.zip(&layers).map(|(inputs, layer)| (inputs.into(), layer.outputs.into()))
        };
        let floats: Vec<f32> = shapes().flat_map(|(i, o)| random_floats(i, o, &mut rng)).collect();
        let largest = if self.kind == WeightKind::Int8 { 127.0 } else { 20_000.0 };
        let integers: Vec<Integers> = shapes()
            .enumerate()
            .map(|(index, (inputs, outputs))| {
                random_integers(inputs, outputs, largest, index + 1 == layers.len(), &mut rng)
            })
            .collect();
        let fixed: Vec<FixedLayer<'_>> = integers
            .iter()
            .map(|(weights, bias, scale)| FixedLayer { weights, bias, scale })
            .collect();
        let network = match self.kind {
            WeightKind::Int16 => Network::Int16(&fixed),
            WeightKind::Int8 => Network::Int8(&fixed),
            _ => Network::F32(&floats),
        };
        let description = Description {
            control_period: 0.05,
            observation_size: self.observation_size,
            layers: &layers,
            head: self.head,
            normalisation: (self.kind != WeightKind::F32).then_some(normalisation),
            network,
            examples,
            terms: Terms {
                algorithm: Algorithm::Sac,
                plant: "random",
                plant_fingerprint: 0,
                trainer: "nobody",
                observation: &channels,
                action: &actions,
            },
        };
        let mut bytes = vec![0; 4 * floats.len() + 4 * examples.len() + 10_000];
        let length = format::encode(&description, &mut bytes);
        Blob::from_bytes(&bytes[..length.expect("room for all of it")])
    }
}

/// Biases, then weights, uniform in ±√(6 / inputs) (He et al., 2015), which keeps the activations at their size from
/// layer to layer.
fn random_floats(inputs: usize, outputs: usize, rng: &mut Rng) -> Vec<f32> {
    let bound = (6.0 / inputs as f32).sqrt();
    (0..(inputs + 1) * outputs).map(|_| bound * (2.0 * uniform(rng) - 1.0)).collect()
}

/// The same in integers, and scales with which a layer's units are of the order of 8000, or the last layer's outputs
/// of 1.
fn random_integers(
    inputs: usize,
    outputs: usize,
    largest: f32,
    is_last: bool,
    rng: &mut Rng,
) -> Integers {
    // Σ |w| of a row may be 65 535.
    let bound = largest.min(60_000.0 / inputs as f32);
    let typical = bound * (inputs as f32 / 3.0).sqrt(); // of a sum, for units of 1
    let mut between = |low: f32, high: f32| low + (high - low) * uniform(rng);
    let weights = (0..inputs * outputs).map(|_| between(-bound, bound) as i16).collect();
    let bias = (0..outputs).map(|_| (4000.0 * between(-bound, bound)) as i32).collect();
    let scale = (0..outputs)
        .map(|_| {
            let factor = between(0.5, 1.5) / typical;
            if is_last { (factor / 8000.0).to_bits() } else { shift_and_multiplier(factor) }
        })
        .collect();
    (weights, bias, scale)
}

/// s + 2¹⁶ m with m · 2⁻¹⁶ · 2⁻ˢ = factor < ½ and m as large as it can be.
fn shift_and_multiplier(mut factor: f32) -> u32 {
    let mut shift = 0;
    while factor < 0.25 {
        (factor, shift) = (2.0 * factor, shift + 1);
    }
    shift + (((factor * 65_536.0) as u32).min(32_767) << 16)
}

/// The words of an observation and of this machine's answer, a row of a recording and an example.
fn words_of(blob: &Blob, observation: &[f32]) -> Vec<u32> {
    fn answer<W: Weights>(blob: &Blob, x: &[f32]) -> Vec<u32> {
        action_words(&policy::<W>(blob), x).to_vec()
    }
    let answer = match WeightKind::of(blob.bytes()) {
        Some(WeightKind::Int16) => answer::<i16>(blob, observation),
        Some(WeightKind::Int8) => answer::<i8>(blob, observation),
        _ => answer::<f32>(blob, observation),
    };
    observation.iter().map(|x| x.to_bits()).chain(answer).collect()
}

fn policy<W: Weights>(blob: &Blob) -> Policy<'_, W, WIDTH> {
    Policy::from_bytes(blob.bytes()).expect("a valid policy")
}

/// What this machine answers to 10 000 observations.
///
/// # Panics
///
/// If the policy is refused.
pub fn record(blob: &Blob, observation_size: u8, action_size: u8, seed: u64) -> Blob {
    let all = observations(10_000, observation_size.into(), seed);
    let rows = all.chunks_exact(observation_size.into());
    let words = rows.flat_map(|x| words_of(blob, x)).flat_map(u32::to_le_bytes);
    let prefix = prefix(observation_size, action_size, 10_000);
    Blob::from_bytes(&prefix.into_iter().chain(words).collect::<Vec<_>>())
}

/// The replay that the firmware does, on this machine.
///
/// # Panics
///
/// If the policy or the recording is refused.
pub fn replay(blob: &Blob, recording: &Blob) -> Replay {
    let recording = Recording::from_bytes(recording.bytes()).expect("a valid recording");
    let replay = match WeightKind::of(blob.bytes()) {
        Some(WeightKind::Int16) => recording.replay(&policy::<i16>(blob)),
        Some(WeightKind::Int8) => recording.replay(&policy::<i8>(blob)),
        _ => recording.replay(&policy::<f32>(blob)),
    };
    replay.expect("a recording of this policy's shape")
}
