//! Random policies of SAC and SAC-V: settings, sampling, export.

use policy_core::Head;
use serde::{Deserialize, Serialize};

use super::agent::Setup;
use super::shared::{Shared, check_rate};
use crate::actions::ActionSpace;
use crate::autodiff::{Params, Var};
use crate::nn::{
    ActionRange, ActorOutput, Deterministic, Initialisation, Layout, LogStdForm, Mlp,
    SquashedGaussian,
};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::settings::{ConfigError, check, from_table};

/// Settings of a Gaussian actor: part of an `[agent]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GaussianSettings {
    /// Adam's step size for the actor.
    pub actor_learning_rate: f64,
    /// How log σ is bounded.
    pub log_std_form: LogStdForm,
    /// Least log σ.
    pub log_std_min: f64,
    /// Largest log σ.
    pub log_std_max: f64,
    /// Do actor and critics deal in actions within [−1, 1]?
    pub normalise_actions: bool,
}

impl GaussianSettings {
    /// Reads and checks these keys of an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let c: GaussianSettings = from_table("agent", table)?;
        check_rate("actor_learning_rate", c.actor_learning_rate)?;
        // e⁴⁰ is a σ far beyond use, and far within f32.
        let max = (-40.0..=40.0).contains(&c.log_std_max);
        check("agent.log_std_max", c.log_std_max, "between −40 and 40", max)?;
        let min = (-40.0..=c.log_std_max).contains(&c.log_std_min);
        check("agent.log_std_min", c.log_std_min, "between −40 and log_std_max", min)?;
        Ok(c)
    }

    /// The actions that the networks deal in.
    pub(super) fn action_space(&self, setup: &Setup<'_>) -> ActionSpace {
        ActionSpace::continuous(setup.spec, self.normalise_actions)
    }

    /// A policy with the hidden layers of the shared settings.
    pub(super) fn policy(
        &self,
        layout: &mut Layout,
        shared: &Shared,
        setup: &Setup<'_>,
    ) -> SquashedGaussian {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        SquashedGaussian {
            network: shared.network(layout, obs, 2 * act),
            range: self.action_space(setup).range(),
            log_std_form: self.log_std_form,
            log_std_bounds: (self.log_std_min, self.log_std_max),
        }
    }
}

/// Settings of SAC's actor besides those of a Gaussian one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicySettings {
    /// What the actor is.
    pub policy: PolicyForm,
    /// σ of the noise of a deterministic policy, in the unit of the actions that it deals in.
    pub noise_std: f64,
    /// The bound of that noise.
    pub noise_clip: f64,
}

/// What an actor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyForm {
    /// A squashed Gaussian, whose σ is learnt.
    Gaussian,
    /// A deterministic policy with noise of a fixed σ: no entropy, α = 0.
    Deterministic,
}

impl PolicySettings {
    /// Reads and checks these keys of an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let c: PolicySettings = from_table("agent", table)?;
        let std = (0.0..=1e3).contains(&c.noise_std);
        check("agent.noise_std", c.noise_std, "between 0 and 1e3", std)?;
        check_rate("noise_clip", c.noise_clip)?;
        Ok(c)
    }
}

/// π_φ
#[derive(Debug, Clone)]
pub(super) enum Policy {
    Gaussian(SquashedGaussian),
    /// a = μ(s) + clip(σε, ±c)
    Deterministic {
        mean: Deterministic,
        std: f64,
        clip: f64,
    },
}

impl Policy {
    pub(super) fn new(
        layout: &mut Layout,
        shared: &Shared,
        gaussian: &GaussianSettings,
        c: &PolicySettings,
        setup: &Setup<'_>,
    ) -> Self {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        match c.policy {
            PolicyForm::Gaussian => Policy::Gaussian(gaussian.policy(layout, shared, setup)),
            PolicyForm::Deterministic => {
                let range = gaussian.action_space(setup).range();
                let (network, output) = (shared.network(layout, obs, act), ActorOutput::Tanh);
                let mean = Deterministic { network, output, range };
                Policy::Deterministic { mean, std: c.noise_std, clip: c.noise_clip }
            }
        }
    }

    /// An action and log π, reparametrised by ε ~ N(0, 1); where there is no density, 0 stands for
    /// its logarithm. `[B, act]` and `[B, 1]`
    pub(super) fn sample<'g>(&self, s: Var<'g>, epsilon: Var<'g>) -> (Var<'g>, Var<'g>) {
        match self {
            Policy::Gaussian(policy) => policy.sample(s, epsilon),
            Policy::Deterministic { mean, std, clip } => {
                let noise = (*std * epsilon).clamp(-clip, *clip);
                (mean.apply(s) + noise, 0.0 * epsilon.sum_columns())
            }
        }
    }

    /// The greedy action, `[B, act]`
    pub(super) fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        match self {
            Policy::Gaussian(policy) => policy.greedy(s),
            Policy::Deterministic { mean, .. } => mean.apply(s),
        }
    }

    /// Entries of an action.
    pub(super) fn actions(&self) -> usize {
        match self {
            Policy::Gaussian(policy) => policy.range.len(),
            Policy::Deterministic { mean, .. } => mean.range.len(),
        }
    }

    pub(super) fn network(&self) -> &Mlp {
        match self {
            Policy::Gaussian(policy) => &policy.network,
            Policy::Deterministic { mean, .. } => &mean.network,
        }
    }

    pub(super) fn draw<T: Scalar>(
        &self,
        initialisation: Initialisation,
        params: &mut Params<T>,
        rng: &mut Rng,
    ) {
        let heads = match self {
            Policy::Gaussian(_) => 2,
            Policy::Deterministic { .. } => 1,
        };
        initialisation.draw(params, self.network(), heads, rng);
    }

    /// What the exported policy does with the network's output where actions lie within
    /// [low, high].
    pub(super) fn head(&self, range: &ActionRange) -> Head {
        match self {
            Policy::Gaussian(policy) => policy.head(range),
            Policy::Deterministic { mean, .. } => mean.head(range),
        }
    }
}
