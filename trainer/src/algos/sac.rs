//! Soft actor-critic with automatic temperature (SAC; Haarnoja et al., 2018, "Soft Actor-Critic
//! Algorithms and Applications", arXiv:1812.05905).

use policy_core::gaussian::fill_normal;
use policy_core::{Algorithm as AlgorithmId, Head};
use serde::{Deserialize, Serialize};

use crate::autodiff::{Graph, GraphError, Params, Plan, Program, Var};
use crate::config::{ConfigError, check, from_table};
use crate::interface::{Algorithm, Batch, Metric, PolicyNetwork, Spec};
use crate::nn::{
    Activation, Adam, AdamConfig, Initialisation, Layout, LogStdForm, Mlp, SquashedGaussian,
};
use crate::rng::Rng;
use crate::scalar::Scalar;

/// A minibatch within a loss.
struct Vars<'g> {
    s: Var<'g>,
    a: Var<'g>,
    r: Var<'g>,
    next_s: Var<'g>,
    not_terminated: Var<'g>,
}

/// y = r + γ (1 − d) [minⱼ Q_θ′ⱼ(s′, a′) − α log π(a′|s′)],  a′ ~ π_φ(·|s′)          (eq. 2, 3, 5)
///
/// L_θ = Σⱼ mean (Q_θⱼ(s, a) − y)²,  given as its two terms
fn critic_losses<'g>(n: &Networks, c: &Config, b: &Vars<'g>, epsilon: Var<'g>) -> [Var<'g>; 2] {
    let (next_a, log_pi) = n.actor.sample(b.next_s, epsilon);
    let next_sa = b.next_s.concat(next_a);
    let next_q = n.target[0].apply(next_sa).min(n.target[1].apply(next_sa));
    let soft_value = next_q - n.alpha_times(c, log_pi);
    let y = b.r + c.gamma * (b.not_terminated * soft_value);
    let sa = b.s.concat(b.a);
    [0, 1].map(|j| (n.critic[j].apply(sa) - y).square().mean())
}

/// L_φ = mean [α log π(ã|s) − minⱼ Q_θⱼ(s, ã)],  ã ~ π_φ(·|s) reparametrised           (eq. 9)
///
/// and log π(ã|s) `[B, 1]`
fn actor_loss<'g>(n: &Networks, c: &Config, s: Var<'g>, epsilon: Var<'g>) -> (Var<'g>, Var<'g>) {
    let (a, log_pi) = n.actor.sample(s, epsilon);
    let sa = s.concat(a);
    let q = n.critic[0].apply(sa).min(n.critic[1].apply(sa));
    ((n.alpha_times(c, log_pi) - q).mean(), log_pi)
}

/// L_λ = −mean λ (log π(ã|s) + H̄)  or  −mean e^λ (log π(ã|s) + H̄),  α = e^λ          (eq. 18)
fn temperature_loss<'g>(
    c: &Config,
    lambda: Var<'g>,
    log_pi: Var<'g>,
    target_entropy: f64,
) -> Var<'g> {
    let weight = match c.alpha_loss {
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Widths of the hidden layers of actor and critics.
    pub hidden: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// First values of the networks.
    pub initialisation: Initialisation,
    /// Discount γ.
    pub gamma: f64,
    /// Share τ of the online critics in each update of the targets.
    pub tau: f64,
    /// Adam's step size for both critics.
    pub critic_learning_rate: f64,
    /// Adam's step size for the actor.
    pub actor_learning_rate: f64,
    /// Adam's step size for λ = log α.
    pub alpha_learning_rate: f64,
    /// Adam's decay of the mean of gradients.
    pub beta1: f64,
    /// Adam's decay of the mean of squared gradients.
    pub beta2: f64,
    /// Adam's ε.
    pub adam_epsilon: f64,
    /// The temperature α, or its first value where it is learnt.
    pub alpha: f64,
    /// Is the temperature learnt?
    pub learn_alpha: bool,
    /// How it is learnt.
    pub alpha_loss: AlphaLoss,
    /// The entropy, in nats, that the learnt temperature aims at, for each entry of the action: the
    /// paper's −1 makes H̄ = −(entries of the action).
    pub target_entropy_per_action: f64,
    /// How log σ is bounded.
    pub log_std_form: LogStdForm,
    /// Least log σ.
    pub log_std_min: f64,
    /// Largest log σ.
    pub log_std_max: f64,
}

impl Config {
    /// Reads and checks an `[agent]` table.
    pub fn from_table(table: &toml::Table) -> Result<Self, ConfigError> {
        let c: Config = from_table("agent", table)?;
        let hidden = c.hidden.len() <= 7 && c.hidden.iter().all(|w| (1..=4096).contains(w));
        check("agent.hidden", &c.hidden, "at most 7 widths from 1 to 4096", hidden)?;
        check("agent.gamma", c.gamma, "in [0, 1]", (0.0..=1.0).contains(&c.gamma))?;
        check("agent.tau", c.tau, "in (0, 1]", c.tau > 0.0 && c.tau <= 1.0)?;
        for (key, rate) in [
            ("agent.critic_learning_rate", c.critic_learning_rate),
            ("agent.actor_learning_rate", c.actor_learning_rate),
            ("agent.alpha_learning_rate", c.alpha_learning_rate),
            ("agent.adam_epsilon", c.adam_epsilon),
        ] {
            check(key, rate, "between 1e-30 and 1e3", (1e-30..=1e3).contains(&rate))?;
        }
        for (key, beta) in [("agent.beta1", c.beta1), ("agent.beta2", c.beta2)] {
            check(key, beta, "in [0, 1)", (0.0..1.0).contains(&beta))?;
        }
        let alpha = (1e-30..=1e30).contains(&c.alpha) || c.alpha == 0.0 && !c.learn_alpha;
        let needed = "between 1e-30 and 1e30, or 0 where it is not learnt";
        check("agent.alpha", c.alpha, needed, alpha)?;
        let entropy = (-100.0..=100.0).contains(&c.target_entropy_per_action);
        let needed = "between −100 and 100";
        check("agent.target_entropy_per_action", c.target_entropy_per_action, needed, entropy)?;
        // e⁴⁰ is a σ far beyond use, and far within f32.
        let max = (-40.0..=40.0).contains(&c.log_std_max);
        check("agent.log_std_max", c.log_std_max, "between −40 and 40", max)?;
        let min = (-40.0..=c.log_std_max).contains(&c.log_std_min);
        check("agent.log_std_min", c.log_std_min, "between −40 and log_std_max", min)?;
        Ok(c)
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

/// The networks, as ranges of the parameters.
#[derive(Debug, Clone)]
pub struct Networks {
    /// Q_θ₁, Q_θ₂
    pub critic: [Mlp; 2],
    /// π_φ
    pub actor: SquashedGaussian,
    /// Index of λ = log α.
    pub lambda: usize,
    /// Q_θ′₁, Q_θ′₂
    pub target: [Mlp; 2],
    /// Entries of an observation and of an action.
    sizes: (usize, usize),
}

impl Networks {
    fn new(layout: &mut Layout, c: &Config, spec: &Spec) -> Self {
        let (obs, act) = (spec.observation_size, spec.action_size());
        let mut network = |inputs: usize, outputs: usize| {
            let sizes: Vec<usize> =
                [inputs].into_iter().chain(c.hidden.iter().copied()).chain([outputs]).collect();
            Mlp::new(layout, &sizes, c.activation)
        };
        let critic = [(); 2].map(|()| network(obs + act, 1));
        let actor = SquashedGaussian {
            network: network(obs, 2 * act),
            scale: spec.action_scale(),
            bias: spec.action_bias(),
            log_std_form: c.log_std_form,
            log_std_bounds: (c.log_std_min, c.log_std_max),
        };
        let target = [(); 2].map(|()| network(obs + act, 1));
        Networks { critic, actor, lambda: layout.take(1).start, target, sizes: (obs, act) }
    }

    /// Both critics: they lie back to back and share an optimiser.
    fn critics(&self) -> std::ops::Range<usize> {
        self.critic[0].range().start..self.critic[1].range().end
    }

    fn compile_critic<P: Program>(&self, c: &Config, batch_size: usize) -> Result<P, GraphError> {
        let ((obs, act), g) = (self.sizes, Graph::new(batch_size));
        let b = Vars {
            s: g.input(obs),
            a: g.input(act),
            r: g.input(1),
            next_s: g.input(obs),
            not_terminated: g.input(1),
        };
        let losses = critic_losses(self, c, &b, g.input(act));
        g.compile(Some(losses[0] + losses[1]), &[self.critics()], &losses)
    }

    fn compile_actor<P: Program>(&self, c: &Config, batch_size: usize) -> Result<P, GraphError> {
        let ((obs, act), g) = (self.sizes, Graph::new(batch_size));
        let (loss, log_pi) = actor_loss(self, c, g.input(obs), g.input(act));
        g.compile(Some(loss), &[self.actor.network.range()], &[log_pi])
    }

    fn compile_alpha<P: Program>(&self, c: &Config, batch_size: usize) -> Result<P, GraphError> {
        let ((obs, act), g) = (self.sizes, Graph::new(batch_size));
        let log_pi = match c.alpha_loss {
            AlphaLoss::LogAlpha => g.input(1),
            AlphaLoss::ExpAlpha => self.actor.sample(g.input(obs), g.input(act)).1,
        };
        let target_entropy = c.target_entropy_per_action * self.sizes.1 as f64;
        let loss = temperature_loss(c, g.parameter(self.lambda), log_pi, target_entropy);
        g.compile(Some(loss), &[self.lambda..self.lambda + 1], &[])
    }

    /// A program for one observation: the greedy action, or one sampled with the second input.
    fn compile_action<P: Program>(&self, sampled: bool) -> Result<P, GraphError> {
        let ((obs, act), g) = (self.sizes, Graph::new(1));
        let action = match sampled {
            true => self.actor.sample(g.input(obs), g.input(act)).0,
            false => self.actor.greedy(g.input(obs)),
        };
        g.compile(None, &[], &[action])
    }

    fn targets(&self) -> std::ops::Range<usize> {
        self.target[0].range().start..self.target[1].range().end
    }

    /// α log π
    fn alpha_times<'g>(&self, c: &Config, log_pi: Var<'g>) -> Var<'g> {
        match c.learn_alpha {
            true => log_pi.graph().parameter(self.lambda).exp() * log_pi,
            false => c.alpha * log_pi,
        }
    }
}

/// Standard normal numbers for one update, `[B, act]` each.
#[derive(Debug, Clone, Default)]
pub struct Noise<T> {
    /// For a′ in the critics' target.
    pub target: Vec<T>,
    /// For ã in the actor's loss.
    pub actor: Vec<T>,
    /// For the actions of the temperature's loss in the form [`AlphaLoss::ExpAlpha`].
    pub alpha: Vec<T>,
}

/// What an update reports, in this order.
const METRICS: [&str; 6] =
    ["q1_loss", "q2_loss", "actor_loss", "mean_log_pi", "alpha_loss", "alpha"];

/// The agent, in `f32` (`Sac<Plan>`) or, to check it, in `f64` (`Sac<Interpreter>`).
#[derive(Debug)]
pub struct Sac<P: Program> {
    config: Config,
    networks: Networks,
    /// All parameters, public so that tests can set and read them.
    pub params: Params<P::Scalar>,
    critic_program: P,
    actor_program: P,
    /// Only where the temperature is learnt.
    alpha_program: Option<P>,
    greedy_program: P,
    sample_program: P,
    critic_adam: Adam<P::Scalar>,
    actor_adam: Adam<P::Scalar>,
    alpha_adam: Adam<P::Scalar>,
    noise: Noise<P::Scalar>,
    metrics: [Metric; METRICS.len()],
}

impl<P: Program> Sac<P> {
    /// An agent for an environment, learning from batches of `batch_size` transitions.
    pub fn new(
        config: Config,
        spec: &Spec,
        batch_size: usize,
        rng: &mut Rng,
    ) -> Result<Self, GraphError> {
        let mut layout = Layout::default();
        let n = Networks::new(&mut layout, &config, spec);
        let mut params = Params::new(layout.len());
        for critic in &n.critic {
            config.initialisation.draw(&mut params, critic, 1, rng);
        }
        config.initialisation.draw(&mut params, &n.actor.network, 2, rng);
        params.soft_update(&n.critics(), &n.targets(), P::Scalar::ONE);
        if config.learn_alpha {
            params.value[n.lambda] = P::Scalar::from_f64(config.alpha).ln();
        }
        let zeros = vec![P::Scalar::ZERO; batch_size * spec.action_size()];
        let alpha_program = match config.learn_alpha {
            true => Some(n.compile_alpha(&config, batch_size)?),
            false => None,
        };
        Ok(Sac {
            critic_program: n.compile_critic(&config, batch_size)?,
            actor_program: n.compile_actor(&config, batch_size)?,
            alpha_program,
            greedy_program: n.compile_action(false)?,
            sample_program: n.compile_action(true)?,
            critic_adam: Adam::new(config.adam(config.critic_learning_rate), n.critics()),
            actor_adam: Adam::new(config.adam(config.actor_learning_rate), n.actor.network.range()),
            alpha_adam: Adam::new(config.adam(config.alpha_learning_rate), n.lambda..n.lambda + 1),
            noise: Noise { target: zeros.clone(), actor: zeros.clone(), alpha: zeros },
            metrics: METRICS.map(|name| Metric { name, value: 0.0 }),
            config,
            networks: n,
            params,
        })
    }

    /// One update with given noise: the critics step first, then the actor against the new
    /// critics, then the temperature, then the targets (algorithm 1).
    pub fn update_with(&mut self, batch: &Batch<'_, P::Scalar>, noise: &Noise<P::Scalar>) {
        let (s, a, r) = (batch.observation(), batch.action(), batch.reward());
        let (next_s, not_terminated) = (batch.next_observation(), batch.not_terminated());
        let inputs = [s, a, r, next_s, not_terminated, &noise.target];
        self.critic_program.run(&mut self.params, &inputs);
        self.critic_adam.step(&mut self.params);

        self.actor_program.run(&mut self.params, &[s, &noise.actor]);
        self.actor_adam.step(&mut self.params);

        if let Some(program) = &mut self.alpha_program {
            match self.config.alpha_loss {
                AlphaLoss::LogAlpha => program.run(&mut self.params, &[self.actor_program.kept(0)]),
                AlphaLoss::ExpAlpha => program.run(&mut self.params, &[s, &noise.alpha]),
            }
            self.alpha_adam.step(&mut self.params);
        }
        let tau = P::Scalar::from_f64(self.config.tau);
        self.params.soft_update(&self.networks.critics(), &self.networks.targets(), tau);
        self.report();
    }

    fn report(&mut self) {
        let log_pi = self.actor_program.kept(0);
        let mean_log_pi = log_pi.iter().map(|x| x.to_f64()).sum::<f64>() / log_pi.len() as f64;
        let alpha_loss = self.alpha_program.as_ref().map_or(0.0, |p| p.loss().to_f64());
        let values = [
            self.critic_program.kept(0)[0].to_f64(),
            self.critic_program.kept(1)[0].to_f64(),
            self.actor_program.loss().to_f64(),
            mean_log_pi,
            alpha_loss,
            self.alpha(),
        ];
        for (metric, value) in self.metrics.iter_mut().zip(values) {
            metric.value = value;
        }
    }

    /// The temperature.
    pub fn alpha(&self) -> f64 {
        match self.config.learn_alpha {
            true => self.params.value[self.networks.lambda].exp().to_f64(),
            false => self.config.alpha,
        }
    }

    /// The networks, as ranges of the parameters.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// What the last update reports.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }
}

/// The agent of an `[agent]` table.
pub(super) fn make(
    agent: &toml::Table,
    spec: &Spec,
    batch_size: usize,
    rng: &mut Rng,
) -> Result<Box<dyn Algorithm>, ConfigError> {
    Ok(Box::new(Sac::<Plan>::new(Config::from_table(agent)?, spec, batch_size, rng)?))
}

impl<P: Program<Scalar = f32>> Algorithm for Sac<P> {
    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        self.greedy_program.run(&mut self.params, &[observation]);
        action.copy_from_slice(self.greedy_program.kept(0));
    }

    fn explore(&mut self, observation: &[f32], rng: &mut Rng, action: &mut [f32]) {
        fill_normal(rng, action);
        self.sample_program.run(&mut self.params, &[observation, action]);
        action.copy_from_slice(self.sample_program.kept(0));
    }

    fn update(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng) {
        let mut noise = std::mem::take(&mut self.noise);
        fill_normal(rng, &mut noise.target);
        fill_normal(rng, &mut noise.actor);
        if self.config.learn_alpha && self.config.alpha_loss == AlphaLoss::ExpAlpha {
            fill_normal(rng, &mut noise.alpha);
        }
        self.update_with(batch, &noise);
        self.noise = noise;
    }

    fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    fn parameters(&self) -> &Params<f32> {
        &self.params
    }

    fn policy(&self) -> PolicyNetwork<'_> {
        let entries = |values: &[f64]| values.iter().map(|x| *x as f32).collect();
        let actor = &self.networks.actor;
        PolicyNetwork {
            algorithm: AlgorithmId::Sac,
            params: &self.params,
            network: &actor.network,
            head: Head::SquashedGaussian {
                scale: entries(&actor.scale),
                bias: entries(&actor.bias),
                log_std: actor.log_std(),
            },
        }
    }
}
