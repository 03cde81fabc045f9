//! An agent: an algorithm's losses, and what every agent does besides: act, explore, draw noise.

use policy_core::gaussian::uniform;
use policy_core::{Algorithm as AlgorithmId, Head};

use super::exploration::{EXPLORATION_RATE, Exploration};
use super::shared::{Objective, Shared, Targets};
use crate::actions::ActionSpace;
use crate::autodiff::{Graph, Linear, Params, Program, Var};
use crate::elementary::fill_normal;
use crate::interface::{Algorithm, Batch, Metric, PolicyNetwork, Spec};
use crate::nn::{ActionRange, Mlp};
use crate::rng::Rng;
use crate::settings::{ConfigError, check_because};
use crate::state::{StateError, Walk};

/// What an agent is made for.
#[derive(Debug, Clone, Copy)]
pub struct Setup<'a> {
    /// The environment.
    pub spec: &'a Spec,
    /// Transitions in a minibatch, B.
    pub batch_size: usize,
    /// Environments that it explores together, N.
    pub environments: usize,
    /// Steps in a return before it bootstraps, n.
    pub n_step: usize,
    /// Updates of the actor in an iteration where they are separate from those of the critics.
    pub actor_updates: Option<usize>,
}

/// Standard normal numbers for one update, `[B, act]` each; empty where a loss takes none.
#[derive(Debug, Clone, Default)]
pub struct Draws<T> {
    /// For a′ in the critics' target.
    pub target: Vec<T>,
    /// For ã in the actor's loss.
    pub actor: Vec<T>,
    /// For the actions of a temperature's loss that has its own.
    pub temperature: Vec<T>,
}

/// The mathematics of an algorithm: its networks, its losses, and the steps on them.
pub trait Learning<P: Program>: Send {
    /// Names of what [`Learning::metrics`] gives.
    const METRICS: &'static [&'static str];

    /// The greedy action of its action space, `[B, obs]` → `[B, act]`.
    fn greedy<'g>(&self, s: Var<'g>) -> Var<'g>;

    /// What the critics make of a state from which the greedy policy acts, `[B, obs]` → `[B, 1]`.
    fn value<'g>(&self, s: Var<'g>) -> Var<'g>;

    /// An action drawn with ε ~ N(0, 1) `[B, act]`; `None` where the policy is deterministic. And log π of it `[B, 1]`,
    /// where returns over several steps have a bonus for the entropy of each.
    fn sample<'g>(&self, _s: Var<'g>, _epsilon: Var<'g>) -> Option<(Var<'g>, Option<Var<'g>>)> {
        None
    }

    /// Room for the draws that its updates take; `entries` is B times the entries of an action.
    fn draws(&self, entries: usize) -> Draws<P::Scalar>;

    /// One whole update.
    fn step(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    ) {
        self.step_critics(params, batch, draws);
        self.step_actor(params, batch, draws);
        self.step_targets(params);
    }

    /// A step of the critics alone.
    fn step_critics(
        &mut self,
        params: &mut Params<P::Scalar>,
        batch: &Batch<'_, P::Scalar>,
        draws: &Draws<P::Scalar>,
    );

    /// A step of the actor alone, and of what goes with it.
    fn step_actor(
        &mut self,
        _params: &mut Params<P::Scalar>,
        _batch: &Batch<'_, P::Scalar>,
        _draws: &Draws<P::Scalar>,
    ) {
    }

    /// The targets follow.
    fn step_targets(&mut self, params: &mut Params<P::Scalar>) {
        self.targets().follow(params);
    }

    /// A share of the run is over; 1 is its end.
    fn progressed(&mut self, _progress: f64) {}

    /// When and how its targets follow.
    fn targets(&mut self) -> &mut Targets;

    /// Its losses with their optimisers: the critics', the actor's where there is one, and another.
    fn objectives(&mut self) -> [Option<&mut Objective<P>>; 3];

    /// What changes as it learns, besides targets, objectives and parameters.
    ///
    /// # Errors
    ///
    /// If a walk that reads finds another algorithm's.
    fn walk(&mut self, _walk: &mut Walk<'_>) -> Result<(), StateError> {
        Ok(())
    }

    /// What the last update reports, in the order of [`Learning::METRICS`].
    fn metrics(&self, params: &Params<P::Scalar>) -> Vec<f64>;

    /// Its networks by name, as their layers in the order of the parameters; targets end in
    /// `_target`.
    fn networks(&self) -> Vec<(&'static str, Vec<Linear>)>;

    /// The network to export, and what its output means where the environment's actions lie in
    /// `range`.
    fn policy(&self, range: &ActionRange) -> (AlgorithmId, &Mlp, Head);
}

/// Settings that an agent itself reads.
pub(super) struct AgentSettings {
    discount: f64,
    final_learning_rate_factor: f64,
    exploration: Exploration,
}

impl AgentSettings {
    pub(super) fn new(c: &Shared, exploration: Exploration) -> Self {
        let Shared { gamma, final_learning_rate_factor, .. } = *c;
        AgentSettings { discount: gamma, final_learning_rate_factor, exploration }
    }
}

/// An agent, in `f32` (`Agent<Plan, …>`) or, to check it, in `f64` (`Agent<Interpreter, …>`).
#[derive(Debug)]
pub struct Agent<P: Program, L> {
    /// All parameters, public so that tests can set and read them.
    pub params: Params<P::Scalar>,
    learning: L,
    actions: ActionSpace,
    greedy_program: P,
    exploring_program: P,
    value_program: P,
    exploration: Exploration,
    /// Does exploring give log π of the actions, too?
    likelihoods: bool,
    draws: Draws<P::Scalar>,
    discount: f64,
    final_learning_rate_factor: f64,
    /// Of the environment's actions.
    range: ActionRange,
}

impl<P: Program, L: Learning<P>> Agent<P, L> {
    pub(super) fn new(
        params: Params<P::Scalar>,
        mut learning: L,
        actions: ActionSpace,
        settings: AgentSettings,
        setup: &Setup<'_>,
    ) -> Result<Self, ConfigError> {
        // The critics' objective is the first; what follows is the actor's.
        let actor = learning.objectives()[1].is_some();
        let (needed, why) = match actor {
            true => ("at least 1 where updates are separate", "the actor would never learn"),
            false => ("0 where updates are separate", "there is no actor"),
        };
        let fits = setup.actor_updates.is_none_or(|updates| (updates > 0) == actor);
        check_because(
            "training.actor_updates",
            setup.actor_updates.unwrap_or(0),
            needed,
            why,
            fits,
        )?;
        let (obs, act) = (setup.spec.observation_size(), setup.spec.action_size());
        let mut likelihoods = false;
        let mut program = |rows: usize, sampled: bool| {
            let g = Graph::new(rows);
            let s = g.input(obs);
            let sample = match sampled {
                true => learning.sample(s, g.input(act)),
                false => None,
            };
            match sample {
                Some((action, Some(log_pi))) if setup.n_step > 1 => {
                    likelihoods = true;
                    g.compile(None, &[], &[action, log_pi])
                }
                Some((action, _)) => g.compile(None, &[], &[action]),
                None => g.compile(None, &[], &[learning.greedy(s)]),
            }
        };
        let g = Graph::new(1);
        let value_program = g.compile(None, &[], &[learning.value(g.input(obs))])?;
        let samples = matches!(settings.exploration, Exploration::Policy);
        Ok(Agent {
            greedy_program: program(1, false)?,
            exploring_program: program(setup.environments, samples)?,
            value_program,
            draws: learning.draws(setup.batch_size * act),
            params,
            learning,
            actions,
            exploration: settings.exploration,
            likelihoods,
            discount: settings.discount,
            final_learning_rate_factor: settings.final_learning_rate_factor,
            range: setup.spec.action_range(),
        })
    }

    /// One whole update with given draws.
    pub fn update_with(&mut self, batch: &Batch<'_, P::Scalar>, draws: &Draws<P::Scalar>) {
        self.learning.step(&mut self.params, batch, draws);
    }

    /// A step of the critics alone with given draws.
    pub fn update_critics_with(&mut self, batch: &Batch<'_, P::Scalar>, draws: &Draws<P::Scalar>) {
        self.learning.step_critics(&mut self.params, batch, draws);
    }

    /// A step of the actor alone with given draws.
    pub fn update_actor_with(&mut self, batch: &Batch<'_, P::Scalar>, draws: &Draws<P::Scalar>) {
        self.learning.step_actor(&mut self.params, batch, draws);
    }

    /// Networks and losses.
    pub fn learning(&self) -> &L {
        &self.learning
    }

    /// What the last update reports, by name.
    pub fn report(&self) -> Vec<Metric> {
        let values = self.learning.metrics(&self.params);
        let named = L::METRICS.iter().copied().zip(values);
        let explored = self.exploration.rate().map(|rate| (EXPLORATION_RATE, rate));
        named.chain(explored).map(|(name, value)| Metric { name, value }).collect()
    }
}

impl<P: Program<Scalar = f32>, L: Learning<P>> Algorithm for Agent<P, L> {
    fn action_space(&self) -> &ActionSpace {
        &self.actions
    }

    fn discount(&self) -> f64 {
        self.discount
    }

    fn act(&mut self, observation: &[f32], action: &mut [f32]) {
        self.greedy_program.run(&mut self.params, &[observation]);
        action.copy_from_slice(self.greedy_program.kept(0));
        self.actions.to_environment(action);
    }

    fn explore(&mut self, observations: &[f32], rng: &mut Rng, actions: &mut [f32]) {
        let program = &mut self.exploring_program;
        match &mut self.exploration {
            Exploration::Policy => {
                fill_normal(rng, actions);
                program.run(&mut self.params, &[observations, actions]);
                actions.copy_from_slice(program.kept(0));
            }
            Exploration::Added(noise) => {
                program.run(&mut self.params, &[observations]);
                actions.copy_from_slice(program.kept(0));
                noise.explore(rng, actions);
            }
            Exploration::Epsilon(epsilon) if f64::from(uniform(rng)) < epsilon.value => {
                let entries = self.range.len();
                for action in actions.chunks_exact_mut(entries) {
                    self.actions.random(rng, action);
                }
            }
            Exploration::Epsilon(_) => {
                program.run(&mut self.params, &[observations]);
                actions.copy_from_slice(program.kept(0));
            }
        }
    }

    fn log_likelihoods(&self) -> Option<&[f32]> {
        self.likelihoods.then(|| self.exploring_program.kept(1))
    }

    fn episode_started(&mut self, environment: usize) {
        if let Exploration::Added(noise) = &mut self.exploration {
            noise.episode_started(environment);
        }
    }

    fn iteration_ended(&mut self, progress: f64) {
        match &mut self.exploration {
            Exploration::Policy => {}
            Exploration::Added(noise) => noise.iteration_ended(),
            Exploration::Epsilon(e) => e.value = (e.value * e.decay).max(e.least),
        }
        self.learning.progressed(progress);
        if self.final_learning_rate_factor != 1.0 {
            let factor = 1.0 + progress * (self.final_learning_rate_factor - 1.0);
            let objectives = self.learning.objectives().into_iter().flatten();
            objectives.for_each(|objective| objective.scale_learning_rate(factor));
        }
    }

    fn update(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng) {
        fill_normal(rng, &mut self.draws.target);
        fill_normal(rng, &mut self.draws.actor);
        fill_normal(rng, &mut self.draws.temperature);
        self.learning.step(&mut self.params, batch, &self.draws);
    }

    fn update_critics(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng) {
        fill_normal(rng, &mut self.draws.target);
        self.learning.step_critics(&mut self.params, batch, &self.draws);
    }

    fn update_actor(&mut self, batch: &Batch<'_, f32>, rng: &mut Rng) {
        fill_normal(rng, &mut self.draws.actor);
        fill_normal(rng, &mut self.draws.temperature);
        self.learning.step_actor(&mut self.params, batch, &self.draws);
    }

    fn update_targets(&mut self) {
        self.learning.step_targets(&mut self.params);
    }

    fn metrics(&self) -> Vec<Metric> {
        self.report()
    }

    fn losses_are_finite(&mut self) -> bool {
        let mut objectives = self.learning.objectives().into_iter().flatten();
        objectives.all(|objective| objective.loss().is_finite())
    }

    fn value(&mut self, observation: &[f32]) -> f32 {
        self.value_program.run(&mut self.params, &[observation]);
        self.value_program.kept(0)[0]
    }

    fn walk_networks(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        walk.numbers(&mut self.params.value)
    }

    /// Programs that act and draws are no state: every use of them begins anew.
    fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), StateError> {
        self.walk_networks(walk)?;
        self.exploration.walk(walk)?;
        self.learning.targets().walk(walk)?;
        for objective in self.learning.objectives().into_iter().flatten() {
            objective.walk(walk)?;
        }
        self.learning.walk(walk)
    }

    fn parameters(&self) -> &Params<f32> {
        &self.params
    }

    fn policy(&self) -> PolicyNetwork<'_> {
        let (algorithm, network, head) = self.learning.policy(&self.range);
        PolicyNetwork { algorithm, params: &self.params, network, head }
    }
}
