//! Deep Q-networks (DQN; Mnih et al., 2015, doi:10.1038/nature14236), and double DQN (van Hasselt
//! et al., 2016, arXiv:1509.06461), over an evenly spaced grid of actions.

use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use super::agent::{Agent, AgentSettings, Draws, Learning, Setup};
use super::exploration::{Epsilon, Exploration};
use super::shared::{Objective, Shared, Targets, Transitions, check_share, slices};
use crate::actions::ActionSpace;
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::interface::Batch;
use crate::nn::{ActionRange, Layout, Mlp};
use crate::rng::Rng;
use crate::settings::{ConfigError, check, from_table};

/// y = r + γ (1 − d) maxₐ′ Q_θ′(s′, a′)                                     (van Hasselt, eq. 3)
///
/// y = r + γ (1 − d) Q_θ′(s′, argmaxₐ′ Q_θ(s′, a′))                 (double; the same, section "Double DQN")
///
/// y − α (maxₐ Q_θ′(s, a) − Q_θ′(s)\[a\])       in the place of y where α > 0 (advantage learning; Bellemare et al., 2016,
/// "Increasing the Action Gap", arXiv:1512.04860, eq. 9)
///
/// L_θ = mean (Q_θ(s)\[a\] − y)²
fn critic_loss<'g>(n: &Networks, c: &Config, b: &Transitions<'g>) -> Var<'g> {
    let next_q = n.target_critic.apply(b.next_s);
    let next_value = match c.q.double {
        false => next_q.max_columns(),
        true => next_q.gather(n.critic.apply(b.next_s).argmax()),
    };
    let mut y = b.r + c.shared.gamma * (b.not_terminated * next_value);
    if c.q.action_gap > 0.0 {
        let q = n.target_critic.apply(b.s);
        y = y - c.q.action_gap * (q.max_columns() - q.gather(b.a));
    }
    c.shared.mean_loss(n.critic.apply(b.s).gather(b.a) - y)
}

/// Settings: the `[agent]` table of a preset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// As every algorithm's.
    #[serde(flatten)]
    pub shared: Shared,
    /// DQN's own.
    #[serde(flatten)]
    pub q: QSettings,
}

/// Settings that only DQN has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QSettings {
    /// Does the online network choose the action that the target network values?
    pub double: bool,
    /// α of advantage learning, 0 for none: what an action is worth less than the best one counts 1 / (1 − α) times, so that
    /// small errors do not make the policy change its mind.
    #[serde(default)]
    pub action_gap: f64,
    /// Actions in the grid, from the environment's least to its largest.
    pub grid_points: u16,
    /// First probability ε of a random action.
    pub epsilon: f64,
    /// Factor to ε at the end of each iteration.
    pub epsilon_decay: f64,
    /// Least ε.
    pub epsilon_min: f64,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    ///
    /// # Errors
    ///
    /// If a key is missing, of the wrong type or out of its range.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let (shared, q) = (Shared::from_table(table)?, from_table::<QSettings>("agent", table)?);
        let points = (2..=4096).contains(&q.grid_points);
        check("agent.grid_points", q.grid_points, "2 to 4096", points)?;
        let gap = (0.0..1.0).contains(&q.action_gap);
        check("agent.action_gap", q.action_gap, "from 0 to less than 1", gap)?;
        check_share("epsilon", q.epsilon)?;
        check_share("epsilon_decay", q.epsilon_decay)?;
        let least = (0.0..=q.epsilon).contains(&q.epsilon_min);
        check("agent.epsilon_min", q.epsilon_min, "between 0 and epsilon", least)?;
        Ok(Config { shared, q })
    }
}

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
struct Networks {
    /// Q_θ
    critic: Mlp,
    /// Q_θ′
    target_critic: Mlp,
}

/// The losses of DQN and the steps on them.
#[derive(Debug)]
pub struct Dqn<P: Program> {
    config: Config,
    networks: Networks,
    critic: Objective<P>,
    targets: Targets,
}

impl<P: Program> Dqn<P> {
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
        let single = spec.action_size() == 1;
        check("environment.name", spec.name, "one with a single action entry", single)?;
        let mut layout = Layout::default();
        let [critic, target_critic] = [(); 2].map(|()| {
            c.network(&mut layout, spec.observation_size(), usize::from(config.q.grid_points))
        });
        let n = Networks { critic, target_critic };
        let mut params = Params::new(layout.len());
        c.initialisation.draw(&mut params, &n.critic, 1, rng);
        let targets = Targets::new(&mut params, n.critic.range(), n.target_critic.range(), c);

        let g = Graph::new(setup.batch_size);
        let loss = critic_loss(&n, &config, &Transitions::inputs(&g, spec));
        let critic = Objective::new(&g, loss, &[], n.critic.range(), c.critic_learning_rate, c)?;

        let q = &config.q;
        let epsilon = Epsilon { value: q.epsilon, decay: q.epsilon_decay, least: q.epsilon_min };
        let actions = ActionSpace::grid(spec, q.grid_points);
        let settings = AgentSettings::new(c, Exploration::Epsilon(epsilon));
        Agent::new(params, Dqn { config, networks: n, critic, targets }, actions, settings, setup)
    }
}

impl<P: Program> Learning<P> for Dqn<P> {
    const METRICS: &'static [&'static str] = &["q_loss"];

    /// argmaxₐ Q_θ(s, a)
    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.critic.apply(s).argmax()
    }

    /// maxₐ Q_θ(s, a)
    fn value<'g>(&self, s: Var<'g>) -> Var<'g> {
        self.networks.critic.apply(s).max_columns()
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

    fn targets(&mut self) -> &mut Targets {
        &mut self.targets
    }

    fn objectives(&mut self) -> [Option<&mut Objective<P>>; 3] {
        [Some(&mut self.critic), None, None]
    }

    fn metrics(&self, _params: &Params<P::Scalar>) -> Vec<f64> {
        vec![self.critic.loss()]
    }

    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)> {
        let n = &self.networks;
        vec![("q", n.critic.layers().to_vec()), ("q_target", n.target_critic.layers().to_vec())]
    }

    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head) {
        let algorithm = match self.config.q.double {
            false => AlgorithmId::Dqn,
            true => AlgorithmId::DoubleDqn,
        };
        let points = self.config.q.grid_points;
        let (low, high) = (range.low[0] as f32, range.high[0] as f32);
        let head = Head::Grid { low, high, points };
        (algorithm, &self.networks.critic, head)
    }
}
