//! What a policy meets where it is used: its integers are made for that.

use super::layer::Dense;
use super::{QuantiseError, Range, network, read_units};
use crate::eval::{EvalError, check_shape};
use crate::interface::{Environment, Spec};
use crate::policy::{AnyPolicy, HostPolicy};
use crate::rng::{Stream, stream};

/// Observations whose mean corrects the biases.
pub const OBSERVATIONS: usize = 10_000;
/// The most of them from one episode.
pub const OF_AN_EPISODE: usize = 100;
/// So many times as far from the middle of the starts other episodes begin.
pub const WIDER: [f64; 4] = [2.0, 4.0, 8.0, 16.0];
/// Episodes for each of these.
pub const WIDER_EPISODES: usize = 25;

/// What is known of the observations that a policy meets, and of what its layers make of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// Some of the observations `[n, observation_size]`. Means come from these, which are many enough for them.
    pub(super) sample: Vec<f32>,
    /// The largest |o| of each entry, over every observation.
    pub(super) reach: Vec<f64>,
    /// The largest activation of each layer, over every observation.
    pub(super) peaks: Vec<f64>,
}

impl Calibration {
    /// Of these observations `[n, observation_size]`.
    ///
    /// # Errors
    ///
    /// If the policy cannot be quantised.
    pub fn of(policy: &AnyPolicy<'_>, observations: &[f32]) -> Result<Self, QuantiseError> {
        let mut gauge = Gauge::new(f32_policy(policy)?)?;
        gauge.see(observations);
        Ok(gauge.calibration(observations.to_vec()))
    }
}

/// The policy, if it has `f32` weights.
pub(super) fn f32_policy<'p, 'a>(
    policy: &'p AnyPolicy<'a>,
) -> Result<&'p HostPolicy<'a>, QuantiseError> {
    match policy {
        AnyPolicy::F32(policy) => Ok(policy),
        _ => Err(QuantiseError::NotF32 { found: policy.kind() }),
    }
}

/// Calibrates a policy on the observations that it meets, always the same ones:
///
/// - in episodes from where its training starts, as many as give [`OBSERVATIONS`], [`OF_AN_EPISODE`] each at most, evenly
///   spread. Each step of them counts for ranges, as the largest are often met in the first few;
/// - in [`WIDER_EPISODES`] from states that lie [`WIDER`] times as far from the middle of these starts: where the policy
///   leads back from there, it should do so in integers, too. An episode counts for ranges, all of it, if it lasts and
///   ends within what the first ones have met. One that runs away would make every range useless.
///
/// # Errors
///
/// If the policy cannot be quantised, is not one for this environment, or refuses an observation.
pub fn calibrate(
    policy: &AnyPolicy<'_>,
    environment: &mut dyn Environment,
) -> Result<Calibration, QuantiseError> {
    let mut gauge = Gauge::new(f32_policy(policy)?)?;
    check_shape(policy, environment.spec())?;
    let spec = environment.spec().clone();
    let size = spec.observation_size();
    let mut rng = stream(0, Stream::Calibration);
    let mut observation = vec![0.0; size];
    let (mut sample, mut starts) = (Vec::new(), Vec::new());
    while sample.len() < OBSERVATIONS * size {
        environment.reset(&mut rng, &mut observation);
        starts.push(environment.save());
        let episode = Episode::run(policy, environment, &mut observation, starts.len() - 1)?;
        let stride = spec.horizon.div_ceil(OF_AN_EPISODE).max(1);
        sample.extend(episode.met.chunks_exact(size).step_by(stride).flatten());
        gauge.see(&episode.met);
    }
    sample.truncate(OBSERVATIONS * size);

    let middle = middle(&starts);
    let usual = gauge.reach.clone();
    for factor in WIDER {
        for (index, start) in starts.iter().take(WIDER_EPISODES).enumerate() {
            let state: Vec<f64> =
                start.iter().zip(&middle).map(|(s, m)| m + factor * (s - m)).collect();
            environment.restore(&state, &mut observation);
            if !keeps_contract(&observation, &spec) {
                continue;
            }
            // No policy need have an action for what it was not trained on.
            let Ok(episode) = Episode::run(policy, environment, &mut observation, index) else {
                continue;
            };
            let is_back = observation.iter().zip(&usual).all(|(o, r)| f64::from(o.abs()) <= *r);
            if episode.lasts && is_back {
                gauge.see(&episode.met);
            }
        }
    }
    Ok(gauge.calibration(sample))
}

/// An episode of a policy.
struct Episode {
    /// The observations that it acts on.
    met: Vec<f32>,
    /// Did it come to its horizon?
    lasts: bool,
}

impl Episode {
    /// From the state in which the environment is, with this observation, which becomes the last one.
    fn run(
        policy: &AnyPolicy<'_>,
        environment: &mut dyn Environment,
        observation: &mut [f32],
        start: usize,
    ) -> Result<Self, EvalError> {
        let mut met = Vec::new();
        for step in 0..environment.spec().horizon.max(1) {
            let action = policy.act(observation);
            let action = action.map_err(|error| EvalError::Act { start, step, error })?;
            met.extend_from_slice(observation);
            if environment.step(&action, observation).terminated {
                return Ok(Episode { met, lasts: false });
            }
        }
        Ok(Episode { met, lasts: true })
    }
}

/// The mean of each entry of some states.
fn middle(states: &[Vec<f64>]) -> Vec<f64> {
    let mut sum = vec![0.0; states.first().map_or(0, Vec::len)];
    for state in states {
        sum.iter_mut().zip(state).for_each(|(sum, s)| *sum += s);
    }
    sum.iter().map(|sum| sum / states.len() as f64).collect()
}

/// Is an observation one that a board would give to the policy?
fn keeps_contract(observation: &[f32], spec: &Spec) -> bool {
    observation.iter().zip(&spec.observation).all(|(o, c)| (c.low..=c.high).contains(o))
}

/// Takes the measure of everything that passes through a network in `f64`.
struct Gauge {
    /// The first one reads observations as they are.
    layers: Vec<Dense>,
    reach: Vec<f64>,
    peaks: Vec<f64>,
}

impl Gauge {
    fn new(policy: &HostPolicy<'_>) -> Result<Self, QuantiseError> {
        let reach = vec![0.0; policy.observation_size()];
        let mut layers = network(policy)?;
        if let Some(first) = layers.first_mut() {
            read_units(first, &vec![Range::UNCHANGED; reach.len()], policy.normalisation());
        }
        let peaks = vec![0.0; layers.len()];
        Ok(Gauge { layers, reach, peaks })
    }

    /// These observations `[n, observation_size]` are met.
    fn see(&mut self, observations: &[f32]) {
        for observation in observations.chunks_exact(self.reach.len()) {
            let mut x: Vec<f64> = observation.iter().map(|o| f64::from(*o)).collect();
            for (reach, o) in self.reach.iter_mut().zip(&x) {
                *reach = reach.max(o.abs());
            }
            for (layer, peak) in self.layers.iter().zip(&mut self.peaks) {
                x = layer.sums(&x).into_iter().map(|z| layer.activate(z)).collect();
                *peak = x.iter().fold(*peak, |most, y| most.max(y.abs()));
            }
        }
    }

    fn calibration(self, sample: Vec<f32>) -> Calibration {
        Calibration { sample, reach: self.reach, peaks: self.peaks }
    }
}

#[cfg(test)]
mod tests;
