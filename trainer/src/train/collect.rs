//! Experience: environments stepped together, and the transitions that come of it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::TrainingConfig;
use crate::interface::{Algorithm, Environments, Step};
use crate::replay::{Replay, Transition};
use crate::rng::{Rng, Stream, stream, stream_of};
use crate::state::{StateError, Walk};

/// An episode that has ended, or was cut off by the end of an iteration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ended {
    pub(super) step: usize,
    pub(super) episode_return: f64,
    pub(super) length: usize,
}

/// An environment's episode.
struct Slot {
    starts: Rng,
    episode_return: f64,
    length: usize,
    pending: NStep,
}

/// All environments.
pub(super) struct Collector<'a> {
    environments: &'a mut dyn Environments,
    slots: Vec<Slot>,
    /// `[N, obs]`
    observations: Vec<f32>,
    /// `[N, act]`, of the agent's action space
    actions: Vec<f32>,
    /// log π(a|s) of each environment's action `[N]`, where returns have bonuses for them.
    log_likelihoods: Vec<f32>,
    /// The same of the environments, and what they answer: `[N, act]`, `[N, obs]`, `[N]`.
    applied: Vec<f32>,
    next_observations: Vec<f32>,
    outcomes: Vec<Step>,
    /// Entries of an observation, and of an action.
    obs: usize,
    act: usize,
    exploration: Rng,
    horizon: usize,
    /// Steps made, of all environments together.
    pub(super) step: usize,
    /// Episodes that ended since they were last reported.
    pub(super) ended: Vec<Ended>,
}

impl<'a> Collector<'a> {
    /// Starts an episode in every environment.
    pub(super) fn new(
        environments: &'a mut dyn Environments,
        agent: &mut dyn Algorithm,
        config: &TrainingConfig,
    ) -> Self {
        let (spec, count) = (environments.spec(), environments.count());
        let (obs, act, horizon) = (spec.observation_size(), spec.action_size(), spec.horizon);
        let slots = (0..count).map(|index| Slot {
            starts: stream_of(config.seed, Stream::Environment, index),
            episode_return: 0.0,
            length: 0,
            pending: NStep::new(config.n_step, agent.discount(), obs),
        });
        let mut collector = Collector {
            environments,
            slots: slots.collect(),
            observations: vec![0.0; count * obs],
            actions: vec![0.0; count * act],
            log_likelihoods: vec![0.0; count],
            applied: vec![0.0; count * act],
            next_observations: vec![0.0; count * obs],
            outcomes: vec![Step { reward: 0.0, terminated: false }; count],
            obs,
            act,
            exploration: stream(config.seed, Stream::Exploration),
            horizon,
            step: 0,
            ended: Vec::new(),
        };
        (0..count).for_each(|index| collector.begin(index, agent));
        collector
    }

    /// Where every environment is in its episode, and the random streams. Those of a walk that reads
    /// are as they were made, with an episode just begun.
    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.step)?;
        walk.value(&mut self.exploration)?;
        let observations = self.observations.chunks_exact_mut(self.obs);
        for (index, (slot, observation)) in self.slots.iter_mut().zip(observations).enumerate() {
            let mut state = self.environments.save(index);
            walk.numbers(&mut state)?;
            self.environments.restore(index, &state, observation);
            walk.value(&mut slot.starts)?;
            walk.value(&mut slot.episode_return)?;
            walk.value(&mut slot.length)?;
            slot.pending.walk(walk)?;
        }
        Ok(())
    }

    /// One step of every environment.
    ///
    /// An episode that runs out of time is *truncated*, not terminated: its last transition keeps
    /// the true next observation, and d = 0, so that the target bootstraps from there.
    pub(super) fn step(
        &mut self,
        agent: &mut dyn Algorithm,
        config: &TrainingConfig,
        replay: &mut Replay,
    ) {
        let (obs, act, space) = (self.obs, self.act, agent.action_space());
        if self.step < config.start_steps {
            for action in self.actions.chunks_exact_mut(act) {
                space.random(&mut self.exploration, action);
            }
            if agent.log_likelihoods().is_some() {
                self.log_likelihoods.fill(space.log_likelihood_of_random() as f32);
            }
        } else {
            agent.explore(&self.observations, &mut self.exploration, &mut self.actions);
            if let Some(drawn) = agent.log_likelihoods() {
                self.log_likelihoods.copy_from_slice(drawn);
            }
        }
        self.applied.copy_from_slice(&self.actions);
        let space = agent.action_space();
        self.applied.chunks_exact_mut(act).for_each(|action| space.to_environment(action));
        self.environments.step(&self.applied, &mut self.next_observations, &mut self.outcomes);
        for index in 0..self.slots.len() {
            let (slot, outcome) = (&mut self.slots[index], self.outcomes[index]);
            let observation = &mut self.observations[index * obs..][..obs];
            let next_observation = &self.next_observations[index * obs..][..obs];
            slot.length += 1;
            slot.episode_return += outcome.reward;
            self.step += 1;

            let truncated = slot.length == self.horizon;
            let transition = Transition {
                observation,
                action: &self.actions[index * act..][..act],
                reward: (config.reward_scale * outcome.reward) as f32,
                next_observation,
                not_terminated: match outcome.terminated
                    || truncated && config.truncation_is_terminal
                {
                    true => 0.0,
                    false => 1.0,
                },
                later_entropy: 0.0,
            };
            slot.pending.push(&transition, self.log_likelihoods[index], replay);
            observation.copy_from_slice(next_observation);
            if outcome.terminated || truncated {
                self.end(index, agent, replay);
            }
        }
    }

    /// Ends the episodes that are under way and starts new ones.
    pub(super) fn reset(&mut self, agent: &mut dyn Algorithm, replay: &mut Replay) {
        for index in 0..self.slots.len() {
            if self.slots[index].length > 0 {
                self.end(index, agent, replay);
            }
        }
    }

    fn end(&mut self, index: usize, agent: &mut dyn Algorithm, replay: &mut Replay) {
        let slot = &mut self.slots[index];
        slot.pending.flush(replay);
        let Slot { episode_return, length, .. } = *slot;
        self.ended.push(Ended { step: self.step, episode_return, length });
        self.begin(index, agent);
    }

    fn begin(&mut self, index: usize, agent: &mut dyn Algorithm) {
        let (slot, obs) = (&mut self.slots[index], self.obs);
        let observation = &mut self.observations[index * obs..][..obs];
        self.environments.reset(index, &mut slot.starts, observation);
        (slot.episode_return, slot.length) = (0.0, 0);
        agent.episode_started(index);
    }
}

/// Joins up to n successive transitions into one (see [`crate::interface::Batch`]):
///
/// ```text
/// (s₀, a₀, Σₖ γᵏ rₖ, sₘ, γᵐ⁻¹ (1 − d), −Σₖ₌₁ γᵏ log π(aₖ|sₖ)),  k < m;  m = n, or fewer at the end of an episode
/// ```
struct NStep {
    n: usize,
    discount: f64,
    /// Transitions that still wait for later rewards, oldest first.
    waiting: VecDeque<Waiting>,
    /// s′ and 1 − d of the newest.
    next_observation: Vec<f32>,
    not_terminated: f32,
}

#[derive(Serialize, Deserialize)]
struct Waiting {
    observation: Vec<f32>,
    action: Vec<f32>,
    reward: f32,
    /// log π(a|s), when the action was drawn.
    log_likelihood: f32,
}

impl NStep {
    fn new(n: usize, discount: f64, obs: usize) -> Self {
        let next_observation = vec![0.0; obs];
        NStep { n, discount, waiting: VecDeque::new(), next_observation, not_terminated: 1.0 }
    }

    fn push(&mut self, transition: &Transition<'_>, log_likelihood: f32, replay: &mut Replay) {
        if self.n == 1 {
            return replay.push(transition);
        }
        self.waiting.push_back(Waiting {
            observation: transition.observation.to_vec(),
            action: transition.action.to_vec(),
            reward: transition.reward,
            log_likelihood,
        });
        self.next_observation.copy_from_slice(transition.next_observation);
        self.not_terminated = transition.not_terminated;
        if self.waiting.len() == self.n {
            self.emit(replay);
        }
    }

    /// The episode has ended: what waits for later rewards gets none.
    fn flush(&mut self, replay: &mut Replay) {
        while !self.waiting.is_empty() {
            self.emit(replay);
        }
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.waiting)?;
        let fits = |w: &Waiting| w.observation.len() == self.next_observation.len();
        let fits = self.waiting.len() < self.n && self.waiting.iter().all(fits);
        walk.check("transitions that wait for later rewards", fits)?;
        walk.numbers(&mut self.next_observation)?;
        walk.value(&mut self.not_terminated)
    }

    /// Hands on the oldest.
    fn emit(&mut self, replay: &mut Replay) {
        let discounted = |of: fn(&Waiting) -> f32, first: usize| {
            let later = self.waiting.iter().skip(first).rev();
            later.fold(0.0, |sum, waiting| f64::from(of(waiting)) + self.discount * sum)
        };
        let reward = discounted(|waiting| waiting.reward, 0);
        let later_entropy = -self.discount * discounted(|waiting| waiting.log_likelihood, 1);
        let last = self.waiting.len() as i32 - 1;
        let factor = libm::pow(self.discount, f64::from(last)) as f32;
        let Some(oldest) = self.waiting.pop_front() else { return };
        replay.push(&Transition {
            observation: &oldest.observation,
            action: &oldest.action,
            reward: reward as f32,
            next_observation: &self.next_observation,
            not_terminated: factor * self.not_terminated,
            later_entropy: later_entropy as f32,
        });
    }
}
