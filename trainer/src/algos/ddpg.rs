//! Deep deterministic policy gradient (DDPG; Lillicrap et al., 2016, arXiv:1509.02971,
//! algorithm 1).

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, AgentSettings, Exploration, Learning, Noise, Setup};
use super::shared::{Objective, Shared, Targets, Transitions, check_rate, slices};
use crate::actions::ActionSpace;
use crate::autodiff::{Graph, GraphError, Linear, Params, Plan, Program, Var};
use crate::interface::{Algorithm, Batch};
use crate::nn::{ActorOutput, Critic, CriticForm, Deterministic, Layout, Mlp};
use crate::noise::{Noise as ActionNoise, NoiseConfig};
use crate::rng::Rng;
use crate::settings::{ConfigError, check, from_table};

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
    /// As those of all deterministic actors.
    #[serde(flatten)]
    pub actor: ActorSettings,
    /// How it explores.
    #[serde(flatten)]
    pub noise: NoiseConfig,
}

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
        match self.normalise_actions {
            true => ActionSpace::normalised(setup.spec),
            false => ActionSpace::physical(setup.spec),
        }
    }
}

impl Config {
    /// Reads and checks an `[agent]` table.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let (shared, actor) = (Shared::from_table(table)?, ActorSettings::from_table(table)?);
        Ok(Config { shared, actor, noise: NoiseConfig::from_table(table)? })
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
        let (obs, act) = (setup.spec.observation_size, setup.spec.action_size());
        let (shared, (scale, bias)) = (&c.shared, c.actor.action_space(setup).scale_and_bias());
        let mut pair = || {
            let (hidden, activation) = (&shared.hidden, shared.activation);
            let critic = Critic::new(layout, c.actor.critic, (obs, act), hidden, activation);
            let network = shared.network(layout, obs, act);
            let (output, scale, bias) = (c.actor.actor_output, scale.clone(), bias.clone());
            (critic, Deterministic { network, output, scale, bias })
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
    pub fn agent(
        config: Config,
        setup: &Setup<'_>,
        rng: &mut Rng,
    ) -> Result<Agent<P, Self>, GraphError> {
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
            (actor_loss(&n, g.input(spec.observation_size)), config.actor.actor_learning_rate);
        let actor = Objective::new(&g, loss, &[], n.actor.network.range(), rate, c)?;

        let actions = config.actor.action_space(setup);
        let (low, high) = actions.bounds();
        let noise = ActionNoise::new(config.noise.clone(), setup.environments, &low, &high);
        let settings = AgentSettings::new(c, Exploration::Added(noise));
        let learning = Ddpg { networks: n, critic, actor, targets };
        Agent::new(params, learning, actions, settings, setup)
    }
}

impl<P: Program> Learning<P> for Ddpg<P> {
    const METRICS: &'static [&'static str] = &["q_loss", "actor_loss"];

    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.actor.apply(s)
    }

    fn noise(&self, _entries: usize) -> Noise<P::Scalar> {
        Noise::default()
    }

    fn step_critics(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        _noise: &Noise<P::Scalar>,
    ) {
        self.critic.step(params, &slices(batch));
    }

    fn step_actor(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        _noise: &Noise<P::Scalar>,
    ) {
        self.actor.step(params, &[batch.observation()]);
    }

    fn step_targets(&mut self, params: &mut Params<P::Scalar>) {
        self.targets.follow(params);
    }

    fn scale_learning_rates(&mut self, factor: f64) {
        self.critic.scale_learning_rate(factor);
        self.actor.scale_learning_rate(factor);
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

    fn policy(&self, low: &[f64], high: &[f64]) -> (AlgorithmId, &Mlp, Head) {
        let actor = &self.networks.actor;
        (AlgorithmId::Ddpg, &actor.network, actor.head(low, high))
    }
}

/// The agent of an `[agent]` table.
pub(super) fn make(
    agent: &toml::Table,
    setup: &Setup<'_>,
    rng: &mut Rng,
) -> Result<Box<dyn Algorithm>, ConfigError> {
    Ok(Box::new(Ddpg::<Plan>::agent(Config::from_table(agent)?, setup, rng)?))
}
