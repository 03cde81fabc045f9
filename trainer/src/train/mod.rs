//! The one training loop. It owns time: episodes, their limits, when to explore and when to learn.

mod collect;
mod config;

pub use config::TrainingConfig;

use crate::interface::{Algorithm, Environments, Metric};
use crate::replay::{Minibatch, Replay};
use crate::rng::{Rng, Stream, stream};
use crate::state::{StateError, Walk};
use crate::text::Shown;
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
    #[error("cannot write {}: {error}", path.shown())]
    Write {
        /// The file.
        path: std::path::PathBuf,
        /// Why not.
        error: std::io::Error,
    },
}

/// A run at some moment: experience, episodes under way, random streams, and the agent.
#[allow(missing_debug_implementations, reason = "environments and agents are trait objects")]
pub struct Training<'a> {
    config: &'a TrainingConfig,
    agent: &'a mut dyn Algorithm,
    collector: Collector<'a>,
    replay: Replay,
    minibatch: Minibatch,
    /// Which transitions are replayed.
    replaying: Rng,
    /// Noise within updates.
    noise: Rng,
    episodes: usize,
    updates: usize,
}

impl<'a> Training<'a> {
    /// A run that begins.
    ///
    /// # Panics
    ///
    /// Unless there are `config.environments` environments.
    pub fn new(
        environments: &'a mut dyn Environments,
        agent: &'a mut dyn Algorithm,
        config: &'a TrainingConfig,
    ) -> Self {
        assert_eq!(environments.count(), config.environments, "how many environments");
        let spec = environments.spec();
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let [replaying, noise] =
            [Stream::Replay, Stream::Update].map(|purpose| stream(config.seed, purpose));
        let replay = Replay::for_agent(agent, config.buffer_size, obs, act);
        Training {
            minibatch: Minibatch::new(config.batch_size, &replay),
            replay,
            collector: Collector::new(environments, agent, config),
            agent,
            config,
            replaying,
            noise,
            episodes: 0,
            updates: 0,
        }
    }

    /// Environment steps so far, of all environments together.
    pub fn step(&self) -> usize {
        self.collector.step
    }

    /// Updates so far; of the critics, where updates are separate.
    pub fn updates(&self) -> usize {
        self.updates
    }

    /// Have all steps been made?
    pub fn is_over(&self) -> bool {
        self.collector.step >= self.config.steps
    }

    /// The agent as it is now.
    pub fn agent(&mut self) -> &mut dyn Algorithm {
        self.agent
    }

    /// All that changes as the run goes on, between two iterations. A walk that reads continues the
    /// run that was written, to the same bits, if `self` was made with the same settings.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds a run of other settings; `self` is then of no more use.
    pub fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        self.collector.walk(walk)?;
        self.replay.walk(walk)?;
        walk.value(&mut self.replaying)?;
        walk.value(&mut self.noise)?;
        walk.value(&mut self.episodes)?;
        walk.value(&mut self.updates)?;
        self.agent.walk(walk)
    }

    /// One iteration: steps, then updates.
    ///
    /// # Errors
    ///
    /// If a loss or a parameter stops being finite, or the observer stops the run.
    pub fn iterate(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        let Training { config, agent, collector, replay, .. } = self;
        for _ in 0..config.rollout_steps {
            collector.step(*agent, config, replay);
            observer.on_step(collector.step);
            if collector.step >= config.steps {
                break;
            }
        }
        if config.reset_each_iteration {
            collector.reset(*agent, replay);
        }
        // With n-step returns the first transitions may still be waiting.
        if collector.step > config.update_after && !replay.is_empty() {
            self.update();
            if !self.agent.losses_are_finite() {
                self.check_finite()?;
            }
        }
        let progress = (self.step() as f64 / self.config.steps as f64).min(1.0);
        self.agent.iteration_ended(progress);
        match self.collector.ended.is_empty() {
            true => Ok(()),
            false => self.report(observer),
        }
    }

    /// The updates of an iteration.
    fn update(&mut self) {
        let Training { config, agent, replay, minibatch, replaying, noise, .. } = self;
        for _ in 0..config.updates_per_iteration {
            replay.sample(replaying, minibatch);
            match config.separate_updates {
                false => agent.update(&minibatch.batch(), noise),
                true => agent.update_critics(&minibatch.batch(), noise),
            }
        }
        if config.separate_updates {
            for _ in 0..config.actor_updates {
                replay.sample(replaying, minibatch);
                agent.update_actor(&minibatch.batch(), noise);
            }
            agent.update_targets();
        }
        self.updates += config.updates_per_iteration;
    }

    /// Tells of the episodes that have ended.
    fn report(&mut self, observer: &mut dyn Observer) -> Result<(), TrainError> {
        self.check_finite()?;
        let (metrics, updates) = (&self.agent.metrics()[..], self.updates);
        for Ended { step, episode_return, length } in self.collector.ended.drain(..) {
            self.episodes += 1;
            let episode = self.episodes;
            let ended = Episode { step, episode, episode_return, length, updates, metrics };
            observer.on_episode(&ended)?;
        }
        Ok(())
    }

    /// Are all numbers of the agent finite?
    ///
    /// # Errors
    ///
    /// If not; it names the first that is not.
    pub fn check_finite(&self) -> Result<(), TrainError> {
        check_finite(self.step(), &self.agent.metrics(), &*self.agent)
    }
}

/// Trains for `config.steps` environment steps and gives the number of updates.
///
/// # Errors
///
/// If a loss or a parameter stops being finite, or the observer stops the run.
///
/// # Panics
///
/// Unless there are `config.environments` environments.
pub fn train(
    environments: &mut dyn Environments,
    agent: &mut dyn Algorithm,
    config: &TrainingConfig,
    observer: &mut dyn Observer,
) -> Result<usize, TrainError> {
    let mut training = Training::new(environments, agent, config);
    while !training.is_over() {
        training.iterate(observer)?;
    }
    training.check_finite()?;
    Ok(training.updates)
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
