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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autodiff::Params;
    use crate::interface::{Batch, PolicyNetwork, Spec, Step};

    /// Counts: its state is the number of steps since the reset, plus 100 for each episode.
    struct Counter {
        spec: Spec,
        state: f32,
        episodes: f32,
        terminal_after: f32,
    }

    impl Counter {
        /// Truncated after 3 steps, terminal after `terminal_after`.
        fn new(terminal_after: f32) -> Self {
            let spec = Spec {
                name: "counter",
                observation_size: 1,
                state_size: 1,
                action_low: vec![-2.0],
                action_high: vec![4.0],
                horizon: 3,
                period: 1.0,
            };
            Counter { spec, state: 0.0, episodes: 0.0, terminal_after }
        }
    }

    impl Environment for Counter {
        fn spec(&self) -> &Spec {
            &self.spec
        }
        fn reset(&mut self, _: &mut Rng, observation: &mut [f32]) {
            self.episodes += 1.0;
            self.state = 0.0;
            observation[0] = 100.0 * self.episodes;
        }
        fn restore(&mut self, _: &[f64], _: &mut [f32]) {}
        fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step {
            assert!((-2.0..=4.0).contains(&action[0]));
            self.state += 1.0;
            observation[0] = 100.0 * self.episodes + self.state;
            Step { reward: 1.0, terminated: self.state == self.terminal_after }
        }
    }

    /// Learns nothing, but remembers the transitions that it was shown.
    struct Memory {
        params: Params<f32>,
        seen: Vec<(f32, f32, f32)>,
    }

    impl Algorithm for Memory {
        fn act(&mut self, _: &[f32], _: &mut [f32]) {}
        fn explore(&mut self, _: &[f32], _: &mut Rng, action: &mut [f32]) {
            action[0] = 3.5;
        }
        fn update(&mut self, batch: &Batch<'_, f32>, _: &mut Rng) {
            let s = batch.observation().iter().zip(batch.next_observation());
            let rows = s.zip(batch.not_terminated());
            self.seen.extend(rows.map(|((s, next), n)| (*s, *next, *n)));
        }
        fn metrics(&self) -> &[Metric] {
            &[]
        }
        fn parameters(&self) -> &Params<f32> {
            &self.params
        }
        fn policy(&self) -> PolicyNetwork<'_> {
            unreachable!("nothing is exported")
        }
    }

    /// (s, s′, 1 − d) of a run's replayed transitions.
    fn seen(terminal_after: f32) -> Vec<(f32, f32, f32)> {
        let mut agent = Memory { params: Params::new(1), seen: Vec::new() };
        let config = TrainingConfig {
            seed: 1,
            steps: 200,
            start_steps: 50,
            update_after: 100,
            updates_per_step: 2,
            batch_size: 8,
            buffer_size: 150,
        };
        let environment = &mut Counter::new(terminal_after);
        let updates = train(environment, &mut agent, &config, &mut Unobserved).unwrap();
        assert_eq!((updates, agent.seen.len()), (200, 1600));
        agent.seen
    }

    #[test]
    fn running_out_of_time_is_not_terminal() {
        for (s, next, not_terminated) in seen(f32::INFINITY) {
            assert_eq!(next, s + 1.0, "the true next observation, not the next episode's first");
            assert_eq!(not_terminated, 1.0);
        }
    }

    #[test]
    fn terminal_states_are_marked() {
        let seen = seen(2.0);
        assert!(seen.iter().any(|(_, _, not_terminated)| *not_terminated == 0.0));
        for (s, next, not_terminated) in seen {
            assert_eq!(next, s + 1.0);
            assert_eq!(not_terminated == 0.0, next % 100.0 == 2.0);
        }
    }

    #[test]
    fn what_is_not_finite_stops_the_run() {
        let mut agent = Memory { params: Params::new(3), seen: Vec::new() };
        agent.params.value[2] = f32::NAN;
        let config = TrainingConfig {
            seed: 1,
            steps: 20,
            start_steps: 0,
            update_after: 100,
            updates_per_step: 1,
            batch_size: 1,
            buffer_size: 10,
        };
        let environment = &mut Counter::new(f32::INFINITY);
        let error = train(environment, &mut agent, &config, &mut Unobserved).unwrap_err();
        assert!(error.to_string().starts_with("training diverged: parameter 2 is NaN at step 3"));
    }
}
