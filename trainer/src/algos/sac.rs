//! Soft actor-critic with automatic temperature (SAC; Haarnoja et al., 2018, "Soft Actor-Critic
//! Algorithms and Applications", arXiv:1812.05905).

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, AgentSettings, Draws, Learning, Setup};
use super::exploration::Exploration;
use super::shared::{CriticSettings, Objective, Shared, Targets, Transitions, check_rate, slices};
use super::stochastic::{GaussianSettings, Policy, PolicyForm, PolicySettings};
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::interface::Batch;
use crate::nn::{ActionRange, CriticForm, Layout, Mlp, Twin};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::settings::{ConfigError, check, check_because, from_table};
use crate::state::{StateError, Walk};

/// y = r + γ (1 − d) [minⱼ Q_θ′ⱼ(s′, a′) − α log π(a′|s′)],  a′ ~ π_φ(·|s′)          (eq. 2, 3, 5)
///
/// over n steps with −α γᵏ log π(aₜ₊ₖ|sₜ₊ₖ) for each step k = 1 … n − 1 between, log π when its action was drawn
///
/// L_θ = Σⱼ mean (Q_θⱼ(s, a) − y)²,  given as its two terms
fn critic_losses<'g>(
    n: &Networks,
    c: &Config,
    b: &Transitions<'g>,
    epsilon: Var<'g>,
) -> [Var<'g>; 2] {
    let (next_a, log_pi) = n.actor.sample(b.next_s, epsilon);
    let soft_value = n.target_critic.min(b.next_s, next_a) - n.alpha_times(c, log_pi);
    let y = b.soft_return(|entropy| n.alpha_times(c, entropy))
        + c.shared.gamma * (b.not_terminated * soft_value);
    n.critic.apply(b.s, b.a).map(|q| c.shared.mean_loss(q - y))
}

/// L_φ = mean [α log π(ã|s) − minⱼ Q_θⱼ(s, ã)],  ã ~ π_φ(·|s) reparametrised           (eq. 9)
///
/// and log π(ã|s) `[B, 1]`
fn actor_loss<'g>(n: &Networks, c: &Config, s: Var<'g>, epsilon: Var<'g>) -> (Var<'g>, Var<'g>) {
    let (a, log_pi) = n.actor.sample(s, epsilon);
    ((n.alpha_times(c, log_pi) - n.critic.min(s, a)).mean(), log_pi)
}

/// L_λ = −mean λ (log π(ã|s) + H̄)  or  −mean e^λ (log π(ã|s) + H̄),  α = e^λ          (eq. 18)
fn temperature_loss<'g>(
    c: &Config,
    lambda: Var<'g>,
    log_pi: Var<'g>,
    target_entropy: Var<'g>,
) -> Var<'g> {
    let weight = match c.temperature.alpha_loss {
        AlphaLoss::LogAlpha => lambda,
        AlphaLoss::ExpAlpha => lambda.exp(),
    };
    -(weight * (log_pi + target_entropy)).mean()
}

/// Which function of λ = log α the temperature's loss is linear in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlphaLoss {
    /// λ, with the actions of the actor's step.
    LogAlpha,
    /// e^λ, with actions sampled anew after the actor's step.
    ExpAlpha,
}

/// Settings: the `[agent]` table of a preset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// As every algorithm's.
    #[serde(flatten)]
    pub shared: Shared,
    /// As those of all critics beside an actor.
    #[serde(flatten)]
    pub critics: CriticSettings,
    /// As those of all Gaussian actors.
    #[serde(flatten)]
    pub gaussian: GaussianSettings,
    /// Which policy it is.
    #[serde(flatten)]
    pub policy: PolicySettings,
    /// SAC's own.
    #[serde(flatten)]
    pub temperature: Temperature,
}

/// Settings of the temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// The temperature α, or its first value where it is learnt.
    pub alpha: f64,
    /// Is the temperature learnt?
    pub learn_alpha: bool,
    /// How it is learnt.
    pub alpha_loss: AlphaLoss,
    /// Adam's step size for λ = log α.
    pub alpha_learning_rate: f64,
    /// The entropy, in nats, that the learnt temperature aims at, for each entry of the action: the
    /// paper's −1 makes H̄ = −(entries of the action).
    pub target_entropy_per_action: f64,
    /// What it changes by over the run, linearly; 0 for none.
    pub target_entropy_change: f64,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let (shared, gaussian) = (Shared::from_table(table)?, GaussianSettings::from_table(table)?);
        let policy = PolicySettings::from_table(table)?;
        let t: Temperature = from_table("agent", table)?;
        let alpha = (1e-30..=1e30).contains(&t.alpha) || t.alpha == 0.0 && !t.learn_alpha;
        let needed = "between 1e-30 and 1e30, or 0 where it is not learnt";
        check("agent.alpha", t.alpha, needed, alpha)?;
        let entropy = policy.policy == PolicyForm::Gaussian;
        let (needed, why) = ("0 where the policy is deterministic", "it has no entropy");
        check_because("agent.alpha", t.alpha, needed, why, entropy || t.alpha == 0.0)?;
        check_rate("alpha_learning_rate", t.alpha_learning_rate)?;
        for (key, entropy) in [
            ("agent.target_entropy_per_action", t.target_entropy_per_action),
            ("agent.target_entropy_change", t.target_entropy_change),
        ] {
            check(key, entropy, "between −100 and 100", (-100.0..=100.0).contains(&entropy))?;
        }
        let critics = CriticSettings::from_table(table)?;
        Ok(Config { shared, critics, gaussian, policy, temperature: t })
    }
}

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
struct Networks {
    /// Q_θ₁, Q_θ₂
    critic: Twin,
    /// π_φ
    actor: Policy,
    /// Index of λ = log α.
    lambda: usize,
    /// Q_θ′₁, Q_θ′₂
    target_critic: Twin,
}

impl Networks {
    fn new(layout: &mut Layout, c: &Config, setup: &Setup<'_>) -> Self {
        let sizes = (setup.spec.observation_size(), setup.spec.action_size());
        let (hidden, activation) = (&c.shared.hidden, c.shared.critic_activation(&c.critics));
        let critics =
            |layout: &mut Layout| Twin::new(layout, CriticForm::Plain, sizes, hidden, activation);
        let critic = critics(layout);
        let actor = Policy::new(layout, &c.shared, &c.gaussian, &c.policy, setup);
        Networks { critic, actor, target_critic: critics(layout), lambda: layout.take(1).start }
    }

    /// αx
    fn alpha_times<'g>(&self, c: &Config, x: Var<'g>) -> Var<'g> {
        match c.temperature.learn_alpha {
            true => x.graph().parameter(self.lambda).exp() * x,
            false => c.temperature.alpha * x,
        }
    }
}

/// The losses of SAC and the steps on them.
#[derive(Debug)]
pub struct Sac<P: Program> {
    config: Config,
    networks: Networks,
    critic: Objective<P>,
    actor: Objective<P>,
    /// Only where the temperature is learnt.
    temperature: Option<Objective<P>>,
    /// H̄, the same for each row, `[B, 1]`.
    target_entropy: Vec<P::Scalar>,
    targets: Targets,
}

impl<P: Program> Sac<P> {
    /// A new agent.
    ///
    /// # Errors
    ///
    /// If the settings do not go together, or not with the environment.
    pub fn agent(
        config: Config,
        setup: &Setup<'_>,
        rng: &mut Rng,
    ) -> Result<Agent<P, Self>, ConfigError> {
        let (c, t, spec) = (&config.shared, &config.temperature, setup.spec);
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let mut layout = Layout::default();
        let n = Networks::new(&mut layout, &config, setup);
        let mut params = Params::new(layout.len());
        n.critic.draw(c.initialisation, &mut params, rng);
        n.actor.draw(c.initialisation, &mut params, rng);
        let targets = Targets::new(&mut params, n.critic.range(), n.target_critic.range(), c);
        if t.learn_alpha {
            params.value[n.lambda] = P::Scalar::from_f64(t.alpha).ln();
        }

        let g = Graph::new(setup.batch_size);
        let losses =
            critic_losses(&n, &config, &Transitions::with_entropy(&g, setup), g.input(act));
        let (loss, rate) = (losses[0] + losses[1], c.critic_learning_rate);
        let critic = Objective::new(&g, loss, &losses, n.critic.range(), rate, c)?;

        let g = Graph::new(setup.batch_size);
        let (loss, log_pi) = actor_loss(&n, &config, g.input(obs), g.input(act));
        let (range, rate) = (n.actor.network().range(), config.gaussian.actor_learning_rate);
        let actor = Objective::new(&g, loss, &[log_pi], range, rate, c)?;

        let objective = || {
            let g = Graph::new(setup.batch_size);
            let log_pi = match t.alpha_loss {
                AlphaLoss::LogAlpha => g.input(1),
                AlphaLoss::ExpAlpha => n.actor.sample(g.input(obs), g.input(act)).1,
            };
            let loss = temperature_loss(&config, g.parameter(n.lambda), log_pi, g.input(1));
            let (range, rate) = (n.lambda..n.lambda + 1, t.alpha_learning_rate);
            Objective::new(&g, loss, &[], range, rate, c)
        };
        let temperature = t.learn_alpha.then(objective).transpose()?;

        let actions = config.gaussian.action_space(setup);
        let settings = AgentSettings::new(c, Exploration::Policy);
        let entropy = P::Scalar::from_f64(t.target_entropy_per_action * act as f64);
        let target_entropy = vec![entropy; setup.batch_size];
        let learning =
            Sac { config, networks: n, critic, actor, temperature, target_entropy, targets };
        Agent::new(params, learning, actions, settings, setup)
    }

    fn alpha(&self, params: &Params<P::Scalar>) -> f64 {
        match self.config.temperature.learn_alpha {
            true => params.value[self.networks.lambda].exp().to_f64(),
            false => self.config.temperature.alpha,
        }
    }
}

impl<P: Program> Learning<P> for Sac<P> {
    const METRICS: &'static [&'static str] =
        &["q1_loss", "q2_loss", "actor_loss", "mean_log_pi", "alpha_loss", "alpha"];

    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.actor.greedy(s)
    }

    /// minⱼ Q_θⱼ(s, a) at the greedy a
    fn value<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.critic.min(s, self.greedy(s))
    }

    fn sample<'g>(&self, s: Var<'g>, epsilon: Var<'g>) -> Option<(Var<'g>, Option<Var<'g>>)> {
        let (action, log_pi) = self.networks.actor.sample(s, epsilon);
        Some((action, Some(log_pi)))
    }

    fn draws(&self, entries: usize) -> Draws<P::Scalar> {
        let t = &self.config.temperature;
        let zeros = |taken: bool| vec![P::Scalar::ZERO; if taken { entries } else { 0 }];
        let temperature = zeros(t.learn_alpha && t.alpha_loss == AlphaLoss::ExpAlpha);
        Draws { target: zeros(true), actor: zeros(true), temperature }
    }

    fn step_critics(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    ) {
        let [s, a, r, next_s, not_terminated] = slices(batch);
        let noise = &draws.target[..];
        match batch.later_entropy() {
            [] => self.critic.step(params, &[s, a, r, next_s, not_terminated, noise]),
            later => self.critic.step(params, &[s, a, r, next_s, not_terminated, later, noise]),
        }
    }

    /// The actor against the new critics, then the temperature.
    fn step_actor(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    ) {
        let s = batch.observation();
        self.actor.step(params, &[s, &draws.actor]);
        if let Some(temperature) = &mut self.temperature {
            match self.config.temperature.alpha_loss {
                AlphaLoss::LogAlpha => {
                    temperature.step(params, &[self.actor.kept(0), &self.target_entropy]);
                }
                AlphaLoss::ExpAlpha => {
                    temperature.step(params, &[s, &draws.temperature, &self.target_entropy]);
                }
            }
        }
    }

    fn progressed(&mut self, progress: f64) {
        let t = &self.config.temperature;
        let entropy = t.target_entropy_per_action + progress * t.target_entropy_change;
        let actions = self.networks.actor.actions() as f64;
        self.target_entropy.fill(P::Scalar::from_f64(entropy * actions));
    }

    fn targets(&mut self) -> &mut Targets {
        &mut self.targets
    }

    fn objectives(&mut self) -> [Option<&mut Objective<P>>; 3] {
        [Some(&mut self.critic), Some(&mut self.actor), self.temperature.as_mut()]
    }

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.numbers(&mut self.target_entropy)
    }

    fn metrics(&self, params: &Params<P::Scalar>) -> Vec<f64> {
        let alpha_loss = self.temperature.as_ref().map_or(0.0, Objective::loss);
        let [q1_loss, q2_loss] = [0, 1].map(|j| self.critic.number(j));
        let (actor_loss, mean_log_pi) = (self.actor.loss(), self.actor.mean(0));
        vec![q1_loss, q2_loss, actor_loss, mean_log_pi, alpha_loss, self.alpha(params)]
    }

    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        let n = &self.networks;
        vec![
            ("q1", n.critic.first().layers()),
            ("q2", n.critic.second().layers()),
            ("actor", n.actor.network().layers().to_vec()),
            ("q1_target", n.target_critic.first().layers()),
            ("q2_target", n.target_critic.second().layers()),
        ]
    }

    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head) {
        let actor = &self.networks.actor;
        (AlgorithmId::Sac, actor.network(), actor.head(range))
    }
}
