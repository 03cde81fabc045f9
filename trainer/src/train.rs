//! The one training loop. It owns time: episodes, their limits, when to explore and when to learn.

use crate::config::TrainingConfig;
use crate::interface::{Algorithm, Environment, Metric};
use crate::replay::{Minibatch, Replay, Transition};
use crate::rng::{Rng, Stream, stream};
use policy_core::gaussian::uniform;

/// An episode that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Episode<'a> {
    /// Environment steps so far.
    pub step: usize,
    /// Episodes so far, this one included.
    pub episode: usize,
    /// Sum of its rewards, undiscounted.
    pub episode_return: f64,
    /// Its steps.
    pub length: usize,
    /// Updates so far.
    pub updates: usize,
    /// What the last update reports.
    pub metrics: &'a [Metric],
}

/// Told of what happens; terminal, files and plots are behind it.
pub trait Observer {
    /// An environment step was made.
    fn on_step(&mut self, step: usize);
    /// An episode has ended.
    fn on_episode(&mut self, episode: &Episode<'_>) -> Result<(), TrainError>;
}

/// Watches nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn on_step(&mut self, _step: usize) {}
    fn on_episode(&mut self, _episode: &Episode<'_>) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Why training stopped early.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A loss or a parameter is not finite.
    #[error("training diverged: {quantity} is {value} at step {step}; try a smaller learning rate")]
    Diverged {
        /// Environment step.
        step: usize,
        /// What is not finite.
        quantity: String,
        /// Its value.
        value: f64,
    },
    /// The observer could not write.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

/// Trains for `config.steps` environment steps and gives the number of updates.
///
/// An episode that runs out of time is *truncated*, not terminated: its last transition keeps the
/// true next observation, and d = 0, so that the target bootstraps from there.
pub fn train(
    environment: &mut dyn Environment,
    agent: &mut dyn Algorithm,
    config: &TrainingConfig,
    observer: &mut dyn Observer,
) -> Result<usize, TrainError> {
    let spec = environment.spec().clone();
    let [mut starts, mut exploration, mut replaying, mut update_noise] =
        [Stream::Environment, Stream::Exploration, Stream::Replay, Stream::Update]
            .map(|purpose| stream(config.seed, purpose));
    let (obs, act) = (spec.observation_size, spec.action_size());
    let mut replay = Replay::new(config.buffer_size, obs, act);
    let mut minibatch = Minibatch::new(config.batch_size, obs, act);
    let (mut observation, mut next_observation) = (vec![0.0; obs], vec![0.0; obs]);
    let mut action = vec![0.0; act];
    let (mut length, mut episode_return, mut episodes, mut updates) = (0, 0.0, 0, 0);

    environment.reset(&mut starts, &mut observation);
    for step in 1..=config.steps {
        if step <= config.start_steps {
            random_action(&spec.action_low, &spec.action_high, &mut exploration, &mut action);
        } else {
            agent.explore(&observation, &mut exploration, &mut action);
        }
        let outcome = environment.step(&action, &mut next_observation);
        replay.push(&Transition {
            observation: &observation,
            action: &action,
            reward: outcome.reward as f32,
            next_observation: &next_observation,
            terminated: outcome.terminated,
        });
        std::mem::swap(&mut observation, &mut next_observation);
        length += 1;
        episode_return += outcome.reward;

        if step > config.update_after {
            for _ in 0..config.updates_per_step {
                replay.sample(&mut replaying, &mut minibatch);
                agent.update(&minibatch.batch(), &mut update_noise);
            }
            updates += config.updates_per_step;
        }
        observer.on_step(step);
        let truncated = length == spec.horizon;
        if outcome.terminated || truncated {
            episodes += 1;
            let metrics = agent.metrics();
            check_finite(step, agent)?;
            observer.on_episode(&Episode {
                step,
                episode: episodes,
                episode_return,
                length,
                updates,
                metrics,
            })?;
            environment.reset(&mut starts, &mut observation);
            (length, episode_return) = (0, 0.0);
        }
    }
    check_finite(config.steps, agent)?;
    Ok(updates)
}

/// aᵢ ~ U(lowᵢ, highᵢ)
fn random_action(low: &[f64], high: &[f64], rng: &mut Rng, action: &mut [f32]) {
    for ((a, low), high) in action.iter_mut().zip(low).zip(high) {
        *a = (low + (high - low) * f64::from(uniform(rng))) as f32;
    }
}

fn check_finite(step: usize, agent: &dyn Algorithm) -> Result<(), TrainError> {
    let diverged = |quantity: String, value| TrainError::Diverged { step, quantity, value };
    if let Some(m) = agent.metrics().iter().find(|m| !m.value.is_finite()) {
        return Err(diverged(m.name.into(), m.value));
    }
    let values = &agent.parameters().value;
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(diverged(format!("parameter {at}"), f64::from(values[at]))),
        None => Ok(()),
    }
}
