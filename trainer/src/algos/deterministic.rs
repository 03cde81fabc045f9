//! The deterministic actors of DDPG and TD3: settings, exploring.

use serde::{Deserialize, Serialize};

use super::agent::{AgentSettings, Setup};
use super::exploration::Exploration;
use super::shared::{Shared, check_rate};
use crate::actions::ActionSpace;
use crate::nn::{ActorOutput, CriticForm, Deterministic, Layout};
use crate::noise::{Noise, NoiseConfig};
use crate::settings::{ConfigError, check, from_table};

/// Settings of a deterministic actor and its critics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActorSettings {
    /// Adam's step size for the actor.
    pub actor_learning_rate: f64,
    /// How the actor's output is bounded.
    pub actor_output: ActorOutput,
    /// How states and actions meet in a critic.
    pub critic: CriticForm,
    /// Do actor and critics deal in actions within [−1, 1]?
    pub normalise_actions: bool,
}

impl ActorSettings {
    /// Reads and checks these keys of an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let c: ActorSettings = from_table("agent", table)?;
        check_rate("actor_learning_rate", c.actor_learning_rate)?;
        let needed = "tanh where actions are normalised";
        let tanh = c.actor_output == ActorOutput::Tanh;
        check("agent.actor_output", c.actor_output, needed, tanh || !c.normalise_actions)?;
        Ok(c)
    }

    /// The actions that the networks deal in.
    pub(super) fn action_space(&self, setup: &Setup<'_>) -> ActionSpace {
        ActionSpace::continuous(setup.spec, self.normalise_actions)
    }

    /// A policy with the hidden layers of the shared settings.
    pub(super) fn actor(
        &self,
        layout: &mut Layout,
        shared: &Shared,
        setup: &Setup<'_>,
    ) -> Deterministic {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        let (network, output) = (shared.network(layout, obs, act), self.actor_output);
        Deterministic { network, output, range: self.action_space(setup).range() }
    }

    /// An agent that adds noise to the actor's actions.
    pub(super) fn exploring(
        &self,
        shared: &Shared,
        noise: &NoiseConfig,
        setup: &Setup<'_>,
    ) -> AgentSettings {
        let range = self.action_space(setup).range();
        let noise = Noise::new(noise.clone(), setup.environments, &range);
        AgentSettings::new(shared, Exploration::Added(noise))
    }
}
