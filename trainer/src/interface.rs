//! What everything below and above agrees on: environments, algorithms, batches.

mod by_hand;
mod side_by_side;

pub(crate) use by_hand::within;
pub use by_hand::{ByHand, Grip, Parameter};
pub use side_by_side::{Alone, Environments};

use ndarray::{ArrayView1, ArrayView2};
use policy_core::{Algorithm as AlgorithmId, Head, format};

use crate::actions::ActionSpace;
use crate::autodiff::Params;
use crate::nn::{ActionRange, Mlp};
use crate::rng::Rng;
use crate::state::{StateError, Walk};

/// One entry of an observation or an action: name, unit, range.
pub type Channel = format::Channel<'static>;

/// An entry with values from `low` to `high`, in its unit; ∓∞ where it has no bound. Policies carry it as it is here.
pub const fn channel(name: &'static str, unit: &'static str, low: f32, high: f32) -> Channel {
    Channel { name, unit, low, high }
}

/// What an environment is, apart from its physics.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its name in presets and policies.
    pub name: &'static str,
    /// The entries of an observation.
    pub observation: Vec<Channel>,
    /// Entries of an internal state, as [`Environment::restore`] takes it.
    pub state_size: usize,
    /// The entries of an action, whose ranges are bounded.
    pub action: Vec<Channel>,
    /// Steps after which an episode is truncated.
    pub horizon: usize,
    /// Time between two actions, in s.
    pub period: f64,
}

impl Spec {
    /// Entries of an observation.
    pub fn observation_size(&self) -> usize {
        self.observation.len()
    }

    /// Entries of an action.
    pub fn action_size(&self) -> usize {
        self.action.len()
    }

    /// The range of each action entry, in its unit.
    pub fn action_range(&self) -> ActionRange {
        let ends = self.action.iter().map(|entry| (f64::from(entry.low), f64::from(entry.high)));
        let (low, high) = ends.unzip();
        ActionRange { low, high }
    }
}

/// What a step of an environment gives besides the next observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// r
    pub reward: f64,
    /// Is the new state terminal? Running out of time is not: the training loop knows of time.
    pub terminated: bool,
}

/// A machine: it knows physics, not time limits and not networks.
pub trait Environment {
    /// What it is.
    fn spec(&self) -> &Spec;

    /// Starts an episode in a random state and writes its observation `[observation_size]`.
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f32]);

    /// Starts an episode in the given state `[state_size]` and writes its observation.
    fn restore(&mut self, state: &[f64], observation: &mut [f32]);

    /// The internal state `[state_size]`, as [`Environment::restore`] takes it.
    fn save(&self) -> Vec<f64>;

    /// Applies an action `[action_size]` for one period and writes the next observation.
    fn step(&mut self, action: &[f32], observation: &mut [f32]) -> Step;

    /// The same machine for a person's hands; `None` where it has nothing for them.
    fn by_hand(&mut self) -> Option<&mut dyn ByHand> {
        None
    }
}

/// A minibatch of transitions (s, a, r, s′, 1 − d), row-major. Where a transition spans m steps
/// (n-step returns), r is Σₖ γᵏ rₖ, s′ lies m steps ahead, and γᵐ⁻¹ (1 − d) stands for 1 − d: one
/// formula, r + γ (1 − d) V(s′), serves both. What such a return leaves out is corrected for nothing: actions after the first
/// one are those of the policy that collected them.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, T> {
    observation: &'a [T],
    action: &'a [T],
    reward: &'a [T],
    next_observation: &'a [T],
    not_terminated: &'a [T],
    later_entropy: &'a [T],
}

/// The arrays of a batch do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a batch needs row-major arrays of one length: {name} has shape {shape:?}, rewards have {batch} entries"
)]
pub struct BatchError {
    name: &'static str,
    shape: Vec<usize>,
    batch: usize,
}

impl<'a, T> Batch<'a, T> {
    /// A batch of s `[B, obs]`, a `[B, act]`, r `[B]`, s′ `[B, obs]` and 1 − d `[B]`, where d is 1
    /// for a terminal s′, and 0 where only the time ran out.
    ///
    /// # Errors
    ///
    /// If the number of rows differs, or an array does not lie in memory row by row.
    pub fn new(
        observation: ArrayView2<'a, T>,
        action: ArrayView2<'a, T>,
        reward: ArrayView1<'a, T>,
        next_observation: ArrayView2<'a, T>,
        not_terminated: ArrayView1<'a, T>,
    ) -> Result<Self, BatchError> {
        let batch = reward.len();
        let error = |name, shape: &[usize]| BatchError { name, shape: shape.to_vec(), batch };
        let matrix = |name, array: ArrayView2<'a, T>| match array.to_slice() {
            Some(slice) if array.nrows() == batch => Ok(slice),
            _ => Err(error(name, array.shape())),
        };
        let vector = |name, array: ArrayView1<'a, T>| match array.to_slice() {
            Some(slice) if array.len() == batch => Ok(slice),
            _ => Err(error(name, array.shape())),
        };
        Ok(Batch {
            observation: matrix("observation", observation)?,
            action: matrix("action", action)?,
            reward: vector("reward", reward)?,
            next_observation: matrix("next_observation", next_observation)?,
            not_terminated: vector("not_terminated", not_terminated)?,
            later_entropy: &[],
        })
    }

    /// The same with −Σₖ γᵏ log π(aₜ₊ₖ|sₜ₊ₖ) `[B]` over the steps k = 1 … m − 1 of each transition, for agents that have
    /// [`Algorithm::log_likelihoods`].
    ///
    /// # Errors
    ///
    /// If the number of rows differs, or the array does not lie in memory row by row.
    pub fn with_later_entropy(self, later_entropy: ArrayView1<'a, T>) -> Result<Self, BatchError> {
        match later_entropy.to_slice() {
            Some(slice) if slice.len() == self.reward.len() => {
                Ok(Batch { later_entropy: slice, ..self })
            }
            _ => Err(BatchError {
                name: "later_entropy",
                shape: later_entropy.shape().to_vec(),
                batch: self.reward.len(),
            }),
        }
    }

    /// s `[B, obs]`
    pub fn observation(&self) -> &'a [T] {
        self.observation
    }

    /// a `[B, act]`
    pub fn action(&self) -> &'a [T] {
        self.action
    }

    /// r `[B]`
    pub fn reward(&self) -> &'a [T] {
        self.reward
    }

    /// s′ `[B, obs]`
    pub fn next_observation(&self) -> &'a [T] {
        self.next_observation
    }

    /// 1 − d `[B]`
    pub fn not_terminated(&self) -> &'a [T] {
        self.not_terminated
    }

    /// −Σₖ γᵏ log π(aₜ₊ₖ|sₜ₊ₖ) `[B]`, or nothing where it was not given.
    pub fn later_entropy(&self) -> &'a [T] {
        self.later_entropy
    }
}

/// A number that an update reports.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its name, such as `q1_loss`.
    pub name: &'static str,
    /// Its value at the last update.
    pub value: f64,
}

/// What export needs of an algorithm: the network that acts, and what its output means.
#[derive(Debug)]
pub struct PolicyNetwork<'a> {
    /// The algorithm.
    pub algorithm: AlgorithmId,
    /// All parameters of the agent.
    pub params: &'a Params<f32>,
    /// The network that acts.
    pub network: &'a Mlp,
    /// From its output to an action.
    pub head: Head,
}

/// A learning algorithm: it knows losses, not environments, logs or files.
pub trait Algorithm: Send {
    /// The form of the actions that it explores and learns from.
    fn action_space(&self) -> &ActionSpace;

    /// γ, for returns over several steps.
    fn discount(&self) -> f64;

    /// Writes the greedy action `[action_size]`, in the environment's units, for an observation
    /// `[observation_size]`.
    fn act(&mut self, observation: &[f32], action: &mut [f32]);

    /// Writes actions `[N, action_size]` of its action space for collecting experience in as many
    /// environments as it was made for, from their observations `[N, observation_size]`.
    fn explore(&mut self, observations: &[f32], rng: &mut Rng, actions: &mut [f32]);

    /// log π(a|s) `[N]` of the actions that [`Algorithm::explore`] drew last, where its returns over several steps have
    /// bonuses for them; `None`, always, where they have not.
    fn log_likelihoods(&self) -> Option<&[f32]> {
        None
    }

    /// An episode begins in an environment.
    fn episode_started(&mut self, _environment: usize) {}

    /// An iteration (some steps, then some updates) has ended; `progress` is the share of the run
    /// that is over, from 0 to 1. For whatever decays.
    fn iteration_ended(&mut self, _progress: f64) {}

    /// One whole update from one minibatch: critics, actor, targets.
    fn update(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng);

    /// A step of the critics alone.
    fn update_critics(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng);

    /// A step of the actor alone, and of what goes with it; nothing where there is none.
    fn update_actor(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng);

    /// The targets follow.
    fn update_targets(&mut self);

    /// What the last update reports, always the same names in the same order.
    fn metrics(&self) -> Vec<Metric>;

    /// Are the losses of the last update finite?
    fn losses_are_finite(&mut self) -> bool;

    /// What the critics make of an observation `[observation_size]` from which the greedy policy acts: the
    /// discounted sum of the rewards that it learns from, for SAC with its bonus for entropy.
    fn value(&mut self, observation: &[f32]) -> f32;

    /// The networks alone.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds another agent's.
    fn walk_networks(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError>;

    /// All that changes as it explores and learns.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds another agent's.
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError>;

    /// All parameters: every network, online and target.
    fn parameters(&self) -> &Params<f32>;

    /// The network to export.
    fn policy(&self) -> PolicyNetwork<'_>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2};

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        let (s, a) = (Array2::<f32>::zeros((4, 3)), Array2::<f32>::zeros((4, 1)));
        let (r, short) = (Array1::<f32>::zeros(4), Array1::<f32>::zeros(3));
        assert!(Batch::new(s.view(), a.view(), r.view(), s.view(), r.view()).is_ok());
        let error = Batch::new(s.view(), a.view(), r.view(), s.view(), short.view()).unwrap_err();
        assert_eq!(error.name, "not_terminated");
        let error = Batch::new(s.t(), a.view(), r.view(), s.view(), r.view()).unwrap_err();
        assert_eq!(error.shape, [3, 4]);
    }
}
