//! Many observations at once, with the bits that `policy-core` gives one by one.
//!
//! ```text
//! for each layer:
//!     for each group of OUTPUTS outputs j:
//!         sumsⱼ[lane] = bⱼ                             // in registers, a lane for each observation
//!         for each input p, from the first to the last:
//!             sumsⱼ[lane] += wⱼₚ · x[p][lane]          // in two roundings
//!         y[j][lane] = f(sumsⱼ[lane])
//! ```

use policy_core::{ActError, Activation};

use super::AnyPolicy;
use crate::elementary;
use crate::linalg::Backend;

/// Observations that are computed together.
const LANES: usize = 16;
/// Outputs that are: with two registers of AVX2 each they fill half of its registers.
const OUTPUTS: usize = 4;

/// An entry of as many observations.
type Entry = [f32; LANES];

/// A policy for many observations. What has integer weights goes one by one.
#[derive(Debug)]
pub struct Batched<'a> {
    policy: &'a AnyPolicy<'a>,
    layers: Vec<Dense>,
    /// What a layer reads, and what it writes; the observations at first.
    x: Vec<Entry>,
    y: Vec<Entry>,
    backend: Backend,
}

/// y = f(b + Wx)
#[derive(Debug)]
struct Dense {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    /// b and then W's columns, `[1 + inputs][OUTPUTS]` for each group of outputs; 0 for outputs beyond the last.
    groups: Vec<[f32; OUTPUTS]>,
}

impl<'a> Batched<'a> {
    /// Copies the weights in the order in which they are read.
    pub fn new(policy: &'a AnyPolicy<'a>) -> Self {
        let layers: Vec<Dense> = match policy {
            AnyPolicy::F32(policy) => policy.layers().map(Dense::new).collect(),
            _ => Vec::new(),
        };
        let width = layers.iter().map(|layer| layer.groups.len() * OUTPUTS / (1 + layer.inputs));
        let width = width.max().unwrap_or(0).max(policy.observation_size());
        let [x, y] = [(); 2].map(|()| vec![[0.0; LANES]; width]);
        Batched { policy, layers, x, y, backend: Backend::current() }
    }

    /// The greedy actions `[N, act]` for observations `[N, obs]`, bit for bit those of [`AnyPolicy::act`].
    ///
    /// # Errors
    ///
    /// The first that it gives, and for which observation.
    ///
    /// # Panics
    ///
    /// Unless there is room for as many actions as there are observations.
    pub fn act(
        &mut self,
        observations: &[f32],
        actions: &mut [f32],
    ) -> Result<(), (usize, ActError)> {
        let (obs, act) = (self.policy.observation_size(), self.policy.action_size());
        let count = observations.len() / obs;
        assert_eq!((observations.len(), actions.len()), (count * obs, count * act), "how many");
        let blocks = observations.chunks(LANES * obs).zip(actions.chunks_mut(LANES * act));
        for (block, (observations, actions)) in blocks.enumerate() {
            if !self.layers.is_empty() && self.block(observations, actions) {
                continue;
            }
            let rows = observations.chunks(obs).zip(actions.chunks_mut(act));
            for (row, (observation, action)) in rows.enumerate() {
                let answer = self.policy.act(observation);
                let answer = answer.map_err(|error| (block * LANES + row, error))?;
                action.copy_from_slice(&answer);
            }
        }
        Ok(())
    }

    /// At most [`LANES`] of them; false where one is not finite, or no action is.
    fn block(&mut self, observations: &[f32], actions: &mut [f32]) -> bool {
        let (obs, act) = (self.policy.observation_size(), self.policy.action_size());
        if !observations.iter().all(|o| o.is_finite()) {
            return false;
        }
        let normalisation = self.policy.normalisation();
        for (i, x) in self.x[..obs].iter_mut().enumerate() {
            let column = observations[i..].iter().step_by(obs);
            x.iter_mut().zip(column).for_each(|(x, o)| *x = *o);
            if let Some(normalisation) = &normalisation {
                let (shift, scale) = (normalisation.shift[i], normalisation.scale[i]);
                x.iter_mut().for_each(|x| *x = (*x - shift) * scale);
            }
        }
        for layer in &self.layers {
            layer.forward(self.backend, &self.x, &mut self.y);
            std::mem::swap(&mut self.x, &mut self.y);
        }
        let head = self.policy.head();
        let outputs = self.layers.last().map_or(0, |layer| layer.outputs);
        let mut z = vec![0.0; outputs];
        for (lane, action) in actions.chunks_mut(act).enumerate() {
            z.iter_mut().zip(&self.x).for_each(|(z, x)| *z = x[lane]);
            action.copy_from_slice(&head.greedy(&z));
        }
        actions.iter().all(|a| a.is_finite())
    }
}

impl Dense {
    fn new(layer: policy_core::layer::Layer<'_>) -> Self {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let mut groups = vec![[0.0; OUTPUTS]; outputs.div_ceil(OUTPUTS) * (1 + inputs)];
        let mut row = 0;
        for panel in layer.panels() {
            for (bias, weights) in panel.bias.iter().zip(panel.weights.row_iter()) {
                let group = &mut groups[row / OUTPUTS * (1 + inputs)..][..1 + inputs];
                for (place, number) in group.iter_mut().zip(std::iter::once(bias).chain(&weights)) {
                    place[row % OUTPUTS] = *number;
                }
                row += 1;
            }
        }
        Dense { inputs, outputs, activation: layer.activation(), groups }
    }

    fn forward(&self, backend: Backend, x: &[Entry], y: &mut [Entry]) {
        let x = &x[..self.inputs];
        let relu = self.activation == Activation::Relu;
        backend.vectorise(
            #[inline(always)]
            || {
                let groups = self.groups.chunks_exact(1 + self.inputs);
                for (group, y) in groups.zip(y.as_chunks_mut::<OUTPUTS>().0) {
                    // Each a value of its own: the compiler keeps no array of arrays in registers.
                    let [mut a, mut b, mut c, mut d] = group[0].map(|bias| [bias; LANES]);
                    for (weights, x) in group[1..].iter().zip(x) {
                        let x = *x;
                        add(&mut a, weights[0], &x);
                        add(&mut b, weights[1], &x);
                        add(&mut c, weights[2], &x);
                        add(&mut d, weights[3], &x);
                    }
                    *y = [a, b, c, d];
                    if relu {
                        // A NaN stays one, and 0 has no sign.
                        for sum in y.as_flattened_mut() {
                            *sum = if *sum <= 0.0 { 0.0 } else { *sum };
                        }
                    }
                }
            },
        );
        if self.activation == Activation::Tanh {
            elementary::tanh(backend, y[..self.outputs].as_flattened_mut());
        }
    }
}

/// sum ← sum + weight · x, in two roundings.
#[inline(always)]
fn add(sum: &mut Entry, weight: f32, x: &Entry) {
    sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RunConfig;
    use crate::elementary::fill_normal;
    use crate::export::export;
    use crate::rng::{Stream, stream};
    use crate::run::{Start, start};

    /// Every head, activation and number of observations: the bits of one by one.
    #[test]
    fn actions_are_those_of_one_by_one() {
        for (preset, settings) in [
            ("sac", "hidden=[64, 64]"),
            ("td3", "hidden=[30, 17, 9]"),
            ("td3", "actor_output=clamp"),
            ("ddpg", "activation=tanh"),
            ("dqn", "hidden=[7]"),
            ("hw2-sac-m3", "hidden=[16]"),
            ("hw2-ddpg", "hidden=[]"),
        ] {
            let config = RunConfig::resolve(Some(preset), None, &[settings.into()]).unwrap();
            let Start { environments, agent } = start(&config).unwrap();
            let blob = export(&agent.policy(), environments.spec(), 0).unwrap();
            let policy = AnyPolicy::from_bytes(blob.bytes()).unwrap();
            let mut batched = Batched::new(&policy);
            let (obs, act) = (policy.observation_size(), policy.action_size());
            for count in [0, 1, 15, 16, 17, 200] {
                let mut observations = vec![0.0; count * obs];
                fill_normal(&mut stream(3, Stream::Evaluation), &mut observations);
                // Far outside, some saturate.
                observations.iter_mut().step_by(7).for_each(|o| *o *= 1e4);
                let mut actions = vec![7.0; count * act];
                batched.act(&observations, &mut actions).unwrap();
                for (observation, action) in observations.chunks(obs).zip(actions.chunks(act)) {
                    let wanted = policy.act(observation).unwrap();
                    let same = action.iter().zip(&wanted).all(|(a, b)| a.to_bits() == b.to_bits());
                    assert!(same, "{preset} {settings}: {action:?}, not {wanted:?}");
                }
            }
            // What is refused is refused with its own error.
            let mut observations = vec![0.1; 40 * obs];
            observations[33 * obs] = f32::NAN;
            let error = batched.act(&observations, &mut vec![0.0; 40 * act]).unwrap_err();
            assert_eq!(error, (33, ActError::ObservationNotFinite { index: 0 }));
            observations[33 * obs] = 3e38;
            observations[35 * obs..36 * obs].fill(-3e38);
            let one_by_one = (0..40).find_map(|row| {
                let answer = policy.act(&observations[row * obs..][..obs]);
                answer.err().map(|error| (row, error))
            });
            let found = batched.act(&observations, &mut vec![0.0; 40 * act]);
            assert_eq!(found.err(), one_by_one, "{preset} {settings}");
        }
    }
}
