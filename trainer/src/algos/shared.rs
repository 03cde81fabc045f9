//! What the algorithms have in common: settings, the minibatch within a loss, a loss with its
//! optimiser.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::agent::Setup;
use crate::autodiff::{Graph, GraphError, Params, Program, Var};
use crate::interface::{Batch, Spec};
use crate::nn::{Activation, Adam, AdamConfig, Initialisation, Layout, Mlp};
use crate::scalar::Scalar;
use crate::settings::{ConfigError, check, from_table};
use crate::state::{StateError, Walk};

/// Settings that every algorithm has: part of an `[agent]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shared {
    /// Widths of the hidden layers of every network.
    pub hidden: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// First values of the networks.
    pub initialisation: Initialisation,
    /// Discount γ.
    pub gamma: f64,
    /// Share τ of the online networks in an update of the targets; 1 copies them.
    pub tau: f64,
    /// The targets are updated every so many times that it is their turn, 1 for always.
    pub target_update_interval: usize,
    /// Adam's step size for the critics.
    pub critic_learning_rate: f64,
    /// Factor to all step sizes at the end of the run; they change linearly. 1 for none.
    pub final_learning_rate_factor: f64,
    /// Adam's decay of the mean of gradients.
    pub beta1: f64,
    /// Adam's decay of the mean of squared gradients.
    pub beta2: f64,
    /// Adam's ε.
    pub adam_epsilon: f64,
    /// What is averaged over the critics' errors.
    pub critic_loss: CriticLoss,
    /// δ of Huber's loss.
    pub huber_delta: f64,
    /// Longer gradients of a loss are shortened to this norm, 0 for never.
    pub max_gradient_norm: f64,
}

/// A function of the error Q − y.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CriticLoss {
    /// (Q − y)²
    Squared,
    /// ½(Q − y)² within ±δ, linear beyond
    Huber,
}

/// Settings of critics that stand beside an actor: part of an `[agent]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CriticSettings {
    /// Between the layers of the critics; settings of before there was a choice have none.
    #[serde(default)]
    pub critic_activation: CriticActivation,
}

/// What critics have between their layers. Only the actor is exported: a critic may be smooth, so that
/// it tells small errors of a state at rest, while the actor stays as cheap as ReLUs are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CriticActivation {
    /// What all networks have.
    #[default]
    Same,
    /// max(x, 0)
    Relu,
    /// tanh x
    Tanh,
}

impl CriticSettings {
    /// Reads these keys of an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If one is of the wrong type.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        from_table("agent", table)
    }
}

impl Shared {
    /// Reads and checks these keys of an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let c: Shared = from_table("agent", table)?;
        let hidden = c.hidden.len() <= 7 && c.hidden.iter().all(|w| (1..=4096).contains(w));
        check("agent.hidden", &c.hidden, "at most 7 widths from 1 to 4096", hidden)?;
        check("agent.gamma", c.gamma, "in [0, 1]", (0.0..=1.0).contains(&c.gamma))?;
        check("agent.tau", c.tau, "in (0, 1]", c.tau > 0.0 && c.tau <= 1.0)?;
        let interval = c.target_update_interval;
        check("agent.target_update_interval", interval, "at least 1", interval >= 1)?;
        check_rate("critic_learning_rate", c.critic_learning_rate)?;
        check_share("final_learning_rate_factor", c.final_learning_rate_factor)?;
        // Far below √v of the smallest moments that Adam keeps, a step would be anything.
        let epsilon = (1e-12..=1e3).contains(&c.adam_epsilon);
        check("agent.adam_epsilon", c.adam_epsilon, "between 1e-12 and 1e3", epsilon)?;
        for (key, beta) in [("agent.beta1", c.beta1), ("agent.beta2", c.beta2)] {
            check(key, beta, "in [0, 1)", (0.0..1.0).contains(&beta))?;
        }
        check_rate("huber_delta", c.huber_delta)?;
        let norm = (0.0..=1e30).contains(&c.max_gradient_norm);
        check("agent.max_gradient_norm", c.max_gradient_norm, "from 0", norm)?;
        Ok(c)
    }

    /// Mean of the critics' loss over errors `[B, 1]`.
    pub(super) fn mean_loss<'g>(&self, error: Var<'g>) -> Var<'g> {
        match self.critic_loss {
            CriticLoss::Squared => error.square().mean(),
            CriticLoss::Huber => error.huber(self.huber_delta).mean(),
        }
    }

    /// A network with the hidden layers of these settings.
    pub(super) fn network(&self, layout: &mut Layout, inputs: usize, outputs: usize) -> Mlp {
        Mlp::with_hidden(layout, inputs, &self.hidden, outputs, self.activation)
    }

    /// What critics have between their layers.
    pub(super) fn critic_activation(&self, c: &CriticSettings) -> Activation {
        match c.critic_activation {
            CriticActivation::Same => self.activation,
            CriticActivation::Relu => Activation::Relu,
            CriticActivation::Tanh => Activation::Tanh,
        }
    }

    fn adam(&self, learning_rate: f64) -> AdamConfig {
        AdamConfig {
            learning_rate,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.adam_epsilon,
        }
    }
}

/// An error unless a step size, or the like, is positive and not absurd.
pub(super) fn check_rate(key: &str, rate: f64) -> Result<(), ConfigError> {
    let holds = (1e-30..=1e3).contains(&rate);
    check(&format!("agent.{key}"), rate, "between 1e-30 and 1e3", holds)
}

/// An error unless a share lies within [0, 1].
pub(super) fn check_share(key: &str, share: f64) -> Result<(), ConfigError> {
    check(&format!("agent.{key}"), share, "in [0, 1]", (0.0..=1.0).contains(&share))
}

/// A minibatch within a loss: s, a, r, s′, 1 − d, `[B, ·]`.
pub(super) struct Transitions<'g> {
    pub(super) s: Var<'g>,
    pub(super) a: Var<'g>,
    pub(super) r: Var<'g>,
    pub(super) next_s: Var<'g>,
    pub(super) not_terminated: Var<'g>,
    /// −Σₖ γᵏ log π(aₜ₊ₖ|sₜ₊ₖ), where the critics' target has it.
    pub(super) later_entropy: Option<Var<'g>>,
}

impl<'g> Transitions<'g> {
    /// The first five inputs of a program.
    pub(super) fn inputs(g: &'g Graph, spec: &Spec) -> Self {
        let (obs, act) = (spec.observation_size(), spec.action_size());
        Transitions {
            s: g.input(obs),
            a: g.input(act),
            r: g.input(1),
            next_s: g.input(obs),
            not_terminated: g.input(1),
            later_entropy: None,
        }
    }

    /// The same, and then the later entropy where transitions span several steps.
    pub(super) fn with_entropy(g: &'g Graph, setup: &Setup<'_>) -> Self {
        let transitions = Transitions::inputs(g, setup.spec);
        Transitions { later_entropy: (setup.n_step > 1).then(|| g.input(1)), ..transitions }
    }

    /// Σₖ γᵏ rₖ − α Σₖ γᵏ log π(aₜ₊ₖ|sₜ₊ₖ), the second sum from k = 1 on, with the present α.
    pub(super) fn soft_return(&self, alpha_times: impl FnOnce(Var<'g>) -> Var<'g>) -> Var<'g> {
        match self.later_entropy {
            Some(entropy) => self.r + alpha_times(entropy),
            None => self.r,
        }
    }
}

/// The slices of a minibatch, in the order of [`Transitions::inputs`].
pub(super) fn slices<'a, T>(batch: &Batch<'a, T>) -> [&'a [T]; 5] {
    [
        batch.observation(),
        batch.action(),
        batch.reward(),
        batch.next_observation(),
        batch.not_terminated(),
    ]
}

/// A loss with the optimiser of its parameters.
#[derive(Debug)]
pub struct Objective<P: Program> {
    program: P,
    adam: Adam<P::Scalar>,
    max_gradient_norm: f64,
}

impl<P: Program> Objective<P> {
    /// Minimises `loss` over a range of the parameters; `keep` can be read after a step.
    pub(super) fn new(
        graph: &Graph,
        loss: Var<'_>,
        keep: &[Var<'_>],
        range: Range<usize>,
        learning_rate: f64,
        c: &Shared,
    ) -> Result<Self, GraphError> {
        Ok(Objective {
            program: graph.compile(Some(loss), std::slice::from_ref(&range), keep)?,
            adam: Adam::new(c.adam(learning_rate), range),
            max_gradient_norm: c.max_gradient_norm,
        })
    }

    /// One step of the optimiser.
    pub(super) fn step(&mut self, params: &mut Params<P::Scalar>, inputs: &[&[P::Scalar]]) {
        self.program.run(params, inputs);
        if self.max_gradient_norm > 0.0 {
            params.clip_gradient(self.adam.range(), self.max_gradient_norm);
        }
        self.adam.step(params);
    }

    /// The step size is its configured one times `factor` from now on.
    pub(super) fn scale_learning_rate(&mut self, factor: f64) {
        self.adam.scale_learning_rate(factor);
    }

    /// Its optimiser, and what can be read after a step.
    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        self.adam.walk(walk)?;
        self.program.walk(walk)
    }

    /// The loss before the last step.
    pub(super) fn loss(&self) -> f64 {
        self.program.loss().to_f64()
    }

    /// The kept value of that index before the last step.
    pub(super) fn kept(&self, index: usize) -> &[P::Scalar] {
        self.program.kept(index)
    }

    /// A kept single number.
    pub(super) fn number(&self, index: usize) -> f64 {
        self.program.kept(index)[0].to_f64()
    }

    /// The mean of a kept value.
    pub(super) fn mean(&self, index: usize) -> f64 {
        let kept = self.program.kept(index);
        kept.iter().map(|x| x.to_f64()).sum::<f64>() / kept.len() as f64
    }
}

/// When and how the targets follow the online networks.
#[derive(Debug)]
pub struct Targets {
    online: Range<usize>,
    target: Range<usize>,
    tau: f64,
    interval: usize,
    turns: usize,
}

impl Targets {
    /// Targets that start as copies.
    pub(super) fn new<T: Scalar>(
        params: &mut Params<T>,
        online: Range<usize>,
        target: Range<usize>,
        c: &Shared,
    ) -> Self {
        params.soft_update(&online, &target, T::ONE);
        Targets { online, target, tau: c.tau, interval: c.target_update_interval, turns: 0 }
    }

    /// Whose turn it is.
    pub(super) fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.turns)
    }

    /// θ′ ← τθ + (1 − τ)θ′, every so many times.
    pub(super) fn follow<T: Scalar>(&mut self, params: &mut Params<T>) {
        self.turns += 1;
        if self.turns.is_multiple_of(self.interval) {
            params.soft_update(&self.online, &self.target, T::from_f64(self.tau));
        }
    }
}
