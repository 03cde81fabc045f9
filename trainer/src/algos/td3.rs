//! Twin delayed deep deterministic policy gradient (TD3; Fujimoto et al., 2018, arXiv:1802.09477,
//! algorithm 1).

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, Draws, Learning, Setup};
use super::deterministic::ActorSettings;
use super::shared::{CriticSettings, Objective, Shared, Targets, Transitions, slices};
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::interface::Batch;
use crate::nn::{ActionRange, Deterministic, Layout, Mlp, Twin};
use crate::noise::{NoiseConfig, NoiseUnit};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::settings::{ConfigError, check, check_because, from_table};
use crate::state::{StateError, Walk};

/// y = r + γ (1 − d) minⱼ Q_θ′ⱼ(s′, ã′),  ã′ = clip(μ_φ′(s′) + clip(σε, ±c) · scale)
///
/// L_θ = Σⱼ mean (Q_θⱼ(s, a) − y)²,  given as its two terms
fn critic_losses<'g>(
    n: &Networks,
    c: &Config,
    b: &Transitions<'g>,
    epsilon: Var<'g>,
) -> [Var<'g>; 2] {
    let td3 = &c.td3;
    let noise = (td3.target_noise_std * epsilon)
        .clamp(-td3.target_noise_clip, td3.target_noise_clip)
        .affine(&n.noise_scale, &[0.0]);
    let next_a = n.target_actor.range.clip(n.target_actor.apply(b.next_s) + noise);
    let next_q = n.target_critic.min(b.next_s, next_a);
    let y = b.r + c.shared.gamma * (b.not_terminated * next_q);
    n.critic.apply(b.s, b.a).map(|q| c.shared.mean_loss(q - y))
}

/// L_φ = −mean Q_θ₁(s, μ_φ(s))
///
/// L_φ = −mean minⱼ Q_θⱼ(s, μ_φ(s))                                        (`actor_critic = "least"`, as SAC's)
fn actor_loss<'g>(n: &Networks, c: &Config, s: Var<'g>) -> Var<'g> {
    let a = n.actor.apply(s);
    let q = match c.td3.actor_critic {
        ActorCritic::First => n.critic.first().apply(s, a),
        ActorCritic::Least => n.critic.min(s, a),
    };
    -q.mean()
}

/// Which of the critics an actor climbs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorCritic {
    /// The first, as in the paper.
    #[default]
    First,
    /// The one that expects less, as SAC does: what only one of them overestimates draws no actor.
    Least,
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
    /// As DDPG's.
    #[serde(flatten)]
    pub actor: ActorSettings,
    /// How it explores.
    #[serde(flatten)]
    pub noise: NoiseConfig,
    /// TD3's own.
    #[serde(flatten)]
    pub td3: Td3Settings,
}

/// Settings that only TD3 has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Td3Settings {
    /// Critic updates to one of the actor and the targets.
    pub policy_delay: usize,
    /// σ of the noise on the target's actions.
    pub target_noise_std: f64,
    /// c, the bound of that noise.
    pub target_noise_clip: f64,
    /// What both are measured in.
    pub target_noise_unit: NoiseUnit,
    /// Which critic the actor climbs.
    #[serde(default)]
    pub actor_critic: ActorCritic,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let (shared, actor) = (Shared::from_table(table)?, ActorSettings::from_table(table)?);
        let td3: Td3Settings = from_table("agent", table)?;
        let delay = (1..=1000).contains(&td3.policy_delay);
        check("agent.policy_delay", td3.policy_delay, "1 to 1000", delay)?;
        let std = (0.0..=1e3).contains(&td3.target_noise_std);
        check("agent.target_noise_std", td3.target_noise_std, "between 0 and 1e3", std)?;
        let clip = (0.0..=1e3).contains(&td3.target_noise_clip);
        check("agent.target_noise_clip", td3.target_noise_clip, "between 0 and 1e3", clip)?;
        let critics = CriticSettings::from_table(table)?;
        Ok(Config { shared, critics, actor, noise: NoiseConfig::from_table(table)?, td3 })
    }
}

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
struct Networks {
    /// Q_θ₁, Q_θ₂
    critic: Twin,
    /// μ_φ
    actor: Deterministic,
    /// Q_θ′₁, Q_θ′₂
    target_critic: Twin,
    /// μ_φ′
    target_actor: Deterministic,
    /// What the target's noise is multiplied by, for each entry of an action.
    noise_scale: Vec<f64>,
}

impl Networks {
    fn new(layout: &mut Layout, c: &Config, setup: &Setup<'_>) -> Self {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        let (hidden, activation) = (&c.shared.hidden, c.shared.critic_activation(&c.critics));
        let mut triple = || {
            let critics = Twin::new(layout, c.actor.critic, (obs, act), hidden, activation);
            (critics, c.actor.actor(layout, &c.shared, setup))
        };
        let ((critic, actor), (target_critic, target_actor)) = (triple(), triple());
        let noise_scale = match c.td3.target_noise_unit {
            NoiseUnit::Scale => actor.range.scale(),
            NoiseUnit::Action => vec![1.0; act],
        };
        Networks { critic, actor, target_critic, target_actor, noise_scale }
    }
}

/// The losses of TD3 and the steps on them.
#[derive(Debug)]
pub struct Td3<P: Program> {
    networks: Networks,
    critic: Objective<P>,
    actor: Objective<P>,
    targets: Targets,
    policy_delay: usize,
    updates: usize,
}

impl<P: Program> Td3<P> {
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
        let delay = config.td3.policy_delay;
        let needed = "1 where updates are separate";
        let (why, delayed) = ("those have a schedule of their own", setup.actor_updates.is_some());
        check_because("agent.policy_delay", delay, needed, why, delay == 1 || !delayed)?;
        let mut layout = Layout::default();
        let n = Networks::new(&mut layout, &config, setup);
        let mut params = Params::new(layout.len());
        n.critic.draw(c.initialisation, &mut params, rng);
        c.initialisation.draw(&mut params, &n.actor.network, 1, rng);
        // Critics and actor lie back to back, and so do their targets.
        let online = n.critic.range().start..n.actor.network.range().end;
        let target = n.target_critic.range().start..n.target_actor.network.range().end;
        let targets = Targets::new(&mut params, online, target, c);

        let g = Graph::new(setup.batch_size);
        let transitions = Transitions::inputs(&g, spec);
        let losses = critic_losses(&n, &config, &transitions, g.input(spec.action_size()));
        let (loss, rate) = (losses[0] + losses[1], c.critic_learning_rate);
        let critic = Objective::new(&g, loss, &losses, n.critic.range(), rate, c)?;
        let g = Graph::new(setup.batch_size);
        let loss = actor_loss(&n, &config, g.input(spec.observation_size()));
        let rate = config.actor.actor_learning_rate;
        let actor = Objective::new(&g, loss, &[], n.actor.network.range(), rate, c)?;

        let actions = config.actor.action_space(setup);
        let settings = config.actor.exploring(c, &config.noise, setup);
        let policy_delay = config.td3.policy_delay;
        let learning = Td3 { networks: n, critic, actor, targets, policy_delay, updates: 0 };
        Agent::new(params, learning, actions, settings, setup)
    }
}

impl<P: Program> Learning<P> for Td3<P> {
    const METRICS: &'static [&'static str] = &["q1_loss", "q2_loss", "actor_loss"];

    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.actor.apply(s)
    }

    /// minⱼ Q_θⱼ(s, μ_φ(s))
    fn value<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.critic.min(s, self.greedy(s))
    }

    fn draws(&self, entries: usize) -> Draws<P::Scalar> {
        Draws { target: vec![P::Scalar::ZERO; entries], ..Draws::default() }
    }

    /// The critics step every time; every `policy_delay`-th time, the first included, so does the
    /// actor, against the new critics, and only then do the targets follow.
    fn step(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    ) {
        self.step_critics(params, batch, draws);
        if self.updates.is_multiple_of(self.policy_delay) {
            self.step_actor(params, batch, draws);
            self.step_targets(params);
        }
        self.updates += 1;
    }

    fn step_critics(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    ) {
        let [s, a, r, next_s, not_terminated] = slices(batch);
        self.critic.step(params, &[s, a, r, next_s, not_terminated, &draws.target]);
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

    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.value(&mut self.updates)
    }

    fn metrics(&self, _params: &Params<P::Scalar>) -> Vec<f64> {
        vec![self.critic.number(0), self.critic.number(1), self.actor.loss()]
    }

    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        let n = &self.networks;
        vec![
            ("q1", n.critic.first().layers()),
            ("q2", n.critic.second().layers()),
            ("actor", n.actor.network.layers().to_vec()),
            ("q1_target", n.target_critic.first().layers()),
            ("q2_target", n.target_critic.second().layers()),
            ("actor_target", n.target_actor.network.layers().to_vec()),
        ]
    }

    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head) {
        let actor = &self.networks.actor;
        (AlgorithmId::Td3, &actor.network, actor.head(range))
    }
}
