//! Soft actor-critic with a value network (SAC-V; Haarnoja et al., 2018, "Soft Actor-Critic:
//! Off-Policy Maximum Entropy Deep Reinforcement Learning with a Stochastic Actor",
//! arXiv:1801.01290, algorithm 1).

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, AgentSettings, Draws, Learning, Setup};
use super::exploration::Exploration;
use super::shared::{CriticSettings, Objective, Shared, Targets, Transitions, check_rate, slices};
use super::stochastic::GaussianSettings;
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::interface::Batch;
use crate::nn::{ActionRange, CriticForm, Layout, Mlp, SquashedGaussian, Twin};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::settings::{ConfigError, check, from_table};

/// y_Q = r + γ (1 − d) V_ψ′(s′)                                                           (eq. 8)
///
/// over n steps with −α γᵏ log π(aₜ₊ₖ|sₜ₊ₖ) for each step k = 1 … n − 1 between, log π when its action was drawn
///
/// L_θ = Σⱼ mean (Q_θⱼ(s, a) − y_Q)²,  given as its two terms                             (eq. 7)
fn critic_losses<'g>(n: &Networks, c: &Config, b: &Transitions<'g>) -> [Var<'g>; 2] {
    let y = b.soft_return(|entropy| c.value.alpha * entropy)
        + c.shared.gamma * (b.not_terminated * n.target_value.apply(b.next_s));
    n.critic.apply(b.s, b.a).map(|q| c.shared.mean_loss(q - y))
}

/// L_φ = mean [α log π(ã|s) − minⱼ Q_θⱼ(s, ã)] + reg · (mean μ² + mean log²σ)             (eq. 12)
///
/// with log π(ã|s) and y_V = minⱼ Q_θⱼ(s, ã) − α log π(ã|s), `[B, 1]`                      (eq. 3)
fn actor_loss<'g>(n: &Networks, c: &Config, s: Var<'g>, epsilon: Var<'g>) -> [Var<'g>; 3] {
    let (mean, log_std) = n.actor.distribution(s);
    let (a, log_pi) = n.actor.sample_from(mean, log_std, epsilon);
    let y = n.critic.min(s, a) - c.value.alpha * log_pi;
    let regulariser = mean.square().mean() + log_std.square().mean();
    [-y.mean() + c.value.regulariser * regulariser, log_pi, y]
}

/// L_ψ = mean (V_ψ(s) − y_V)²                                                             (eq. 5)
fn value_loss<'g>(n: &Networks, c: &Config, s: Var<'g>, y: Var<'g>) -> Var<'g> {
    c.shared.mean_loss(n.value.apply(s) - y)
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
    /// As SAC's.
    #[serde(flatten)]
    pub gaussian: GaussianSettings,
    /// SAC-V's own.
    #[serde(flatten)]
    pub value: ValueSettings,
}

/// Settings that only SAC-V has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ValueSettings {
    /// The temperature α.
    pub alpha: f64,
    /// Adam's step size for V.
    pub value_learning_rate: f64,
    /// Weight of the regulariser, 0 for none.
    pub regulariser: f64,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let (shared, gaussian) = (Shared::from_table(table)?, GaussianSettings::from_table(table)?);
        let value: ValueSettings = from_table("agent", table)?;
        let alpha = (0.0..=1e30).contains(&value.alpha);
        check("agent.alpha", value.alpha, "between 0 and 1e30", alpha)?;
        check_rate("value_learning_rate", value.value_learning_rate)?;
        let regulariser = (0.0..=1e3).contains(&value.regulariser);
        check("agent.regulariser", value.regulariser, "between 0 and 1e3", regulariser)?;
        let critics = CriticSettings::from_table(table)?;
        Ok(Config { shared, critics, gaussian, value })
    }
}

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
struct Networks {
    /// Q_θ₁, Q_θ₂
    critic: Twin,
    /// π_φ
    actor: SquashedGaussian,
    /// V_ψ
    value: Mlp,
    /// V_ψ′
    target_value: Mlp,
}

impl Networks {
    fn new(layout: &mut Layout, c: &Config, setup: &Setup<'_>) -> Self {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        let (hidden, activation) = (&c.shared.hidden, c.shared.critic_activation(&c.critics));
        let critic = Twin::new(layout, CriticForm::Plain, (obs, act), hidden, activation);
        let actor = c.gaussian.policy(layout, &c.shared, setup);
        let [value, target_value] =
            [(); 2].map(|()| Mlp::with_hidden(layout, obs, hidden, 1, activation));
        Networks { critic, actor, value, target_value }
    }
}

/// The losses of SAC-V and the steps on them.
#[derive(Debug)]
pub struct SacV<P: Program> {
    networks: Networks,
    critic: Objective<P>,
    actor: Objective<P>,
    value: Objective<P>,
    targets: Targets,
}

impl<P: Program> SacV<P> {
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
        let (c, spec) = (&config.shared, setup.spec);
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let mut layout = Layout::default();
        let n = Networks::new(&mut layout, &config, setup);
        let mut params = Params::new(layout.len());
        n.critic.draw(c.initialisation, &mut params, rng);
        c.initialisation.draw(&mut params, &n.actor.network, 2, rng);
        c.initialisation.draw(&mut params, &n.value, 1, rng);
        let targets = Targets::new(&mut params, n.value.range(), n.target_value.range(), c);

        let g = Graph::new(setup.batch_size);
        let losses = critic_losses(&n, &config, &Transitions::with_entropy(&g, setup));
        let (loss, rate) = (losses[0] + losses[1], c.critic_learning_rate);
        let critic = Objective::new(&g, loss, &losses, n.critic.range(), rate, c)?;

        let g = Graph::new(setup.batch_size);
        let [loss, log_pi, y] = actor_loss(&n, &config, g.input(obs), g.input(act));
        let (range, rate) = (n.actor.network.range(), config.gaussian.actor_learning_rate);
        let actor = Objective::new(&g, loss, &[log_pi, y], range, rate, c)?;

        let g = Graph::new(setup.batch_size);
        let loss = value_loss(&n, &config, g.input(obs), g.input(1));
        let (range, rate) = (n.value.range(), config.value.value_learning_rate);
        let value = Objective::new(&g, loss, &[], range, rate, c)?;

        let actions = config.gaussian.action_space(setup);
        let settings = AgentSettings::new(c, Exploration::Policy);
        let learning = SacV { networks: n, critic, actor, value, targets };
        Agent::new(params, learning, actions, settings, setup)
    }
}

impl<P: Program> Learning<P> for SacV<P> {
    const METRICS: &'static [&'static str] =
        &["q1_loss", "q2_loss", "v_loss", "actor_loss", "mean_log_pi"];

    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.actor.greedy(s)
    }

    /// V_ψ(s)
    fn value<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.value.apply(s)
    }

    fn sample<'g>(&self, s: Var<'g>, epsilon: Var<'g>) -> Option<(Var<'g>, Option<Var<'g>>)> {
        let (action, log_pi) = self.networks.actor.sample(s, epsilon);
        Some((action, Some(log_pi)))
    }

    fn draws(&self, entries: usize) -> Draws<P::Scalar> {
        Draws { actor: vec![P::Scalar::ZERO; entries], ..Draws::default() }
    }

    fn step_critics(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        _draws: &Draws<P::Scalar>,
    ) {
        let [s, a, r, next_s, not_terminated] = slices(batch);
        match batch.later_entropy() {
            [] => self.critic.step(params, &[s, a, r, next_s, not_terminated]),
            later => self.critic.step(params, &[s, a, r, next_s, not_terminated, later]),
        }
    }

    /// The actor against the new critics, then V towards the values of the actor's step.
    fn step_actor(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    ) {
        self.actor.step(params, &[batch.observation(), &draws.actor]);
        self.value.step(params, &[batch.observation(), self.actor.kept(1)]);
    }

    fn targets(&mut self) -> &mut Targets {
        &mut self.targets
    }

    fn objectives(&mut self) -> [Option<&mut Objective<P>>; 3] {
        [Some(&mut self.critic), Some(&mut self.actor), Some(&mut self.value)]
    }

    fn metrics(&self, _params: &Params<P::Scalar>) -> Vec<f64> {
        let [q1_loss, q2_loss] = [0, 1].map(|j| self.critic.number(j));
        vec![q1_loss, q2_loss, self.value.loss(), self.actor.loss(), self.actor.mean(0)]
    }

    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        let n = &self.networks;
        vec![
            ("q1", n.critic.first().layers()),
            ("q2", n.critic.second().layers()),
            ("actor", n.actor.network.layers().to_vec()),
            ("v", n.value.layers().to_vec()),
            ("v_target", n.target_value.layers().to_vec()),
        ]
    }

    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head) {
        let actor = &self.networks.actor;
        (AlgorithmId::SacV, &actor.network, actor.head(range))
    }
}
