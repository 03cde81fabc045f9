//! Three steps from DDPG towards soft actor-critic, with a target policy and an unsquashed
//! Gaussian: SAC-M1 (a random policy), SAC-M2 (two critics), SAC-M3 (an entropy bonus). They are
//! the milestones of a course's exercise, of which the presets `hw2-sac-*` are the settings; for
//! the published algorithm see [`super::sac`].

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, AgentSettings, Draws, Learning, Setup};
use super::exploration::Exploration;
use super::shared::{CriticSettings, Objective, Shared, Targets, Transitions, check_rate, slices};
use crate::actions::ActionSpace;
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::interface::Batch;
use crate::nn::{ActionRange, ClampedGaussian, Critic, CriticForm, Layout, Mlp};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::settings::{ConfigError, check, check_because, from_table};

/// y = r + γ (1 − d) minⱼ Q_θ′ⱼ(s′, a′),  a′ ~ π_φ′(·|s′), the *target* policy          (M1, M2)
///
/// y = r + (γ minⱼ Q_θ′ⱼ(s′, a′) + α H(π_φ(·|s′))) (1 − d), H of the *online* policy   (M3, code)
///
/// y = r + γ (1 − d) (minⱼ Q_θ′ⱼ(s′, a′) + α H(π_φ(·|s′)))                             (M3, text)
///
/// L_θ = Σⱼ mean (Q_θⱼ(s, a) − y)²
fn critic_loss<'g>(n: &Networks, c: &Config, b: &Transitions<'g>, epsilon: Var<'g>) -> Var<'g> {
    let (mean, std) = n.target_actor.distribution(b.next_s);
    let next_a = n.target_actor.sample_from(mean, std, epsilon);
    let next_q = least(&n.target_critic, b.next_s, next_a);
    let (gamma, m) = (c.shared.gamma, &c.milestone);
    let bonus = || m.alpha * n.actor.entropy(n.actor.distribution(b.next_s).1);
    let discounted = match (m.milestone, m.entropy_form) {
        (Milestone::M1 | Milestone::M2, _) => gamma * next_q,
        (Milestone::M3, EntropyForm::Code) => gamma * next_q + bonus(),
        (Milestone::M3, EntropyForm::Text) => gamma * (next_q + bonus()),
    };
    let y = b.r + discounted * b.not_terminated;
    let losses = n.critic.iter().map(|q| c.shared.mean_loss(q.apply(b.s, b.a) - y));
    losses.reduce(|sum, loss| sum + loss).expect("there is a critic")
}

/// L_φ = −mean Q_θ₁(s, ã),  ã ~ π_φ(·|s) reparametrised                                  (M1, M2)
///
/// L_φ = −mean [Q_θ₁(s, ã) + α H(π_φ(·|s))]                                                  (M3)
///
/// and σ `[B, act]`
fn actor_loss<'g>(n: &Networks, c: &Config, s: Var<'g>, epsilon: Var<'g>) -> [Var<'g>; 2] {
    let (mean, std) = n.actor.distribution(s);
    let q = n.critic[0].apply(s, n.actor.sample_from(mean, std, epsilon));
    let value = match c.milestone.milestone {
        Milestone::M1 | Milestone::M2 => q,
        Milestone::M3 => q + c.milestone.alpha * n.actor.entropy(std),
    };
    [-value.mean(), std]
}

/// minⱼ Q_θⱼ(s, a)
fn least<'g>(critics: &[Critic], s: Var<'g>, a: Var<'g>) -> Var<'g> {
    critics.iter().map(|q| q.apply(s, a)).reduce(Var::min).expect("there is a critic")
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
    /// Their own.
    #[serde(flatten)]
    pub milestone: MilestoneSettings,
}

/// Settings that only SAC-M1 to SAC-M3 have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MilestoneSettings {
    /// Which of the three.
    pub milestone: Milestone,
    /// Adam's step size for the actor.
    pub actor_learning_rate: f64,
    /// Weight α of the entropy; only M3 has one.
    pub alpha: f64,
    /// Where γ stands in M3's target.
    pub entropy_form: EntropyForm,
    /// Least σ of the policy, in the action's unit.
    pub std_min: f64,
    /// Largest σ of the policy, in the action's unit.
    pub std_max: f64,
}

/// How far from DDPG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Milestone {
    /// One critic, a random policy.
    M1,
    /// Two critics.
    M2,
    /// Two critics and an entropy bonus.
    M3,
}

/// Where γ stands in M3's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntropyForm {
    /// γ min Q + α H, as the source computes it.
    Code,
    /// γ (min Q + α H), as the source explains it.
    Text,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let shared = Shared::from_table(table)?;
        let m: MilestoneSettings = from_table("agent", table)?;
        check_rate("actor_learning_rate", m.actor_learning_rate)?;
        check("agent.alpha", m.alpha, "between 0 and 1e3", (0.0..=1e3).contains(&m.alpha))?;
        check_rate("std_max", m.std_max)?;
        let least = (1e-30..=m.std_max).contains(&m.std_min);
        check("agent.std_min", m.std_min, "between 1e-30 and std_max", least)?;
        let critics = CriticSettings::from_table(table)?;
        Ok(Config { shared, critics, milestone: m })
    }
}

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
struct Networks {
    /// Q_θ₁, and Q_θ₂ but for M1
    critic: Vec<Critic>,
    /// π_φ
    actor: ClampedGaussian,
    /// Q_θ′₁, and Q_θ′₂ but for M1
    target_critic: Vec<Critic>,
    /// π_φ′
    target_actor: ClampedGaussian,
}

impl Networks {
    fn new(layout: &mut Layout, c: &Config, actions: &ActionSpace, setup: &Setup<'_>) -> Self {
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        let (hidden, activation) = (&c.shared.hidden, c.shared.critic_activation(&c.critics));
        let count = if c.milestone.milestone == Milestone::M1 { 1 } else { 2 };
        let mut all = || {
            let form = CriticForm::Plain;
            let critic = (0..count)
                .map(|_| Critic::new(layout, form, (obs, act), hidden, activation))
                .collect();
            let network = c.shared.network(layout, obs, 2 * act);
            let std_bounds = (c.milestone.std_min, c.milestone.std_max);
            (critic, ClampedGaussian { network, range: actions.range(), std_bounds })
        };
        let ((critic, actor), (target_critic, target_actor)) = (all(), all());
        Networks { critic, actor, target_critic, target_actor }
    }
}

/// The losses of SAC-M1 to SAC-M3 and the steps on them.
#[derive(Debug)]
pub struct SacM<P: Program> {
    networks: Networks,
    critic: Objective<P>,
    actor: Objective<P>,
    targets: Targets,
}

impl<P: Program> SacM<P> {
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
        let (c, m, spec) = (&config.shared, &config.milestone, setup.spec);
        let bonus = m.milestone == Milestone::M3 && m.alpha > 0.0;
        let (needed, why) =
            ("1 where SAC-M3's alpha is above 0", "the entropy of the steps between is not kept");
        check_because("training.n_step", setup.n_step, needed, why, setup.n_step == 1 || !bonus)?;
        let (obs, act) = (spec.observation_size(), spec.action_size());
        let actions = ActionSpace::continuous(spec, false);
        let mut layout = Layout::default();
        let n = Networks::new(&mut layout, &config, &actions, setup);
        let mut params = Params::new(layout.len());
        n.critic.iter().for_each(|critic| critic.draw(c.initialisation, &mut params, rng));
        c.initialisation.draw(&mut params, &n.actor.network, 2, rng);
        // Critics and actor lie back to back, and so do their targets.
        let critics = n.critic[0].range().start..n.actor.network.range().start;
        let online = critics.start..n.actor.network.range().end;
        let target = n.target_critic[0].range().start..n.target_actor.network.range().end;
        let targets = Targets::new(&mut params, online, target, c);

        let g = Graph::new(setup.batch_size);
        let loss = critic_loss(&n, &config, &Transitions::inputs(&g, spec), g.input(act));
        let critic = Objective::new(&g, loss, &[], critics, c.critic_learning_rate, c)?;
        let g = Graph::new(setup.batch_size);
        let [loss, std] = actor_loss(&n, &config, g.input(obs), g.input(act));
        let (range, rate) = (n.actor.network.range(), config.milestone.actor_learning_rate);
        let actor = Objective::new(&g, loss, &[std], range, rate, c)?;

        let settings = AgentSettings::new(c, Exploration::Policy);
        let learning = SacM { networks: n, critic, actor, targets };
        Agent::new(params, learning, actions, settings, setup)
    }
}

impl<P: Program> Learning<P> for SacM<P> {
    const METRICS: &'static [&'static str] = &["q_loss", "actor_loss", "mean_std"];

    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.actor.greedy(s)
    }

    /// minⱼ Q_θⱼ(s, a) at the greedy a
    fn value<'g>(&self, s: Var<'g>) -> Var<'g> {
        let (n, a) = (&self.networks, self.greedy(s));
        least(&n.critic, s, a)
    }

    fn sample<'g>(&self, s: Var<'g>, epsilon: Var<'g>) -> Option<(Var<'g>, Option<Var<'g>>)> {
        let (mean, std) = self.networks.actor.distribution(s);
        Some((self.networks.actor.sample_from(mean, std, epsilon), None))
    }

    fn draws(&self, entries: usize) -> Draws<P::Scalar> {
        let zeros = vec![P::Scalar::ZERO; entries];
        Draws { target: zeros.clone(), actor: zeros, ..Draws::default() }
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
        draws: &Draws<P::Scalar>,
    ) {
        self.actor.step(params, &[batch.observation(), &draws.actor]);
    }

    fn targets(&mut self) -> &mut Targets {
        &mut self.targets
    }

    fn objectives(&mut self) -> [Option<&mut Objective<P>>; 3] {
        [Some(&mut self.critic), Some(&mut self.actor), None]
    }

    fn metrics(&self, _params: &Params<P::Scalar>) -> Vec<f64> {
        vec![self.critic.loss(), self.actor.loss(), self.actor.mean(0)]
    }

    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        let n = &self.networks;
        let critics = |names: [&'static str; 2], critics: &[Critic]| -> Vec<_> {
            names.into_iter().zip(critics.iter().map(Critic::layers)).collect()
        };
        let mut networks = critics(["q1", "q2"], &n.critic);
        networks.push(("actor", n.actor.network.layers().to_vec()));
        networks.extend(critics(["q1_target", "q2_target"], &n.target_critic));
        networks.push(("actor_target", n.target_actor.network.layers().to_vec()));
        networks
    }

    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head) {
        let actor = &self.networks.actor;
        (AlgorithmId::SacM, &actor.network, actor.head(range))
    }
}
