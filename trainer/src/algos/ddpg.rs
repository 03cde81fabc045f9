//! Deep deterministic policy gradient (DDPG; Lillicrap et al., 2016, arXiv:1509.02971,
//! algorithm 1).

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::Serialize;

use super::agent::{Agent, Draws, Learning, Setup};
use super::deterministic::ActorSettings;
use super::shared::{CriticSettings, Objective, Shared, Targets, Transitions, slices};
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::interface::Batch;
use crate::nn::{ActionRange, Critic, Deterministic, Layout, Mlp};
use crate::noise::NoiseConfig;
use crate::rng::Rng;
use crate::settings::ConfigError;

/// y = r + γ (1 − d) Q_θ′(s′, μ_φ′(s′))
///
/// L_θ = mean (Q_θ(s, a) − y)²
fn critic_loss<'g>(n: &Networks, c: &Config, b: &Transitions<'g>) -> Var<'g> {
    let next_q = n.target_critic.apply(b.next_s, n.target_actor.apply(b.next_s));
    let y = b.r + c.shared.gamma * (b.not_terminated * next_q);
    c.shared.mean_loss(n.critic.apply(b.s, b.a) - y)
}

/// L_φ = −mean Q_θ(s, μ_φ(s))
fn actor_loss<'g>(n: &Networks, s: Var<'g>) -> Var<'g> {
    -n.critic.apply(s, n.actor.apply(s)).mean()
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
    /// As those of all deterministic actors.
    #[serde(flatten)]
    pub actor: ActorSettings,
    /// How it explores.
    #[serde(flatten)]
    pub noise: NoiseConfig,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let (shared, actor) = (Shared::from_table(table)?, ActorSettings::from_table(table)?);
        let critics = CriticSettings::from_table(table)?;
        Ok(Config { shared, critics, actor, noise: NoiseConfig::from_table(table)? })
    }
}

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
struct Networks {
    /// Q_θ
    critic: Critic,
    /// μ_φ
    actor: Deterministic,
    /// Q_θ′
    target_critic: Critic,
    /// μ_φ′
    target_actor: Deterministic,
}

impl Networks {
    fn new(layout: &mut Layout, c: &Config, setup: &Setup<'_>) -> Self {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        let (hidden, activation) = (&c.shared.hidden, c.shared.critic_activation(&c.critics));
        let mut pair = || {
            let critic = Critic::new(layout, c.actor.critic, (obs, act), hidden, activation);
            (critic, c.actor.actor(layout, &c.shared, setup))
        };
        let ((critic, actor), (target_critic, target_actor)) = (pair(), pair());
        Networks { critic, actor, target_critic, target_actor }
    }
}

/// The losses of DDPG and the steps on them.
#[derive(Debug)]
pub struct Ddpg<P: Program> {
    networks: Networks,
    critic: Objective<P>,
    actor: Objective<P>,
    targets: Targets,
}

impl<P: Program> Ddpg<P> {
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
        let mut layout = Layout::default();
        let n = Networks::new(&mut layout, &config, setup);
        let mut params = Params::new(layout.len());
        n.critic.draw(c.initialisation, &mut params, rng);
        c.initialisation.draw(&mut params, &n.actor.network, 1, rng);
        // Critic and actor lie back to back, and so do their targets.
        let online = n.critic.range().start..n.actor.network.range().end;
        let target = n.target_critic.range().start..n.target_actor.network.range().end;
        let targets = Targets::new(&mut params, online, target, c);

        let g = Graph::new(setup.batch_size);
        let loss = critic_loss(&n, &config, &Transitions::inputs(&g, spec));
        let critic = Objective::new(&g, loss, &[], n.critic.range(), c.critic_learning_rate, c)?;
        let g = Graph::new(setup.batch_size);
        let (loss, rate) =
            (actor_loss(&n, g.input(spec.observation_size())), config.actor.actor_learning_rate);
        let actor = Objective::new(&g, loss, &[], n.actor.network.range(), rate, c)?;

        let actions = config.actor.action_space(setup);
        let settings = config.actor.exploring(c, &config.noise, setup);
        let learning = Ddpg { networks: n, critic, actor, targets };
        Agent::new(params, learning, actions, settings, setup)
    }
}

impl<P: Program> Learning<P> for Ddpg<P> {
    const METRICS: &'static [&'static str] = &["q_loss", "actor_loss"];

    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.actor.apply(s)
    }

    /// Q_θ(s, μ_φ(s))
    fn value<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.critic.apply(s, self.greedy(s))
    }

    fn draws(&self, _entries: usize) -> Draws<P::Scalar> {
        Draws::default()
    }

    fn step_critics(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        _draws: &Draws<P::Scalar>,
    ) {
        self.critic.step(params, &slices(batch));
    }

    fn step_actor(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        _draws: &Draws<P::Scalar>,
    ) {
        self.actor.step(params, &[batch.observation()]);
    }

    fn targets(&mut self) -> &mut Targets {
        &mut self.targets
    }

    fn objectives(&mut self) -> [Option<&mut Objective<P>>; 3] {
        [Some(&mut self.critic), Some(&mut self.actor), None]
    }

    fn metrics(&self, _params: &Params<P::Scalar>) -> Vec<f64> {
        vec![self.critic.loss(), self.actor.loss()]
    }

    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        let n = &self.networks;
        vec![
            ("q", n.critic.layers()),
            ("actor", n.actor.network.layers().to_vec()),
            ("q_target", n.target_critic.layers()),
            ("actor_target", n.target_actor.network.layers().to_vec()),
        ]
    }

    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head) {
        let actor = &self.networks.actor;
        (AlgorithmId::Ddpg, &actor.network, actor.head(range))
    }
}
