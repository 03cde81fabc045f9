//! The one training loop. It owns time: episodes, their limits, when to explore and when to learn.

mod collect;
mod config;

pub use config::TrainingConfig;

use crate::interface::{Algorithm, Environment, Metric};
use crate::replay::{Minibatch, Replay};
use crate::rng::{Stream, stream};
use collect::{Collector, Ended};

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
    /// Updates so far; of the critics, where updates are separate.
    pub updates: usize,
    /// What the last update reports.
    pub metrics: &'a [Metric],
}

/// Told of what happens; terminal, files and plots are behind it.
pub trait Observer {
    /// Environment steps were made, one of each environment; `step` counts all of them.
    fn on_step(&mut self, step: usize);
    /// An episode has ended.
    ///
    /// # Errors
    ///
    /// What stops the run: a log that cannot be written.
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
/// # Errors
///
/// If a parameter stops being finite, or the observer stops the run.
///
/// # Panics
///
/// Unless there are `config.environments` environments.
pub fn train(
    environments: &mut [Box<dyn Environment>],
    agent: &mut dyn Algorithm,
    config: &TrainingConfig,
    observer: &mut dyn Observer,
) -> Result<usize, TrainError> {
    assert_eq!(environments.len(), config.environments, "how many environments");
    let spec = environments[0].spec();
    let (obs, act) = (spec.observation_size(), spec.action_size());
    let [mut replaying, mut noise] =
        [Stream::Replay, Stream::Update].map(|purpose| stream(config.seed, purpose));
    let mut replay = Replay::new(config.buffer_size, obs, act);
    let mut minibatch = Minibatch::new(config.batch_size, obs, act);
    let mut collector = Collector::new(environments, agent, config);
    let (mut episodes, mut updates) = (0, 0);

    while collector.step < config.steps {
        for _ in 0..config.rollout_steps {
            collector.step(agent, config, &mut replay);
            observer.on_step(collector.step);
            if collector.step >= config.steps {
                break;
            }
        }
        if config.reset_each_iteration {
            collector.reset(agent, &mut replay);
        }
        // With n-step returns the first transitions may still be waiting.
        if collector.step > config.update_after && !replay.is_empty() {
            for _ in 0..config.updates_per_iteration {
                replay.sample(&mut replaying, &mut minibatch);
                match config.separate_updates {
                    false => agent.update(&minibatch.batch(), &mut noise),
                    true => agent.update_critics(&minibatch.batch(), &mut noise),
                }
            }
            if config.separate_updates {
                for _ in 0..config.actor_updates {
                    replay.sample(&mut replaying, &mut minibatch);
                    agent.update_actor(&minibatch.batch(), &mut noise);
                }
                agent.update_targets();
            }
            updates += config.updates_per_iteration;
        }
        agent.iteration_ended((collector.step as f64 / config.steps as f64).min(1.0));
        if !collector.ended.is_empty() {
            let metrics = agent.metrics();
            check_finite(collector.step, &metrics, agent)?;
            for Ended { step, episode_return, length } in collector.ended.drain(..) {
                episodes += 1;
                let (episode, metrics) = (episodes, &metrics[..]);
                let ended = Episode { step, episode, episode_return, length, updates, metrics };
                observer.on_episode(&ended)?;
            }
        }
    }
    check_finite(collector.step, &agent.metrics(), agent)?;
    Ok(updates)
}

fn check_finite(step: usize, metrics: &[Metric], agent: &dyn Algorithm) -> Result<(), TrainError> {
    let diverged = |quantity: String, value| TrainError::Diverged { step, quantity, value };
    if let Some(m) = metrics.iter().find(|m| !m.value.is_finite()) {
        return Err(diverged(m.name.into(), m.value));
    }
    let values = &agent.parameters().value;
    match values.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(diverged(format!("parameter {at}"), f64::from(values[at]))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
