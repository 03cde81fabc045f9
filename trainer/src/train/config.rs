//! Settings of the training loop.

use serde::{Deserialize, Serialize};

use crate::settings::{ConfigError, check};

/// The `[training]` table of a preset.
///
/// A run is a sequence of *iterations*: every environment makes `rollout_steps` steps, then the
/// agent makes its updates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Of all random streams.
    pub seed: u64,
    /// Environment steps, of all environments together; rounded up to whole steps of them all.
    pub steps: usize,
    /// Environments stepped together, N.
    pub environments: usize,
    /// Steps of each environment in an iteration.
    pub rollout_steps: usize,
    /// Do all episodes end with the iteration? What it cuts off is neither terminal nor truncated:
    /// targets bootstrap from there.
    pub reset_each_iteration: bool,
    /// Steps with uniformly random actions, at the beginning.
    pub start_steps: usize,
    /// Updates begin after so many steps.
    pub update_after: usize,
    /// Updates in an iteration.
    pub updates_per_iteration: usize,
    /// Are these updates of the critics alone, followed by `actor_updates` of the actor, each from
    /// a minibatch of its own, and at last a single one of the targets? Else each is a whole one.
    pub separate_updates: bool,
    /// Updates of the actor where they are separate.
    pub actor_updates: usize,
    /// Transitions in a minibatch, B.
    pub batch_size: usize,
    /// Transitions that the replay buffer holds.
    pub buffer_size: usize,
    /// Factor to the rewards that the agent learns from; reported returns are without it.
    pub reward_scale: f64,
    /// Steps n in a return r₀ + γ r₁ + … + γⁿ⁻¹ rₙ₋₁ before it bootstraps (Sutton, 1988).
    pub n_step: usize,
    /// Is running out of time learnt as if it were terminal? It should not be.
    pub truncation_is_terminal: bool,
    /// Iterations from one trial of the policy to the next, in the second half of a run, which keeps the best of them; 0: it
    /// keeps the last policy.
    #[serde(default)]
    pub select_every: usize,
}

impl TrainingConfig {
    /// Every value within its range, or an error that names the key.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        let count = |key: &str, value: usize, most: usize| {
            let holds = (1..=most).contains(&value);
            check(&format!("training.{key}"), value, &format!("1 to {most}"), holds)
        };
        check("training.steps", self.steps, "at least 1", self.steps >= 1)?;
        count("environments", self.environments, 1024)?;
        count("rollout_steps", self.rollout_steps, 1_000_000)?;
        count("updates_per_iteration", self.updates_per_iteration, 10_000)?;
        let actor_updates = self.actor_updates <= 10_000;
        check("training.actor_updates", self.actor_updates, "0 to 10000", actor_updates)?;
        count("batch_size", self.batch_size, 65_536)?;
        count("buffer_size", self.buffer_size, 100_000_000)?;
        let fits = self.batch_size <= self.buffer_size;
        check("training.batch_size", self.batch_size, "at most buffer_size", fits)?;
        count("n_step", self.n_step, 1000)?;
        let select = self.select_every <= 1_000_000;
        check("training.select_every", self.select_every, "0 to 1000000", select)?;
        let scale = (1e-9..=1e9).contains(&self.reward_scale);
        check("training.reward_scale", self.reward_scale, "between 1e-9 and 1e9", scale)
    }
}
